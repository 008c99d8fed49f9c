"""A masker of arrays, and the arrays of subjects that it reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from ari_estimator._masked_values import refuse_masked
from ari_estimator._unused_options import refuse_unused
from ari_estimator.images._frame import check_binary
from ari_estimator.images._mask_array import mask_values
from ari_estimator.images._single_array import SingleArray

_WHAT = "second_level_input"


@dataclass(frozen=True, eq=False)
class ArrayMap:
    """The map of one subject, as an array.

    Attributes
    ----------
    called : str
        Its number, for messages.

    array : ndarray
        The values.
    """

    called: str
    array: np.ndarray

    def get_filename(self) -> None:
        """Return no name: arrays are in no file."""

    def values(self) -> np.ndarray:
        """Return the values, in single or double precision."""
        is_single = self.array.dtype.kind == "f" and self.array.dtype.itemsize <= 4
        return self.array.astype(np.float32 if is_single else np.float64, copy=False)


def are_arrays(images: Any) -> bool:
    """Return whether maps of subjects are arrays, one or a list of them.

    Parameters
    ----------
    images : object
        The maps.

    Returns
    -------
    are_arrays : bool
        Whether they are. Arrays of images or names are not.
    """
    if isinstance(images, Sequence) and not isinstance(images, str):
        return len(images) > 0 and _is_of_numbers(images[0]) and images[0].ndim > 0
    # One number for each subject is not a map.
    return _is_of_numbers(images) and images.ndim > 1


def _is_of_numbers(array: Any) -> bool:
    return isinstance(array, np.ndarray) and array.dtype.kind not in "OUST"


def array_maps(images: Any, map_: Any = None) -> list[ArrayMap]:
    """Return the map of each subject.

    Parameters
    ----------
    images : ndarray of shape (n_subjects, ...), or sequence of ndarray
        The maps.

    map_ : int, str or None, default=None
        Must be None: arrays hold one map of each subject.

    Returns
    -------
    maps : list of ArrayMap
        The maps.

    Raises
    ------
    TypeError
        If an item is not an array of real numbers.
    ValueError
        If the arrays differ in shape or have no elements, or ``map_`` is given.
    """
    refuse_unused("for arrays, which hold one map of each subject", {"map": (map_, None)})
    maps: list[ArrayMap] = []
    for number, one in enumerate(images):
        if not isinstance(one, (np.ndarray, np.generic)) or one.dtype.kind not in "biuf":
            got = one.dtype if isinstance(one, (np.ndarray, np.generic)) else type(one).__name__
            raise TypeError(
                f"{_WHAT} must hold arrays of real numbers, one for each subject. Got {got} for "
                f"subject {number}, counted from 0."
            )
        refuse_masked(one, f"{_WHAT}[{number}]", "Fill them with NaN, and set missing='omit'.")
        array = np.asarray(one)
        shape = maps[0].array.shape if maps else array.shape
        if array.shape != shape or array.size == 0 or array.ndim == 0:
            raise ValueError(
                f"{_WHAT} must have shape (n_subjects, ...), with a map of the same shape for each "
                f"subject. Got {array.shape} for subject {number}"
                + (f" and {shape} for the first." if maps else ".")
            )
        maps.append(ArrayMap(f"subject {number}", array))
    if not maps:
        raise ValueError(f"{_WHAT} must hold at least one subject. Got none.")
    return maps


class ArrayMasker(TransformerMixin, BaseEstimator):
    """Masker of arrays.

    Parameters
    ----------
    mask_img : ndarray of bool or None, default=None
        The mask, in the shape of a map. None takes all elements.

    Attributes
    ----------
    mask_img_ : ndarray of bool
        The mask.

    n_elements_ : int
        Number of elements in the mask.

    mask_called : str
        The mask in a sentence, which says where it is from.
    """

    # A parameter of nilearn's maskers: how the values are smoothed.
    smoothing_fwhm = None

    # What is tested without a mask.
    without_mask = "all elements of the maps"

    def __init__(self, mask_img: Any = None) -> None:
        self.mask_img = mask_img

    def fit(self, imgs: Any = None, y: None = None) -> ArrayMasker:
        """Read the mask, or take all elements of the maps.

        Parameters
        ----------
        imgs : list of ArrayMap
            The maps.

        y : None
            Ignored; exists for compatibility with scikit-learn.

        Returns
        -------
        self : object
            The masker.

        Raises
        ------
        ValueError
            If the mask is empty, not binary, or of another shape than the maps.
        """
        shape = imgs[0].array.shape
        if self.mask_img is None:
            self.mask_img_ = np.ones(shape, dtype=bool)
            self.mask_called = f"{self.without_mask}, since there is no mask"
        else:
            mask = mask_values(self.mask_img)
            if mask.shape != shape:
                raise ValueError(
                    f"mask_img must have the shape of a map, {shape}. Got shape {mask.shape}."
                )
            check_binary(mask)
            self.mask_img_ = np.nan_to_num(mask).astype(bool)
            self.mask_called = "the mask of the model, given as mask_img"
            if not self.mask_img_.any():
                raise ValueError("mask_img must have elements. Got a mask that is empty.")
        self.n_elements_ = int(self.mask_img_.sum())
        return self

    def transform(self, imgs: Any) -> np.ndarray:
        """Return the masked values of maps.

        Parameters
        ----------
        imgs : list of ArrayMap
            The maps.

        Returns
        -------
        values : ndarray of float of shape (n_maps, n_elements)
            In single precision if all maps are, otherwise in double precision.
        """
        check_is_fitted(self)
        return np.stack([one.values()[self.mask_img_] for one in imgs])

    def inverse_transform(self, X: Any) -> SingleArray:
        """Return the values of one map in its shape, 0 outside the mask.

        Parameters
        ----------
        X : array-like of shape (n_elements,) or (1, n_elements)
            Values.

        Returns
        -------
        map : SingleArray
            The map.
        """
        check_is_fitted(self)
        values = np.ravel(X)
        whole = np.zeros(self.mask_img_.shape, dtype=values.dtype)
        whole[self.mask_img_] = values
        return SingleArray(whole)
