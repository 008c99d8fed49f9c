"""The calibrated parameter of a template, one of the pivotal statistics."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy.special import bdtr

from ari_estimator.closed_testing._rational import check_alpha

# Rounding may let the last step of step-down fall this far below the step before.
_ROUNDING = 1e-6


@lru_cache(maxsize=64)
def lambda_rank(n_permutations: int, alpha: float) -> int:
    """Return the rank of the calibrated parameter among the pivotal statistics.

    Parameters
    ----------
    n_permutations : int
        Number of permutations, ``B``.

    alpha : float
        Error level, at least ``1 / B``.

    Returns
    -------
    rank : int
        ``floor(alpha B)``, counted from 0. At this place the statistic is the
        ``floor(alpha B) + 1``-th smallest.

    Raises
    ------
    ValueError
        If alpha is below ``1 / B``.
    """
    # As a fraction: 0.29 * 100 is below 29 in doubles.
    level = check_alpha(alpha)
    rank = level.numerator * n_permutations // level.denominator
    if rank < 1:
        raise ValueError(
            f"alpha must be at least 1 / n_permutations = 1 / {n_permutations}: with fewer "
            f"permutations no set can have a discovery. Got alpha={alpha!r}. Use "
            f"n_permutations={math.ceil(1 / level)} or more, if there are so many, or a larger "
            "alpha."
        )
    return rank


def lambda_at(pivotal_statistics: np.ndarray, alpha: float) -> float:
    """Return the largest parameter whose thresholds hold at a level.

    Parameters
    ----------
    pivotal_statistics : ndarray of shape (n_permutations,)
        The largest parameter at which no p-value is below its threshold, for each permutation.

    alpha : float
        Error level, at least ``1 / n_permutations``.

    Returns
    -------
    lambda_ : float
        The ``floor(alpha n_permutations) + 1``-th smallest of the statistics.

    Raises
    ------
    ValueError
        If alpha is below ``1 / n_permutations``, or a statistic is NaN.
    """
    rank = lambda_rank(pivotal_statistics.size, alpha)
    n_nan = int(np.isnan(pivotal_statistics).sum())
    if n_nan:
        raise ValueError(
            f"pivotal_statistics must not be NaN. Got {n_nan} NaN of {pivotal_statistics.size}."
        )
    return float(np.partition(pivotal_statistics, rank)[rank])


def lambda_interval(
    pivotal_statistics: np.ndarray, alpha: float, confidence: float = 0.95
) -> tuple[float, float]:
    """Return an interval for the parameter that infinitely many random permutations would give.

    Parameters
    ----------
    pivotal_statistics : ndarray of shape (n_permutations,)
        As for :func:`lambda_at`, from random permutations.

    alpha : float
        Error level, at least ``1 / n_permutations``.

    confidence : float, default=0.95
        Minimum probability that the interval contains the parameter.

    Returns
    -------
    low, high : float
        The ends. The lower end is minus infinity, and the upper one the largest statistic, if there
        are too few permutations for an interval.

    Notes
    -----
    The parameter is the alpha-quantile of the pivotal statistics. The number of statistics below
    a quantile has a binomial distribution. So the quantile lies between two of the sorted
    statistics [1]_ with at least this confidence.

    References
    ----------
    .. [1] David HA, Nagaraja HN (2003). Order Statistics, 3rd edition, section 7.1. Wiley.
    """
    n = pivotal_statistics.size
    rank = lambda_rank(n, alpha)
    # Quantiles of a binomial distribution.
    below = bdtr(np.arange(n + 1), n, float(alpha))
    ends = np.searchsorted(below, [(1 - confidence) / 2, (1 + confidence) / 2])
    low, high = min(int(ends[0]), rank + 1), max(int(ends[1]), rank)
    ordered = np.sort(pivotal_statistics)
    lowest = float(ordered[low - 1]) if low > 0 else -np.inf
    return lowest, float(ordered[min(high, n - 1)])


def check_lambda(
    lambda_: float, first: np.ndarray, last: np.ndarray, alpha: float, n_steps: int
) -> None:
    """Raise a ValueError unless a parameter follows from pivotal statistics.

    Parameters
    ----------
    lambda_ : float
        The parameter.

    first, last : ndarray of shape (n_permutations,)
        The pivotal statistics of the first step and of the last one.

    alpha : float
        Error level.

    n_steps : int
        Number of steps.
    """
    by_last = lambda_at(last, alpha)
    if n_steps == 1:
        follows = lambda_ == by_last and np.array_equal(first, last)
    else:
        # No step lowers it.
        follows = n_steps > 1 and lambda_ >= max(lambda_at(first, alpha), by_last)
        follows = follows and bool(np.isclose(lambda_, by_last, rtol=_ROUNDING, atol=_ROUNDING))
    if not follows:
        raise ValueError(
            f"lambda_ must follow from the pivotal statistics, which give {by_last} at "
            f"alpha={alpha} in the last of {n_steps} steps. Got {lambda_}."
        )
