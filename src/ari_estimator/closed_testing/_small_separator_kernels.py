"""Compiled search for the smallest k-separator of a small graph.

Sets of nodes are integers, with a bit for each node.
"""

from __future__ import annotations

import numpy as np
from numba import njit

# Graphs have at most this many nodes, so that their bits fit into an integer with a sign.
MOST_NODES = 62


@njit(cache=True)
def _number(bit: int) -> int:
    """Return the number of the node of a single bit."""
    number = 0
    for step in (32, 16, 8, 4, 2, 1):
        if bit >> step:
            bit >>= step
            number += step
    return number


@njit(cache=True)
def _piece(near: np.ndarray, alive: int, preferred: int, most: int) -> tuple[int, int]:
    """Return a connected piece of at most so many of the nodes alive, and its size.

    It starts at a preferred node and takes preferred nodes first.
    """
    piece, n, edge = 0, 0, alive
    while edge and n < most:
        choice = edge & preferred
        if choice == 0:
            choice = edge
        bit = choice & -choice
        if n == 0:
            edge = 0
        piece |= bit
        edge = (edge | near[_number(bit)]) & alive & ~piece
        n += 1
    return piece, n


@njit(cache=True)
def _large_pieces(near: np.ndarray, alive: int, preferred: int, k: int) -> tuple[int, int]:
    """Return the number of disjoint pieces of more than k nodes found, and the first piece."""
    count, first = 0, 0
    while alive:
        piece, n = _piece(near, alive, preferred, k + 1)
        if n > k:
            count += 1
            if first == 0:
                first = piece
        alive &= ~piece
    return count, first


@njit(cache=True)
def smallest_separator(near: np.ndarray, k: int, at_least: int, most_steps: int) -> int:
    """Return the size of the smallest k-separator of a connected graph, or a lower bound.

    ``near[i]`` has the bits of the neighbours of node i. ``at_least`` is a known lower bound. A
    separator has a node in each connected piece of ``k + 1`` nodes. So the search removes the nodes
    of one piece in turn, and gives up after ``most_steps``: the sizes that it has excluded by then
    are too small.
    """
    n = near.size
    # A branch: the nodes that remain, the ones that must stay, and how many may be removed.
    alive = np.empty(n * (k + 1) + 2, dtype=np.int64)
    staying = np.empty_like(alive)
    allowed = np.empty_like(alive)
    n_steps = 0
    for bound in range(at_least, n):
        alive[0], staying[0], allowed[0] = (1 << n) - 1, 0, bound
        n_branches = 1
        while n_branches:
            n_branches -= 1
            rest, kept, n_left = alive[n_branches], staying[n_branches], allowed[n_branches]
            n_steps += 1
            if n_steps > most_steps:
                return bound
            count, piece = _large_pieces(near, rest, kept, k)
            if count == 0:
                return bound
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
    return n
