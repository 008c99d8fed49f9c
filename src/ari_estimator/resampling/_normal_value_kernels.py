"""Compiled loops from quadratic forms to normal values, in single precision.

The loops handle a tile of elements at a time. Intermediate results stay in the nearest cache of the
processor, and the compiler turns each loop into vector code. For this, a division by 0 must not
stop, as in numpy, and the arrays of a loop must be rows of one array: the compiler then knows that
they do not overlap.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ari_estimator.resampling._equivalent_normal import PER_DF, Polynomial

# Elements in a tile.
TILE = 512

# Rows of memory that the loop to normal values needs.
N_ROWS = 2

_LOG2 = np.float32(0.6931471805599453)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def log1p_of(x: np.float32) -> np.float32:
    """Return the logarithm of 1 plus a value: powers of two, and a series for the rest."""
    one = np.float32(1)
    bits = np.float32(one + x).view(np.int32)
    # The series converges fastest for a number between 0.75 and 1.5.
    power = np.int32(np.int32(bits - np.int32(0x3F400000)) >> np.int32(23))
    mantissa = np.int32(bits - np.int32(power << np.int32(23))).view(np.float32)
    # Where 1 + x is not scaled, x has the digits that 1 + x has lost.
    numerator = x if power == 0 else mantissa - one
    s = numerator / (mantissa + one)
    q = s * s
    series = np.float32(1 / 11)
    series = series * q + np.float32(1 / 9)
    series = series * q + np.float32(1 / 7)
    series = series * q + np.float32(1 / 5)
    series = series * q + np.float32(1 / 3)
    series = series * q + one
    return np.float32(power) * _LOG2 + (s + s) * series


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def scaled_df(per_df: np.float32, polynomial: Polynomial) -> np.float32:
    """Return the second coordinate of the polynomial from one divided by degrees of freedom."""
    one = np.float32(1)
    v = per_df / (per_df + np.float32(PER_DF))
    return min(max((v - polynomial.lowest_v) * polynomial.per_v - one, -one), one)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def mark_of(
    digits: np.float32, scale: np.float32, most_scale: np.float32, estimate: np.float32
) -> np.float32:
    """Return 1 with the sign of an estimate, or NaN where rounding has not left enough digits."""
    is_accurate = (digits > np.float32(0)) & (scale < most_scale)
    return np.copysign(np.float32(1), estimate) if is_accurate else np.float32(np.nan)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _write_polynomial_of_pairs(
    x: np.ndarray, y: np.ndarray, coefficients: np.ndarray, out: np.ndarray, n: int
) -> None:
    """Write the values of a polynomial with two terms in its second coordinate, from zeros."""
    first = coefficients.shape[0] % 4
    if first:
        a1, a0 = coefficients[0, 0], coefficients[0, 1]
        b1, b0 = coefficients[1, 0], coefficients[1, 1]
        for i in range(n):
            out[i] = (a1 * y[i] + a0) * x[i] + (b1 * y[i] + b0)
    # Few operations per number: four powers of x at a time save half of the passes.
    for k in range(first, coefficients.shape[0], 4):
        a1, a0 = coefficients[k, 0], coefficients[k, 1]
        b1, b0 = coefficients[k + 1, 0], coefficients[k + 1, 1]
        c1, c0 = coefficients[k + 2, 0], coefficients[k + 2, 1]
        d1, d0 = coefficients[k + 3, 0], coefficients[k + 3, 1]
        for i in range(n):
            u, v = x[i], y[i]
            value = (out[i] * u + (a1 * v + a0)) * u + (b1 * v + b0)
            out[i] = (value * u + (c1 * v + c0)) * u + (d1 * v + d0)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def write_polynomial(
    x: np.ndarray, y: np.ndarray, coefficients: np.ndarray, out: np.ndarray, n: int
) -> None:
    """Write the values of a polynomial, see :class:`EquivalentNormal`."""
    out[:n] = np.float32(0)
    if coefficients.shape[1] == 2:
        _write_polynomial_of_pairs(x, y, coefficients, out, n)
        return
    for k in range(0, coefficients.shape[0], 2):
        a, b = coefficients[k], coefficients[k + 1]
        # A loop for each number of terms: a loop over the terms would be slow.
        if a.size == 4:
            a3, a2, a1, a0 = a[0], a[1], a[2], a[3]
            b3, b2, b1, b0 = b[0], b[1], b[2], b[3]
            for i in range(n):
                v = y[i]
                first = ((a3 * v + a2) * v + a1) * v + a0
                second = ((b3 * v + b2) * v + b1) * v + b0
                out[i] = (out[i] * x[i] + first) * x[i] + second
        else:
            a5, a4, a3, a2, a1, a0 = a[0], a[1], a[2], a[3], a[4], a[5]
            b5, b4, b3, b2, b1, b0 = b[0], b[1], b[2], b[3], b[4], b[5]
            for i in range(n):
                v = y[i]
                first = ((((a5 * v + a4) * v + a3) * v + a2) * v + a1) * v + a0
                second = ((((b5 * v + b4) * v + b3) * v + b2) * v + b1) * v + b0
                out[i] = (out[i] * x[i] + first) * x[i] + second


@njit(cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
def write_normal_values(
    forms: np.ndarray,
    per_df: np.ndarray,
    marks: np.ndarray,
    memory: np.ndarray,
    polynomial: Polynomial,
    out: np.ndarray,
) -> int:
    """Write the normal values of quadratic forms, rank times F, times their marks.

    ``per_df`` is one divided by the degrees of freedom. Marks are 1, -1 or NaN. These three are
    overwritten. ``memory`` has the shape (N_ROWS, TILE). Return the number of NaN.
    """
    n = out.size
    zero, one = np.float32(0), np.float32(1)
    values, x = memory[0], memory[1]
    # Coordinates of the polynomial, limited to values that must be distinguished.
    if polynomial.is_odd:
        highest = np.float32(2) / polynomial.per_w
        for i in range(n):
            square = min(log1p_of(forms[i] * per_df[i]) / per_df[i], highest)
            marks[i] *= np.sqrt(square)
            x[i] = square * polynomial.per_w - one
            per_df[i] = scaled_df(per_df[i], polynomial)
    else:
        for i in range(n):
            w = np.sqrt(log1p_of(forms[i] * per_df[i]) / per_df[i])
            x[i] = min(w * polynomial.per_w - one, one)
            per_df[i] = scaled_df(per_df[i], polynomial)
    write_polynomial(x, per_df, polynomial.coefficients, values, n)
    # Narrow integers, so that the loop is vector code for as many numbers at once.
    n_nan = np.int32(0)
    for i in range(n):
        value = marks[i] * max(values[i], zero)
        out[i] = value
        n_nan += np.int32(value != value)
    return n_nan
