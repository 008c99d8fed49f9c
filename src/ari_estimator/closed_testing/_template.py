"""Templates: thresholds with one parameter, which permutations calibrate."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from numbers import Integral
from typing import Any, ClassVar

import numpy as np

from ari_estimator.closed_testing._critical_vector import NEVER
from ari_estimator.files._stored_array import stored_array


def check_count(value: int, *, name: str, smallest: int, largest: int, why: str = "") -> int:
    """Return a count as a Python int, or raise an error that names it."""
    if not isinstance(value, Integral) or isinstance(value, (bool, np.bool_)):
        raise TypeError(
            f"{name} must be an integer from {smallest} to {largest}{why}. "
            f"Got {value!r} of type {type(value).__name__}."
        )
    if not smallest <= value <= largest:
        raise ValueError(
            f"{name} must be an integer from {smallest} to {largest}{why}. Got {value}."
        )
    return int(value)


# Most elements of a template in a file: 256 MiB of thresholds.
_MOST_STORED = 2**25

_ANDREELLA = (
    "Andreella A, Hemerik J, Finos L, Weeda W, Goeman J (2023). Permutation-based true discovery "
    "proportions for functional magnetic resonance imaging cluster analysis. Statistics in "
    "Medicine 42, 2311-2340."
)
_BLANCHARD = (
    "Blanchard G, Neuvial P, Roquain E (2020). Post hoc confidence bounds on false positives "
    "using reference families. Annals of Statistics 48, 1281-1303."
)

# P-values whose ratio is smaller may be equal, except for rounding.
ROUNDING_OF_P = 1 + 1e-10


class Template(ABC):
    """A family of thresholds that ascend with the rank and grow with lambda.

    Attributes
    ----------
    name : str
        Name of the family.

    n_elements : int
        Number of elements, ``m``.

    k_max : int
        Number of thresholds, ``K``, at most ``m``.

    delta : int
        Number of thresholds at the start that no p-value meets.

    See Also
    --------
    make_template : Templates by name.
    calibrate : Find the largest lambda whose thresholds hold.

    Examples
    --------
    The inverse is the lambda at which a threshold equals the p-value.

    >>> from ari_estimator.closed_testing import make_template
    >>> template = make_template("aorc", 100, k_max=10)
    >>> lambda_ = template.inverse(5, 0.002)
    >>> bool(abs(template.thresholds(lambda_)[4] - 0.002) < 1e-15)
    True
    """

    name: ClassVar[str]

    # Whether the template stays useful with very many thresholds. For brains most templates are
    # useful only with few thresholds.
    keeps_all_thresholds: ClassVar[bool] = False

    # Whether the template was learned from data.
    is_learned: bool = False

    # Whether thresholds are proportional to lambda.
    is_proportional: ClassVar[bool] = False

    # References for a methods section, in short and in full.
    cited: ClassVar[str] = "Blanchard et al., 2020; Andreella et al., 2023"
    references: ClassVar[tuple[str, ...]] = (_ANDREELLA, _BLANCHARD)

    n_elements: int
    k_max: int
    delta: int

    def __repr__(self) -> str:
        delta = f", delta={self.delta}" if self.delta else ""
        return f"{type(self).__name__}(n_elements={self.n_elements}, k_max={self.k_max}{delta})"

    @abstractmethod
    def cut(self, k_max: int) -> Template:
        """Return the template with the first thresholds only.

        Parameters
        ----------
        k_max : int
            Number of thresholds, from ``delta + 1`` to ``k_max``.

        Returns
        -------
        template : Template
            The template.
        """

    @abstractmethod
    def thresholds(self, lambda_: float) -> np.ndarray:
        """Return the thresholds at a parameter, from their formula.

        Parameters
        ----------
        lambda_ : float
            The parameter.

        Returns
        -------
        thresholds : ndarray of shape (k_max,)
            ``t_1 <= ... <= t_K``. No p-value is below a threshold of 0. They may be above 1.
        """

    @abstractmethod
    def inverse(self, ranks: np.ndarray, p_values: np.ndarray) -> np.ndarray:
        """Return the largest parameter at which a p-value is not below a threshold.

        Parameters
        ----------
        ranks : ndarray of int
            Ranks from 1 to ``k_max``.

        p_values : ndarray of float
            Numbers from 0 to 1, broadcast against the ranks.

        Returns
        -------
        lambda_ : ndarray of float
            ``sup{lambda : t_k(lambda) <= p}``, so that ``p < t_k(lambda)`` exactly if the
            result is below lambda. It grows with the p-value, falls with the rank, and is inf
            for ranks up to ``delta``.
        """

    @property
    def learned_from(self) -> list[np.ndarray]:
        """Sketches of the data that the template was learned from, where they are known."""
        return []

    @property
    def in_words(self) -> str:
        """The template in a few words, for reports."""
        name = self.name.replace("_", " ")
        return f"{name} (delta = {self.delta})" if self.delta else name

    def _curve_points(self, rank: int, p_values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return parameters in ascending order, and the thresholds that they give at a rank.

        ``p_values`` are thresholds to take, unless the template has few thresholds of its own.
        """
        return self.inverse(np.array(rank), p_values), p_values

    def to_arrays(self) -> dict[str, Any]:
        """Return the template as arrays. It can be restored from them.

        Returns
        -------
        arrays : dict
            Arrays and numbers, by name.
        """
        return {"n_elements": self.n_elements, "k_max": self.k_max, "delta": self.delta}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Template:
        """Restore a template from arrays.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            The result of :meth:`to_arrays`.

        Returns
        -------
        template : Template
            The template.

        Raises
        ------
        ValueError
            If arrays are missing, malformed or contradict each other.
        """
        make: Any = cls  # a class that is made from its size and shape
        n_elements, k_max, delta = (
            stored_array(arrays, name, "i").item() for name in ("n_elements", "k_max", "delta")
        )
        if n_elements > _MOST_STORED:
            raise ValueError(
                f"it has {n_elements:,} elements; at most {_MOST_STORED:,} can be read"
            )
        return make(n_elements, k_max=k_max, delta=delta)

    def _rounding(self, lambda_: float) -> float:
        """Bound how far rounding may make the inverse fall at lambda while the p-value grows."""
        # 0 if rounding keeps the order in each operation of the inverse.
        return 0.0

    def limit(self, lambda_: float) -> float:
        """Return the number below which an inverse is certainly below a parameter.

        Parameters
        ----------
        lambda_ : float
            The parameter.

        Returns
        -------
        limit : float
            The parameter itself, or a little less where rounding can disturb the order of inverses.
        """
        return lambda_ - self._rounding(lambda_)

    def raised_inverse(self, ranks: np.ndarray, p_values: np.ndarray) -> np.ndarray:
        """Return the inverse of p-values that are raised by as much as rounding may take away.

        Parameters
        ----------
        ranks : ndarray of int
            Ranks from 1 to ``k_max``.

        p_values : ndarray of float
            Numbers from 0 to 1, broadcast against the ranks.

        Returns
        -------
        lambda_ : ndarray of float
            The inverse of p-values that are larger by one part in ten billion; inf if this is more
            than 1. It is below the limit of a parameter exactly if the p-value is at most its
            threshold for data, see :meth:`thresholds_of_data`.
        """
        raised = np.asarray(p_values) * ROUNDING_OF_P
        inverse = self.inverse(ranks, np.minimum(raised, 1))
        return np.where(raised > 1, np.inf, inverse)

    def critical_thresholds(self, lambda_: float) -> np.ndarray:
        """Return thresholds for a comparison with ``<=`` instead of ``<``.

        Parameters
        ----------
        lambda_ : float
            The parameter.

        Returns
        -------
        thresholds : ndarray of shape (k_max,)
            ``c_1 <= ... <= c_K <= 1``. Up to rounding, ``inverse(k, p) < lambda_`` holds exactly
            for ``p <= c_k``; -1 where it holds for no p-value.

        Notes
        -----
        A calibrated parameter is the pivotal statistic of one of the permutations. One p-value
        of this permutation equals ``t_k(lambda)``. With ``p <= t_k``, one permutation too many
        would have a p-value below its threshold. So ``c_k`` is the double just below ``t_k``,
        and ``p <= c_k`` means ``p < t_k``. The rounding errors of ``t_k`` and of the inverse may
        go either way. Therefore the inverse decides: ``c_k`` is the largest double at which it
        is below lambda.
        """
        ranks = np.arange(1, self.k_max + 1)
        limit = self.limit(lambda_)
        # Doubles from 0 on sort like their bits as integers.
        guess = np.clip(np.nextafter(self.thresholds(lambda_), -1), 0, 1).view(np.int64)
        critical = _last_true(
            lambda bits, i: self.inverse(ranks[i], bits.view(np.float64)) < limit, guess
        )
        thresholds = np.where(critical >= 0, critical.view(np.float64), NEVER)
        return np.minimum.accumulate(thresholds[::-1])[::-1]

    def thresholds_of_data(self, lambda_: float) -> np.ndarray:
        """Return thresholds for p-values of data, which have rounding errors.

        Parameters
        ----------
        lambda_ : float
            The parameter.

        Returns
        -------
        thresholds : ndarray of shape (k_max,)
            The critical thresholds, lowered by one part in ten billion: the largest doubles that
            are still at most critical after they are raised again.

        Notes
        -----
        Values of data may be whole numbers, or 0 for some subjects. Then a p-value of a true null
        and the p-value of a permutation that decides about lambda may be equal. Their rounding
        errors differ, so the former may seem to be below the threshold. So p-values whose ratio to
        the threshold is less than ``1 + r``, with ``r = 1e-10``, count as equal to it, and are not
        below. :meth:`raised_inverse` tells this of a p-value without the thresholds.

        This keeps the error rate. Let each p-value have a relative error of at most
        ``e <= r / (2 + r)``, which is half of ``r``.
        Let ``lambda_b(c)`` be the pivotal statistic of permutation b without errors, of the true
        nulls alone, after their p-values are multiplied by ``c``. The computed statistics are at
        most ``lambda_b(1 + e)``, up to the rounding of the inverse, which is far smaller. So
        lambda, which has rank ``floor(alpha B) + 1`` among them, is at most the number of this rank
        among the ``lambda_b(1 + e)``. Therefore ``lambda_b(1 + e) < lambda`` holds for at most
        ``alpha B`` permutations: the comparison is strict, so ties do not count. Under the null
        hypothesis, each permutation is equally likely to be the data as observed, number 1. So
        ``lambda_1(1 + e) < lambda`` has probability at most alpha. If the computed p-value of a
        true null is at most its threshold, then ``lambda_1((1 - e) (1 + r)) < lambda``. That
        implies ``lambda_1(1 + e) < lambda``, since ``(1 - e) (1 + r)`` is at least ``1 + e``.
        """
        critical = self.critical_thresholds(lambda_)
        lowered = np.where(critical > 0, critical / ROUNDING_OF_P, critical)
        # Division may be off by one double.
        lowered = np.where(lowered * ROUNDING_OF_P > critical, np.nextafter(lowered, -1), lowered)
        above = np.nextafter(lowered, 1)
        is_higher = (critical > 0) & (above * ROUNDING_OF_P <= critical)
        return np.where(is_higher, above, lowered)


# The bits of 1.0 as an integer.
_BITS_OF_ONE = int(np.array(1.0).view(np.int64))


def _last_true(
    holds: Callable[[np.ndarray, np.ndarray], np.ndarray], guess: np.ndarray
) -> np.ndarray:
    """Return the last integers at which a condition holds, up to the bits of 1.0; -1 for none.

    ``holds(integers, i)`` evaluates the condition for the problems ``i``. It holds up to some
    integer and not beyond. The search starts at the guess, doubles its steps, then bisects.
    """
    lowest, highest = -1, _BITS_OF_ONE + 1
    low = np.full(guess.size, lowest, dtype=np.int64)
    high = np.full(guess.size, highest, dtype=np.int64)
    at, i = guess, np.arange(guess.size)
    step = 1
    while i.size:
        is_true = holds(at, i)
        low[i] = np.where(is_true, at, low[i])
        high[i] = np.where(is_true, high[i], at)
        i = i[high[i] - low[i] > 1]
        above, below = low[i], high[i]
        at = above + (below - above) // 2
        # Until both ends are known, move away from the known end.
        at = np.where(above == lowest, np.maximum(below - step, lowest + 1), at)
        at = np.where(below == highest, np.minimum(above + step, highest - 1), at)
        step = min(2 * step, _BITS_OF_ONE // 2)
    return low
