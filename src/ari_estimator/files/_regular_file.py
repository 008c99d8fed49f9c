"""Existing regular files. Every path that is read is checked here."""

from __future__ import annotations

import stat
from os import PathLike
from pathlib import Path

from ari_estimator.files._absent_content import check_content
from ari_estimator.files._given_path import given_path
from ari_estimator.files._near_names import near_name

# Things with a path that are not regular files.
_OTHERS = (
    (stat.S_ISFIFO, "a pipe, such as <(...) or /dev/stdin"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def existing_file(path: str | PathLike[str], what: str) -> Path:
    """Return the path of an existing file.

    Parameters
    ----------
    path : str or path-like
        Where it should be.

    what : str
        Name of the file in messages, such as "The cluster table".

    Returns
    -------
    path : Path
        The path.

    Raises
    ------
    FileNotFoundError
        If the path does not exist, or its content was never fetched: it is a pointer of Git LFS,
        git-annex or DataLad.
    IsADirectoryError
        If it is a folder.
    TypeError
        If it is not a path.
    ValueError
        If it is a pipe or a device: these can be read only once, have no size, and may never end.
    """
    path = given_path(path, what)
    if path.is_dir():
        raise IsADirectoryError(f"{what} must be a file. Got a folder: {str(path)!r}.")
    check_content(path, what)
    if not path.exists():
        raise FileNotFoundError(f"{what} does not exist: {str(path)!r}.{near_name(path)}")
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        got = next((name for is_one, name in _OTHERS if is_one(mode)), "something else")
        raise ValueError(
            f"{what} must be a file on a disk. Got {got}: {str(path)!r}. Write its content to a "
            "file first."
        )
    return path


def read_bytes(path: str | PathLike[str], what: str, most: int) -> bytes:
    """Return the bytes of an existing file.

    Parameters
    ----------
    path : str or path-like
        Where it should be.

    what : str
        Name of the file in messages.

    most : int
        Maximum number of bytes.

    Returns
    -------
    content : bytes
        The content of the file.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, TypeError
        As for :func:`existing_file`.
    ValueError
        If it is a pipe or a device, or is larger.
    """
    path = existing_file(path, what)
    size = path.stat().st_size
    if size > most:
        raise ValueError(
            f"{what} must have at most {most:,} bytes. Got {size:,} bytes: {str(path)!r}."
        )
    with path.open("rb") as file:
        return file.read(most)
