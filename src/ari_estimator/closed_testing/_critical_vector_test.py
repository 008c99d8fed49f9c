"""Tests whose bounds come from a critical vector."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.closed_testing._critical_vector import CriticalVector, CriticalVectorBounds
from ari_estimator.closed_testing._ordered_sets import one_set, sets_by_label, smallest_beyond
from ari_estimator.closed_testing._simultaneous_test import SimultaneousTest


class CriticalVectorTest(SimultaneousTest):
    """Base of tests whose bounds come from a critical vector at each level.

    A subclass says which vector it is, and how significant a set is.

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

    @abstractmethod
    def _significance(self, u: np.ndarray, q: np.ndarray) -> np.ndarray:
        """Return a number for each p-value of a set: the smaller, the more significant the set.

        ``q[i]`` is the p-value at place ``k + u[i]`` of a set in ascending order, where ``k`` is
        the number of discoveries to be exceeded. A set is as significant as the smallest of the
        numbers of its p-values.
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
        """Return the p-values of all sets of a labelling, by one sort for all of them.

        See :meth:`SimultaneousTest.set_p_values_by_label`.
        """
        q, sizes = sets_by_label(self.p_values, self.order, labels, n_labels, subset)
        return self._set_p_values(q, sizes, tdp)

    def _set_p_values(self, q: np.ndarray, sizes: np.ndarray, tdp: float) -> np.ndarray:
        """Return the p-values of sets that follow each other in q, each ascending."""
        asked, significances = smallest_beyond(q, sizes, tdp, self._significance)
        p_values = np.where(sizes > 0, 1.0, np.nan)
        p_values[asked] = self._p_values_of(significances)
        return p_values
