"""The tested elements of one map, with their values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ari_estimator.closed_testing._p_value_source import KnownPValues, PartialPValues
from ari_estimator.images._space import Space
from ari_estimator.inference._statistic import Statistic


@dataclass(frozen=True)
class MapFamily:
    """The tested elements of one map, with their values.

    An element is a voxel or a vertex. Sets of elements are formed from the values; a
    :class:`~ari_estimator.closed_testing.SimultaneousTest` bounds them.

    Attributes
    ----------
    stat : ndarray of shape (n_tested,)
        Values of the map.

    statistic : Statistic
        The statistic of the values.

    space : Space
        Positions of the tested elements.

    is_tested : ndarray of bool of shape (n_elements,)
        Whether each element of the mask is in the family, which means that it is not NaN.
    """

    stat: np.ndarray
    statistic: Statistic
    space: Space
    is_tested: np.ndarray

    def __repr__(self) -> str:
        return f"MapFamily(n_tested={self.n_tested}, statistic={self.statistic})"

    @property
    def n_tested(self) -> int:
        """Number of elements tested."""
        return self.stat.size

    @cached_property
    def p_values(self) -> np.ndarray:
        """P-values of the map, of shape (n_tested,). Clusters form in the order of these."""
        self.__dict__.pop("_partial", None)
        return self.statistic.p_values(self.stat)

    def p_values_up_to(self, level: float) -> np.ndarray:
        """Return the p-values up to a level, 1 for others, see :class:`PValueSource`."""
        return self._known_up_to(level).p_values

    def sorted_up_to(self, level: float) -> np.ndarray:
        """Return the p-values up to a level, ascending, see :class:`PValueSource`."""
        return self._known_up_to(level).sorted_up_to(level)

    def _known_up_to(self, level: float) -> KnownPValues | PartialPValues:
        if "p_values" in self.__dict__:
            return KnownPValues(self.p_values)
        known: PartialPValues | None = self.__dict__.get("_partial")
        if known is None or known.level < level:
            strong = self.statistic.may_have_p_up_to(self.stat, level)
            if strong is None:
                return KnownPValues(self.p_values)
            p_values = self.statistic.p_values(self.stat.take(strong))
            known = PartialPValues(level, self.n_tested, strong, p_values)
            self.__dict__["_partial"] = known
        return known

    @property
    def evidence(self) -> np.ndarray:
        """Evidence to threshold, of shape (n_tested,). Larger values are stronger."""
        return self.statistic.evidence(self.stat)

    @property
    def values_in_mask(self) -> np.ndarray:
        """Values of the map in the mask, of shape (n_elements,); NaN where not tested."""
        values = np.full(self.is_tested.size, np.nan)
        values[self.is_tested] = self.stat
        return values
