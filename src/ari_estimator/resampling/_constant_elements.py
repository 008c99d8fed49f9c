"""Elements whose data have no residual variance."""

from __future__ import annotations

import numpy as np

from ari_estimator.resampling._contrast import Contrast
from ari_estimator.resampling._model_statistic import SMALL, residuals_of


def constant_elements(data: np.ndarray, contrast: Contrast) -> np.ndarray:
    """Return which elements have no residual variance, by the rule of statistics under resampling.

    Rounding leaves small residuals of data that the design explains fully. Statistics of these
    elements would be huge, without any meaning.

    Parameters
    ----------
    data : ndarray of float64 of shape (n_subjects, n_elements)
        The data.

    contrast : Contrast
        The contrast, which holds the basis of the design.

    Returns
    -------
    is_constant : ndarray of bool of shape (n_elements,)
        Whether the residuals of each element are only rounding. False where data are NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.resampling import constant_elements, find_contrast
    >>> data = np.array([[0.1, 1.0], [0.1, 2.0], [0.1, 4.0]])
    >>> constant_elements(data, find_contrast(np.ones((3, 1)), [1])).tolist()
    [True, False]
    """
    residuals, rounding = residuals_of(contrast, data)
    is_constant: np.ndarray = np.einsum("ij,ij->j", residuals, residuals) <= rounding
    return is_constant


def may_be_constant(data: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Return which elements may have no residual variance, from what a regression has computed.

    Parameters
    ----------
    data : ndarray of shape (n_subjects, n_elements)
        The data.

    squares : ndarray of shape (n_elements,)
        Sums of the squares of residuals.

    Returns
    -------
    may_be : ndarray of bool of shape (n_elements,)
        Whether the sum is small. Others are not constant.
    """
    sizes = np.maximum(data.max(axis=0), -data.min(axis=0)).astype(np.float64)
    may_be: np.ndarray = squares <= SMALL * len(data) * sizes**2
    return may_be
