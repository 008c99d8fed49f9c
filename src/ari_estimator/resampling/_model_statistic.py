"""The statistic of a contrast, computed from resampled residuals."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np

from ari_estimator.resampling._contrast import Contrast
from ari_estimator.resampling._tails import Tail

SINGLE_ROUNDING = 2.0**-24

# Sums of squares of residuals up to this, relative to the data, are only rounding.
CONSTANT = (64 * np.finfo(float).eps) ** 2

# Only sums of squares below this may be rounding, and are checked.
SMALL = float(np.finfo(float).eps)


class Observed(NamedTuple):
    """Statistics of data, on their usual scale.

    Attributes
    ----------
    values : ndarray of shape (n_elements,)
        t, F, v or G. Where data are constant, it is the limit: infinite, or 0.

    df : float or ndarray of shape (n_elements,)
        Degrees of freedom of the residuals.

    is_constant : ndarray of bool of shape (n_elements,)
        Elements without residuals: their statistic would be infinite, or 0 / 0.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.resampling import SubjectSums, sign_statistics
    >>> rng = np.random.default_rng(0)
    >>> sums = SubjectSums.of(rng.standard_normal((12, 500)), n_groups=256)
    >>> observed = sign_statistics(sums, 100, rng, two_sided=False).observed
    >>> observed.values.shape, observed.df
    ((500,), 11)
    """

    values: np.ndarray
    df: float | np.ndarray
    is_constant: np.ndarray

    def without_constant(self) -> Observed:
        """Return a copy with statistics of 0 where data are constant.

        Returns
        -------
        observed : Observed
            The statistics.
        """
        return self._replace(values=np.where(self.is_constant, 0, self.values))


class ModelStatistic(ABC):
    """A statistic of a contrast, from a few products and sums of squares of residuals.

    It has two scales. Users know the statistic as t, F, v or G. Permutations are compared on
    another scale, on which all elements have the same tail.

    Attributes
    ----------
    name : {"t", "F", "v", "G"}
        Name of the statistic.

    contrast : Contrast
        What is tested.

    tail : Tail
        P-values of the scaled statistic.

    vectors : ndarray of shape (n_subjects, n_vectors)
        The vectors. The statistic is made from their products with residuals.

    groups : ndarray of int of shape (n_subjects,)
        Groups of rows. The statistic is made from the sum of squares in each.

    computed_vectors, computed_groups : slice or ndarray of int
        Vectors and groups whose products and resampled sums of squares are needed in single
        precision, by default all. The others follow from them.

    error, relative_error : float
        Bound on the rounding error in single precision: a scaled statistic s is off by no more
        than ``error + relative_error * abs(s)``.

    See Also
    --------
    PartialCorrelation : Statistics t and F.
    WelchStatistic : Statistics v and G, for groups of unequal variance.

    Examples
    --------
    >>> from ari_estimator.resampling import ModelStatistic, PartialCorrelation, WelchStatistic
    >>> [issubclass(one, ModelStatistic) for one in (PartialCorrelation, WelchStatistic)]
    [True, True]
    """

    name: str
    contrast: Contrast
    tail: Tail
    vectors: np.ndarray
    groups: np.ndarray
    computed_vectors: slice | np.ndarray = slice(None)
    computed_groups: slice | np.ndarray = slice(None)
    error: float
    relative_error: float = 0.0

    @property
    def n_groups(self) -> int:
        """Number of groups of rows."""
        return int(self.groups.max()) + 1

    @abstractmethod
    def finish(self, products: np.ndarray, squares: np.ndarray, out: np.ndarray) -> bool:
        """Write scaled statistics of resampled residuals.

        Parameters
        ----------
        products : ndarray of shape (n_vectors, n_permutations, n_elements)
            Products of the vectors with residuals whose norm is 1; the norm is 0 where data are
            constant. They may be overwritten. In single precision, only the
            products of ``computed_vectors``.

        squares : ndarray of shape (n_groups, n_permutations or 1, n_elements or 1)
            Sums of squares of the residuals in each group.

        out : ndarray of shape (n_permutations, n_elements)
            Memory for the statistics, in the precision of the products. They are NaN where
            rounding has not left enough digits.

        Returns
        -------
        are_accurate : bool
            Whether none is NaN.
        """

    @abstractmethod
    def of_data(self, data: np.ndarray) -> Observed:
        """Return the statistics of data in full precision.

        Parameters
        ----------
        data : ndarray of float64 of shape (n_subjects, n_elements)
            The data.

        Returns
        -------
        observed : Observed
            The statistics.
        """

    @abstractmethod
    def scaled(self, observed: Observed) -> np.ndarray:
        """Return statistics of data on the scale that permutations are compared on.

        Parameters
        ----------
        observed : Observed
            The statistics.

        Returns
        -------
        statistics : ndarray of shape (n_elements,)
            The scaled statistics, finite.
        """

    @abstractmethod
    def p_values(self, observed: Observed) -> np.ndarray:
        """Return the p-values of statistics of data.

        Parameters
        ----------
        observed : Observed
            The statistics.

        Returns
        -------
        p_values : ndarray of shape (n_elements,)
            The p-values; 1 where data are constant.
        """


def residuals_of(contrast: Contrast, data: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return residuals of the whole design, and the sums of squares that rounding may leave.

    Parameters
    ----------
    contrast : Contrast
        The contrast, which holds the basis of the design.

    data : ndarray of float64 of shape (n_subjects, n_elements)
        The data.

    Returns
    -------
    residuals : ndarray of shape (n_subjects, n_elements)
        The residuals.

    rounding : ndarray of shape (n_elements,)
        Sums of squares up to this number may be only rounding.
    """
    residuals = contrast.without_design(data)
    # The largest size, without a copy of the data.
    scale = len(data) * np.maximum(data.max(axis=0), -data.min(axis=0)) ** 2
    # Rounding of sums over many subjects leaves a small part of the design. A second pass removes
    # it.
    squares = np.einsum("ij,ij->j", residuals, residuals)
    small = np.flatnonzero(squares <= SMALL * scale)
    residuals[:, small] = contrast.without_design(residuals[:, small])
    return residuals, CONSTANT * scale
