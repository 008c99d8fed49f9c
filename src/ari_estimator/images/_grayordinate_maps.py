"""The maps of subjects in CIFTI files: one row of values for each subject."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from nibabel.cifti2.cifti2 import Cifti2Image, Cifti2MatrixIndicesMap
from nibabel.cifti2.cifti2_axes import LabelAxis, ScalarAxis

from ari_estimator._progress import progress
from ari_estimator._unused_options import refuse_unused
from ari_estimator.images._cifti import CiftiFrame
from ari_estimator.images._cifti_files import CiftiContent, CiftiFiles
from ari_estimator.images._cifti_header import brain_models_of, difference, is_cifti
from ari_estimator.images._map_names import MapNames, check_choice

_WHAT = "The map of a subject"


@dataclass(frozen=True, eq=False)
class GrayordinateMap:
    """The map of one subject in a CIFTI image. Its values stay in the file until they are read.

    Attributes
    ----------
    called : str
        The file, for messages; and the number of the map in it, if there are several.

    data : array-like of shape (n_maps, n_grayordinates)
        The values of all maps of the image.

    number : int
        The row of this map.

    models : Cifti2MatrixIndicesMap
        The grayordinates.

    file : Path or None
        The file.

    state : tuple of int
        The size and the times of the file when it was opened.
    """

    called: str
    data: Any
    number: int
    models: Cifti2MatrixIndicesMap
    file: Path | None
    state: tuple[int, ...]

    def get_filename(self) -> str | None:
        """Return the name of the map for tables of subjects, as nibabel's images do."""
        return None if self.file is None else self.called

    def values(self) -> np.ndarray:
        """Return the values.

        Returns
        -------
        values : ndarray of float of shape (n_grayordinates,)
            In single or double precision.

        Raises
        ------
        ValueError
            If the file has changed since it was opened, or its values are not real numbers.
        """
        if self.file is not None and _state_of(self.file) != self.state:
            raise ValueError(
                f"The file {str(self.file)!r} has changed since the model was fitted. Fit the "
                "model again."
            )
        row = np.asarray(self.data[self.number])
        if row.dtype.kind not in "fiu":
            raise ValueError(f"{_WHAT} must hold real numbers. Got {row.dtype} in {self.called}.")
        is_single = row.dtype.kind == "f" and row.dtype.itemsize <= 4
        return row.astype(np.float32 if is_single else np.float64, copy=False)


def are_grayordinates(images: Any) -> bool:
    """Return whether maps of subjects are CIFTI images.

    Parameters
    ----------
    images : object
        One image or file, or a list or column of these.

    Returns
    -------
    are_cifti : bool
        Whether one of them is.
    """
    items = images if _is_list(images) else [images]
    return any(isinstance(item, GrayordinateMap) or is_cifti(item) for item in items)


def open_maps(images: Any, map_: int | str | None = None) -> list[GrayordinateMap]:
    """Open the maps of subjects. Only headers are read.

    Parameters
    ----------
    images : list of images, or one image
        CIFTI images or files: one of each subject, or one with a map for each subject.

    map_ : int, str or None, default=None
        The number of the map in each image, from 0, or its name. None if there is only one.

    Returns
    -------
    maps : list of GrayordinateMap
        The map of each subject.

    Raises
    ------
    TypeError
        If an image is of another kind, or holds labels. If ``map_`` is of another type.
    ValueError
        If images have different grayordinates, or an image has several maps and ``map_`` chooses
        none. If a file is damaged.
    """
    check_choice(map_)
    files = CiftiFiles()
    if not _is_list(images):
        if isinstance(images, GrayordinateMap):
            return [images]
        refuse_unused(
            "for one CIFTI image, which has a map for each subject", {"map": (map_, None)}
        )
        opened = _opened(images, "the CIFTI image", files)
        return [opened.at(number) for number in range(opened.n_maps)]
    maps: list[GrayordinateMap] = []
    order: dict[str, int] = {}
    with progress("Files of subjects", len(images)) as task:
        for place, image in enumerate(images):
            if isinstance(image, GrayordinateMap):
                one = image
            else:
                opened = _opened(image, f"image {place} of the list, from 0", files)
                one = opened.at(opened.chosen(map_))
                if isinstance(map_, Integral):
                    opened.check_order(order, int(map_))
            if maps and one.models is not maps[0].models:
                _check_same(one, maps[0])
                one = replace(one, models=maps[0].models)
            maps.append(one)
            task.advance()
    return maps


class _Opened(NamedTuple):
    """A CIFTI image with one or several maps."""

    called: str
    content: CiftiContent
    file: Path | None

    @property
    def n_maps(self) -> int:
        return len(self.content.axis)

    @property
    def names(self) -> list[str]:
        """Names of the maps; empty for a series, which has none."""
        axis = self.content.axis
        return [str(name) for name in axis.name] if isinstance(axis, ScalarAxis) else []

    def at(self, number: int) -> GrayordinateMap:
        """Return one map."""
        called = self.called if self.n_maps == 1 else f"{self.called}[{number}]"
        state = () if self.file is None else _state_of(self.file)
        content = self.content
        return GrayordinateMap(called, content.data, number, content.models, self.file, state)

    def chosen(self, map_: int | str | None) -> int:
        """Return the number of the map that is asked for."""
        return MapNames(self.n_maps, self.names, self.called, "each CIFTI image").number(map_)

    def check_order(self, order: dict[str, int], map_: int) -> None:
        """Refuse a number that means maps of different names.

        Names may contain the label of the subject. So they may differ, but a name that the first
        image has must have the same number in all images.
        """
        found = {name: number for number, name in enumerate(self.names) if name}
        if not order:
            order.update(found)
        moved = next((n for n, k in found.items() if k == map_ and order.get(n, k) != k), None)
        if moved is not None:
            raise ValueError(
                f"map={map_} must be the same map in all CIFTI images. In {self.called} it is "
                f"{moved!r}, which is number {order[moved]} in the first image. Give map a name."
            )


def _opened(image: Any, called: str, files: CiftiFiles) -> _Opened:
    """Return the maps of an image that may be in a file."""
    if isinstance(image, (str, Path)):
        content = files.open(image, _WHAT)
        opened = _Opened(str(image), content, Path(image).expanduser())
    elif isinstance(image, Cifti2Image):
        img = CiftiFrame.read(image, single=False)
        content = CiftiContent(img.header.get_axis(0), brain_models_of(img), img.dataobj)
        file = img.get_filename()
        opened = _Opened(str(file or called), content, None)
    else:
        raise TypeError(
            "All maps of subjects must be of one kind. Got CIFTI images and "
            f"{type(image).__name__}."
        )
    if isinstance(content.axis, LabelAxis):
        raise TypeError(
            f"{_WHAT} must hold numbers. Got labels in {opened.called}: a dlabel image is an atlas."
        )
    return opened


def _check_same(one: GrayordinateMap, first: GrayordinateMap) -> None:
    """Refuse maps with other grayordinates than the first one."""
    differ = difference(one.models, first.models)
    if differ is None:
        return
    raise ValueError(
        "CIFTI images of subjects must have the same grayordinates, in the same order. Got "
        f"{one.called} and {first.called}: {differ}."
    )


def _state_of(file: Path) -> tuple[int, ...]:
    status = os.stat(file)
    return status.st_ino, status.st_size, status.st_mtime_ns


def _is_list(images: Any) -> bool:
    return isinstance(images, Sequence) and not isinstance(images, str)
