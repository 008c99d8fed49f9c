"""Maps of a contrast in elements that some subjects lack."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import fdtr, fdtrc, ndtri, stdtr

from ari_estimator.resampling._contrast import Contrast
from ari_estimator.resampling._design_space import DesignSpace, independent_rows
from ari_estimator.resampling._fits_with_gaps import PartialBases, PartialFits
from ari_estimator.resampling._gaps import Gaps
from ari_estimator.resampling._scheme import Scheme
from ari_estimator.resampling._testable_patterns import are_testable

# Numbers of the designs of elements in memory at a time.
_IN_MEMORY = 2**20

# Largest normal value whose p-value is not 0 in double precision.
_LARGEST = 38.0


class MapsWithGaps(NamedTuple):
    """Statistics of the elements that some subjects lack; NaN where these leave too few.

    Attributes
    ----------
    elements : ndarray of int of shape (n,)
        The elements that lack a subject.

    df : ndarray of int of shape (n,)
        Degrees of freedom of the residuals; 0 where an element lacks too many subjects.

    is_constant : ndarray of bool of shape (n,)
        Whether data have no residual variance. Their statistic is 0.

    stat, p_value, z_score : ndarray of shape (n,)
        t or F, its p-value (one-sided for t), and the standard normal value with this one-sided
        p-value, at most 38 in size.

    effect_size : ndarray of shape (n,) or (n_rows, n)
        Estimate of a t contrast. For F, the estimates of the rows of the contrast, made
        independent, as nilearn has them.

    effect_variance : ndarray of shape (n,)
        Variance of the estimate; for F, the residual variance.
    """

    elements: np.ndarray
    df: np.ndarray
    is_constant: np.ndarray
    stat: np.ndarray
    p_value: np.ndarray
    z_score: np.ndarray
    effect_size: np.ndarray
    effect_variance: np.ndarray

    @classmethod
    def of(
        cls,
        data: np.ndarray,
        design: np.ndarray,
        weights: np.ndarray,
        contrast: Contrast,
        scheme: Scheme | None = None,
    ) -> MapsWithGaps:
        """Return the maps of a contrast.

        Parameters
        ----------
        data : ndarray of shape (n_subjects, n_elements)
            The data; NaN where a subject lacks an element.

        design : ndarray of shape (n_subjects, n_columns)
            The design.

        weights : ndarray of shape (n_rows, n_columns)
            Weights of the contrast.

        contrast : Contrast
            The same contrast.

        scheme : Scheme or None, default=None
            How residuals are resampled. Elements are then left out if some arrangement of their
            gaps leaves too few subjects, see
            :func:`~ari_estimator.resampling._testable_patterns.are_testable`.

        Returns
        -------
        maps : MapsWithGaps
            The maps.

        Examples
        --------
        >>> import numpy as np
        >>> from scipy.stats import ttest_1samp
        >>> from ari_estimator.resampling import find_contrast
        >>> from ari_estimator.resampling._maps_with_gaps import MapsWithGaps
        >>> data = np.random.default_rng(0).standard_normal((12, 3))
        >>> data[[0, 1, 5], [1, 2, 2]] = np.nan
        >>> design, weights = np.ones((12, 1)), np.ones((1, 1))
        >>> maps = MapsWithGaps.of(data, design, weights, find_contrast(design, weights))
        >>> maps.elements, maps.df
        (array([1, 2]), array([10,  9]))
        >>> t = ttest_1samp(data[:, 1:], 0, nan_policy="omit").statistic
        >>> bool(np.allclose(maps.stat, t))
        True
        """
        gaps = Gaps.of(data)
        lacks = ~np.asarray(gaps.patterns.all(axis=1))
        elements = np.flatnonzero(lacks[gaps.pattern_of])
        pattern_of = gaps.pattern_of[elements]
        is_testable = are_testable(gaps.patterns, contrast, scheme)[pattern_of]
        basis = np.column_stack([contrast.nuisance, contrast.directions])
        rows = _rows_of(design, weights, contrast)
        step = max(64, _IN_MEMORY // basis.size)
        parts = []
        for start in range(0, elements.size, step):
            part = slice(start, start + step)
            present = gaps.patterns[pattern_of[part]]
            values = np.where(present, data[:, elements[part]].T.astype(float), 0.0)
            parts.append(_statistics(values, present, basis, rows, contrast, is_testable[part]))
        found = [np.concatenate(arrays, axis=-1) for arrays in zip(*parts, strict=True)]
        if not parts:
            empty = np.empty(0)
            effects = empty if not contrast.is_f else np.empty((len(rows), 0))
            nothing = (empty.astype(int), empty.astype(bool), empty, empty, empty, effects, empty)
            found = list(nothing)
        return cls(elements, *found)


def _rows_of(design: np.ndarray, weights: np.ndarray, contrast: Contrast) -> np.ndarray:
    """Return independent rows of a contrast as weights of its directions."""
    space, rows = DesignSpace.of(design), independent_rows(weights)
    if space.rank < design.shape[1] or len(rows) < len(weights):
        design, rows = space.reparametrized(weights)
    return rows @ np.linalg.pinv(design) @ contrast.directions


def _statistics(
    data: np.ndarray,
    present: np.ndarray,
    basis: np.ndarray,
    rows: np.ndarray,
    contrast: Contrast,
    is_testable: np.ndarray,
) -> tuple[np.ndarray, ...]:
    """Return what :class:`MapsWithGaps` has, for some elements."""
    rank = contrast.rank
    designs = np.where(present[:, :, np.newaxis], basis, 0.0)
    bases = PartialBases.of(designs)
    fits = PartialFits.of(bases, present, data, rank)
    is_left = is_testable & fits.is_testable
    df = np.where(is_left, fits.df, 0)
    is_constant = is_left & fits.is_constant
    safe_df = np.maximum(df, 1)
    stat = np.where(is_constant, 0, fits.values(is_f=contrast.is_f))
    variance = fits.squares / safe_df
    # Directions are sums of the columns of their orthonormal basis: their part of a triangle.
    triangle = np.einsum("nij,nik->njk", bases.columns[:, :, -rank:], designs[:, :, -rank:])
    triangle[~is_left] = np.eye(rank)
    estimates = np.linalg.solve(triangle, fits.explained[:, :, np.newaxis])
    effects = (rows @ estimates)[:, :, 0]
    of_rows = rows @ np.linalg.inv(triangle)
    covariance = of_rows @ of_rows.swapaxes(1, 2)
    if contrast.is_f:
        p, z = _f_tails(stat, rank, safe_df)
        sizes, vectors = np.linalg.eigh(covariance)
        roots = np.einsum("nij,nj,nkj->nik", vectors, 1 / np.sqrt(sizes), vectors)
        effects = np.einsum("nij,nj->in", roots, effects)
    else:
        p, z = _t_tails(stat, safe_df)
        variance = variance * covariance[:, 0, 0]
        effects = effects[:, 0]
    p, z = np.where(is_constant, 1, p), np.where(is_constant, 0, z)
    statistics = [np.where(is_left, values, np.nan) for values in (stat, p, z, effects, variance)]
    return df, is_constant, *statistics


def _t_tails(t: np.ndarray, df: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return one-sided p-values of t, and the normal values with these p-values."""
    # The smaller tail is used, since it keeps its digits.
    size = np.minimum(-ndtri(stdtr(df, -np.abs(t))), _LARGEST)
    return stdtr(df, -t), np.copysign(size, t)


def _f_tails(f: np.ndarray, rank: int, df: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return p-values of F, and the normal values with these one-sided p-values."""
    p = fdtrc(rank, df, f)
    with np.errstate(divide="ignore"):
        z = np.where(p < 0.5, -ndtri(p), ndtri(fdtr(rank, df, f)))
    return p, np.clip(z, -_LARGEST, _LARGEST)
