"""Arrays of the shape of a mask: smaller masks, and values put in their places."""

from __future__ import annotations

from typing import Any

import numpy as np

from ari_estimator._masked_values import refuse_masked


def mask_values(mask_img: Any) -> np.ndarray:
    """Return the values of a mask of arrays.

    Parameters
    ----------
    mask_img : ndarray or ArrayMasker
        The mask, or the fitted masker of a model.

    Returns
    -------
    values : ndarray
        Its values.

    Raises
    ------
    ValueError
        If it has masked values, which could mean inside or outside.
    """
    given = getattr(mask_img, "mask_img_", mask_img)
    refuse_masked(given, "mask_img", "mask_img.filled(False) leaves them out.")
    return np.asarray(given)


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
