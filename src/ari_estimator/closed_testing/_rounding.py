"""Rounding of lower bounds."""

from __future__ import annotations

import math
from decimal import ROUND_FLOOR, Decimal


def rounded_down(bound: float, digits: int) -> float:
    """Round a lower bound down, so that it still holds.

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
    # Round first: otherwise 0.57 could become 0.56.
    return math.floor(round(float(bound) * 10**digits, 6)) / 10**digits


def confidence(alpha: float, *, percent: bool = False) -> str:
    """Return the confidence level of bounds as text, rounded down.

    Parameters
    ----------
    alpha : float
        Error level.

    percent : bool, default=False
        Whether it is a percentage.

    Returns
    -------
    text : str
        ``1 - alpha`` with at least four digits, and with more if it would round to 1.
    """
    level = Decimal(repr(float(alpha)))
    digits = max(4, 1 - level.adjusted())
    exact = (1 - level) * (100 if percent else 1)
    rounded = exact.quantize(Decimal(1).scaleb(2 - digits if percent else -digits), ROUND_FLOOR)
    text = f"{rounded.normalize():f}"
    return f"{text} %" if percent else text
