"""The compiled loop of v and G statistics in single precision, imported when first needed.

All steps are done for a few elements at a time. What is between two steps stays in the nearest
cache of the processor, and each step is a plain loop that the compiler makes vector code of. That
takes divisions that do not stop at 0, as numpy's.
"""

from __future__ import annotations

import numpy as np
from numba import njit

_TILE = 256

_LOG2 = np.float32(0.6931471805599453)


@njit(cache=True, error_model="numpy", inline="always")
def _add_square(total: np.ndarray, values: np.ndarray, sign: np.float32, n: int) -> None:
    for i in range(n):
        total[i] += sign * (values[i] * values[i])


@njit(cache=True, error_model="numpy")
def _log1p(x: np.ndarray, exponents: np.ndarray, n: int) -> None:
    """Replace values by the logarithm of 1 plus them: powers of two, and a series for the rest."""
    one = np.float32(1)
    for i in range(n):
        exponents[i] = one + x[i]
    bits = exponents.view(np.int32)
    for i in range(n):
        # Of a number between 0.75 and 1.5 the series converges fastest.
        power = (bits[i] - 0x3F400000) >> 23
        scaled_bits = bits[i] - (power << 23)
        bits[i] = scaled_bits
        mantissa = exponents[i]
        # Where 1 + x is not scaled, x itself has the digits that 1 + x has lost.
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


@njit(cache=True, error_model="numpy")
def normal_values(
    products: np.ndarray,
    squares: np.ndarray,
    starts: np.ndarray,
    spill: np.ndarray,
    spill_group: np.ndarray,
    grams: np.ndarray,
    to_estimates: np.ndarray,
    df: np.ndarray,
    least_rest: np.float32,
    least_part: np.float32,
    most_scale: np.float32,
    has_sign: bool,
    lowest_u: np.float32,
    per_u: np.float32,
    per_w: np.float32,
    table: np.ndarray,
    out: np.ndarray,
    is_accurate: np.ndarray,
) -> None:
    """Write normal values, and where they are accurate.

    See :class:`~ari_estimator.resampling.WelchStatistic`, whose ``finish`` does the same in
    double precision.
    """
    n_groups, size, rank = grams.shape[0], grams.shape[1], to_estimates.shape[0]
    n_rows, n_elements = out.shape
    first = size - rank
    zero, half, one = np.float32(0), np.float32(0.5), np.float32(1)
    tiny = np.float32(1e-30)
    weights = np.empty((n_groups, _TILE), np.float32)
    least = np.empty(_TILE, np.float32)
    total = np.empty(_TILE, np.float32)
    work = np.empty(_TILE, np.float32)
    factors = np.empty((size, size, _TILE), np.float32)
    estimates = np.empty((rank, _TILE), np.float32)
    inverse = np.empty((rank, size, _TILE), np.float32)
    quadratic = np.empty(_TILE, np.float32)
    scale = np.empty(_TILE, np.float32)
    sums = np.empty(_TILE, np.float32)
    digits = np.empty(_TILE, np.float32)
    welch = np.float32(rank * (rank + 2) / 3)
    correction = np.float32(2 * (rank - 1) / (rank * (rank + 2)))
    n_u, n_w = table.shape[1] - 1, table.shape[0] - 1
    for row in range(n_rows):
        of_squares = 0 if squares.shape[1] == 1 else row
        for start in range(0, n_elements, _TILE):
            n = min(_TILE, n_elements - start)
            stop = start + n
            # Above 0 where all steps so far have kept enough digits.
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
                    rest[i] = df[group] / max(rest[i], needed)
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
                        for i in range(n):
                            needed = least_part * work[i]
                            # In units of the entry, which may be of any size.
                            digits[i] = min(digits[i], (factor[i] - needed) / work[i])
                            factor[i] = np.sqrt(max(factor[i], needed))
                    else:
                        diagonal = factors[j, j]
                        for i in range(n):
                            factor[i] /= diagonal[i]
            quadratic[:n] = zero
            scale[:n] = zero
            for j in range(first, size):
                work[:n] = zero
                for k in range(j, size):
                    factor, estimate = factors[k, j], estimates[k - first]
                    for i in range(n):
                        work[i] += factor[i] * estimate[i]
                        scale[i] += factor[i] * factor[i]
                _add_square(quadratic, work, one, n)
            # Rows of the inverse of the factors, last first.
            for j in range(first, size):
                own = inverse[j - first]
                own[j + 1 :, :n] = zero
                for k in range(j, -1, -1):
                    value, diagonal = own[k], factors[k, k]
                    value[:n] = one if k == j else zero
                    for after in range(k + 1, j + 1):
                        known, factor = own[after], factors[after, k]
                        for i in range(n):
                            value[i] -= known[i] * factor[i]
                    for i in range(n):
                        value[i] /= diagonal[i]
            sums[:n] = zero
            for group in range(n_groups):
                weight = weights[group]
                total[:n] = zero
                for j in range(rank):
                    for k in range(rank):
                        # An entry of the group's share in the variance of the estimates.
                        work[:n] = zero
                        for left in range(size):
                            for right in range(size):
                                part = grams[group, left, right]
                                if part == zero:
                                    continue
                                one_row, other = inverse[j, left], inverse[k, right]
                                for i in range(n):
                                    work[i] += part * one_row[i] * other[i]
                        for i in range(n):
                            work[i] *= weight[i]
                        _add_square(sums, work, half / df[group], n)
                        if j == k:
                            for i in range(n):
                                total[i] += work[i]
                _add_square(sums, total, half / df[group], n)
            if n_groups == 1:
                sums[:n] = welch / df[0]
            elif rank > 1:
                for i in range(n):
                    quadratic[i] /= one + correction * sums[i]
            # From here on, 1 / df.
            for i in range(n):
                sums[i] /= welch
                work[i] = quadratic[i] * sums[i]
            _log1p(work, total, n)
            for i in range(n):
                work[i] = np.sqrt(work[i] / sums[i])
            values, accurate = out[row, start:stop], is_accurate[row, start:stop]
            for i in range(n):
                # NaN is not above 0, and so is no place outside of the table.
                x, y = work[i] * per_w, (sums[i] - lowest_u) * per_u
                x, y = x if x > zero else zero, y if y > zero else zero
                x, y = min(x, np.float32(n_w)), min(y, np.float32(n_u))
                cell, line = min(int(x), n_w - 1), min(int(y), n_u - 1)
                across, along = x - np.float32(cell), y - np.float32(line)
                left, right = table[cell, line], table[cell, line + 1]
                near = left + along * (right - left)
                left, right = table[cell + 1, line], table[cell + 1, line + 1]
                far = left + along * (right - left)
                values[i] = near + across * (far - near)
                accurate[i] = (digits[i] > zero) & (scale[i] < most_scale)
            if has_sign:
                estimate = estimates[0]
                for i in range(n):
                    if estimate[i] < zero:
                        values[i] = -values[i]
