"""Graph of the edges of a network."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.graphs._adjacency_graph import check_adjacency
from ari_estimator.graphs._graph import Graph, components_of, link, refuse_selected
from ari_estimator.graphs._neighbourhood import Neighbourhood


def edges_of(network: int | Any) -> Graph:
    """Return the graph of the edges of a network. Two edges are neighbours if they share a node.

    A supra-threshold cluster of this graph is a connected part of the network, as in
    network-based statistics [1]_.

    Parameters
    ----------
    network : int, sparse matrix or array-like of shape (n_nodes, n_nodes)
        The number of nodes, if all pairs of nodes are edges. Otherwise the matrix of the edges, see
        :class:`AdjacencyGraph`.

    Returns
    -------
    graph : Graph
        The graph. Its nodes are the edges of the network, in the order of ``numpy.triu_indices``:
        ``matrix[numpy.triu_indices(n_nodes, 1)]`` are the values of all pairs.

    Raises
    ------
    TypeError
        If the matrix does not hold real numbers or booleans.
    ValueError
        If the number of nodes is below 2, the matrix is not valid (see :class:`AdjacencyGraph`), or
        edges have too many neighbours: more than about 1,290 nodes, if all pairs are edges.

    Notes
    -----
    Only :class:`ClusterForest` and :func:`product` need the neighbours of all edges. They are
    stored: 4 bytes for each of them, 250 MB for all pairs of 400 nodes. For a moment, a forest
    needs two and a half times as much, and a product 1.5 GB.

    References
    ----------
    .. [1] Zalesky A, Fornito A, Bullmore ET (2010). Network-based statistic: Identifying
       differences in brain networks. NeuroImage 53, 1197-1207.

    Examples
    --------
    Of four nodes, 0 is strongly connected with 1 and 1 with 2:

    >>> import numpy as np
    >>> from ari_estimator.graphs import edges_of
    >>> z = np.zeros((4, 4))
    >>> z[0, 1] = z[1, 2] = 4
    >>> graph = edges_of(4)
    >>> labels, n_components = graph.components(z[np.triu_indices(4, 1)] > 3)
    >>> labels.tolist(), n_components
    ([1, 0, 0, 1, 0, 0], 1)
    """
    if isinstance(network, (int, np.integer)) and not isinstance(network, bool):
        if network < 2:
            raise ValueError(
                f"network must have 2 nodes or more. Got {network}. An array is the matrix of its "
                "edges."
            )
        n_nodes = int(network)
        _check_neighbours(n_nodes * (n_nodes - 1) ** 2, n_nodes * (n_nodes - 1) // 2, n_nodes)
        return edges_of_ends(*np.triu_indices(n_nodes, 1), n_nodes)
    matrix = check_adjacency(network, "network")
    is_upper = matrix.row < matrix.col
    return edges_of_ends(matrix.row[is_upper], matrix.col[is_upper], matrix.shape[0])


def edges_of_ends(first: np.ndarray, second: np.ndarray, n_ends: int) -> Graph:
    """Return the graph of the edges of a network, from their ends.

    Parameters
    ----------
    first, second : ndarray of int of shape (n_edges,)
        The nodes of each edge, the lower one first, in ascending order without repetition.

    n_ends : int
        Number of nodes of the network.

    Returns
    -------
    graph : Graph
        The graph.

    Raises
    ------
    ValueError
        If edges have too many neighbours.
    """
    return _EdgeGraph(first, second, n_ends)


def ends_of(graph: Graph | None) -> tuple[np.ndarray, np.ndarray, int] | None:
    """Return the two ends of each edge of a network, and its number of nodes.

    Parameters
    ----------
    graph : Graph or None
        Any graph.

    Returns
    -------
    ends : (ndarray of int32, ndarray of int32, int) or None
        None if the graph is not from :func:`edges_of`.
    """
    if not isinstance(graph, _EdgeGraph):
        return None
    return graph._first, graph._second, graph._n_ends


class _EdgeGraph:
    """Graph of the edges of a network, see :func:`edges_of`."""

    def __init__(self, first: np.ndarray, second: np.ndarray, n_ends: int) -> None:
        self._first, self._second = first.astype(np.int32), second.astype(np.int32)
        self._n_ends = n_ends
        self.n_nodes: int = first.size
        degrees = np.bincount(first, minlength=n_ends) + np.bincount(second, minlength=n_ends)
        # Each edge is met once from each other edge at both of its ends.
        n_neighbours = int((degrees.astype(np.int64) ** 2).sum())
        _check_neighbours(n_neighbours, self.n_nodes, n_ends)

    def components(self, selected: ArrayLike) -> tuple[np.ndarray, int]:
        """Return the connected components of the selected edges, see :class:`Graph`."""
        edges = self._edges(selected)
        labels = np.zeros(self.n_nodes, dtype=np.int32)
        if edges.size == 0:
            return labels, 0
        # Edges are connected if their ends are.
        links = link(self._first[edges], self._second[edges], self._n_ends)
        of_edges = components_of(links)[0][self._first[edges]]
        found, first_edges = np.unique(of_edges, return_index=True)
        numbers = np.zeros(self._n_ends, dtype=np.int32)
        numbers[found[np.argsort(first_edges)]] = np.arange(1, found.size + 1)
        labels[edges] = numbers[of_edges]
        return labels, found.size

    def edges(self, selected: ArrayLike) -> np.ndarray:
        """Return the pairs of neighbours among the selected edges, see :class:`Graph`."""
        edges = self._edges(selected)
        by_end, starts, _ = self._at_ends(edges)
        pairs = [np.empty((0, 2), dtype=np.intp)]
        for start, stop in pairwise(starts):
            here = edges[by_end[start:stop]]  # in ascending order
            low, high = np.triu_indices(here.size, 1)
            pairs.append(np.column_stack([here[low], here[high]]))
        found = np.concatenate(pairs)
        # Two edges share one end, or they would be the same edge. So no pair comes twice.
        return found[np.lexsort((found[:, 1], found[:, 0]))]

    def neighbourhoods(self) -> list[Neighbourhood]:
        """Return the neighbours of all edges, see :class:`Graph`.

        Returns
        -------
        neighbourhoods : list of one Neighbourhood
            Slots are the edges. An edge is among its own neighbours, which changes nothing.
        """
        by_end, starts, degrees = self._at_ends(np.arange(self.n_nodes))
        ends = np.column_stack([self._first, self._second]).reshape(-1)
        lengths = degrees[ends]
        stops = np.cumsum(lengths)
        # The edges at the first end of each edge, then those at its second end. The largest arrays
        # have 4 bytes for each neighbour.
        places = np.repeat((starts[ends] - stops + lengths).astype(np.int32), lengths)
        places += np.arange(places.size, dtype=np.int32)
        offsets = by_end.astype(np.int32)[places]
        slots = np.arange(self.n_nodes, dtype=np.int32)
        last = stops[1::2].astype(np.int32)
        first = np.concatenate([np.zeros(min(1, last.size), dtype=np.int32), last[:-1]])
        bases = np.broadcast_to(np.int32(0), slots.shape)
        return [Neighbourhood(slots, self.n_nodes, bases, first, last, offsets)]

    def _at_ends(self, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return which of some edges are at each node, where its edges start, and their number."""
        ends = np.concatenate([self._first[edges], self._second[edges]])
        degrees = np.bincount(ends, minlength=self._n_ends)
        numbers = np.tile(np.arange(edges.size), 2)
        by_end = numbers[np.lexsort((numbers, ends))]
        return by_end, np.concatenate([[0], np.cumsum(degrees)]), degrees

    def _edges(self, selected: ArrayLike) -> np.ndarray:
        selected = np.asarray(selected, dtype=bool)
        if selected.shape != (self.n_nodes,):
            refuse_selected(selected, self.n_nodes, "edge of the network")
        return np.flatnonzero(selected)


def _check_neighbours(n_neighbours: int, n_edges: int, n_ends: int) -> None:
    """Refuse networks whose edges have more neighbours than int32 can count."""
    if n_neighbours >= 2**31:
        raise ValueError(
            f"network has too many neighbours: {n_edges} edges of {n_ends} nodes. Use fewer nodes, "
            "or a matrix with fewer edges."
        )
