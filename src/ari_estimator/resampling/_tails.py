"""P-values of statistics, on the scale for comparing permutations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, betaincinv, ndtr, ndtri, stdtr

# Standard deviations beyond which there are few statistics.
_FAR, _LOW = 8.0, -4.0

# The same for normal values. The tails of correlations are longer.
_FAR_OF_NORMAL = 6.0

# P-values below about 1e-300 have no normal value in double precision.
_LARGEST_NORMAL = 37.5

# The p-value at this number of standard deviations.
_FAR_P = 2 * float(ndtr(-_FAR))


class Tail(ABC):
    """P-values of statistics that are comparable between elements.

    P-values fall as statistics grow. So the statistics can be sorted and counted, and only those
    that matter need a p-value.

    Attributes
    ----------
    is_absolute : bool
        Whether the sign of statistics is ignored.

    highest, lowest : float
        Nearly all statistics without an effect are between these numbers. If the sign is ignored,
        this refers to absolute values.

    Examples
    --------
    >>> from ari_estimator.resampling import NormalTail, Tail
    >>> tail = NormalTail(two_sided=True)
    >>> isinstance(tail, Tail), tail.is_absolute, tail.lowest, tail.highest
    (True, True, 0.0, 6.0)
    """

    @property
    @abstractmethod
    def is_absolute(self) -> bool:
        """Whether the sign of statistics is ignored."""

    @property
    @abstractmethod
    def highest(self) -> float:
        """Number that few statistics exceed."""

    @property
    @abstractmethod
    def lowest(self) -> float:
        """Number below which there are few statistics, or none."""

    @abstractmethod
    def __call__(self, statistics: np.ndarray) -> np.ndarray:
        """Return the p-values of statistics, an array of their shape."""

    @abstractmethod
    def inverse(self, p_values: np.ndarray) -> np.ndarray:
        """Return the statistics with given p-values.

        Parameters
        ----------
        p_values : ndarray
            The p-values, from 0 to 1.

        Returns
        -------
        statistics : ndarray of the same shape
            The statistics, finite. If the sign is ignored, they are not negative.
        """


@dataclass(frozen=True)
class CorrelationTail(Tail):
    """The tail of partial correlations, which are t statistics on another scale.

    ``t = r sqrt(df / (1 - r^2))`` grows with ``r``.

    Attributes
    ----------
    df : int
        Degrees of freedom of t.

    two_sided : bool
        Whether deviations in both directions count; otherwise only positive ones.

    Examples
    --------
    >>> from ari_estimator.resampling import CorrelationTail
    >>> CorrelationTail(df=18, two_sided=True)([0.0, 0.5, 1.0]).round(4)
    array([1.    , 0.0248, 0.    ])
    """

    df: int
    two_sided: bool

    @property
    def is_absolute(self) -> bool:
        """Whether the sign of correlations is ignored."""
        return self.two_sided

    @property
    def highest(self) -> float:
        """Number that few correlations exceed: their variance is about ``1 / (df + 1)``."""
        return min(1.0, _FAR * (self.df + 1) ** -0.5)

    @property
    def lowest(self) -> float:
        """Number below which there are few correlations."""
        return 0.0 if self.two_sided else max(-1.0, _LOW * (self.df + 1) ** -0.5)

    def of_t(self, t: np.ndarray) -> np.ndarray:
        """Return the p-values of t statistics.

        Parameters
        ----------
        t : ndarray
            Statistics.

        Returns
        -------
        p_values : ndarray of the same shape
            Their p-values.
        """
        if self.two_sided:
            return np.minimum(2 * stdtr(self.df, -np.abs(t)), 1)
        return stdtr(self.df, -t)

    def __call__(self, statistics: np.ndarray) -> np.ndarray:
        """Return the p-values of correlations, an array of their shape.

        Correlations of -1 and 1 get the limits of p-values. Values beyond them count as -1 or 1.
        """
        r = np.clip(np.asarray(statistics, dtype=float), -1, 1)
        with np.errstate(divide="ignore"):
            return self.of_t(r * np.sqrt(self.df / ((1 - r) * (1 + r))))

    def inverse(self, p_values: np.ndarray) -> np.ndarray:
        """Return the correlations with the given p-values, an array of their shape."""
        p = np.asarray(p_values, dtype=float)
        if self.two_sided:
            return _correlation_of(p, 1, self.df)
        sizes = _correlation_of(2 * np.minimum(p, 1 - p), 1, self.df)
        return np.where(p <= 0.5, sizes, -sizes)


@dataclass(frozen=True)
class MultipleCorrelationTail(Tail):
    """The tail of multiple correlations, which are F statistics on another scale.

    ``F = (r^2 / rank) / ((1 - r^2) / df)`` grows with ``r``, and ``r^2`` has a beta distribution.

    Attributes
    ----------
    rank : int
        Degrees of freedom of the contrast.

    df : int
        Degrees of freedom of the residuals.

    Examples
    --------
    >>> from ari_estimator.resampling import MultipleCorrelationTail
    >>> MultipleCorrelationTail(rank=2, df=18)([0.0, 0.5, 1.0]).round(4)
    array([1.    , 0.0751, 0.    ])
    """

    rank: int
    df: int

    @property
    def is_absolute(self) -> bool:
        """True: multiple correlations have no sign."""
        return True

    @property
    def highest(self) -> float:
        """Number that few correlations exceed."""
        return float(np.sqrt(1 - betaincinv(self.df / 2, self.rank / 2, _FAR_P)))

    @property
    def lowest(self) -> float:
        """Number below which there are no correlations."""
        return 0.0

    def __call__(self, statistics: np.ndarray) -> np.ndarray:
        """Return the p-values of correlations, an array of their shape.

        A correlation of 1 gets the limit of p-values. Values beyond it count as 1.
        """
        r = np.clip(np.abs(np.asarray(statistics, dtype=float)), 0, 1)
        return betainc(self.df / 2, self.rank / 2, (1 - r) * (1 + r))

    def inverse(self, p_values: np.ndarray) -> np.ndarray:
        """Return the correlations with the given p-values, an array of their shape."""
        return _correlation_of(np.asarray(p_values, dtype=float), self.rank, self.df)


@dataclass(frozen=True)
class NormalTail(Tail):
    """The tail of standard normal values.

    Attributes
    ----------
    two_sided : bool
        Whether deviations in both directions count; otherwise only positive ones.

    Examples
    --------
    >>> from ari_estimator.resampling import NormalTail
    >>> NormalTail(two_sided=True)([0.0, 1.96]).round(4)
    array([1.  , 0.05])
    """

    two_sided: bool

    @property
    def is_absolute(self) -> bool:
        """Whether the sign of values is ignored."""
        return self.two_sided

    @property
    def highest(self) -> float:
        """Number that few values exceed."""
        return _FAR_OF_NORMAL

    @property
    def lowest(self) -> float:
        """Number below which there are few values."""
        return 0.0 if self.two_sided else _LOW

    def __call__(self, statistics: np.ndarray) -> np.ndarray:
        """Return the p-values of values, an array of their shape."""
        z = np.asarray(statistics, dtype=float)
        return 2 * ndtr(-np.abs(z)) if self.two_sided else ndtr(-z)

    def inverse(self, p_values: np.ndarray) -> np.ndarray:
        """Return the values with the given p-values, at most 37.5, an array of their shape."""
        p = np.asarray(p_values, dtype=float)
        return np.clip(-ndtri(p / 2 if self.two_sided else p), -_LARGEST_NORMAL, _LARGEST_NORMAL)


def _correlation_of(p_values: np.ndarray, rank: int, df: int) -> np.ndarray:
    """Return multiple correlations with the given p-values."""
    # Each half of the p-values is computed where rounding leaves more digits.
    is_small = p_values <= 0.5
    unexplained = betaincinv(df / 2, rank / 2, np.where(is_small, p_values, 0.5))
    explained = betaincinv(rank / 2, df / 2, np.where(is_small, 0.5, 1 - p_values))
    return np.sqrt(np.where(is_small, 1 - unexplained, explained))
