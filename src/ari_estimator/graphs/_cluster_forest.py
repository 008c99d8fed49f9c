"""The clusters of all thresholds, as a forest."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator._blocks import blocks
from ari_estimator.graphs._graph import Graph
from ari_estimator.graphs._neighbourhood import Neighbourhood

# Nodes at a time whose places are read before the first of them joins. Nodes that follow each other
# are far apart in memory, and these reads do not wait for each other.
_TILE = 1024


class ClusterForest:
    """All supra-threshold clusters, each within the next larger one.

    Nodes join in ascending order of their heights; ties are ordered by node number. Each node is
    the root of one cluster, which consists of all nodes up to its height that are connected to it.
    Relaxing the threshold leads from a cluster to its parent, and tightening it leads to its
    children.

    Parameters
    ----------
    graph : Graph
        The graph of the nodes.

    heights : array-like of shape (n_nodes,)
        Height of each node. Low nodes join first.

    numbers : ndarray of int of shape (n_nodes,) or None, default=None
        Number by which each node is called in ``heights`` and ``elements``. None means that nodes
        are called by their position in the graph.

    Attributes
    ----------
    elements : ndarray of int32 of shape (n_nodes,)
        The node at each position. A cluster is a range of positions, with its root last and its
        largest sub-cluster first. All other arrays are indexed by position too.

    starts : ndarray of int32 of shape (n_nodes,)
        First position of the cluster of each root. The cluster is ``elements[starts[i] : i + 1]``.

    parents : ndarray of int32 of shape (n_nodes,)
        Position of the root of the next larger cluster; -1 for a whole component.

    is_cluster : ndarray of bool of shape (n_nodes,)
        False if a root has the same height as its parent, because no threshold forms its cluster.

    Raises
    ------
    ValueError
        If ``heights`` has the wrong shape or contains NaN.

    Notes
    -----
    The forest is built by union-find in the order of the heights, in almost linear time after
    sorting. The order of positions (largest sub-cluster first) allows incremental computations
    along the nodes of a cluster to be done for all clusters in O(n log n).

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.graphs import ClusterForest, VoxelGrid
    >>> row = VoxelGrid(np.ones((1, 1, 5), dtype=bool))
    >>> forest = ClusterForest(row, [0.1, 0.5, 0.2, 0.3, 0.4])
    >>> [forest.elements[s : i + 1].tolist() for i, s in enumerate(forest.starts)]
    [[2], [2, 3], [2, 3, 4], [0], [2, 3, 4, 0, 1]]
    """

    def __init__(self, graph: Graph, heights: ArrayLike, numbers: np.ndarray | None = None) -> None:
        heights = np.asarray(heights, dtype=np.float64)
        if heights.shape != (graph.n_nodes,) or np.isnan(heights).any():
            raise ValueError(
                f"heights must be numbers of shape ({graph.n_nodes},), one for each node, not NaN. "
                f"Got shape {heights.shape}"
                + (" with NaN." if heights.shape == (graph.n_nodes,) else ".")
            )
        n = heights.size
        self.elements = np.empty(n, dtype=np.int32)
        self.starts = np.empty(n, dtype=np.int32)
        self.parents = np.empty(n, dtype=np.int32)
        self.is_cluster = np.ones(n, dtype=bool)
        to_come = list(graph.neighbourhoods())[::-1]
        first = 0
        while to_come:
            first = self._build(to_come.pop(), heights, numbers, first)

    def _build(
        self,
        neighbours: Neighbourhood,
        heights: np.ndarray,
        numbers: np.ndarray | None,
        first: int,
    ) -> int:
        """Fill in the forest of one part of the graph, and return where the next part starts."""
        from ari_estimator.graphs._cluster_forest_kernels import lay_out

        part = slice(first, first + neighbours.slots.size)
        order, has_ties = _order(heights[part] if numbers is None else heights[numbers[part]])
        parents = _merge(order, neighbours)
        del neighbours  # there may be millions
        n = parents.size
        sizes, largest = np.ones(n, dtype=np.int32), np.full(n, -1, dtype=np.int32)
        positions, free = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32)
        by_position = self.elements[part], self.starts[part], self.parents[part]
        lay_out(order, parents, first, sizes, largest, positions, free, *by_position)
        del order, parents, sizes, largest, positions, free
        if numbers is not None:
            self.elements[part] = numbers[self.elements[part]]
        if has_ties:
            self._find_tied(part, heights)
        return part.stop

    def _find_tied(self, part: slice, heights: np.ndarray) -> None:
        """Note which roots have the same height as their parents."""
        parents_of_part, elements = self.parents[part], self.elements[part]
        for block in blocks(elements.size):
            parents = parents_of_part[block]
            of_parents = heights[self.elements[np.maximum(parents, 0)]]
            is_lower = heights[elements[block]] != of_parents
            self.is_cluster[part][block] = (parents < 0) | is_lower

    @cached_property
    def sizes(self) -> np.ndarray:
        """Number of nodes of each cluster, an array of int32 of shape (n_nodes,)."""
        return np.arange(1, self.starts.size + 1, dtype=np.int32) - self.starts


def _merge(order: np.ndarray, neighbours: Neighbourhood) -> np.ndarray:
    """Return the parent of each node of the forest, in the order in which nodes join."""
    slots, n_slots, bases, starts, stops, offsets, patterns = neighbours
    if neighbours.are_stored:
        from ari_estimator.graphs._stored_forest_kernels import merge_stored

        ranks = np.full(n_slots, order.size, dtype=np.int32)
        return merge_stored(order, ranks, slots, bases, starts, stops, offsets)
    from ari_estimator.graphs._cluster_forest_kernels import merge, merge_on_grid

    parents = np.full(order.size, -1, dtype=np.int32)
    sets = np.empty((3, order.size), dtype=np.int32)
    basins = np.full(n_slots, -1, dtype=np.int32)
    tile = np.empty((4, _TILE), dtype=np.int32)
    if patterns is None:
        met = np.empty(offsets.size, dtype=np.int32)
        merge(order, parents, sets, basins, slots, bases, starts, stops, offsets, tile, met)
    else:
        joined = np.zeros(n_slots, dtype=np.uint8)
        merge_on_grid(order, parents, sets, basins, joined, slots, *patterns, tile)
    return parents


def _order(heights: np.ndarray) -> tuple[np.ndarray, bool]:
    """Return the nodes in ascending order of height, and whether there are ties.

    Ties are ordered by node number.
    """
    order = np.argsort(heights)
    order = order.astype(np.int32)
    as_before = np.zeros(order.size + 1, dtype=bool)
    for block in blocks(max(order.size - 1, 0)):
        ascending = heights.take(order[block.start : block.stop + 1])
        as_before[block.start + 1 : block.stop + 1] = ascending[:-1] == ascending[1:]
    has_ties = bool(as_before.any())
    if has_ties:
        # Sort only ties by number; a stable sort of all nodes takes longer.
        tied = np.flatnonzero(as_before[:-1] | as_before[1:])
        runs = np.cumsum(~as_before[tied])
        order[tied] = np.sort(runs * heights.size + order[tied]) % heights.size
    return order, has_ties
