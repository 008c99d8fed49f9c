"""Closed testing with Simes or Hommel local tests: the Hommel value and its bounds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.closed_testing._checks import check_p_values
from ari_estimator.closed_testing._critical_vector import CriticalVector
from ari_estimator.closed_testing._critical_vector_test import (
    CriticalVectorBounds,
    CriticalVectorTest,
)
from ari_estimator.closed_testing._local_tests import (
    IN_WORDS,
    LocalTest,
    check_local_test,
    exact_mean_factor,
    simes_factors,
)
from ari_estimator.closed_testing._p_value_source import KnownPValues, PValueSource
from ari_estimator.closed_testing._rational import check_alpha, rounded_multiples
from ari_estimator.files._stored_array import stored_array


class ConcentrationSet(NamedTuple):
    """The p-values that can contribute to a bound.

    Attributes
    ----------
    size : int
        Number of p-values in the set, ``z``: it holds the smallest ones.

    p_threshold : float
        Largest p-value in the set, ``p_(z)``; NaN if the set is empty.

    Examples
    --------
    >>> from ari_estimator.closed_testing import Hommel
    >>> Hommel([0.001, 0.01, 0.02, 0.6]).concentration_set(0.05)
    ConcentrationSet(size=3, p_threshold=0.02)
    """

    size: int
    p_threshold: float


def _is_rejected(small: np.ndarray, m: int, size: int, level: Fraction) -> bool:
    """Return whether the local test rejects the ``size`` largest of ``m`` p-values.

    ``small`` holds the p-values at or below the level, in ascending order; the others meet no
    threshold.
    """
    candidates = small[m - size :]
    return bool((candidates <= rounded_multiples(level / size, candidates.size)).any())


def _guess_smallest_rejected(small: np.ndarray, m: int, level: float, largest: int) -> int:
    """Return the result of :func:`_largest_unrejected` plus one, up to rounding.

    The k-th smallest p-value rejects the sizes i with ``p_(k) <= (k - m + i) * level / i``,
    that is, from ``(m - k) * level / (level - p_(k))`` on.
    """
    slope = ((level - small) / np.arange(m - 1.0, m - 1 - small.size, -1)).max()
    return math.ceil(level / slope) if slope * (largest + 1) > level else largest + 1


def _largest_unrejected(small: np.ndarray, m: int, level: Fraction, largest: int) -> int:
    """Return the largest size up to ``largest`` whose largest p-values are not rejected.

    ``small`` holds the p-values, out of ``m``, that are at most the level, in ascending order. At a
    fixed level, a rejected set stays rejected when the next smaller p-value joins it (p_(m-i+j)
    keeps its value while j / i grows). Bisection therefore finds the size. It starts with a guess
    that usually needs no bisection.
    """
    if small.size == m:
        return 0
    if small.size == 0:
        return largest
    guess = _guess_smallest_rejected(small, m, float(level), largest)
    nearby = [guess + 1, guess - 2, guess, guess - 1]  # from the last one on
    unrejected, rejected = 0, largest + 1
    while rejected - unrejected > 1:
        middle = nearby.pop() if nearby else (unrejected + rejected) // 2
        if not unrejected < middle < rejected:
            continue
        if _is_rejected(small, m, middle, level):
            rejected = middle
        else:
            unrejected = middle
    return unrejected


class Hommel(CriticalVectorTest):
    """Closed testing of p-values with Simes or Hommel local tests.

    It gives bounds at every level alpha and for every set of elements. The p-values are sorted
    when they are first needed; for one level, only the p-values up to that level.

    Parameters
    ----------
    p_values : array-like of shape (n_elements,)
        P-values of the whole family, in any order, at least one.

    local_test : {"simes", "hommel"}, default="simes"
        Test of an intersection of hypotheses: Simes' (valid under positive dependence)
        or Hommel's of 1983 (valid under any dependence).

    Attributes
    ----------
    p_values : ndarray of shape (n_elements,)
        The p-values.

    local_test : str
        The local test.

    n_elements : int
        Number of p-values, ``m``.

    order : ndarray of shape (n_elements,)
        Indices that sort the p-values in ascending order.

    Raises
    ------
    ValueError
        If there are no p-values, if they are not one-dimensional, hold NaN or lie
        outside [0, 1], or if the local test is unknown.

    See Also
    --------
    CriticalVector : The thresholds that give the bounds of sets.

    Notes
    -----
    With sorted p-values ``p_(1) <= ... <= p_(m)`` and the factors ``s_i`` of the local
    test, the Hommel value ``h(alpha)`` is the size of the largest set that the local
    test does not reject,

        h(alpha) = max { i : a_i > alpha },   a_i = s_i * min_{j <= i} p_(m-i+j) / j,

    and ``m - h`` is a lower bound on the number of true discoveries among all
    elements [1]_ [2]_. The ``a_i`` are found in linear time after sorting [3]_.

    Decisions at a level (:meth:`value`, :meth:`concentration_set`,
    :meth:`critical_vector`) equal exact arithmetic, ties included, where p-values
    are correctly rounded fractions: alpha stands for the simplest fraction that rounds
    to it, and each threshold is rounded once. :attr:`jumps` and adjusted p-values are
    floating-point numbers, exact except for the last bits.

    The bound of a set with sorted p-values ``q_(1) <= ... <= q_(n)`` exceeds
    ``k = floor(tdp * n)`` exactly if ``s_h * q_(k+u) <= u * alpha`` for some ``u >= 1``. So the
    p-value of the set follows from Hommel's procedure, with ``min_u q_(k+u) / u`` in place of a
    p-value.

    References
    ----------
    .. [1] Goeman JJ, Meijer RJ, Krebs TJP, Solari A (2019). Simultaneous control of all
       false discovery proportions in large-scale multiple hypothesis testing.
       Biometrika 106, 841-856.
    .. [2] Rosenblatt JD, Finos L, Weeda WD, Solari A, Goeman JJ (2018). All-Resolutions
       Inference for brain imaging. NeuroImage 181, 786-796.
    .. [3] Meijer RJ, Krebs TJP, Goeman JJ (2019). Hommel's procedure in linear time.
       Biometrical Journal 61, 73-82.

    Examples
    --------
    >>> from ari_estimator.closed_testing import Hommel
    >>> hommel = Hommel([1e-8, 0.01, 0.08, 0.1, 0.5, 0.7, 0.9])
    >>> hommel.value(0.05)
    6
    >>> hommel.true_discoveries(0.05)
    1
    >>> hommel.concentration_set(0.05)
    ConcentrationSet(size=1, p_threshold=1e-08)
    """

    kind = "closed testing"

    def __init__(self, p_values: ArrayLike, local_test: LocalTest = "simes") -> None:
        check_local_test(local_test)
        checked = check_p_values(p_values)
        if checked.size == 0:
            raise ValueError("p_values is empty: closed testing needs at least one p-value.")
        self._set_up(KnownPValues(checked.copy()), local_test)

    @classmethod
    def of_valid(
        cls, p_values: np.ndarray | PValueSource, local_test: LocalTest = "simes"
    ) -> Hommel:
        """Return the test of p-values that are known to be valid, as a statistic gives them.

        Parameters
        ----------
        p_values : ndarray of float64 of shape (n_elements,), or PValueSource
            In [0, 1], without NaN, at least one. They are neither checked nor copied: they must
            not change. A source computes them where they are needed.

        local_test : {"simes", "hommel"}, default="simes"
            The local test.

        Returns
        -------
        test : Hommel
            The test.
        """
        test = cls.__new__(cls)
        source = KnownPValues(p_values) if isinstance(p_values, np.ndarray) else p_values
        test._set_up(source, local_test)
        return test

    def _set_up(self, source: PValueSource, local_test: LocalTest) -> None:
        self._source = source
        self.local_test: LocalTest = local_test
        # The Hommel value of each level, and the level of its size, alpha * h / s_h.
        self._values: dict[Fraction, int] = {}
        self._levels: dict[Fraction, Fraction] = {}
        self._ascending = (-1.0, np.empty(0))  # a level, and the p-values up to it

    def __repr__(self) -> str:
        return f"Hommel(n_elements={self.n_elements}, local_test={self.local_test!r})"

    # An attribute elsewhere. Here a source computes it when it is needed, and nobody sets it.
    @property
    def p_values(self) -> np.ndarray:  # type: ignore[override]
        """The p-values, an array of shape (n_elements,)."""
        return self._source.p_values

    @property
    def n_elements(self) -> int:
        """Number of p-values, ``m``."""
        return self._source.n_tested

    @cached_property
    def _sorted_p(self) -> np.ndarray:
        return np.sort(self.p_values)

    def _sorted_up_to(self, level: float) -> np.ndarray:
        """Return the p-values up to a level, ascending: no others meet a threshold there."""
        highest, ascending = self._ascending
        if level > highest:
            if highest < 0:
                # Usually there is one level, and few p-values are at or below it.
                highest = level
                ascending = self._source.sorted_up_to(level)
            else:
                # After a second level, many more may follow.
                highest, ascending = 1.0, self._sorted_p
            self._ascending = highest, ascending
        return ascending[: np.searchsorted(ascending, level, side="right")]

    @cached_property
    def factors(self) -> np.ndarray:
        """Factors ``s_1, ..., s_m`` of the local test, an array of shape (n_elements,)."""
        return simes_factors(self.n_elements, self.local_test)

    @cached_property
    def jumps(self) -> np.ndarray:
        """Levels at which the Hommel value falls, an array of shape (n_elements,).

        Entry ``i - 1`` is the smallest alpha at which ``h(alpha) < i``. The entries never
        increase. (Meijer, Krebs & Goeman 2019, by a lower convex hull.)
        """
        from ari_estimator.closed_testing._hommel_kernels import find_jumps

        # numpy gets memory for long arrays faster than numba.
        jumps = np.empty(self.n_elements)
        hull = np.empty(self.n_elements, dtype=np.int32)
        find_jumps(self._sorted_p, self.factors, hull, jumps)
        return jumps

    @cached_property
    def adjusted_p_values(self) -> np.ndarray:
        """Adjusted p-value of each element, an array of shape (n_elements,).

        The smallest alpha at which closed testing, and so Hommel's procedure, rejects the
        element, with family-wise error control.
        """
        return self._p_values_of(self.p_values)

    def value(self, alpha: float = 0.05) -> int:
        """Return the Hommel value ``h(alpha)``.

        Parameters
        ----------
        alpha : float, default=0.05
            Error level, strictly between 0 and 1.

        Returns
        -------
        h : int
            From 0 (every element is a discovery) to ``n_elements``.
        """
        return self._value(check_alpha(alpha))

    def _value(self, alpha: Fraction) -> int:
        if alpha not in self._values:
            m = self.n_elements
            small = self._sorted_up_to(float(alpha))
            size, level = m, Fraction(0)
            # The level alpha * i / s_i of size i is alpha for Simes' test and falls with i
            # for Hommel's. If the level of a larger size rejects a size, its own level does
            # too. So the way down never passes the answer: the first size that its own level
            # does not reject.
            is_simes = self.local_test == "simes"
            while size > 0:
                own = alpha if is_simes else alpha / exact_mean_factor(size, self.local_test)
                if own == level:
                    break
                level = own
                n_small = int(np.searchsorted(small, float(level), side="right"))
                size = _largest_unrejected(small[:n_small], m, level, size)
            self._values[alpha] = size
            self._levels[alpha] = level
        return self._values[alpha]

    def true_discoveries(self, alpha: float = 0.05) -> int:
        """Return the lower bound on the true discoveries among all elements, ``m - h``.

        Parameters
        ----------
        alpha : float, default=0.05
            Error level, strictly between 0 and 1.

        Returns
        -------
        true_discoveries : int
            From 0 to ``n_elements``.
        """
        return self.n_elements - self.value(alpha)

    def concentration_set(self, alpha: float = 0.05) -> ConcentrationSet:
        """Return the set of the smallest p-values that all discoveries come from.

        No larger p-value contributes to the bound of any set, so ``p_threshold`` is a
        natural height threshold for clusters.

        Parameters
        ----------
        alpha : float, default=0.05
            Error level, strictly between 0 and 1.

        Returns
        -------
        concentration_set : ConcentrationSet
            The size ``z`` and the largest p-value ``p_(z)`` of the set: the smallest
            ``z >= m - h`` with ``s_h * p_(z) <= (z - m + h + 1) * alpha`` (Goeman et al.
            2019). Empty, with size 0, if no set has a discovery.
        """
        level = check_alpha(alpha)
        size = self._concentration(level)[0]
        if size == 0:
            return ConcentrationSet(0, math.nan)
        return ConcentrationSet(size, float(self._sorted_up_to(float(level))[size - 1]))

    def critical_vector(self, alpha: float = 0.05) -> CriticalVector:
        """Return the critical vector that the bounds of all sets are computed from.

        Parameters
        ----------
        alpha : float, default=0.05
            Error level, strictly between 0 and 1.

        Returns
        -------
        critical_vector : CriticalVector
            ``t_u = u * alpha / s_h`` for u = 1, 2, ..., up to the end of the concentration
            set; further entries would not change any bound. It is empty if no set has a
            discovery. With ``h = 0`` it is ``[1.0]``: every element is a discovery.
        """
        return CriticalVector._of_checked(self._concentration(check_alpha(alpha))[1])

    def bounds(self, alpha: float = 0.05) -> CriticalVectorBounds:
        """Return the bounds of all sets at one error level.

        Parameters
        ----------
        alpha : float, default=0.05
            Error level, strictly between 0 and 1.

        Returns
        -------
        bounds : CriticalVectorBounds
            The bounds by the critical vector, which ends with the concentration set.
        """
        return CriticalVectorBounds._of_concentrated(self._source, self.critical_vector(alpha))

    def _concentration(self, alpha: Fraction) -> tuple[int, np.ndarray]:
        """Return the size of the concentration set and the thresholds that matter."""
        m, h = self.n_elements, self._value(alpha)
        if h == m:
            return 0, np.empty(0)
        if h == 0:
            return m, np.ones(1)
        # This u exists, since size h + 1 is rejected and s_h < s_(h+1). Its p-value is at
        # most t_u, and so at most alpha.
        candidates = self._sorted_up_to(float(alpha))[m - h - 1 :]
        thresholds = rounded_multiples(self._levels[alpha] / h, candidates.size)
        u = 1 + int(np.argmax(candidates <= thresholds))
        return m - h - 1 + u, thresholds[:u]

    def _significance(self, u: np.ndarray, q: np.ndarray) -> np.ndarray:
        return q / u

    def _p_values_of(self, significances: np.ndarray) -> np.ndarray:
        from ari_estimator.closed_testing._hommel_kernels import EDGES, adjust

        q = np.ascontiguousarray(significances)
        p_values = np.empty(q.size)
        adjust(q, self.jumps, self.factors, EDGES, p_values)
        return p_values

    def describe(self, alpha: float = 0.05) -> dict[str, Any]:
        """Return what the test is, see :meth:`SimultaneousTest.describe`."""
        return {
            "kind": self.kind,
            **IN_WORDS[self.local_test],
            "values": {"LocalTest": self.local_test, "HommelValue": self.value(alpha)},
        }

    def to_arrays(self) -> dict[str, Any]:
        """Return the name of the local test. The map stores the p-values."""
        return {"local_test": self.local_test}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], p_values: np.ndarray) -> Hommel:
        """Restore the test, see :meth:`SimultaneousTest.from_arrays`."""
        local_test: Any = stored_array(arrays, "local_test", "U").item()
        check_local_test(local_test)
        return cls.of_valid(p_values, local_test)
