"""Rounding of lower bounds."""

from __future__ import annotations

import math
from decimal import ROUND_FLOOR, Decimal


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


def confidence(alpha: float, *, percent: bool = False) -> str:
    """Return the probability that bounds hold with, rounded down.

    Parameters
    ----------
    alpha : float
        Error level.

    percent : bool, default=False
        Whether it is a percentage.

    Returns
    -------
    text : str
        ``1 - alpha`` with at least four digits, and with more where it would be 1 otherwise.
    """
    level = Decimal(repr(float(alpha)))
    digits = max(4, 1 - level.adjusted())
    exact = (1 - level) * (100 if percent else 1)
    rounded = exact.quantize(Decimal(1).scaleb(2 - digits if percent else -digits), ROUND_FLOOR)
    text = f"{rounded.normalize():f}"
    return f"{text} %" if percent else text
