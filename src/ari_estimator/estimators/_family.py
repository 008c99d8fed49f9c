"""One statistical map as closed testing sees it: a family of p-values on a space."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from ari_estimator.closed_testing import CriticalVector
from ari_estimator.closed_testing._simultaneous_test import SimultaneousTest
from ari_estimator.estimators._statistic import Statistic
from ari_estimator.estimators._test_makers import TestMaker
from ari_estimator.estimators._thresholded import check_rest_of_nan
from ari_estimator.images._space import Space


@dataclass(frozen=True)
class MapFamily:
    """The elements of one map that are tested, and the test of all sets of them.

    An element is a voxel or a vertex. Sets are formed by the map, their bounds come from the
    test.

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

    map_p_values : ndarray of shape (n_tested,)
        P-values of the values of the map, in whose order clusters are formed.

    test : SimultaneousTest
        The test of all sets: closed testing of these p-values; or a calibrated test, with
        p-values of its own.

    alpha : float
        Error level of the inference.

    critical_vector : CriticalVector
        The critical vector at that level, as far as it matters for the p-values of the test.
    """

    stat: np.ndarray
    statistic: Statistic
    space: Space
    is_tested: np.ndarray
    map_p_values: np.ndarray
    test: SimultaneousTest
    alpha: float
    critical_vector: CriticalVector

    def __repr__(self) -> str:
        return f"MapFamily(n_tested={self.n_tested}, alpha={self.alpha})"

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
    def true_discoveries(self) -> int:
        """Lower bound on the true discoveries among all tested elements."""
        return self.critical_vector.true_discoveries(self.p_values)

    @property
    def p_values(self) -> np.ndarray:
        """P-values of the test, which bounds are computed from, of shape (n_tested,)."""
        return self.test.p_values

    @property
    def evidence(self) -> np.ndarray:
        """What is thresholded, and peaks: larger is stronger."""
        return self.statistic.evidence(self.stat)


# Of p-values that underflow to 0, others are close: with more zeros than this share, and none
# that is so small, the zeros are no p-values.
_MOST_ZEROS = 0.02
_TINY_P = 1e-6


def warn_of_nan(values: np.ndarray, element_names: str) -> None:
    """Warn if elements of a map are NaN, and so not in the family."""
    n_nan = int(np.isnan(values).sum())
    if 0 < n_nan < values.size:
        warnings.warn(
            f"The map is NaN in {n_nan} of the {values.size} {element_names} of the mask. They "
            f"are left out of the family, which has {values.size - n_nan} {element_names}.",
            UserWarning,
            stacklevel=2,
        )


def check_zeros(values: np.ndarray, statistic: Statistic, element_names: str) -> None:
    """Refuse a p map that is 0 where it has no values, or warn if that may be so."""
    if statistic.stat_type != "p":
        return
    n_zero = int((values == 0).sum())
    if n_zero > _MOST_ZEROS * values.size and not (values[values > 0] < _TINY_P).any():
        raise ValueError(
            f"The p map is exactly 0 in {n_zero} of the {values.size} {element_names} of the "
            "mask, and next to 0 nowhere: it looks padded. A p-value of 0 is the strongest "
            "evidence there is. Leave the background out of mask_img; of a map that was "
            "thresholded, pass what it was before."
        )
    if n_zero:
        warnings.warn(
            f"The p map is exactly 0 in {n_zero} {element_names} of the mask. They count as "
            "discoveries. If they are background, leave them out of mask_img.",
            UserWarning,
            stacklevel=2,
        )


def warn_of_untested_zeros(values: np.ndarray, statistic: Statistic, element_names: str) -> None:
    """Warn if a map whose elements are all tested is exactly 0 where it may have no values."""
    n_zero = int((values == 0).sum())
    if not statistic.is_p and n_zero > _MOST_ZEROS * values.size:
        warnings.warn(
            f"The map is exactly 0 in {n_zero} of {values.size} {element_names}, all of which are "
            "tested, since there is no mask_img. If these have no data (the medial wall, for "
            "example), the bounds are smaller than they need be: give a mask without them.",
            UserWarning,
            stacklevel=2,
        )


def form_family(
    values: np.ndarray,
    space: Space,
    statistic: Statistic,
    *,
    alpha: float,
    make_test: TestMaker,
) -> MapFamily:
    """Form the family of one map and test it.

    Parameters
    ----------
    values : ndarray of shape (n_elements,)
        Values in the mask; NaN where there is none.

    space : Space
        Where the elements lie.

    statistic : Statistic
        What the values are.

    alpha : float
        Error level.

    make_test : callable
        Gives the test, see :mod:`~ari_estimator.estimators._test_makers`.

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
    if n_nan:
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
    p_values = statistic.p_values(values)
    test = make_test(p_values, is_tested)
    # Held once, if they are the same: a map may have millions of voxels.
    map_p_values = test.p_values if np.array_equal(test.p_values, p_values) else p_values
    critical_vector = test.critical_vector(alpha).concentrated(test.p_values)
    return MapFamily(
        values, statistic, space, is_tested, map_p_values, test, alpha, critical_vector
    )
