"""Checks of p-values, subsets and labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator._masked_values import refuse_masked


def check_p_values(p_values: ArrayLike, *, name: str = "p_values") -> np.ndarray:
    """Return p-values as a one-dimensional array of doubles.

    Parameters
    ----------
    p_values : array-like of shape (n_elements,)
        Numbers from 0 to 1.

    name : str
        The argument's name in error messages.

    Returns
    -------
    p_values : ndarray of shape (n_elements,)
        A float64 array; the input itself where it is one already.

    Raises
    ------
    ValueError
        If the array is masked or not one-dimensional, or holds NaN or numbers outside [0, 1].
    """
    refuse_masked(p_values, name, "Leave their elements out: p_values.compressed().")
    p_values = np.asarray(p_values)
    if p_values.dtype.kind not in "fiu":
        raise ValueError(f"{name} must hold real numbers. Got an array of {p_values.dtype}.")
    p_values = p_values.astype(np.float64, copy=False)
    if p_values.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional. Got shape {p_values.shape}.")
    # One comparison also finds NaN: min and max of an array that holds NaN are NaN.
    if p_values.size and not (p_values.min() >= 0 and p_values.max() <= 1):
        n_nan = int(np.isnan(p_values).sum())
        raise ValueError(
            f"{name} must lie in [0, 1], without NaN. Got {n_nan} NaN and values from "
            f"{np.nanmin(p_values) if n_nan < p_values.size else np.nan} to "
            f"{np.nanmax(p_values) if n_nan < p_values.size else np.nan}."
        )
    return p_values


def check_subset(
    subset: ArrayLike, n_elements: int, *, name: str, repeated: bool = False
) -> np.ndarray:
    """Return a choice of elements as indices.

    Parameters
    ----------
    subset : array-like of int or bool
        Indices, or a mask of shape (n_elements,).

    n_elements : int
        Number of elements to choose from.

    name : str
        The argument's name in error messages.

    repeated : bool, default=False
        Whether an index may be repeated.

    Returns
    -------
    indices : ndarray of int of shape (n,)
        From 0 to ``n_elements - 1``, in the order given.

    Raises
    ------
    ValueError
        If it is neither, or names an element twice although ``repeated`` is False.
    IndexError
        If it names an element that does not exist.
    """
    refuse_masked(subset, name, "Name the elements without a mask.")
    subset = np.asarray(subset)
    if subset.size == 0:  # numpy makes an array of floats from an empty list
        return np.empty(0, dtype=np.intp)
    if subset.dtype == bool and subset.shape == (n_elements,):
        return np.flatnonzero(subset)
    if subset.dtype.kind not in "iu" or subset.ndim != 1:
        raise ValueError(
            f"{name} must be a one-dimensional array of indices, or a mask of shape "
            f"({n_elements},). Got shape {subset.shape} of {subset.dtype}."
        )
    if subset.min() < -n_elements or subset.max() >= n_elements:
        raise IndexError(
            f"{name} must hold indices of {n_elements} elements. "
            f"Got indices from {subset.min()} to {subset.max()}."
        )
    indices = subset.astype(np.intp) % n_elements
    if not repeated and np.bincount(indices).max() > 1:
        raise ValueError(f"{name} must not name an element twice.")
    return indices


def check_labels(
    labels: ArrayLike, n_entries: int, n_labels: int | None, *, each: str
) -> tuple[np.ndarray, int]:
    """Return the labels of a labelling as indices, and their number.

    Parameters
    ----------
    labels : array-like of int of shape (n_entries,)
        Labels from 0.

    n_entries : int
        Number of labels that are needed.

    n_labels : int or None
        Number of labels; None stands for one more than the largest.

    each : str
        What has a label, in error messages.

    Returns
    -------
    labels : ndarray of int of shape (n_entries,)
        From 0 to ``n_labels - 1``, of whatever integer type they have.

    n_labels : int
        Number of labels.

    Raises
    ------
    ValueError
        If the labels are not integers from 0 to ``n_labels - 1``, one for each entry.
    """
    refuse_masked(labels, "labels", f"Give each {each} a label.")
    labels = np.asarray(labels)
    # numpy makes an array of floats from an empty list.
    if labels.shape != (n_entries,) or (labels.size and labels.dtype.kind not in "iu"):
        raise ValueError(
            f"labels must be integers of shape {(n_entries,)}, one for each {each}. "
            f"Got shape {labels.shape} of {labels.dtype}."
        )
    smallest, largest = (int(labels.min()), int(labels.max())) if labels.size else (0, -1)
    n_labels = largest + 1 if n_labels is None else n_labels
    if smallest < 0 or largest >= n_labels:
        raise ValueError(
            f"labels must lie in 0, ..., {n_labels - 1}. Got values from {smallest} to {largest}."
        )
    # Labels often have one byte. numpy's own type for indices has eight.
    return labels if labels.size else labels.astype(np.intp), n_labels
