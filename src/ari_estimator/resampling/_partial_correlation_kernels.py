"""The compiled loop of partial correlations in single precision, imported when first needed."""

from __future__ import annotations

import numpy as np
from numba import njit

# Elements at a time. Intermediate results stay in the nearest cache of the processor.
_TILE = 1024


@njit(cache=True, error_model="numpy")
def _add_squares(sums: np.ndarray, values: np.ndarray) -> None:
    for i in range(values.size):
        sums[i] += values[i] * values[i]


@njit(cache=True, error_model="numpy")
def write_correlations(
    products: np.ndarray, rank: int, total: np.ndarray, out: np.ndarray, pitch: int
) -> int:
    """Write correlations divided by the root of what the nuisance leaves of a sum of squares.

    ``products``, of shape (n_vectors, n_rows, n_elements), are products with the directions of the
    contrast, ``rank`` of them, and with the nuisance. Rows of ``out``, an array of one dimension,
    start at multiples of ``pitch``. Where too little is left, the result is NaN. Return the number
    of NaN.
    """
    n_vectors, n_rows, n_elements = products.shape
    third, tiny, nan = np.float32(1 / 3), np.float32(1e-30), np.float32(np.nan)
    memory = np.empty((2, _TILE), np.float32)
    n_nan = 0
    for row in range(n_rows):
        of_total = 0 if total.shape[0] == 1 else row
        for start in range(0, n_elements, _TILE):
            n = min(_TILE, n_elements - start)
            stop = start + n
            squares = total[of_total, start:stop]
            sums, values = memory[0, :n], memory[1, :n]
            if rank == 1:
                values = products[0, row, start:stop]
            else:
                values[:] = np.float32(0)
                for direction in range(rank):
                    _add_squares(values, products[direction, row, start:stop])
                for i in range(n):
                    values[i] = np.sqrt(values[i])
            sums[:] = np.float32(0)
            for nuisance in range(rank, n_vectors):
                _add_squares(sums, products[nuisance, row, start:stop])
            written = out[row * pitch + start : row * pitch + stop]
            n_in_tile = np.int32(0)
            for i in range(n):
                # Below the smallest squares of single precision, no digits are left either.
                rest = squares[i] - sums[i]
                is_enough = rest > max(squares[i] * third, tiny)
                written[i] = values[i] / np.sqrt(rest) if is_enough else nan
                n_in_tile += np.int32(not is_enough)
            n_nan += n_in_tile
    return n_nan
