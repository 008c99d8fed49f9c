"""Data of whole numbers, whose p-values are equal in many draws except for rounding."""

from itertools import product

import numpy as np
import pytest

from ari_estimator import PermutationCalibration
from ari_estimator.closed_testing import SimesTemplate

ALPHA = 0.25
FLIPS = np.array(list(product([1, -1], repeat=5)))


# Without room for rounding, the error with these seeds is 0.28 to 0.31.
@pytest.mark.parametrize("seed", [30, 94, 117])
@pytest.mark.parametrize(
    "template", ["simes", ["simes", SimesTemplate(3, delta=1)]], ids=["simes", "joint"]
)
def test_the_error_over_all_flips_of_the_noise_is_at_most_alpha(seed, template):
    noise = np.round(np.random.default_rng(seed).standard_normal((5, 3)) * 1.5)
    n_errors = 0
    for flips in FLIPS:
        data = noise * flips[:, np.newaxis]
        data[:, 0] += 9  # active
        calibration = PermutationCalibration(template, n_permutations=32, random_state=0)
        calibration.fit(data, alpha=ALPHA)
        inactive = calibration.p_values_[1:]
        n_errors += calibration.critical_vector_.true_discoveries(inactive) > 0
    assert n_errors / len(FLIPS) <= ALPHA


def test_sets_have_p_values_that_agree_with_their_bounds():
    rng = np.random.default_rng(30)
    noise = np.round(rng.standard_normal((5, 3)) * 1.5)
    noise[:, 0] += 9
    calibration = PermutationCalibration(n_permutations=32, random_state=0).fit(noise, alpha=ALPHA)
    from ari_estimator.closed_testing import CalibratedTest

    test = CalibratedTest(calibration.p_values_, calibration.calibration_)
    for level in (0.1, 0.25, 0.5):
        for subset in ([0], [1], [2], [0, 1], [1, 2], [0, 1, 2]):
            bound = test.bounds(level).of_set(subset)
            assert (test.set_p_value(subset) <= level) == (bound > 0)
