"""From the data of subjects to a calibrated cluster extent."""

from __future__ import annotations

from typing import Any

import numpy as np

from ari_estimator.calibration._largest_clusters import Largest, largest_clusters
from ari_estimator.calibration._missing_rows import Missing
from ari_estimator.calibration._subject_data import resample_subjects
from ari_estimator.calibration._workers import Workers
from ari_estimator.closed_testing._lambda import lambda_rank
from ari_estimator.resampling import SchemeName
from ari_estimator.resampling._contrast import ContrastType
from ari_estimator.resampling._threads import one_thread


def calibrate_extents(
    data: Any,
    design: Any,
    contrast: Any,
    *,
    largest: Largest,
    height_threshold: float,
    stat_type: ContrastType | None,
    alpha: float,
    two_sided: bool,
    n_permutations: int,
    scheme: SchemeName,
    blocks: Any,
    exchange: Any,
    variance_groups: Any,
    missing: Missing,
    n_groups: int,
    rng: np.random.Generator,
    version: str,
    workers: Workers,
) -> dict[str, Any]:
    """Calibrate the size of clusters on the data of subjects.

    Parameters
    ----------
    data, design, contrast, stat_type, two_sided, n_permutations, scheme, blocks, exchange, \
variance_groups, missing, n_groups, rng
        As for :func:`~ari_estimator.calibration._subject_data.resample_subjects`.

    largest, height_threshold, workers
        As for :func:`~ari_estimator.calibration._largest_clusters.largest_clusters`.

    alpha : float
        Error level.

    version : str
        Version of the package: a cache must not return results of an older version.

    Returns
    -------
    results : dict
        ``extremes``, the largest cluster and smallest p-value of each draw; ``is_exhaustive``; a
        warning about the design as ``doubt`` or None; and other attributes of a fitted
        :class:`~ari_estimator.ClusterExtentCalibration` under their names.

    Raises
    ------
    ValueError
        If alpha is too small, the arguments do not fit together, or no draw has an element beyond
        the height.
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
    extremes = largest_clusters(
        null, largest, height_threshold, by_sign=bool(two_sided), workers=workers
    )
    if not extremes.largest_clusters.any():
        raise ValueError(
            "height_threshold must be passed by some element in some permutation. Got "
            f"{height_threshold:g}: the smallest p-value of all {null.n_permutations:,} "
            f"permutations is {extremes.smallest_p_values.min():.2g}. Use a larger one, such as "
            "0.001."
        )
    return {
        "extremes": extremes,
        "is_exhaustive": resampled.is_exhaustive,
        "p_values_": null.observed_p_values,
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
