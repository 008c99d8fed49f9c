"""The union of several graphs."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.graphs._graph import Graph, refuse_selected
from ari_estimator.graphs._neighbourhood import Neighbourhood


class GraphUnion:
    """Union of several graphs, without edges between them.

    Parameters
    ----------
    graphs : iterable of Graph
        The parts, such as a :class:`VoxelGrid` or a :class:`MeshGraph`. They may be empty.

    Attributes
    ----------
    graphs : tuple of Graph
        The parts. Arrays of nodes hold the nodes of the first part, then the nodes of the second
        part, and so on.

    n_nodes : int
        Number of nodes of all parts.

    Examples
    --------
    >>> from ari_estimator.graphs import GraphUnion, MeshGraph
    >>> triangle = MeshGraph([[0, 1, 2]], mask=[True] * 3)
    >>> two_triangles = GraphUnion([triangle, triangle])
    >>> labels, n_components = two_triangles.components([False, True, True, True, False, True])
    >>> labels.tolist(), n_components
    ([0, 1, 1, 2, 0, 2], 2)
    >>> two_triangles.edges([False, True, True, True, False, True]).tolist()
    [[1, 2], [3, 5]]
    """

    def __init__(self, graphs: Iterable[Graph]) -> None:
        self.graphs = tuple(graphs)
        # First node of each part, and the total number of nodes.
        self._bounds = np.cumsum([0, *(graph.n_nodes for graph in self.graphs)]).tolist()
        self.n_nodes: int = self._bounds[-1]

    def components(self, selected: ArrayLike) -> tuple[np.ndarray, int]:
        """Return the connected components of the selected nodes.

        Parameters
        ----------
        selected : array-like of bool of shape (n_nodes,)
            Whether each node is selected.

        Returns
        -------
        labels : ndarray of int32 of shape (n_nodes,)
            1, 2, ... for the components, in the order of their first nodes; 0 for nodes that are
            not selected. Numbers continue from part to part.

        n_components : int
            Number of components.

        Raises
        ------
        ValueError
            If the length of the selection is not the number of nodes.
        """
        if len(self.graphs) == 1:
            return self.graphs[0].components(selected)
        selected = np.asarray(selected, dtype=bool)
        if selected.shape != (self.n_nodes,):
            refuse_selected(selected, self.n_nodes, "node of all graphs")
        labels = np.empty(self.n_nodes, dtype=np.int32)
        n_components = 0
        for graph, start in zip(self.graphs, self._bounds[:-1], strict=True):
            part = slice(start, start + graph.n_nodes)
            part_labels, n_part = graph.components(selected[part])
            if n_components:
                part_labels = part_labels + np.int32(n_components) * (part_labels > 0)
            labels[part] = part_labels
            n_components += n_part
        return labels, n_components

    def edges(self, selected: ArrayLike) -> np.ndarray:
        """Return the pairs of neighbours among the selected nodes.

        Parameters
        ----------
        selected : array-like of bool of shape (n_nodes,)
            Whether each node is selected.

        Returns
        -------
        edges : ndarray of intp of shape (n_edges, 2)
            Each pair once, with the lower node first, in ascending order.

        Raises
        ------
        ValueError
            If the length of the selection is not the number of nodes.
        """
        if len(self.graphs) == 1:
            return self.graphs[0].edges(selected)
        selected = np.asarray(selected, dtype=bool)
        if selected.shape != (self.n_nodes,):
            refuse_selected(selected, self.n_nodes, "node of all graphs")
        edges = [np.empty((0, 2), dtype=np.intp)]
        for graph, start in zip(self.graphs, self._bounds[:-1], strict=True):
            edges.append(start + graph.edges(selected[start : start + graph.n_nodes]))
        return np.concatenate(edges)

    def neighbourhoods(self) -> list[Neighbourhood]:
        """Return the neighbours of the nodes of all graphs.

        Returns
        -------
        neighbourhoods : list of Neighbourhood
            Neighbourhoods of all graphs, in order.
        """
        return [part for graph in self.graphs for part in graph.neighbourhoods()]
