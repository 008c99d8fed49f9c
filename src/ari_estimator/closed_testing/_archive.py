"""Arrays in a file of their own, which is written as a whole or not at all."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ari_estimator._version import __version__
from ari_estimator.files._npz_members import NpzMembers, most_unpacked
from ari_estimator.files._regular_file import existing_file
from ari_estimator.files._stored_array import stored_array
from ari_estimator.files._whole_files import whole_file

Made = TypeVar("Made")

# The arrays that say what the others are.
_KIND = "ari_estimator"
_HEAD = (_KIND, "format", "version")
_DIGEST = "sha256"

# Of all files; another number whenever files of before cannot be read any more.
_FORMAT = 3

# More than what a file says of an array besides its numbers.
_LONGEST_HEAD = 2**10


def save_arrays(path: str | PathLike[str], kind: str, arrays: Mapping[str, object]) -> None:
    """Write arrays to a file in the npz format of numpy.

    Parameters
    ----------
    path : str or PathLike
        Name of the file; one that is there is replaced. Its folder is made if it is not there.

    kind : str
        What the arrays are, which is written along.

    arrays : mapping of str to array-like
        The arrays, of numbers or of strings.
    """
    with whole_file(path, "path") as temporary:
        # numpy adds this ending where a name has none.
        written = temporary.with_name("arrays.npz")
        _write(written, kind, arrays)
        written.replace(temporary)


def _write(path: Path, kind: str, arrays: Mapping[str, object]) -> None:
    """Write arrays, and what tells them from others and from damaged ones."""
    head = dict(zip(_HEAD, (kind, _FORMAT, __version__), strict=True))
    contents = {name: np.asarray(array) for name, array in (head | dict(arrays)).items()}
    for name, array in contents.items():
        if array.dtype.kind not in "biufU":
            raise TypeError(f"{name} must hold numbers or text. Got {array.dtype}.")
    contents[_DIGEST] = np.asarray(_digest(contents))
    # numpy's types for savez take no mapping of names to arrays, which it takes all the same.
    try:
        np.savez_compressed(path, **contents)  # type: ignore[arg-type]
    except ValueError as error:
        # An interrupt leaves a member open, and the file then says that it cannot be closed.
        if isinstance(error.__context__, KeyboardInterrupt):
            raise error.__context__ from None
        raise
    # What shrinks that much would be refused: it looks as if it were made to do harm.
    unpacked = sum(array.nbytes + _LONGEST_HEAD for array in contents.values())
    if unpacked > most_unpacked(path.stat().st_size):
        np.savez(path, **contents)  # type: ignore[arg-type]


def load_archive(
    path: str | PathLike[str],
    kind: str,
    make: Callable[[dict[str, np.ndarray]], Made],
    *,
    members: Collection[str],
) -> Made:
    """Return what is made of the arrays that :func:`save_arrays` has written.

    Whatever is wrong with the file becomes one kind of error, which names the file.

    Parameters
    ----------
    path : str or PathLike
        Name of the file.

    kind : str
        What the arrays shall be.

    make : callable
        Makes it of the arrays, a dictionary. It may raise any error.

    members : collection of str
        Names that the arrays may have; ``*`` stands for any ending.

    Returns
    -------
    made : object
        What ``make`` returns.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is no regular file, not of this kind or format, damaged, or does not hold
        what it should.
    """
    with existing_file(path, "path").open("rb") as file:
        with _refusing(path, kind):
            npz = NpzMembers(file)
            head = _read_head(npz)
            found = head.get(_KIND)
            if found != kind:
                other = "of another program" if found is None else f"a file of a {found[:100]}"
                raise ValueError(f"it is {other}")
        _check_format(path, head)
        with _refusing(path, kind):
            allowed = {*_HEAD, _DIGEST, *members}
            for name in npz.names:
                if not any(fnmatchcase(name, pattern) for pattern in allowed):
                    raise ValueError(f"it holds an array {name!r}, which such a file has not")
            arrays = {name: npz.read(name) for name in npz.names}
            digest = stored_array(arrays, _DIGEST, "U").item()
            del arrays[_DIGEST]
            if digest != _digest(arrays):
                raise ValueError("it is damaged: its arrays have another checksum")
    with _refusing(path, kind):
        return make({name: array for name, array in arrays.items() if name not in _HEAD})


def stored_kind(path: str | PathLike[str]) -> str | None:
    """Return what the arrays in a file are, None if it was not written by :func:`save_arrays`.

    Parameters
    ----------
    path : str or PathLike
        Name of the file.

    Returns
    -------
    kind : str or None
        The kind.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no regular file.
    """
    with existing_file(path, "path").open("rb") as file:
        try:
            with _refusing(path, "result of ari_estimator"):
                return _read_head(NpzMembers(file)).get(_KIND)
        except ValueError:
            return None


@contextmanager
def _refusing(path: str | PathLike[str], kind: str) -> Iterator[None]:
    """Turn every error into one that names the file, but for errors of the disk and memory."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        # A seek to where a crafted file says that a member is.
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise
        reason = str(error).rstrip(".")
        if not isinstance(error, ValueError):
            reason = f"{type(error).__name__}: {reason}"
        raise ValueError(f"{str(path)!r} is not a file of a {kind}: {reason}.") from error


def _read_head(npz: NpzMembers) -> dict[str, Any]:
    """Return what says which arrays the others are, as far as it is there."""
    head = {}
    for name in npz.names.intersection(_HEAD):
        array = npz.read(name)
        if array.ndim == 0 and array.dtype.kind in "Ui" and array.nbytes < _LONGEST_HEAD:
            head[name] = array.item()
    return head


def _check_format(path: str | PathLike[str], head: Mapping[str, Any]) -> None:
    """Raise a ValueError if a file is in the format of another version."""
    found = head.get("format")
    if found == _FORMAT:
        return
    if found is None:
        written = "was written by an earlier version of ari_estimator"
    else:
        written = f"was written by ari_estimator {head.get('version')}, in format {found}"
    raise ValueError(
        f"{str(path)!r} {written}. Version {__version__} reads format {_FORMAT}: save it again, "
        "or load it with the version that wrote it."
    )


def _digest(arrays: Mapping[str, np.ndarray]) -> str:
    """Return a checksum over names, types, shapes and values of arrays."""
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
