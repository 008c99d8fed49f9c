"""Describe a map: its kind, the statistic that it declares, and its values."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from nibabel.affines import voxel_sizes
from nibabel.cifti2.cifti2 import Cifti2Image
from nibabel.cifti2.cifti2_axes import BrainModelAxis
from nibabel.gifti.gifti import GiftiImage
from nibabel.orientations import aff2axcodes
from nibabel.spatialimages import SpatialImage
from nilearn.surface import SurfaceImage

from ari_estimator.images._cifti import CiftiFrame
from ari_estimator.images._declared import Declaration, declarations_of
from ari_estimator.images._hemispheres import side_of
from ari_estimator.images._image_file import load_image
from ari_estimator.images._image_maps import ImageMaps
from ari_estimator.images._reading_errors import clear_errors
from ari_estimator.images._selected_map import facts_of_gifti, names_of_maps
from ari_estimator.images._surfaces import SurfaceFrame
from ari_estimator.images._volume_formats import NEEDS_MESH, as_nifti, refuse_surface
from ari_estimator.images._volumes import VolumeFrame
from ari_estimator.inference._statistics import settle_statistic

_WHAT = "The map"

# Some names are more specific than others for the same values. They do not contradict each other.
_MAY_BE = {
    "t or F": ("t", "F"),
    "-log10 p with a sign": ("-log10 p",),
    "p-values of PALM": ("p", "1 - p", "-log10 p"),
    "corrected p-values": ("p", "1 - p", "-log10 p"),
    "p-values of sets": ("p", "1 - p", "-log10 p"),
    "thresholded map": ("z", "t", "F"),
    "cluster labels": ("labels",),
}

# Headers have one decimal.
_DF_ROUNDING = 0.051


@dataclass(frozen=True)
class MapDescription:
    """Description of a map: its kind, the statistic that it declares, and its values.

    Attributes
    ----------
    file : str or None
        The file; None for an image in memory.

    kind : {"volume", "surface", "CIFTI image"}
        The kind of the image.

    statistic : str or None
        Statistic according to the most trusted declaration: "z", "t", "p", "effect", ... None if
        nothing declares it.

    said_by : str or None
        Source of this declaration, for a sentence.

    df : tuple of float
        Degrees of freedom of the same declaration; () if it has none.

    contradictions : tuple of declarations
        Declarations that contradict the first one. Each has ``holds``, ``said_by``, ``df`` and
        ``program``.

    stat_type : str or None
        Statistic that the estimators assume with ``stat_type=None``; None if they refuse the map.

    stat_type_said_by : str or None
        Source of this statistic.

    refusal : str or None
        Reason why they refuse the map, and what to do; None if they accept it.

    n_maps : int
        Number of maps in the image.

    map_names : tuple of str
        Names of the maps, of CIFTI and GIfTI images; () where there are none.

    n_elements : dict of str to int
        Number of voxels, vertices of each hemisphere or grayordinates of each structure.

    shape : tuple of int or None
        Shape of the grid of a volume.

    voxel_size : tuple of float or None
        Edges of a voxel in millimetres.

    orientation : str or None
        Directions of the axes of a volume: "RAS" is right, anterior, superior.

    n_nan : int
        Number of NaN values in all maps together.

    n_positive_infinite : int
        Number of infinite positive values.

    n_negative_infinite : int
        Number of infinite negative values.

    n_zero : int
        Number of values that are 0.

    minimum : float or None
        Smallest finite value; None if there is none.

    maximum : float or None
        Largest finite value; None if there is none.

    See Also
    --------
    describe_map : Returns the description of a map.

    Examples
    --------
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from ari_estimator.interfaces import MapDescription, describe_map
    >>> description = describe_map(load_sample_motor_activation_image())
    >>> isinstance(description, MapDescription)
    True
    """

    file: str | None
    kind: str
    statistic: str | None
    said_by: str | None
    df: tuple[float, ...]
    contradictions: tuple[Declaration, ...]
    stat_type: str | None
    stat_type_said_by: str | None
    refusal: str | None
    n_maps: int
    map_names: tuple[str, ...]
    n_elements: dict[str, int]
    shape: tuple[int, ...] | None
    voxel_size: tuple[float, ...] | None
    orientation: str | None
    n_nan: int
    n_positive_infinite: int
    n_negative_infinite: int
    n_zero: int
    minimum: float | None
    maximum: float | None


def describe_map(img: Any) -> MapDescription:
    """Describe a map: its kind, the statistic that it declares, its grid and its values.

    Nothing is tested. Images that the estimators refuse are described too, with the reason.

    Parameters
    ----------
    img : image, str or path-like
        A volume, a surface or a CIFTI image, in memory or as a file. A surface file may hold one
        hemisphere.

    Returns
    -------
    description : MapDescription
        The description.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If the file does not exist.
    TypeError
        If the argument is neither a path nor an image.
    ValueError
        If the file is not an image, is damaged, is a mesh, or does not hold real numbers.

    Examples
    --------
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from ari_estimator.interfaces import describe_map
    >>> description = describe_map(load_sample_motor_activation_image())
    >>> description.kind, description.shape, description.orientation
    ('volume', (53, 63, 46), 'LAS')
    >>> description.stat_type, description.stat_type_said_by
    ('z', 'nothing')
    """
    img, file = _loaded(img)
    with clear_errors(file, _WHAT):
        content = _content_of(img, file)
    values = _values_of(content.values, "an image in memory" if file is None else repr(file))
    declarations = declarations_of(img if content.volume is None else content.volume, file)
    first = declarations[0] if declarations else None
    return MapDescription(
        file=file,
        kind=content.kind,
        statistic=None if first is None else first.holds,
        said_by=None if first is None else first.said_by,
        df=() if first is None else first.df,
        contradictions=tuple(one for one in declarations if _contradicts(declarations[0], one)),
        **_as_taken(img),
        n_maps=content.n_maps,
        map_names=_names_of(img),
        n_elements=content.n_elements,
        **_grid_of(content),
        **_counts_of(values),
    )


def _names_of(img: Any) -> tuple[str, ...]:
    """Return the names of the maps in an image; () where there are none."""
    if isinstance(img, GiftiImage):
        names = [facts.name for facts in facts_of_gifti(img)]
    elif isinstance(img, Cifti2Image):
        names = list(names_of_maps(img).names)
    else:
        names = []
    return tuple(names) if any(names) else ()


@dataclass(frozen=True)
class _Content:
    """The content of an image: its values and the number of its elements."""

    kind: str
    n_maps: int
    n_elements: dict[str, int]
    values: list[np.ndarray]
    volume: SpatialImage | None = None


def _loaded(img: Any) -> tuple[Any, str | None]:
    """Return an image and its file, if it has one."""
    if isinstance(img, SurfaceImage):
        return img, None
    if isinstance(img, (SpatialImage, Cifti2Image, GiftiImage)):
        file = img.get_filename()
        return img, None if file is None else str(file)
    if not isinstance(img, (str, PathLike)):
        raise TypeError(f"{_WHAT} must be an image or its path. Got {type(img).__name__}.")
    loaded = load_image(img, _WHAT)
    if not isinstance(loaded, (SpatialImage, Cifti2Image, GiftiImage)):
        raise ValueError(
            f"{_WHAT} must be a volume, a surface or a CIFTI image. Got {type(loaded).__name__}: "
            f"{str(img)!r}."
        )
    return loaded, str(img)


def _content_of(img: Any, file: str | None) -> _Content:
    if isinstance(img, SurfaceImage):
        return _of_surface(img.data.parts)
    if isinstance(img, GiftiImage):
        return _of_gifti(img, file)
    if isinstance(img, Cifti2Image):
        return _of_cifti(img)
    return _of_volume(img, file)


def _of_surface(parts: dict[str, Any]) -> _Content:
    values = {name: np.asarray(part) for name, part in parts.items()}
    shapes = [part.shape for part in values.values()]
    n_elements = {name: len(part) for name, part in values.items()}
    n_maps = math.prod(shapes[0][1:])
    return _Content(SurfaceFrame.kind, n_maps, n_elements, list(values.values()))


def _of_gifti(img: GiftiImage, file: str | None) -> _Content:
    if img.get_arrays_from_intent("NIFTI_INTENT_POINTSET"):
        raise ValueError("it holds a mesh without values")
    values = [np.asarray(array.data) for array in img.darrays]
    n_vertices = len(values[0]) if values else 0
    n_maps = sum(math.prod(array.shape[1:]) for array in values)
    n_elements = {_side(file): n_vertices}
    return _Content(SurfaceFrame.kind, n_maps, n_elements, values)


def _of_cifti(img: Cifti2Image) -> _Content:
    data = np.asanyarray(img.dataobj)
    axis = img.header.get_axis(img.ndim - 1)
    if isinstance(axis, BrainModelAxis):
        n_elements = {
            name.removeprefix("CIFTI_STRUCTURE_"): len(model)
            for name, _, model in axis.iter_structures()
        }
    else:
        n_elements = {"columns": len(axis)}
    return _Content(CiftiFrame.kind, math.prod(data.shape[:-1]), n_elements, [data])


def _of_volume(img: SpatialImage, file: str | None) -> _Content:
    data = np.asanyarray(img.dataobj)
    n_maps, n_voxels = math.prod(data.shape[3:]), math.prod(data.shape[:3])
    try:
        refuse_surface(data.shape)
    except ValueError:
        # FreeSurfer stores surface data in volume files.
        n_elements = {_side(file): n_voxels}
        return _Content(SurfaceFrame.kind, n_maps, n_elements, [data])
    return _Content(VolumeFrame.kind, n_maps, {"voxels": n_voxels}, [data], as_nifti(img))


def _side(file: str | None) -> str:
    """Return the hemisphere of a file, or a name for its elements."""
    return (None if file is None else side_of(file).side) or "vertices"


def _values_of(arrays: Iterable[np.ndarray], called: str) -> np.ndarray:
    """Return all values as one array."""
    flat = [array.ravel() for array in arrays]
    for array in flat:
        if array.dtype.kind not in "fiu":
            raise ValueError(f"{_WHAT} must hold real numbers. Got {array.dtype}: {called}.")
    return flat[0] if len(flat) == 1 else np.concatenate([np.zeros(0), *flat])


def _as_taken(img: Any) -> dict[str, Any]:
    """Return the statistic that the estimators assume for an image, or the reason for refusal."""
    taken = dict.fromkeys(("stat_type", "stat_type_said_by", "refusal"))
    if isinstance(img, GiftiImage):
        return {**taken, "refusal": NEEDS_MESH}
    try:
        settled = settle_statistic(ImageMaps(img).declared, None, None, False)
    except (TypeError, ValueError) as error:
        return {**taken, "refusal": " ".join(str(error).split())}
    return {
        **taken,
        "stat_type": settled.statistic.stat_type,
        "stat_type_said_by": settled.said_by,
    }


def _contradicts(first: Declaration, other: Declaration) -> bool:
    one, two = first.holds, other.holds
    if one != two:
        return two not in _MAY_BE.get(one, ()) and one not in _MAY_BE.get(two, ())
    if not (first.df and other.df):
        return False
    pairs = zip(first.df, other.df, strict=False)
    return len(first.df) != len(other.df) or any(abs(a - b) > _DF_ROUNDING for a, b in pairs)


def _grid_of(content: _Content) -> dict[str, Any]:
    """Return the grid of a volume."""
    img = content.volume
    if img is None:
        return dict.fromkeys(("shape", "voxel_size", "orientation"))
    orientation = None
    if np.isfinite(img.affine).all():
        orientation = "".join(axis or "?" for axis in aff2axcodes(img.affine))
    return {
        "shape": tuple(int(n) for n in img.shape[:3]),
        "voxel_size": tuple(float(size) for size in voxel_sizes(img.affine)),
        "orientation": orientation,
    }


def _counts_of(values: np.ndarray) -> dict[str, Any]:
    """Return the number of special values and the range of the finite values."""
    finite = values[np.isfinite(values)]
    return {
        "n_nan": int(np.isnan(values).sum()),
        "n_positive_infinite": int((values == np.inf).sum()),
        "n_negative_infinite": int((values == -np.inf).sum()),
        "n_zero": int((values == 0).sum()),
        "minimum": float(finite.min()) if finite.size else None,
        "maximum": float(finite.max()) if finite.size else None,
    }
