"""P-values of sets after calibration, against the bounds that they belong to."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from ari_estimator.closed_testing import CalibratedTest, calibrate

from ._strategies import problems


def smallest_level(calibration, p_values, tdp):
    """Return the smallest j / B at which the bound of a set is above a share; 1 if none is."""
    n_permutations = calibration.n_permutations
    for j in range(1, n_permutations):
        vector = calibration.at(j / n_permutations).critical_vector
        share = Fraction(tdp).limit_denominator(10**6) if tdp else 0
        if vector.true_discoveries(p_values) > share * len(p_values):
            return j / n_permutations
    return 1.0


@settings(max_examples=200)
@given(
    problem=problems(largest=8), tdp=st.sampled_from([0, 0.1, 0.25, 0.5, 0.9, 1]), data=st.data()
)
def test_p_value_is_the_smallest_level_at_which_the_bound_is_above(problem, tdp, data):
    p, alpha, template = problem
    calibration = calibrate(p, alpha, template=template)
    test = CalibratedTest(p[0], calibration)
    indices = st.lists(st.integers(0, p.shape[1] - 1), min_size=1, unique=True)
    for _ in range(3):
        subset = data.draw(indices)
        expected = smallest_level(calibration, p[0, subset], tdp)
        assert test.set_p_value(subset, tdp) == expected


@settings(max_examples=100)
@given(problem=problems(), data=st.data())
def test_p_values_are_no_smaller_than_one_permutation_and_fall_with_the_share(problem, data):
    p, alpha, template = problem
    test = CalibratedTest(p[0], calibrate(p, alpha, template=template))
    subset = data.draw(st.lists(st.integers(0, p.shape[1] - 1), min_size=1, unique=True))
    p_values = [test.set_p_value(subset, tdp) for tdp in (0, 0.3, 0.6, 1)]
    assert p_values[0] >= 1 / len(p)
    assert p_values == sorted(p_values)
    assert p_values[-1] == 1


def test_p_values_after_step_down_come_from_its_first_step():
    p = np.random.default_rng(0).random((50, 30))
    p[0, :3] = [0, 1e-9, 2e-3]
    stepped, single = (calibrate(p, 0.1, step_down=enabled) for enabled in (True, False))
    assert stepped.n_steps > 1
    labels = np.arange(30) // 3
    expected = CalibratedTest(p[0], single).set_p_values_by_label(labels)
    test = CalibratedTest(p[0], stepped)
    assert_array_equal(test.set_p_values_by_label(labels), expected)
    assert test.critical_vector(0.1) is stepped.critical_vector
    with pytest.raises(ValueError, match="after step-down, which excludes other elements"):
        test.critical_vector(0.05)


def test_critical_vectors_come_from_the_calibration():
    p = np.random.default_rng(0).random((50, 30))
    calibration = calibrate(p, 0.1)
    test = CalibratedTest(p[0], calibration)
    assert test.critical_vector(0.1) is calibration.critical_vector
    expected = calibrate(p, 0.05).critical_vector.thresholds
    assert_array_equal(test.critical_vector().thresholds, expected)
    assert_array_equal(test.critical_vector(0.05).thresholds, expected)


def test_repr_tells_the_calibration():
    p = np.random.default_rng(0).random((50, 5))
    calibration = calibrate(p)
    assert repr(CalibratedTest(p[0], calibration)) == f"CalibratedTest({calibration!r})"


def test_p_values_of_another_number_are_refused():
    p = np.random.default_rng(0).random((50, 5))
    with pytest.raises(ValueError, match=r"p_values must be 5 numbers, .* Got 4"):
        CalibratedTest(p[0, :4], calibrate(p))
