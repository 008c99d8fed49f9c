"""Bounds of sets that are within each other, against the bound of each set by itself."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ari_estimator.closed_testing import CriticalVector, Hommel

from ._brute_force import ClosedTest
from ._strategies import LOCAL_TESTS, THRESHOLDS, VALUES, as_floats, families


@st.composite
def nested_starts(draw, n):
    """Draw where sets start: each takes in as many of the last sets before it as drawn."""
    outermost, starts = [], []
    for i in range(n):
        n_parts = draw(st.integers(0, len(outermost)))
        start = i
        for _ in range(n_parts):
            start = outermost.pop()
        outermost.append(start)
        starts.append(start)
    return np.array(starts, dtype=int)


def one_by_one(vector, p_values, starts):
    ranges = [p_values[start : i + 1] for i, start in enumerate(starts)]
    return [vector.true_discoveries(members) for members in ranges]


@given(st.data(), THRESHOLDS)
@settings(max_examples=200)
def test_bounds_equal_the_bound_of_each_set_by_itself(data, thresholds):
    p_values = np.array(data.draw(st.lists(VALUES, max_size=30)))
    starts = data.draw(nested_starts(p_values.size))
    vector = CriticalVector(thresholds)
    bounds = vector.true_discoveries_of_nested(p_values, starts)
    assert bounds.dtype == np.int32
    assert bounds.tolist() == one_by_one(vector, p_values, starts)


@pytest.mark.parametrize("local_test", LOCAL_TESTS)
def test_bounds_equal_closed_testing(local_test):
    @given(st.data(), families(max_size=6))
    @settings(max_examples=60)
    def check(data, family_and_alpha):
        family, alpha = family_and_alpha
        starts = data.draw(nested_starts(len(family)))
        p_values = as_floats(family)
        vector = Hommel(p_values, local_test=local_test).critical_vector(float(alpha))
        expected = ClosedTest(family, local_test).bounds(Fraction(alpha))
        masks = [(1 << (i + 1)) - (1 << int(start)) for i, start in enumerate(starts)]
        found = vector.true_discoveries_of_nested(p_values, starts).tolist()
        assert found == [expected[mask] for mask in masks]

    check()


@pytest.mark.parametrize("seed", range(6))
def test_bounds_of_many_sets_equal_the_bound_of_each_by_itself(seed):
    rng = np.random.default_rng(seed)
    p_values = rng.random(600) ** rng.choice([1, 4])
    outermost, starts = [], []
    for i in range(p_values.size):
        start = i
        for _ in range(min(len(outermost), int(rng.choice([0, 1, 1, 2, 5])))):
            start = outermost.pop()
        outermost.append(start)
        starts.append(start)
    vector = CriticalVector(np.sort(rng.random(300)) * rng.choice([0.05, 0.5]))
    bounds = vector.true_discoveries_of_nested(p_values, np.array(starts, dtype=np.int32))
    assert bounds.tolist() == one_by_one(vector, p_values, starts)


@pytest.mark.parametrize(
    "starts",
    [[0], [0, 2], [-1, 0], [0.0, 0.0], [[0, 0]], [True, True]],
    ids=["too few", "after the position", "negative", "floats", "two-dimensional", "booleans"],
)
def test_starts_that_are_not_a_position_for_each_p_value_are_refused(starts):
    with pytest.raises(ValueError, match=r"starts must be integers of shape \(2,\)"):
        CriticalVector([0.1]).true_discoveries_of_nested([0.1, 0.2], starts)


@pytest.mark.parametrize("p", [-0.1, 1.1, np.nan])
def test_p_values_outside_0_to_1_are_refused(p):
    with pytest.raises(ValueError, match="p_values"):
        CriticalVector([0.1]).true_discoveries_of_nested([p], [0])
