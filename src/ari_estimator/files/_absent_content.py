"""Files whose content is elsewhere: pointers of Git LFS, git-annex and DataLad."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

_LFS = (b"version https://git-lfs.github.com/spec/", b"version https://hawser.github.com/spec/")

# Files that git-annex has unlocked begin so.
_ANNEX = (b"/annex/objects/", b"\\annex\\objects\\")
_IN_ANNEX = "annex/objects/"

# Pointers have one or a few lines. git-annex reads no longer ones either.
_LONGEST = 32 * 2**10

# More links than any system follows.
_MOST_LINKS = 40


class AbsentContentError(FileNotFoundError):
    """The content of a file was never fetched to this machine."""


def check_content(path: Path, what: str) -> None:
    """Raise an error if a file only stands for content that has to be fetched.

    Parameters
    ----------
    path : Path
        A file, or a link to a file that may not exist.

    what : str
        Name of the file in messages.

    Raises
    ------
    AbsentContentError
        If the file is a pointer of Git LFS or git-annex, or a link into the annex of a repository
        that does not have the content. If it is in a subdataset of DataLad that is not installed.
    """
    if path.is_file():
        start = _start_of(path)
        if start.startswith(_LFS):
            program, command = "Git LFS", _by_lfs(path)
        elif start.startswith(_ANNEX):
            program, command = "git-annex", _by_annex(path)
        else:
            return
    elif (link := _link_into_annex(path)) is not None:
        program, command = "git-annex", _by_annex(link)
    else:
        _check_subdataset(path, what)
        return
    raise AbsentContentError(
        f"{what} is not on this machine yet: {str(path)!r} is a pointer of {program}. Fetch its "
        f"content with: {command}"
    )


def is_named(path: Path) -> bool:
    """Tell whether a folder has a file of a name, with its content or with a pointer to it.

    Parameters
    ----------
    path : Path
        Where the file may be. Whoever reads it calls :func:`check_content` first.
    """
    return path.is_file() or _link_into_annex(path) is not None


def _check_subdataset(path: Path, what: str) -> None:
    """Raise an error if a file is in an empty folder that stands for another repository."""
    if path.exists():
        return
    folder = next((one for one in path.absolute().parents if one.exists()), None)
    if folder is None or not folder.is_dir() or any(folder.iterdir()):
        return
    root = _repository_of(folder)
    modules = None if root is None else root / ".gitmodules"
    if root is None or modules is None or not modules.is_file():
        return
    inside = re.escape(folder.relative_to(root).as_posix())
    line = re.compile(rf"^\s*path\s*=\s*{inside}\s*$", re.MULTILINE)
    if line.search(modules.read_text(errors="replace")):
        raise AbsentContentError(
            f"{what} is not on this machine yet: {str(path)!r} is in a subdataset that is not "
            f"installed. Fetch it with: {_by_datalad(root, path)}"
        )


def _start_of(path: Path) -> bytes:
    if path.stat().st_size > _LONGEST:
        return b""
    with path.open("rb") as file:
        return file.read(64)


def _link_into_annex(path: Path) -> Path | None:
    """Return the link that leads to missing content of an annex; None if there is none."""
    for _ in range(_MOST_LINKS):
        if not path.is_symlink():
            return None
        target = path.readlink()
        if _IN_ANNEX in target.as_posix():
            return path
        path = path.parent / target
    return None


def _repository_of(path: Path) -> Path | None:
    """Return the folder of the repository that a file is in."""
    folders = path.absolute().parents
    return next((folder for folder in folders if (folder / ".git").exists()), None)


def _by_lfs(path: Path) -> str:
    root = _repository_of(path)
    if root is None:
        return f"git lfs pull --include={shlex.quote(path.name)}, in the repository of the file"
    inside = shlex.quote(path.absolute().relative_to(root).as_posix())
    return f"git -C {shlex.quote(str(root))} lfs pull --include={inside}"


def _by_annex(path: Path) -> str:
    root = _repository_of(path)
    if root is not None and (root / ".datalad").is_dir():
        return _by_datalad(root, path)
    folder = "" if root is None else f" -C {shlex.quote(str(root))}"
    return f"git{folder} annex get {shlex.quote(str(path.absolute()))}"


def _by_datalad(root: Path, path: Path) -> str:
    return f"datalad get -d {shlex.quote(str(root))} {shlex.quote(str(path.absolute()))}"
