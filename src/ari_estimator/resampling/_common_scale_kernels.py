"""Compiled loop of the common scale, imported when first needed."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def look_up(
    statistics: np.ndarray,
    is_absolute: bool,
    lowest: np.float32,
    per_unit: np.float32,
    table: np.ndarray,
) -> None:
    """Replace statistics by the interpolated values of a table with points at equal distances."""
    last = np.int32(table.size - 2)
    for row in range(statistics.shape[0]):
        for i in range(statistics.shape[1]):
            value = statistics[row, i]
            if is_absolute:
                value = abs(value)
            place = (value - lowest) * per_unit
            place = min(max(place, np.float32(0)), np.float32(last + 1))
            cell = min(np.int32(place), last)
            share = place - np.float32(cell)
            statistics[row, i] = table[cell] + share * (table[cell + 1] - table[cell])
