"""Check an output path, before any work is done and again before files move."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ari_estimator.files._given_path import given_path

# Limit if the system does not report one.
_USUAL_NAME_MAX = 255


def file_to_write(
    path: Any, what: str, *, overwrite: bool = True, inputs: Iterable[Path] = ()
) -> Path:
    """Return the path of a file that may be written.

    Parameters
    ----------
    path : str or path-like
        The file. Its folder need not exist yet.

    what : str
        Name of the argument or option in messages.

    overwrite : bool, default=True
        Whether to replace an existing file.

    inputs : iterable of Path, default=()
        Files that must stay, for any value of ``overwrite``.

    Returns
    -------
    path : Path
        The path, with the home folder in place of ``~``. Links in it are not followed.

    Raises
    ------
    TypeError
        If it is not a path.
    ValueError
        If it is empty, or is one of the inputs.
    OSError
        If it cannot be written: see :func:`folder_to_write` and :func:`real_target`.
    """
    path = _output_path(path, what)
    folder = path.parent
    _check_folder(folder, what)
    _check_names(folder, [path.name], what)
    real_target(path, overwrite=overwrite, inputs=inputs)
    return path


def folder_to_write(
    path: Any,
    what: str,
    *,
    names: Iterable[str] = (),
    name_by: str = "",
    inputs: Iterable[Path] = (),
) -> Path:
    """Return the path of a folder that files may be written to.

    Parameters
    ----------
    path : str or path-like
        The folder. It need not exist yet.

    what : str
        Name of the argument or option in messages.

    names : iterable of str, default=()
        Names of files that may be written. The folder may contain files of these names, unless
        they are inputs.

    name_by : str, default=""
        Name of the argument that determines the length of the names, in messages.

    inputs : iterable of Path, default=()
        Files that must stay.

    Returns
    -------
    path : Path
        The path, with the home folder in place of ``~``.

    Raises
    ------
    TypeError
        If it is not a path.
    ValueError
        If it is empty, or one of the names is an input.
    NotADirectoryError
        If the folder, or a folder above it, is a file.
    PermissionError
        If it may not be written to.
    OSError
        If a name is too long for the file system.
    """
    folder = _output_path(path, what)
    names, inputs = list(names), list(inputs)
    _check_folder(folder, what)
    _check_names(folder, names, name_by or what)
    for name in names:
        _refuse_input(folder / name, inputs)
    return folder


def real_target(path: Path, *, overwrite: bool, inputs: Iterable[Path] = ()) -> Path:
    """Return the place to write a file to, after following links.

    Parameters
    ----------
    path : Path
        The file.

    overwrite : bool
        Whether to replace an existing file.

    inputs : iterable of Path, default=()
        Files that must stay, for any value of ``overwrite``.

    Returns
    -------
    target : Path
        An existing file, or a path at which nothing exists.

    Raises
    ------
    IsADirectoryError
        If the path is a folder.
    FileExistsError
        If the file exists and must not be replaced.
    FileNotFoundError
        If a link leads to a folder that does not exist.
    PermissionError
        If the file is write-protected, or a link leads to a place without write access.
    ValueError
        If it is one of the inputs.
    OSError
        If the path is something else, such as a device or a pipe.
    """
    shown = f"The output file {str(path)!r}"
    real = Path(os.path.realpath(path))
    found = _stat(path)
    if found is not None and stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(f"{shown} is a folder.")
    if found is not None and not stat.S_ISREG(found.st_mode):
        raise OSError(
            f"{shown} is a device, a pipe or a socket. Results need a regular file: give the name "
            "of a file."
        )
    if found is not None:
        _refuse_input(path, inputs)
        if not overwrite:
            raise FileExistsError(f"{shown} exists already.")
        # An administrator may write to all files, even to protected ones.
        if not os.access(path, os.W_OK) or not found.st_mode & 0o222:
            raise PermissionError(f"{shown} is write-protected.")
    if os.path.islink(path):  # works for names that are too long
        if os.path.islink(real):
            raise FileNotFoundError(f"{shown} is a symbolic link that leads in a circle.")
        if not real.parent.is_dir():
            raise FileNotFoundError(
                f"{shown} is a symbolic link to {str(real)!r}, whose folder does not exist."
            )
        _check_folder(real.parent, shown)
    return real


def _output_path(path: Any, what: str) -> Path:
    expanded = given_path(path, what)
    first = expanded.parts[:1]
    if first and first[0].startswith("~"):
        raise ValueError(
            f"{what} must be a path. Got {str(path)!r}, the home folder of an unknown user. If "
            f"that is a name, write './{expanded}'."
        )
    return expanded


def _stat(path: Path) -> os.stat_result | None:
    """Return the status of a file, with links followed; None if there is nothing."""
    try:
        return path.stat()
    except OSError:
        return None


def _refuse_input(path: Path, inputs: Iterable[Path]) -> None:
    found = _stat(path)
    if found is None:
        return
    for other in inputs:
        # The same file, maybe under another name.
        of_input = _stat(other)
        if of_input is not None and os.path.samestat(found, of_input):
            raise ValueError(
                f"The output file {str(path)!r} is the input file {str(other)!r}, which must stay: "
                "write to another file or folder."
            )


def _check_folder(folder: Path, what: str) -> None:
    """Raise an OSError unless files can be written to a folder, which may not exist yet."""
    above = _nearest(folder)
    found = _stat(folder)  # the real path of /dev/stdout need not exist
    is_other = found is not None and not stat.S_ISDIR(found.st_mode)
    if is_other or not above.is_dir() or os.path.islink(os.path.realpath(folder)):  # a circle
        raise NotADirectoryError(
            f"{what} must be a folder, or a path in one. Got {str(folder)!r}, which is a file, a "
            "device or a pipe, or lies in one."
        )
    if not os.access(above, os.W_OK | os.X_OK):
        raise PermissionError(f"The output folder {str(folder)!r} may not be written to.")
    missing = Path(os.path.realpath(folder)).relative_to(above)
    _check_names(above, missing.parts, what)


def _check_names(folder: Path, names: Iterable[str], what: str) -> None:
    """Raise an OSError if a name is too long for the file system."""
    above = _nearest(folder)
    longest = _USUAL_NAME_MAX
    if hasattr(os, "pathconf"):
        longest = os.pathconf(above, "PC_NAME_MAX")
    for name in names:
        length = len(os.fsencode(name))
        if length > longest:
            raise OSError(
                f"{what} must give shorter names of files. Got {name[:30]!r}... of {length} bytes, "
                f"but names in {str(above)!r} have at most {longest}."
            )


def _nearest(folder: Path) -> Path:
    """Return the folder, or the nearest existing folder above it, with links followed."""
    real = Path(os.path.realpath(folder))
    return next(path for path in (real, *real.parents) if os.path.exists(path))
