"""What a template is: thresholds with one parameter, by which permutations calibrate them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from numbers import Integral
from typing import Any, ClassVar

import numpy as np

from ari_estimator.closed_testing._critical_vector import NEVER
from ari_estimator.files._stored_array import stored_array


def check_count(value: int, *, name: str, smallest: int, largest: int, why: str = "") -> int:
    """Return a count as an int of Python, or raise an error that names it."""
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


# A template of a file may have as many elements as this, which is 1 GiB of thresholds.
_MOST_STORED = 2**27

_ANDREELLA = (
    "Andreella A, Hemerik J, Finos L, Weeda W, Goeman J (2023). Permutation-based true discovery "
    "proportions for functional magnetic resonance imaging cluster analysis. Statistics in "
    "Medicine 42, 2311-2340."
)
_BLANCHARD = (
    "Blanchard G, Neuvial P, Roquain E (2020). Post hoc confidence bounds on false positives "
    "using reference families. Annals of Statistics 48, 1281-1303."
)


class Template(ABC):
    """A family of thresholds, ascending with the rank, each growing with lambda.

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
    The inverse tells at which lambda a p-value is at a threshold.

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

    # What a paragraph on methods cites, in short and in full.
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
        """Return the template of the first thresholds alone.

        Parameters
        ----------
        k_max : int
            How many, from ``delta + 1`` to ``k_max``.

        Returns
        -------
        template : Template
            The template.
        """

    @abstractmethod
    def thresholds(self, lambda_: float) -> np.ndarray:
        """Return the thresholds at a parameter, by their formula.

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

    def to_arrays(self) -> dict[str, Any]:
        """Return what the template can be made from again.

        Returns
        -------
        arrays : dict
            Arrays and numbers, by name.
        """
        return {"n_elements": self.n_elements, "k_max": self.k_max, "delta": self.delta}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Template:
        """Return the template that :meth:`to_arrays` described.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            What :meth:`to_arrays` gave.

        Returns
        -------
        template : Template
            The template.

        Raises
        ------
        ValueError
            If they are no such arrays.
        """
        make: Any = cls  # a class that is made from its size and shape
        n_elements, k_max, delta = (
            stored_array(arrays, name, "i").item() for name in ("n_elements", "k_max", "delta")
        )
        if n_elements > _MOST_STORED:
            raise ValueError(f"it is of {n_elements:,} elements, and may be of {_MOST_STORED:,}")
        return make(n_elements, k_max=k_max, delta=delta)

    def _rounding(self, lambda_: float) -> float:
        """Bound how far rounding may make the inverse fall at lambda while the p-value grows."""
        # Nothing where each of its operations keeps order when it is rounded.
        return 0.0

    def critical_thresholds(self, lambda_: float) -> np.ndarray:
        """Return thresholds that p-values may be equal to.

        Parameters
        ----------
        lambda_ : float
            The parameter.

        Returns
        -------
        thresholds : ndarray of shape (k_max,)
            ``c_1 <= ... <= c_K <= 1``, such that ``inverse(k, p) < lambda_`` for every number
            ``p <= c_k``, and for no other but for rounding; -1 where there is no such p-value.

        Notes
        -----
        A calibrated parameter is itself the pivotal statistic of one of the permutations: one
        of its p-values equals ``t_k(lambda)``, and with ``p <= t_k`` the permutation would be
        one too many. So ``c_k`` is the next smaller double than ``t_k``, and ``p <= c_k`` is
        the comparison ``p < t_k``. As ``t_k`` and the inverse have rounding errors, which may
        be on either side, it is the inverse that decides: ``c_k`` is the largest double at
        which it is below lambda.
        """
        ranks = np.arange(1, self.k_max + 1)
        limit = lambda_ - self._rounding(lambda_)
        # Doubles from 0 on are in the order of their bits, taken for integers.
        guess = np.clip(np.nextafter(self.thresholds(lambda_), -1), 0, 1).view(np.int64)
        critical = _last_true(
            lambda bits, i: self.inverse(ranks[i], bits.view(np.float64)) < limit, guess
        )
        thresholds = np.where(critical >= 0, critical.view(np.float64), NEVER)
        return np.minimum.accumulate(thresholds[::-1])[::-1]


# One, as an integer of the same bits.
_BITS_OF_ONE = int(np.array(1.0).view(np.int64))


def _last_true(
    holds: Callable[[np.ndarray, np.ndarray], np.ndarray], guess: np.ndarray
) -> np.ndarray:
    """Return the last integers at which something holds, up to the bits of 1.0; -1 for none.

    ``holds(integers, i)`` tells for the problems ``i``. It holds up to some integer and not
    beyond, which is searched in steps that double, away from the guess and back.
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
        # Until both ends are known: away from the one that is.
        at = np.where(above == lowest, np.maximum(below - step, lowest + 1), at)
        at = np.where(below == highest, np.minimum(above + step, highest - 1), at)
        step = min(2 * step, _BITS_OF_ONE // 2)
    return low
