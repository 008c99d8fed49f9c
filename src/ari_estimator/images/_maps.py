"""What may be passed as maps: an image, a list or an iterator of images, or an array.

Whatever the form, masked values come out of it, and results go back into it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import numpy as np
import pandas as pd
from nibabel.cifti2.cifti2 import Cifti2Image
from nibabel.spatialimages import SpatialImage
from nilearn.surface import SurfaceImage
from scipy.sparse import issparse

from ari_estimator._nesting import refuse_nested
from ari_estimator.images._declared import Declaration, declarations_of
from ari_estimator.images._frame import Frame, as_real
from ari_estimator.images._image_file import check_loaded
from ari_estimator.images._kinds import kind_of
from ari_estimator.images._mne_objects import is_mne
from ari_estimator.images._painted_values import Values
from ari_estimator.images._single_array import SingleArray
from ari_estimator.images._unread_images import Unread, UnreadImages, read_once, unshared

_PATHS = (str, Path)
_IMAGES = (SpatialImage, SurfaceImage, Cifti2Image)
_ARRAYS = (np.ndarray, SingleArray)


class ImageMaps:
    """Maps as images, all of one kind.

    Parameters
    ----------
    maps : image, or sequence of images
        One image, of one or several maps, or several images of one map each. Data on disk
        are not read yet.

    index : pandas.Index or None, default=None
        Names of the maps, where they came in a column of a table.

    read_by_others : bool, default=False
        Whether other processes will read the data of a sequence, as :meth:`sources` lets them. They
        check compressed data.

    Attributes
    ----------
    images : sequence of images
        The images. Those of a sequence are read one at a time, see :class:`UnreadImages`.

    kind : type of Frame
        The kind of the images.

    index : pandas.Index or None
        Names of the maps.

    is_single : bool
        Whether one image of a single map was given.

    are_several : bool
        Whether there is more than one map.

    is_read_once : bool
        Whether the maps are gone once they were read.

    declared : list of list of Declaration
        What the file of each image says about its values.

    Raises
    ------
    TypeError
        If something else is given, or the images are not of one kind.
    nilearn.exceptions.DimensionError
        If an image of a sequence is not 3D, or one image is neither 3D nor 4D.
    ValueError
        If the sequence is empty, or a surface or CIFTI image in it has several maps.
    """

    is_read_once: ClassVar[bool] = False

    images: Sequence[Any]
    kind: type[Frame]
    index: pd.Index | None
    is_single: bool
    are_several: bool
    declared: list[list[Declaration]]
    _is_own: bool = False
    _forms: list[Any]

    def __init__(
        self, maps: Any, index: pd.Index | None = None, *, read_by_others: bool = False
    ) -> None:
        self.index = index
        self._is_sequence = isinstance(maps, Sequence) and not isinstance(maps, (str, *_ARRAYS))
        given = maps if self._is_sequence else [maps]
        if self._is_sequence:
            if not maps:
                raise ValueError("Maps must hold at least one image. Got an empty list.")
            self.kind = kind_of(maps[0])
            for img in maps:
                if kind_of(img) is not self.kind:
                    self._refuse_kind(img)
            self.images = UnreadImages(maps, self.kind, checks_data=not read_by_others)
        elif isinstance(maps, (*_PATHS, *_IMAGES, *_ARRAYS)) or is_mne(maps):
            self.kind = kind_of(maps)
            was_read = getattr(maps, "_fdata_cache", None) is not None
            self.images = [self.kind.read(read_once(maps) if was_read else maps, single=False)]
            self._is_own = self.images[0] is not maps
        else:
            raise TypeError(
                "Maps must be a 3D or 4D Niimg-like object, a SurfaceImage, a CIFTI image, a list, "
                "an iterator or a column of such images of one map each, or an array of shape "
                f"(n_maps, n_voxels). Got {type(maps).__name__}."
            )
        self._forms = []
        self.declared = []
        is_single = True
        for img, source in zip(self.images, given, strict=True):
            if self.kind.has_lut:
                self._refuse_labels(img)
            # Both are asked: an image may have forgotten its file, and a path has no header.
            self.declared.append(declarations_of(img, source))
            is_single = self.kind.is_single(img)
        self.is_single = is_single and not self._is_sequence
        self.are_several = len(given) > 1 or (not is_single and self.n_maps != 1)

    @property
    def n_maps(self) -> int | None:
        """Number of maps; None if it is not known before they are read."""
        if self.is_read_once:
            return None
        return len(self.images) if self._is_sequence else self.kind.n_maps(self.images[0])

    def _refuse_kind(self, img: Any) -> NoReturn:
        raise TypeError(
            f"All maps must be of one kind, as the first is a {self.kind.kind}. "
            f"Got a {type(img).__name__} as well."
        )

    def _refuse_labels(self, img: Any) -> None:
        if self.kind.lut_of(img) is not None:
            raise TypeError("Maps must hold statistics. Got labels: a dlabel image is an atlas.")

    def check(self, frame: Frame) -> None:
        """Raise an error unless the maps lie on the grid or mesh of the frame."""
        if type(frame) is not self.kind:
            raise TypeError(
                f"mask_img must be of the same kind as the maps, a {self.kind.kind}. Got a mask "
                f"of a {frame.kind}."
            )
        for img in self.images:
            frame.check(img, "map")

    def values(self, frame: Frame) -> Iterator[np.ndarray]:
        """Yield the masked values of each map, of the type that the image has.

        They are real numbers, of shape (n_elements,), in an array of their own.
        """
        self._forms = []
        if isinstance(self.images, UnreadImages):
            self.images.checks_data = True
        for img in self.images:
            if self._is_sequence:
                self._forms.append(frame.form(img))
            for values in frame.arrays(img):
                if self._is_own and isinstance(img, SpatialImage):
                    img.uncache()  # The volume need not stay while its values are tested.
                yield as_real(values)

    def sources(self, frame: Frame) -> Iterator[np.ndarray | Unread]:
        """Yield, for each map, its values or an image that another process may read them from."""
        if not self._is_sequence:
            yield from self.values(frame)
            return
        self._forms = []
        for img in self.images:
            self._forms.append(frame.form(img))
            if Unread.is_possible(img):
                yield Unread(img)
            else:
                if hasattr(img, "dataobj"):
                    check_loaded(img, "An image")
                yield from map(as_real, frame.arrays(img))

    def restore(self, results: Iterable[Values], frame: Frame, description: str) -> Any:
        """Return masked results, one for each map, in the form of the maps.

        Each result may come once the values of its map were taken from :meth:`values`.
        """
        if not self._is_sequence:
            return frame.restore(self.images[0], results, description)
        return [
            frame.restore(self._forms[number], [result], description)
            for number, result in enumerate(results)
        ]


class StreamedMaps(ImageMaps):
    """Maps from an iterator. Each map is released when the next one comes.

    The grid or mesh of each map is checked when it comes.

    Parameters
    ----------
    maps : iterator of images
        The images, of one map each.

    begun : list of at most one image
        The first image, which was taken from the iterator already.

    Raises
    ------
    TypeError
        If the first item is not an image.
    ValueError
        If there is none.
    """

    is_read_once = True

    def __init__(self, maps: Iterator[Any], begun: list[Any]) -> None:
        if not begun:
            raise ValueError("Maps must hold at least one image. Got an empty iterator.")
        first = begun[0]
        if not isinstance(first, (*_PATHS, *_IMAGES)):
            raise TypeError(
                "Maps must be images or their paths, if they come from an iterator. Got "
                f"{type(maps).__name__} of {type(first).__name__}."
            )
        self.index = None
        self.kind = kind_of(first)
        self.is_single = False
        self.are_several = True
        self._is_sequence = True
        self._forms = []
        self.images = []
        self.declared = [declarations_of(self._read(first), first)]
        self._coming = chain(begun, maps)

    def _read(self, given: Any) -> Any:
        if kind_of(given) is not self.kind:
            self._refuse_kind(given)
        img = self.kind.read(unshared(given), single=True)
        if self.kind.has_lut:
            self._refuse_labels(img)
        return img

    def values(self, frame: Frame) -> Iterator[np.ndarray]:
        """Yield the masked values of each map, see :meth:`ImageMaps.values`.

        Raises
        ------
        ValueError
            If a map lies on another grid or mesh than the mask, or its file declares something
            else than the file of the first map.
        """
        self._forms = []
        for number, given in enumerate(self._coming):
            img = self._read(given)
            frame.check(img, "map")
            self._check_declared(declarations_of(img, given), number)
            self._forms.append(frame.form(img))
            yield from map(as_real, frame.arrays(img))

    def _check_declared(self, declared: list[Declaration], number: int) -> None:
        """Refuse a map that declares another statistic than the tested one."""
        said, first = (
            {(one.holds, one.df) for one in of_map} for of_map in (declared, self.declared[0])
        )
        if said != first:
            raise ValueError(
                "Maps of an iterator must declare the same statistic, since the first one says "
                f"what all are tested as. Got {_in_words(first)} of the first and "
                f"{_in_words(said)} of map {number}, counted from 0. Set stat_type, and df for t "
                "and F, or pass a list."
            )


def _in_words(said: set[tuple[str, tuple[float, ...]]]) -> str:
    return " and ".join(sorted(f"{holds} {df}" if df else holds for holds, df in said)) or "nothing"


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

    declared : list of list of Declaration
        What each map says about its values: an array says nothing.

    Raises
    ------
    ValueError
        If the array is not one- or two-dimensional, not real, or has no rows.
    """

    is_read_once: ClassVar[bool] = False

    def __init__(self, maps: Any) -> None:
        array = as_real(np.asarray(maps))
        self.is_single = array.ndim == 1
        self.index = maps.index if isinstance(maps, pd.DataFrame) else None
        self.declared: list[list[Declaration]] = [[]]
        self._array = np.atleast_2d(array)
        self._shape = array.shape

    @property
    def n_maps(self) -> int:
        """Number of maps."""
        return len(self._array)

    @property
    def are_several(self) -> bool:
        """Whether there is more than one map."""
        return self.n_maps > 1

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

    def values(self, frame: Frame) -> Iterator[np.ndarray]:
        """Yield each map, an array of shape (n_elements,) of the type that the array has."""
        for row in self._array:
            yield frame.from_columns(row)

    def sources(self, frame: Frame) -> Iterator[np.ndarray]:
        """Yield the same: the values of each map."""
        return self.values(frame)

    def restore(self, results: Iterable[Values], frame: Frame, description: str) -> Any:
        """Return results, one for each map, in the form of the maps."""
        rows = [frame.to_columns(np.asarray(row)) for row in results]
        return rows[0] if self.is_single else np.stack(rows)


def as_maps(
    maps: Any, *, holds_arrays: bool = False, read_by_others: bool = False
) -> ImageMaps | ArrayMaps:
    """Return maps of whatever form.

    Parameters
    ----------
    maps : image, sequence or iterator of images, or array
        The maps.

    holds_arrays : bool, default=False
        Whether an array holds whole maps, of any shape, and not the masked values of images.

    read_by_others : bool, default=False
        Whether other processes will read the data of a sequence of images, see :class:`ImageMaps`.

    Raises
    ------
    TypeError
        If they are in no such form.
    """
    refuse_nested(Maps=maps)
    if issparse(maps):
        raise TypeError(
            f"Maps must be dense, since 0 is a value like others. Got sparse {type(maps).__name__}."
        )
    if isinstance(maps, (*_PATHS, *_IMAGES)):
        return ImageMaps(maps)
    if isinstance(maps, SingleArray) or is_mne(maps):
        return ImageMaps(maps)
    column = _column_of_images(maps)
    if column is not None:
        return ImageMaps(column, getattr(maps, "index", None), read_by_others=read_by_others)
    if isinstance(maps, Iterator):
        return _read_from(maps)
    is_data_frame = hasattr(maps, "columns") and hasattr(maps, "__array__")
    is_array = isinstance(maps, np.ndarray) or is_data_frame
    if holds_arrays and (is_array or _is_of_numbers(maps)):
        return ImageMaps(_as_one_array(maps), getattr(maps, "index", None))
    if isinstance(maps, Sequence) and any(isinstance(one, np.ndarray) for one in maps):
        raise TypeError(
            "A list of maps must hold images. Got ndarray. Pass masked values as one array of "
            "shape (n_maps, n_elements). Whole maps of any shape need adjacency."
        )
    return ArrayMaps(maps) if is_array else ImageMaps(maps, read_by_others=read_by_others)


def _is_of_numbers(maps: Any) -> bool:
    """Tell whether a sequence holds arrays, or numbers, and not images."""
    if not isinstance(maps, Sequence) or isinstance(maps, str) or not maps:
        return False
    first = maps[0]
    return isinstance(first, (np.ndarray, int, float)) or _is_of_numbers(first)


def _as_one_array(maps: Any) -> np.ndarray:
    """Return maps as one array, whose first axis is the maps."""
    if np.ma.isMaskedArray(maps):
        return maps
    try:
        return np.asarray(maps)
    except ValueError as error:
        raise ValueError(f"Arrays of a list must have the same shape: {error}") from error


def _read_from(maps: Iterator[Any]) -> ImageMaps:
    """Return the maps of an iterator: a list of paths, which take no room, or one at a time."""
    first = list(islice(maps, 1))
    if first and isinstance(first[0], _PATHS):
        return ImageMaps([*first, *maps])
    return StreamedMaps(maps, first)


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
        If it is not an image.
    nilearn.exceptions.DimensionError
        If it is a volume and not 3D.
    ValueError
        If it is a surface or CIFTI image of several maps.
    """
    refuse_nested(stat_img=stat_img)
    return kind_of(stat_img).read(stat_img, single=True)
