"""The compiled loop of v and G statistics in single precision, imported when first needed.

All steps handle a tile of elements at a time, see ``_normal_value_kernels``.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ari_estimator.resampling._equivalent_normal import Polynomial
from ari_estimator.resampling._normal_value_kernels import (
    N_ROWS,
    TILE,
    mark_of,
    write_normal_values,
)


@njit(cache=True, error_model="numpy", fastmath={"contract"}, inline="always")
def _add_square(total: np.ndarray, values: np.ndarray, sign: np.float32, n: int) -> None:
    for i in range(n):
        total[i] += sign * (values[i] * values[i])


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def normal_values(
    products: np.ndarray,
    squares: np.ndarray,
    starts: np.ndarray,
    spill: np.ndarray,
    spill_group: np.ndarray,
    grams: np.ndarray,
    rows: np.ndarray,
    row_starts: np.ndarray,
    to_estimates: np.ndarray,
    df: np.ndarray,
    needed_of_own: np.ndarray,
    needed_of_total: np.ndarray,
    least_part: np.float32,
    most_scale: np.float32,
    are_separate: bool,
    has_sign: bool,
    polynomial: Polynomial,
    out: np.ndarray,
    pitch: int,
) -> int:
    """Write normal values, NaN where they are not accurate. Return the number of NaN.

    Rows of ``out``, an array of one dimension, start at multiples of ``pitch``.

    ``finish`` of :class:`~ari_estimator.resampling.WelchStatistic` does the same in double
    precision.
    """
    n_groups, size, rank = grams.shape[0], grams.shape[1], to_estimates.shape[0]
    _, n_rows, n_elements = products.shape
    first = size - rank
    zero, half, one, two = np.float32(0), np.float32(0.5), np.float32(1), np.float32(2)
    tiny = np.float32(1e-30)
    weights = np.empty((n_groups, TILE), np.float32)
    total = np.empty(TILE, np.float32)
    work = np.empty(TILE, np.float32)
    factors = np.empty((size, size, TILE), np.float32)
    reciprocals = np.empty((size, TILE), np.float32)
    estimates = np.empty((rank, TILE), np.float32)
    inverse = np.empty((rank, size, TILE), np.float32)
    most_rows = np.diff(row_starts).max()
    shares = np.empty((most_rows, rank, TILE), np.float32)
    squared = np.empty(TILE, np.float32)
    quadratic = np.empty(TILE, np.float32)
    scale = np.empty(TILE, np.float32)
    sums = np.empty(TILE, np.float32)
    digits = np.empty(TILE, np.float32)
    welch = np.float32(rank * (rank + 2) / 3)
    per_welch = one / welch
    correction = np.float32(2 * (rank - 1) / (rank * (rank + 2)))
    memory = np.empty((N_ROWS, TILE), np.float32)
    n_nan = 0
    for row in range(n_rows):
        of_squares = 0 if squares.shape[1] == 1 else row
        for start in range(0, n_elements, TILE):
            n = min(TILE, n_elements - start)
            stop = start + n
            # Above 0 where all steps so far kept enough digits.
            digits[:n] = one
            total[:n] = zero
            for group in range(n_groups):
                of_group = squares[group, of_squares, start:stop]
                for i in range(n):
                    total[i] += of_group[i]
            for group in range(n_groups):
                of_group = squares[group, of_squares, start:stop]
                rest = weights[group]
                rest[:n] = of_group
                for vector in range(starts[group], starts[group + 1]):
                    _add_square(rest, products[vector, row, start:stop], np.float32(-1), n)
                for line in range(spill.shape[0]):
                    if spill_group[line] != group:
                        continue
                    work[:n] = zero
                    for vector in range(spill.shape[1]):
                        part = spill[line, vector]
                        values = products[vector, row, start:stop]
                        for i in range(n):
                            work[i] += part * values[i]
                    _add_square(rest, work, one, n)
                own, all_groups = needed_of_own[group], needed_of_total[group]
                for i in range(n):
                    needed = max(own * of_group[i] + all_groups * total[i], tiny)
                    digits[i] = min(digits[i], rest[i] - needed)
                    rest[i] = max(rest[i], needed)
                    if are_separate:
                        rest[i] /= df[group]
                    else:
                        rest[i] = df[group] / rest[i]
            for j in range(rank):
                estimate = estimates[j]
                estimate[:n] = zero
                for vector in range(to_estimates.shape[1]):
                    part = to_estimates[j, vector]
                    values = products[vector, row, start:stop]
                    for i in range(n):
                        estimate[i] += part * values[i]
            for j in range(size):
                for k in range(j, size):
                    factor = factors[k, j]
                    factor[:n] = zero
                    for group in range(n_groups):
                        part = grams[group, k, j]
                        if part == zero:
                            continue
                        weight = weights[group]
                        for i in range(n):
                            factor[i] += part * weight[i]
                    if k == j:
                        work[:n] = factor[:n]
                    for before in range(j):
                        one_factor, other = factors[k, before], factors[j, before]
                        for i in range(n):
                            factor[i] -= one_factor[i] * other[i]
                    if k == j:
                        reciprocal = reciprocals[j]
                        for i in range(n):
                            needed = least_part * work[i]
                            digits[i] = min(digits[i], factor[i] - needed)
                            factor[i] = np.sqrt(max(factor[i], needed))
                            reciprocal[i] = one / factor[i]
                    else:
                        reciprocal = reciprocals[j]
                        for i in range(n):
                            factor[i] *= reciprocal[i]
            # Rows of the inverse of the factors, starting with the last.
            for j in range(first, size):
                own = inverse[j - first]
                own[j + 1 :, :n] = zero
                for k in range(j, -1, -1):
                    value, reciprocal = own[k], reciprocals[k]
                    value[:n] = one if k == j else zero
                    for after in range(k + 1, j + 1):
                        known, factor = own[after], factors[after, k]
                        for i in range(n):
                            value[i] -= known[i] * factor[i]
                    for i in range(n):
                        value[i] *= reciprocal[i]
            quadratic[:n] = zero
            scale[:n] = zero
            for j in range(rank):
                work[:n] = zero
                for k in range(rank):
                    if (k > j) if are_separate else (k < j):
                        continue
                    # Entries of the inverse, or of the transposed factors themselves.
                    root = inverse[j, k] if are_separate else factors[first + k, first + j]
                    estimate = estimates[k]
                    for i in range(n):
                        work[i] += root[i] * estimate[i]
                        scale[i] += root[i] * root[i]
                _add_square(quadratic, work, one, n)
            sums[:n] = zero
            for group in range(n_groups):
                first_line, last_line = row_starts[group], row_starts[group + 1]
                for line in range(first_line, last_line):
                    for j in range(rank):
                        share = shares[line - first_line, j]
                        share[:n] = zero
                        for k in range(size):
                            part = rows[line, k]
                            if part == zero:
                                continue
                            of_inverse = inverse[j, k]
                            for i in range(n):
                                share[i] += part * of_inverse[i]
                # Entries of the group's share in the variance of the estimates: their trace, and
                # the sum of their squares.
                total[:n] = zero
                squared[:n] = zero
                for j in range(rank):
                    for k in range(j + 1):
                        work[:n] = zero
                        for line in range(last_line - first_line):
                            one_share, other = shares[line, j], shares[line, k]
                            for i in range(n):
                                work[i] += one_share[i] * other[i]
                        if j == k:
                            for i in range(n):
                                total[i] += work[i]
                            _add_square(squared, work, one, n)
                        else:
                            _add_square(squared, work, two, n)
                weight = weights[group]
                for i in range(n):
                    squares_of_share = total[i] * total[i] + squared[i]
                    sums[i] += half / df[group] * (weight[i] * weight[i] * squares_of_share)
            if n_groups == 1:
                sums[:n] = welch / df[0]
            elif rank > 1:
                for i in range(n):
                    quadratic[i] /= one + correction * sums[i]
            estimate = estimates[0]
            for i in range(n):
                sign = estimate[i] if has_sign else one
                digits[i] = mark_of(digits[i], scale[i], most_scale, sign)
                sums[i] *= per_welch
            values = out[row * pitch + start : row * pitch + stop]
            n_nan += write_normal_values(quadratic, sums, digits, memory, polynomial, values)
    return n_nan
