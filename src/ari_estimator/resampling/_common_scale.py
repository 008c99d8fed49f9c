"""Statistics of several kinds on one scale, on which all of them have the same tail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from ari_estimator.resampling._tails import Tail

# Points of the table between the lowest and the highest statistic. The table fits in a near cache.
_N_POINTS = 2**15 + 1

# Normal values outside this range are not distinguished in single precision.
_LOWEST, _HIGHEST = -3.0, 7.5

# Largest error of a normal value; or twice the error of values near 0, if it is larger. Beyond it,
# statistics count as large without being told apart.
_LARGEST_ERROR = 0.01

# P-values below about 1e-300 have no normal value in double precision.
_LARGEST_NORMAL = 37.5

_SINGLE_ROUNDING = 2.0**-24


@dataclass(frozen=True)
class CommonTail(Tail):
    """The tail of one-sided normal values, in the range where they are told apart.

    Attributes
    ----------
    top, bottom : float
        Values above ``top``, and values below ``bottom``, are not told apart in single precision.
    """

    top: float
    bottom: float

    @property
    def is_absolute(self) -> bool:
        """False: the values of two-sided p-values are one-sided too."""
        return False

    @property
    def highest(self) -> float:
        """Number that few values exceed."""
        return self.top

    @property
    def lowest(self) -> float:
        """Number below which there are few values."""
        return self.bottom

    def __call__(self, statistics: np.ndarray) -> np.ndarray:
        """Return the p-values of values, an array of their shape."""
        return ndtr(-np.asarray(statistics, dtype=float))


class CommonScale:
    """Normal values with the p-values of statistics: ``z = -ndtri(p)``.

    Statistics in single precision use a table with linear interpolation.

    Parameters
    ----------
    tail : Tail
        P-values of the statistics.

    error, relative_error : float
        Bound on the rounding error of a statistic s in single precision, which is
        ``error + relative_error * abs(s)``.

    Attributes
    ----------
    highest, lowest : float
        Range of normal values with a small error. Larger statistics have larger values than
        ``highest``, and smaller ones smaller values than ``lowest``.

    error : float
        Bound on the error of normal values in that range.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.resampling import CorrelationTail
    >>> from ari_estimator.resampling._common_scale import CommonScale
    >>> tail = CorrelationTail(df=18, two_sided=True)
    >>> scale = CommonScale(tail, error=1e-6)
    >>> p_values = np.array([0.05, 0.001])
    >>> from scipy.special import ndtr
    >>> r = np.array([0.4438, 0.6788])
    >>> bool(np.allclose(ndtr(-scale.exact(r)), tail(r), rtol=1e-12))
    True
    """

    def __init__(self, tail: Tail, error: float, relative_error: float = 0.0) -> None:
        self._tail = tail
        points = np.linspace(tail.lowest, tail.highest, 2 * _N_POINTS - 1)
        values = self.exact(points)
        self._points, self._values = points[::2], values[::2]
        self._per_unit = np.float32((_N_POINTS - 1) / (tail.highest - tail.lowest))
        between = (self._values[1:] + self._values[:-1]) / 2
        # Interpolation is off most near the middle of a cell. Twice that error is a safe bound.
        errors = 2 * np.abs(between - values[1::2])
        width = points[2] - points[0]
        slopes = np.diff(self._values) / width
        off = error + relative_error * np.abs(points[2::2]) + 4 * _SINGLE_ROUNDING * tail.highest
        errors += off * np.maximum(slopes, np.append(slopes[1:], slopes[-1]))
        errors += 4 * _SINGLE_ROUNDING * np.abs(self._values[1:])
        # The cells around 0 in which values can be told apart. Beyond them, values are only large
        # or small.
        middle = max(int(np.searchsorted(self._values, 0.0)) - 1, 0)
        # With many subjects, or with gaps, errors may be large everywhere.
        largest = _LARGEST_ERROR if errors[middle] <= _LARGEST_ERROR else 2 * errors[middle]
        is_off = errors > largest
        is_off |= (self._values[1:] > _HIGHEST) | (self._values[:-1] < _LOWEST)
        before, after = np.flatnonzero(is_off[:middle]), np.flatnonzero(is_off[middle:])
        first = int(before[-1]) + 1 if before.size else 0
        last = middle + int(after[0]) if after.size else errors.size
        self.lowest, self.highest = float(self._values[first]), float(self._values[last])
        self.error = float(errors[first:last].max(initial=0.0))
        self._table = self._values.astype(np.float32)

    def exact(self, statistics: np.ndarray) -> np.ndarray:
        """Return normal values of statistics in double precision, finite."""
        return np.clip(-ndtri(self._tail(statistics)), -_LARGEST_NORMAL, _LARGEST_NORMAL)

    def in_place(self, statistics: np.ndarray) -> None:
        """Turn statistics in single precision into normal values.

        Parameters
        ----------
        statistics : ndarray of float32 of shape (n_permutations, n_elements)
            The statistics, which are overwritten.
        """
        from ari_estimator.resampling._common_scale_kernels import look_up

        lowest = np.float32(self._tail.lowest)
        look_up(statistics, self._tail.is_absolute, lowest, self._per_unit, self._table)

    def about(self, statistics: np.ndarray) -> np.ndarray:
        """Return normal values of statistics in double precision, with the error of the table.

        Parameters
        ----------
        statistics : ndarray of float64 of shape (n_permutations, n_elements)
            The statistics, finite.

        Returns
        -------
        values : ndarray of float64 of shape (n_permutations, n_elements)
            The normal values.
        """
        from ari_estimator.resampling._common_scale_kernels import interpolate

        return interpolate(statistics, self._tail.is_absolute, self._points, self._values)

    def statistic_below(self, values: np.ndarray) -> np.ndarray:
        """Return statistics whose normal values are below the given ones, up to one cell.

        Parameters
        ----------
        values : ndarray of shape (n,)
            Normal values.

        Returns
        -------
        statistics : ndarray of shape (n,)
            The statistics; minus infinity below the table.
        """
        place = np.searchsorted(self._values, values) - 1
        return np.where(place < 0, -np.inf, self._points[np.maximum(place, 0)])
