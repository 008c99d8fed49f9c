"""Step-down calibration: each step excludes elements that the last step rejected."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ari_estimator.closed_testing._calibration import Calibration
from ari_estimator.closed_testing._lambda import lambda_at
from ari_estimator.closed_testing._template import Template


def step_down(
    pivots_of: Callable[[np.ndarray | None], np.ndarray],
    p_values: np.ndarray,
    template: Template,
    alpha: float,
    *,
    enabled: bool = True,
    is_exhaustive: bool = False,
) -> Calibration:
    """Calibrate a template, then recalibrate after excluding elements already rejected.

    Parameters
    ----------
    pivots_of : callable
        Returns the pivotal statistics, an array of shape (n_permutations,), of the elements
        that a mask of shape (n_elements,) keeps, by the unchanged template; of all for None.

    p_values : ndarray of shape (n_elements,)
        P-values of the data as observed.

    template : Template
        The template.

    alpha : float
        Error level, at least ``1 / n_permutations``.

    enabled : bool, default=True
        Whether to continue after the first step.

    is_exhaustive : bool, default=False
        Whether all possible permutations were taken.

    Returns
    -------
    calibration : Calibration
        The calibration.

    Notes
    -----
    If the thresholds hold, no true null has a p-value below the first threshold. Elements with such
    p-values are therefore active, and calibration can exclude them. The remaining elements allow
    larger thresholds, which may exclude more elements, until nothing changes [1]_ [2]_. The
    thresholds of each step are no larger than thresholds calibrated on the true nulls alone. If
    those hold, all steps hold. All steps together therefore have the error rate of one step.

    References
    ----------
    .. [1] Romano JP, Wolf M (2005). Exact and approximate stepdown methods for multiple
       hypothesis testing. Journal of the American Statistical Association 100, 94-108.
    .. [2] Blanchard G, Neuvial P, Roquain E (2020). Post hoc confidence bounds on false
       positives using reference families. Annals of Statistics 48, 1281-1303.
    """
    single_step = statistics = pivots_of(None)
    lambda_ = lambda_at(statistics, alpha)
    n_steps = 1
    keep = np.ones(p_values.size, dtype=bool)
    while enabled:
        still = keep & (p_values > template.critical_thresholds(lambda_)[0])
        if still.sum() in (0, keep.sum()):
            break
        keep = still
        statistics = pivots_of(keep)
        # Fewer elements have larger p-values at each rank. Only rounding could lower it.
        lambda_ = max(lambda_, lambda_at(statistics, alpha))
        n_steps += 1
    return Calibration(
        template, float(alpha), lambda_, statistics, single_step, n_steps, is_exhaustive
    )
