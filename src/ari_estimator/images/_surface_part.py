"""Vertices of a mesh."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ari_estimator.graphs import MeshGraph
from ari_estimator.graphs._voxel_grid import Connectivity
from ari_estimator.images._grayordinates import GRAYORDINATES
from ari_estimator.images._mask_array import restricted
from ari_estimator.images._mesh_geometry import MeshGeometry


@dataclass(frozen=True)
class SurfacePart:
    """Vertices of a mesh.

    Attributes
    ----------
    name : str
        Which mesh it is: "left" or "right", or a CIFTI structure.

    mesh : MeshGeometry
        The vertices and triangles of the mesh.

    mask : ndarray of bool of shape (n_vertices,)
        The vertices there are; arrays hold them in ascending order.

    name_column : {"hemisphere", "structure"}
        What the name is called in tables.
    """

    name: str
    mesh: MeshGeometry
    mask: np.ndarray
    name_column: str = "hemisphere"

    size_unit = "mm2"

    @cached_property
    def n_elements(self) -> int:
        """Number of vertices."""
        return int(np.count_nonzero(self.mask))

    @property
    def element_name(self) -> tuple[str, str]:
        """What an element is called, and what several are."""
        return ("vertex", "vertices") if self.name_column == "hemisphere" else GRAYORDINATES

    def restrict(self, kept: np.ndarray) -> SurfacePart:
        """Return the part of some of its vertices."""
        return replace(self, mask=restricted(self.mask, kept))

    def turned(self) -> tuple[SurfacePart, np.ndarray]:
        """Return the part as it is, see :meth:`Space.turned`: vertices are numbered."""
        return self, np.arange(self.n_elements, dtype=np.int32)

    def ranks_of(self, elements: np.ndarray) -> np.ndarray:
        """Return where vertices come in their order, see :meth:`Space.ranks_of`."""
        return elements

    def graph(self, connectivity: Connectivity) -> MeshGraph:
        """Return who is whose neighbour: vertices that share an edge."""
        return MeshGraph.of_links(self.mesh.links, self.mask)

    @property
    def points(self) -> np.ndarray:
        """Coordinates of all vertices of the mesh in mm, an array of shape (n_vertices, 3)."""
        return self.mesh.points

    @property
    def faces(self) -> np.ndarray:
        """Triangles of vertices, an array of int of shape (n_faces, 3)."""
        return self.mesh.faces

    def coordinates(self) -> np.ndarray:
        """Return the vertices in mm, an array of shape (n_elements, 3)."""
        return self.points[self.mask]

    def element_sizes(self) -> np.ndarray:
        """Return the area of each vertex in mm2, an array of shape (n_elements,)."""
        return self._areas

    @cached_property
    def _areas(self) -> np.ndarray:
        return self.mesh.areas[self.mask]

    def sizes(self, elements: np.ndarray | slice, labels: np.ndarray, n_labels: int) -> np.ndarray:
        """Return the area of the vertices of each label in mm2."""
        return np.bincount(labels, weights=self.element_sizes()[elements], minlength=n_labels)

    def locate(self, elements: np.ndarray) -> dict[str, np.ndarray]:
        """Say where vertices are, see :meth:`Space.locate`: mesh, vertex number and mm."""
        vertices = np.flatnonzero(self.mask)[elements]
        names = np.full(vertices.size, self.name, dtype=object)
        xyz = dict(zip("xyz", self.points[vertices].T.astype(np.float64), strict=True))
        return {self.name_column: names, "vertex": vertices, **xyz}
