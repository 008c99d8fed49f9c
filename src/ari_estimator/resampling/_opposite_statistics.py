"""Statistics for effects of the opposite sign, from the same draws."""

from __future__ import annotations

import numpy as np

from ari_estimator.resampling._null_statistics import NullStatistics
from ari_estimator.resampling._parametric_p_values import parametric_p_values


class OppositeStatistics(NullStatistics):
    """Statistics with reversed signs: their upper tail shows negative effects.

    Parameters
    ----------
    null : NullStatistics
        One-sided statistics of t or v.

    name : {"t", "v"}
        Name of the statistic.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.resampling import OppositeStatistics, SubjectSums, sign_statistics
    >>> rng = np.random.default_rng(0)
    >>> sums = SubjectSums.of(rng.standard_normal((12, 500)), n_groups=256)
    >>> null = sign_statistics(sums, 100, rng, two_sided=False)
    >>> opposite = OppositeStatistics(null, "t")
    >>> bool((opposite.block(0, 50) == -null.block(0, 50)).all())
    True
    >>> bool(np.allclose(opposite.observed_p_values, 1 - null.observed_p_values))
    True
    """

    def __init__(self, null: NullStatistics, name: str) -> None:
        self._null = null
        self._name = name
        self.n_permutations = null.n_permutations
        self.n_elements = null.n_elements
        # The distribution of t and v is symmetric.
        self.tail = null.tail
        self.error, self.relative_error = null.error, null.relative_error
        self.observed = null.observed._replace(values=-null.observed.values)
        self.is_constant = null.is_constant

    def block(self, start: int, stop: int, out: np.ndarray | None = None) -> np.ndarray:
        """Return statistics of some draws, see the base class."""
        statistics = self._null.block(start, stop, out)
        return np.negative(statistics, out=statistics)

    def exact(self, draws: np.ndarray, lowest: np.ndarray | None = None) -> np.ndarray:
        """Return statistics of some draws in double precision, see the base class."""
        # Statistics above a number are below one before their signs are reversed. So either none
        # or all of them are exact.
        none_is = lowest is not None and bool(np.isposinf(lowest).all())
        return -self._null.exact(draws, lowest if none_is else None)

    def exact_where(self, draws: np.ndarray, single: np.ndarray, where: np.ndarray) -> np.ndarray:
        """Return statistics of some draws, some in double precision, see the base class."""
        return -self._null.exact_where(draws, -single, where)

    def of_elements(self, elements: slice) -> np.ndarray:
        """Return statistics of some elements, see the base class."""
        return -self._null.of_elements(elements)

    def select(self, keep: np.ndarray) -> OppositeStatistics:
        """Return the statistics of some elements, see the base class."""
        return OppositeStatistics(self._null.select(keep), self._name)

    @property
    def observed_p_values(self) -> np.ndarray:
        """P-values of the data as observed, of shape (n_elements,)."""
        values, df, is_constant = self.observed
        # Elements that lack too many subjects have no degrees of freedom.
        p_values = parametric_p_values(self._name, values, np.maximum(df, 1))
        return np.where(is_constant, 1.0, p_values)
