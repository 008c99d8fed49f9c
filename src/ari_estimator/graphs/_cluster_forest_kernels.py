"""Compiled loops behind :class:`ari_estimator.graphs.ClusterForest`.

They rely on the checks of the class. This module imports numba, which takes noticeable time, so it
is imported only when needed. The class makes the arrays that the loops fill in: numba would compile
each function that makes one, and numpy asks for huge pages, in which steps through a large volume
wait less.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ari_estimator.graphs._grid_patterns import DE_BRUIJN


@njit(cache=True)
def representative(up: np.ndarray, basin: int) -> int:
    """Return the representative of the set of a basin."""
    while up[basin] != basin:
        up[basin] = up[up[basin]]
        basin = up[basin]
    return basin


@njit(cache=True)
def join(
    up: np.ndarray,
    roots: np.ndarray,
    sizes: np.ndarray,
    parents: np.ndarray,
    mine: int,
    basin: int,
    rank: int,
) -> int:
    """Join the set of a basin to the set of a node, and return the new representative.

    Most basins are in the node's set already. Callers look at ``up[basin] != mine`` first: with
    this condition here, the next neighbour would wait for the result.
    """
    other = representative(up, basin)
    if other == mine:
        return mine
    parents[roots[other]] = rank
    large, small = (other, mine) if sizes[other] > sizes[mine] else (mine, other)
    up[small] = large
    sizes[large] += sizes[small]
    return large


@njit(cache=True)
def merge(
    order: np.ndarray,
    parents: np.ndarray,
    sets: np.ndarray,
    basins: np.ndarray,
    slots: np.ndarray,
    bases: np.ndarray,
    starts: np.ndarray,
    stops: np.ndarray,
    offsets: np.ndarray,
    tile: np.ndarray,
    met: np.ndarray,
) -> None:
    """Fill in the parent of each node of the forest. It is -1 before, and stays so without one.

    Nodes are identified by their rank in ``order``, in which they join. A node becomes the root of
    the cluster of all nodes connected to it so far, and thus the parent of their previous roots.

    A node without an earlier neighbour opens a basin; any other node joins the basin of an earlier
    neighbour. There are few basins, so their union-find (by size, with path halving) stays in the
    cache. ``sets`` has room for three numbers of each basin: the next one on the way to the
    representative of its set, and the root and the size of its set, stored at the representative.
    ``basins``, which is -1 before, holds the basin of the node in each slot, once it has joined.
    ``tile`` has room for four numbers of as many nodes as are read at a time, and ``met`` for the
    basins of all neighbours of a node.
    """
    n = order.size
    up, roots, sizes = sets[0], sets[1], sets[2]
    n_basins = 0
    slot_of, base_of, start_of, stop_of = tile[0], tile[1], tile[2], tile[3]
    for first in range(0, n, tile.shape[1]):
        n_read = tile.shape[1] if tile.shape[1] < n - first else n - first
        for i in range(n_read):
            node = order[first + i]
            slot_of[i] = slots[node]
            base_of[i] = bases[node]
            start_of[i] = starts[node]
            stop_of[i] = stops[node]
        for i in range(n_read):
            rank, base = first + i, base_of[i]
            # Branch-free, because no processor could predict the branch.
            n_met = 0
            for k in range(start_of[i], stop_of[i]):
                basin = basins[base + offsets[k]]
                met[n_met] = basin
                n_met += basin >= 0
            if n_met == 0:
                mine = np.int32(n_basins)
                n_basins += 1
                up[mine] = mine
                sizes[mine] = 0
            else:
                mine = representative(up, met[0])
                parents[roots[mine]] = rank
                for k in range(1, n_met):
                    if up[met[k]] != mine:
                        mine = join(up, roots, sizes, parents, mine, met[k], rank)
            sizes[mine] += 1
            roots[mine] = rank
            basins[slot_of[i]] = mine


@njit(cache=True)
def merge_on_grid(
    order: np.ndarray,
    parents: np.ndarray,
    sets: np.ndarray,
    basins: np.ndarray,
    joined: np.ndarray,
    slots: np.ndarray,
    plane: int,
    row: int,
    of_side: np.ndarray,
    of_middle: np.ndarray,
    apart: np.ndarray,
    steps: np.ndarray,
    tile: np.ndarray,
) -> None:
    """Do the same as :func:`merge` for a grid.

    Neighbours that touch each other are in one set already, so only one of them is visited. Tables
    tell which (see ``GridPatterns``). ``joined``, which is 0 before, holds three bits for each
    slot: whether it, the slot before it and the slot after it have joined.
    """
    n = order.size
    up, roots, sizes = sets[0], sets[1], sets[2]
    n_basins = 0
    slot_of = tile[0]
    for first_rank in range(0, n, slot_of.size):
        n_read = slot_of.size if slot_of.size < n - first_rank else n - first_rank
        for i in range(n_read):
            slot_of[i] = slots[order[first_rank + i]]
        for i in range(n_read):
            rank, slot = first_rank + i, np.int64(slot_of[i])
            before, after = slot - plane, slot + plane
            first = joined[before - row] | joined[before] << 3 | joined[before + row] << 6
            middle = joined[slot - row] | joined[slot] << 3 | joined[slot + row] << 6
            last = joined[after - row] | joined[after] << 3 | joined[after + row] << 6
            to_visit = (
                (of_side[first] & apart[middle])
                | of_middle[middle] << 9
                | (of_side[last] & apart[middle]) << 18
            )
            if to_visit == 0:
                mine = np.int32(n_basins)
                n_basins += 1
                up[mine] = mine
                sizes[mine] = 0
            else:
                bit = to_visit & -to_visit
                step = steps[((bit * DE_BRUIJN) & 0xFFFFFFFF) >> 27]
                mine = representative(up, basins[slot + step])
                parents[roots[mine]] = rank
                to_visit -= bit
                while to_visit:
                    bit = to_visit & -to_visit
                    to_visit -= bit
                    step = steps[((bit * DE_BRUIJN) & 0xFFFFFFFF) >> 27]
                    basin = basins[slot + step]
                    if up[basin] != mine:
                        mine = join(up, roots, sizes, parents, mine, basin, rank)
            sizes[mine] += 1
            roots[mine] = rank
            basins[slot] = mine
            joined[slot - 1] |= 4
            joined[slot] |= 2
            joined[slot + 1] |= 1


@njit(cache=True)
def lay_out(
    order: np.ndarray,
    parents: np.ndarray,
    first: int,
    sizes: np.ndarray,
    largest: np.ndarray,
    positions: np.ndarray,
    free: np.ndarray,
    elements: np.ndarray,
    starts: np.ndarray,
    parents_at: np.ndarray,
) -> None:
    """Fill in the forest by position: the element, where its cluster starts, and its parent.

    Positions are in post-order: a node comes after all nodes below it. The largest child of a node
    comes first, so a cluster and its largest sub-cluster start at the same position. Nodes and
    positions of the forest start at ``first``, ranks and the other arrays at 0.

    The rest is memory. ``sizes``, which is 1 before, holds the size of each cluster; ``largest``,
    which is -1 before, the largest child of each node; ``positions`` its position; and ``free``
    the start of its next child, except the largest.
    """
    n = parents.size
    for node in range(n):
        parent = parents[node]
        # A parent comes after all its children, so their sizes are complete.
        if parent >= 0:
            sizes[parent] += sizes[node]
            if largest[parent] < 0 or sizes[node] > sizes[largest[parent]]:
                largest[parent] = node
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
        position = start + sizes[node] - 1
        positions[node] = position
        elements[position] = order[node] + first
        starts[position] = start + first
        parents_at[position] = positions[parent] + first if parent >= 0 else -1
        free[node] = start
        if largest[node] >= 0:
            free[node] += sizes[largest[node]]
