"""What tests all sets of hypotheses at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.closed_testing._critical_vector import CriticalVector
from ari_estimator.closed_testing._ordered_sets import one_set, sets_by_label, smallest_beyond


class SimultaneousTest(ABC):
    """Bounds and p-values that hold for all sets of hypotheses at once.

    Attributes
    ----------
    p_values : ndarray of shape (n_hypotheses,)
        P-values of the hypotheses.

    See Also
    --------
    Hommel : By closed testing with a parametric local test.
    CalibratedTest : By a critical vector that is calibrated by permutations.

    Examples
    --------
    What takes one takes any, however it was made:

    >>> from ari_estimator.closed_testing import Hommel, SimultaneousTest
    >>> def n_discoveries(test: SimultaneousTest) -> int:
    ...     return test.critical_vector(0.05).true_discoveries(test.p_values)
    >>> n_discoveries(Hommel([0.001, 0.01, 0.02, 0.6]))
    3
    """

    p_values: np.ndarray

    @property
    def n_hypotheses(self) -> int:
        """Number of p-values, ``m``."""
        return self.p_values.size

    @cached_property
    def order(self) -> np.ndarray:
        """Indices that sort the p-values in ascending order, of shape (n_hypotheses,)."""
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

    @abstractmethod
    def _set_statistic(self, u: np.ndarray, q: np.ndarray) -> np.ndarray:
        """Return what is smallest where a set is most significant.

        ``q`` are p-values of a set that are ``u``-th beyond those that are passed over.
        """

    @abstractmethod
    def _p_values_of(self, statistics: np.ndarray) -> np.ndarray:
        """Return the p-values of sets, by their smallest statistics."""

    def set_p_value(self, subset: ArrayLike, tdp: float = 0.0) -> float:
        """Return the p-value of a set of hypotheses, adjusted for all sets.

        It is the smallest alpha at which the bound says that the set's true discovery
        proportion is above ``tdp``. Adjusted for all sets and all ``tdp`` at once: the
        set may be chosen after looking.

        Parameters
        ----------
        subset : array-like of int or bool
            Indices into the p-values, or a mask of shape (n_hypotheses,); not empty.

        tdp : float, default=0.0
            True discovery proportion to be exceeded, in [0, 1]. With 0 the p-value is
            against "no hypothesis of the set is false".

        Returns
        -------
        p_value : float
            1 if ``tdp`` is 1, which nothing exceeds.

        Raises
        ------
        ValueError
            If the subset is empty, or names a hypothesis twice, or if ``tdp`` is not in
            [0, 1].
        IndexError
            If the subset holds indices outside of the family.
        """
        return float(self._set_p_values(*one_set(self.p_values, subset), tdp)[0])

    def set_p_values_by_label(
        self,
        labels: ArrayLike,
        n_labels: int | None = None,
        *,
        subset: ArrayLike | None = None,
        tdp: float = 0.0,
    ) -> np.ndarray:
        """Return the p-values of all sets of a labelling.

        Those of :meth:`set_p_value`, by one sort for all sets together, however many there
        are. Adjusted for all sets and all ``tdp`` at once.

        Parameters
        ----------
        labels : array-like of int of shape (n,)
            The set that each hypothesis belongs to, from 0; or each entry of ``subset``, if
            that is given.

        n_labels : int, optional
            Number of sets; by default one more than the largest label.

        subset : array-like of int or bool, optional
            Indices into the p-values, or a mask of shape (n_hypotheses,). An index may be
            repeated with other labels, so that sets may overlap. By default every
            hypothesis, once.

        tdp : float, default=0.0
            True discovery proportion to be exceeded, in [0, 1].

        Returns
        -------
        p_values : ndarray of shape (n_labels,)
            The p-value of each set; NaN for a set without members.

        Raises
        ------
        ValueError
            If the labels are not integers from 0 to ``n_labels - 1``, one for each
            hypothesis or entry of the subset, if a set holds a hypothesis twice, or if
            ``tdp`` is not in [0, 1].
        IndexError
            If the subset holds indices outside of the family.

        See Also
        --------
        CriticalVector.true_discoveries_by_label : The bounds of the sets, at one level.

        Examples
        --------
        >>> from ari_estimator.closed_testing import Hommel
        >>> hommel = Hommel([0.001, 0.01, 0.02, 0.5])
        >>> hommel.set_p_values_by_label([0, 1, 1, 0])
        array([0.004, 0.03 ])
        >>> hommel.set_p_values_by_label([0, 0, 2, 2], subset=[0, 1, 1, 2])
        array([0.004,   nan, 0.03 ])
        """
        q, sizes = sets_by_label(self.p_values, self.order, labels, n_labels, subset)
        return self._set_p_values(q, sizes, tdp)

    def _set_p_values(self, q: np.ndarray, sizes: np.ndarray, tdp: float) -> np.ndarray:
        """Return the p-values of sets that follow each other in q, each ascending."""
        asked, statistics = smallest_beyond(q, sizes, tdp, self._set_statistic)
        p_values = np.where(sizes > 0, 1.0, np.nan)
        p_values[asked] = self._p_values_of(statistics)
        return p_values
