"""Sets of elements and single elements that a user names: a mask, a sphere, a list, a place."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from nibabel.affines import apply_affine

from ari_estimator.images._frame import Frame, check_binary
from ari_estimator.images._kinds import check_kind
from ari_estimator.images._reach import reach_of
from ari_estimator.images._volume_part import VolumePart

# In millimetres. Squares of far larger numbers overflow.
_LARGEST = 1e100


def select_elements(
    frame: Frame,
    *,
    mask_img: Any = None,
    seed: Sequence[float] | None = None,
    radius: float | None = None,
    indices: Any = None,
) -> np.ndarray:
    """Return which elements are in a set that is given in one of three ways.

    Parameters
    ----------
    frame : Frame
        The elements there are.

    mask_img : image or None
        A binary image. What is outside of the mask of the frame is left out.

    seed : sequence of 3 float, or None
        Centre of a sphere, in mm.

    radius : float or None
        Its radius, in mm.

    indices : array-like, dict or None
        Elements, see :meth:`Frame.at`.

    Returns
    -------
    selected : ndarray of bool of shape (n_elements,)
        The set.

    Raises
    ------
    TypeError
        If the mask is an image of another kind.
    ValueError
        If not exactly one set is given, or one that is malformed.
    """
    is_sphere = seed is not None or radius is not None
    n_given = (mask_img is not None) + is_sphere + (indices is not None)
    if n_given != 1:
        raise ValueError(
            "A set must be given in one way: as mask_img, as seed and radius, or as indices. "
            f"Got {n_given} of them."
        )
    if indices is not None:
        return frame.at(indices)
    if is_sphere and not frame.space.has_millimetres:
        raise ValueError(
            "seed and radius are for images, whose elements have a place in mm. Got them for an "
            "array: give indices, or a mask_img in the shape of a map."
        )
    if is_sphere and frame.space.misses_mesh:
        raise ValueError(
            "seed and radius need the place of each vertex in mm. Got no mesh: set mesh, or give "
            "indices or a mask_img."
        )
    if is_sphere:
        return _in_sphere(frame.space.coordinates(), seed, radius)
    check_kind(mask_img, type(frame), "mask_img")
    img = frame.read_single(mask_img)
    frame.check(img, "mask_img of the set")
    check_binary(frame.all_values(img))
    return np.nan_to_num(next(frame.arrays(img))) != 0


def select_element(
    frame: Frame, *, seed: Sequence[float] | None = None, index: Any = None
) -> np.ndarray:
    """Return which element is at a place that is given in one of two ways.

    Parameters
    ----------
    frame : Frame
        The elements there are.

    seed : sequence of 3 float, or None
        A point in mm. The element is the voxel that holds it.

    index : sequence of 3 int, dict, int or None
        The element itself: voxel indices; a vertex by hemisphere; or a column of a CIFTI image.

    Returns
    -------
    selected : ndarray of bool of shape (n_elements,)
        True at one element.

    Raises
    ------
    ValueError
        If not exactly one of them is given, or one that is malformed or outside of the mask.
    """
    if (seed is None) == (index is None):
        raise ValueError(
            "Give the place either as seed, in mm, or as index. "
            f"Got {'neither' if seed is None else 'both'}."
        )
    if seed is not None:
        return frame.at(_voxel_with(frame, seed)[np.newaxis])
    if isinstance(index, dict):
        selected = frame.at({name: np.atleast_1d(number) for name, number in index.items()})
    else:
        selected = frame.at(np.asarray(index)[np.newaxis])
    if selected.sum() != 1:
        raise ValueError(f"index must name one {frame.space.element_name[0]}. Got {index!r}.")
    return selected


def _voxel_with(frame: Frame, seed: Sequence[float]) -> np.ndarray:
    """Return the indices of the voxel that holds a point."""
    parts = frame.space.parts
    if len(parts) != 1 or not isinstance(parts[0], VolumePart):
        raise ValueError(
            f"seed is for volumes: a point in mm does not tell which {frame.space.element_name[0]} "
            "is meant. Give index: {'left': vertex} for a surface, a column for a CIFTI image."
        )
    centre = _point(seed)
    voxel = np.floor(apply_affine(np.linalg.inv(parts[0].affine), centre) + 0.5)
    mask = parts[0].mask
    is_in_grid = bool(((voxel >= 0) & (voxel < mask.shape)).all())
    if not is_in_grid or not mask[tuple(voxel.astype(np.intp))]:
        where = "outside of the mask" if is_in_grid else "outside of the grid"
        raise ValueError(
            f"seed must lie in a voxel of the mask. Got {seed!r}, in mm, which is {where}: of "
            f"{frame.mask_called}. For voxel indices, give index."
        )
    return voxel.astype(np.intp)


def _in_sphere(
    coordinates: np.ndarray, seed: Sequence[float] | None, radius: float | None
) -> np.ndarray:
    """Return which coordinates are at most a radius away from a seed, in spite of rounding."""
    if seed is None or radius is None:
        raise ValueError(f"A sphere needs a seed and a radius. Got seed={seed}, radius={radius}.")
    centre = _point(seed)
    if not _is_length(radius) or radius < 0:
        raise ValueError(f"radius must be a number of mm, at least 0. Got {radius!r}.")
    return ((coordinates - centre) ** 2).sum(axis=1) <= reach_of(float(radius)) ** 2


def _point(seed: Sequence[float]) -> np.ndarray:
    """Return a point in mm as an array of shape (3,)."""
    point = np.asarray(seed, dtype=object)
    if point.shape != (3,) or not all(map(_is_length, point)):
        raise ValueError(f"seed must be three coordinates in mm. Got {seed!r}.")
    return point.astype(np.float64)


def _is_length(value: Any) -> bool:
    try:
        return isinstance(value, Real) and abs(float(value)) <= _LARGEST
    except OverflowError:  # an integer without limit
        return False
