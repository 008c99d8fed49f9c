"""Base of simultaneous tests, which test all sets of elements at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.closed_testing._calibration import Calibration
from ari_estimator.closed_testing._checks import check_subset
from ari_estimator.closed_testing._simultaneous_bounds import SimultaneousBounds
from ari_estimator.closed_testing._split_calibration import SplitCalibration


class SimultaneousTest(ABC):
    """Bounds and p-values that hold for all sets of elements at once.

    Code that needs bounds takes a simultaneous test and does not depend on its class.

    Attributes
    ----------
    p_values : ndarray of shape (n_elements,)
        P-values of the elements. They also define the order of the elements.

    calibration : Calibration, SplitCalibration or None
        The calibration of the test. None for a test without one, or with one for each sign: see
        ``calibrations``.

    See Also
    --------
    CriticalVectorTest : Base of tests whose bounds come from a critical vector.
    Hommel : Closed testing with a parametric local test.
    CalibratedTest : A critical vector that is calibrated by permutations.

    Examples
    --------
    A function that works with one test works with every test:

    >>> from ari_estimator.closed_testing import Hommel, SimultaneousTest
    >>> def n_discoveries(test: SimultaneousTest) -> int:
    ...     return test.bounds(alpha=0.05).of_set()
    >>> n_discoveries(Hommel([0.001, 0.01, 0.02, 0.6]))
    3
    """

    kind: ClassVar[str]
    # Whether the test may know familywise p-values.
    has_familywise_p_values: ClassVar[bool] = False

    p_values: np.ndarray
    calibration: Calibration | SplitCalibration | None = None

    @property
    def calibrations(self) -> dict[str, Calibration | SplitCalibration]:
        """The calibrations of the test: none, one, or one for each sign by its name."""
        return {} if self.calibration is None else {"": self.calibration}

    @property
    def n_elements(self) -> int:
        """Number of elements, ``m``."""
        return self.p_values.size

    @abstractmethod
    def bounds(self, alpha: float = 0.05) -> SimultaneousBounds:
        """Return the bounds of all sets at one error level.

        Parameters
        ----------
        alpha : float, default=0.05
            Error level, strictly between 0 and 1.

        Returns
        -------
        bounds : SimultaneousBounds
            The bounds, which can be evaluated for any set.
        """

    def monte_carlo_bounds(
        self, alpha: float = 0.05
    ) -> tuple[SimultaneousBounds, SimultaneousBounds] | None:
        """Return the bounds at the ends of a 95 % Monte Carlo interval.

        Parameters
        ----------
        alpha : float, default=0.05
            Error level, strictly between 0 and 1.

        Returns
        -------
        low, high : SimultaneousBounds, or None
            Other seeds are likely to give bounds between these. None if nothing is random.
        """
        return None

    def familywise_p_values(
        self, labels: ArrayLike, n_labels: int | None = None, *, subset: ArrayLike | None = None
    ) -> dict[str, np.ndarray]:
        """Return the familywise p-values of sets that other programs report, where they are known.

        Parameters
        ----------
        labels : array-like of int of shape (n,)
            The set of each element, as for :meth:`set_p_values_by_label`.

        n_labels : int, optional
            Number of sets; by default one more than the largest label.

        subset : array-like of int or bool, optional
            The element of each label. By default every element, once.

        Returns
        -------
        p_values : dict of str to ndarray of shape (n_labels,)
            ``"p_fwe_cluster"`` of the largest supra-threshold cluster in each set, by its size, and
            ``"p_fwe_peak"`` of its strongest element. NaN for a set without members. Empty if they
            are not known.
        """
        return {}

    @abstractmethod
    def describe(self, alpha: float = 0.05) -> dict[str, Any]:
        """Describe the test, in words and as plain data.

        Parameters
        ----------
        alpha : float, default=0.05
            Error level.

        Returns
        -------
        description : dict
            All of it can be written as JSON:

            - ``kind``: the name of the class of tests;
            - ``name``: a few words for a caption;
            - ``sentence``: for a methods section;
            - ``assumption``: what the bounds assume, in one or two sentences;
            - ``references``: the citations of the sentence;
            - ``values``: the numbers behind the bounds.
        """

    @abstractmethod
    def to_arrays(self) -> dict[str, Any]:
        """Return the test as arrays. It can be restored from them.

        Returns
        -------
        arrays : dict
            Arrays, numbers and strings, by name.
        """

    @classmethod
    @abstractmethod
    def from_arrays(
        cls, arrays: Mapping[str, np.ndarray], p_values: np.ndarray
    ) -> SimultaneousTest:
        """Restore a test from arrays.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            The result of :meth:`to_arrays`.

        p_values : ndarray of shape (n_elements,)
            P-values of the map, for tests that need nothing else.

        Returns
        -------
        test : SimultaneousTest
            The test.
        """

    def set_p_value(self, subset: ArrayLike, tdp: float = 0.0) -> float:
        """Return the p-value of a set of elements, adjusted for all sets.

        The p-value is the smallest alpha at which the bound on the set's true discovery
        proportion exceeds ``tdp``. It is adjusted for all sets and all ``tdp`` at once, so you may
        choose the set after looking at the data.

        Parameters
        ----------
        subset : array-like of int or bool
            Indices into the p-values, or a mask of shape (n_elements,); not empty.

        tdp : float, default=0.0
            True discovery proportion to be exceeded, in [0, 1]. With 0 the p-value is
            against "no element of the set is false".

        Returns
        -------
        p_value : float
            The p-value; 1 if ``tdp`` is 1.

        Raises
        ------
        ValueError
            If the subset is empty, or names an element twice, or if ``tdp`` is not in
            [0, 1].
        IndexError
            If the subset holds indices outside of the family.
        """
        indices = check_subset(subset, self.n_elements, name="subset")
        if indices.size == 0:
            raise ValueError("subset is empty: it has no p-value.")
        labels = np.zeros(indices.size, dtype=np.intp)
        return float(self.set_p_values_by_label(labels, 1, subset=indices, tdp=tdp)[0])

    @abstractmethod
    def set_p_values_by_label(
        self,
        labels: ArrayLike,
        n_labels: int | None = None,
        *,
        subset: ArrayLike | None = None,
        tdp: float = 0.0,
    ) -> np.ndarray:
        """Return the p-values of all sets of a labelling.

        They equal :meth:`set_p_value` for each set. One sort serves all sets. The p-values are
        adjusted for all sets and all ``tdp`` at once.

        Parameters
        ----------
        labels : array-like of int of shape (n,)
            The set that each element belongs to, from 0; or each entry of ``subset``, if
            that is given.

        n_labels : int, optional
            Number of sets; by default one more than the largest label.

        subset : array-like of int or bool, optional
            Indices into the p-values, or a mask of shape (n_elements,). An index may be
            repeated with other labels, so that sets may overlap. By default every
            element, once.

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
            element or entry of the subset, if a set holds an element twice, or if
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
