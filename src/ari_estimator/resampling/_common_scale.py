"""Statistics of several kinds on the scale of one of them, on which all have the same tail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ari_estimator.resampling._rows import flat_rows
from ari_estimator.resampling._tails import Tail

# Points of the table between the lowest and the highest statistic. The table fits in the nearest
# cache of a processor.
_N_POINTS = 2**12 + 1

# Most errors are as large as at this p-value, or smaller.
_USUAL_P = 0.05

# Statistics with a larger error than this many times the usual one count as large or small without
# being told apart.
_MOST_TIMES = 2

_SINGLE_ROUNDING = 2.0**-24


@dataclass(frozen=True)
class TailInRange(Tail):
    """The tail of statistics, in the range where they are told apart.

    Attributes
    ----------
    tail : Tail
        P-values of the statistics.

    top, bottom : float
        Values above ``top``, and values below ``bottom``, are not told apart in single precision.
    """

    tail: Tail
    top: float
    bottom: float

    @property
    def is_absolute(self) -> bool:
        """Whether the sign of statistics is ignored."""
        return self.tail.is_absolute

    @property
    def highest(self) -> float:
        """Number that few values exceed."""
        return self.top

    @property
    def lowest(self) -> float:
        """Number below which there are few values, or values with large p-values."""
        return self.bottom

    def __call__(self, statistics: np.ndarray) -> np.ndarray:
        """Return the p-values of values, an array of their shape."""
        return self.tail(statistics)

    def inverse(self, p_values: np.ndarray) -> np.ndarray:
        """Return the values with the given p-values, an array of their shape."""
        return self.tail.inverse(p_values)


class CommonScale:
    """Statistics of another kind with the same p-values as the given ones.

    Statistics in single precision use a table with linear interpolation.

    Parameters
    ----------
    tail : Tail
        P-values of the given statistics.

    reference : Tail
        P-values of the other kind.

    error, relative_error : float
        Bound on the rounding error of a given statistic s in single precision, which is
        ``error + relative_error * abs(s)``.

    of_reference : float, default=0
        Bound on the rounding error of statistics of the other kind. Errors that are not much larger
        do no harm.

    Attributes
    ----------
    highest, lowest : float
        Range of statistics of the other kind with a small error. Larger statistics turn into
        numbers above ``highest``, and smaller ones into numbers below ``lowest``.

    error : float
        Bound on the error in that range.

    Notes
    -----
    A correlation turns into a correlation of another kind by a function with a slope near 1, and
    so does its rounding error. Only large p-values are an exception. A normal value would be
    steep, and uncertain, for the small p-values.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.resampling import CorrelationTail, MultipleCorrelationTail
    >>> from ari_estimator.resampling._common_scale import CommonScale
    >>> t, f = CorrelationTail(df=18, two_sided=True), MultipleCorrelationTail(rank=2, df=18)
    >>> scale = CommonScale(f, t, error=1e-6)
    >>> r = np.array([0.4438, 0.6788])
    >>> bool(np.allclose(t(scale.exact(r)), f(r), rtol=1e-12))
    True
    """

    def __init__(
        self,
        tail: Tail,
        reference: Tail,
        error: float,
        relative_error: float = 0.0,
        of_reference: float = 0.0,
    ) -> None:
        self._tail = tail
        self._reference = reference
        points = np.linspace(tail.lowest, tail.highest, 2 * _N_POINTS - 1)
        p_values = tail(points)
        # Rounding must not change the order.
        values = np.maximum.accumulate(reference.inverse(p_values))
        self._points, self._values = points[::2], values[::2]
        self._per_unit = np.float32((_N_POINTS - 1) / (tail.highest - tail.lowest))
        between = (self._values[1:] + self._values[:-1]) / 2
        # Interpolation is off most near the middle of a cell. Twice that error is a safe bound.
        errors = 2 * np.abs(between - values[1::2])
        width = points[2] - points[0]
        slopes = np.diff(self._values) / width
        off = error + relative_error * np.abs(points[2::2]) + 4 * _SINGLE_ROUNDING * tail.highest
        beside = np.maximum(np.append(slopes[1:], slopes[-1]), np.append(slopes[0], slopes[:-1]))
        errors += off * np.maximum(slopes, beside)
        errors += 4 * _SINGLE_ROUNDING * np.abs(self._values[1:])
        usual = int(np.searchsorted(-p_values[1::2], -_USUAL_P))
        usual = min(usual, errors.size - 1)
        # Beyond these cells, values are only large or small.
        is_off = errors > _MOST_TIMES * max(of_reference, errors[usual])
        before, after = np.flatnonzero(is_off[:usual]), np.flatnonzero(is_off[usual:])
        first = int(before[-1]) + 1 if before.size else 0
        last = usual + int(after[0]) if after.size else errors.size
        self.lowest, self.highest = float(self._values[first]), float(self._values[last])
        self.error = float(errors[first:last].max(initial=0.0))
        self._table = self._values.astype(np.float32)

    def exact(self, statistics: np.ndarray) -> np.ndarray:
        """Return the statistics of the other kind in double precision, finite."""
        return self._reference.inverse(self._tail(statistics))

    def in_place(self, statistics: np.ndarray) -> None:
        """Turn statistics in single precision into the other kind.

        Parameters
        ----------
        statistics : ndarray of float32 of shape (n_permutations, n_elements)
            The statistics, which are overwritten.
        """
        from ari_estimator.resampling._common_scale_kernels import look_up

        (n_rows, n), (memory, pitch) = statistics.shape, flat_rows(statistics)
        is_absolute, lowest = self._tail.is_absolute, np.float32(self._tail.lowest)
        look_up(memory, pitch, n_rows, n, is_absolute, lowest, self._per_unit, self._table)

    def about(self, statistics: np.ndarray) -> np.ndarray:
        """Return the other kind of statistics in double precision, with the error of the table.

        Parameters
        ----------
        statistics : ndarray of float64 of shape (n_permutations, n_elements)
            The statistics, finite.

        Returns
        -------
        values : ndarray of float64 of shape (n_permutations, n_elements)
            The statistics of the other kind.
        """
        from ari_estimator.resampling._common_scale_kernels import interpolate

        return interpolate(statistics, self._tail.is_absolute, self._points, self._values)

    def statistic_below(self, values: np.ndarray) -> np.ndarray:
        """Return statistics that turn into less than the given values, up to one cell.

        Parameters
        ----------
        values : ndarray of shape (n,)
            Statistics of the other kind.

        Returns
        -------
        statistics : ndarray of shape (n,)
            The statistics; minus infinity below the table.
        """
        place = np.searchsorted(self._values, values) - 1
        return np.where(place < 0, -np.inf, self._points[np.maximum(place, 0)])
