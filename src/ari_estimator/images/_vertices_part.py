"""Vertices of a mesh that nobody has given: enough for regions, which need no neighbours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ari_estimator.graphs import Graph
from ari_estimator.graphs._voxel_grid import Connectivity
from ari_estimator.images._grayordinates import GRAYORDINATES
from ari_estimator.images._mask_array import restricted


@dataclass(frozen=True)
class VerticesPart:
    """Vertices of a structure of a CIFTI file, without their mesh.

    Their areas, coordinates and neighbours are not known.

    Attributes
    ----------
    name : str
        The structure.

    mask : ndarray of bool of shape (n_vertices,)
        The vertices there are; arrays hold them in ascending order.

    needs : str
        The error of whoever asks for neighbours: what the mesh must be, and how to give it.
    """

    name: str
    mask: np.ndarray
    needs: str

    size_unit = None
    element_name = GRAYORDINATES

    @cached_property
    def n_elements(self) -> int:
        """Number of vertices."""
        return int(np.count_nonzero(self.mask))

    def restrict(self, kept: np.ndarray) -> VerticesPart:
        """Return the part of some of its vertices."""
        return replace(self, mask=restricted(self.mask, kept))

    def turned(self) -> tuple[VerticesPart, np.ndarray]:
        """Return the part as it is, see :meth:`Space.turned`: vertices are numbered."""
        return self, np.arange(self.n_elements, dtype=np.int32)

    def ranks_of(self, elements: np.ndarray) -> np.ndarray:
        """Return where vertices come in their order, see :meth:`Space.ranks_of`."""
        return elements

    def graph(self, connectivity: Connectivity) -> Graph:
        """Raise an error: neighbours need a mesh."""
        raise ValueError(self.needs)

    def coordinates(self) -> np.ndarray:
        """Return NaN for each vertex, an array of shape (n_elements, 3)."""
        return np.full((self.n_elements, 3), np.nan)

    def element_sizes(self) -> np.ndarray:
        """Return NaN for each vertex, an array of shape (n_elements,)."""
        return np.full(self.n_elements, np.nan)

    def locate(self, elements: np.ndarray) -> dict[str, np.ndarray]:
        """Say where vertices are: structure and vertex number. The place in mm is NaN."""
        vertices = np.flatnonzero(self.mask)[elements]
        names = np.full(vertices.size, self.name, dtype=object)
        unknown = np.full(vertices.size, np.nan)
        return {"structure": names, "vertex": vertices, **dict.fromkeys("xyz", unknown)}
