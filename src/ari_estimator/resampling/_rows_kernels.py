"""Compiled loop over rows of statistics, imported when first needed."""

from __future__ import annotations

import numpy as np
from numba import njit

# Numbers that are compared at once.
_CHUNK = 256


@njit(cache=True)
def find_nan(memory: np.ndarray, pitch: int, n_rows: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows and columns that are NaN, see ``nan_places``."""
    rows, columns = [np.intp(0) for _ in range(0)], [np.intp(0) for _ in range(0)]
    for row in range(n_rows):
        for start in range(0, n, _CHUNK):
            first = row * pitch + start
            chunk = memory[first : first + min(_CHUNK, n - start)]
            # Most chunks have none. A sum, unlike a condition, is vector code.
            n_nan = np.int32(0)
            for i in range(chunk.size):
                n_nan += np.int32(chunk[i] != chunk[i])
            if n_nan == 0:
                continue
            for i in range(chunk.size):
                if chunk[i] != chunk[i]:
                    rows.append(row)
                    columns.append(start + i)
    return np.array(rows, np.intp), np.array(columns, np.intp)
