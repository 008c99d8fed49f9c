"""Bounds and p-values of sets from a critical vector that is calibrated by permutations."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.closed_testing._calibration import Calibration
from ari_estimator.closed_testing._checks import check_p_values
from ari_estimator.closed_testing._critical_vector import CriticalVector
from ari_estimator.closed_testing._ordered_sets import one_set, sets_by_label, smallest_beyond


class CalibratedTest:
    """Test of all sets of hypotheses by a template that is calibrated by permutations.

    It can be asked for the same as :class:`Hommel`.

    Parameters
    ----------
    p_values : array-like of shape (n_hypotheses,)
        P-values of the data as observed, in any order.

    calibration : Calibration
        The calibration, of which the first permutation is the data as observed.

    Attributes
    ----------
    p_values : ndarray of shape (n_hypotheses,)
        The p-values.

    calibration : Calibration
        The calibration.

    Raises
    ------
    ValueError
        If the p-values are not one-dimensional, hold NaN or lie outside [0, 1], or are not as
        many as the template is for.

    Notes
    -----
    The bound of a set with sorted p-values ``q_(1) <= ... <= q_(n)`` exceeds ``k`` exactly if
    ``q_(k+u)`` is below the threshold ``t_u(lambda)`` for some ``u >= 1``, that is, if

        lambda_S = min_u t_u^-1(q_(k+u)) < lambda(alpha).

    As ``lambda(alpha)`` is the ``floor(alpha B) + 1``-th smallest of the pivotal statistics,
    this is so exactly if at most ``alpha B`` of them are at most ``lambda_S``. The smallest such
    alpha, the p-value of the set, is the share of pivotal statistics that are at most
    ``lambda_S``. The data as observed are among them: it is never below ``1 / B``. It is
    adjusted for all sets and all ``k`` at once, since the bounds are.

    Step-down depends on alpha. P-values of sets after step-down are those of its first step,
    which are valid, and no smaller than they need to be.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.closed_testing import CalibratedTest, calibrate
    >>> p_values = np.random.default_rng(0).random((100, 500))
    >>> p_values[0, :50] *= 1e-5
    >>> test = CalibratedTest(p_values[0], calibrate(p_values))
    >>> test.set_p_value(np.arange(60))
    0.01
    >>> test.set_p_values_by_label(np.arange(500) // 100)
    array([0.01, 1.  , 0.16, 1.  , 1.  ])
    """

    def __init__(self, p_values: ArrayLike, calibration: Calibration) -> None:
        self.p_values = check_p_values(p_values).copy()
        self.calibration = calibration
        if self.n_hypotheses != calibration.template.n_hypotheses:
            raise ValueError(
                f"p_values must be {calibration.template.n_hypotheses} numbers, as many as there "
                f"are hypotheses in the calibration. Got {self.n_hypotheses}."
            )

    def __repr__(self) -> str:
        return f"CalibratedTest({self.calibration!r})"

    @property
    def n_hypotheses(self) -> int:
        """Number of p-values."""
        return self.p_values.size

    @cached_property
    def _order(self) -> np.ndarray:
        return np.argsort(self.p_values)

    @cached_property
    def _sorted_statistics(self) -> np.ndarray:
        return np.sort(self.calibration.single_step_statistics)

    def critical_vector(self, alpha: float = 0.05) -> CriticalVector:
        """Return the critical vector that the bounds of all sets are computed from.

        Parameters
        ----------
        alpha : float, default=0.05
            Error level, at least ``1 / n_permutations``; after step-down that of the
            calibration.

        Returns
        -------
        critical_vector : CriticalVector
            The critical vector.

        Raises
        ------
        ValueError
            If alpha is another level after step-down, or below ``1 / n_permutations``.
        """
        return self.calibration.at(alpha).critical_vector

    def set_p_value(self, subset: ArrayLike, tdp: float = 0.0) -> float:
        """Return the p-value of a set of hypotheses, adjusted for all sets.

        It is the smallest alpha at which the bound says that the set's true discovery
        proportion is above ``tdp``. Adjusted for all sets and all ``tdp`` at once: the set may
        be chosen after looking.

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
            A multiple of ``1 / n_permutations``; 1 if ``tdp`` is 1, which nothing exceeds.

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
        """
        q, sizes = sets_by_label(self.p_values, self._order, labels, n_labels, subset)
        return self._set_p_values(q, sizes, tdp)

    def _set_p_values(self, q: np.ndarray, sizes: np.ndarray, tdp: float) -> np.ndarray:
        """Return the p-values of sets that follow each other in q, each ascending."""
        asked, statistics = smallest_beyond(q, sizes, tdp, self._inverse)
        n_smaller = np.searchsorted(self._sorted_statistics, statistics, side="right")
        p_values = np.where(sizes > 0, 1.0, np.nan)
        # The data as observed are among them, but for rounding.
        p_values[asked] = np.maximum(n_smaller, 1) / self.calibration.n_permutations
        return p_values

    def _inverse(self, u: np.ndarray, q: np.ndarray) -> np.ndarray:
        """Return the template's inverse; inf where it has no threshold."""
        template = self.calibration.template
        inverse = np.full(q.size, np.inf)
        has_threshold = u <= template.n_ranks
        inverse[has_threshold] = template.inverse(u[has_threshold], q[has_threshold])
        return inverse
