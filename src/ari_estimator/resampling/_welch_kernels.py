"""The compiled loop of v and G statistics in single precision, imported when first needed.

All steps handle a few elements at a time. Intermediate results stay in the nearest cache of the
processor, and the compiler turns each step, a plain loop, into vector code. For this, a division
by 0 must not stop, as in numpy.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ari_estimator.resampling._equivalent_normal import PER_DF

_TILE = 256

_LOG2 = np.float32(0.6931471805599453)


@njit(cache=True, error_model="numpy", fastmath={"contract"}, inline="always")
def _add_square(total: np.ndarray, values: np.ndarray, sign: np.float32, n: int) -> None:
    for i in range(n):
        total[i] += sign * (values[i] * values[i])


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def log1p_in_place(x: np.ndarray, exponents: np.ndarray, n: int) -> None:
    """Replace values by the logarithm of 1 plus them: powers of two, and a series for the rest."""
    one = np.float32(1)
    for i in range(n):
        exponents[i] = one + x[i]
    bits = exponents.view(np.int32)
    for i in range(n):
        # The series converges fastest for a number between 0.75 and 1.5.
        power = (bits[i] - 0x3F400000) >> 23
        scaled_bits = bits[i] - (power << 23)
        bits[i] = scaled_bits
        mantissa = exponents[i]
        # Where 1 + x is not scaled, x has the digits that 1 + x has lost.
        numerator = x[i] if power == 0 else mantissa - one
        s = numerator / (mantissa + one)
        q = s * s
        series = np.float32(1 / 11)
        series = series * q + np.float32(1 / 9)
        series = series * q + np.float32(1 / 7)
        series = series * q + np.float32(1 / 5)
        series = series * q + np.float32(1 / 3)
        series = series * q + one
        x[i] = np.float32(power) * _LOG2 + (s + s) * series


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def write_polynomial(
    x: np.ndarray, y: np.ndarray, coefficients: np.ndarray, out: np.ndarray, n: int
) -> None:
    """Write the values of a polynomial, see :class:`EquivalentNormal`."""
    out[:n] = np.float32(0)
    for k in range(0, coefficients.shape[0], 2):
        a5, a4, a3, a2, a1, a0 = (
            coefficients[k, 0],
            coefficients[k, 1],
            coefficients[k, 2],
            coefficients[k, 3],
            coefficients[k, 4],
            coefficients[k, 5],
        )
        b5, b4, b3, b2, b1, b0 = (
            coefficients[k + 1, 0],
            coefficients[k + 1, 1],
            coefficients[k + 1, 2],
            coefficients[k + 1, 3],
            coefficients[k + 1, 4],
            coefficients[k + 1, 5],
        )
        for i in range(n):
            v = y[i]
            a = ((((a5 * v + a4) * v + a3) * v + a2) * v + a1) * v + a0
            b = ((((b5 * v + b4) * v + b3) * v + b2) * v + b1) * v + b0
            out[i] = (out[i] * x[i] + a) * x[i] + b


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
    least_rest: np.float32,
    least_part: np.float32,
    most_scale: np.float32,
    are_separate: bool,
    has_sign: bool,
    lowest_v: np.float32,
    per_v: np.float32,
    per_w: np.float32,
    coefficients: np.ndarray,
    out: np.ndarray,
    is_accurate: np.ndarray,
) -> None:
    """Write normal values, and whether they are accurate.

    ``finish`` of :class:`~ari_estimator.resampling.WelchStatistic` does the same in double
    precision.
    """
    n_groups, size, rank = grams.shape[0], grams.shape[1], to_estimates.shape[0]
    n_rows, n_elements = out.shape
    first = size - rank
    zero, half, one, two = np.float32(0), np.float32(0.5), np.float32(1), np.float32(2)
    tiny = np.float32(1e-30)
    weights = np.empty((n_groups, _TILE), np.float32)
    least = np.empty(_TILE, np.float32)
    total = np.empty(_TILE, np.float32)
    work = np.empty(_TILE, np.float32)
    factors = np.empty((size, size, _TILE), np.float32)
    reciprocals = np.empty((size, _TILE), np.float32)
    estimates = np.empty((rank, _TILE), np.float32)
    inverse = np.empty((rank, size, _TILE), np.float32)
    most_rows = np.diff(row_starts).max()
    shares = np.empty((most_rows, rank, _TILE), np.float32)
    squared = np.empty(_TILE, np.float32)
    quadratic = np.empty(_TILE, np.float32)
    scale = np.empty(_TILE, np.float32)
    sums = np.empty(_TILE, np.float32)
    digits = np.empty(_TILE, np.float32)
    welch = np.float32(rank * (rank + 2) / 3)
    per_welch = one / welch
    correction = np.float32(2 * (rank - 1) / (rank * (rank + 2)))
    per_df = np.float32(PER_DF)
    for row in range(n_rows):
        of_squares = 0 if squares.shape[1] == 1 else row
        for start in range(0, n_elements, _TILE):
            n = min(_TILE, n_elements - start)
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
                for i in range(n):
                    rest[i] = of_group[i]
                    least[i] = of_group[i]
                for vector in range(starts[group], starts[group + 1]):
                    _add_square(rest, products[vector, row, start:stop], np.float32(-1), n)
                for line in range(spill.shape[0]):
                    if spill_group[line] != group:
                        continue
                    norm = zero
                    work[:n] = zero
                    for vector in range(spill.shape[1]):
                        part = spill[line, vector]
                        norm += part * part
                        values = products[vector, row, start:stop]
                        for i in range(n):
                            work[i] += part * values[i]
                    _add_square(rest, work, one, n)
                    for i in range(n):
                        least[i] = max(least[i], norm * total[i])
                for i in range(n):
                    needed = max(least_rest * least[i], tiny)
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
            # From here on, 1 / df.
            for i in range(n):
                sums[i] *= per_welch
                work[i] = quadratic[i] * sums[i]
            log1p_in_place(work, total, n)
            for i in range(n):
                work[i] = np.sqrt(work[i] / sums[i])
            values, accurate = out[row, start:stop], is_accurate[row, start:stop]
            accurate, values = is_accurate[row, start:stop], out[row, start:stop]
            for i in range(n):
                accurate[i] = (digits[i] > zero) & (scale[i] < most_scale)
                # Coordinates of the polynomial, limited to values that must be distinguished.
                work[i] = min(work[i] * per_w - one, one)
                v = sums[i] / (sums[i] + per_df)
                sums[i] = min(max((v - lowest_v) * per_v - one, -one), one)
            write_polynomial(work, sums, coefficients, total, n)
            for i in range(n):
                # NaN is not above 0.
                values[i] = total[i] if total[i] > zero else zero
            if has_sign:
                estimate = estimates[0]
                for i in range(n):
                    if estimate[i] < zero:
                        values[i] = -values[i]
