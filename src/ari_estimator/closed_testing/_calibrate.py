"""Calibrate a template on a matrix of p-values, a row for each permutation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.closed_testing._calibration import Calibration
from ari_estimator.closed_testing._joint_template import JointTemplate, check_templates
from ari_estimator.closed_testing._lambda import lambda_rank
from ari_estimator.closed_testing._learned_template import refuse_shared
from ari_estimator.closed_testing._level_weights import (
    check_level_weights,
    check_levels,
    weighted_levels,
)
from ari_estimator.closed_testing._make_template import (
    TemplateLike,
    each_template,
    single_template,
)
from ari_estimator.closed_testing._p_value_matrix import check_p_value_matrix, smallest_in_rows
from ari_estimator.closed_testing._pivotal_statistics import PivotalStatistics
from ari_estimator.closed_testing._split_calibration import SplitCalibration
from ari_estimator.closed_testing._step_down import step_down as calibrate_in_steps
from ari_estimator.closed_testing._template import Template


def calibrate(
    p_values: ArrayLike,
    alpha: float = 0.05,
    *,
    template: TemplateLike = "simes",
    level_weights: Sequence[float] | None = None,
    k_max: int | None = None,
    delta: int = 0,
    step_down: bool = False,
    allow_shared_data: bool = False,
) -> Calibration | SplitCalibration:
    """Calibrate a template by the p-values of permutations.

    Parameters
    ----------
    p_values : array-like of shape (n_permutations, n_elements)
        P-values of each permutation. The first row is the data as observed.

    alpha : float, default=0.05
        Error level, at least ``1 / n_permutations``.

    template : {"simes", "aorc", "beta", "higher_criticism", "power", "joint"}, Template or list, \
default="simes"
        Shape of the thresholds. A list of names and templates calibrates them together, as
        :class:`JointTemplate` does. "joint" is Simes' template with a shifted one.

    level_weights : sequence of float, optional
        Splits the error level between the templates of a list instead: a positive number for
        each, with sum 1.

    k_max : int, optional
        Number of thresholds; by default all thresholds of the template. For a list, the number
        of each template.

    delta : int, default=0
        How many of the smallest p-values the template ignores. The other thresholds are larger:
        sets with many discoveries gain, sets with few lose.

    step_down : bool, default=False
        Whether to recalibrate after excluding elements already rejected, those below the first
        threshold, until none is added.

    allow_shared_data : bool, default=False
        Whether a learned template may be calibrated on the permutations it was learned from.

    Returns
    -------
    calibration : Calibration or SplitCalibration
        The calibration; a split one if there are weights.

    Raises
    ------
    TypeError
        If ``k_max`` or ``delta`` is not an integer, or ``template`` is not a template.
    ValueError
        If the p-values are not a matrix of p-values, if alpha is below ``1 / n_permutations``, or
        if the template does not fit the p-values or was learned from them. If weights do not
        fit the templates.

    Notes
    -----
    The pivotal statistic of permutation ``b`` is the largest lambda at which none of its sorted
    p-values is below its threshold: the minimum over ranks of the template's inverse. Lambda is
    the ``floor(alpha B) + 1``-th smallest pivotal statistic, so at most ``alpha B`` permutations
    have a p-value below its threshold. The data as observed are one of the permutations. If
    permutation does not change the joint distribution of the p-values of true nulls, then with
    probability at least ``1 - alpha`` none of them is below its threshold in the data as observed
    [1]_ [2]_ [3]_.

    References
    ----------
    .. [1] Hemerik J, Solari A, Goeman JJ (2019). Permutation-based simultaneous confidence
       bounds for the false discovery proportion. Biometrika 106, 635-649.
    .. [2] Blanchard G, Neuvial P, Roquain E (2020). Post hoc confidence bounds on false
       positives using reference families. Annals of Statistics 48, 1281-1303.
    .. [3] Andreella A, Hemerik J, Finos L, Weeda W, Goeman J (2023). Permutation-based true
       discovery proportions for functional magnetic resonance imaging cluster analysis.
       Statistics in Medicine 42, 2311-2340.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.closed_testing import calibrate
    >>> p_values = np.random.default_rng(0).random((100, 500))
    >>> p_values[0, :50] *= 1e-5
    >>> calibration = calibrate(p_values, alpha=0.05)
    >>> calibration.critical_vector.true_discoveries(p_values[0, :60])
    50
    """
    p_values = check_p_value_matrix(p_values, n_rows=2)
    lambda_rank(len(p_values), alpha)  # refuses an alpha that is too small, before the work
    templates, weights = templates_and_weights(
        template, level_weights, p_values.shape[1], k_max=k_max, delta=delta
    )
    if weights is not None:
        check_levels(weighted_levels(alpha, weights), alpha, len(p_values))
    for one in [] if allow_shared_data else templates:
        refuse_shared(one, p_values)
    return _of_matrix(p_values, templates, weights, alpha, step_down)


def templates_and_weights(
    template: TemplateLike,
    level_weights: Any,
    n_elements: int,
    *,
    k_max: Any = None,
    delta: int = 0,
) -> tuple[list[Template], tuple[float, ...] | None]:
    """Return the templates to calibrate, and their shares of the level.

    Parameters
    ----------
    template, n_elements, k_max, delta
        As for :func:`~ari_estimator.closed_testing._make_template.each_template`.

    level_weights : sequence of float or None
        The shares.

    Returns
    -------
    templates : list of Template
        One template without shares, which may be made of others; otherwise one for each share.

    weights : tuple of float or None
        The shares.

    Raises
    ------
    TypeError
        If the arguments have other types.
    ValueError
        If templates or weights do not fit.
    """
    if level_weights is None and isinstance(template, (str, Template)):
        return [single_template(template, n_elements, k_max, delta)], None
    templates = each_template(template, n_elements, k_max=k_max, delta=delta)
    if level_weights is None:
        return [templates[0] if len(templates) == 1 else JointTemplate(templates)], None
    if len(templates) == 1:
        raise ValueError(
            f"level_weights must be None for a single template. Got {level_weights!r} with "
            f"template={template!r}. Give a list of templates that share the level."
        )
    return list(check_templates(templates)), check_level_weights(level_weights, len(templates))


def _of_matrix(
    p_values: np.ndarray,
    templates: Sequence[Template],
    weights: Sequence[float] | None,
    alpha: float,
    is_step_down: bool,
) -> Calibration | SplitCalibration:
    def pivots_of(keep: np.ndarray | None) -> list[PivotalStatistics]:
        return [pivotal_statistics(p_values, template, keep) for template in templates]

    observed = p_values[0].astype(np.float64)
    return calibrate_in_steps(
        pivots_of, observed, templates, alpha, weights=weights, enabled=is_step_down
    )


def pivotal_statistics(
    p_values: np.ndarray, template: Template, keep: np.ndarray | None = None
) -> PivotalStatistics:
    """Return the pivotal statistics of permutations.

    Parameters
    ----------
    p_values : ndarray of shape (n_permutations, n_elements)
        P-values.

    template : Template
        The template.

    keep : ndarray of bool of shape (n_elements,), optional
        The remaining elements, at least one; by default all.

    Returns
    -------
    statistics : PivotalStatistics
        The largest parameter at which no p-value is below its threshold, for each permutation.
    """
    blocks = [
        PivotalStatistics.of_rows(smallest, template)
        for smallest in smallest_in_rows(p_values, template.k_max, keep)
    ]
    return PivotalStatistics(*map(np.concatenate, zip(*blocks, strict=True)))
