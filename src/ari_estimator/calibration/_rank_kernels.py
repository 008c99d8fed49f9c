"""Compiled loop of p-values by rank, imported when first needed, like all of them."""

from __future__ import annotations

import numpy as np
from numba import njit

# Statistics, between -1 and 1, that differ by no more are equal but for rounding.
_ROUNDING = 1e-10


@njit(cache=True)
def count_ranks(
    statistics: np.ndarray, order: np.ndarray, counts: np.ndarray, observed: np.ndarray
) -> None:
    """Count how many statistics of each element are at least as large, in each draw.

    ``statistics`` has a row for each element, which ``order`` sorts. The number for draw b,
    less one, is a column of ``counts``; the ranks of draw 0 are written to ``observed``, too.
    """
    n_elements, n_permutations = statistics.shape
    for i in range(n_elements):
        rank = 0
        for j in range(n_permutations):
            draw = order[i, j]
            if j == 0 or statistics[i, draw] - statistics[i, order[i, j - 1]] > _ROUNDING:
                rank = n_permutations - j
            counts[draw, rank - 1] += 1
            if draw == 0:
                observed[i] = rank
