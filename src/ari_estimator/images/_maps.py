"""What may be passed as maps: an image, a list or an iterator of images, or an array.

Whatever the form, masked values come out of it, and results go back into it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from scipy.sparse import issparse

from ari_estimator._masked_values import refuse_masked
from ari_estimator._nesting import refuse_nested
from ari_estimator.images._array_frame import FILL_WITH_NAN
from ari_estimator.images._array_maps import ArrayMaps
from ari_estimator.images._image_maps import IMAGES, PATHS, ImageMaps
from ari_estimator.images._kinds import kind_of
from ari_estimator.images._mne_objects import is_mne
from ari_estimator.images._single_array import SingleArray
from ari_estimator.images._streamed_maps import StreamedMaps
from ari_estimator.images._volume_formats import refuse_gifti

Maps: TypeAlias = ImageMaps | ArrayMaps


def as_maps(maps: Any, *, holds_arrays: bool = False, read_by_others: bool = False) -> Maps:
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
    if isinstance(maps, (*PATHS, *IMAGES)):
        return ImageMaps(maps)
    if isinstance(maps, SingleArray) or is_mne(maps):
        return ImageMaps(maps)
    refuse_gifti(maps)
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
    refuse_masked(maps, "Arrays", FILL_WITH_NAN)
    try:
        return np.asarray(maps)
    except ValueError as error:
        raise ValueError(f"Arrays of a list must have the same shape: {error}") from error


def _read_from(maps: Iterator[Any]) -> ImageMaps:
    """Return the maps of an iterator: a list of paths, which take no room, or one at a time."""
    first = list(islice(maps, 1))
    if first:
        refuse_gifti(first[0])
    if first and isinstance(first[0], PATHS):
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
    if not all(isinstance(item, (*PATHS, *IMAGES)) for item in items):
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
