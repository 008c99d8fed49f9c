"""Compiled loop of shared residuals, imported when first needed."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def null_residuals(
    residuals: np.ndarray,
    directions: np.ndarray,
    effects: np.ndarray,
    inverse_norms: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write residuals plus effects along directions, scaled, without arrays in between."""
    rank, n = effects.shape
    for row in range(residuals.shape[0]):
        for i in range(n):
            value = residuals[row, i]
            for j in range(rank):
                value += directions[row, j] * effects[j, i]
            out[row, i] = value * inverse_norms[i]
