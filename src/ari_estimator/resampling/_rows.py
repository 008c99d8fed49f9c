"""Rows of statistics that compiled loops write, and places without enough digits."""

from __future__ import annotations

import numpy as np


def flat_rows(values: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the memory of rows as an array of one dimension, and the distance between rows.

    The rows may be a part of longer rows. Compiled loops are faster if they know that neighbours
    are next to each other, as they are in an array of one dimension.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n)
        The rows. Neighbours in a row are next to each other.

    Returns
    -------
    memory : ndarray of shape (n_numbers,)
        The same memory, without a copy.

    pitch : int
        Row i starts at ``i * pitch``.
    """
    pitch = values.strides[0] // values.itemsize
    n_numbers = (len(values) - 1) * pitch + values.shape[1] if values.size else 0
    memory = np.lib.stride_tricks.as_strided(values, (n_numbers,), (values.itemsize,))
    return memory, pitch


def nan_places(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows and columns that are NaN, row by row.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n)
        The rows. Neighbours in a row are next to each other.

    Returns
    -------
    rows, columns : ndarray of int of shape (n_nan,)
        The places.
    """
    from ari_estimator.resampling._rows_kernels import find_nan

    memory, pitch = flat_rows(values)
    return find_nan(memory, pitch, *values.shape)
