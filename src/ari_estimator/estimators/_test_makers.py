"""How the family of a map is tested: by what is made of its p-values, or by what is there already.

A maker is called with the p-values of the elements that are tested, an array of shape (n_tested,),
and with which elements these are, an array of bool of shape (n_elements,). Makers are hashed
by what they are made of: what is inferred from a map may be cached.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ari_estimator.closed_testing import CalibratedTest, Hommel
from ari_estimator.closed_testing._local_tests import LocalTest
from ari_estimator.closed_testing._simultaneous_test import SimultaneousTest
from ari_estimator.estimators._permutation_calibration import PermutationCalibration
from ari_estimator.estimators._statistic import Statistic
from ari_estimator.resampling import CorrelationTail

# Largest difference of p-values by two ways of the same data: maps are stored in few digits.
_TOLERANCE = 1e-3

TestMaker = Callable[[np.ndarray, np.ndarray], SimultaneousTest]


@dataclass(frozen=True)
class HommelTestMaker:
    """Makes the closed testing of the p-values of a map.

    Attributes
    ----------
    local_test : {"simes", "hommel"}
        The local test.
    """

    local_test: LocalTest = "simes"

    def __call__(self, p_values: np.ndarray, is_tested: np.ndarray) -> Hommel:
        """Return the test of the p-values."""
        return Hommel(p_values, self.local_test)


@dataclass(frozen=True)
class GivenTest:
    """Gives a test that was made before, of more than a map: the data of all subjects.

    Attributes
    ----------
    test : SimultaneousTest
        The test, with p-values of its own.

    is_tested : ndarray of bool of shape (n_elements,)
        Which elements it is of.
    """

    test: SimultaneousTest
    is_tested: np.ndarray

    def __call__(self, p_values: np.ndarray, is_tested: np.ndarray) -> SimultaneousTest:
        """Return the test, if it is of these elements.

        Raises
        ------
        ValueError
            If it is of others: its bounds would be of another family.
        """
        if not np.array_equal(is_tested, self.is_tested):
            raise ValueError(
                f"The test is of {self.test.n_hypotheses} elements, and not of the "
                f"{p_values.size} that are tested in the map."
            )
        return self.test


def calibrated_test(
    calibration: PermutationCalibration, values: np.ndarray, statistic: Statistic, alpha: float
) -> GivenTest:
    """Return the test that a fitted calibration makes of the map of its contrast.

    Parameters
    ----------
    calibration : PermutationCalibration
        Fitted to the data that the map was computed from.

    values : ndarray of shape (n_elements,)
        The map; NaN where nothing is tested.

    statistic : Statistic
        What the values are.

    alpha : float
        Error level.

    Returns
    -------
    test : GivenTest
        The test.

    Raises
    ------
    TypeError
        If it is not a PermutationCalibration.
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    ValueError
        If it is of other elements, sides or data, or, after step-down, of another level.
    """
    if not isinstance(calibration, PermutationCalibration):
        raise TypeError(
            f"calibration must be a PermutationCalibration. Got {type(calibration).__name__}."
        )
    check_is_fitted(calibration)
    is_tested = ~np.isnan(values)
    p_values = statistic.p_values(values[is_tested])
    n_calibrated = calibration.p_values_.size
    if p_values.size != n_calibrated:
        raise ValueError(
            f"calibration must be of the {p_values.size} elements that are tested in the map. "
            f"Got one of {n_calibrated}."
        )
    # Tails in the scale of a map are not known to be of one side or two if they are p-values.
    if not statistic.is_p and calibration.two_sided_ != statistic.two_sided:
        raise ValueError(
            f"two_sided must be {calibration.two_sided_}, as in the calibration. "
            f"Got {statistic.two_sided}."
        )
    # Those of t, which p-values by rank are not.
    of_t = CorrelationTail(calibration.df_, calibration.two_sided_).of_t(calibration.t_values_)
    differences = np.abs(p_values - of_t)[~calibration.is_constant_]
    if differences.max(initial=0) > _TOLERANCE:
        raise ValueError(
            "calibration must be of the data that the map was computed from. Got p-values that "
            f"differ by up to {differences.max():.2g} from those of the map."
        )
    test = CalibratedTest(calibration.p_values_, calibration.calibration_.at(alpha))
    return GivenTest(test, is_tested)
