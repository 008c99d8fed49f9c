"""The compiled loop of partial correlations in single precision, imported when first needed."""

from __future__ import annotations

import numpy as np
from numba import njit

# Elements at a time. Intermediate results stay in the nearest cache of the processor.
_TILE = 1024


@njit(cache=True, error_model="numpy")
def divide_by_rest(
    correlations: np.ndarray, explained: np.ndarray, total: np.ndarray, out: np.ndarray
) -> int:
    """Write correlations divided by the root of what the nuisance leaves of a sum of squares.

    ``explained``, of shape (n_nuisance, n_rows, n_elements), are products with the nuisance. Where
    too little is left, the result is NaN. Return the number of NaN.
    """
    n_rows, n_elements = correlations.shape
    third, tiny, nan = np.float32(1 / 3), np.float32(1e-30), np.float32(np.nan)
    sums = np.empty(_TILE, np.float32)
    n_nan = 0
    for row in range(n_rows):
        of_total = 0 if total.shape[0] == 1 else row
        for start in range(0, n_elements, _TILE):
            n = min(_TILE, n_elements - start)
            stop = start + n
            squares = total[of_total, start:stop]
            values = correlations[row, start:stop]
            sums[:n] = np.float32(0)
            for nuisance in range(explained.shape[0]):
                products = explained[nuisance, row, start:stop]
                for i in range(n):
                    sums[i] += products[i] * products[i]
            for i in range(n):
                # Below the smallest squares of single precision, no digits are left either.
                rest = squares[i] - sums[i]
                is_enough = rest > max(squares[i] * third, tiny)
                sums[i] = values[i] / np.sqrt(rest) if is_enough else nan
                n_nan += not is_enough
            out[row, start:stop] = sums[:n]
    return n_nan
