"""Read a sparse matrix of scipy from a file that may be damaged or malicious."""

from __future__ import annotations

import zipfile
import zlib
from os import PathLike

import numpy as np
from scipy.sparse import bsr_array, coo_array, csc_array, csr_array, dia_array

from ari_estimator.files._npz_members import NpzMembers
from ari_estimator.files._regular_file import existing_file
from ari_estimator.files._stored_array import stored_array

_COMPRESSED = {"csr": csr_array, "csc": csc_array, "bsr": bsr_array}

# Bytes in memory for each row: 64 entries of 16 bytes. Files that unpack to little may have more.
_BYTES_PER_ROW = 1024


def read_sparse(path: str | PathLike[str], what: str, most_rows: int) -> coo_array:
    """Return the matrix of a file of ``scipy.sparse.save_npz``.

    scipy itself trusts the file: indices outside of the matrix crash Python.

    Parameters
    ----------
    path : str or path-like
        The file.

    what : str
        Name of the file in messages.

    most_rows : int
        The largest number of rows and columns that make sense. It limits the memory.

    Returns
    -------
    matrix : coo_array
        The matrix.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, TypeError
        As for :func:`existing_file`.
    ValueError
        If it is another file, is damaged, or has more rows or columns.
    """
    path = existing_file(path, what)
    try:
        with path.open("rb") as file:
            npz = NpzMembers(file, most=_BYTES_PER_ROW * most_rows)
            return _matrix(npz, most_rows)
    # zipfile raises NotImplementedError for encrypted members and unknown kinds of compression.
    except (ValueError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        reason = str(error).rstrip(".")
        raise ValueError(
            f"{what} must be a file of scipy.sparse.save_npz. Got {str(path)!r}: {reason}."
        ) from None


def _matrix(npz: NpzMembers, most_rows: int) -> coo_array:
    if not {"format", "shape", "data"} <= npz.names:
        raise ValueError("it holds no sparse matrix")
    name = str(npz.read("format").item(), "ascii", "replace")
    lengths = stored_array({"shape": npz.read("shape")}, "shape", "iu", (2,)).tolist()
    if max(lengths) > most_rows or min(lengths) < 0:
        raise ValueError(f"it has shape {tuple(lengths)}, and the map has {most_rows:,} elements")
    shape = (int(lengths[0]), int(lengths[1]))
    data = stored_array({"data": npz.read("data")}, "data", "biuf", None)
    if name == "coo":
        return coo_array((data, (_integers(npz, "row"), _integers(npz, "col"))), shape=shape)
    if name == "dia":
        return dia_array((data, _integers(npz, "offsets")), shape=shape).tocoo()
    if name not in _COMPRESSED:
        raise ValueError(f"its format {name[:20]!r} is unknown")
    indices, starts = _integers(npz, "indices"), _integers(npz, "indptr")
    matrix = _COMPRESSED[name]((data, indices, starts), shape=shape)
    matrix.check_format(full_check=True)
    return matrix.tocoo()


def _integers(npz: NpzMembers, name: str) -> np.ndarray:
    array = npz.read(name) if name in npz.names else None
    return stored_array({} if array is None else {name: array}, name, "iu", (None,))
