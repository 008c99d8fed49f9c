"""Compiled loops behind :class:`ari_estimator.graphs.ClusterForest`.

They assume what the class has checked. This module imports numba, which takes a noticeable
time, so it is itself imported when first needed.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def merge(
    order: np.ndarray,
    ranks: np.ndarray,
    bases: np.ndarray,
    starts: np.ndarray,
    stops: np.ndarray,
    offsets: np.ndarray,
) -> np.ndarray:
    """Return the parent of each node of the forest; -1 if it has none.

    Nodes are named by their rank in ``order``, in which they join. ``ranks`` has the rank of
    the node in each slot, or a number above all ranks. A node becomes the root of the cluster
    of all that is connected with it so far: the parent of the roots that these had.

    Union by size, with halving of paths; ``roots`` has the root of each set at its
    representative.
    """
    n = order.size
    parents = np.full(n, -1, dtype=np.int32)
    up = np.arange(n).astype(np.int32)
    roots = np.arange(n).astype(np.int32)
    sizes = np.ones(n, dtype=np.int32)
    for rank in range(n):
        node = order[rank]
        base = bases[node]
        mine = np.int32(rank)
        for k in range(starts[node], stops[node]):
            other = ranks[base + offsets[k]]
            if other >= rank:
                continue
            above = up[other]
            if above == mine:
                continue
            while above != other:
                up[other] = up[above]
                other = up[other]
                above = up[other]
            if other == mine:
                continue
            parents[roots[other]] = rank
            if sizes[other] > sizes[mine]:
                mine, other = other, mine
            up[other] = mine
            sizes[mine] += sizes[other]
        roots[mine] = rank
    return parents


@njit(cache=True)
def lay_out(parents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the position of each node in post-order, and the size of its cluster.

    The largest child of a node comes first, so that a cluster and its largest sub-cluster
    start at the same position. A node comes after all that is below it.
    """
    n = parents.size
    sizes = np.ones(n, dtype=np.int32)
    largest = np.full(n, -1, dtype=np.int32)
    for node in range(n):
        parent = parents[node]
        # A parent comes after all its children: their sizes are complete.
        if parent >= 0:
            sizes[parent] += sizes[node]
            if largest[parent] < 0 or sizes[node] > sizes[largest[parent]]:
                largest[parent] = node
    positions = np.empty(n, dtype=np.int32)
    # Where the next child, but for the largest, of each node starts.
    free = np.empty(n, dtype=np.int32)
    n_placed = 0
    for node in range(n - 1, -1, -1):
        parent = parents[node]
        if parent < 0:
            start = n_placed
            n_placed += sizes[node]
        elif largest[parent] == node:
            start = positions[parent] - sizes[parent] + 1
        else:
            start = free[parent]
            free[parent] += sizes[node]
        positions[node] = start + sizes[node] - 1
        free[node] = start
        if largest[node] >= 0:
            free[node] += sizes[largest[node]]
    return positions, sizes
