"""From statistics under resampling to a calibrated template."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from ari_estimator.calibration._resampling_passes import (
    pivots_by_rank,
    pivots_by_tail,
    rank_p_values,
    smallest_p_values,
)
from ari_estimator.calibration._workers import Workers
from ari_estimator.closed_testing import (
    Calibration,
    JointTemplate,
    LearnedTemplate,
    SplitCalibration,
    Template,
)
from ari_estimator.closed_testing._calibrate import templates_and_weights
from ari_estimator.closed_testing._joint_template import check_templates
from ari_estimator.closed_testing._lambda import lambda_at
from ari_estimator.closed_testing._level_weights import check_levels, weighted_levels
from ari_estimator.closed_testing._pivotal_statistics import PivotalStatistics
from ari_estimator.closed_testing._step_down import step_down as calibrate_in_steps
from ari_estimator.resampling import NullStatistics

PValues = Literal["parametric", "rank"]


class CalibratedDraws(NamedTuple):
    """A calibration, and the p-values that its bounds are computed from.

    Attributes
    ----------
    calibration : Calibration or SplitCalibration
        The calibrated template or templates.

    p_values : ndarray of shape (n_elements,)
        P-values of the data as observed.

    Examples
    --------
    See :func:`calibrate_draws`.

    >>> from ari_estimator.calibration import CalibratedDraws
    >>> CalibratedDraws._fields
    ('calibration', 'p_values')
    """

    calibration: Calibration | SplitCalibration
    p_values: np.ndarray


def calibrate_draws(
    null: NullStatistics,
    template: Template | Sequence[Template],
    alpha: float = 0.05,
    *,
    level_weights: Sequence[float] | None = None,
    p_values: PValues = "parametric",
    step_down: bool = False,
    is_exhaustive: bool = False,
    workers: Workers | None = None,
) -> CalibratedDraws:
    """Calibrate a template on statistics under resampling.

    Parameters
    ----------
    null : NullStatistics
        Statistics of all draws; the first draw is the data as observed.

    template : Template or sequence of Template
        The template, for the same number of elements; several if they share the level.

    alpha : float, default=0.05
        Error level, at least one divided by the number of draws.

    level_weights : sequence of float or None, default=None
        Shares of the error level of several templates: positive numbers with sum 1.

    p_values : {"parametric", "rank"}, default="parametric"
        P-values of the t distribution, or by the rank among all permutations.

    step_down : bool, default=False
        Whether to recalibrate after excluding elements already rejected.

    is_exhaustive : bool, default=False
        Whether all possible draws were taken.

    workers : Workers or None, default=None
        How to spread the work over processes; one process if None.

    Returns
    -------
    calibrated : CalibratedDraws
        The calibration and the p-values of the data as observed.

    Raises
    ------
    ValueError
        If alpha, or the share of a template, is too small for the number of draws; or if weights
        do not fit the templates.

    See Also
    --------
    ari_estimator.PermutationCalibration : The same for data, as an estimator.
    ari_estimator.closed_testing.calibrate : The same for a matrix of p-values.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.calibration import calibrate_draws
    >>> from ari_estimator.closed_testing import make_template
    >>> from ari_estimator.resampling import SubjectSums, sign_statistics
    >>> rng = np.random.default_rng(0)
    >>> sums = SubjectSums.of(rng.standard_normal((12, 500)), n_groups=256)
    >>> null = sign_statistics(sums, 100, rng, two_sided=False)
    >>> calibration, p_values = calibrate_draws(null, make_template("simes", 500))
    >>> calibration.n_permutations, p_values.shape
    (100, (500,))
    """
    workers = Workers() if workers is None else workers
    templates: Sequence[Template]
    if level_weights is None and isinstance(template, Template):
        templates, weights = [template], None
    else:
        templates, weights = templates_and_weights(template, level_weights, null.n_elements)
    levels = [alpha] if weights is None else weighted_levels(alpha, weights)
    if weights is not None:
        check_levels(levels, alpha, null.n_permutations)
    if p_values == "rank":
        counts, observed = rank_p_values(null, workers)
    else:
        observed = null.observed_p_values

    def pivots_of(keep: np.ndarray | None) -> list[PivotalStatistics]:
        kept = null if keep is None else null.select(keep)
        if p_values == "parametric":
            return pivots_by_tail(kept, templates, levels, workers)
        kept_counts = counts if keep is None else rank_p_values(kept, workers)[0]
        return [pivots_by_rank(kept_counts, one) for one in templates]

    calibration = calibrate_in_steps(
        pivots_of,
        observed,
        templates,
        alpha,
        weights=weights,
        enabled=step_down,
        is_exhaustive=is_exhaustive,
    )
    return CalibratedDraws(calibration, observed)


def learn_from_draws(
    null: NullStatistics,
    k_max: int = 1000,
    *,
    subjects: np.ndarray | None = None,
    workers: Workers | None = None,
) -> LearnedTemplate:
    """Learn a template from statistics under resampling.

    Parameters
    ----------
    null : NullStatistics
        Statistics of all draws of the data to learn from.

    k_max : int, default=1000
        Number of thresholds, limited to the number of elements.

    subjects : ndarray of shape (n_subjects, n_numbers) or None, default=None
        Sketches of the data.

    workers : Workers or None, default=None
        How to spread the work over processes; one process if None.

    Returns
    -------
    template : LearnedTemplate
        The template.

    See Also
    --------
    ari_estimator.learn_template : The same for data.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.calibration import learn_from_draws
    >>> from ari_estimator.resampling import SubjectSums, sign_statistics
    >>> rng = np.random.default_rng(0)
    >>> sums = SubjectSums.of(rng.standard_normal((12, 500)), n_groups=256)
    >>> learn_from_draws(sign_statistics(sums, 100, rng, two_sided=False), k_max=50)
    LearnedTemplate(n_elements=500, k_max=50, n_curves=100)
    """
    workers = Workers() if workers is None else workers
    smallest = smallest_p_values(null, min(k_max, null.n_elements), workers)
    return LearnedTemplate.from_smallest(smallest, null.n_elements, subjects=subjects)


def learn_crossings(
    null: NullStatistics,
    templates: Sequence[Template],
    alpha: float = 0.05,
    *,
    subjects: np.ndarray | None = None,
    workers: Workers | None = None,
) -> JointTemplate:
    """Learn from statistics under resampling how templates go together.

    Parameters
    ----------
    null : NullStatistics
        Statistics of all draws of the data to learn from.

    templates : sequence of Template
        At least two templates for the same number of elements.

    alpha : float, default=0.05
        Level at which each template is calibrated on these data.

    subjects : ndarray of shape (n_subjects, n_numbers) or None, default=None
        Sketches of the data.

    workers : Workers or None, default=None
        How to spread the work over processes; one process if None.

    Returns
    -------
    template : JointTemplate
        The templates, whose curves cross where they do in these data.

    Raises
    ------
    ValueError
        If the templates do not fit, or alpha is too small for the number of draws.

    See Also
    --------
    ari_estimator.learn_template : The same for data.
    """
    workers = Workers() if workers is None else workers
    pivots = pivots_by_tail(null, check_templates(templates), [alpha] * len(templates), workers)
    lambdas = [lambda_at(of_template.values, alpha) for of_template in pivots]
    return JointTemplate.from_lambdas(templates, lambdas, subjects=subjects)
