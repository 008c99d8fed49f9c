"""Whether two values of a parameter are the same, images and arrays included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from nibabel.cifti2.cifti2 import Cifti2Image
from nibabel.spatialimages import SpatialImage
from nilearn.surface import FileMesh, PolyMesh, SurfaceImage, SurfaceMesh
from sklearn.base import BaseEstimator


def same_value(one: Any, other: Any) -> bool:
    """Tell whether two values of a parameter are the same.

    Copies are: an estimator that was stored and read again has other objects with the same
    content. Arrays and lists of the same items are the same as well. A Series is the same as
    another one with the same index.

    Parameters
    ----------
    one, other : object
        The values.

    Returns
    -------
    is_same : bool
        Whether they are the same, as far as can be told.
    """
    if one is other:
        return True
    if isinstance(one, pd.DataFrame) or isinstance(other, pd.DataFrame):
        return isinstance(one, pd.DataFrame) and one.equals(other)
    if isinstance(one, pd.Series) != isinstance(other, pd.Series):
        return False  # a Series names its items, so it is not the same as a list
    if isinstance(one, pd.Series) and not same_value(one.index, other.index):
        return False
    if _is_series(one) and _is_series(other):
        return len(one) == len(other) and all(map(same_value, _items(one), _items(other)))
    if type(one) is not type(other):
        return _is_plain(one) and _is_plain(other) and bool(one == other)
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(same_value(one[k], other[k]) for k in one)
    if isinstance(one, SpatialImage):
        return _same_array(one.affine, other.affine) and _same_data(one, other)
    if isinstance(one, Cifti2Image):
        return one.header == other.header and _same_data(one, other)
    if isinstance(one, SurfaceImage):
        return same_value(one.mesh, other.mesh) and same_value(one.data.parts, other.data.parts)
    if isinstance(one, PolyMesh):
        return same_value(one.parts, other.parts)
    if isinstance(one, FileMesh):
        return str(one.file_path) == str(other.file_path)
    if isinstance(one, SurfaceMesh):
        return _same_array(one.coordinates, other.coordinates) and _same_array(
            one.faces, other.faces
        )
    if isinstance(one, BaseEstimator):
        return _same_estimator(one, other)
    try:
        return bool(one == other)
    except ValueError:
        return False


def _same_estimator(one: BaseEstimator, other: BaseEstimator) -> bool:
    """Tell whether two maskers have the same parameters and, where fitted, the same mask."""
    parameters, others = one.get_params(deep=False), other.get_params(deep=False)
    masks = (getattr(masker, "mask_img_", None) for masker in (one, other))
    return same_value(parameters, others) and same_value(*masks)


def _is_series(value: Any) -> bool:
    return isinstance(value, (np.ndarray, pd.Series, pd.Index)) or (
        isinstance(value, Sequence) and not isinstance(value, (str, bytes))
    )


def _items(value: Any) -> list[Any]:
    return list(value.tolist() if hasattr(value, "tolist") else value)


def _is_plain(value: Any) -> bool:
    return isinstance(value, (bool, int, float, str, np.generic))


def _same_data(one: Any, other: Any) -> bool:
    return _same_array(np.asanyarray(one.dataobj), np.asanyarray(other.dataobj))


def _same_array(one: np.ndarray, other: np.ndarray) -> bool:
    if one.shape != other.shape:
        return False
    are_numbers = one.dtype.kind in "fc" and other.dtype.kind in "fc"
    return bool(np.array_equal(one, other, equal_nan=are_numbers))
