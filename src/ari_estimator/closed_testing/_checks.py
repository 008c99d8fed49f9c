"""Checks of p-values, shared by everything that takes them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def check_p_values(p_values: ArrayLike, *, name: str = "p_values") -> np.ndarray:
    """Return p-values as a one-dimensional array of doubles.

    Parameters
    ----------
    p_values : array-like of shape (n_hypotheses,)
        Numbers from 0 to 1.

    name : str
        The argument's name in error messages.

    Returns
    -------
    p_values : ndarray of shape (n_hypotheses,)
        A float64 array; the input itself where it is one already.

    Raises
    ------
    ValueError
        If the array is not one-dimensional, or holds NaN or numbers outside [0, 1].
    """
    p_values = np.asarray(p_values)
    if p_values.dtype.kind not in "fiu":
        raise ValueError(f"{name} must hold real numbers. Got an array of {p_values.dtype}.")
    p_values = p_values.astype(np.float64, copy=False)
    if p_values.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional. Got shape {p_values.shape}.")
    # One comparison finds NaN as well: min and max of an array that holds NaN are NaN.
    if p_values.size and not (p_values.min() >= 0 and p_values.max() <= 1):
        n_nan = int(np.isnan(p_values).sum())
        raise ValueError(
            f"{name} must lie in [0, 1], without NaN. Got {n_nan} NaN and values from "
            f"{np.nanmin(p_values) if n_nan < p_values.size else np.nan} to "
            f"{np.nanmax(p_values) if n_nan < p_values.size else np.nan}."
        )
    return p_values


def check_subset(subset: ArrayLike) -> np.ndarray:
    """Return indices or a mask as an array that p-values can be indexed with."""
    subset = np.asarray(subset)
    # numpy makes an empty list an array of floats, which are no indices.
    return subset if subset.size else subset.astype(np.intp)
