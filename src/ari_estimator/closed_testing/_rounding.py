"""Rounding of lower bounds."""

from __future__ import annotations

import math


def rounded_down(bound: float, digits: int) -> float:
    """Return a lower bound rounded such that it stays one.

    Parameters
    ----------
    bound : float
        The bound.

    digits : int
        Digits after the decimal point.

    Returns
    -------
    rounded : float
        At most the bound. NaN stays NaN.
    """
    if math.isnan(bound):
        return bound
    # Rounded before, lest 0.57 fall short of itself.
    return math.floor(round(float(bound) * 10**digits, 6)) / 10**digits
