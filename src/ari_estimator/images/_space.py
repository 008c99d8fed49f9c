"""Where the values of a map lie: voxels of a grid, vertices of meshes, or both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ari_estimator._unused_options import refuse_unused
from ari_estimator.graphs import Graph, GraphUnion
from ari_estimator.graphs._voxel_grid import Connectivity
from ari_estimator.images._array_part import ArrayPart
from ari_estimator.images._grayordinates import GRAYORDINATES
from ari_estimator.images._surface_part import SurfacePart
from ari_estimator.images._vertices_part import VerticesPart
from ari_estimator.images._volume_part import VolumePart


@dataclass(frozen=True)
class Space:
    """All elements of a map, voxels and vertices, one part after the other.

    Attributes
    ----------
    parts : tuple of VolumePart, SurfacePart and VerticesPart, or of one ArrayPart
        The parts.
    """

    parts: tuple[VolumePart | SurfacePart | VerticesPart | ArrayPart, ...]

    @cached_property
    def n_elements(self) -> int:
        """Number of voxels and vertices."""
        return sum(part.n_elements for part in self.parts)

    @cached_property
    def element_name(self) -> tuple[str, str]:
        """What an element is called, and what several are."""
        names = {part.element_name for part in self.parts}
        return names.pop() if len(names) == 1 else GRAYORDINATES

    @property
    def has_voxels(self) -> bool:
        """Whether some elements are voxels of a grid."""
        return any(isinstance(part, VolumePart) for part in self.parts)

    @property
    def has_vertices(self) -> bool:
        """Whether some elements are vertices of a mesh."""
        return any(isinstance(part, SurfacePart) for part in self.parts)

    @property
    def has_millimetres(self) -> bool:
        """Whether elements are of an image, whose places are in mm, even if they are not known."""
        return not any(isinstance(part, ArrayPart) for part in self.parts)

    @property
    def misses_mesh(self) -> bool:
        """Whether some elements are vertices of an unknown mesh."""
        return any(isinstance(part, VerticesPart) for part in self.parts)

    @property
    def has_neighbours(self) -> bool:
        """Whether it is known which elements are neighbours."""
        return not self.misses_mesh and not any(
            isinstance(part, ArrayPart) and part.whole_graph is None for part in self.parts
        )

    @property
    def _parts_in_mm(self) -> list[VolumePart | SurfacePart | VerticesPart]:
        return [part for part in self.parts if not isinstance(part, ArrayPart)]

    @cached_property
    def _ranges(self) -> list[slice]:
        ends = np.cumsum([0, *(part.n_elements for part in self.parts)]).tolist()
        return [slice(*ends[i : i + 2]) for i in range(len(self.parts))]

    def restrict(self, kept: np.ndarray) -> Space:
        """Return the space of some of the elements.

        Parameters
        ----------
        kept : ndarray of bool of shape (n_elements,)
            Whether each element stays.

        Returns
        -------
        space : Space
            The space of the ``kept.sum()`` elements.
        """
        pairs = zip(self.parts, self._ranges, strict=True)
        return Space(tuple(part.restrict(kept[range_]) for part, range_ in pairs))

    def turned(self) -> tuple[Space, np.ndarray]:
        """Return the space with its grids turned, so that the axes run as x, y and z do.

        The order of elements there does not depend on the order or the direction in which a file
        stores the axes. So it decides wherever values are equal: which of several peaks is
        reported, and which of several clusters of one size comes first.

        Returns
        -------
        space : Space
            The same elements, and this space if no grid has to be turned. A grid is turned to the
            axes that nibabel's ``as_closest_canonical`` gives it, RAS+. Voxels are in the order of
            their places along x, then y, then z, from left to right, from posterior to anterior,
            and from inferior to superior. Places are counted in voxels, so that no rounding of an
            affine matters. Vertices stay in the order of their numbers, one mesh after the other.

        order : ndarray of int of shape (n_elements,)
            The element of this space that each element of the turned space is.
        """
        turned = [part.turned() for part in self.parts]
        pairs = zip(turned, self._ranges, strict=True)
        orders = [
            order + np.int32(range_.start) if range_.start else order
            for (_, order), range_ in pairs
        ]
        order = orders[0] if len(orders) == 1 else np.concatenate(orders)
        if all(part is own for (part, _), own in zip(turned, self.parts, strict=True)):
            return self, order
        return Space(tuple(part for part, _ in turned)), order

    def ranks_of(self, elements: np.ndarray) -> np.ndarray:
        """Return numbers that grow with the place of elements in the order of :meth:`turned`.

        Parameters
        ----------
        elements : ndarray of int of shape (n,)
            Elements.

        Returns
        -------
        ranks : ndarray of int of shape (n,)
            No two elements have the same.
        """
        if len(self.parts) == 1:
            return self.parts[0].ranks_of(elements)
        ranks = np.empty(elements.size, dtype=np.intp)
        before = 0
        for part, range_ in zip(self.parts, self._ranges, strict=True):
            inside = np.flatnonzero((elements >= range_.start) & (elements < range_.stop))
            ranks[inside] = before + part.ranks_of(elements[inside] - range_.start)
            before += part.mask.size
        return ranks

    def check_connectivity(self, connectivity: Connectivity | None) -> Connectivity:
        """Return which voxels are neighbours: what a user says, or 6.

        Parameters
        ----------
        connectivity : {6, 18, 26} or None
            What the user says.

        Returns
        -------
        connectivity : {6, 18, 26}
            That, or 6 for None.

        Raises
        ------
        ValueError
            If there are no voxels, so that it would do nothing.
        """
        if connectivity is None:
            return 6
        if not self.has_voxels:
            why = "for a surface, whose neighbours share an edge of the mesh"
            if not self.has_vertices:
                why = "for arrays, whose neighbours come from adjacency"
            refuse_unused(why, {"connectivity": (connectivity, None)})
        return connectivity

    def graph(self, connectivity: Connectivity = 6) -> Graph:
        """Return the graph of neighbours.

        Parameters
        ----------
        connectivity : {6, 18, 26}, default=6
            Number of neighbours of a voxel. Vertices are neighbours if they share an edge.

        Returns
        -------
        graph : Graph
            The graph of all elements. No edge leads from one part to another.
        """
        graphs = [part.graph(connectivity) for part in self.parts]
        return graphs[0] if len(graphs) == 1 else GraphUnion(graphs)

    def coordinates(self) -> np.ndarray:
        """Return where each element is in mm, an array of shape (n_elements, 3)."""
        return np.concatenate([part.coordinates() for part in self._parts_in_mm])

    def sizes(
        self, labels: np.ndarray, n_labels: int, elements: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """Return how large sets are.

        Parameters
        ----------
        labels : ndarray of int of shape (n,)
            The set that each entry of ``elements`` belongs to.

        n_labels : int
            Number of sets.

        elements : ndarray of int of shape (n,), or None, default=None
            Elements; None for all, in order.

        Returns
        -------
        sizes : dict of str to ndarray of shape (n_labels,)
            By unit: ``"mm3"`` of the voxels, ``"mm2"`` of the vertices, as far as there are
            such parts. Elements of arrays have none, nor do vertices without a mesh.
        """
        sizes: dict[str, np.ndarray] = {}
        for part, range_ in zip(self.parts, self._ranges, strict=True):
            if isinstance(part, (ArrayPart, VerticesPart)):
                continue
            inside: slice | np.ndarray = range_
            within: slice | np.ndarray = slice(None)
            if elements is not None:
                inside = (elements >= range_.start) & (elements < range_.stop)
                within = elements[inside] - range_.start
            of_part = part.sizes(within, labels[inside], n_labels)
            sizes[part.size_unit] = sizes.get(part.size_unit, 0) + of_part
        return dict(sorted(sizes.items()))

    def centres(
        self, labels: np.ndarray, n_labels: int, elements: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the centre of mass of sets.

        Parameters
        ----------
        labels : ndarray of int of shape (n,)
            The set that each entry of ``elements`` belongs to.

        n_labels : int
            Number of sets.

        elements : ndarray of int of shape (n,), or None, default=None
            Elements; None for all, in order.

        Returns
        -------
        centres : ndarray of shape (n_labels, 3)
            Mean of the elements' coordinates in mm, weighted by their sizes; NaN for a set
            without size. That of a set on a mesh need not lie on the mesh.
        """
        weights = np.concatenate([part.element_sizes() for part in self._parts_in_mm])
        coordinates = self.coordinates()
        if elements is not None:
            weights, coordinates = weights[elements], coordinates[elements]
        totals = np.bincount(labels, weights=weights, minlength=n_labels)
        sums = [
            np.bincount(labels, weights=weights * axis, minlength=n_labels)
            for axis in coordinates.T
        ]
        with np.errstate(invalid="ignore"):
            return np.column_stack(sums) / totals[:, np.newaxis]

    def locate(self, elements: np.ndarray) -> pd.DataFrame:
        """Say where elements are.

        Parameters
        ----------
        elements : ndarray of int of shape (n,)
            Elements.

        Returns
        -------
        places : pandas.DataFrame
            A row for each: ``hemisphere`` or ``structure`` and ``vertex``, where there are
            meshes, and ``x``, ``y``, ``z`` in mm. For an array, the coordinates that the user
            gave, and indices.
        """
        if not self.has_millimetres:
            return pd.DataFrame(self.parts[0].locate(elements))
        columns: dict[str, Any] = {}
        has_vertex = np.zeros(elements.size, dtype=bool)
        for part, range_ in zip(self.parts, self._ranges, strict=True):
            inside = np.flatnonzero((elements >= range_.start) & (elements < range_.stop))
            for name, values in part.locate(elements[inside] - range_.start).items():
                if name not in columns:
                    missing = 0 if name == "vertex" else np.nan
                    columns[name] = np.full(elements.size, missing, dtype=values.dtype)
                columns[name][inside] = values
                if name == "vertex":
                    has_vertex[inside] = True
        if "vertex" in columns:
            # Voxels have no vertex number.
            columns["vertex"] = pd.arrays.IntegerArray(columns["vertex"], ~has_vertex)
        names = ("hemisphere", "structure", "vertex", "x", "y", "z")
        return pd.DataFrame({name: columns[name] for name in names if name in columns})
