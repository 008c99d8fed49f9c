"""Subjects that some elements lack, as NaN in the data."""

from __future__ import annotations

import warnings
from typing import Any, Literal, get_args

import numpy as np

from ari_estimator.resampling import (
    LinearModelStatistics,
    ModelStatistic,
    NullStatistics,
    Permutation,
    Scheme,
    SignFlipping,
    StatisticsWithGaps,
)
from ari_estimator.resampling._shared_residuals import NullResiduals

Missing = Literal["omit"] | None

MISSING: tuple[str, ...] = get_args(get_args(Missing)[0])


def has_gaps(data: np.ndarray) -> bool:
    """Return whether data have NaN.

    Parameters
    ----------
    data : ndarray of shape (n_subjects, n_elements)
        The data.

    Returns
    -------
    has_gaps : bool
        Whether a subject lacks an element.
    """
    return any(bool(np.isnan(row).any()) for row in data)


def refuse_with_groups(variance_groups: Any, missing: Missing) -> None:
    """Refuse variance groups for data that may have gaps.

    Parameters
    ----------
    variance_groups : array-like of shape (n_subjects,), "auto" or None
        The groups.

    missing : {"omit"} or None
        What happens to missing values.

    Raises
    ------
    ValueError
        If there are groups, and missing values are left out.
    """
    if missing == "omit" and variance_groups is not None:
        raise ValueError(
            "variance_groups must be None with missing='omit': v and G statistics need all "
            "subjects in each element. Use missing=None with a mask of the elements that all "
            "subjects have; or use no variance_groups, with scheme='sign_flip', which holds for "
            "groups of unequal variance if errors are symmetric."
        )


def statistics_of(
    data: np.ndarray,
    statistic: ModelStatistic,
    scheme: Scheme,
    draws: np.ndarray,
    *,
    two_sided: bool,
    null_residuals: NullResiduals | None = None,
) -> NullStatistics:
    """Return the statistics of data under resampling, with or without gaps.

    Parameters
    ----------
    data : ndarray of shape (n_subjects, n_elements)
        The data; NaN where a subject lacks an element.

    statistic : ModelStatistic
        The statistic for complete data.

    scheme : Scheme
        How residuals are resampled.

    draws : ndarray of shape (n_permutations, n_subjects)
        Draws of the scheme.

    two_sided : bool
        Whether deviations in both directions count.

    null_residuals : NullResiduals or None, default=None
        As for :class:`~ari_estimator.resampling.LinearModelStatistics`; None for data with gaps.

    Returns
    -------
    null : NullStatistics
        The statistics. Without gaps, they do not depend on ``missing``.

    Raises
    ------
    ValueError
        If data have gaps, and the scheme is the bootstrap.
    """
    if not has_gaps(data):
        return LinearModelStatistics(data, statistic, scheme, draws, null_residuals)
    if not isinstance(scheme, (SignFlipping, Permutation)):
        raise ValueError(
            "scheme must be 'auto', 'sign_flip' or 'permutation' for data with missing values. Got "
            f"{scheme.description}, which would draw a row more than once and so change how many "
            "rows are present."
        )
    return StatisticsWithGaps(data, statistic.contrast, scheme, draws, two_sided)


def untestable(df: float | np.ndarray) -> np.ndarray:
    """Return which elements have too few subjects: they have no degrees of freedom."""
    return np.atleast_1d(df) == 0


def warn_of_left_out(n_left_out: int, n_elements: int, called: str = "elements") -> None:
    """Warn if elements have too few subjects.

    Parameters
    ----------
    n_left_out, n_elements : int
        Number of these elements, and of all.

    called : str, default="elements"
        Name of the elements.
    """
    if n_left_out:
        warnings.warn(
            f"{n_left_out} of {n_elements} {called} lack too many subjects and are left out: the "
            "subjects that are left do not determine the contrast, or would not in some "
            "permutation.",
            UserWarning,
            stacklevel=3,
        )
