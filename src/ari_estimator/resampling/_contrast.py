"""A contrast of a general linear model, as directions in the space of subjects."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ari_estimator._masked_values import refuse_masked
from ari_estimator.resampling._design_space import ROUNDING, DesignSpace, independent_rows

ContrastType = Literal["t", "F"]


@dataclass(frozen=True)
class Contrast:
    """A t or F contrast, without its scale.

    ``[directions, nuisance]`` is an orthonormal basis of the design's columns. The statistic of
    data ``y`` follows from the partial correlation ``r`` of ``directions`` and ``y``, given the
    nuisance: ``t = r sqrt(df / (1 - r^2))`` and ``F = (r^2 / rank) / ((1 - r^2) / df)`` [1]_.

    Attributes
    ----------
    directions : ndarray of shape (n_subjects, rank)
        Orthonormal: the regressors of the contrast, orthogonal to the nuisance.

    nuisance : ndarray of shape (n_subjects, n_nuisance)
        Orthonormal basis of the part of the design for which the contrast is 0.

    df : int
        Degrees of freedom of the residuals, at least 1.

    is_f : bool
        Whether it is an F contrast, which has no sign.

    References
    ----------
    .. [1] Winkler AM, Ridgway GR, Webster MA, Smith SM, Nichols TE (2014). Permutation
       inference for the general linear model. NeuroImage 92, 381-397.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.resampling import find_contrast
    >>> group = np.repeat([0.0, 1.0], 3)
    >>> contrast = find_contrast(np.column_stack([group, np.ones(6)]), [1, 0])
    >>> contrast.n_subjects, contrast.rank, contrast.df, contrast.explains_mean()
    (6, 1, 4, True)
    >>> bool(abs(contrast.directions.T @ contrast.nuisance).max() < 1e-15)
    True
    """

    directions: np.ndarray
    nuisance: np.ndarray
    df: int
    is_f: bool = False

    @cached_property
    def n_subjects(self) -> int:
        """Number of subjects, the rows of the design."""
        return len(self.directions)

    @cached_property
    def rank(self) -> int:
        """Number of directions that are tested: 1 for a t contrast."""
        return self.directions.shape[1]

    @cached_property
    def basis(self) -> np.ndarray:
        """Orthonormal basis of the design, of shape (n_subjects, rank + n_nuisance)."""
        return np.column_stack([self.directions, self.nuisance])

    def without_nuisance(self, data: np.ndarray) -> np.ndarray:
        """Return the residuals of data given the nuisance alone.

        Parameters
        ----------
        data : ndarray of shape (n_subjects, ...)
            The data.

        Returns
        -------
        residuals : ndarray of the same shape
            The residuals.
        """
        if self.nuisance.shape[1] == 0:
            return data.copy()
        residuals = self.nuisance @ (self.nuisance.T @ data)
        return np.subtract(data, residuals, out=residuals)

    def without_design(self, data: np.ndarray) -> np.ndarray:
        """Return the residuals of data given the whole design.

        Parameters
        ----------
        data : ndarray of shape (n_subjects, ...)
            The data.

        Returns
        -------
        residuals : ndarray of the same shape
            The residuals.
        """
        residuals = self.basis @ (self.basis.T @ data)
        return np.subtract(data, residuals, out=residuals)

    def explains_mean(self) -> bool:
        """Return whether the nuisance contains an intercept.

        Returns
        -------
        explains_mean : bool
            Whether it does.
        """
        ones = np.ones(self.n_subjects)
        return bool(np.abs(self.without_nuisance(ones)).max() < ROUNDING)


def find_contrast(
    design: ArrayLike, contrast: ArrayLike, stat_type: ContrastType | None = None
) -> Contrast:
    """Return what a contrast of a design tests.

    Parameters
    ----------
    design : array-like of shape (n_subjects, n_columns)
        The design. Columns may depend on each other, as long as the contrast is estimable.

    contrast : array-like of shape (n_columns,) or (n_rows, n_columns)
        Weights of the columns. Rows of an F contrast may depend on each other.

    stat_type : {"t", "F"} or None, default=None
        Type of the test. None is t for one row and F for several. "F" also tests a single row,
        and then has no direction.

    Returns
    -------
    contrast : Contrast
        The contrast.

    Raises
    ------
    ValueError
        If the design or the contrast has another shape, is not finite, or is 0; if the
        contrast is not estimable, or no degrees of freedom are left; if ``stat_type`` is "t" and
        there are several rows.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.resampling import find_contrast
    >>> find_contrast(np.ones((4, 1)), [1]).directions.T
    array([[0.5, 0.5, 0.5, 0.5]])

    Three groups differ in two directions. Additional rows of the contrast do not change this:

    >>> groups = np.eye(3)[[0, 0, 1, 1, 2, 2]]
    >>> find_contrast(groups, [[1, -1, 0], [0, 1, -1], [1, 0, -1]]).rank
    2
    """
    refuse_other_labels(contrast, design)
    refuse_masked(design, "design", "Fill in the values, or leave out their subjects.")
    design = np.asarray(design)
    if design.dtype.kind not in "fiub" or design.ndim != 2 or 0 in design.shape:
        raise ValueError(
            "design must be numbers of shape (n_subjects, n_columns). "
            f"Got shape {design.shape} of {design.dtype}."
        )
    design = design.astype(float)
    if not np.isfinite(design).all():
        raise ValueError("design must be finite. Got NaN or infinite values.")
    weights = _check_weights(contrast, design.shape[1])
    is_f = is_f_test(len(weights), stat_type)
    n_subjects = design.shape[0]
    space = DesignSpace.of(design)
    if not space.is_estimable(weights):
        confounded = space.confounded(weights, [f"column {i}" for i in range(weights.shape[1])])
        shown = weights.tolist() if len(weights) > 1 else weights[0].tolist()
        raise ValueError(
            f"contrast {shown} is not estimable: the design of {design.shape[1]} "
            f"columns has rank {space.rank}, and solutions that differ in this contrast fit the "
            f"data equally well. These columns are confounded: {', '.join(confounded)}. Leave one "
            "of them out."
        )
    if n_subjects <= space.rank:
        raise ValueError(
            f"design must leave degrees of freedom for the residuals. Got {n_subjects} subjects "
            f"for a design of rank {space.rank}."
        )
    # In the coordinates of `left`, the estimates of the contrast lie along a few axes. The part
    # of the design for which the contrast is 0 is orthogonal to these axes.
    axes = independent_rows((weights / space.units) @ space.right.T / space.singular)
    # A single axis keeps its sign.
    axes = axes / np.linalg.norm(axes) if len(axes) == 1 else np.linalg.qr(axes.T)[0].T
    others = np.linalg.svd(axes)[2][len(axes) :]
    return Contrast(space.left @ axes.T, space.left @ others.T, n_subjects - space.rank, is_f)


def refuse_other_labels(contrast: Any, design: Any, called: str = "contrast") -> None:
    """Refuse weights whose labels are not the columns of a design, in their order.

    Parameters
    ----------
    contrast : array-like of shape (n_columns,) or (n_rows, n_columns)
        The weights. A Series or DataFrame has labels, unless these only count.

    design : DataFrame or array-like of shape (n_subjects, n_columns)
        The design. Columns of an array have no names.

    called : str, default="contrast"
        Name of the argument, for messages.

    Raises
    ------
    ValueError
        If the labels are others.
    """
    if not isinstance(contrast, (pd.Series, pd.DataFrame)) or not isinstance(design, pd.DataFrame):
        return
    labels = contrast.index if isinstance(contrast, pd.Series) else contrast.columns
    columns = design.columns.tolist()
    if labels.tolist() not in (columns, list(range(len(labels)))):
        raise ValueError(
            f"{called} must have the columns of the design as its labels, in the same order: "
            f"{columns}. Got {labels.tolist()}. Reindex it with the columns, and with 0 for "
            "those that it leaves out."
        )


def is_f_test(n_rows: int, tested_by: ContrastType | None, called: str = "stat_type") -> bool:
    """Return whether a contrast is tested by F.

    Parameters
    ----------
    n_rows : int
        Number of rows of the contrast.

    tested_by : {"t", "F"} or None
        Type of the test; None is t for one row and F for several.

    called : str, default="stat_type"
        Name of the argument, for messages.

    Returns
    -------
    is_f : bool
        Whether it is.

    Raises
    ------
    ValueError
        If the type is unknown, or is "t" for several rows.
    """
    if tested_by not in (None, "t", "F"):
        raise ValueError(f"{called} must be 't', 'F' or None. Got {tested_by!r}.")
    if tested_by == "t" and n_rows > 1:
        raise ValueError(
            f"{called} must be 'F' or None for a contrast of {n_rows} rows. Got 't', which tests "
            "one row: give one row of weights."
        )
    return tested_by == "F" or (tested_by is None and n_rows > 1)


def _check_weights(contrast: ArrayLike, n_columns: int) -> np.ndarray:
    """Return the weights of a contrast, of shape (n_rows, n_columns)."""
    refuse_masked(contrast, "contrast", "Give each column of the design a number.")
    weights = np.atleast_2d(np.asarray(contrast))
    is_numbers = weights.dtype.kind in "fiub" and weights.ndim == 2 and len(weights) > 0
    if not is_numbers or weights.shape[1] != n_columns:
        raise ValueError(
            f"contrast must be {n_columns} numbers, one for each column of the design, or several "
            f"rows of {n_columns} numbers for an F contrast. Got {_in_short(contrast, weights)}."
        )
    weights = weights.astype(float)
    if not np.isfinite(weights).all() or not weights.any():
        raise ValueError(f"contrast must be finite and not 0. Got {np.asarray(contrast).tolist()}.")
    return weights


def _in_short(contrast: ArrayLike, weights: np.ndarray) -> str:
    if weights.dtype.kind in "OU":
        return f"{np.asarray(contrast).tolist()!r}"[:80]
    return f"shape {np.shape(contrast)} of {weights.dtype}"
