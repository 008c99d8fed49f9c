"""Find the grayordinates of one CIFTI file in another, by structure and place."""

from __future__ import annotations

import numpy as np
import pandas as pd
from nibabel.affines import apply_affine
from nibabel.cifti2.cifti2_axes import BrainModelAxis

from ari_estimator.images._cifti_header import short_name

# Voxels of two files are the same if they are no further apart, in voxels.
_CLOSE = 0.1


def columns_by_place(theirs: BrainModelAxis, ours: BrainModelAxis, name: str) -> np.ndarray:
    """Return the column of each grayordinate in a file that may have others.

    Parameters
    ----------
    theirs : BrainModelAxis
        The grayordinates of that file.

    ours : BrainModelAxis
        The grayordinates to find.

    name : str
        The argument of the file, for messages.

    Returns
    -------
    columns : ndarray of int of shape (n_ours,)
        The columns; -1 for those that the file does not have.

    Raises
    ------
    ValueError
        If a structure has another mesh or the voxels another grid, or if no grayordinate is in
        both.
    """
    for structure, n_vertices in theirs.nvertices.items():
        n_ours = ours.nvertices.get(structure, n_vertices)
        if n_ours != n_vertices:
            raise ValueError(
                f"{name} must be on the mesh of the map. Got {n_vertices} vertices of "
                f"{short_name(structure)}, and {n_ours} in the map. wb_command -cifti-resample "
                "transfers it."
            )
        largest = theirs.vertex[theirs.name == structure].max(initial=-1)
        if largest >= n_vertices:
            raise ValueError(
                f"{name} must have vertices of its mesh. Got vertex {largest} of "
                f"{short_name(structure)}, which has {n_vertices} vertices."
            )
    indices = (pd.Index(_places(axis, ours, name), tupleize_cols=False) for axis in (theirs, ours))
    of_theirs, of_ours = indices
    columns = of_theirs.get_indexer(of_ours)
    if (columns < 0).all():
        raise ValueError(
            f"{name} must have grayordinates of the map. Got none: it has "
            f"{_structures_of(theirs)}, the map {_structures_of(ours)}."
        )
    return columns


def _structures_of(axis: BrainModelAxis) -> str:
    names = [short_name(name) for name, _, _ in axis.iter_structures()]
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _places(axis: BrainModelAxis, grid: BrainModelAxis, name: str) -> list[tuple[object, ...]]:
    """Return what tells each grayordinate from all others, on whatever file it is.

    The structure and vertex; or the voxel of a grid.
    """
    places: list[tuple[object, ...]] = list(zip(axis.name, axis.vertex.tolist(), strict=True))
    is_voxel = np.flatnonzero(axis.volume_mask)
    if not is_voxel.size:
        return places
    if grid.affine is None:
        for i in is_voxel.tolist():
            places[i] = ("voxel", i)
        return places
    to_grid = np.linalg.solve(grid.affine, axis.affine)
    voxels = apply_affine(to_grid, axis.voxel[is_voxel])
    nearest = np.rint(voxels)
    n_off = int((np.abs(voxels - nearest).max(axis=1) >= _CLOSE).sum())
    if n_off:
        raise ValueError(
            f"{name} must have its voxels on the grid of the map. Got {n_off} of {is_voxel.size} "
            "voxels between the voxels of the map. wb_command -cifti-resample transfers it."
        )
    for i, voxel in zip(is_voxel.tolist(), nearest.astype(int).tolist(), strict=True):
        places[i] = ("voxel", *voxel)
    return places
