"""Templates that are formulas of rank and number of elements."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import ClassVar

import numpy as np

from ari_estimator.closed_testing._binomial_tail import log_tail_quantile, log_upper_tail
from ari_estimator.closed_testing._learned_template import LearnedTemplate
from ari_estimator.closed_testing._template import Template, check_count

_EPSILON = float(np.finfo(float).eps)


class _FormulaTemplate(Template):
    """A template with a formula of rank and number of elements.

    A shift delta replaces ``k`` and ``m`` by ``k - delta`` and ``m - delta`` in the formula.

    Parameters
    ----------
    n_elements : int
        Number of elements, ``m``.

    k_max : int, optional
        Number of thresholds, ``K``; by default as many as the template has.

    delta : int, default=0
        Number of thresholds at the start that no p-value meets. The others are larger: sets
        with many discoveries gain, sets with few lose.

    Raises
    ------
    TypeError
        If a number is not an integer.
    ValueError
        If a number is out of range.
    """

    # Number of last elements without a threshold, since the formula degenerates there.
    _n_degenerate: ClassVar[int] = 0

    def __init__(self, n_elements: int, *, k_max: int | None = None, delta: int = 0) -> None:
        smallest = 1 + self._n_degenerate
        self.n_elements = check_count(
            n_elements, name="n_elements", smallest=smallest, largest=2**31 - 1
        )
        largest = self.n_elements - self._n_degenerate
        self.k_max = largest
        if k_max is not None:
            why = f", for template {self.name!r} of {self.n_elements} elements"
            self.k_max = check_count(k_max, name="k_max", smallest=1, largest=largest, why=why)
        why = f", as there are {self.k_max} thresholds"
        self.delta = check_count(delta, name="delta", smallest=0, largest=self.k_max - 1, why=why)
        # Number of elements in the formula, and the template of these elements without a shift.
        self._size = self.n_elements - self.delta
        self._rest: _FormulaTemplate | None = None
        if self.delta:
            self._rest = type(self)(self._size, k_max=self.k_max - self.delta)

    def cut(self, k_max: int) -> Template:
        check_count(k_max, name="k_max", smallest=1, largest=self.k_max)
        return type(self)(self.n_elements, k_max=k_max, delta=self.delta)

    def thresholds(self, lambda_: float) -> np.ndarray:
        thresholds = np.zeros(self.k_max)
        ranks = np.arange(1.0, self.k_max - self.delta + 1)
        thresholds[self.delta :] = self._thresholds(ranks, float(lambda_))
        return thresholds

    def _inverse_of_shifted(self, ranks: np.ndarray, p_values: np.ndarray) -> np.ndarray:
        """Return the inverse of a shifted template: the inverse of the rest at shifted ranks."""
        assert self._rest is not None
        shifted = np.asarray(ranks) - self.delta
        inverse = self._rest.inverse(np.maximum(shifted, 1), p_values)
        return np.where(shifted > 0, inverse, np.inf)

    @abstractmethod
    def _thresholds(self, ranks: np.ndarray, lambda_: float) -> np.ndarray:
        """Return the formula at ranks from 1."""


class SimesTemplate(_FormulaTemplate):
    """The linear template ``t_k = lambda k / m``, of Simes' test.

    Parameters
    ----------
    n_elements : int
        Number of elements, ``m``.

    k_max : int, optional
        Number of thresholds, ``K``; by default m.

    delta : int, default=0
        Number of thresholds at the start that no p-value meets.

    Notes
    -----
    With a shift, ``t_k = lambda (k - delta) / (m - delta)`` [1]_ [2]_. With lambda = alpha and no
    shift, these are the thresholds of Simes' inequality, which holds for independent p-values.

    References
    ----------
    .. [1] Blanchard G, Neuvial P, Roquain E (2020). Post hoc confidence bounds on false
       positives using reference families. Annals of Statistics 48, 1281-1303.
    .. [2] Andreella A, Hemerik J, Finos L, Weeda W, Goeman J (2023). Permutation-based true
       discovery proportions for functional magnetic resonance imaging cluster analysis.
       Statistics in Medicine 42, 2311-2340.

    Examples
    --------
    >>> from ari_estimator.closed_testing import SimesTemplate
    >>> SimesTemplate(1000, k_max=3).thresholds(0.05)
    array([5.0e-05, 1.0e-04, 1.5e-04])
    """

    name = "simes"
    keeps_all_thresholds = True
    is_proportional = True

    def _thresholds(self, ranks: np.ndarray, lambda_: float) -> np.ndarray:
        return lambda_ * ranks / self._size

    def inverse(self, ranks: np.ndarray, p_values: np.ndarray) -> np.ndarray:
        if self._rest is not None:
            return self._inverse_of_shifted(ranks, p_values)
        return np.asarray(p_values * float(self._size) / ranks)


class AORCTemplate(_FormulaTemplate):
    """The asymptotically optimal rejection curve, ``t_k = k lambda / (m - k + k lambda)``.

    Parameters
    ----------
    n_elements : int
        Number of elements, ``m``.

    k_max : int, optional
        Number of thresholds, ``K``; by default ``m - 1``.

    delta : int, default=0
        Number of thresholds at the start that no p-value meets.

    Notes
    -----
    This is the curve of Finner, Dickhaus and Roters (2009) [1]_ at ``k / m``. At ``k = m`` it is
    1 for every lambda. So there are at most ``m - 1`` thresholds.

    References
    ----------
    .. [1] Finner H, Dickhaus T, Roters M (2009). On the false discovery rate and an
       asymptotically optimal rejection curve. Annals of Statistics 37, 596-618.

    Examples
    --------
    >>> from ari_estimator.closed_testing import AORCTemplate
    >>> AORCTemplate(5).thresholds(0.5)
    array([0.11111111, 0.25      , 0.42857143, 0.66666667])
    """

    name = "aorc"
    _n_degenerate = 1

    def _thresholds(self, ranks: np.ndarray, lambda_: float) -> np.ndarray:
        if math.isinf(lambda_):
            return np.ones(ranks.size)
        return ranks * lambda_ / (self._size - ranks + ranks * lambda_)

    def inverse(self, ranks: np.ndarray, p_values: np.ndarray) -> np.ndarray:
        if self._rest is not None:
            return self._inverse_of_shifted(ranks, p_values)
        p_values = np.asarray(p_values)
        with np.errstate(divide="ignore"):
            return np.asarray(p_values * (self._size - ranks) / (ranks * (1 - p_values)))


class BetaTemplate(_FormulaTemplate):
    """Quantiles of the k-th smallest of m independent uniform p-values.

    Parameters
    ----------
    n_elements : int
        Number of elements, ``m``.

    k_max : int, optional
        Number of thresholds, ``K``; by default m.

    delta : int, default=0
        Number of thresholds at the start that no p-value meets.

    Notes
    -----
    ``t_k`` is the exp(lambda) quantile of the beta distribution with parameters k and
    m + 1 - k [1]_. Lambda is the logarithm of the level, from -inf to 0. With dependent
    p-values, the level may be smaller than any double.

    References
    ----------
    .. [1] Blanchard G, Neuvial P, Roquain E (2020). Post hoc confidence bounds on false
       positives using reference families. Annals of Statistics 48, 1281-1303.

    Examples
    --------
    The median of the smallest and of the second smallest of 1000 uniform p-values:

    >>> import numpy as np
    >>> from ari_estimator.closed_testing import BetaTemplate
    >>> BetaTemplate(1000, k_max=2).thresholds(np.log(0.5)).round(6)
    array([0.000693, 0.001678])
    """

    name = "beta"

    def _rounding(self, lambda_: float) -> float:
        # Rounding of powers with exponents up to m, on the scale of logarithms.
        return 4 * _EPSILON * (self._size - lambda_) if math.isfinite(lambda_) else 0.0

    def _thresholds(self, ranks: np.ndarray, lambda_: float) -> np.ndarray:
        if lambda_ >= 0:
            return np.ones(ranks.size)
        if math.isinf(lambda_):
            return np.zeros(ranks.size)
        return log_tail_quantile(ranks, self._size, lambda_)

    def inverse(self, ranks: np.ndarray, p_values: np.ndarray) -> np.ndarray:
        if self._rest is not None:
            return self._inverse_of_shifted(ranks, p_values)
        return log_upper_tail(ranks, self._size, p_values)


class HigherCriticismTemplate(_FormulaTemplate):
    """P-values at which higher criticism has a given value.

    Parameters
    ----------
    n_elements : int
        Number of elements, ``m``.

    k_max : int, optional
        Number of thresholds, ``K``; by default m.

    delta : int, default=0
        Number of thresholds at the start that no p-value meets.

    Notes
    -----
    At ``p = t_k``, ``sqrt(m) (k / m - p) / sqrt(p (1 - p))`` equals ``-lambda``. This is the
    number k of p-values up to p, minus its expectation, in standard errors [1]_. So lambda is
    usually negative. The inverse is a difference of two terms. One term grows with p and the
    other falls, so the inverse grows with p, even after rounding.

    References
    ----------
    .. [1] Donoho D, Jin J (2004). Higher criticism for detecting sparse heterogeneous
       mixtures. Annals of Statistics 32, 962-994.

    Examples
    --------
    >>> from ari_estimator.closed_testing import HigherCriticismTemplate
    >>> HigherCriticismTemplate(1000, k_max=3).thresholds(-3).round(7)
    array([9.170e-05, 3.154e-04, 6.264e-04])
    """

    name = "higher_criticism"

    # With r = sqrt(p / (1 - p)) the deviation is (k / r - (m - k) r) / sqrt(m).
    def _thresholds(self, ranks: np.ndarray, lambda_: float) -> np.ndarray:
        m = self._size
        linear = lambda_ * math.sqrt(m)
        root = np.hypot(linear, 2 * np.sqrt(ranks * (m - ranks)))
        # The positive solution of (m - k) r^2 - linear r - k = 0, without cancellation.
        if linear < 0:
            r = 2 * ranks / (root - linear)
            return r * r / (1 + r * r)
        # For k = m the only solution is infinity, also where linear and root are both 0.
        inverse_r = 2 * (m - ranks) / np.where(ranks < m, linear + root, 1.0)
        return 1 / (1 + inverse_r * inverse_r)

    def inverse(self, ranks: np.ndarray, p_values: np.ndarray) -> np.ndarray:
        if self._rest is not None:
            return self._inverse_of_shifted(ranks, p_values)
        p_values = np.asarray(p_values)
        m = self._size
        with np.errstate(divide="ignore", invalid="ignore"):
            r = np.sqrt(p_values / (1 - p_values))
            # At p = 1 and k = m this is 0 times infinity, and counts as 0.
            growing = np.fmax((m - ranks) * r, 0)
            return np.asarray((growing - ranks / r) / math.sqrt(m))


class PowerTemplate(_FormulaTemplate):
    """Powers of the ranks, ``t_k = (k / (m + sqrt(m)))^(1 / lambda)``.

    Parameters
    ----------
    n_elements : int
        Number of elements, ``m``.

    k_max : int, optional
        Number of thresholds, ``K``; by default m.

    delta : int, default=0
        Number of thresholds at the start that no p-value meets.

    Notes
    -----
    Lambda is from 0 to inf. With lambda = 1 the thresholds are nearly ``k / m``. The R package
    pARI has the same family of powers. Without the square root, the last threshold would be 1 for
    every lambda. The square root is about the deviation of the ranks of uniform p-values.

    Examples
    --------
    >>> from ari_estimator.closed_testing import PowerTemplate
    >>> PowerTemplate(1000, k_max=3).thresholds(1).round(6)
    array([0.000969, 0.001939, 0.002908])
    """

    name = "power"

    def _rounding(self, lambda_: float) -> float:
        return 8 * _EPSILON * lambda_ if math.isfinite(lambda_) else 0.0

    def _logarithm(self, ranks: np.ndarray) -> np.ndarray:
        return -np.log(ranks / (self._size + math.sqrt(self._size)))

    def _thresholds(self, ranks: np.ndarray, lambda_: float) -> np.ndarray:
        if lambda_ <= 0:
            return np.zeros(ranks.size)
        with np.errstate(under="ignore"):
            return np.exp(-self._logarithm(ranks) / lambda_)

    def inverse(self, ranks: np.ndarray, p_values: np.ndarray) -> np.ndarray:
        if self._rest is not None:
            return self._inverse_of_shifted(ranks, p_values)
        with np.errstate(divide="ignore"):
            return np.asarray(self._logarithm(ranks) / np.abs(np.log(p_values)))


TEMPLATES: dict[str, type[_FormulaTemplate]] = {
    template.name: template
    for template in (
        SimesTemplate,
        AORCTemplate,
        BetaTemplate,
        HigherCriticismTemplate,
        PowerTemplate,
    )
}


def template_class(name: str) -> type[Template]:
    """Return the class of a template that is not made of others, by its stored name."""
    classes: dict[str, type[Template]] = {**TEMPLATES, LearnedTemplate.name: LearnedTemplate}
    if name not in classes:
        raise ValueError(f"template must be one of {list(classes)}. Got {name!r}.")
    return classes[name]
