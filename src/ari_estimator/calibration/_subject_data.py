"""From the data of subjects, and a design, to statistics under resampling."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import issparse

from ari_estimator._unused_options import refuse_unused
from ari_estimator.resampling import (
    LinearModelStatistics,
    NullStatistics,
    SchemeName,
    SubjectSums,
    check_blocks,
    choose_scheme,
    find_contrast,
    sign_statistics,
)


class Resampled(NamedTuple):
    """Statistics under resampling, and where they are from.

    Attributes
    ----------
    null : NullStatistics
        The statistics.

    scheme : str
        What is resampled, in words.

    data : ndarray of shape (n_subjects, n_elements) or None
        The data; None if they were streamed.
    """

    null: NullStatistics
    scheme: str
    data: np.ndarray | None


def resample_subjects(
    data: ArrayLike | Iterable[Any],
    design: ArrayLike | None,
    contrast: ArrayLike | None,
    *,
    two_sided: bool,
    n_permutations: int,
    scheme: SchemeName = "auto",
    blocks: ArrayLike | None = None,
    n_groups: int = 256,
    rng: np.random.Generator,
) -> Resampled:
    """Check the data of subjects, and return their statistics under resampling.

    Parameters
    ----------
    data : array-like of shape (n_subjects, n_elements), or iterator
        The data; or an iterator over subjects, each of shape (n_elements,).

    design : array-like of shape (n_subjects, n_columns) or None
        The design; a column of ones if None.

    contrast : array-like of shape (n_columns,) or None
        The contrast; may be None if there is one column.

    two_sided : bool
        Whether deviations in both directions count.

    n_permutations : int
        Number of permutations.

    scheme : {"auto", "sign_flip", "permutation", "bootstrap"}, default="auto"
        How subjects are resampled.

    blocks : array-like of shape (n_subjects,) or None, default=None
        Exchangeability blocks.

    n_groups : int, default=256
        Most sums of streamed subjects in memory.

    rng : numpy.random.Generator
        Where random numbers come from.

    Returns
    -------
    resampled : Resampled
        The statistics.

    Raises
    ------
    TypeError
        If ``data`` is neither an array nor an iterable of subjects.
    ValueError
        If data, design, contrast or blocks are malformed or do not go together.
    """
    if isinstance(data, Iterator):
        refuse_unused(
            "for subjects that are streamed: only their mean can be tested, by sign-flipping",
            {"design": (design, None), "contrast": (contrast, None), "blocks": (blocks, None)},
        )
        if scheme not in ("auto", "sign_flip"):
            raise ValueError(
                "scheme must be 'auto' or 'sign_flip' for subjects that are streamed. "
                f"Got {scheme!r}."
            )
        sums = SubjectSums.of(data, n_groups)
        null = sign_statistics(sums, n_permutations, rng, two_sided)
        grouped = "" if sums.n_subjects <= n_groups else f" of {n_groups} groups of subjects"
        _refuse_constant(null)
        return Resampled(null, "sign-flipping" + grouped, None)
    checked = check_data(data)
    n_subjects = len(checked)
    if design is None:
        design = np.ones((n_subjects, 1))
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
    tested = find_contrast(design, contrast)
    chosen = choose_scheme(scheme, tested, check_blocks(blocks, n_subjects))
    draws = chosen.draws(n_permutations, rng)
    null = LinearModelStatistics(checked, tested, chosen, draws, two_sided)
    _refuse_constant(null)
    return Resampled(null, chosen.description, checked)


def check_data(data: Any) -> np.ndarray:
    """Return the data of subjects as a finite array of shape (n_subjects, n_elements)."""
    if issparse(data):
        raise TypeError(f"data must be dense. Got sparse {type(data).__name__}.")
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
                "data must be of as many elements for each subject, in an array of shape "
                f"(n_subjects, n_elements). Got rows that differ: {error}"
            ) from error
    if np.ma.is_masked(data):
        raise ValueError(
            f"data must not be masked. Got {np.ma.count_masked(data)} masked values. Leave their "
            "elements out for all subjects."
        )
    data = np.asarray(data)
    if data.ndim != 2 or data.dtype.kind not in "fiu" or data.shape[1] == 0:
        hint = " Images and their paths need a masker." if data.dtype.kind in "OU" else ""
        raise ValueError(
            "data must be real numbers of shape (n_subjects, n_elements). "
            f"Got shape {data.shape} of {data.dtype}.{hint}"
        )
    if len(data) < 2:
        raise ValueError(f"data must be of at least 2 subjects. Got {len(data)}.")
    if data.dtype not in (np.float32, np.float64):
        data = data.astype(float)
    # A sum is finite if all are, short of overflow, and needs no array of its own.
    with np.errstate(over="ignore", invalid="ignore"):
        suspects = np.flatnonzero(~np.isfinite(data.sum(axis=1)))
    for subject in suspects:
        bad = ~np.isfinite(data[subject])
        if bad.any():
            raise ValueError(
                f"data must be finite. Got NaN or infinite values in {bad.sum()} elements of "
                f"subject {subject}. Leave these elements out for all subjects."
            )
    return data


def _refuse_constant(null: NullStatistics) -> None:
    if null.is_constant.all():
        raise ValueError(
            f"data must vary. Got no residual variance in any of the {null.n_elements} elements."
        )


def warn_of_constant(is_constant: np.ndarray) -> None:
    """Warn if elements have no variance.

    Parameters
    ----------
    is_constant : ndarray of bool of shape (n_elements,)
        Which ones have none.
    """
    n_constant = int(is_constant.sum())
    if n_constant:
        warnings.warn(
            f"The data have no residual variance in {n_constant} of {is_constant.size} elements. "
            "Their statistic is undefined; they stay in the family, but are no discovery.",
            UserWarning,
            stacklevel=3,
        )
