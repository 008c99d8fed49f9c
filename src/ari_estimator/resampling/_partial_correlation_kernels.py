"""The compiled loop of partial correlations in single precision, imported when first needed."""

from __future__ import annotations

import numpy as np
from numba import njit

# Elements at a time. Intermediate results stay in the nearest cache of the processor.
_TILE = 1024


@njit(cache=True, error_model="numpy")
def divide_by_rest(
    correlations: np.ndarray, explained: np.ndarray, total: np.ndarray, is_accurate: np.ndarray
) -> None:
    """Divide correlations by the root of what the nuisance leaves of a sum of squares.

    ``explained``, of shape (n_nuisance, n_rows, n_elements), are products with the nuisance. Where
    too little is left, ``is_accurate`` is False and correlations stay as they are.
    """
    n_rows, n_elements = correlations.shape
    one, third, tiny = np.float32(1), np.float32(1 / 3), np.float32(1e-30)
    sums = np.empty(_TILE, np.float32)
    for row in range(n_rows):
        of_total = 0 if total.shape[0] == 1 else row
        for start in range(0, n_elements, _TILE):
            n = min(_TILE, n_elements - start)
            stop = start + n
            squares = total[of_total, start:stop]
            values = correlations[row, start:stop]
            accurate = is_accurate[row, start:stop]
            sums[:n] = np.float32(0)
            for nuisance in range(explained.shape[0]):
                products = explained[nuisance, row, start:stop]
                for i in range(n):
                    sums[i] += products[i] * products[i]
            for i in range(n):
                # Below the smallest squares of single precision, no digits are left either.
                rest = squares[i] - sums[i]
                is_enough = rest > max(squares[i] * third, tiny)
                accurate[i] = is_enough
                values[i] /= np.sqrt(rest) if is_enough else one
