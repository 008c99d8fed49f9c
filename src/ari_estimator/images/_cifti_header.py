"""The header of a CIFTI image: the names of its maps, and grayordinates that images share."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from itertools import chain
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from nibabel.cifti2.cifti2 import (
    Cifti2Header,
    Cifti2Image,
    Cifti2Matrix,
    Cifti2MatrixIndicesMap,
)
from nibabel.cifti2.cifti2_axes import BrainModelAxis, ScalarAxis, from_index_mapping

# Attributes of a brain model, except the places of its grayordinates.
_FACTS = (
    "index_offset", "index_count", "model_type", "brain_structure", "surface_number_of_vertices",
)  # fmt: skip

# nibabel takes 0.1 s to make the axis of 91,282 grayordinates. So axes are kept, with the content
# that they were made of.
_AXES: WeakKeyDictionary[Cifti2MatrixIndicesMap, tuple[Any, Any]] = WeakKeyDictionary()


class SharedMatrix(Cifti2Matrix):
    """The maps and grayordinates of a dscalar image, which shares the grayordinates with others.

    nibabel copies the header of each image that it makes, and counts its grayordinates one by one.
    For 91,282 of them that takes 0.3 s.
    """

    def __deepcopy__(self, memo: dict[int, Any]) -> SharedMatrix:
        names, models = self
        copied = SharedMatrix()
        copied.extend((deepcopy(names, memo), models))
        return copied

    def get_data_shape(self) -> tuple[int, int]:
        """Return the number of maps and of grayordinates."""
        names, models = self
        return len(list(names.named_maps)), count_grayordinates(models)


def count_grayordinates(models: Cifti2MatrixIndicesMap) -> int:
    """Return the number of grayordinates of an image."""
    return sum(int(model.index_count) for model in models.brain_models)


def axis_of(models: Cifti2MatrixIndicesMap) -> Any:
    """Return the axis of grayordinates, or whatever a part of a header describes.

    The axis is made once, unless the header has changed in place. It must not be changed.
    """
    content = _content(models)
    known = _AXES.get(models)
    if known is None or known[0] != content:
        known = _AXES[models] = content, from_index_mapping(models)
    return known[1]


def is_cifti(img: Any) -> bool:
    """Return whether something is a CIFTI image, or by its name a file of one."""
    if isinstance(img, (str, Path)):
        # dscalar.nii, dtseries.nii, dlabel.nii, ptseries.nii and so on.
        inner = Path(Path(img).stem).suffix if str(img).endswith(".nii") else ""
        return inner[1:2] in ("d", "p") and inner.endswith(("scalar", "series", "label", "conn"))
    return isinstance(img, Cifti2Image)


def brain_models_of(img: Cifti2Image) -> Cifti2MatrixIndicesMap:
    """Return the part of a header that says which grayordinates an image has.

    Parameters
    ----------
    img : Cifti2Image
        A dense image.

    Returns
    -------
    models : Cifti2MatrixIndicesMap
        The grayordinates.
    """
    return img.header.matrix.get_index_map(1)


def new_image(
    data: np.ndarray, names: Sequence[str], models: Cifti2MatrixIndicesMap
) -> Cifti2Image:
    """Return a dscalar image.

    Parameters
    ----------
    data : ndarray of shape (n_maps, n_grayordinates)
        The values.

    names : sequence of str
        Names of the maps.

    models : Cifti2MatrixIndicesMap
        The grayordinates. The image does not copy them.

    Returns
    -------
    img : Cifti2Image
        The image.
    """
    matrix = SharedMatrix()
    matrix.append(ScalarAxis(list(names)).to_mapping(0))
    matrix.append(models)
    image = Cifti2Image(data, Cifti2Header(matrix))
    image.set_data_dtype(data.dtype)
    image.nifti_header.set_intent("NIFTI_INTENT_CONNECTIVITY_DENSE_SCALARS")
    return image


def counts_of(axis: BrainModelAxis) -> str:
    """Return how many grayordinates each structure has, in words.

    Parameters
    ----------
    axis : BrainModelAxis
        The grayordinates.

    Returns
    -------
    text : str
        Such as "29696 in CORTEX_LEFT, 29716 in CORTEX_RIGHT".
    """
    counts = [f"{len(model)} in {short_name(name)}" for name, _, model in axis.iter_structures()]
    return ", ".join(counts)


def short_name(name: str) -> str:
    """Return the name of a structure without the prefix that all have."""
    return name.removeprefix("CIFTI_STRUCTURE_")


def difference(one: Cifti2MatrixIndicesMap, other: Cifti2MatrixIndicesMap) -> str | None:
    """Return how the grayordinates of two images differ.

    Parameters
    ----------
    one, other : Cifti2MatrixIndicesMap
        The grayordinates of two images.

    Returns
    -------
    text : str or None
        The numbers of both, in words. None if the grayordinates are the same.
    """
    if are_same_models(one, other):
        return None
    axes = [axis_of(models) for models in (one, other)]
    if axes[0] == axes[1]:
        return None
    counts = [counts_of(axis) for axis in axes]
    if counts[0] == counts[1]:
        return f"the same numbers, {counts[0]}, at other vertices or voxels"
    return f"{counts[0]}, and {counts[1]}"


def are_same_models(one: Cifti2MatrixIndicesMap, other: Cifti2MatrixIndicesMap) -> bool:
    """Return whether two headers clearly have the same grayordinates.

    This is far quicker than to compare axes. Where it returns False, axes may still be equal.

    Parameters
    ----------
    one, other : Cifti2MatrixIndicesMap
        The grayordinates of two images.

    Returns
    -------
    are_same : bool
        Whether all their texts and numbers are the same.
    """
    if one is other:
        return True
    # Numbers before places, because there are many places.
    return _facts(one) == _facts(other) and _content(one) == _content(other)


def _facts(models: Cifti2MatrixIndicesMap) -> Any:
    """Return what a header says without the places of its grayordinates."""
    facts = [[getattr(model, name) for name in _FACTS] for model in models.brain_models]
    return facts, _grid(models)


def _content(models: Cifti2MatrixIndicesMap) -> Any:
    """Return all that a header says about its grayordinates, in plain numbers."""
    places = [(_vertices(model), _voxels(model)) for model in models.brain_models]
    return _facts(models), places


def _vertices(model: Any) -> list[int]:
    # A slice is a list, and far quicker than to go through the vertices.
    return [] if model.vertex_indices is None else model.vertex_indices[:]


def _voxels(model: Any) -> list[int]:
    voxels = model.voxel_indices_ijk
    # nibabel's list itself is several times quicker than a look at each of its items.
    return [] if voxels is None else list(chain.from_iterable(getattr(voxels, "_indices", voxels)))


def _grid(models: Cifti2MatrixIndicesMap) -> Any:
    """Return the grid of the voxels, in plain numbers."""
    volume = models.volume
    if volume is None:
        return None
    transform = volume.transformation_matrix_voxel_indices_ijk_to_xyz
    return volume.volume_dimensions, transform.meter_exponent, transform.matrix.tolist()
