"""What a contrast of a general linear model tests, as directions in the space of subjects."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.resampling._design_space import ROUNDING, DesignSpace


@dataclass(frozen=True)
class Contrast:
    """A t contrast, without its scale.

    ``[direction, nuisance]`` is an orthonormal basis of the design's columns. The t value of data
    ``y`` follows from the partial correlation ``r`` of ``direction`` and ``y``, given the nuisance:
    ``t = r sqrt(df / (1 - r^2))`` [1]_.

    Attributes
    ----------
    direction : ndarray of shape (n_subjects,)
        Of length 1: the regressor of the contrast, without what the nuisance explains of it.

    nuisance : ndarray of shape (n_subjects, n_nuisance)
        Orthonormal; spans what the design can explain where the contrast is 0.

    df : int
        Degrees of freedom of the residuals, at least 1.

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
    >>> contrast.n_subjects, contrast.df, contrast.explains_mean()
    (6, 4, True)
    >>> bool(abs(contrast.direction @ contrast.nuisance).max() < 1e-15)
    True
    """

    direction: np.ndarray
    nuisance: np.ndarray
    df: int

    @property
    def n_subjects(self) -> int:
        """Number of subjects, the rows of the design."""
        return self.direction.size

    @cached_property
    def basis(self) -> np.ndarray:
        """Orthonormal basis of the design, of shape (n_subjects, n_nuisance + 1)."""
        return np.column_stack([self.direction, self.nuisance])

    def without_nuisance(self, data: np.ndarray) -> np.ndarray:
        """Return the residuals of data given the nuisance alone.

        Parameters
        ----------
        data : ndarray of shape (n_subjects, ...)
            The data.

        Returns
        -------
        residuals : ndarray of the same shape
            What the nuisance does not explain.
        """
        return data - self.nuisance @ (self.nuisance.T @ data)

    def without_design(self, data: np.ndarray) -> np.ndarray:
        """Return the residuals of data given the whole design.

        Parameters
        ----------
        data : ndarray of shape (n_subjects, ...)
            The data.

        Returns
        -------
        residuals : ndarray of the same shape
            What the design does not explain.
        """
        return data - self.basis @ (self.basis.T @ data)

    def explains_mean(self) -> bool:
        """Tell whether the nuisance has an intercept: the mean of all subjects.

        Returns
        -------
        explains_mean : bool
            Whether it does.
        """
        ones = np.ones(self.n_subjects)
        return bool(np.abs(self.without_nuisance(ones)).max() < ROUNDING)


def find_contrast(design: ArrayLike, contrast: ArrayLike) -> Contrast:
    """Find what a contrast of a design tests.

    Parameters
    ----------
    design : array-like of shape (n_subjects, n_columns)
        The design. Columns may depend on each other, as long as the contrast is estimable.

    contrast : array-like of shape (n_columns,)
        Weights of the columns.

    Returns
    -------
    contrast : Contrast
        The contrast.

    Raises
    ------
    ValueError
        If the design or the contrast is not of this shape, is not finite, or is 0; if the
        contrast has several rows (F), is not estimable, or no degrees of freedom are left.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.resampling import find_contrast
    >>> contrast = find_contrast(np.ones((4, 1)), [1])
    >>> contrast.direction
    array([0.5, 0.5, 0.5, 0.5])
    """
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
    n_subjects = design.shape[0]
    space = DesignSpace.of(design)
    rank = space.rank
    if not space.is_estimable(weights):
        confounded = space.confounded(weights, [f"column {i}" for i in range(weights.size)])
        raise ValueError(
            f"contrast {weights.tolist()} is not estimable: the design of {design.shape[1]} "
            f"columns has rank {rank}, and several solutions fit the data equally well that "
            f"differ in this contrast. Confounded are {', '.join(confounded)}."
        )
    if n_subjects <= rank:
        raise ValueError(
            f"design must leave degrees of freedom for the residuals. Got {n_subjects} subjects "
            f"for a design of rank {rank}."
        )
    # In the coordinates of `left`, the estimate of the contrast is along one axis, and where the
    # contrast is 0 the design explains what is orthogonal to it.
    axis = (space.right @ (weights / space.units)) / space.singular
    axis /= np.linalg.norm(axis)
    others = np.linalg.svd(axis[np.newaxis])[2][1:]
    return Contrast(space.left @ axis, space.left @ others.T, n_subjects - rank)


def _check_weights(contrast: ArrayLike, n_columns: int) -> np.ndarray:
    weights = np.asarray(contrast)
    if weights.ndim == 2 and weights.shape[0] == 1:
        weights = weights[0]
    if weights.ndim == 2:
        raise ValueError(
            f"contrast must be one row of weights. Got {weights.shape[0]} rows, an F contrast: "
            "an F statistic is for deviations in any direction, while permutations here are of "
            "one direction, or of the two of its sign. Calibrate its rows one by one, each at "
            "its share of alpha."
        )
    if weights.dtype.kind not in "fiub" or weights.shape != (n_columns,):
        raise ValueError(
            f"contrast must be {n_columns} numbers, one for each column of the design. "
            f"Got shape {weights.shape} of {weights.dtype}."
        )
    weights = weights.astype(float)
    if not np.isfinite(weights).all() or not weights.any():
        raise ValueError(f"contrast must be finite and not 0. Got {weights.tolist()}.")
    return weights
