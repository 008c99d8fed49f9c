"""Files of arrays, written completely or not at all."""

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

# The arrays that describe the file.
_KIND = "ari_estimator"
_HEAD = (_KIND, "format", "version")
_DIGEST = "sha256"

# Format of all files. Increase it when older files can no longer be read.
_FORMAT = 5

# Upper limit for the bytes that a file needs for the header of an array.
_LONGEST_HEAD = 2**10


def save_arrays(path: str | PathLike[str], kind: str, arrays: Mapping[str, object]) -> None:
    """Write arrays to a file in the npz format of numpy.

    Parameters
    ----------
    path : str or PathLike
        Name of the file. An existing file is replaced. The folder is created if needed.

    kind : str
        What the arrays are. It is written to the file.

    arrays : mapping of str to array-like
        The arrays, of numbers or of strings.
    """
    with whole_file(path, "path") as temporary:
        # numpy adds this ending where a name has none.
        written = temporary.with_name("arrays.npz")
        _write(written, kind, arrays)
        written.replace(temporary)


def _write(path: Path, kind: str, arrays: Mapping[str, object]) -> None:
    """Write arrays with their kind and a checksum."""
    head = dict(zip(_HEAD, (kind, _FORMAT, __version__), strict=True))
    # Arrays all, but savez also has a keyword for a bool, so mypy would want one.
    contents: dict[str, Any] = {
        name: np.asarray(array) for name, array in (head | dict(arrays)).items()
    }
    for name, array in contents.items():
        if array.dtype.kind not in "biufU":
            raise TypeError(f"{name} must hold numbers or text. Got {array.dtype}.")
    contents[_DIGEST] = np.asarray(_digest(contents))
    try:
        np.savez_compressed(path, **contents)
    except ValueError as error:
        # After an interrupt, zipfile reports an open member instead of the interrupt.
        if isinstance(error.__context__, KeyboardInterrupt):
            raise error.__context__ from None
        raise
    # The reader refuses a higher compression ratio than this, since it may be a zip bomb.
    unpacked = sum(array.nbytes + _LONGEST_HEAD for array in contents.values())
    if unpacked > most_unpacked(path.stat().st_size):
        np.savez(path, **contents)


def load_archive(
    path: str | PathLike[str],
    kind: str,
    make: Callable[[dict[str, np.ndarray]], Made],
    *,
    members: Collection[str],
) -> Made:
    """Read the arrays that :func:`save_arrays` has written, and make an object from them.

    Every fault of the file becomes one kind of error, which names the file.

    Parameters
    ----------
    path : str or PathLike
        Name of the file.

    kind : str
        What the arrays must be.

    make : callable
        Makes the object from a dictionary of arrays. It may raise any error.

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
        If it is not a regular file, is of another kind or format, is damaged, or has other
        arrays.
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
                    raise ValueError(f"it holds an array {name!r} that does not belong there")
            arrays = {name: npz.read(name) for name in npz.names}
            digest = stored_array(arrays, _DIGEST, "U").item()
            del arrays[_DIGEST]
            if digest != _digest(arrays):
                raise ValueError("it is damaged: the checksum of its arrays is wrong")
    with _refusing(path, kind):
        return make({name: array for name, array in arrays.items() if name not in _HEAD})


def stored_kind(path: str | PathLike[str]) -> str | None:
    """Return the kind of a file of arrays; None if :func:`save_arrays` did not write it.

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
        If it is not a regular file.
    """
    with existing_file(path, "path").open("rb") as file:
        try:
            with _refusing(path, "result of ari_estimator"):
                return _read_head(NpzMembers(file)).get(_KIND)
        except ValueError:
            return None


@contextmanager
def _refusing(path: str | PathLike[str], kind: str) -> Iterator[None]:
    """Turn errors into one that names the file, except errors of the disk and the memory."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        # A crafted file can state an impossible position of a member.
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise
        reason = str(error).rstrip(".")
        if not isinstance(error, ValueError):
            reason = f"{type(error).__name__}: {reason}"
        raise ValueError(f"{str(path)!r} is not a file of a {kind}: {reason}.") from error


def _read_head(npz: NpzMembers) -> dict[str, Any]:
    """Return the entries that describe the file, as far as it has them."""
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
