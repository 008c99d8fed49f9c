"""Step-down calibration: each step excludes elements that the last step rejected."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ari_estimator.closed_testing._calibration import Calibration
from ari_estimator.closed_testing._lambda import lambda_at
from ari_estimator.closed_testing._level_weights import weighted_levels
from ari_estimator.closed_testing._pivotal_statistics import PivotalStatistics
from ari_estimator.closed_testing._split_calibration import SplitCalibration
from ari_estimator.closed_testing._template import Template


def step_down(
    pivots_of: Callable[[np.ndarray | None], Sequence[PivotalStatistics]],
    p_values: np.ndarray,
    templates: Sequence[Template],
    alpha: float,
    *,
    weights: Sequence[float] | None = None,
    enabled: bool = True,
    is_exhaustive: bool = False,
) -> Calibration | SplitCalibration:
    """Calibrate templates, then recalibrate after excluding elements already rejected.

    Parameters
    ----------
    pivots_of : callable
        Returns the pivotal statistics by each unchanged template, of the elements that a mask of
        shape (n_elements,) keeps; of all for None.

    p_values : ndarray of shape (n_elements,)
        P-values of the data as observed.

    templates : sequence of Template
        The templates: one, or one for each weight.

    alpha : float
        Error level. The share of each template is at least ``1 / n_permutations``.

    weights : sequence of float, optional
        Shares of the error level, if there are several templates.

    enabled : bool, default=True
        Whether to continue after the first step.

    is_exhaustive : bool, default=False
        Whether all possible permutations were taken.

    Returns
    -------
    calibration : Calibration or SplitCalibration
        The calibration; a split one if there are weights.

    Notes
    -----
    If the thresholds hold, no true null has a p-value below the first threshold. Elements with such
    p-values are therefore active, and calibration can exclude them. The remaining elements allow
    larger thresholds, which may exclude more elements, until nothing changes [1]_ [2]_. The
    thresholds of each step are no larger than thresholds calibrated on the true nulls alone. If
    those hold, all steps hold. All steps together therefore have the error rate of one step.
    Several templates exclude the same elements; :class:`SplitCalibration` has the proof.

    References
    ----------
    .. [1] Romano JP, Wolf M (2005). Exact and approximate stepdown methods for multiple
       hypothesis testing. Journal of the American Statistical Association 100, 94-108.
    .. [2] Blanchard G, Neuvial P, Roquain E (2020). Post hoc confidence bounds on false
       positives using reference families. Annals of Statistics 48, 1281-1303.
    """
    levels = [float(alpha)] if weights is None else weighted_levels(alpha, weights)
    single_step = statistics = pivots_of(None)
    lambdas = [lambda_at(one.values, level) for one, level in zip(statistics, levels, strict=True)]
    n_steps = 1
    keep = np.ones(p_values.size, dtype=bool)
    while enabled:
        pairs = zip(templates, lambdas, strict=True)
        highest = max(template.thresholds_of_data(lambda_)[0] for template, lambda_ in pairs)
        still = keep & (p_values > highest)
        if still.sum() in (0, keep.sum()):
            break
        keep = still
        statistics = pivots_of(keep)
        # Fewer elements have larger p-values at each rank. Only rounding could lower it.
        values = [one.values for one in statistics]
        lambdas = list(map(max, lambdas, map(lambda_at, values, levels)))
        n_steps += 1
    parts = [
        Calibration(
            template, level, lambda_, last.values, first.values, last.raised, n_steps, is_exhaustive
        )
        for template, level, lambda_, last, first in zip(
            templates, levels, lambdas, statistics, single_step, strict=True
        )
    ]
    return parts[0] if weights is None else SplitCalibration(parts, weights, alpha)
