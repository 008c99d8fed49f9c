"""Where the values of a map lie: voxels of a grid, vertices of meshes, or both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from nibabel.affines import apply_affine
from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation

from ari_estimator._blocks import blocks
from ari_estimator._unused_options import refuse_unused
from ari_estimator.graphs import Graph, GraphUnion, MeshGraph, VoxelGrid
from ari_estimator.graphs._voxel_grid import Connectivity, places_of
from ari_estimator.images._array_part import ArrayPart
from ari_estimator.images._mesh_geometry import MeshGeometry
from ari_estimator.images._vertices_part import VerticesPart

_GRAYORDINATES = ("grayordinate", "grayordinates")


@dataclass(frozen=True)
class VolumePart:
    """Voxels of a grid.

    Attributes
    ----------
    mask : ndarray of bool of shape (nx, ny, nz)
        The voxels there are; arrays hold them in C order.

    affine : ndarray of shape (4, 4)
        From voxel indices to millimetres.

    structures : ndarray of str of shape (n_elements,), or None
        Anatomical structure of each voxel, where the image tells.
    """

    mask: np.ndarray
    affine: np.ndarray
    structures: np.ndarray | None = None

    size_unit = "mm3"

    @cached_property
    def n_elements(self) -> int:
        """Number of voxels."""
        return int(np.count_nonzero(self.mask))

    @property
    def element_name(self) -> tuple[str, str]:
        """What an element is called, and what several are."""
        return ("voxel", "voxels") if self.structures is None else _GRAYORDINATES

    def restrict(self, kept: np.ndarray) -> VolumePart:
        """Return the part of some of its voxels."""
        structures = None if self.structures is None else self.structures[kept]
        return replace(self, mask=_restricted(self.mask, kept), structures=structures)

    def graph(self, connectivity: Connectivity) -> VoxelGrid:
        """Return the graph of neighbours."""
        return VoxelGrid(self.mask, connectivity)

    @cached_property
    def orientation(self) -> np.ndarray:
        """Which way the axes run, as nibabel says it: a row of (axis of mm, 1 or -1) for each."""
        return io_orientation(self.affine)

    def turned(self) -> tuple[VolumePart, np.ndarray]:
        """Return the part on a grid whose axes run as x, y and z do, see :meth:`Space.turned`."""
        order = np.arange(self.n_elements, dtype=np.int32)
        if not self._is_turned:
            return self, order
        # What is empty around the mask has no numbers.
        around = VoxelGrid(self.mask).box
        numbers = np.full(self.mask[around].shape, -1, dtype=np.int32)
        numbers[self.mask[around]] = order
        numbers = apply_orientation(numbers, self.orientation)
        order = numbers[numbers >= 0]
        affine = self.affine @ inv_ornt_aff(self.orientation, self.mask.shape)
        structures = None if self.structures is None else self.structures[order]
        return VolumePart(apply_orientation(self.mask, self.orientation), affine, structures), order

    @cached_property
    def _is_turned(self) -> bool:
        """Whether some axis does not run as x, y or z does."""
        axes, signs = self.orientation.T
        # nibabel reports NaN for an axis without a direction.
        is_known = not np.isnan(axes).any()
        return is_known and not ((axes == (0, 1, 2)).all() and (signs == 1).all())

    def ranks_of(self, elements: np.ndarray) -> np.ndarray:
        """Return where voxels come in the order of :meth:`turned`, see :meth:`Space.ranks_of`."""
        flat = places_of(self.mask, elements)
        if not self._is_turned:
            return flat
        voxels = np.unravel_index(flat, self.mask.shape)
        places, shape = [flat] * 3, [0] * 3
        for voxel, length, (axis, sign) in zip(
            voxels, self.mask.shape, self.orientation, strict=True
        ):
            places[int(axis)] = voxel if sign > 0 else length - 1 - voxel
            shape[int(axis)] = length
        return np.ravel_multi_index(tuple(places), tuple(shape))

    def coordinates(self) -> np.ndarray:
        """Return the centre of each voxel in mm, an array of shape (n_elements, 3)."""
        return apply_affine(self.affine, np.argwhere(self.mask))

    @property
    def _voxel_size(self) -> float:
        return abs(float(np.linalg.det(self.affine[:3, :3])))

    def element_sizes(self) -> np.ndarray:
        """Return the volume of each voxel in mm3, an array of shape (n_elements,)."""
        return np.full(self.n_elements, self._voxel_size)

    def sizes(self, elements: np.ndarray | slice, labels: np.ndarray, n_labels: int) -> np.ndarray:
        """Return the volume of the voxels of each label in mm3."""
        # One product, not a sum of volumes, which would round.
        counts = np.zeros(n_labels, dtype=np.intp)
        for block in blocks(labels.size):
            counts += np.bincount(labels[block], minlength=n_labels)
        return counts * self._voxel_size

    def locate(self, elements: np.ndarray) -> dict[str, np.ndarray]:
        """Say where voxels are, see :meth:`Space.locate`: structure, if the image tells, and mm."""
        flat = places_of(self.mask, elements)
        xyz = apply_affine(self.affine, np.column_stack(np.unravel_index(flat, self.mask.shape)))
        named = {} if self.structures is None else {"structure": self.structures[elements]}
        return {**named, **dict(zip("xyz", xyz.T, strict=True))}


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
        return ("vertex", "vertices") if self.name_column == "hemisphere" else _GRAYORDINATES

    def restrict(self, kept: np.ndarray) -> SurfacePart:
        """Return the part of some of its vertices."""
        return replace(self, mask=_restricted(self.mask, kept))

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
        return names.pop() if len(names) == 1 else _GRAYORDINATES

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


def _restricted(mask: np.ndarray, kept: np.ndarray) -> np.ndarray:
    if kept.all():
        return mask
    mask = mask.copy()
    mask[mask] = kept
    return mask


def put(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return an array of the shape of the mask, with values in it and 0 elsewhere."""
    volume = np.zeros(mask.shape, dtype=values.dtype)
    volume[mask] = values
    return volume
