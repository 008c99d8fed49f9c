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


def rounded_proportion(bound: float, digits: int = 3) -> float:
    """Round a lower bound on a proportion down, so that only a bound of 0 becomes 0.

    Parameters
    ----------
    bound : float
        The bound, from 0 to 1.

    digits : int, default=3
        Digits after the decimal point. A small bound has as many as its first digit needs.

    Returns
    -------
    rounded : float
        At most the bound. NaN stays NaN.
    """
    return rounded_down(bound, _digits_needed(bound, digits))


def _digits_needed(bound: float, digits: int) -> int:
    if 0 < bound < 1:
        while rounded_down(bound, digits) == 0:
            digits += 1
    return digits


def proportion_text(bound: float, digits: int = 3, *, percent: bool = False) -> str:
    """Return a lower bound on a proportion as text, rounded down.

    Parameters
    ----------
    bound : float
        The bound, from 0 to 1.

    digits : int, default=3
        Digits after the decimal point of the proportion. A small bound has as many as it needs,
        so that only a bound of 0 becomes 0.

    percent : bool, default=False
        Whether the text is a percentage.

    Returns
    -------
    text : str
        Such as ``"0.045"`` and ``"4.5 %"``.
    """
    digits = _digits_needed(bound, digits)
    if percent:
        return f"{round(100 * rounded_down(bound, digits), digits):g} %"
    return f"{rounded_down(bound, digits):.{digits}f}"


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
