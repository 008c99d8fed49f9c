"""Maps from an iterator: images that come one at a time and are not kept."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np

from ari_estimator.images._declared import Declaration, declarations_of
from ari_estimator.images._frame import Frame, as_real
from ari_estimator.images._image_maps import IMAGES, PATHS, ImageMaps
from ari_estimator.images._kinds import kind_of
from ari_estimator.images._unread_images import unshared


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
        if not isinstance(first, (*PATHS, *IMAGES)):
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
