"""The levels at which one side of a directional test has enough true discoveries in sets."""

from __future__ import annotations

import numpy as np

from ari_estimator.closed_testing._critical_vector_test import CriticalVectorTest
from ari_estimator.closed_testing._ordered_sets import sets_by_label


class SideLevels:
    """The levels at which sets have a number of true discoveries, on one side.

    Parameters
    ----------
    test : CriticalVectorTest
        The test of the side.

    labels : ndarray of int of shape (n,)
        The set of each entry.

    n_labels : int
        Number of sets.

    indices : ndarray of int of shape (n,)
        The element of each entry.

    is_on_side : ndarray of bool of shape (n,)
        Which entries belong to the side.

    Attributes
    ----------
    sizes : ndarray of int of shape (n_labels,)
        Number of elements of each set on this side.
    """

    def __init__(
        self,
        test: CriticalVectorTest,
        labels: np.ndarray,
        n_labels: int,
        indices: np.ndarray,
        is_on_side: np.ndarray,
    ) -> None:
        self._test = test
        self._q, self.sizes = sets_by_label(
            test.p_values, test.order, labels[is_on_side], n_labels, indices[is_on_side]
        )

    def at_least(self, numbers: np.ndarray) -> np.ndarray:
        """Return the smallest level at which the bound of each set is at least a number.

        Parameters
        ----------
        numbers : ndarray of int of shape (n_labels,)
            A number for each set.

        Returns
        -------
        levels : ndarray of shape (n_labels,)
            The levels of this side. 0 for the number 0, and 1 for more than the elements of the
            set.
        """
        n_allowed = np.clip(numbers - 1, 0, self.sizes)
        levels = self._test._p_values_beyond(self._q, self.sizes, n_allowed)
        levels = np.where(numbers > self.sizes, 1.0, levels)
        return np.where(numbers <= 0, 0.0, levels)
