"""The parameter of one template on the scale of another one."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np

from ari_estimator.closed_testing._template import Template

# P-values at which two templates are compared: 2 % apart where thresholds of brain maps lie, and
# closer together next to 1. Below them, thresholds are of no use.
_EXPONENTS = np.concatenate([np.arange(300, 20, -1.0), np.arange(2000, -1, -1) / 100])
_P_VALUES = np.concatenate(
    [[0.0], 10.0 ** -_EXPONENTS[:-1], 1 - 10.0 ** -np.arange(2, 16, 0.25), [1.0]]
)


class ParameterScale(ABC):
    """A fixed relation between the parameters of two templates.

    It never falls, and rounding keeps this order.
    """

    @classmethod
    def of_crossing(cls, first: Template, other: Template, rank: int) -> ParameterScale:
        """Return the relation at which two templates have the same threshold at a rank.

        Parameters
        ----------
        first, other : Template
            The templates.

        rank : int
            The rank.

        Returns
        -------
        scale : ParameterScale
            From the parameter of ``other`` to the parameter of ``first``.
        """
        if first.is_proportional and other.is_proportional:
            per_lambda = [one.thresholds(1.0)[rank - 1] for one in (other, first)]
            return _Proportional(per_lambda[0] / per_lambda[1])
        own, p_values = other._curve_points(rank, _P_VALUES)
        common = first.inverse(np.array(rank), p_values)
        is_finite = np.isfinite(own) & np.isfinite(common)
        own, common = own[is_finite], common[is_finite]
        # A parameter that stands for several p-values counts for the smallest. The highest
        # parameter sets no limit.
        points, at = np.unique(own, return_index=True)
        return _PiecewiseLinear(points, np.append(common[at[:-1]], common[-1]), other)

    @abstractmethod
    def common(self, own: np.ndarray) -> np.ndarray:
        """Return parameters on the scale of the other template.

        Parameters
        ----------
        own : ndarray
            Parameters of the template; inf stays so.

        Returns
        -------
        common : ndarray
            Parameters of the other one.
        """

    @abstractmethod
    def own(self, common: float) -> float:
        """Return the parameter of the template at a parameter of the other one.

        Parameters
        ----------
        common : float
            The parameter.

        Returns
        -------
        own : float
            The number such that ``common(x) < common`` holds exactly for ``x < own``, within the
            range of the relation.
        """

    def may_be_below(self, p_values: np.ndarray, common: np.ndarray) -> np.ndarray:
        """Return where a p-value at any rank may give less than a parameter of the other template.

        Parameters
        ----------
        p_values : ndarray
            P-values.

        common : ndarray of the same shape
            Parameters of the other template.

        Returns
        -------
        may_be_below : ndarray of bool of the same shape
            False only where :meth:`common` of the template's inverse is at least the parameter.
        """
        return np.ones(p_values.shape, dtype=bool)


class _Proportional(ParameterScale):
    """The relation of two templates whose thresholds are proportional to their parameters."""

    def __init__(self, factor: float) -> None:
        self._factor = factor

    def common(self, own: np.ndarray) -> np.ndarray:
        return np.asarray(own * self._factor)

    def own(self, common: float) -> float:
        own = common / self._factor
        # Rounding may be off by a few doubles.
        while own * self._factor >= common and own > 0:
            own = math.nextafter(own, -math.inf)
        while own * self._factor < common:
            own = math.nextafter(own, math.inf)
        return own


class _PiecewiseLinear(ParameterScale):
    """A relation that is linear between points.

    Parameters
    ----------
    own : ndarray of shape (n_points,)
        Parameters of the template, in strictly ascending order; finite.

    common : ndarray of shape (n_points,)
        Parameters of the other template that belong to them, in ascending order; finite.

    template : Template
        The template.
    """

    def __init__(self, own: np.ndarray, common: np.ndarray, template: Template) -> None:
        self._own = own
        self._common = np.maximum.accumulate(common)
        with np.errstate(over="ignore"):
            self._slopes = np.minimum(np.diff(self._common) / np.diff(own), np.finfo(float).max)

        # No p-value has an inverse below this one.
        self._lowest = float(template.inverse(np.array(template.k_max), np.array(0.0)))
        # At ranks up to the last one, a p-value of _at_last or more gives at least _least.
        of_last = self.common(template.inverse(np.array(template.k_max), _P_VALUES))
        self._least = np.minimum.accumulate(of_last[::-1])[::-1]
        # A point more leaves room for rounding.
        self._at_last = np.concatenate([_P_VALUES[1:], [np.inf, np.inf]])

    def common(self, own: np.ndarray) -> np.ndarray:
        own = np.asarray(own, dtype=float)
        inside = np.clip(own, self._own[0], self._own[-1])
        left = np.minimum(
            np.searchsorted(self._own, inside, side="right") - 1, self._slopes.size - 1
        )
        step = self._slopes[left] * (inside - self._own[left])
        # The next point bounds what rounding may add.
        common = np.minimum(self._common[left] + step, self._common[left + 1])
        return np.where(own == math.inf, math.inf, common)

    def own(self, common: float) -> float:
        # Bisection finds the smallest double at which the condition fails.
        low, high = _bits(float(self._own[0])), _bits(float(self._own[-1]))
        if not self.common(np.array(_double(low))) < common:
            return self._lowest
        if self.common(np.array(_double(high))) < common:
            return float(self._own[-1])
        while high - low > 1:
            middle = (low + high) // 2
            if self.common(np.array(_double(middle))) < common:
                low = middle
            else:
                high = middle
        return _double(high)

    def may_be_below(self, p_values: np.ndarray, common: np.ndarray) -> np.ndarray:
        return np.asarray(p_values < self._at_last[np.searchsorted(self._least, common)])


def _bits(value: float) -> int:
    """Return an integer that sorts like a double."""
    bits = int(np.array(value).view(np.int64))
    return bits if bits >= 0 else -(bits & 0x7FFFFFFFFFFFFFFF)


def _double(bits: int) -> float:
    """Return the double of an integer that sorts like it."""
    value = float(np.array(abs(bits)).view(np.float64))
    return value if bits >= 0 else -value
