"""Which pivotal statistic the calibrated parameter of a template is."""

from __future__ import annotations

import numpy as np

from ari_estimator.closed_testing._rational import check_alpha


def lambda_rank(n_permutations: int, alpha: float) -> int:
    """Return which of the sorted pivotal statistics the calibrated parameter is.

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
            f"alpha must be at least 1 / n_permutations = 1 / {n_permutations}: the data as "
            f"observed are one of the permutations, and below no set could have a discovery. "
            f"Got alpha={alpha!r}."
        )
    return rank


def lambda_at(pivotal_statistics: np.ndarray, alpha: float) -> float:
    """Return the largest parameter whose thresholds hold at a level.

    Parameters
    ----------
    pivotal_statistics : ndarray of shape (n_permutations,)
        For each permutation the largest parameter at which no p-value is below its threshold.

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
