"""From the data of subjects to a calibrated template."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ari_estimator.calibration._calibrate_draws import PValues, calibrate_draws
from ari_estimator.calibration._missing_rows import Missing, has_gaps
from ari_estimator.calibration._subject_data import resample_subjects
from ari_estimator.calibration._workers import Workers
from ari_estimator.closed_testing import Template
from ari_estimator.closed_testing._calibrate import templates_and_weights
from ari_estimator.closed_testing._lambda import lambda_rank
from ari_estimator.closed_testing._learned_template import refuse_shared
from ari_estimator.closed_testing._level_share import level_share
from ari_estimator.closed_testing._make_template import TemplateLike
from ari_estimator.closed_testing._rational import check_alpha
from ari_estimator.closed_testing._two_sided import DIRECTIONAL, TwoSided
from ari_estimator.resampling import NullStatistics, OppositeStatistics, SchemeName
from ari_estimator.resampling._contrast import ContrastType
from ari_estimator.resampling._threads import one_thread


def calibrate_subjects(
    data: Any,
    design: Any,
    contrast: Any,
    *,
    stat_type: ContrastType | None,
    alpha: float,
    two_sided: TwoSided,
    template: TemplateLike,
    level_weights: Sequence[float] | None,
    n_permutations: int,
    scheme: SchemeName,
    blocks: Any,
    exchange: Any,
    variance_groups: Any,
    missing: Missing,
    p_values: PValues,
    k_max: Any,
    delta: int,
    step_down: bool,
    allow_shared_data: bool,
    n_groups: int,
    rng: np.random.Generator,
    version: str,
    workers: Workers,
) -> dict[str, Any]:
    """Calibrate a template on the data of subjects.

    Parameters
    ----------
    data, design, contrast, stat_type, two_sided, n_permutations, scheme, blocks, exchange, \
variance_groups, missing, n_groups, rng
        As for :func:`resample_subjects`.

    alpha, p_values, step_down, workers
        As for :func:`calibrate_draws`.

    template : str, Template or sequence of these
        The template, its name, or several.

    level_weights : sequence of float or None
        Shares of the error level, if several templates share it.

    k_max : int, None or "auto"
        Number of thresholds of each template.

    delta : int
        Shift of the template.

    allow_shared_data : bool
        Whether learned templates may be calibrated on the data they were learned from.

    version : str
        Version of the package: a cache must not return results of an older version.

    Returns
    -------
    results : dict
        ``sides``, the calibration and p-values of each sign, or of "" if there is one for all; a
        warning about the design as ``doubt`` or None; and the other attributes of a fitted
        :class:`~ari_estimator.PermutationCalibration` under their names.

    Raises
    ------
    ValueError
        If alpha is too small, the arguments do not fit together, or the template was learned
        from the data.
    """
    # Threads of a finished matrix product wait for the next one and keep processors busy.
    with one_thread():
        resampled = resample_subjects(
            data,
            design,
            contrast,
            stat_type=stat_type,
            two_sided=two_sided,
            n_permutations=n_permutations,
            scheme=scheme,
            blocks=blocks,
            exchange=exchange,
            variance_groups=variance_groups,
            missing=missing,
            n_groups=n_groups,
            rng=rng,
        )
    null = resampled.null
    nulls: dict[str, NullStatistics] = {"": null}
    if two_sided == DIRECTIONAL:
        alpha = _share_of_a_sign(alpha, null.n_permutations)
        # The same draws serve both signs.
        nulls = {"positive": null, "negative": OppositeStatistics(null, resampled.stat_type)}
    lambda_rank(null.n_permutations, alpha)  # refuses an alpha that is too small
    made, weights = templates_and_weights(
        template, level_weights, null.n_elements, k_max=k_max, delta=delta
    )
    for one in made:
        if one.is_learned and not allow_shared_data:
            refuse_shared_data(one, resampled.data)
    found = {
        side: calibrate_draws(
            of_side,
            made[0] if weights is None else made,
            alpha,
            level_weights=weights,
            p_values=p_values,
            step_down=step_down,
            is_exhaustive=resampled.is_exhaustive,
            workers=workers,
        )
        for side, of_side in nulls.items()
    }
    return {
        "sides": found,
        "statistic_": null.observed.values,
        "df_": null.observed.df,
        "is_constant_": null.is_constant,
        "n_permutations_": null.n_permutations,
        "scheme_": resampled.scheme,
        "stat_type_": resampled.stat_type,
        "rank_": resampled.rank,
        "doubt": resampled.doubt,
        "n_features_in_": null.n_elements,
    }


def _share_of_a_sign(alpha: float, n_permutations: int) -> float:
    """Return half of an error level, for positive or negative effects."""
    share = level_share(alpha, 2)
    if check_alpha(share) * n_permutations < 1:
        raise ValueError(
            f"alpha must be at least 2 / n_permutations = 2 / {n_permutations} with "
            f"two_sided={DIRECTIONAL!r}, which takes half of it for each sign. Got "
            f"alpha={alpha!r}. Use more permutations, if there are so many, or a larger alpha."
        )
    return share


def refuse_shared_data(template: Template, data: np.ndarray | None) -> None:
    """Refuse a template that was learned from subjects of the data.

    Parameters
    ----------
    template : Template
        A template that was learned from data.

    data : ndarray of shape (n_subjects, n_elements) or None
        The data; None for streamed subjects.

    Raises
    ------
    ValueError
        If it was learned from these subjects, or the package cannot tell.
    """
    if data is None or has_gaps(data):
        subjects = "streamed subjects" if data is None else "subjects with missing values"
        raise ValueError(
            f"allow_shared_data must be True for a learned template and {subjects}: the package "
            "cannot check whether the template was learned from them. Set it if it was not."
        )
    refuse_shared(template, data)
