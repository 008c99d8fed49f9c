"""Expand file patterns as a shell does. Names of existing files are not patterns."""

from __future__ import annotations

import re
from glob import escape, glob
from pathlib import Path

from ari_estimator.cli._design_rows import natural_order
from ari_estimator.files._given_path import given_path

_BRACES = re.compile(r"\{([^{}]*,[^{}]*)\}")


def files_named(pattern: str, what: str) -> list[str]:
    """Return the files that a name or a pattern stands for.

    Parameters
    ----------
    pattern : str
        A path. ``*``, ``?``, ``[...]``, ``**`` and ``{lh,rh}`` stand for others, but not in a part
        of the path that is there as it is written: a folder may be called ``data[1]``.

    what : str
        What the files are, for messages.

    Returns
    -------
    files : list of str
        With sub-2 before sub-10.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    files: list[str] = []
    for alternative in without_braces(pattern):
        path = given_path(alternative, what)
        found = [Path(path.anchor)]
        for part in path.relative_to(path.anchor).parts:
            found = [below for folder in found for below in _below(folder, part)]
        if not found:
            raise FileNotFoundError(f"{what} must be files. There is none at {alternative!r}.")
        files += sorted(map(str, found), key=natural_order)
    return files


def without_braces(text: str) -> list[str]:
    """Return the paths that a path with braces stands for, as in a shell.

    Parameters
    ----------
    text : str
        A path, such as ``sub-01/{lh,rh}.func.gii``.

    Returns
    -------
    paths : list of str
        ``sub-01/lh.func.gii`` and ``sub-01/rh.func.gii``. A path without braces, or one that exists
        as it is written, stands for itself.
    """
    match = _BRACES.search(text)
    if match is None or Path(text).exists():
        return [text]
    start, end = text[: match.start()], text[match.end() :]
    return [
        path for word in match[1].split(",") for path in without_braces(start + word.strip() + end)
    ]


def _below(folder: Path, part: str) -> list[Path]:
    """Return what a part of a path stands for in a folder."""
    if (folder / part).exists():
        return [folder / part]
    if part == "**":
        return [Path(path) for path in glob(f"{escape(str(folder))}/**/", recursive=True)]
    return [folder / name for name in glob(part, root_dir=folder)]
