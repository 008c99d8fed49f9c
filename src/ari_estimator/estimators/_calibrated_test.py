"""The test of a map by a calibration, which must be of the data of that map."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ari_estimator.calibration._missing_rows import untestable
from ari_estimator.closed_testing import SimultaneousTest
from ari_estimator.closed_testing._two_sided import DIRECTIONAL
from ari_estimator.estimators._subject_calibration import SubjectCalibration
from ari_estimator.inference._local_tests import TestMaker
from ari_estimator.inference._map_family import MapFamily
from ari_estimator.resampling._parametric_p_values import parametric_p_values

# Largest difference between p-values of the same data: maps are stored with few digits.
_TOLERANCE = 1e-3


def calibrated_test(calibration: Any, alpha: float) -> TestMaker:
    """Return a function that makes the test of a map from the calibration of its contrast.

    Parameters
    ----------
    calibration : SubjectCalibration
        The calibration, fitted to the data of the map.

    alpha : float
        Error level.

    Returns
    -------
    make_test : callable
        Returns the test of a family. It raises a ValueError if the calibration has other
        elements, sides or data.

    Raises
    ------
    TypeError
        If it is not a calibration.
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    ValueError
        If it has another level after step-down.
    """
    if not isinstance(calibration, SubjectCalibration):
        raise TypeError(
            "calibration must be a PermutationCalibration, a ClusterExtentCalibration or a "
            f"JointCalibration. Got {type(calibration).__name__}."
        )
    check_is_fitted(calibration)
    test = calibration._test(alpha)

    def make_test(family: MapFamily) -> SimultaneousTest:
        for part in calibration._parts.values():
            _check_is_of_the_map(part, family)
        return test

    return make_test


def _check_is_of_the_map(calibration: Any, family: MapFamily) -> None:
    """Refuse a calibration whose elements, sides or data differ from the map's."""
    n_calibrated = calibration.p_values_.size
    if family.n_tested != n_calibrated:
        raise ValueError(
            f"calibration must have the {family.n_tested} elements that are tested in the map. "
            f"Got one with {n_calibrated}{_how_many_left_out(calibration)}."
        )
    # It is not known whether a map of p-values is one-sided or two-sided. Bounds of each sign need
    # a calibration of each sign in any case.
    statistic = family.statistic
    sides = calibration.two_sided_, statistic.two_sided
    if (not statistic.is_p or DIRECTIONAL in sides) and sides[0] != sides[1]:
        raise ValueError(
            f"two_sided must be {calibration.two_sided_!r}, as in the calibration. "
            f"Got {statistic.two_sided!r}."
        )
    # The calibration's own p-values may be ranks.
    parametric = parametric_p_values(
        calibration.stat_type_,
        calibration.statistic_,
        calibration.df_,
        calibration.rank_,
        bool(calibration.two_sided_),
    )
    # Constant elements have no p-value, nor have those that lack too many subjects.
    differences = np.abs(family.p_values - parametric)[~calibration.is_constant_]
    if differences.max(initial=0) > _TOLERANCE:
        raise ValueError(
            "calibration must be fitted to the data of the map. Got p-values that "
            f"differ from the map's by up to {differences.max():.2g}."
        )
    if calibration.two_sided_ == DIRECTIONAL:
        _check_signs(calibration, family, parametric)


def _check_signs(calibration: Any, family: MapFamily, p_values: np.ndarray) -> None:
    """Refuse a calibration of the opposite contrast, which has the same two-sided p-values."""
    # Rounding may change the sign of a value next to 0.
    is_far = p_values < 0.5
    n_opposite = int((is_far & (family.stat * calibration.statistic_ < 0)).sum())
    if n_opposite:
        raise ValueError(
            f"calibration must be fitted to the contrast of the map. Got one with the other sign "
            f"in {n_opposite} {family.space.element_name[1]}: it may be of the opposite contrast."
        )


def n_tested_by(calibration: Any) -> int:
    """Return the number of elements of a calibration that do not lack too many subjects.

    Parameters
    ----------
    calibration : SubjectCalibration
        The fitted calibration.

    Returns
    -------
    n_tested : int
        The number.
    """
    return int(calibration.p_values_.size - untestable(calibration.df_).sum())


def _how_many_left_out(calibration: Any) -> str:
    n_left_out = calibration.p_values_.size - n_tested_by(calibration)
    if n_left_out == 0:
        return ""
    return (
        f"; {n_left_out} of them lack too many subjects, and their df_ is 0. Fit the calibration "
        "to the data of the others"
    )
