"""From the data of subjects and a design to statistics under resampling."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import issparse

from ari_estimator._masked_values import refuse_masked
from ari_estimator._unused_options import refuse_unused
from ari_estimator.calibration._missing_rows import (
    Missing,
    refuse_with_groups,
    statistics_of,
    untestable,
)
from ari_estimator.closed_testing._two_sided import TwoSided
from ari_estimator.resampling import (
    Contrast,
    Exchange,
    ModelStatistic,
    NullStatistics,
    PartialCorrelation,
    Permutation,
    Scheme,
    SchemeName,
    SubjectSums,
    WelchStatistic,
    choose_scheme,
    find_contrast,
    sign_statistics,
)
from ari_estimator.resampling._choose_scheme import (
    MOST_BETWEEN,
    crosses_variance_groups,
    exchangeability_of,
    share_between,
)
from ari_estimator.resampling._contrast import ContrastType, refuse_other_labels
from ari_estimator.resampling._exchangeability import check_blocks
from ari_estimator.resampling._scheme import Transformations
from ari_estimator.resampling._variance_groups import (
    groups_of_design,
    unequal_variances,
    variance_groups_of,
)


class Resampled(NamedTuple):
    """Statistics under resampling, and their origin.

    Attributes
    ----------
    null : NullStatistics
        The statistics.

    scheme : str
        Description of the scheme.

    stat_type : {"t", "F", "v", "G"}
        Name of the statistic.

    rank : int
        Number of independent rows of the contrast.

    is_exhaustive : bool
        Whether all possible draws were taken.

    doubt : str or None
        Warning about the validity of the bounds.

    data : ndarray of shape (n_subjects, n_elements) or None
        The data; None if they were streamed.
    """

    null: NullStatistics
    scheme: str
    stat_type: str
    rank: int
    is_exhaustive: bool
    doubt: str | None
    data: np.ndarray | None


def resample_subjects(
    data: ArrayLike | Iterable[Any],
    design: ArrayLike | None,
    contrast: ArrayLike | None,
    *,
    stat_type: ContrastType | None = None,
    two_sided: TwoSided,
    n_permutations: int,
    scheme: SchemeName = "auto",
    blocks: ArrayLike | None = None,
    exchange: Exchange | None = None,
    variance_groups: Any = None,
    missing: Missing = None,
    n_groups: int = 256,
    rng: np.random.Generator,
) -> Resampled:
    """Check the data of subjects and return their statistics under resampling.

    Parameters
    ----------
    data : array-like of shape (n_subjects, n_elements), or iterator
        The data; or an iterator over subjects, each of shape (n_elements,).

    design : array-like of shape (n_subjects, n_columns) or None
        The design; a column of ones if None.

    contrast : array-like of shape (n_columns,) or (n_rows, n_columns), or None
        The contrast. It may be None if there is one column.

    stat_type : {"t", "F"} or None, default=None
        Type of the test; None is t for one row and F for several.

    two_sided : bool or "directional"
        Whether to test effects in both directions. It must be False for an F contrast. With
        "directional", statistics are one-sided.

    n_permutations : int
        Number of permutations.

    scheme : {"auto", "sign_flip", "permutation", "bootstrap"}, default="auto"
        How subjects are resampled.

    blocks : array-like of shape (n_subjects,) or (n_subjects, n_levels), or None, default=None
        Exchangeability blocks.

    exchange : {"within", "whole", "both"} or None, default=None
        How blocks restrict the permutations.

    variance_groups : array-like of shape (n_subjects,), "auto" or None, default=None
        Groups of rows with their own variance.

    missing : {"omit"} or None, default=None
        Whether subjects whose value is NaN leave the element; None refuses NaN.

    n_groups : int, default=256
        Largest number of sums of streamed subjects in memory.

    rng : numpy.random.Generator
        Source of random numbers.

    Returns
    -------
    resampled : Resampled
        The statistics.

    Raises
    ------
    TypeError
        If ``data`` is neither an array nor an iterable of subjects.
    ValueError
        If data, design, contrast, blocks or variance groups are malformed or do not fit together.
    """
    if isinstance(data, Iterator):
        refuse_unused(
            "for subjects that are streamed: only their mean can be tested, by sign-flipping",
            {
                "design": (design, None),
                "contrast": (contrast, None),
                "stat_type": (stat_type, None),
                "blocks": (blocks, None),
                "exchange": (exchange, None),
                "variance_groups": (variance_groups, None),
                "missing": (missing, None),
            },
        )
        if scheme not in ("auto", "sign_flip"):
            raise ValueError(
                "scheme must be 'auto' or 'sign_flip' for subjects that are streamed. "
                f"Got {scheme!r}."
            )
        sums = SubjectSums.of(data, n_groups)
        null = sign_statistics(sums, n_permutations, rng, two_sided is True)
        grouped = "" if sums.n_subjects <= n_groups else f" of {n_groups} groups of subjects"
        refuse_constant(null)
        n_units = min(sums.n_subjects, n_groups)
        is_exhaustive = 2**n_units <= n_permutations
        return Resampled(null, "sign-flipping" + grouped, "t", 1, is_exhaustive, None, None)
    checked = check_data(data, missing)
    refuse_with_groups(variance_groups, missing)
    n_subjects = len(checked)
    if design is None:
        design = np.ones((n_subjects, 1))
    refuse_other_labels(contrast, design)
    refuse_masked(design, "design", "Fill in the values, or leave out their subjects.")
    design = np.asarray(design)
    if design.ndim == 1:
        design = design[:, np.newaxis]
    if design.ndim == 0 or len(design) != n_subjects:
        raise ValueError(
            "design must have a row for each subject. "
            f"Got shape {design.shape} for data of {n_subjects} subjects."
        )
    if contrast is None:
        if design.shape[1] != 1:
            raise ValueError(
                f"contrast must be given for a design of {design.shape[1]} columns. Got None."
            )
        contrast = [1.0]
    tested = find_contrast(design, contrast, stat_type)
    if tested.is_f and two_sided:
        raise ValueError(
            f"two_sided must be False for an F contrast, which has no sign. Got {two_sided!r}."
        )
    units = None if blocks is None or np.ndim(blocks) != 1 else check_blocks(blocks, n_subjects)
    groups = find_variance_groups(
        variance_groups, design, tested, scheme=scheme, blocks=blocks, exchange=exchange
    )
    chosen = choose_scheme(scheme, tested, blocks, exchange, groups)
    draws = chosen.draws(n_permutations, rng)
    is_two_sided = two_sided is True
    statistic = statistic_of(tested, chosen, groups, two_sided=is_two_sided)
    null = statistics_of(checked, statistic, chosen, draws, two_sided=is_two_sided)
    refuse_constant(null)
    doubt = doubt_of_bounds(checked, design, tested, chosen, groups, units)
    is_exhaustive = takes_all(chosen, n_permutations)
    return Resampled(
        null, chosen.description, statistic.name, tested.rank, is_exhaustive, doubt, checked
    )


def statistic_of(
    contrast: Contrast, scheme: Scheme, groups: np.ndarray | None, *, two_sided: bool
) -> ModelStatistic:
    """Return the statistic of a contrast: t or F, or v or G with variance groups."""
    if groups is None:
        return PartialCorrelation(contrast, scheme, two_sided)
    return WelchStatistic(
        contrast,
        groups,
        keeps_squares=scheme.keeps_squares(groups),
        two_sided=two_sided,
        keeps_sums=scheme.keeps_squares(np.zeros_like(groups))
        and scheme.varying_nuisance(contrast).shape[1] == 0,
    )


def takes_all(scheme: Scheme, n_permutations: int) -> bool:
    """Return whether this many draws are all possible draws of a scheme."""
    return isinstance(scheme, Transformations) and scheme.n_distinct <= n_permutations


def doubt_of_bounds(
    data: np.ndarray,
    design: np.ndarray,
    contrast: Contrast,
    scheme: Scheme,
    groups: np.ndarray | None,
    blocks: np.ndarray | None,
) -> str | None:
    """Return a warning about the validity of the bounds; None if there is none."""
    if isinstance(scheme, Permutation) and share_between(contrast, scheme) > MOST_BETWEEN:
        return (
            f"scheme={scheme.description!r} leaves most of the tested effect in place, because it "
            "differs between blocks more than within them: the bounds hold, but have little power. "
            "scheme='sign_flip' flips whole blocks and needs symmetric errors."
        )
    if groups is not None:
        if not crosses_variance_groups(scheme, groups):
            return None
        return (
            f"scheme={scheme.description!r} mixes variance groups: the bounds hold for large "
            "groups only. In simulations their error was 0.07 to 0.2 at 0.05, for 5 to 15 rows in "
            "the smaller group. Use scheme='sign_flip' if errors are symmetric."
        )
    if scheme.keeps_squares(groups_of_design(design, blocks)):
        return None  # Sign-flipping never mixes groups.
    return doubt_of_one_variance(data, design, contrast, blocks)


def find_variance_groups(
    variance_groups: Any,
    design: np.ndarray,
    contrast: Contrast,
    *,
    scheme: SchemeName = "auto",
    blocks: ArrayLike | None = None,
    exchange: Exchange | None = None,
) -> np.ndarray | None:
    """Return variance groups as numbers from 0; None if there are none.

    Parameters
    ----------
    variance_groups, scheme, blocks, exchange
        As for :func:`resample_subjects`.

    design : ndarray of shape (n_subjects, n_columns)
        The design.

    contrast : Contrast
        The contrast. It decides which rows may change places.

    Returns
    -------
    groups : ndarray of int of shape (n_subjects,) or None
        Group of each row.

    Raises
    ------
    ValueError
        If groups or blocks are malformed, or "auto" finds no groups.
    """
    units = orbits = None
    if blocks is not None and np.ndim(blocks) == 1:
        units = check_blocks(blocks, len(design))
    permutes = scheme != "sign_flip" and contrast.explains_mean()
    if blocks is not None and permutes and isinstance(variance_groups, str):
        exchangeability = exchangeability_of(contrast, blocks, exchange)
        orbits = exchangeability.orbits if exchangeability.are_alike else None
    return variance_groups_of(variance_groups, design, units, orbits)


def doubt_of_one_variance(
    data: np.ndarray, design: np.ndarray, contrast: Contrast, blocks: np.ndarray | None = None
) -> str | None:
    """Return a warning if the groups of a design seem to differ in variance.

    Parameters
    ----------
    data, design, contrast, blocks
        As for :func:`~ari_estimator.resampling._variance_groups.unequal_variances`.

    Returns
    -------
    doubt : str or None
        The warning; None if the groups do not differ.
    """
    said = unequal_variances(data, design, contrast, blocks)
    if said is None:
        return None
    return (
        f"The groups of the design differ in variance ({said}). The statistic assumes one variance "
        "for all rows, so the bounds may not hold: with standard deviations of 2 and 1, the error "
        "was 0.63 at 0.05 for groups of 10 and 30 rows, and 0.09 for 15 and 15. Set "
        "variance_groups='auto'. This warning also comes if single subjects are noisy."
    )


def check_data(data: Any, missing: Missing = None) -> np.ndarray:
    """Return the data of subjects as an array of shape (n_subjects, n_elements).

    Further axes of the data are joined in C order. Values are finite, or NaN if ``missing`` is
    "omit".
    """
    if issparse(data):
        raise TypeError(f"data must be dense. Got sparse {type(data).__name__}.")
    refuse_masked(data, "data", "Leave their elements out for all subjects.")
    if not isinstance(data, np.ndarray):
        if isinstance(data, (str, bytes)) or not isinstance(data, Iterable):
            raise TypeError(
                "data must be an array of shape (n_subjects, n_elements), or an iterator over "
                f"subjects. Got {type(data).__name__}."
            )
        try:
            data = np.asarray(data)
        except ValueError as error:
            raise ValueError(
                "data must have the same number of elements for each subject, in an array of shape "
                f"(n_subjects, n_elements). Got rows that differ: {error}"
            ) from error
    data = np.asarray(data)
    if data.ndim > 2:
        data = data.reshape(len(data), int(np.prod(data.shape[1:])))  # also without subjects
    if data.ndim != 2 or data.dtype.kind not in "fiu" or data.shape[1] == 0:
        hint = " Images and their paths need a masker." if data.dtype.kind in "OU" else ""
        raise ValueError(
            "data must be real numbers of shape (n_subjects, n_elements). "
            f"Got shape {data.shape} of {data.dtype}.{hint}"
        )
    if len(data) < 2:
        raise ValueError(f"data must have at least 2 subjects. Got {len(data)}.")
    if data.dtype not in (np.float32, np.float64):
        data = data.astype(float)
    # A sum is finite if all terms are (except on overflow), and needs no second array.
    with np.errstate(over="ignore", invalid="ignore"):
        suspects = np.flatnonzero(~np.isfinite(data.sum(axis=1)))
    for subject in suspects:
        bad = ~np.isfinite(data[subject])
        if missing == "omit":
            bad = np.isinf(data[subject])
        if bad.any():
            what = "infinite" if missing == "omit" else "NaN or infinite"
            how = (
                "Set them to NaN, and the subject leaves these elements."
                if missing == "omit"
                else "Leave these elements out for all subjects; or set missing='omit', by which "
                "a subject that is NaN in an element leaves it."
            )
            raise ValueError(
                f"data must be finite. Got {what} values in {bad.sum()} elements of subject "
                f"{subject}. {how}"
            )
    return data


def refuse_constant(null: NullStatistics) -> None:
    """Refuse data without residual variance in any element."""
    if null.is_constant.all():
        if untestable(null.observed.df).all():
            raise ValueError(
                "data must have enough subjects in some element. Got too few in all "
                f"{null.n_elements}: those that are left do not determine the contrast, or would "
                "not in some permutation."
            )
        raise ValueError(
            f"data must vary. Got no residual variance in any of the {null.n_elements} elements."
        )


def warn_of_constant(is_constant: np.ndarray) -> None:
    """Warn if elements have no variance.

    Parameters
    ----------
    is_constant : ndarray of bool of shape (n_elements,)
        Whether each element has no variance.
    """
    n_constant = int(is_constant.sum())
    if n_constant:
        warnings.warn(
            f"The data have no residual variance in {n_constant} of {is_constant.size} elements. "
            "Their statistic is undefined; they stay in the family, but are never a discovery.",
            UserWarning,
            stacklevel=3,
        )
