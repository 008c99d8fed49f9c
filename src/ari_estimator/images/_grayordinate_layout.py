"""The columns of a CIFTI file: vertices by structure, and voxels."""

from __future__ import annotations

import math
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from nibabel.cifti2.cifti2 import Cifti2MatrixIndicesMap
from nibabel.cifti2.cifti2_axes import BrainModelAxis

from ari_estimator.images._cifti_header import axis_of, short_name
from ari_estimator.images._grid import check_affine
from ari_estimator.images._volume_part import VolumePart

# A third of a millimetre, and some room around the head.
_LARGEST_GRID = 1024**3


class SurfaceColumns(NamedTuple):
    """The columns of the vertices of one structure.

    Attributes
    ----------
    name : str
        The structure, as CIFTI calls it.

    n_vertices : int
        Number of vertices of its mesh, as the file says.

    vertices : ndarray of int of shape (n,)
        The vertices there are, in ascending order.

    columns : ndarray of int of shape (n,)
        The column of each.
    """

    name: str
    n_vertices: int
    vertices: np.ndarray
    columns: np.ndarray


class GrayordinateLayout(NamedTuple):
    """The columns of a CIFTI file.

    Attributes
    ----------
    axis : BrainModelAxis
        The grayordinates, as nibabel describes them.

    surfaces : list of SurfaceColumns
        The structures with vertices.

    voxels : VolumePart or None
        The voxels; None if there are none.

    voxel_columns : ndarray of int of shape (n_voxels,)
        The column of each voxel.
    """

    axis: BrainModelAxis
    surfaces: list[SurfaceColumns]
    voxels: VolumePart | None
    voxel_columns: np.ndarray


_LAYOUTS: WeakKeyDictionary[Cifti2MatrixIndicesMap, GrayordinateLayout] = WeakKeyDictionary()


def layout_of(models: Cifti2MatrixIndicesMap) -> GrayordinateLayout:
    """Return the columns of a CIFTI file.

    They are found once, unless the header has changed in place. They must not be changed.

    Parameters
    ----------
    models : Cifti2MatrixIndicesMap
        The grayordinates.

    Returns
    -------
    layout : GrayordinateLayout
        The columns.

    Raises
    ------
    ValueError
        If a voxel is outside of the grid or there twice.
    """
    axis = axis_of(models)
    layout = _LAYOUTS.get(models)
    if layout is None or layout.axis is not axis:
        layout = _LAYOUTS[models] = _layout_of(axis)
    return layout


def _layout_of(axis: BrainModelAxis) -> GrayordinateLayout:
    # nibabel goes through all grayordinates in Python, several times for each structure.
    is_new = np.flatnonzero(axis.name[1:] != axis.name[:-1]) + 1
    starts = np.concatenate([[0], is_new])
    lengths = np.diff(np.append(starts, len(axis)))
    names = axis.name[starts].tolist()
    surfaces = []
    for name, start, length in zip(names, starts.tolist(), lengths.tolist(), strict=True):
        if name in axis.nvertices:
            vertices = axis.vertex[start : start + length]
            order = np.argsort(vertices)
            n_vertices = int(axis.nvertices[name])
            surfaces.append(SurfaceColumns(name, n_vertices, vertices[order], start + order))
    is_voxel = np.repeat([name not in axis.nvertices for name in names], lengths)
    columns = np.flatnonzero(is_voxel)
    if not columns.size:
        return GrayordinateLayout(axis, surfaces, None, columns)
    ijk = axis.voxel[columns]
    mask = filled(axis.volume_shape, ijk, "voxels")
    check_affine(axis.affine)
    order = np.argsort(np.ravel_multi_index(tuple(ijk.T), axis.volume_shape))
    short_names: Any = np.array([short_name(name) for name in names], dtype=object)
    structures = np.repeat(short_names, lengths)[columns[order]]
    return GrayordinateLayout(
        axis, surfaces, VolumePart(mask, axis.affine, structures), columns[order]
    )


def filled(shape: tuple[int, ...], places: np.ndarray, what: str) -> np.ndarray:
    """Return a mask of places that are all there, each of them once.

    Parameters
    ----------
    shape : tuple of int
        Shape of the grid.

    places : ndarray of int of shape (n, len(shape))
        The places.

    what : str
        What is there, for messages.

    Returns
    -------
    mask : ndarray of bool of that shape
        The mask.

    Raises
    ------
    ValueError
        If the grid has an unusual size, or a place is outside of it or there twice.
    """
    if not 0 < math.prod(shape) <= _LARGEST_GRID or min(shape) < 1:
        raise ValueError(f"A CIFTI image must have a grid of a size in use. Got shape {shape}.")
    if (places < 0).any() or (places >= shape).any():
        raise ValueError(f"The {what} of a CIFTI image must lie in its grid, of shape {shape}.")
    mask = np.zeros(shape, dtype=bool)
    mask[tuple(places.T)] = True
    if mask.sum() < len(places):
        raise ValueError(
            f"The {what} of a CIFTI image must be in it once. Got {len(places) - int(mask.sum())} "
            "of them more than once."
        )
    return mask
