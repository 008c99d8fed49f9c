"""Compiled loops of the common scale, imported when first needed."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def look_up(
    memory: np.ndarray,
    pitch: int,
    n_rows: int,
    n: int,
    is_absolute: bool,
    lowest: np.float32,
    per_unit: np.float32,
    table: np.ndarray,
) -> None:
    """Replace statistics by the interpolated values of a table with points at equal distances.

    Rows of the memory, an array of one dimension, start at multiples of ``pitch``.
    """
    last = np.int32(table.size - 2)
    for row in range(n_rows):
        statistics = memory[row * pitch : row * pitch + n]
        for i in range(n):
            value = statistics[i]
            if is_absolute:
                value = abs(value)
            place = (value - lowest) * per_unit
            place = min(max(place, np.float32(0)), np.float32(last + 1))
            cell = min(np.int32(place), last)
            share = place - np.float32(cell)
            statistics[i] = table[cell] + share * (table[cell + 1] - table[cell])


@njit(cache=True)
def interpolate(
    statistics: np.ndarray, is_absolute: bool, points: np.ndarray, table: np.ndarray
) -> np.ndarray:
    """Return the interpolated values of a table, in double precision.

    They equal the values of ``np.interp``. This loop need not search for the cell of a statistic,
    because the points have equal distances.
    """
    values = np.empty(statistics.shape)
    last = table.size - 2
    lowest, highest = points[0], points[-1]
    per_unit = (last + 1) / (highest - lowest)
    for row in range(statistics.shape[0]):
        for i in range(statistics.shape[1]):
            value = statistics[row, i]
            if is_absolute:
                value = abs(value)
            if value >= highest or value <= lowest:
                values[row, i] = table[-1] if value >= highest else table[0]
                continue
            cell = min(int((value - lowest) * per_unit), last)
            # Rounding may lead to a neighbour.
            while value < points[cell]:
                cell -= 1
            while value >= points[cell + 1]:
                cell += 1
            slope = (table[cell + 1] - table[cell]) / (points[cell + 1] - points[cell])
            values[row, i] = slope * (value - points[cell]) + table[cell]
    return values
