"""The tested elements of one map, with their values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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

    p_values : ndarray of shape (n_tested,)
        P-values of the map. Clusters form in the order of these p-values.
    """

    stat: np.ndarray
    statistic: Statistic
    space: Space
    is_tested: np.ndarray
    p_values: np.ndarray

    def __repr__(self) -> str:
        return f"MapFamily(n_tested={self.n_tested}, statistic={self.statistic})"

    @property
    def n_tested(self) -> int:
        """Number of elements tested."""
        return self.stat.size

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
