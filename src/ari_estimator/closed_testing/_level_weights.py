"""An error level that is split between templates, by weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from numbers import Real
from typing import Any

import numpy as np

from ari_estimator.closed_testing._rational import check_alpha, simplest_fraction

# Weights such as 0.333333 may miss a sum of 1 by this much.
_ROUNDING = 1e-6

# Weights that differ by less, relative to their size, are the same.
_LAST_DIGIT = Fraction(1, 10**12)


def check_level_weights(level_weights: Any, n_templates: int) -> tuple[float, ...]:
    """Return the weights of templates, or raise an error that names them.

    Parameters
    ----------
    level_weights : sequence of float
        A positive number for each template, with sum 1.

    n_templates : int
        Number of templates.

    Returns
    -------
    weights : tuple of float
        The weights.

    Raises
    ------
    TypeError
        If they are not a sequence of numbers.
    ValueError
        If there are too few or too many, one is not positive and finite, or the sum is not 1.
    """
    wanted = f"level_weights must be {n_templates} positive numbers with sum 1, one per template"
    is_text = isinstance(level_weights, (str, bytes))
    is_list = isinstance(level_weights, (Sequence, np.ndarray))
    if is_text or not is_list or getattr(level_weights, "ndim", 1) == 0:
        raise TypeError(f"{wanted}. Got {level_weights!r}. Use [0.5, 0.5] for two equal shares.")
    weights = list(level_weights)
    for i, weight in enumerate(weights):
        if not isinstance(weight, Real) or isinstance(weight, (bool, np.bool_)):
            raise TypeError(f"{wanted}. Got {weight!r} of type {type(weight).__name__} at {i}.")
        if not (math.isfinite(weight) and float(weight) > 0):
            raise ValueError(
                f"{wanted}. Got {weight} at {i}. Leave out a template that gets no share."
            )
    if len(weights) != n_templates:
        raise ValueError(f"{wanted}. Got {len(weights)} of them.")
    total = math.fsum(weights)
    if abs(total - 1) > _ROUNDING:
        raise ValueError(f"{wanted}. Got the sum {total:.6g}. Divide each of them by this sum.")
    return tuple(float(weight) for weight in weights)


def weighted_levels(alpha: float, weights: Sequence[float]) -> list[float]:
    """Return the share of each template of an error level, rounded down.

    Parameters
    ----------
    alpha : float
        Error level.

    weights : sequence of float
        The weights.

    Returns
    -------
    levels : list of float
        The levels, whose sum is at most alpha.
    """
    levels = []
    for weight in _exact_shares(weights):
        level = check_alpha(alpha) * weight
        share = float(level)
        # The level is read as the short fraction that it stands for.
        is_low = check_alpha(share) <= level
        levels.append(share if is_low else float(np.nextafter(share, 0)))
    return levels


def whole_p_values(p_values: np.ndarray, weights: Sequence[float], index: int) -> np.ndarray:
    """Return the level that is split from the level of one share, for p-values.

    Parameters
    ----------
    p_values : ndarray of shape (n,)
        Smallest levels of the share, which may be NaN.

    weights : sequence of float
        The weights.

    index : int
        The place of the share among the weights.

    Returns
    -------
    p_values : ndarray of shape (n,)
        The smallest level whose share of :func:`weighted_levels` is large enough; at most 1.
    """
    share = _exact_shares(weights)[index]
    different, places = np.unique(p_values, return_inverse=True)
    whole = np.array([_whole(float(p_value), share) for p_value in different])
    return np.minimum(whole[places.ravel()], 1.0)


def _whole(p_value: float, share: Fraction) -> float:
    """Return the smallest level with a large enough share; plain division may be off by a bit."""
    if not math.isfinite(p_value):
        return p_value
    return float(simplest_fraction(p_value) / share)


def _exact_shares(weights: Sequence[float]) -> list[Fraction]:
    """Return the shares, which sum to 1.

    Weights such as 1 - 0.9 and 2 / 3 are rounded; the short fractions that they stand for are not.
    """
    exact = [_short_fraction(weight) for weight in weights]
    total = sum(exact)
    return [weight / total for weight in exact]


def _short_fraction(weight: float) -> Fraction:
    """Return a fraction with a small denominator next to a weight, to 12 digits."""
    exact = Fraction(weight)
    largest_denominator = 10
    while True:
        fraction = exact.limit_denominator(largest_denominator)
        if abs(fraction - exact) <= exact * _LAST_DIGIT:
            return fraction
        largest_denominator *= 10


def check_levels(levels: Sequence[float], alpha: float, n_permutations: int) -> None:
    """Raise a ValueError if a template's level is too small for the number of permutations.

    Parameters
    ----------
    levels : sequence of float
        The level of each template.

    alpha : float
        The level that is split.

    n_permutations : int
        Number of permutations.
    """
    smallest = min(levels)
    if check_alpha(smallest) * n_permutations < 1:
        raise ValueError(
            f"alpha times each of level_weights must be at least 1 / n_permutations = "
            f"1 / {n_permutations}. Got {smallest:g} for a template, with alpha={alpha!r}: it "
            "could find nothing. Use more permutations, if there are so many, or fewer templates."
        )
