"""Graph of the vertices of a triangle mesh."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.graphs._graph import refuse_selected
from ari_estimator.graphs._linked_nodes import (
    label_linked,
    links_among,
    pairs_of_linked,
    stored_neighbourhood,
)
from ari_estimator.graphs._mesh_links import MeshLinks
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
        mask = _check_mask(mask)
        self._set_up(MeshLinks(faces, mask.size), mask)

    @classmethod
    def of_links(cls, links: MeshLinks, mask: np.ndarray) -> MeshGraph:
        """Return the graph of a mesh whose edges are known.

        Parameters
        ----------
        links : MeshLinks
            The edges of the mesh.

        mask : ndarray of bool of shape (links.n_vertices,)
            Whether each vertex is a node.

        Returns
        -------
        graph : MeshGraph
            The graph.
        """
        graph = cls.__new__(cls)
        graph._set_up(links, mask)
        return graph

    def _set_up(self, links: MeshLinks, mask: np.ndarray) -> None:
        self.mask = mask
        self.faces = links.faces
        self._links = links
        self._vertices = np.flatnonzero(mask)
        self.n_nodes = self._vertices.size

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
        links = links_among(self._links.upward, self._vertices[nodes])
        return label_linked(links, nodes, self.n_nodes)

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
        return pairs_of_linked(links_among(self._links.upward, self._vertices[nodes]), nodes)

    def neighbourhoods(self) -> list[Neighbourhood]:
        """Return the neighbours of all vertices in the mask.

        Returns
        -------
        neighbourhoods : list of one Neighbourhood
            Slots are the vertices of the mesh.
        """
        return [self._neighbourhood]

    @cached_property
    def _neighbourhood(self) -> Neighbourhood:
        return stored_neighbourhood(self._links.both_ways, self._vertices.astype(np.int32))


def _check_mask(mask: ArrayLike) -> np.ndarray:
    """Return a mask of vertices."""
    mask = np.asarray(mask)
    if mask.ndim != 1 or mask.dtype != bool:
        raise ValueError(
            "mask must be a one-dimensional array of booleans. "
            f"Got shape {mask.shape} of {mask.dtype}."
        )
    return mask
