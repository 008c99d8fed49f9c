"""What may be passed as maps: an image, a list of images, or an array.

Whatever the form, masked values come out of it, and results go back into it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from nibabel.cifti2.cifti2 import Cifti2Image
from nibabel.spatialimages import SpatialImage
from nilearn.surface import SurfaceImage
from scipy.sparse import issparse

from ari_estimator.images._declared import Declaration, declarations_of
from ari_estimator.images._frame import Frame
from ari_estimator.images._kinds import kind_of

_PATHS = (str, Path)
_IMAGES = (SpatialImage, SurfaceImage, Cifti2Image)


class ImageMaps:
    """Maps as images, all of one kind.

    Parameters
    ----------
    maps : image, or sequence of images
        One image, of one or several maps, or several images of one map each. Data on disk
        are not read yet.

    index : pandas.Index or None, default=None
        Names of the maps, where they came in a column of a table.

    Attributes
    ----------
    images : list of images
        The images.

    kind : type of Frame
        The kind of the images.

    index : pandas.Index or None
        Names of the maps.

    is_single : bool
        Whether one image of a single map was given.

    Raises
    ------
    TypeError
        If something else is given, or the images are not of one kind.
    nilearn.exceptions.DimensionError
        If an image of a sequence is not 3D, or one image is neither 3D nor 4D.
    ValueError
        If the sequence is empty, or a surface or CIFTI image in it has several maps.
    """

    def __init__(self, maps: Any, index: pd.Index | None = None) -> None:
        self.index = index
        self._is_sequence = isinstance(maps, Sequence) and not isinstance(maps, str)
        if self._is_sequence:
            if not maps:
                raise ValueError("Maps must hold at least one image. Got an empty list.")
            self.kind = kind_of(maps[0])
            others = [type(img).__name__ for img in maps if kind_of(img) is not self.kind]
            if others:
                raise TypeError(
                    f"All maps must be of one kind, as the first is a {self.kind.kind}. "
                    f"Got a {others[0]} as well."
                )
            self.images = [self.kind.read(img, single=True) for img in maps]
        elif isinstance(maps, (*_PATHS, *_IMAGES)):
            self.kind = kind_of(maps)
            self.images = [self.kind.read(maps, single=False)]
        else:
            raise TypeError(
                "Maps must be a 3D or 4D Niimg-like object, a SurfaceImage, a CIFTI image, a list "
                "or a column of such images of one map each, or an array of shape (n_maps, "
                f"n_voxels). Got {type(maps).__name__}."
            )
        if self.kind.has_lut and any(self.kind.lut_of(img) is not None for img in self.images):
            raise TypeError("Maps must hold statistics. Got labels: a dlabel image is an atlas.")
        self.is_single = not self._is_sequence and self.kind.is_single(self.images[0])
        self._given = maps if self._is_sequence else [maps]

    @property
    def are_several(self) -> bool:
        """Whether there is more than one map."""
        return len(self.images) > 1 or not self.kind.is_single(self.images[0])

    def check(self, frame: Frame) -> None:
        """Raise an error unless the maps lie on the grid or mesh of the frame."""
        if not isinstance(frame, self.kind):
            raise TypeError(
                f"mask_img must be of the same kind as the maps, a {self.kind.kind}. Got a mask "
                f"of a {frame.kind}."
            )
        for img in self.images:
            frame.check(img, "map")

    def declarations(self) -> list[list[Declaration]]:
        """Return what the file of each image says about its values."""
        # Both are asked: an image may have forgotten its file, and a path has no header.
        return [
            declarations_of(img, given) for img, given in zip(self.images, self._given, strict=True)
        ]

    def values(self, frame: Frame) -> Iterator[np.ndarray]:
        """Yield the masked values of each map, a float64 array of shape (n_elements,)."""
        for img in self.images:
            for values in frame.arrays(img):
                yield _as_real(values)

    def restore(self, results: Iterable[np.ndarray], frame: Frame, description: str) -> Any:
        """Return masked results, one for each map, in the form of the maps."""
        if not self._is_sequence:
            return frame.restore(self.images[0], results, description)
        results = iter(results)
        return [frame.restore(img, islice(results, 1), description) for img in self.images]


class ArrayMaps:
    """Maps as the masked values that a masker gives.

    Parameters
    ----------
    maps : array-like of shape (n_maps, n_elements) or (n_elements,)
        Values.

    Attributes
    ----------
    is_single : bool
        Whether a one-dimensional array was given.

    index : pandas.Index or None
        Names of the maps, of a DataFrame.

    Raises
    ------
    ValueError
        If the array is not one- or two-dimensional, not real, or has no rows.
    """

    def __init__(self, maps: Any) -> None:
        array = _as_real(np.asarray(maps))
        self.is_single = array.ndim == 1
        self.index = maps.index if isinstance(maps, pd.DataFrame) else None
        self._array = np.atleast_2d(array)
        self._shape = array.shape

    @property
    def are_several(self) -> bool:
        """Whether there is more than one map."""
        return len(self._array) > 1

    def check(self, frame: Frame) -> None:
        """Raise a ValueError unless there is a column for each element of the mask."""
        shape, n_elements = self._array.shape, frame.space.n_elements
        if len(shape) != 2 or shape[0] == 0 or shape[1] != n_elements:
            what = frame.space.element_name[0]
            raise ValueError(
                f"An array of maps must have shape (n_maps, {n_elements}), with a row for each "
                f"map, at least one, and a column for each {what} of mask_img, or shape "
                f"({n_elements},). Got shape {self._shape}."
            )

    def declarations(self) -> list[list[Declaration]]:
        """Return what each map says about its values: an array says nothing."""
        return [[]]

    def values(self, frame: Frame) -> Iterator[np.ndarray]:
        """Yield each map, a float64 array of shape (n_elements,)."""
        for row in self._array:
            yield frame.from_columns(row)

    def restore(self, results: Iterable[np.ndarray], frame: Frame, description: str) -> Any:
        """Return results, one for each map, in the form of the maps."""
        rows = [frame.to_columns(row) for row in results]
        return rows[0] if self.is_single else np.stack(rows)


def as_maps(maps: Any) -> ImageMaps | ArrayMaps:
    """Return maps of whatever form.

    Raises
    ------
    TypeError
        If they are in no such form.
    """
    if issparse(maps):
        raise TypeError(
            f"Maps must be dense, since 0 is a value like others. Got sparse {type(maps).__name__}."
        )
    if isinstance(maps, (*_PATHS, *_IMAGES)):
        return ImageMaps(maps)
    column = _column_of_images(maps)
    if column is not None:
        return ImageMaps(column, getattr(maps, "index", None))
    is_data_frame = hasattr(maps, "columns") and hasattr(maps, "__array__")
    is_array = isinstance(maps, np.ndarray) or is_data_frame
    return ArrayMaps(maps) if is_array else ImageMaps(maps)


def _column_of_images(maps: Any) -> list[Any] | None:
    """Return the images, or their paths, in a column of a table or in an array; None if none.

    It may be a Series, a table of one column, or an array of one dimension or one column.
    """
    if isinstance(maps, pd.Series):
        return maps.tolist()
    if not hasattr(maps, "__array__"):
        return None
    shape: tuple[int, ...] = getattr(maps, "shape", ())
    if len(shape) not in (1, 2) or (len(shape) == 2 and shape[-1] != 1):
        return None
    array = np.asarray(maps)
    if array.dtype.kind not in "OUT":
        return None
    items = array.ravel().tolist()
    if not all(isinstance(item, (*_PATHS, *_IMAGES)) for item in items):
        return None
    return items


def as_map(stat_img: Any) -> Any:
    """Return one map as an image.

    Raises
    ------
    TypeError
        If it is no image.
    nilearn.exceptions.DimensionError
        If it is a volume and not 3D.
    ValueError
        If it is a surface or CIFTI image of several maps.
    """
    return kind_of(stat_img).read(stat_img, single=True)


def _as_real(values: np.ndarray) -> np.ndarray:
    """Return values as float64, whatever real type they are stored in."""
    if values.dtype.kind not in "fiu":
        raise ValueError(f"A statistical map must hold real numbers. Got {values.dtype}.")
    return values.astype(np.float64, copy=False)
