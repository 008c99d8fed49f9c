"""Variance groups: groups of rows, each with its own variance."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ari_estimator.resampling._contrast import Contrast
from ari_estimator.resampling._exchangeability import check_row_labels
from ari_estimator.resampling._fits_with_gaps import LEAST_EXPECTED, relative_variances
from ari_estimator.resampling._model_statistic import residuals_of

# A column with this many different values, each used several times, defines groups.
_N_VALUES = 2

# Level of the test of equal variances.
_LEVEL = 0.02

# Smaller ratios of standard deviations do little harm.
_SMALLEST_RATIO = 1.25

# Enough elements to estimate the mean of each row.
_MOST_ELEMENTS = 5_000


def variance_groups_of(
    groups: ArrayLike | Literal["auto"] | None,
    design: np.ndarray,
    blocks: np.ndarray | None = None,
    orbits: np.ndarray | None = None,
) -> np.ndarray | None:
    """Return variance groups as numbers from 0.

    Parameters
    ----------
    groups : array-like of shape (n_subjects,), "auto" or None
        A label for each row. "auto" takes the groups that columns of the design with two values
        define; if there are none, it takes the rows that may change places.

    design : ndarray of shape (n_subjects, n_columns)
        The design.

    blocks : ndarray of int of shape (n_subjects,) or None, default=None
        Block of each row. A column that is nonzero in only one block defines no groups.

    orbits : ndarray of int of shape (n_subjects,) or None, default=None
        Equal for rows that can change places.

    Returns
    -------
    variance_groups : ndarray of int of shape (n_subjects,) or None
        Group of each row; None if there are no groups.

    Raises
    ------
    ValueError
        If there is not one label for each row, or "auto" finds no groups.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.resampling import variance_groups_of
    >>> design = np.column_stack([[1, 1, 1, 0, 0, 0], np.ones(6), [23, 31, 40, 25, 44, 29]])
    >>> variance_groups_of("auto", design)
    array([0, 0, 0, 1, 1, 1])
    """
    if groups is None:
        return None
    if not isinstance(groups, str):
        return check_row_labels(groups, len(design), "variance_groups")
    if groups != "auto":
        raise ValueError(
            f"variance_groups must be labels, one for each row, 'auto' or None. Got {groups!r}."
        )
    found = groups_of_design(design, blocks)
    if found.max() == 0 and orbits is not None:
        found = orbits
    if found.max() == 0:
        raise ValueError(
            "variance_groups must be labels for this design. Got 'auto', which finds one group: "
            "no column of the design has exactly two values."
        )
    return found


def groups_of_design(design: np.ndarray, blocks: np.ndarray | None = None) -> np.ndarray:
    """Return the groups that columns of the design with two values define.

    Parameters
    ----------
    design : ndarray of shape (n_subjects, n_columns)
        The design.

    blocks : ndarray of int of shape (n_subjects,) or None, default=None
        Block of each row. Columns that are nonzero in only one block are ignored.

    Returns
    -------
    groups : ndarray of int of shape (n_subjects,)
        Numbers from 0, in order of appearance.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.resampling._variance_groups import groups_of_design
    >>> groups_of_design(np.array([[1, 0], [1, 0], [0, 1], [0, 1], [0, 0], [0, 0]]))
    array([0, 0, 1, 1, 2, 2])
    """
    discrete = []
    for column in np.asarray(design, dtype=float).T:
        values, counts = np.unique(column, return_counts=True)
        is_of_block = blocks is not None and np.unique(blocks[column != 0]).size == 1
        if values.size == _N_VALUES and counts.min() > 1 and not is_of_block:
            discrete.append(column)
    if not discrete:
        return np.zeros(len(design), dtype=np.intp)
    groups = np.unique(np.column_stack(discrete), axis=0, return_inverse=True)[1]
    return pd.factorize(groups.reshape(-1))[0]


def unequal_variances(
    data: np.ndarray, design: np.ndarray, contrast: Contrast, blocks: np.ndarray | None = None
) -> str | None:
    """Test whether groups of a design differ in variance by more than chance.

    Parameters
    ----------
    data : ndarray of shape (n_subjects, n_elements)
        The data; NaN where a row is missing.

    design : ndarray of shape (n_subjects, n_columns)
        The design.

    contrast : Contrast
        The contrast, which defines the residuals.

    blocks : ndarray of int of shape (n_subjects,) or None, default=None
        Blocks of dependent rows.

    Returns
    -------
    said : str or None
        The group sizes and standard deviations as a text; None if the groups do not differ.

    Notes
    -----
    Each row gets one number: its squared residuals relative to the mean of each element, averaged
    over elements and divided by their expectation given the leverage of the row. Each block gets
    the mean of its rows. These numbers are independent between rows, for any dependence between
    elements. The Kruskal-Wallis test compares them between groups.

    **The test is liberal if single subjects differ in noise**: in simulated studies with groups of
    the same variance, it found a difference in 0.035 to 0.35 of the studies at level 0.02.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.resampling import find_contrast
    >>> from ari_estimator.resampling._variance_groups import unequal_variances
    >>> design = np.eye(2)[np.repeat([0, 1], [6, 18])]
    >>> data = np.random.default_rng(0).standard_normal((24, 500))
    >>> data[:6] *= 3
    >>> unequal_variances(data, design, find_contrast(design, [1, -1]))
    '6 and 18 rows, standard deviations in the ratio 2.7 to 1'
    """
    groups = groups_of_design(design, blocks)
    sizes = np.bincount(groups)
    if sizes.size < 2 or sizes.min() < 3:
        return None
    from scipy.stats import kruskal  # which takes long to import: it is for such groups alone

    step = -(-data.shape[1] // _MOST_ELEMENTS)
    of_rows = _variances_of_rows(data[:, ::step].astype(float), contrast)
    is_free = np.isfinite(of_rows)
    if not is_free.any():
        return None
    of_rows, groups = of_rows[is_free], groups[is_free]
    if blocks is not None:
        units = np.unique(np.column_stack([groups, blocks[is_free]]), axis=0, return_inverse=True)
        counts = np.bincount(units[1].reshape(-1))
        of_rows = np.bincount(units[1].reshape(-1), of_rows) / counts
        groups = units[0][:, 0]
    samples = [of_rows[groups == group] for group in range(sizes.size)]
    if min(map(len, samples)) < 3 or np.ptp(of_rows) == 0 or kruskal(*samples).pvalue > _LEVEL:
        return None
    spreads = np.sqrt([sample.mean() for sample in samples])
    if spreads.max() < _SMALLEST_RATIO * spreads.min():
        return None
    return (
        f"{_listed(sizes.tolist())} rows, standard deviations in the ratio "
        f"{' to '.join(f'{spread:.2g}' for spread in spreads / spreads.min())}"
    )


def _variances_of_rows(data: np.ndarray, contrast: Contrast) -> np.ndarray:
    """Return the variance of each row relative to the others; NaN if the design leaves none."""
    if np.isnan(data).any():
        return relative_variances(data, contrast)
    residuals, rounding = residuals_of(contrast, data)
    squares = np.square(residuals, out=residuals)
    totals = squares.sum(axis=0)
    of_elements = totals / len(squares)
    # Constant elements hold only rounding errors.
    varies = totals > rounding
    expected = 1 - (contrast.basis**2).sum(axis=1)
    of_rows = np.full(len(data), np.nan)
    is_free = expected > LEAST_EXPECTED
    if not varies.all():
        squares, of_elements = squares[:, varies], of_elements[varies]
    if varies.any():
        means = np.divide(squares, of_elements, out=squares).mean(axis=1)
        of_rows[is_free] = means[is_free] / expected[is_free]
    return of_rows


def _listed(values: list[int]) -> str:
    return f"{', '.join(map(str, values[:-1]))} and {values[-1]}"
