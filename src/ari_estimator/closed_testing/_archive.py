"""Arrays in a file of their own, which is written as a whole or not at all."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

_KIND = "ari_estimator"


def save_arrays(path: str | PathLike[str], kind: str, arrays: Mapping[str, object]) -> None:
    """Write arrays to a file in the npz format of numpy.

    Parameters
    ----------
    path : str or PathLike
        Name of the file. Its folder must exist; a file of this name is replaced.

    kind : str
        What the arrays are, which is written along.

    arrays : mapping of str to array-like
        The arrays, of numbers or of strings.
    """
    path = Path(path)
    # A folder for a single file: unlike a temporary file, what is in it has the usual access.
    with TemporaryDirectory(prefix=".writing-", dir=path.parent) as folder:
        temporary = Path(folder) / "arrays.npz"
        contents = {_KIND: kind, **arrays}
        # Its types know arrays only, where it makes arrays of numbers and strings as well.
        np.savez_compressed(temporary, allow_pickle=False, **contents)  # type: ignore[arg-type]
        temporary.replace(path)


def load_arrays(path: str | PathLike[str], kind: str) -> dict[str, np.ndarray]:
    """Read what :func:`save_arrays` has written.

    Parameters
    ----------
    path : str or PathLike
        Name of the file.

    kind : str
        What the arrays shall be.

    Returns
    -------
    arrays : dict of str to ndarray
        The arrays.

    Raises
    ------
    ValueError
        If the file is not of this kind.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = dict(archive)
    except (ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile, zlib.error):
        arrays = {}
    if str(arrays.pop(_KIND, "")) != kind:
        raise ValueError(f"{str(path)!r} is not a file of a {kind}.")
    return arrays


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
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            return str(archive[_KIND]) if _KIND in archive.files else None
    except (ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile, zlib.error):
        return None
