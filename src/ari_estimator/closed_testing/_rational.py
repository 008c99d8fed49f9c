"""Levels as exact fractions, thresholds as correctly rounded doubles.

A p-value from B permutations is a fraction k / B, and a level such as 0.05 is 1 / 20. Both
are usually not binary floating-point numbers. In naive floating point, rounding noise would
decide a comparison that is an exact tie on paper, ``k / B = u * alpha / h``. This module
follows one rule instead: a threshold is computed as a fraction and rounded *once*, to the
nearest double. Rounding is monotone. So ``p <= threshold`` gives the answer of exact
arithmetic for every p-value that is a correctly rounded fraction.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from numbers import Real

import numpy as np

from ari_estimator._blocks import blocks

# Multiples of a double whose last 27 bits are zero are exact up to this factor.
_SPLITTER = 2.0**27 + 1


@lru_cache(maxsize=64)
def simplest_fraction(value: float) -> Fraction:
    """Return the fraction with a small denominator that rounds to the given double.

    ``0.05`` gives 1/20 and ``0.05 / 3`` gives 1/60: the intended number instead of the
    binary number next to it. If no short fraction rounds to a number, such as
    ``1 - 0.95``, its exact binary value is used.

    Parameters
    ----------
    value : float
        A finite number.

    Returns
    -------
    fraction : fractions.Fraction
        ``float(fraction) == value`` holds.
    """
    exact = Fraction(value)
    largest_denominator = 10
    while True:
        fraction = exact.limit_denominator(largest_denominator)
        if float(fraction) == value:
            return fraction
        largest_denominator *= 10


def check_alpha(alpha: float) -> Fraction:
    """Check a level and return it as the fraction that it stands for.

    Parameters
    ----------
    alpha : float
        Error level, strictly between 0 and 1.

    Returns
    -------
    alpha : fractions.Fraction
        The exact level.

    Raises
    ------
    TypeError
        If alpha is not a real number.
    ValueError
        If alpha is not strictly between 0 and 1.
    """
    if not isinstance(alpha, Real) or isinstance(alpha, (bool, np.bool_)):
        raise TypeError(
            "alpha should be between 0 and 1 (both excluded), as one number. "
            f"Got {alpha!r} of type {type(alpha).__name__}."
        )
    if not 0 < alpha < 1:
        raise ValueError(f"alpha should be between 0 and 1 (both excluded). Got {alpha!r}.")
    return simplest_fraction(float(alpha))


def rounded_multiples(ratio: Fraction, n_multiples: int) -> np.ndarray:
    """Return ``ratio, 2 * ratio, ..., n * ratio``, each rounded once to a double.

    Parameters
    ----------
    ratio : fractions.Fraction
        A non-negative number.

    n_multiples : int
        How many multiples, ``n``, up to 2 ** 26.

    Returns
    -------
    multiples : ndarray of shape (n_multiples,)
        The doubles nearest to the exact multiples.

    Notes
    -----
    The ratio is a sum of two doubles. The first one is split into two halves whose multiples are
    exact. Their sum is kept with its rounding error (the error-free transformations of
    Dekker 1971 [1]_). Before the final rounding, the error is about 53 bits below the last bit of
    the result.

    References
    ----------
    .. [1] Dekker TJ (1971). A floating-point technique for extending the available
       precision. Numerische Mathematik 18, 224-242.
    """
    leading = float(ratio)
    trailing = float(ratio - Fraction(leading))
    high = _SPLITTER * leading - (_SPLITTER * leading - leading)
    low = leading - high
    rounded = np.empty(n_multiples)
    for block in blocks(n_multiples):
        factors = np.arange(block.start + 1, block.stop + 1, dtype=float)
        large, small = factors * high, factors * low
        multiples = large + small
        error = small - (multiples - large)  # exact, since large is larger than small
        rounded[block] = multiples + (error + factors * trailing)
    return rounded
