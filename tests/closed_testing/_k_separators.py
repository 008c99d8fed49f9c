"""Smallest k-separators of small graphs, by trying all subsets of the nodes."""

import numpy as np

from ari_estimator.closed_testing import SupraThresholdGraph
from ari_estimator.closed_testing._isoperimetric_kernels import (
    densest_components,
    isoperimetric_bounds,
)
from ari_estimator.closed_testing._separator_kernels import _n_pieces, _visit
from ari_estimator.graphs import VoxelGrid


def graph_of(mask, connectivity=26, *, has_places=True):
    """Return the graph in which every voxel of a mask passes the height threshold."""
    grid = VoxelGrid(mask, connectivity)
    everything = np.ones(grid.n_nodes, dtype=bool)
    return SupraThresholdGraph(
        n_elements=grid.n_nodes,
        elements=np.arange(grid.n_nodes),
        edges=grid.edges(everything),
        places=np.argwhere(mask) if connectivity == 26 and has_places else None,
        height=0.001,
        neighbours=f"voxels were connected to their {connectivity} neighbours",
    )


def largest_components(n_nodes, edges):
    """Return the size of the largest component of each subset of the nodes, as a bit mask."""
    subsets = np.arange(1 << n_nodes)
    near = np.zeros(1 << n_nodes, dtype=np.int64)  # of all nodes of a subset together
    for node in range(n_nodes):
        ends = [b if a == node else a for a, b in edges.tolist() if node in (a, b)]
        bits = sum(1 << end for end in ends)
        near[1 << node : 2 << node] = near[: 1 << node] | bits
    component = subsets & -subsets
    while True:
        grown = component | near[component] & subsets
        if (grown == component).all():
            break
        component = grown
    largest = np.bitwise_count(component).astype(np.int64)
    rest = subsets ^ component
    # Bit masks of the rest are smaller numbers, so a few rounds settle all of them.
    while True:
        settled = np.maximum(largest, largest[rest])
        if (settled == largest).all():
            return largest
        largest = settled


def smallest_separators(n_nodes, edges):
    """Return the size of the smallest k-separator for k = 0, 1, ..., n_nodes."""
    largest = largest_components(n_nodes, edges)
    n_kept = np.zeros(n_nodes + 1, dtype=np.int64)
    np.maximum.at(n_kept, largest, np.bitwise_count(np.arange(largest.size)).astype(np.int64))
    return n_nodes - np.maximum.accumulate(n_kept)


def n_packed(graph, k):
    """Return the packing bound of all elements, without any other."""
    n = graph.n_above
    mark, seen = np.zeros((2, n), dtype=np.int32)
    pointer, found, parents, sizes = np.zeros((4, n), dtype=np.int64)
    total = 0
    for first in range(n):
        if not seen[first]:
            size = _visit(first, mark, *graph.adjacency, 1, seen, pointer, found, parents)
            total += _n_pieces(parents, size, k, sizes)
    return total


def isoperimetric_bound(graph, k):
    """Return the isoperimetric bound of all voxels, without any other."""
    n = graph.n_above
    mark = np.zeros(n, dtype=np.int32)
    side, opening, reach, up, best = np.zeros((5, n), dtype=np.int64)
    densest = densest_components(k)[k]
    voxels = np.arange(n)
    isoperimetric_bounds(
        voxels, mark, graph.grid_neighbours, densest, side, opening, reach, up, best
    )
    return best[up == voxels].sum()
