"""Maps of a contrast, with a separate variance for each group of rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import fdtr, fdtrc, ndtri

from ari_estimator.resampling._contrast import Contrast
from ari_estimator.resampling._model_statistic import Observed
from ari_estimator.resampling._welch_statistic import WelchStatistic

# Elements at a time, since residuals in double precision need memory.
_STRIDE = 8192

# Largest normal value whose p-value is not 0 in double precision.
_LARGEST = 38.0


class WelchMaps(NamedTuple):
    """Statistics of a contrast in each element; NaN where data are NaN.

    Attributes
    ----------
    stat : ndarray of shape (n_elements,)
        v or G; 0 where data are constant.

    p_value : ndarray of shape (n_elements,)
        One-sided p-values of v, p-values of G; 1 where data are constant.

    z_score : ndarray of shape (n_elements,)
        Standard normal values with these one-sided p-values, at most 38 in size; 0 where data are
        constant.

    variance : ndarray of shape (n_elements,) or None
        Variance of the product of the data and the direction of the contrast; None for G.

    is_constant : ndarray of bool of shape (n_elements,)
        Whether data have no residual variance in a group.
    """

    stat: np.ndarray
    p_value: np.ndarray
    z_score: np.ndarray
    variance: np.ndarray | None
    is_constant: np.ndarray


def welch_maps(data: np.ndarray, contrast: Contrast, variance_groups: np.ndarray) -> WelchMaps:
    """Return the maps of a contrast by v or G statistics.

    Parameters
    ----------
    data : ndarray of shape (n_subjects, n_elements)
        The data.

    contrast : Contrast
        What is tested.

    variance_groups : ndarray of int of shape (n_subjects,)
        Group of each row, from 0.

    Returns
    -------
    maps : WelchMaps
        The maps.

    Raises
    ------
    ValueError
        If the design leaves no residuals in a group.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.stats import ttest_ind
    >>> from ari_estimator.resampling import find_contrast
    >>> from ari_estimator.resampling._welch_maps import welch_maps
    >>> group = np.repeat([0, 1], [4, 8])
    >>> contrast = find_contrast(np.column_stack([group == 0, group == 1]), [1, -1])
    >>> data = np.random.default_rng(0).standard_normal((12, 500))
    >>> maps = welch_maps(data, contrast, group)
    >>> welch = ttest_ind(data[:4], data[4:], equal_var=False, alternative="greater")
    >>> bool(np.allclose(maps.p_value, welch.pvalue))
    True
    """
    # A one-sided test, without resampling.
    statistic = WelchStatistic(contrast, variance_groups, keeps_squares=True, two_sided=False)
    n_elements = data.shape[1]
    stat, p_value, z_score, variance = np.full((4, n_elements), np.nan)
    is_constant = np.zeros(n_elements, dtype=bool)
    for start in range(0, n_elements, _STRIDE):
        part = data[:, start : start + _STRIDE].astype(float)
        finite = np.flatnonzero(np.isfinite(part).all(axis=0))
        if finite.size == 0:
            continue
        part, places = part[:, finite], start + finite
        observed = statistic.of_data(part).without_constant()
        stat[places] = observed.values
        p_value[places] = statistic.p_values(observed)
        z_score[places] = _z_of(statistic, observed)
        is_constant[places] = observed.is_constant
        if not contrast.is_f:
            variance[places] = _variance_of(statistic, part, observed.is_constant)
    return WelchMaps(stat, p_value, z_score, None if contrast.is_f else variance, is_constant)


def _z_of(statistic: WelchStatistic, observed: Observed) -> np.ndarray:
    if statistic.contrast.is_f:
        given = statistic.contrast.rank, observed.df, observed.values
        with np.errstate(divide="ignore"):
            # The smaller tail is used, since it keeps its digits.
            z = np.where(fdtrc(*given) < 0.5, -ndtri(fdtrc(*given)), ndtri(fdtr(*given)))
    else:
        z = statistic.scaled(observed)
    return np.where(observed.is_constant, 0, np.clip(z, -_LARGEST, _LARGEST))


def _variance_of(
    statistic: WelchStatistic, data: np.ndarray, is_constant: np.ndarray
) -> np.ndarray:
    """Return the variance of the product with the direction.

    v is the product divided by the root of this variance, which depends only on residuals. So the
    variance follows from v of the residuals plus a product of known size.
    """
    contrast = statistic.contrast
    residuals = contrast.without_design(data)
    size = np.sqrt((residuals**2).sum(axis=0))
    v = statistic.of_data(residuals + size * contrast.directions).values
    return np.divide(size**2, v**2, out=np.zeros_like(size), where=~is_constant)
