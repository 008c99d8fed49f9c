"""The compiled loop of v and G for designs with one column in each variance group.

It is imported when first needed. All steps handle a tile of elements at a time, see
``_normal_value_kernels``.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ari_estimator.resampling._normal_value_kernels import TILE, write_normal_values


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def values_of_means(
    products: np.ndarray,
    squares: np.ndarray,
    relation: np.ndarray,
    direction: np.ndarray,
    df: np.ndarray,
    rank: int,
    needed_of_own: np.ndarray,
    needed_of_total: np.ndarray,
    most_scale: np.float32,
    has_sign: bool,
    lowest_v: np.float32,
    per_v: np.float32,
    per_w: np.float32,
    is_odd: bool,
    coefficients: np.ndarray,
    out: np.ndarray,
    is_accurate: np.ndarray,
) -> None:
    """Write normal values, and whether they are accurate.

    The last group may be missing in products and squares. Then the products times ``relation``
    add up to 0, and the sums of squares to 1.

    With rank 1, the estimate is the sum of products times ``direction``. With rank k - 1 for k
    groups, ``relation`` is the coordinate of the nuisance.
    """
    n_groups = relation.size
    n_given = products.shape[0]
    n_squares = squares.shape[0]
    n_rows, n_elements = out.shape
    zero, one, tiny = np.float32(0), np.float32(1), np.float32(1e-30)
    # The variance of each group, and then its weight.
    variances = np.empty((n_groups, TILE), np.float32)
    last_product = np.empty(TILE, np.float32)
    last_squares = np.empty(TILE, np.float32)
    total = np.empty(TILE, np.float32)
    digits = np.empty(TILE, np.float32)
    estimates = np.empty(TILE, np.float32)
    forms = np.empty(TILE, np.float32)
    sums = np.empty(TILE, np.float32)
    scale = np.empty(TILE, np.float32)
    memory = np.empty((2, TILE), np.float32)
    per_welch = np.float32(3 / (rank * (rank + 2)))
    correction = np.float32(2 * (rank - 1) / (rank * (rank + 2)))
    for row in range(n_rows):
        of_squares = 0 if squares.shape[1] == 1 else row
        for start in range(0, n_elements, TILE):
            n = min(TILE, n_elements - start)
            stop = start + n
            total[:n] = zero
            for group in range(n_squares):
                given_squares = squares[group, of_squares, start:stop]
                for i in range(n):
                    total[i] += given_squares[i]
            if n_squares < n_groups:
                for i in range(n):
                    last_squares[i] = one - total[i]
                    total[i] = one
            if n_given < n_groups:
                last_product[:n] = zero
                for group in range(n_given):
                    part = -relation[group] / relation[n_given]
                    product = products[group, row, start:stop]
                    for i in range(n):
                        last_product[i] += part * product[i]
            # Above 0 where all steps so far kept enough digits.
            digits[:n] = one
            estimates[:n] = zero
            forms[:n] = zero
            sums[:n] = zero
            scale[:n] = zero
            for group in range(n_groups):
                own_squares = last_squares[:n]
                if group < n_squares:
                    own_squares = squares[group, of_squares, start:stop]
                product = last_product[:n]
                if group < n_given:
                    product = products[group, row, start:stop]
                variance = variances[group]
                of_own, of_total = needed_of_own[group], needed_of_total[group]
                per_df = one / df[group]
                # The sum of weights, the inverse variances, is at most the largest scale.
                lowest = max(df[group] * n_groups / most_scale, tiny)
                # A loop with many arrays would not become vector code.
                for i in range(n):
                    rest = own_squares[i] - product[i] * product[i]
                    needed = max(of_own * own_squares[i] + of_total * total[i], lowest)
                    digits[i] = min(digits[i], rest - needed)
                    variance[i] = per_df * max(rest, needed)
                if rank == 1:
                    along = direction[group]
                    for i in range(n):
                        share = along * along * variance[i]
                        scale[i] += share
                        sums[i] += per_df * share * share
                    for i in range(n):
                        estimates[i] += along * product[i]
                else:
                    of_nuisance = relation[group]
                    for i in range(n):
                        variance[i] = one / variance[i]
                    for i in range(n):
                        along_nuisance = of_nuisance * variance[i]
                        sums[i] += of_nuisance * along_nuisance
                        estimates[i] += along_nuisance * product[i]
            if rank == 1:
                for i in range(n):
                    per_variance = one / scale[i]
                    scale[i] = per_variance
                    sums[i] *= per_variance * per_variance
                    forms[i] = estimates[i] * estimates[i] * per_variance
            else:
                # From here on, one divided by the sum of weights.
                total_weights = last_squares
                for i in range(n):
                    total_weights[i] = one / sums[i]
                    estimates[i] *= total_weights[i]
                sums[:n] = zero
                for group in range(n_groups):
                    product = last_product[:n]
                    if group < n_given:
                        product = products[group, row, start:stop]
                    weight = variances[group]
                    of_nuisance, per_df = relation[group], one / df[group]
                    for i in range(n):
                        deviation = product[i] - of_nuisance * estimates[i]
                        forms[i] += weight[i] * deviation * deviation
                    for i in range(n):
                        share = one - of_nuisance * of_nuisance * weight[i] * total_weights[i]
                        sums[i] += per_df * share * share
                for i in range(n):
                    forms[i] /= one + correction * sums[i]
                    sums[i] *= per_welch
            accurate, values = is_accurate[row, start:stop], out[row, start:stop]
            for i in range(n):
                accurate[i] = (digits[i] > zero) & (scale[i] < most_scale)
            write_normal_values(
                forms, sums, lowest_v, per_v, per_w, is_odd, coefficients, memory, values
            )
            if has_sign:
                for i in range(n):
                    if estimates[i] < zero:
                        values[i] = -values[i]
