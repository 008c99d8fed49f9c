"""Compiled loop of shared residuals, imported when first needed."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def null_residuals(
    residuals: np.ndarray,
    first: int,
    directions: np.ndarray,
    effects: np.ndarray,
    inverse_norms: np.ndarray,
    start: int,
    stop: int,
    out: np.ndarray,
) -> None:
    """Write residuals plus effects along directions, scaled, without arrays in between.

    The elements from ``start`` to ``stop`` have their residuals from column ``first`` on. All
    arrays are contiguous, so that the compiler knows that neighbours are next to each other.
    """
    rank, n = effects.shape[0], stop - start
    scales = inverse_norms[start:stop]
    for row in range(residuals.shape[0]):
        written, known = out[row, :n], residuals[row, first : first + n]
        for j in range(rank):
            weight, effect = directions[row, j], effects[j, start:stop]
            if rank == 1:
                for i in range(n):
                    written[i] = (known[i] + weight * effect[i]) * scales[i]
            elif j == 0:
                for i in range(n):
                    written[i] = known[i] + weight * effect[i]
            elif j < rank - 1:
                for i in range(n):
                    written[i] += weight * effect[i]
            else:
                for i in range(n):
                    written[i] = (written[i] + weight * effect[i]) * scales[i]
