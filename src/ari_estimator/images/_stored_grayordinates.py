"""The grayordinates of a CIFTI image in a file, without the XML that says what they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from nibabel.cifti2.cifti2_axes import BrainModelAxis

from ari_estimator.files._stored_array import stored_array
from ari_estimator.images._cifti_header import short_name

# No mesh of a hemisphere has as many.
_MOST_VERTICES = 10**8


def axis_to_arrays(axis: BrainModelAxis, unmeshed: Collection[str] = ()) -> dict[str, np.ndarray]:
    """Return what the axis of grayordinates can be made from again.

    Parameters
    ----------
    axis : BrainModelAxis
        The axis.

    unmeshed : collection of str, default=()
        Structures with vertices whose mesh is not stored, by their short names.

    Returns
    -------
    arrays : dict of str to ndarray
        ``structures``, their names; ``lengths``, how many grayordinates each has; ``vertices``
        of surfaces and ``voxels`` of the others, in order; ``grid``, which voxels are among them,
        with its ``affine``. ``mesh_sizes``, the number of vertices of each structure whose mesh is
        not stored, and 0 of the others, if there are such structures.
    """
    models = [(name, len(model)) for name, _, model in axis.iter_structures()]
    arrays = {
        "structures": np.array([name for name, _ in models], dtype=np.str_),
        "lengths": np.array([length for _, length in models], dtype=np.int64),
        "vertices": axis.vertex[axis.surface_mask].astype(np.int64),
    }
    if unmeshed:
        sizes = [axis.nvertices[n] if short_name(n) in unmeshed else 0 for n, _ in models]
        arrays["mesh_sizes"] = np.array(sizes, dtype=np.int64)
    if not axis.surface_mask.all():
        voxels = axis.voxel[axis.volume_mask].astype(np.int64)
        grid = np.zeros(axis.volume_shape, dtype=bool)
        grid[tuple(voxels.T)] = True
        arrays |= {"voxels": voxels, "grid": grid, "affine": np.asarray(axis.affine, dtype=float)}
    return arrays


def axis_from_arrays(
    arrays: Mapping[str, np.ndarray], n_vertices: Mapping[str, int]
) -> BrainModelAxis:
    """Return the axis that :func:`axis_to_arrays` described.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        What was stored.

    n_vertices : mapping of str to int
        Number of vertices of each mesh that is stored.

    Returns
    -------
    axis : BrainModelAxis
        The axis.

    Raises
    ------
    ValueError
        If the arrays are not an axis.
    """
    structures = stored_array(arrays, "structures", "U", (None,))
    lengths = stored_array(arrays, "lengths", "i", structures.shape)
    n_vertices = {**_unmeshed(arrays, structures, n_vertices), **n_vertices}
    vertices = stored_array(arrays, "vertices", "i", (None,))
    n_voxels = len(arrays["voxels"]) if "voxels" in arrays else 0
    n = vertices.size + n_voxels
    if n == 0 or (lengths < 1).any() or (lengths > n).any() or lengths.sum() != n:
        raise ValueError(f"the lengths of the structures must be positive, {n} together")
    is_surface = np.repeat(np.isin(structures, list(n_vertices)), lengths)
    if len(set(structures.tolist())) < structures.size or is_surface.sum() != vertices.size:
        raise ValueError("each structure must be there once, those with a mesh with vertices")
    vertex, voxel = np.full(n, -1), np.full((n, 3), -1)
    vertex[is_surface] = vertices
    name = np.repeat(structures, lengths)
    for structure, number in n_vertices.items():
        _check_places(vertex[name == structure], number)
    affine, shape = None, None
    if n_voxels:
        voxels = stored_array(arrays, "voxels", "i", (n_voxels, 3))
        grid = stored_array(arrays, "grid", "b", (None, None, None))
        affine = stored_array(arrays, "affine", "f", (4, 4))
        shape = grid.shape
        _check_places(np.ravel_multi_index(tuple(voxels.T), shape), grid.size)
        if not grid[tuple(voxels.T)].all() or np.count_nonzero(grid) != n_voxels:
            raise ValueError("the grid must have the voxels of the structures, and no others")
        if not np.isfinite(affine).all():
            raise ValueError("the affine of the voxels must be finite")
        voxel[~is_surface] = voxels
    return BrainModelAxis(name, voxel, vertex, affine, shape, dict(n_vertices))


def _unmeshed(
    arrays: Mapping[str, np.ndarray], structures: np.ndarray, meshes: Mapping[str, int]
) -> dict[str, int]:
    """Return the number of vertices of structures whose mesh is not stored."""
    if "mesh_sizes" not in arrays:
        return {}
    sizes = stored_array(arrays, "mesh_sizes", "i", structures.shape)
    if (sizes < 0).any() or (sizes > _MOST_VERTICES).any():
        raise ValueError(f"the sizes of meshes must be numbers from 0 to {_MOST_VERTICES:,}")
    of_structures = dict(zip(structures.tolist(), sizes.tolist(), strict=True))
    unmeshed = {name: size for name, size in of_structures.items() if size}
    if not unmeshed.keys().isdisjoint(meshes):
        raise ValueError("a structure must have a mesh or the size of one, not both")
    return unmeshed


def _check_places(places: np.ndarray, number: int) -> None:
    if places.size and (places.min() < 0 or places.max() >= number):
        raise ValueError(f"vertices and voxels must be numbers from 0 to {number - 1}")
    if np.unique(places).size < places.size:
        raise ValueError("vertices and voxels must not be there twice")
