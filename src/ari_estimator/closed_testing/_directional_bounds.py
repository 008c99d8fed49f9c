"""Bounds on positive and on negative effects, at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.closed_testing._critical_vector import CriticalVector
from ari_estimator.closed_testing._critical_vector_test import CriticalVectorBounds
from ari_estimator.closed_testing._simultaneous_bounds import SimultaneousBounds

# The largest threshold that no p-value of 1 meets.
_BELOW_ONE = np.nextafter(1.0, 0.0)


def bounds_of_side(
    p_values: np.ndarray, is_on_side: np.ndarray, vector: CriticalVector
) -> CriticalVectorBounds:
    """Return the bounds of one side, which count only the elements of that side.

    Parameters
    ----------
    p_values : ndarray of shape (n_elements,)
        One-sided p-values of this side.

    is_on_side : ndarray of bool of shape (n_elements,)
        Which elements belong to the side.

    vector : CriticalVector
        The critical vector of this side.

    Returns
    -------
    bounds : CriticalVectorBounds
        The bounds. Without the other elements, they can only be smaller.
    """
    if is_on_side.all():
        return CriticalVectorBounds(p_values, vector)
    # The other elements get a p-value of 1, which must not meet any threshold.
    thresholds = np.minimum(vector.thresholds, _BELOW_ONE)
    masked = np.where(is_on_side, p_values, 1.0)
    return CriticalVectorBounds(masked, CriticalVector._of_checked(thresholds))


class DirectionalBounds(SimultaneousBounds):
    """Bounds on positive and on negative effects, at once.

    The bound of a set is the sum of its two sides: a lower bound on the number of its elements
    with a positive or a negative effect.

    Parameters
    ----------
    p_values : ndarray of shape (n_elements,)
        P-values of the elements, which put them in order.

    positive, negative : CriticalVectorBounds
        The bounds of each side. No element contributes to both.

    Attributes
    ----------
    sides : dict of str to SimultaneousBounds
        The bounds ``"positive"`` and ``"negative"``.

    Examples
    --------
    >>> from ari_estimator.closed_testing import DirectionalTest, Hommel
    >>> test = DirectionalTest(Hommel([0.001, 0.998, 0.7]), Hommel([0.999, 0.002, 0.3]))
    >>> bounds = test.bounds(alpha=0.05)
    >>> bounds.of_set(), bounds.sides["positive"].of_set(), bounds.sides["negative"].of_set()
    (2, 1, 1)
    """

    def __init__(
        self, p_values: np.ndarray, positive: CriticalVectorBounds, negative: CriticalVectorBounds
    ) -> None:
        self.p_values = p_values
        self._positive, self._negative = positive, negative
        self.sides = {"positive": positive, "negative": negative}

    def of_set(self, subset: ArrayLike | None = None) -> int:
        """Return the bound of one set, see :meth:`SimultaneousBounds.of_set`."""
        return self._positive.of_set(subset) + self._negative.of_set(subset)

    def by_label(
        self,
        labels: ArrayLike,
        n_labels: int | None = None,
        *,
        subset: ArrayLike | None = None,
    ) -> np.ndarray:
        """Return the bounds of all sets, see :meth:`SimultaneousBounds.by_label`."""
        found = self._positive.by_label(labels, n_labels, subset=subset)
        return found + self._negative.by_label(labels, n_labels, subset=subset)

    def contributing(self) -> np.ndarray:
        """Return which elements can add to a bound, on either side."""
        return self._positive.contributing() | self._negative.contributing()

    def of_nested(self, order: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Return the bounds of nested sets, see :meth:`SimultaneousBounds.of_nested`."""
        return self._positive.of_nested(order, starts) + self._negative.of_nested(order, starts)

    def along(self, order: np.ndarray) -> np.ndarray:
        """Return the bounds along an order, see :meth:`SimultaneousBounds.along`."""
        return self._positive.along(order) + self._negative.along(order)
