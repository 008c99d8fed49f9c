"""Compiled search for the smallest k-separator of a small graph."""

from __future__ import annotations

import numpy as np
from numba import njit

# Steps after which the search gives up: what it has excluded by then holds.
_MOST_STEPS = 3000


@njit(cache=True)
def _piece(near: np.ndarray, alive: int, most: int) -> int:
    """Return a connected piece of at most so many nodes, as bits, from the first node on."""
    piece = alive & -alive
    n = 1
    edge = piece
    while edge and n < most:
        reached = 0
        node = 0
        rest = edge
        while rest:
            if rest & 1:
                reached |= near[node]
            rest >>= 1
            node += 1
        edge = reached & alive & ~piece
        # Only as many as there is room for.
        taken = 0
        while edge and n < most:
            bit = edge & -edge
            taken |= bit
            edge ^= bit
            n += 1
        piece |= taken
        edge = taken
    return piece if n >= most else -piece


@njit(cache=True)
def _large_pieces(near: np.ndarray, alive: int, k: int) -> tuple[int, int]:
    """Return the number of disjoint pieces of more than k nodes found, and the first piece."""
    count, first = 0, 0
    while alive:
        piece = _piece(near, alive, k + 1)
        if piece < 0:
            piece = -piece
        else:
            count += 1
            if first == 0:
                first = piece
        alive &= ~piece
    return count, first


@njit(cache=True)
def smallest_separator(near: np.ndarray, k: int, at_least: int) -> int:
    """Return the size of the smallest k-separator of a graph, or a lower bound.

    ``near[i]`` has a bit for each neighbour of node i, of at most 30 nodes. ``at_least`` is a
    known lower bound. A separator has a node in each connected piece of ``k + 1`` nodes, so the
    search tries the nodes of one piece after the other.
    """
    n = near.size
    everything = (1 << n) - 1
    # A branch: the nodes that remain, the nodes that stay, and how many may be removed.
    alive = np.empty(n * (k + 1) + 2, dtype=np.int64)
    staying = np.empty_like(alive)
    allowed = np.empty_like(alive)
    n_steps = 0
    for bound in range(at_least, n):
        alive[0], staying[0], allowed[0] = everything, 0, bound
        n_branches = 1
        found = False
        while n_branches:
            n_branches -= 1
            rest, kept, n_left = alive[n_branches], staying[n_branches], allowed[n_branches]
            n_steps += 1
            if n_steps > _MOST_STEPS:
                return bound
            count, piece = _large_pieces(near, rest, k)
            if count == 0:
                found = True
                break
            if count > n_left:
                continue
            choices = piece & ~kept
            while choices:
                bit = choices & -choices
                choices ^= bit
                alive[n_branches], staying[n_branches] = rest & ~bit, kept
                allowed[n_branches] = n_left - 1
                n_branches += 1
                kept |= bit
        if found:
            return bound
    return n
