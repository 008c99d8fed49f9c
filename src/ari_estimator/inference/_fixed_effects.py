"""Fixed effects: the effects of several runs as one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class FixedEffect(NamedTuple):
    """One effect of several runs.

    Attributes
    ----------
    effect : ndarray of shape (n_elements,)
        The weighted mean of the effects.

    variance : ndarray of shape (n_elements,)
        Its variance.

    t : ndarray of shape (n_elements,)
        The effect over its standard error.
    """

    effect: np.ndarray
    variance: np.ndarray
    t: np.ndarray


def fixed_effect(
    effects: np.ndarray, variances: np.ndarray, *, precision_weighted: bool
) -> FixedEffect:
    """Return the fixed effect of independent runs.

    Parameters
    ----------
    effects : ndarray of float of shape (n_runs, n_elements)
        The effect of each run, finite.

    variances : ndarray of float of shape (n_runs, n_elements)
        The variance of each effect, finite and positive.

    precision_weighted : bool
        Whether weights are the inverse variances. Otherwise all runs have the same weight.

    Returns
    -------
    fixed : FixedEffect
        Effect, variance and t.
    """
    n_runs = len(effects)
    if precision_weighted:
        # Relative to the most precise run, the precisions neither overflow nor all vanish.
        smallest = variances.min(axis=0)
        weights = smallest / variances
        total = weights.sum(axis=0)
        effect = (weights * effects).sum(axis=0) / total
        variance = smallest / total
    else:
        effect = effects.mean(axis=0)
        variance = variances.mean(axis=0) / n_runs
    return FixedEffect(effect, variance, effect / np.sqrt(variance))
