"""From the data of subjects to one calibrated template for several contrasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ari_estimator.calibration._calibrate_draws import PValues, calibrate_draws
from ari_estimator.calibration._calibrate_subjects import refuse_shared_data
from ari_estimator.calibration._missing_rows import Missing
from ari_estimator.calibration._subject_contrasts import ContrastOfFamily, resample_contrasts
from ari_estimator.calibration._workers import Workers
from ari_estimator.closed_testing import Calibration, SplitCalibration
from ari_estimator.closed_testing._calibrate import templates_and_weights
from ari_estimator.closed_testing._lambda import lambda_rank
from ari_estimator.closed_testing._make_template import TemplateLike
from ari_estimator.resampling import SchemeName
from ari_estimator.resampling._threads import one_thread


class CalibratedFamily(NamedTuple):
    """One calibration of all elements of several contrasts.

    Attributes
    ----------
    calibration : Calibration or SplitCalibration
        The calibration. Its template is for the elements of all contrasts.

    p_values : ndarray of shape (n_elements of all contrasts,)
        P-values of the data as observed. The contrasts follow each other.

    elements : dict of str to slice
        The elements of each contrast.

    schemes : dict of str to str
        Description of the scheme for each contrast. The draws are the same for all.

    is_constant : ndarray of bool of shape (n_elements of all contrasts,)
        Elements without variance.

    doubts : list of str
        Warnings about the validity of the bounds.
    """

    calibration: Calibration | SplitCalibration
    p_values: np.ndarray
    elements: dict[str, slice]
    schemes: dict[str, str]
    is_constant: np.ndarray
    doubts: list[str]


def calibrate_contrasts(
    data: np.ndarray,
    design: np.ndarray,
    contrasts: Mapping[str, ContrastOfFamily],
    *,
    alpha: float,
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
    rng: np.random.Generator,
    version: str,
    workers: Workers,
) -> CalibratedFamily:
    """Calibrate a template on all elements of several contrasts.

    Parameters
    ----------
    data, design, contrasts
        As for :func:`~ari_estimator.calibration._subject_contrasts.resample_contrasts`.

    alpha, template, level_weights, n_permutations, scheme, blocks, exchange, variance_groups, \
missing, p_values, k_max, delta, step_down, allow_shared_data, rng, version, workers
        As for :func:`~ari_estimator.calibration._calibrate_subjects.calibrate_subjects`.

    Returns
    -------
    calibrated : CalibratedFamily
        The calibration.

    Raises
    ------
    ValueError
        If alpha is too small, the arguments do not fit together, no scheme serves all contrasts,
        or the template was learned from the data.

    Notes
    -----
    Let ``N`` be the pairs of a contrast and an element for which the contrast has no effect. If
    the joint distribution of their statistics is the same under each draw, the calibration
    controls the joint error rate over ``N`` (Blanchard, Neuvial & Roquain 2020), and its bounds
    hold for all sets of pairs at once. The draws apply the same permutation or sign-flip to all
    contrasts, so they keep the dependence between contrasts.
    """
    with one_thread():
        resampled = resample_contrasts(
            data,
            design,
            contrasts,
            n_permutations=n_permutations,
            scheme=scheme,
            blocks=blocks,
            exchange=exchange,
            variance_groups=variance_groups,
            missing=missing,
            rng=rng,
        )
    null = resampled.null
    lambda_rank(null.n_permutations, alpha)  # refuses an alpha that is too small
    made, weights = templates_and_weights(
        template, level_weights, null.n_elements, k_max=k_max, delta=delta
    )
    for one in made:
        if one.is_learned and not allow_shared_data:
            refuse_shared_data(one, resampled.data)
    calibration, observed = calibrate_draws(
        null,
        made[0] if weights is None else made,
        alpha,
        level_weights=weights,
        p_values=p_values,
        step_down=step_down,
        is_exhaustive=resampled.is_exhaustive,
        workers=workers,
    )
    return CalibratedFamily(
        calibration,
        observed,
        dict(zip(contrasts, null.slices, strict=True)),
        dict(zip(contrasts, resampled.schemes, strict=True)),
        null.is_constant,
        resampled.doubts,
    )
