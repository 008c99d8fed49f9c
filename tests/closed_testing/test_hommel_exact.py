"""`Hommel` against closed testing by its definition, on families small enough for it."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from ari_estimator.closed_testing import Hommel

from ._brute_force import ClosedTest, members
from ._strategies import LOCAL_TESTS, alphas, as_floats, families

pytestmark = pytest.mark.parametrize("local_test", LOCAL_TESTS)

TDPS = [Fraction(k, n) for n in (1, 2, 3, 5, 7, 10) for k in range(n + 1)]


def fractions(*texts):
    return [Fraction(text) for text in texts]


# h = 2, and the second p-value lies on the first threshold of Simes' test, alpha / 2.
TIE_IN_CONCENTRATION = (fractions("0.001", "0.025", "0.03", "0.9"), Fraction("0.05"))


@settings(max_examples=300)
@given(family=families())
@example(family=(fractions("0.01", "0.02", "0.03", "0.04", "0.05"), Fraction("0.05")))
@example(family=(fractions("0.06", "0.07", "0.14"), Fraction("0.21")))
def test_value_and_bound_of_all_equal_closed_testing(local_test, family):
    p, alpha = family
    exact = ClosedTest(p, local_test)
    hommel = Hommel(as_floats(p), local_test)
    h, bound = hommel.value(float(alpha)), hommel.true_discoveries(float(alpha))
    assert type(h) is type(bound) is int
    assert h == exact.hommel_value(alpha)
    assert bound == exact.bounds(alpha)[exact.everything]


@settings(max_examples=20)
@given(family=families(max_size=4), alpha_list=st.lists(alphas(), min_size=2, max_size=6))
def test_one_object_answers_for_many_levels_in_any_order(local_test, family, alpha_list):
    p, _ = family
    exact = ClosedTest(p, local_test)
    hommel = Hommel(as_floats(p), local_test)
    answers = [hommel.value(float(alpha)) for alpha in alpha_list + alpha_list[::-1]]
    assert answers == [exact.hommel_value(alpha) for alpha in alpha_list + alpha_list[::-1]]


@settings(max_examples=120)
@given(family=families())
def test_jumps_are_the_levels_at_which_the_value_falls(local_test, family):
    p, alpha = family
    exact = ClosedTest(p, local_test)
    jumps = [exact.jump(size) for size in range(1, len(p) + 1)]
    hommel = Hommel(as_floats(p), local_test)
    assert_allclose(hommel.jumps, as_floats(jumps), rtol=1e-12, atol=0)
    assert (np.diff(hommel.jumps) <= 0).all()
    # At each level the value belongs to the largest jump above it, and at a jump itself
    # the value has fallen already.
    levels = [alpha] + [jump for jump in jumps if 0 < jump < 1]
    for level in levels:
        above = [size for size, jump in enumerate(jumps, start=1) if jump > level]
        assert exact.hommel_value(level) == max(above, default=0)
    if alpha not in jumps:
        above = np.flatnonzero(hommel.jumps > float(alpha)) + 1
        assert hommel.value(float(alpha)) == above.max(initial=0)


@settings(max_examples=120)
@given(family=families())
def test_adjusted_p_value_is_the_smallest_level_that_rejects(local_test, family):
    p, _ = family
    exact = ClosedTest(p, local_test)
    expected = [exact.adjusted_p_value(1 << i) for i in range(len(p))]
    adjusted = Hommel(as_floats(p), local_test).adjusted_p_values
    assert_allclose(adjusted, as_floats(expected), rtol=1e-12, atol=0)


@settings(max_examples=60)
@given(family=families(max_size=7))
def test_p_value_of_every_set_is_the_smallest_level_that_rejects(local_test, family):
    p, _ = family
    exact = ClosedTest(p, local_test)
    hommel = Hommel(as_floats(p), local_test)
    masks = range(1, exact.everything + 1)
    expected = [exact.adjusted_p_value(mask) for mask in masks]
    assert_allclose(
        [hommel.set_p_value(members(mask)) for mask in masks],
        as_floats(expected),
        rtol=1e-12,
        atol=0,
    )


@settings(max_examples=60)
@given(family=families(max_size=7), tdp=st.sampled_from(TDPS))
def test_p_value_for_a_tdp_is_the_smallest_level_with_a_larger_bound(local_test, family, tdp):
    p, alpha = family
    exact = ClosedTest(p, local_test)
    hommel = Hommel(as_floats(p), local_test)
    masks = range(1, exact.everything + 1)
    expected = [exact.set_p_value(mask, tdp) for mask in masks]
    assert_allclose(
        [hommel.set_p_value(members(mask), float(tdp)) for mask in masks],
        as_floats(expected),
        rtol=1e-12,
        atol=0,
    )
    # The exact p-value itself means what it says.
    for bound, mask in zip(exact.bounds(alpha)[1:], masks, strict=True):
        exceeded = bound > tdp * exact.sizes[mask]
        assert exceeded == (tdp < 1 and expected[mask - 1] <= alpha)


@settings(max_examples=120)
@given(family=families())
def test_concentration_set_holds_all_that_adds_to_a_bound(local_test, family):
    p, alpha = family
    exact = ClosedTest(p, local_test)
    bounds = exact.bounds(alpha)
    size, p_threshold = Hommel(as_floats(p), local_test).concentration_set(float(alpha))
    inside = 0
    if size:
        assert p_threshold == sorted(as_floats(p))[size - 1]
        inside = sum(1 << i for i, value in enumerate(as_floats(p)) if value <= p_threshold)
    else:
        assert np.isnan(p_threshold)
    for mask in range(exact.everything + 1):
        assert bounds[mask] == bounds[mask & inside]


@settings(max_examples=120)
@given(family=families())
@example(family=TIE_IN_CONCENTRATION)
def test_concentration_set_is_the_smallest_that_has_all_discoveries(local_test, family):
    p, alpha = family
    exact = ClosedTest(p, local_test)
    bounds = exact.bounds(alpha)
    smallest = [0]
    for i in np.argsort(as_floats(p), kind="stable"):
        smallest.append(smallest[-1] | 1 << int(i))
    sizes = [mask.bit_count() for mask in smallest if bounds[mask] == bounds[exact.everything]]
    assert Hommel(as_floats(p), local_test).concentration_set(float(alpha)).size == min(sizes)


def test_worked_example(local_test):
    # By hand: {1, 2, 3} has min(0.03, 0.03, 0.9) by Simes, times 11 / 6 by Hommel.
    hommel = Hommel([0.01, 0.02, 0.9], local_test)
    expected = {"simes": (1, 2, [0.03, 0.04, 0.9]), "hommel": (3, 0, [0.055, 0.06, 0.9])}
    h, n_discoveries, adjusted = expected[local_test]
    assert hommel.value(0.05) == h
    assert hommel.true_discoveries(0.05) == n_discoveries
    assert_allclose(hommel.adjusted_p_values, adjusted, rtol=1e-14)
