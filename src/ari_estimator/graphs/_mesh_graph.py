"""Graph of the vertices of a triangle mesh."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from ari_estimator.graphs._graph import link, refuse_selected
from ari_estimator.graphs._linked_nodes import label_linked, pairs_of_linked, stored_neighbourhood
from ari_estimator.graphs._neighbourhood import Neighbourhood


class MeshGraph:
    """Graph of the vertices of a triangle mesh that are in a mask.

    Parameters
    ----------
    faces : array-like of int of shape (n_faces, 3)
        The vertices of each triangle. Their order, repeated triangles and coinciding corners do not
        matter.

    mask : array-like of bool of shape (n_vertices,)
        Whether each vertex is a node. Two nodes are neighbours if an edge of a triangle joins them.

    Attributes
    ----------
    faces : ndarray of int32 of shape (n_faces, 3)
        The vertices of each triangle.

    mask : ndarray of bool of shape (n_vertices,)
        Whether each vertex is a node. Arrays of nodes hold them in ascending order.

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
        # Edges from each corner of a face to the next. Most edges appear in both directions.
        corners = self.faces.T.ravel()
        self._links = link(corners, np.roll(corners, -len(self.faces)), self.mask.size)

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
            If the length of the selection is not the number of vertices in the mask.
        """
        selected = np.asarray(selected, dtype=bool)
        if selected.shape != (self.n_nodes,):
            refuse_selected(selected, self.n_nodes, "vertex of the mask")
        nodes = np.flatnonzero(selected)
        return label_linked(self._links_among(nodes), nodes, self.n_nodes)

    def edges(self, selected: ArrayLike) -> np.ndarray:
        """Return the pairs of neighbours among the selected vertices.

        Parameters
        ----------
        selected : array-like of bool of shape (n_nodes,)
            Whether each vertex of the mask is selected.

        Returns
        -------
        edges : ndarray of intp of shape (n_edges, 2)
            Each pair once, as positions in arrays of nodes, with the lower node first, in ascending
            order.

        Raises
        ------
        ValueError
            If the length of the selection is not the number of vertices in the mask.
        """
        selected = np.asarray(selected, dtype=bool)
        if selected.shape != (self.n_nodes,):
            refuse_selected(selected, self.n_nodes, "vertex of the mask")
        nodes = np.flatnonzero(selected)
        # Most edges are in two faces.
        return pairs_of_linked(self._links_among(nodes), nodes)

    def neighbourhoods(self) -> list[Neighbourhood]:
        """Return the neighbours of all vertices in the mask.

        Returns
        -------
        neighbourhoods : list of one Neighbourhood
            Slots are the vertices of the mesh.
        """
        links = self._links.tocoo()
        there_and_back = np.concatenate([links.row, links.col])
        both = link(there_and_back, np.roll(there_and_back, links.row.size), self.mask.size)
        return [stored_neighbourhood(both, self._vertices.astype(np.int32))]

    def _links_among(self, nodes: np.ndarray) -> csr_array:
        """Return the links between selected nodes, by their positions in ``nodes``."""
        vertices = self._vertices[nodes]
        return self._links[vertices][:, vertices]


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
