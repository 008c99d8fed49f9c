"""Maps as images: masked values come out of them, and results go back into images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import numpy as np
import pandas as pd
from nibabel.cifti2.cifti2 import Cifti2Image
from nibabel.spatialimages import SpatialImage
from nilearn.surface import SurfaceImage

from ari_estimator.images._declared import Declaration, declarations_of
from ari_estimator.images._frame import Frame, as_real
from ari_estimator.images._image_file import check_loaded
from ari_estimator.images._kinds import kind_of
from ari_estimator.images._mne_objects import is_mne
from ari_estimator.images._painted_values import Values
from ari_estimator.images._single_array import SingleArray
from ari_estimator.images._unread_images import Unread, UnreadImages, read_once

PATHS = (str, Path)
IMAGES = (SpatialImage, SurfaceImage, Cifti2Image)
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
        The images. A sequence is read one image at a time, see :class:`UnreadImages`.

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
        elif isinstance(maps, (*PATHS, *IMAGES, *_ARRAYS)) or is_mne(maps):
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
