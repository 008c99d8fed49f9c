"""Arrays of the shape of a mask: smaller masks, and values put in their places."""

from __future__ import annotations

import numpy as np


def restricted(mask: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Return a mask with some of its elements.

    Parameters
    ----------
    mask : ndarray of bool
        The mask.

    kept : ndarray of bool of shape (n_elements,)
        Whether each element of the mask stays.

    Returns
    -------
    mask : ndarray of bool
        The smaller mask; the given one if all elements stay.
    """
    if kept.all():
        return mask
    mask = mask.copy()
    mask[mask] = kept
    return mask


def put(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return an array of the shape of the mask, with values in it and 0 elsewhere."""
    volume = np.zeros(mask.shape, dtype=values.dtype)
    volume[mask] = values
    return volume
