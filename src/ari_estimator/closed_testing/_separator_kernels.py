"""Compiled loops behind :class:`ari_estimator.closed_testing._separators.Separators`.

This module imports numba, which takes noticeable time, so it is imported only when needed.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ari_estimator.closed_testing._isoperimetric_kernels import _root, isoperimetric_bounds
from ari_estimator.closed_testing._small_separator_kernels import MOST_NODES, smallest_separator

# Components of at most this many elements are searched for their smallest separator until it is
# found. There are at most 12! / (6! 6!) = 924 sets of one size, each with few steps.
_SMALL = 12
_UNTIL_FOUND = 100_000

# Larger components are searched for a short time, which often adds 1 to the bound. The search takes
# bits for elements.
_FEW_STEPS = 100


@njit(cache=True)
def _visit(
    first: int,
    mark: np.ndarray,
    starts: np.ndarray,
    neighbours: np.ndarray,
    turn: int,
    seen: np.ndarray,
    pointer: np.ndarray,
    found: np.ndarray,
    parents: np.ndarray,
) -> int:
    """Visit a component depth first, and return its size.

    ``found`` receives its elements in the order of the visit, ``parents`` the place of the parent
    of each in that order, and ``seen`` the number of the visit, ``turn``. Neighbours are taken from
    the last to the first in odd turns.
    """
    is_odd = turn % 2 == 1
    n_found = 1
    found[0] = first
    parents[0] = -1
    seen[first] = turn
    pointer[0] = starts[first]
    current = 0
    while current >= 0:
        node = found[current]
        deeper = -1
        while pointer[current] < starts[node + 1]:
            at = pointer[current]
            pointer[current] += 1
            if is_odd:
                at = starts[node] + starts[node + 1] - 1 - at
            other = neighbours[at]
            if mark[other] == mark[node] and seen[other] != turn:
                deeper = other
                break
        if deeper < 0:
            current = parents[current]
        else:
            found[n_found] = deeper
            parents[n_found] = current
            seen[deeper] = turn
            pointer[n_found] = starts[deeper]
            current = n_found
            n_found += 1
    return n_found


@njit(cache=True)
def _n_pieces(parents: np.ndarray, n: int, k: int, sizes: np.ndarray) -> int:
    """Return the largest number of disjoint pieces of more than k nodes of a tree.

    Parents come before their children. From the leaves on, a piece is cut off as soon as it is
    large enough.
    """
    n_pieces = 0
    sizes[:n] = 1
    for node in range(n - 1, -1, -1):
        if sizes[node] > k:
            n_pieces += 1
        elif parents[node] >= 0:
            sizes[parents[node]] += sizes[node]
    return n_pieces


@njit(cache=True)
def _search(
    elements: np.ndarray,
    mark: np.ndarray,
    starts: np.ndarray,
    neighbours: np.ndarray,
    place: np.ndarray,
    k: int,
    at_least: int,
) -> int:
    """Return the size of the smallest k-separator of a small component, or a lower bound."""
    most_steps = _UNTIL_FOUND if elements.size <= _SMALL else _FEW_STEPS
    near = np.zeros(elements.size, dtype=np.int64)
    for i, element in enumerate(elements):
        place[element] = i
    for i, element in enumerate(elements):
        for at in range(starts[element], starts[element + 1]):
            other = neighbours[at]
            if mark[other] == mark[element]:
                near[i] |= 1 << place[other]
    return smallest_separator(near, k, at_least, most_steps)


@njit(cache=True)
def largest_components(
    members: np.ndarray,
    set_starts: np.ndarray,
    n_above: int,
    starts: np.ndarray,
    neighbours: np.ndarray,
) -> np.ndarray:
    """Return the size of the largest component of each set."""
    largest = np.zeros(set_starts.size - 1, dtype=np.int64)
    mark = np.full(n_above, -1, dtype=np.int32)
    seen = np.zeros(n_above, dtype=np.int32)
    pointer = np.empty(n_above, dtype=np.int64)
    found, parents = np.empty_like(pointer), np.empty_like(pointer)
    for number in range(largest.size):
        own = members[set_starts[number] : set_starts[number + 1]]
        for member in own:
            mark[member] = number
            seen[member] = 0
        for member in own:
            if seen[member] == 0:
                size = _visit(member, mark, starts, neighbours, 1, seen, pointer, found, parents)
                largest[number] = max(largest[number], size)
    return largest


@njit(cache=True)
def separator_bounds(
    members: np.ndarray,
    set_starts: np.ndarray,
    n_above: int,
    ks: np.ndarray,
    starts: np.ndarray,
    neighbours: np.ndarray,
    grid: np.ndarray,
    densest: np.ndarray,
) -> np.ndarray:
    """Return a lower bound on the size of the smallest k-separator of each set.

    The members of set i are ``members[set_starts[i] : set_starts[i + 1]]``, ascending, and its k
    is ``ks[i]``. The neighbours of element i are ``neighbours[starts[i] : starts[i + 1]]``.
    ``grid`` has the neighbours by their steps, or no row without a grid.
    """
    bounds = np.zeros(set_starts.size - 1, dtype=np.int64)
    mark = np.full(n_above, -1, dtype=np.int32)
    seen = np.zeros(n_above, dtype=np.int32)
    pointer = np.empty(n_above, dtype=np.int64)
    found, parents, sizes = np.empty_like(pointer), np.empty_like(pointer), np.empty_like(pointer)
    packed, best, up = np.empty_like(pointer), np.empty_like(pointer), np.empty_like(pointer)
    firsts = np.empty_like(pointer)
    for number in range(bounds.size):
        k = ks[number]
        own = members[set_starts[number] : set_starts[number + 1]]
        if own.size <= k:
            continue
        if k == 0:
            bounds[number] = own.size
            continue
        for member in own:
            mark[member] = number
            seen[member] = 0
        total = 0
        n_firsts = 0
        for member in own:
            if mark[member] != number or seen[member] > 0:
                continue
            turn = 1
            n = _visit(member, mark, starts, neighbours, turn, seen, pointer, found, parents)
            pieces = _n_pieces(parents, n, k, sizes)
            if pieces < n // (k + 1):
                turn = 2
                _visit(member, mark, starts, neighbours, turn, seen, pointer, found, parents)
                pieces = max(pieces, _n_pieces(parents, n, k, sizes))
            if k < n <= MOST_NODES:
                pieces = _search(found[:n], mark, starts, neighbours, pointer, k, pieces)
            if n <= max(k, _SMALL) or grid.shape[0] == 0:
                total += pieces
                for i in range(n):
                    mark[found[i]] = -1
            else:
                packed[n_firsts] = pieces
                firsts[n_firsts] = member
                n_firsts += 1
        if n_firsts:
            n_voxels = 0
            voxels = np.empty(own.size, dtype=np.int64)
            for member in own:
                if mark[member] == number:
                    voxels[n_voxels] = member
                    n_voxels += 1
            isoperimetric_bounds(
                voxels[:n_voxels], mark, grid, densest[k], pointer, found, sizes, up, best
            )
            for i in range(n_firsts):
                total += max(packed[i], best[_root(up, firsts[i])])
        bounds[number] = total
    return bounds
