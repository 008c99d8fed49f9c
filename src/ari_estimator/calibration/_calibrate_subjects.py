"""From the data of subjects to a calibrated template."""

from __future__ import annotations

from typing import Any

import numpy as np

from ari_estimator.calibration._calibrate_draws import PValues, calibrate_draws
from ari_estimator.calibration._missing_rows import Missing, has_gaps
from ari_estimator.calibration._subject_data import resample_subjects
from ari_estimator.calibration._workers import Workers
from ari_estimator.closed_testing import LearnedTemplate, Template
from ari_estimator.closed_testing._lambda import lambda_rank
from ari_estimator.closed_testing._learned_template import refuse_shared
from ari_estimator.closed_testing._templates import make_template
from ari_estimator.resampling import SchemeName
from ari_estimator.resampling._contrast import ContrastType
from ari_estimator.resampling._threads import one_thread

# Number of thresholds for templates that lose power with many. Notip uses the same number (Blain
# et al. 2022).
_K_MAX = 1000


def calibrate_subjects(
    data: Any,
    design: Any,
    contrast: Any,
    *,
    stat_type: ContrastType | None,
    alpha: float,
    two_sided: bool,
    template: str | LearnedTemplate,
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

    template : str or LearnedTemplate
        The template, or its name.

    k_max : int, None or "auto"
        Number of thresholds.

    delta : int
        Shift of the template.

    allow_shared_data : bool
        Whether a learned template may be calibrated on the data it was learned from.

    version : str
        Version of the package: a cache must not return results of an older version.

    Returns
    -------
    results : dict
        ``calibration``, a warning about the design as ``doubt`` or None, and the other attributes
        of a fitted :class:`~ari_estimator.PermutationCalibration` under their names.

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
    lambda_rank(null.n_permutations, alpha)  # refuses an alpha that is too small
    made = template_for(template, null.n_elements, k_max, delta)
    if not allow_shared_data:
        refuse_shared_data(template, resampled.data)
    calibration, observed = calibrate_draws(
        null,
        made,
        alpha,
        p_values=p_values,
        step_down=step_down,
        is_exhaustive=resampled.is_exhaustive,
        workers=workers,
    )
    return {
        "calibration": calibration,
        "p_values_": observed,
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


def template_for(
    template: str | LearnedTemplate, n_elements: int, k_max: Any, delta: int
) -> Template:
    """Return the template for a number of elements; ``k_max`` may be "auto"."""
    is_auto = isinstance(k_max, str) and k_max == "auto"
    made = make_template(template, n_elements, k_max=None if is_auto else k_max, delta=delta)
    if not is_auto or made.keeps_all_thresholds or isinstance(template, Template):
        return made
    return made.cut(max(min(made.k_max, _K_MAX), delta + 1))


def refuse_shared_data(template: str | LearnedTemplate, data: np.ndarray | None) -> None:
    """Refuse a template that was learned from subjects of the data."""
    if not isinstance(template, LearnedTemplate):
        return
    if data is None or has_gaps(data):
        subjects = "streamed subjects" if data is None else "subjects with missing values"
        raise ValueError(
            f"allow_shared_data must be True for a learned template and {subjects}: the package "
            "cannot check whether the template was learned from them. Set it if it was not."
        )
    refuse_shared(template, data)
