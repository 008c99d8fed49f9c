"""Bounds from `Hommel.critical_vector` against closed testing, set by set."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from ari_estimator.closed_testing import Hommel

from ._brute_force import ClosedTest, members
from ._strategies import LOCAL_TESTS, as_floats, families

pytestmark = pytest.mark.parametrize("local_test", LOCAL_TESTS)


def check_every_subset(p, alpha, local_test):
    exact = ClosedTest(p, local_test).bounds(alpha)
    values = as_floats(p)
    vector = Hommel(values, local_test).critical_vector(float(alpha))
    bounds = [vector.true_discoveries(values[members(mask)]) for mask in range(1, 1 << len(p))]
    assert bounds == exact[1:]


@settings(max_examples=150)
@given(family=families(max_size=7))
def test_bound_of_every_subset_equals_closed_testing(local_test, family):
    check_every_subset(*family, local_test)


@settings(max_examples=15)
@given(
    family=families(max_size=10).filter(lambda family: len(family[0]) > 8),
)
def test_bound_of_every_subset_of_a_larger_family_equals_closed_testing(local_test, family):
    check_every_subset(*family, local_test)


@settings(max_examples=150)
@given(family=families(), data=st.data())
def test_bounds_of_a_partition_equal_closed_testing(local_test, family, data):
    p, alpha = family
    values = as_floats(p)
    exact = ClosedTest(p, local_test).bounds(alpha)
    n_labels = data.draw(st.integers(1, 6))
    labels = np.array([data.draw(st.integers(0, n_labels - 1)) for _ in p])
    vector = Hommel(values, local_test).critical_vector(float(alpha))
    expected = [
        exact[sum(1 << int(i) for i in np.flatnonzero(labels == k))] for k in range(n_labels)
    ]
    assert_array_equal(vector.true_discoveries_by_label(values, labels, n_labels), expected)
    # Without n_labels, the labels end at the largest that has members.
    assert_array_equal(
        vector.true_discoveries_by_label(values, labels), expected[: labels.max() + 1]
    )


@settings(max_examples=150)
@given(family=families(), data=st.data())
def test_confidence_curve_is_the_bound_of_every_prefix(local_test, family, data):
    p, alpha = family
    values = as_floats(p)
    exact = ClosedTest(p, local_test).bounds(alpha)
    order = data.draw(st.permutations(range(len(p))))[: data.draw(st.integers(1, len(p)))]
    vector = Hommel(values, local_test).critical_vector(float(alpha))
    expected = [exact[sum(1 << i for i in order[:n])] for n in range(1, len(order) + 1)]
    assert_array_equal(vector.confidence_curve(values, order), expected)
