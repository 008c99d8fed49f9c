"""Compiled loops from quadratic forms to normal values, in single precision.

The loops handle a tile of elements at a time. Intermediate results stay in the nearest cache of the
processor, and the compiler turns each step, a plain loop, into vector code. For this, a division
by 0 must not stop, as in numpy.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ari_estimator.resampling._equivalent_normal import PER_DF

# Elements in a tile.
TILE = 256

_LOG2 = np.float32(0.6931471805599453)


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
        a, b = coefficients[k], coefficients[k + 1]
        # A loop for each number of terms: a loop over the terms would be slow.
        if a.size == 2:
            a1, a0, b1, b0 = a[0], a[1], b[0], b[1]
            for i in range(n):
                v = y[i]
                out[i] = (out[i] * x[i] + (a1 * v + a0)) * x[i] + (b1 * v + b0)
        elif a.size == 4:
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


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def write_normal_values(
    forms: np.ndarray,
    per_df: np.ndarray,
    lowest_v: np.float32,
    per_v: np.float32,
    per_w: np.float32,
    is_odd: bool,
    coefficients: np.ndarray,
    work: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the normal values of quadratic forms, rank times F.

    ``forms`` and ``per_df``, one divided by the degrees of freedom, are overwritten. ``work`` is
    memory of shape (2, TILE). The numbers after ``per_df`` are attributes of
    :class:`EquivalentNormal`.
    """
    n = out.size
    one, zero = np.float32(1), np.float32(0)
    unit = np.float32(PER_DF)
    values, roots = work[0], work[1]
    for i in range(n):
        forms[i] *= per_df[i]
    log1p_in_place(forms, values, n)
    # Coordinates of the polynomial, limited to values that must be distinguished.
    if is_odd:
        highest = np.float32(2) / per_w
        for i in range(n):
            square = min(forms[i] / per_df[i], highest)
            roots[i] = np.sqrt(square)
            forms[i] = square * per_w - one
    else:
        for i in range(n):
            forms[i] = min(np.sqrt(forms[i] / per_df[i]) * per_w - one, one)
    for i in range(n):
        v = per_df[i] / (per_df[i] + unit)
        per_df[i] = min(max((v - lowest_v) * per_v - one, -one), one)
    write_polynomial(forms, per_df, coefficients, values, n)
    if is_odd:
        for i in range(n):
            values[i] *= roots[i]
    for i in range(n):
        # NaN is not above 0.
        out[i] = values[i] if values[i] > zero else zero
