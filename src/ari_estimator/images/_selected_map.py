"""One map of an image of any kind that has several."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from nibabel.cifti2.cifti2 import Cifti2Image
from nibabel.cifti2.cifti2_axes import LabelAxis, ScalarAxis, SeriesAxis
from nibabel.gifti.gifti import GiftiImage
from nibabel.nifti1 import Nifti1Pair
from nibabel.spatialimages import SpatialImage
from nilearn.surface import PolyData, SurfaceImage

from ari_estimator.images._cifti import CiftiFrame
from ari_estimator.images._declared import (
    Declaration,
    file_of,
    gifti_declarations,
    remember_declarations,
    remember_file,
)
from ari_estimator.images._file_volumes import one_volume
from ari_estimator.images._map_names import MapNames
from ari_estimator.images._reading_errors import name_of_image


class MapFacts(NamedTuple):
    """What a file says about one of its maps.

    Attributes
    ----------
    name : str
        Its name; empty if it has none.

    declared : list of Declaration
        What its values are.
    """

    name: str
    declared: list[Declaration]


# Surfaces keep neither the names nor the intents of the arrays in their files.
_FACTS: WeakKeyDictionary[SurfaceImage, list[MapFacts]] = WeakKeyDictionary()


def remember_maps(img: SurfaceImage, facts: list[MapFacts]) -> None:
    """Remember what the file of a surface says about each of its maps."""
    _FACTS[img] = facts


def facts_of_gifti(img: GiftiImage) -> list[MapFacts]:
    """Return what a GIfTI image says about each of its arrays."""
    return [
        MapFacts(
            str(array.meta.get("Name", "")),
            gifti_declarations(GiftiImage(darrays=[array])),
        )
        for array in img.darrays
    ]


def names_of_maps(img: Any) -> MapNames:
    """Return the maps of an image, to choose one.

    Parameters
    ----------
    img : image
        A volume, a surface or a CIFTI image.

    Returns
    -------
    names : MapNames
        Their number and their names.
    """
    called = name_of_image(img)
    if isinstance(img, Cifti2Image):
        axis = img.header.get_axis(0)
        is_named = isinstance(axis, (ScalarAxis, LabelAxis))
        names = [str(name) for name in axis.name] if is_named else []
        return MapNames(len(axis), names, called)
    if isinstance(img, SurfaceImage):
        file = file_of(img)
        called = called if file is None else repr(str(file))
        names = [one.name for one in _FACTS.get(img, [])]
        n_maps = 1 if len(img.shape) == 1 else int(img.shape[1])
        return MapNames(n_maps, names if len(names) == n_maps else [], called)
    if isinstance(img, SpatialImage):
        n_maps = int(np.prod(img.shape[3:])) if len(img.shape) > 3 else 1
        return MapNames(n_maps, [], called)
    raise TypeError(f"img must be a volume, a surface or a CIFTI image. Got {type(img).__name__}.")


def selected_map(img: Any, map_: int | str | None) -> Any:
    """Return one map of an image.

    Parameters
    ----------
    img : image
        A volume, a surface or a CIFTI image.

    map_ : int, str or None
        The number of the map, from 0, or its name. None if there is only one.

    Returns
    -------
    img : image
        An image of this map. The same image if it has no other.

    Raises
    ------
    TypeError
        If the image is of another kind, or ``map_`` of another type.
    ValueError
        If there is no such map, or there are several and no choice.
    """
    if isinstance(img, Cifti2Image):
        CiftiFrame.read(img, single=False)
    names = names_of_maps(img)
    number = names.number(map_)
    if names.n_maps == 1:
        return img
    if isinstance(img, Cifti2Image):
        return _of_cifti(img, number)
    if isinstance(img, SurfaceImage):
        return _of_surface(img, number)
    return _of_volume(img, number)


def _of_cifti(img: Cifti2Image, number: int) -> Cifti2Image:
    axis, models = (img.header.get_axis(i) for i in range(2))
    one: Any
    if isinstance(axis, SeriesAxis):
        one = SeriesAxis(axis.start + number * axis.step, axis.step, 1, axis.unit)
    elif isinstance(axis, LabelAxis):
        one = LabelAxis([axis.name[number]], axis.label[number], [axis.meta[number]])
    else:
        one = ScalarAxis([axis.name[number]], [axis.meta[number]])
    chosen = Cifti2Image(np.asarray(img.dataobj[number : number + 1]), (one, models))
    chosen.nifti_header.set_intent(*_intent_of(img))
    if (file := img.get_filename()) is not None:
        chosen.file_map["image"].filename = str(file)
    return chosen


def _intent_of(img: Cifti2Image) -> tuple[Any, ...]:
    code, parameters, name = img.nifti_header.get_intent()
    return code, parameters, name


def _of_surface(img: SurfaceImage, number: int) -> SurfaceImage:
    parts = {side: np.asarray(data)[:, number] for side, data in img.data.parts.items()}
    chosen = SurfaceImage(img.mesh, PolyData(**parts))
    file, facts = file_of(img), _FACTS.get(img)
    if file is not None:
        remember_file(chosen, file)
    if facts is not None:
        remember_maps(chosen, [facts[number]])
        remember_declarations(chosen, _said_of_map(img, facts[number]))
    return chosen


def _said_of_map(img: SurfaceImage, facts: MapFacts) -> list[Declaration]:
    from ari_estimator.images._declared import declarations_of

    return [*declarations_of(img, file_of(img)), *facts.declared]


def _of_volume(img: SpatialImage, number: int) -> SpatialImage:
    if not isinstance(img, Nifti1Pair) or len(img.shape) != 4:
        raise ValueError(
            f"map is for 4D NIfTI files. Got {type(img).__name__} of shape {img.shape}."
        )
    chosen = one_volume(img, number, "The map")
    for field in ("intent_code", "intent_p1", "intent_p2", "intent_p3", "descrip"):
        chosen.header[field] = img.header[field]
    if (file := img.get_filename()) is not None:
        chosen.file_map["image"].filename = str(file)
        remember_file(chosen, Path(file))
    return chosen


def as_map_choice(text: str | None, names: Sequence[str]) -> int | str | None:
    """Return a choice of the shell as Python takes it: digits are a number, unless they name a map.

    Parameters
    ----------
    text : str or None
        What was typed.

    names : sequence of str
        The names of the maps.

    Returns
    -------
    map_ : int, str or None
        The choice.
    """
    return int(text) if text is not None and text.isdecimal() and text not in names else text
