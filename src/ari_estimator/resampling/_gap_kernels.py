"""Compiled loops of statistics with gaps, imported when first needed."""

from __future__ import annotations

import numpy as np
from numba import njit

from ari_estimator.resampling._equivalent_normal import Polynomial
from ari_estimator.resampling._normal_value_kernels import log1p_of, scaled_df, write_polynomial

_TILE = 256

# A smaller rest of the sum of squares has lost digits.
_LEAST_REST = 1 / 3


@njit(cache=True, error_model="numpy")
def invert_factors(
    constant: np.ndarray,
    varying: np.ndarray,
    coefficients: np.ndarray,
    n_fixed: int,
    rank: int,
    least: float,
    inverses: np.ndarray,
    n_columns: np.ndarray,
    sums: np.ndarray,
) -> None:
    """Decompose the products of the columns of designs with gaps, and invert the factors.

    The products of columns in the rows present are ``constant``, of shape (n_products,
    n_patterns), plus ``coefficients`` times ``varying``, which differ between draws. Cholesky's
    decomposition leaves out columns that are sums of those before. The inverse of the factor of
    the columns after the first ``n_fixed`` goes to ``inverses``, one triangle after another.
    ``n_columns`` counts independent columns. If a direction of the contrast is not among them, the
    inverse is 0. ``sums`` is the largest sum of sizes in a row of the inverse.
    """
    n_products, n_patterns = constant.shape
    size = 0
    while size * (size + 1) // 2 < n_products:
        size += 1
    n_draws = n_columns.shape[0]
    n_varying = coefficients.shape[1]
    factor = np.zeros((size, size))
    inverse = np.zeros((size, size))
    for draw in range(n_draws):
        for pattern in range(n_patterns):
            count = 0
            is_estimable = True
            product = 0
            for i in range(size):
                for j in range(i + 1):
                    value = constant[product, pattern]
                    for k in range(n_varying):
                        value += coefficients[product, k] * varying[k, draw, pattern]
                    product += 1
                    for k in range(j):
                        value -= factor[i, k] * factor[j, k]
                    if i > j:
                        factor[i, j] = value * inverse[j, j]
                    elif value > least:
                        factor[i, i] = np.sqrt(value)
                        inverse[i, i] = 1 / factor[i, i]
                        count += 1
                    else:
                        factor[i, i] = 0.0
                        inverse[i, i] = 0.0
                        is_estimable = is_estimable and i < size - rank
            largest = 0.0
            place = 0
            for i in range(n_fixed, size):
                total = inverse[i, i]
                for j in range(i - 1, n_fixed - 1, -1):
                    value = 0.0
                    for k in range(j, i):
                        value += factor[i, k] * inverse[k, j]
                    inverse[i, j] = -value * inverse[i, i]
                    total += abs(inverse[i, j])
                for j in range(n_fixed, i + 1):
                    inverses[place, draw, pattern] = inverse[i, j] if is_estimable else 0.0
                    place += 1
                largest = max(largest, total)
            n_columns[draw, pattern] = count
            sums[draw, pattern] = largest


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def correlate(
    products: np.ndarray,
    inverses: np.ndarray,
    pattern_of: np.ndarray,
    sums: np.ndarray,
    rank: int,
    has_sign: bool,
    largest_sum: float,
    out: np.ndarray,
    is_accurate: np.ndarray,
) -> None:
    """Write partial correlations of residuals of length 1, and whether they are accurate."""
    size, n_draws, n_elements = products.shape
    n_of_inverse, n_patterns = sums.shape
    zero, one = products.dtype.type(0), products.dtype.type(1)
    least = products.dtype.type(_LEAST_REST)
    work = np.empty(_TILE, products.dtype)
    rest = np.empty(_TILE, products.dtype)
    quadratic = np.empty(_TILE, products.dtype)
    needed = np.empty(n_patterns, products.dtype)
    for draw in range(n_draws):
        of_draw = draw if n_of_inverse > 1 else 0
        if draw == of_draw:
            for pattern in range(n_patterns):
                # A rest is never larger than 2.
                is_safe = sums[of_draw, pattern] < largest_sum
                needed[pattern] = least if is_safe else one + one
        for start in range(0, n_elements, _TILE):
            n = min(_TILE, n_elements - start)
            patterns = pattern_of[start : start + n]
            rest[:n] = one
            quadratic[:n] = zero
            place = 0
            for i in range(size):
                work[:n] = zero
                for j in range(i + 1):
                    of_patterns = inverses[place, of_draw]
                    values = products[j, draw, start : start + n]
                    place += 1
                    for element in range(n):
                        work[element] += of_patterns[patterns[element]] * values[element]
                if i < size - rank:
                    for element in range(n):
                        rest[element] -= work[element] * work[element]
                else:
                    for element in range(n):
                        quadratic[element] += work[element] * work[element]
            correlations = out[draw, start : start + n]
            accurate = is_accurate[draw, start : start + n]
            for element in range(n):
                correlations[element] = np.sqrt(quadratic[element] / max(rest[element], least))
            for element in range(n):
                accurate[element] = rest[element] > needed[patterns[element]]
            if has_sign:
                for element in range(n):
                    if work[element] < zero:
                        correlations[element] = -correlations[element]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def to_normal(
    correlations: np.ndarray,
    is_accurate: np.ndarray,
    pattern_of: np.ndarray,
    n_present: np.ndarray,
    n_columns: np.ndarray,
    has_sign: bool,
    most_slope: np.float32,
    polynomial: Polynomial,
) -> None:
    """Replace correlations by normal values with their p-values, see EquivalentNormal."""
    n_draws, n_elements = correlations.shape
    n_of_columns = n_columns.shape[0]
    zero, one, tiny = np.float32(0), np.float32(1), np.float32(1e-30)
    small = np.float32(1e-12)
    per_df = np.empty(_TILE, np.float32)
    work = np.empty(_TILE, np.float32)
    other = np.empty(_TILE, np.float32)
    left = np.empty(_TILE, np.float32)
    for draw in range(n_draws):
        columns = n_columns[draw if n_of_columns > 1 else 0]
        for start in range(0, n_elements, _TILE):
            n = min(_TILE, n_elements - start)
            patterns = pattern_of[start : start + n]
            values = correlations[draw, start : start + n]
            accurate = is_accurate[draw, start : start + n]
            for i in range(n):
                pattern = patterns[i]
                per_df[i] = one / np.float32(max(n_present[pattern] - columns[pattern], 1))
                left[i] = max((one - values[i]) * (one + values[i]), tiny)
                work[i] = values[i] * values[i] / left[i]
            for i in range(n):
                work[i] = np.sqrt(log1p_of(work[i]) / per_df[i])
                # The slope of the normal value; it is safe for small values.
                slope_enough = abs(values[i]) <= most_slope * per_df[i] * work[i] * left[i] + small
                accurate[i] = accurate[i] and slope_enough
                work[i] = min(work[i] * polynomial.per_w - one, one)
                per_df[i] = scaled_df(per_df[i], polynomial)
            write_polynomial(work, per_df, polynomial.coefficients, other, n)
            for i in range(n):
                size = other[i] if other[i] > zero else zero
                values[i] = -size if has_sign and values[i] < zero else size
