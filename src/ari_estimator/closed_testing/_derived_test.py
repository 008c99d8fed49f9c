"""Base of tests that take their critical vector from another test."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from ari_estimator.closed_testing._critical_vector import CriticalVector
from ari_estimator.closed_testing._critical_vector_test import (
    CriticalVectorBounds,
    CriticalVectorTest,
)


class DerivedTest(CriticalVectorTest):
    """A test of elements of another test, perhaps at another error level.

    Parameters
    ----------
    source : CriticalVectorTest
        The other test.

    p_values : ndarray of shape (n_elements,)
        P-values of the elements.
    """

    def __init__(self, source: CriticalVectorTest, p_values: np.ndarray) -> None:
        self._source = source
        self.p_values = p_values
        self.calibration = source.calibration

    @abstractmethod
    def _level(self, alpha: float) -> float:
        """Return the error level of the other test."""

    def critical_vector(self, alpha: float = 0.05) -> CriticalVector:
        """Return the critical vector of the other test.

        Parameters
        ----------
        alpha : float, default=0.05
            Error level of this test.

        Returns
        -------
        critical_vector : CriticalVector
            The critical vector.
        """
        return self._source.critical_vector(self._level(alpha))

    def monte_carlo_bounds(
        self, alpha: float = 0.05
    ) -> tuple[CriticalVectorBounds, CriticalVectorBounds] | None:
        """Return bounds at the ends of the interval, see the base class."""
        ends = self._source.monte_carlo_bounds(self._level(alpha))
        if ends is None:
            return None
        low, high = (CriticalVectorBounds(self.p_values, end.critical_vector) for end in ends)
        return low, high

    def _significance(self, u: np.ndarray, q: np.ndarray) -> np.ndarray:
        return self._source._significance(u, q)

    def _p_values_of(self, significances: np.ndarray) -> np.ndarray:
        return self._source._p_values_of(significances)
