"""Groups of rows that may have variances of their own."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ari_estimator.resampling._contrast import Contrast
from ari_estimator.resampling._exchangeability import check_row_labels
from ari_estimator.resampling._model_statistic import residuals_of

# A column with so many different values, each several times, tells groups apart.
_N_VALUES = 2

# Chance that groups of equal variance are taken for unequal.
_LEVEL = 0.02

# Standard deviations in a smaller ratio do little harm.
_SMALLEST_RATIO = 1.25

# Enough to estimate what is the mean of each row.
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
        A label for each row; or "auto" for the groups that the design tells apart by columns with
        two values, and else for the rows that blocks let change places.

    design : ndarray of shape (n_subjects, n_columns)
        The design.

    blocks : ndarray of int of shape (n_subjects,) or None, default=None
        Block of each row. A column of the design that is 0 but in one block tells no groups.

    orbits : ndarray of int of shape (n_subjects,) or None, default=None
        Equal for rows that can change places.

    Returns
    -------
    variance_groups : ndarray of int of shape (n_subjects,) or None
        Numbers; None if there are no groups.

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
            "no column of the design has two values, as a column for a group has."
        )
    return found


def groups_of_design(design: np.ndarray, blocks: np.ndarray | None = None) -> np.ndarray:
    """Return the groups that the columns of a design with two values tell apart.

    Parameters
    ----------
    design : ndarray of shape (n_subjects, n_columns)
        The design.

    blocks : ndarray of int of shape (n_subjects,) or None, default=None
        Block of each row. A column that is 0 but in one block is left out.

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
    """Say whether groups of a design differ in variance, beyond chance.

    Parameters
    ----------
    data : ndarray of shape (n_subjects, n_elements)
        The data.

    design : ndarray of shape (n_subjects, n_columns)
        The design.

    contrast : Contrast
        What is tested, which gives the residuals.

    blocks : ndarray of int of shape (n_subjects,) or None, default=None
        Blocks of rows that depend on each other.

    Returns
    -------
    said : str or None
        The sizes and standard deviations in words; None if groups do not differ.

    Notes
    -----
    Each row has one number: the mean of its squared residuals over elements, each in units of the
    element's mean, divided by what is expected of a row with its leverage. Blocks have the mean
    of their rows. These numbers are independent, however elements depend on each other. The test
    of Kruskal and Wallis compares them between groups.

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
    residuals, rounding = residuals_of(contrast, data[:, ::step].astype(float))
    squares = residuals**2
    of_elements = squares.mean(axis=0)
    # What rounding leaves of constant elements is alike in all of them.
    varies = squares.sum(axis=0) > rounding
    if not varies.any():
        return None
    expected = 1 - (contrast.basis**2).sum(axis=1)
    is_free = expected > 0.1
    of_rows = (squares[:, varies] / of_elements[varies]).mean(axis=1)[is_free] / expected[is_free]
    groups = groups[is_free]
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


def _listed(values: list[int]) -> str:
    return f"{', '.join(map(str, values[:-1]))} and {values[-1]}"
