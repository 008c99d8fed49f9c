"""P-values of sets after calibration, against the bounds that they belong to."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from ari_estimator.closed_testing import CalibratedTest, Hommel, SimultaneousTest, calibrate

from .test_calibration import problems

TDPS = st.sampled_from([0, 0.1, 1 / 3, 0.5, 0.9, 1]) | st.floats(0, 1)


def smallest_level(calibration, p_values, tdp):
    """Return the smallest j / B at which the bound of a set is above a share; 1 if none is."""
    n_permutations = calibration.n_permutations
    for j in range(1, n_permutations):
        vector = calibration.at(j / n_permutations).critical_vector
        share = Fraction(tdp).limit_denominator(10**6) if tdp else 0
        if vector.true_discoveries(p_values) > share * len(p_values):
            return j / n_permutations
    return 1.0


@settings(deadline=None, max_examples=200)
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


@settings(deadline=None, max_examples=200)
@given(problem=problems(), tdp=TDPS, n_labels=st.integers(1, 6), seed=st.integers(0, 99))
def test_the_sets_of_a_partition_have_their_own_p_values(problem, tdp, n_labels, seed):
    p, alpha, template = problem
    test = CalibratedTest(p[0], calibrate(p, alpha, template=template))
    labels = np.random.default_rng(seed).integers(0, n_labels, p.shape[1])
    sets = [np.flatnonzero(labels == k) for k in range(n_labels)]
    expected = [test.set_p_value(members, tdp) if members.size else np.nan for members in sets]
    by_label = test.set_p_values_by_label(labels, n_labels, tdp=tdp)
    assert by_label.dtype == np.float64
    assert_array_equal(by_label, expected)
    # Sets that overlap, in any order.
    subset = np.r_[np.arange(p.shape[1]), np.arange(p.shape[1])]
    both = np.r_[labels, np.full(labels.size, n_labels)]
    shuffled = np.random.default_rng(seed).permutation(subset.size)
    by_label = test.set_p_values_by_label(both[shuffled], subset=subset[shuffled], tdp=tdp)
    assert_array_equal(by_label, [*expected, test.set_p_value(subset[: labels.size], tdp)])


@settings(deadline=None, max_examples=100)
@given(problem=problems(), data=st.data())
def test_p_values_are_no_smaller_than_one_permutation_and_fall_with_the_share(problem, data):
    p, alpha, template = problem
    test = CalibratedTest(p[0], calibrate(p, alpha, template=template))
    subset = data.draw(st.lists(st.integers(0, p.shape[1] - 1), min_size=1, unique=True))
    p_values = [test.set_p_value(subset, tdp) for tdp in (0, 0.3, 0.6, 1)]
    assert p_values[0] >= 1 / len(p)
    assert p_values == sorted(p_values)
    assert p_values[-1] == 1


def test_p_values_after_step_down_are_those_of_its_first_step():
    p = np.random.default_rng(0).random((50, 30))
    p[0, :3] = [0, 1e-9, 2e-3]
    stepped, single = (calibrate(p, 0.1, step_down=enabled) for enabled in (True, False))
    assert stepped.n_steps > 1
    labels = np.arange(30) // 3
    expected = CalibratedTest(p[0], single).set_p_values_by_label(labels)
    test = CalibratedTest(p[0], stepped)
    assert_array_equal(test.set_p_values_by_label(labels), expected)
    assert test.critical_vector(0.1) is stepped.critical_vector
    with pytest.raises(ValueError, match="at which step-down left some elements out"):
        test.critical_vector(0.05)


def test_critical_vectors_are_those_of_the_calibration():
    p = np.random.default_rng(0).random((50, 30))
    calibration = calibrate(p, 0.1)
    test = CalibratedTest(p[0], calibration)
    assert test.critical_vector(0.1) is calibration.critical_vector
    expected = calibrate(p, 0.05).critical_vector.thresholds
    assert_array_equal(test.critical_vector().thresholds, expected)
    assert_array_equal(test.critical_vector(0.05).thresholds, expected)


def test_both_kinds_of_tests_can_be_asked_for_the_same():
    def asked(test: SimultaneousTest) -> list[object]:
        return [
            test.n_elements,
            test.p_values.shape,
            test.critical_vector(0.1).true_discoveries(test.p_values),
            test.set_p_value([0, 1], tdp=0.5),
            test.set_p_values_by_label([0] * 30, 1, subset=None, tdp=0.0).shape,
        ]

    p = np.random.default_rng(0).random((50, 30))
    p[0] = 0.9
    p[0, :2] = 1e-9
    assert asked(CalibratedTest(p[0], calibrate(p, 0.1)))[:3] == [30, (30,), 2]
    assert asked(Hommel(p[0]))[:3] == [30, (30,), 2]


def test_an_empty_set_has_no_p_value():
    p = np.random.default_rng(0).random((50, 5))
    test = CalibratedTest(p[0], calibrate(p))
    by_label = test.set_p_values_by_label([1, 1, 3, 3, 3], 6)
    assert_array_equal(np.isnan(by_label), [True, False, True, False, True, True])
    assert_array_equal(test.set_p_values_by_label([], 2, subset=[]), [np.nan, np.nan])
    with pytest.raises(ValueError, match="subset is empty"):
        test.set_p_value([])


def test_a_subset_may_be_a_mask_or_count_from_the_end():
    p = np.random.default_rng(0).random((50, 5))
    test = CalibratedTest(p[0], calibrate(p))
    assert test.set_p_value([True, False, True, False, False]) == test.set_p_value([0, -3])


def test_p_values_changed_afterwards_change_nothing():
    p = np.random.default_rng(0).random((50, 5))
    p[0, 0] = 0
    test = CalibratedTest(p[0], calibrate(p))
    p[0] = 1
    assert test.set_p_value([0]) == 0.02


def test_repr_tells_the_calibration():
    p = np.random.default_rng(0).random((50, 5))
    calibration = calibrate(p)
    assert repr(CalibratedTest(p[0], calibration)) == f"CalibratedTest({calibration!r})"


def test_p_values_of_another_number_are_refused():
    p = np.random.default_rng(0).random((50, 5))
    with pytest.raises(ValueError, match=r"p_values must be 5 numbers, .* Got 4"):
        CalibratedTest(p[0, :4], calibrate(p))


@pytest.mark.parametrize("values", [[np.nan] * 5, [1.5] * 5, [[0.5] * 5], ["a"] * 5])
def test_p_values_that_are_none_are_refused(values):
    p = np.random.default_rng(0).random((50, 5))
    with pytest.raises(ValueError, match="p_values must"):
        CalibratedTest(values, calibrate(p))


@pytest.mark.parametrize("tdp", [-0.1, 1.1, np.nan])
def test_a_tdp_outside_zero_and_one_is_refused(tdp):
    p = np.random.default_rng(0).random((50, 5))
    test = CalibratedTest(p[0], calibrate(p))
    with pytest.raises(ValueError, match=r"tdp must be in \[0, 1\]"):
        test.set_p_value([0], tdp)
    with pytest.raises(ValueError, match=r"tdp must be in \[0, 1\]"):
        test.set_p_values_by_label([0] * 5, tdp=tdp)


def test_sets_that_are_not_of_the_family_are_refused():
    p = np.random.default_rng(0).random((50, 5))
    test = CalibratedTest(p[0], calibrate(p))
    with pytest.raises(IndexError, match="subset must hold indices of 5 elements"):
        test.set_p_value([5])
    with pytest.raises(ValueError, match="labels must be integers"):
        test.set_p_values_by_label([0, 1])
    with pytest.raises(ValueError, match="twice with the same label"):
        test.set_p_values_by_label([0, 0], subset=[1, 1])
