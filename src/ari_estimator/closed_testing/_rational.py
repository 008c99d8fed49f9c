"""Levels as exact fractions, thresholds as correctly rounded doubles.

A p-value that comes from B permutations is a fraction k / B, and a level such as
0.05 is 1 / 20. Neither is a binary floating-point number, so that a comparison
which is an exact tie on paper, ``k / B = u * alpha / h``, is decided by rounding
noise in naive floating point. Everything here follows one rule instead: a
threshold is computed as a fraction and rounded *once*, to the nearest double.
Since rounding is monotone, ``p <= threshold`` then has the answer of exact
arithmetic for every p-value that is itself a correctly rounded fraction.
"""

from __future__ import annotations

from fractions import Fraction
from numbers import Real

import numpy as np

# Integers up to here are doubles, and IEEE 754 division of two of them rounds once.
_LARGEST_EXACT_INTEGER = 2**53

# Up to this many thresholds are worth one exact division of Python integers each.
_FEW = 128


def simplest_fraction(value: float) -> Fraction:
    """Fraction with a small denominator that rounds to the given double.

    ``0.05`` gives 1/20 and ``0.05 / 3`` gives 1/60: the number that was meant,
    not the binary number next to it.

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
        The level, exactly.

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
        How many multiples, ``n``.

    Returns
    -------
    multiples : ndarray of shape (n_multiples,)
        The doubles nearest to the exact multiples. Where the integers are too
        large for that to be quick (a level that no short fraction stands for,
        times a large brain) the last bit may be off.
    """
    numerator, denominator = ratio.numerator, ratio.denominator
    if max(numerator * n_multiples, denominator) <= _LARGEST_EXACT_INTEGER:
        return np.arange(1, n_multiples + 1) * float(numerator) / float(denominator)
    if n_multiples <= _FEW:
        # Python rounds the quotient of two integers correctly, whatever their size.
        return np.array([u * numerator / denominator for u in range(1, n_multiples + 1)])
    return np.arange(1, n_multiples + 1) * float(ratio)
