"""The mesh of a hemisphere in a file."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from nilearn.surface import InMemoryMesh

from ari_estimator.files._stored_array import stored_array
from ari_estimator.images._measured_mesh import MeasuredMesh
from ari_estimator.images._surface_part import SurfacePart


def mesh_to_arrays(part: SurfacePart, hemisphere: str) -> dict[str, np.ndarray]:
    """Return what the mesh of a hemisphere can be made from again.

    Parameters
    ----------
    part : SurfacePart
        The vertices.

    hemisphere : {"left", "right"}
        Which one it is.

    Returns
    -------
    arrays : dict of str to ndarray
        Points and faces, and the areas of vertices if files gave them.
    """
    arrays = {f"{hemisphere}_points": part.points, f"{hemisphere}_faces": part.faces}
    if part.mesh.given_areas is not None:
        arrays[f"{hemisphere}_areas"] = part.mesh.given_areas
    return arrays


def mesh_from_arrays(arrays: Mapping[str, np.ndarray], hemisphere: str) -> InMemoryMesh:
    """Return the mesh that :func:`mesh_to_arrays` described.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        What was stored.

    hemisphere : {"left", "right"}
        Which one it is.

    Returns
    -------
    mesh : InMemoryMesh
        The mesh.

    Raises
    ------
    ValueError
        If the arrays are not a mesh.
    """
    points = stored_array(arrays, f"{hemisphere}_points", "f", (None, 3))
    faces = stored_array(arrays, f"{hemisphere}_faces", "iu", (None, 3))
    if not np.isfinite(points).all():
        raise ValueError(f"the points of the {hemisphere} hemisphere must be finite")
    if faces.size == 0 or faces.min() < 0 or faces.max() >= len(points):
        raise ValueError(
            f"the faces of the {hemisphere} hemisphere must be of its {len(points)} vertices"
        )
    if f"{hemisphere}_areas" not in arrays:
        return InMemoryMesh(points, faces)
    areas = stored_array(arrays, f"{hemisphere}_areas", "f", (len(points),))
    return MeasuredMesh(points, faces, areas)
