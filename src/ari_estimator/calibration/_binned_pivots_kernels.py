"""Compiled loops of binned pivotal statistics, imported when first needed."""

from __future__ import annotations

import numpy as np
from numba import njit

# Statistics that are compared with a range at once.
_CHUNK = 64


@njit(cache=True)
def count_in_bins(
    statistics: np.ndarray,
    is_absolute: bool,
    top: np.float32,
    scale: np.float32,
    counts: np.ndarray,
) -> None:
    """Add the number of statistics in each bin to counts, bins going down from the top."""
    last = np.int32(counts.shape[1] - 1)
    for row in range(statistics.shape[0]):
        values = statistics[row]
        in_row = counts[row]
        for i in range(values.size):
            value = values[i]
            if is_absolute:
                value = abs(value)
            j = np.int32((top - value) * scale)
            in_row[min(max(j, np.int32(0)), last)] += 1


@njit(cache=True)
def _range_of(
    wanted: np.ndarray, top: np.float32, scale: np.float32
) -> tuple[np.float32, np.float32]:
    """Return a range of statistics with all wanted bins, and one bin more at each end."""
    last = wanted.size - 1
    highest, lowest = np.inf, -np.inf
    j = 0
    while not wanted[j]:
        j += 1
    if j > 0:
        highest = top - (j - 1) / scale
    j = last
    while not wanted[j]:
        j -= 1
    if j < last:
        lowest = top - (j + 2) / scale
    return np.float32(lowest), np.float32(highest)


@njit(cache=True)
def collect_from_bins(
    statistics: np.ndarray,
    is_absolute: bool,
    top: np.float32,
    scale: np.float32,
    wanted: np.ndarray,
    first: np.ndarray,
    collected: np.ndarray,
) -> None:
    """Write the statistics in the wanted bins one after another, starting at the row's place."""
    last = np.int32(wanted.shape[1] - 1)
    for row in range(statistics.shape[0]):
        place, end = first[row], first[row + 1]
        if place == end:
            continue
        values = statistics[row]
        in_row = wanted[row]
        lowest, highest = _range_of(in_row, top, scale)
        for start in range(0, values.size, _CHUNK):
            chunk = values[start : start + _CHUNK]
            # Most chunks have no statistic near the wanted bins. A sum, unlike a condition, is
            # vector code.
            n_near = 0
            for i in range(chunk.size):
                value = abs(chunk[i]) if is_absolute else chunk[i]
                n_near += (value >= lowest) & (value <= highest)
            if n_near == 0:
                continue
            for i in range(chunk.size):
                value = abs(chunk[i]) if is_absolute else chunk[i]
                j = np.int32((top - value) * scale)
                if in_row[min(max(j, np.int32(0)), last)]:
                    collected[place] = value
                    place += 1
