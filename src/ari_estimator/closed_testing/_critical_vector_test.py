"""Tests whose bounds come from a critical vector, and these bounds."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.closed_testing._checks import check_labels, check_p_values, check_subset
from ari_estimator.closed_testing._critical_vector import CriticalVector
from ari_estimator.closed_testing._ordered_sets import (
    one_set,
    passed_over,
    sets_by_label,
    smallest_beyond,
)
from ari_estimator.closed_testing._p_value_source import KnownPValues, PValueSource
from ari_estimator.closed_testing._simultaneous_bounds import SimultaneousBounds
from ari_estimator.closed_testing._simultaneous_test import SimultaneousTest


class CriticalVectorBounds(SimultaneousBounds):
    """Bounds by a critical vector.

    Parameters
    ----------
    p_values : ndarray of shape (n_elements,)
        P-values of the elements.

    critical_vector : CriticalVector
        Thresholds that hold for them.

    Attributes
    ----------
    critical_vector : CriticalVector
        The first thresholds, as many as the bounds of these p-values need.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.closed_testing import CriticalVector, CriticalVectorBounds
    >>> bounds = CriticalVectorBounds(np.array([0.001, 0.02, 0.5]), CriticalVector([0.01, 0.03]))
    >>> bounds.of_set([0, 1])
    1
    """

    critical_vector: CriticalVector

    def __init__(self, p_values: np.ndarray, critical_vector: CriticalVector) -> None:
        self._set_up(KnownPValues(p_values), critical_vector._concentrated(p_values))

    @classmethod
    def _of_concentrated(
        cls, source: PValueSource, critical_vector: CriticalVector
    ) -> CriticalVectorBounds:
        """Return the bounds by a vector that has only the thresholds that they need."""
        bounds = cls.__new__(cls)
        bounds._set_up(source, critical_vector)
        return bounds

    def _set_up(self, source: PValueSource, critical_vector: CriticalVector) -> None:
        self._source = source
        self.critical_vector = critical_vector

    # An attribute elsewhere. Here a source computes it when it is needed, and nobody sets it.
    @property
    def p_values(self) -> np.ndarray:  # type: ignore[override]
        """P-values of the elements, of shape (n_elements,)."""
        return self._source.p_values

    @property
    def _small(self) -> np.ndarray:
        """P-values that are known where they count: no threshold tells the others from 1."""
        thresholds = self.critical_vector.thresholds
        return self._source.p_values_up_to(float(thresholds[-1]) if thresholds.size else 0)

    def of_set(self, subset: ArrayLike | None = None) -> int:
        """Return the bound of one set, see :meth:`SimultaneousBounds.of_set`."""
        p_values = self._small
        if subset is None:
            # The last threshold gives the bound of all elements.
            thresholds = self.critical_vector.thresholds
            if thresholds.size == 0:
                return 0
            return int(np.count_nonzero(p_values <= thresholds[-1])) + 1 - thresholds.size
        p_values = p_values[check_subset(subset, p_values.size, name="subset")]
        one_set = np.zeros(p_values.size, dtype=np.uint8)
        return int(self.critical_vector._by_label(p_values, one_set, 1)[0])

    def by_label(
        self,
        labels: ArrayLike,
        n_labels: int | None = None,
        *,
        subset: ArrayLike | None = None,
    ) -> np.ndarray:
        """Return the bounds of all sets, see :meth:`SimultaneousBounds.by_label`."""
        p_values = self._small
        if subset is not None:
            indices = check_subset(subset, p_values.size, name="subset", repeated=True)
            p_values = p_values[indices]
        each = "element" if subset is None else "entry of subset"
        labels, n_labels = check_labels(labels, p_values.size, n_labels, each=each)
        if subset is not None:
            keys = np.sort(labels.astype(np.intp) * self._source.n_tested + indices)
            if (keys[1:] == keys[:-1]).any():
                raise ValueError("subset must not name an element twice with the same label.")
        return self.critical_vector._by_label(p_values, labels, n_labels)

    def contributing(self) -> np.ndarray:
        """Return which elements can add to a bound: those below the last threshold."""
        # p-values are compared, since their threshold is exact. Without thresholds, no
        # element contributes.
        thresholds = self.critical_vector.thresholds
        return self._small <= (thresholds[-1] if thresholds.size else -1)

    def of_nested(self, order: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Return the bounds of nested sets, see :meth:`SimultaneousBounds.of_nested`."""
        return self.critical_vector._of_nested(check_p_values(self._small), order, starts)

    def along(self, order: np.ndarray) -> np.ndarray:
        """Return the bounds along an order, see :meth:`SimultaneousBounds.along`."""
        return self.critical_vector.confidence_curve(self._small, order)


class CriticalVectorTest(SimultaneousTest):
    """Base of tests whose bounds come from a critical vector at each level.

    A subclass defines the vector and the significance of a set.

    See Also
    --------
    CriticalVector : The bounds that follow from a vector.

    Examples
    --------
    >>> from ari_estimator.closed_testing import CriticalVectorTest, Hommel
    >>> issubclass(Hommel, CriticalVectorTest)
    True
    """

    @cached_property
    def order(self) -> np.ndarray:
        """Indices that sort the p-values in ascending order, of shape (n_elements,)."""
        return np.argsort(self.p_values)

    @abstractmethod
    def critical_vector(self, alpha: float = 0.05) -> CriticalVector:
        """Return the critical vector that the bounds of all sets are computed from.

        Parameters
        ----------
        alpha : float, default=0.05
            Error level, strictly between 0 and 1.

        Returns
        -------
        critical_vector : CriticalVector
            The thresholds.
        """

    def bounds(self, alpha: float = 0.05) -> CriticalVectorBounds:
        """Return the bounds of all sets at one error level.

        Parameters
        ----------
        alpha : float, default=0.05
            Error level, strictly between 0 and 1.

        Returns
        -------
        bounds : CriticalVectorBounds
            The bounds by the critical vector.
        """
        return CriticalVectorBounds(self.p_values, self.critical_vector(alpha))

    def monte_carlo_bounds(
        self, alpha: float = 0.05
    ) -> tuple[CriticalVectorBounds, CriticalVectorBounds] | None:
        """Return the bounds at the ends of a Monte Carlo interval, see the base class."""
        return None

    @abstractmethod
    def _significance(self, u: np.ndarray, q: np.ndarray) -> np.ndarray:
        """Return a number for each p-value of a set: the smaller, the more significant the set.

        ``q[i]`` is the p-value at place ``k + u[i]`` of a set in ascending order, where ``k`` is
        the number of discoveries to be exceeded. The significance of a set is the smallest number
        of its p-values.
        """

    @abstractmethod
    def _p_values_of(self, significances: np.ndarray) -> np.ndarray:
        """Return the adjusted p-values of sets from the numbers of :meth:`_significance`."""

    def set_p_value(self, subset: ArrayLike, tdp: float = 0.0) -> float:
        """Return the p-value of one set, see :meth:`SimultaneousTest.set_p_value`."""
        return float(self._set_p_values(*one_set(self.p_values, subset), tdp)[0])

    def set_p_values_by_label(
        self,
        labels: ArrayLike,
        n_labels: int | None = None,
        *,
        subset: ArrayLike | None = None,
        tdp: float = 0.0,
    ) -> np.ndarray:
        """Return the p-values of all sets of a labelling, with one sort for all sets.

        See :meth:`SimultaneousTest.set_p_values_by_label`.
        """
        q, sizes = sets_by_label(self.p_values, self.order, labels, n_labels, subset)
        return self._set_p_values(q, sizes, tdp)

    def _set_p_values(self, q: np.ndarray, sizes: np.ndarray, tdp: float) -> np.ndarray:
        """Return the p-values of sets that follow each other in q, each ascending."""
        return self._p_values_beyond(q, sizes, passed_over(sizes, tdp))

    def _p_values_beyond(
        self, q: np.ndarray, sizes: np.ndarray, n_allowed: np.ndarray
    ) -> np.ndarray:
        """Return the p-values of sets for more discoveries than a number for each."""
        asked, significances = smallest_beyond(q, sizes, n_allowed, self._significance)
        p_values = np.where(sizes > 0, 1.0, np.nan)
        p_values[asked] = self._p_values_of(significances)
        return p_values
