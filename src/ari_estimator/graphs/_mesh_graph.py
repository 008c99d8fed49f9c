"""The vertices of a triangle mesh, as neighbours along its edges."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from ari_estimator.graphs._graph import check_selected, link


class MeshGraph:
    """Neighbourhood of the vertices of a triangle mesh that are in a mask.

    Parameters
    ----------
    faces : array-like of int of shape (n_faces, 3)
        The vertices at the corners of each triangle. Their order, triangles that are there
        twice, and corners that coincide make no difference.

    mask : array-like of bool of shape (n_vertices,)
        The vertices that are nodes. Two of them are neighbours if an edge of a triangle
        joins them.

    Attributes
    ----------
    faces : ndarray of int32 of shape (n_faces, 3)
        The vertices at the corners of each triangle.

    mask : ndarray of bool of shape (n_vertices,)
        The vertices that are nodes. Arrays of nodes hold them in ascending order.

    n_nodes : int
        Number of vertices in the mask.

    Raises
    ------
    ValueError
        If the mask is not a one-dimensional array of booleans, or the faces are not triples
        of vertices.

    Examples
    --------
    >>> from ari_estimator.graphs import MeshGraph
    >>> mesh = MeshGraph([[0, 1, 2], [1, 2, 3], [2, 3, 4]], mask=[True] * 5)
    >>> labels, n_components = mesh.components([True, False, False, True, True])
    >>> labels.tolist(), n_components
    ([1, 0, 0, 2, 2], 2)
    >>> mesh.edges([False, True, True, True, False]).tolist()
    [[1, 2], [1, 3], [2, 3]]
    """

    def __init__(self, faces: ArrayLike, mask: ArrayLike) -> None:
        self.mask = np.asarray(mask)
        if self.mask.ndim != 1 or self.mask.dtype != bool:
            raise ValueError(
                "mask must be a one-dimensional array of booleans. "
                f"Got shape {self.mask.shape} of {self.mask.dtype}."
            )
        self.faces = _check_faces(faces, self.mask.size)
        self._vertices = np.flatnonzero(self.mask)
        self.n_nodes = self._vertices.size
        # What each search for faces reads: in one piece, and in the type that numpy indexes by.
        self._two_corners = np.ascontiguousarray(self.faces[:, :2].T, dtype=np.intp)

    def components(self, selected: ArrayLike) -> tuple[np.ndarray, int]:
        """Return the connected components of the selected vertices.

        Parameters
        ----------
        selected : array-like of bool of shape (n_nodes,)
            Whether each vertex of the mask is selected.

        Returns
        -------
        labels : ndarray of int32 of shape (n_nodes,)
            1, 2, ... for the components, in the order of their first vertices; 0 for vertices
            that are not selected.

        n_components : int
            Number of components.

        Raises
        ------
        ValueError
            If the selection has another length than the mask has vertices.
        """
        selected = check_selected(selected, self.n_nodes, node="vertex of the mask")
        labels = np.zeros(self.n_nodes, dtype=np.int32)
        nodes = np.flatnonzero(selected)
        if nodes.size == 0:
            return labels, 0
        # Two links from one selected corner, the hinge, join what all three edges of a face join.
        # In place of a corner that is not selected, the hinge is linked to itself.
        corners = self._selected_corners(nodes)
        ends, hinge = corners[:2], corners[2]
        np.copyto(hinge, ends.max(axis=0), where=hinge < 0)
        np.copyto(ends, hinge, where=ends < 0)
        components, first_nodes = link(np.tile(hinge, 2), ends.ravel(), nodes.size)
        numbers = np.empty(first_nodes.size, dtype=np.int32)
        numbers[np.argsort(first_nodes)] = np.arange(1, first_nodes.size + 1)
        labels[nodes] = numbers[components]
        return labels, first_nodes.size

    def edges(self, selected: ArrayLike) -> np.ndarray:
        """Return the pairs of selected vertices that are neighbours.

        Parameters
        ----------
        selected : array-like of bool of shape (n_nodes,)
            Whether each vertex of the mask is selected.

        Returns
        -------
        edges : ndarray of intp of shape (n_edges, 2)
            Each pair once, as positions in arrays of nodes, the lower first; in ascending
            order.

        Raises
        ------
        ValueError
            If the selection has another length than the mask has vertices.
        """
        selected = check_selected(selected, self.n_nodes, node="vertex of the mask")
        nodes = np.flatnonzero(selected)
        if nodes.size == 0:
            return np.empty((0, 2), dtype=np.intp)
        a, b, c = self._selected_corners(nodes)
        one_end, other_end = np.concatenate([a, b, c]), np.concatenate([b, c, a])
        low, high = np.minimum(one_end, other_end), np.maximum(one_end, other_end)
        there = (low >= 0) & (low < high)
        low, high = low[there], high[there]
        # Most edges are in two faces. Such a matrix merges and sorts faster than np.unique.
        matrix = csr_array((np.ones(low.size, dtype=bool), (low, high)), shape=(nodes.size,) * 2)
        return nodes[np.column_stack(matrix.nonzero())]

    def _selected_corners(self, nodes: np.ndarray) -> np.ndarray:
        """Return the corners of all faces that join selected nodes, and of some others.

        Parameters
        ----------
        nodes : ndarray of intp of shape (n_selected,)
            The selected nodes, in ascending order.

        Returns
        -------
        corners : ndarray of int32 of shape (3, n)
            Positions in ``nodes``, -1 for vertices that are not selected. Of the first two
            corners of a face, one at least is selected.
        """
        vertices = self._vertices[nodes]
        is_selected = np.zeros(self.mask.size, dtype=bool)
        is_selected[vertices] = True
        # A face with two selected corners has one of them among the first two.
        one, other = (is_selected.take(corners) for corners in self._two_corners)
        faces = self.faces.take(np.flatnonzero(one | other), axis=0)
        positions = np.full(self.mask.size, -1, dtype=np.int32)
        positions[vertices] = np.arange(vertices.size)
        return np.ascontiguousarray(positions.take(faces).T)


def _check_faces(faces: ArrayLike, n_vertices: int) -> np.ndarray:
    """Return faces as an array of int32 of shape (n_faces, 3)."""
    faces = np.asarray(faces)
    if faces.shape in ((0,), (0, 3)):  # an empty list is an array of floats, for numpy
        return np.empty((0, 3), dtype=np.int32)
    if faces.ndim != 2 or faces.shape[1] != 3 or faces.dtype.kind not in "iu":
        raise ValueError(
            "faces must be an array of integers of shape (n_faces, 3). "
            f"Got shape {faces.shape} of {faces.dtype}."
        )
    if faces.min() < 0 or faces.max() >= n_vertices:
        raise ValueError(
            f"faces must hold numbers of the {n_vertices} vertices that mask has, from 0. "
            f"Got numbers from {faces.min()} to {faces.max()}."
        )
    return faces.astype(np.int32, copy=False)
