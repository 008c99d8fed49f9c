"""An error level that is split between templates, by weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np

from ari_estimator.closed_testing._rational import check_alpha, simplest_fraction

# Weights such as 0.333333 may miss a sum of 1 by this much.
_ROUNDING = 1e-6


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
    # Weights such as 1 - 0.9 and 1 / 3 are rounded; their shares of the sum are not.
    exact = [simplest_fraction(round(weight, 12)) for weight in weights]
    total = sum(exact)
    levels = []
    for weight in exact:
        level = check_alpha(alpha) * weight / total
        share = float(level)
        # The level is read as the short fraction that it stands for.
        is_low = check_alpha(share) <= level
        levels.append(share if is_low else float(np.nextafter(share, 0)))
    return levels


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
