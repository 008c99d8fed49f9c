"""Matrices of p-values of many permutations: checks, and sorted rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator._masked_values import refuse_masked

# Rows are sorted in blocks of about this many p-values: 64 MB of doubles.
_BLOCK = 2**23


def check_p_value_matrix(
    p_values: ArrayLike,
    *,
    name: str = "p_values",
    each: str = "permutation",
    of: str = "element",
    n_rows: int = 1,
) -> np.ndarray:
    """Return p-values of permutations as an array.

    Parameters
    ----------
    p_values : array-like of shape (n_permutations, n_elements)
        Numbers from 0 to 1.

    name : str
        The argument's name in error messages.

    each, of : str
        What rows and columns stand for, in error messages.

    n_rows : int, default=1
        Minimum number of rows.

    Returns
    -------
    p_values : ndarray of shape (n_permutations, n_elements)
        The array, with its own type of number.

    Raises
    ------
    ValueError
        If it is masked or not two-dimensional, has too few rows or no columns, or holds NaN or
        numbers outside [0, 1].
    """
    refuse_masked(p_values, name, f"Leave out each {of} that has one.")
    p_values = np.asarray(p_values)
    if p_values.dtype.kind not in "fiu":
        raise ValueError(f"{name} must hold real numbers. Got an array of {p_values.dtype}.")
    if p_values.ndim != 2 or p_values.shape[0] < n_rows or p_values.shape[1] < 1:
        raise ValueError(
            f"{name} must be two-dimensional, a row for each {each} and a column for each {of}, "
            f"with at least {n_rows} row{'s' if n_rows > 1 else ''} and 1 column. "
            f"Got shape {p_values.shape}."
        )
    smallest, largest = p_values.min(), p_values.max()  # NaN if there is one
    if not (smallest >= 0 and largest <= 1):
        n_nan = int(np.isnan(p_values).sum())
        values = f"{n_nan} NaN" if n_nan else f"values from {smallest} to {largest}"
        raise ValueError(f"{name} must lie in [0, 1], without NaN. Got {values}.")
    return p_values


def smallest_in_rows(
    p_values: np.ndarray, n_smallest: int, keep: np.ndarray | None = None
) -> Iterator[np.ndarray]:
    """Yield the smallest p-values of each permutation, in blocks of permutations.

    Parameters
    ----------
    p_values : ndarray of shape (n_permutations, n_elements)
        P-values.

    n_smallest : int
        Number of p-values of each permutation, limited to the number of elements.

    keep : ndarray of bool of shape (n_elements,), optional
        The remaining elements; by default all.

    Yields
    ------
    smallest : ndarray of float64 of shape (n_in_block, n)
        In ascending order in each row.
    """
    n_rows = max(1, _BLOCK // p_values.shape[1])
    for start in range(0, len(p_values), n_rows):
        block = p_values[start : start + n_rows]
        block = block.copy() if keep is None else block[:, keep]
        if n_smallest < block.shape[1]:
            block.partition(n_smallest - 1, axis=1)
            block = block[:, :n_smallest]
        smallest = block.astype(np.float64)
        smallest.sort(axis=1)
        yield smallest
