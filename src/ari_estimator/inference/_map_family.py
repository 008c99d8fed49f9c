"""The elements of one map that are tested, with their values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ari_estimator.images._space import Space
from ari_estimator.inference._input_checks import check_rest_of_nan, check_zeros, warn_of_nan
from ari_estimator.inference._statistic import Statistic


@dataclass(frozen=True)
class MapFamily:
    """The elements of one map that are tested, with their values.

    An element is a voxel or a vertex. Sets of elements are formed from the values; a
    :class:`~ari_estimator.closed_testing.SimultaneousTest` bounds them.

    Attributes
    ----------
    stat : ndarray of shape (n_tested,)
        Values of the map.

    statistic : Statistic
        What they are.

    space : Space
        Where the tested elements lie.

    is_tested : ndarray of bool of shape (n_elements,)
        Which elements of the mask are in the family: those that are not NaN.

    p_values : ndarray of shape (n_tested,)
        P-values of the values of the map, in whose order clusters are formed.
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
    def values_in_mask(self) -> np.ndarray:
        """Values of the map in the mask, NaN where it is not tested, of shape (n_elements,)."""
        values = np.full(self.is_tested.size, np.nan)
        values[self.is_tested] = self.stat
        return values

    @property
    def evidence(self) -> np.ndarray:
        """What is thresholded, and peaks: larger is stronger."""
        return self.statistic.evidence(self.stat)


def form_family(values: np.ndarray, space: Space, statistic: Statistic) -> MapFamily:
    """Form the family of one map.

    Parameters
    ----------
    values : ndarray of shape (n_elements,)
        Values in the mask; NaN where there is none.

    space : Space
        Where the elements lie.

    statistic : Statistic
        What the values are.

    Returns
    -------
    family : MapFamily
        The family, without the elements that are NaN.

    Raises
    ------
    ValueError
        If the map is NaN, or one and the same value, throughout the mask, or holds
        impossible values, or if the elements that are not NaN look like those beyond a
        threshold.
    """
    elements = space.element_name[1]
    is_tested = ~np.isnan(values)
    n_nan = values.size - int(np.count_nonzero(is_tested))
    if n_nan == values.size:
        raise ValueError(
            f"The map is NaN in all {values.size} {elements} of the mask: nothing to test."
        )
    if statistic.zero_is_strongest:
        check_zeros(values, elements)
    if n_nan:
        warn_of_nan(n_nan, values.size, elements)
        values = values[is_tested]
        space = space.restrict(is_tested)
    if values.size > 1 and values.min() == values.max():
        raise ValueError(
            f"The map is constant, {values[0]}, in all {values.size} {elements} of the mask: it "
            "is no statistical map."
        )
    statistic.check_values(values)
    if n_nan:
        check_rest_of_nan(statistic.one_sided_z(values), n_nan, elements)
    return MapFamily(values, statistic, space, is_tested, statistic.p_values(values))
