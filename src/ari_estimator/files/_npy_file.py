"""Read one array of numpy from a file that may be damaged or malicious."""

from __future__ import annotations

from os import PathLike

import numpy as np

from ari_estimator.files._regular_file import existing_file


def read_npy(path: str | PathLike[str], what: str) -> np.ndarray:
    """Return the array of a ``.npy`` file.

    Parameters
    ----------
    path : str or path-like
        The file.

    what : str
        Name of the file in messages.

    Returns
    -------
    array : ndarray
        The array.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, TypeError
        As for :func:`existing_file`.
    ValueError
        If it is not an array, is shorter than its header says, or holds Python objects.
    """
    path = existing_file(path, what)
    try:
        # A map of the file has no memory before its size is compared with that in the header.
        with np.errstate(over="raise"):
            mapped = np.lib.format.open_memmap(path, mode="r")
    except (ValueError, OSError, EOFError, ArithmeticError) as error:
        raise ValueError(f"{what} must be an array of numpy. Got {str(path)!r}: {error}") from None
    # A copy, because the file may change.
    return np.array(mapped, subok=False)
