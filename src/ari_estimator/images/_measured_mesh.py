"""A mesh whose vertices have areas of their own, such as the mean of many subjects."""

from __future__ import annotations

import numpy as np
from nilearn.surface import InMemoryMesh


class MeasuredMesh(InMemoryMesh):
    """A mesh with given areas of its vertices.

    The average surface of a group is smoother than any subject, and so smaller. FreeSurfer keeps
    the mean area of each vertex of its average subjects in a file beside the surface.

    Parameters
    ----------
    coordinates : ndarray of shape (n_vertices, 3)
        Coordinates, in mm.

    faces : ndarray of int of shape (n_faces, 3)
        Triangles of vertices.

    vertex_areas : ndarray of shape (n_vertices,)
        The area of each vertex, in mm2.
    """

    def __init__(
        self, coordinates: np.ndarray, faces: np.ndarray, vertex_areas: np.ndarray
    ) -> None:
        super().__init__(coordinates, faces)
        self.vertex_areas = np.array(vertex_areas, dtype=np.float64)
        self.vertex_areas.setflags(write=False)
        if self.vertex_areas.shape != (len(coordinates),):
            raise ValueError(
                f"its {self.vertex_areas.size} areas are not of its {len(coordinates)} vertices"
            )
        if not (np.isfinite(self.vertex_areas).all() and (self.vertex_areas >= 0).all()):
            raise ValueError("its areas are not positive numbers")
