"""Compiled loop of p-values by rank, imported when first needed."""

from __future__ import annotations

import numpy as np
from numba import njit

# Statistics between -1 and 1 count as equal if they differ by no more than this.
_ROUNDING = 1e-10


@njit(cache=True)
def count_ranks(
    statistics: np.ndarray, order: np.ndarray, counts: np.ndarray, observed: np.ndarray
) -> None:
    """Count how many statistics of each element are at least as large, in each draw.

    ``statistics`` has a row for each element, which ``order`` sorts. The number for draw b
    minus 1 is a column of ``counts``. The ranks of draw 0 are also written to ``observed``.
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
