"""Patterns of neighbours on a grid: which of them to visit, so that none is visited in vain."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np
from scipy import ndimage

# A pattern holds a bit for each place of a square of 3 x 3 voxels, in C order.
_BITS = 1 << np.arange(9)

# The place in the middle of a square touches all others, so it comes first.
_BY_USE = [4, 1, 3, 5, 7, 0, 2, 6, 8]

# The product of a power of two and this number has the power in its highest five bits (a sequence
# of de Bruijn).
DE_BRUIJN = 0x077CB531


class GridPatterns(NamedTuple):
    """Tables of the patterns of neighbours that a voxel of a grid may have.

    Neighbours that touch each other are in one cluster already, so it is enough to visit one of
    them. The neighbours lie in three squares of 3 x 3 voxels: the one around the voxel, and the
    ones before and after it.

    Attributes
    ----------
    plane, row : int
        Steps from a slot to the slots of the next plane and of the next row.

    of_side : ndarray of int64 of shape (512,)
        For each pattern of the square before or after a voxel, the places to visit.

    of_middle : ndarray of int64 of shape (512,)
        The same for the square around the voxel.

    apart : ndarray of int64 of shape (512,)
        For each pattern of the square around the voxel, the places of the other squares that touch
        none of its places.

    steps : ndarray of int64 of shape (32,)
        Steps to the 27 slots of the three squares, at the highest bits of the products of powers of
        two with ``DE_BRUIJN``.
    """

    plane: int
    row: int
    of_side: np.ndarray
    of_middle: np.ndarray
    apart: np.ndarray
    steps: np.ndarray


def grid_patterns(n_changes: int, plane: int, row: int) -> GridPatterns:
    """Return the tables of a grid.

    Parameters
    ----------
    n_changes : {1, 2, 3}
        Number of coordinates that may differ by one between neighbours.

    plane, row : int
        Steps from a slot to the slots of the next plane and of the next row.

    Returns
    -------
    patterns : GridPatterns
        The tables.
    """
    steps = np.zeros(32, dtype=np.int64)
    for number, (x, y, z) in enumerate(product((-1, 0, 1), repeat=3)):
        steps[((DE_BRUIJN << number) & 0xFFFFFFFF) >> 27] = x * plane + y * row + z
    return GridPatterns(plane, row, *_places_to_visit(n_changes), steps)


@cache
def _places_to_visit(n_changes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the tables that are the same for all grids."""
    structure = ndimage.generate_binary_structure(3, n_changes)
    squares = (np.arange(512)[:, None] & _BITS > 0).reshape(512, 3, 3)
    around = structure[1].copy()
    around[1, 1] = False
    touched = np.zeros(squares.shape, dtype=bool)
    padded = np.pad(squares & around, ((0, 0), (2, 2), (2, 2)))
    for i, j in np.argwhere(structure[0]):
        touched |= padded[:, i + 1 : i + 4, j + 1 : j + 4]
    return (
        _one_of_each(squares & structure[0], structure[1]),
        _one_of_each(squares & around, structure[1]),
        ~touched.reshape(512, 9) @ _BITS,
    )


def _one_of_each(squares: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    """Return one place of each connected component of each square, as a pattern."""
    within = np.zeros((3, 3, 3), dtype=bool)
    within[1] = neighbours
    labels = ndimage.label(squares, structure=within)[0].reshape(512, 9)[:, _BY_USE]
    numbers, first = np.unique(labels, return_index=True)
    is_first = np.zeros(labels.size, dtype=bool)
    is_first[first[numbers > 0]] = True
    return is_first.reshape(512, 9) @ _BITS[_BY_USE]
