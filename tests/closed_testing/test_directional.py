"""Bounds on positive and on negative effects at once: exact, and the same through every door."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.special import ndtr

from ari_estimator.closed_testing import (
    CalibratedTest,
    CriticalVectorBounds,
    DirectionalTest,
    Hommel,
    calibrate,
)
from ari_estimator.closed_testing._two_sided import check_two_sided

from ._brute_force import ClosedTest, members
from ._strategies import LOCAL_TESTS, as_floats, families

SIDES = {"positive": 1, "negative": -1}


@st.composite
def signed_families(draw, max_size=7):
    """Draw two-sided p-values as fractions, their signs and a level."""
    p_values, alpha = draw(families(max_size))
    # Mostly effects of one sign, as in brain maps; an observed effect may be exactly 0.
    signs = draw(
        st.lists(st.sampled_from([1, 1, 1, -1, -1, 0]), min_size=len(p_values)).map(
            lambda drawn: drawn[: len(p_values)]
        )
    )
    p_values = [p if sign else Fraction(1) for p, sign in zip(p_values, signs, strict=True)]
    return p_values, signs, alpha


def by_definition(p_values, signs, local_test):
    """Return closed testing of each side by its definition, from one-sided p-values."""
    return {
        side: ClosedTest(
            [
                p / 2 if sign == wanted else 1 - p / 2
                for p, sign in zip(p_values, signs, strict=True)
            ],
            local_test,
        )
        for side, wanted in SIDES.items()
    }


def made(p_values, signs, local_test="simes"):
    return DirectionalTest.of_two_sided(
        as_floats(p_values), signs, lambda p: Hommel.of_valid(p, local_test)
    )


@settings(max_examples=40)
@given(family=signed_families(), local_test=st.sampled_from(LOCAL_TESTS))
def test_all_sets_have_the_bounds_of_closed_testing_on_both_sides(family, local_test):
    p_values, signs, alpha = family
    wanted = {
        side: closed.bounds(alpha / 2)
        for side, closed in by_definition(p_values, signs, local_test).items()
    }
    bounds = made(p_values, signs, local_test).bounds(float(alpha))
    for mask in range(1 << len(p_values)):
        subset = np.array(members(mask), dtype=int)
        found = {side: one.of_set(subset) for side, one in bounds.sides.items()}
        assert found == {side: of_all[mask] for side, of_all in wanted.items()}
        assert bounds.of_set(subset) == sum(found.values()) <= subset.size


@settings(max_examples=15)
@given(
    family=signed_families(max_size=5),
    local_test=st.sampled_from(LOCAL_TESTS),
    tdp=st.sampled_from([Fraction(0), Fraction(1, 3), Fraction(1, 2), Fraction(9, 10)]),
)
def test_p_value_of_a_set_is_the_smallest_level_with_enough_discoveries(family, local_test, tdp):
    p_values, signs, _ = family
    sides = by_definition(p_values, signs, local_test)
    levels = sorted(
        {
            2 * closed.adjusted_p_value(mask)
            for closed in sides.values()
            for mask in range(1, 1 << len(p_values))
        }
    )
    test = made(p_values, signs, local_test)
    sums = {
        level: [
            sum(of_set)
            for of_set in zip(*(c.bounds(level / 2) for c in sides.values()), strict=True)
        ]
        for level in levels
        if level < 1
    }
    for mask in range(1, 1 << len(p_values)):
        allowed = int(tdp * mask.bit_count())
        wanted = next((level for level, found in sums.items() if found[mask] > allowed), 1)
        assert test.set_p_value(members(mask), float(tdp)) == pytest.approx(
            float(wanted), rel=1e-12
        )


def random_test(seed, *, calibrated, n=60, effect=3.0):
    """Return a test of normal values, with effects of both signs."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((200, n))
    z[0, :15] += effect
    z[0, 15:25] -= effect
    if calibrated:
        positive, negative = (CalibratedTest(p[0], calibrate(p, 0.05)) for p in (ndtr(-z), ndtr(z)))
        return DirectionalTest(positive, negative)
    return DirectionalTest.of_two_sided(2 * ndtr(-np.abs(z[0])), np.sign(z[0]))


@pytest.mark.parametrize("calibrated", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_partitions_nested_sets_and_orders_agree_with_single_sets(calibrated, seed):
    test = random_test(seed, calibrated=calibrated)
    bounds = test.bounds(0.1)
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 6, test.n_elements)
    of_sets = [bounds.of_set(labels == label) for label in range(6)]
    assert_array_equal(bounds.by_label(labels, 6), of_sets)
    for by_side in bounds.sides.values():
        assert_array_equal(
            by_side.by_label(labels), [by_side.of_set(labels == label) for label in range(6)]
        )
    order = rng.permutation(test.n_elements)
    along = [bounds.of_set(order[:k]) for k in range(1, order.size + 1)]
    assert_array_equal(bounds.along(order), along)
    assert_array_equal(bounds.of_nested(order, np.zeros(order.size, dtype=int)), along)
    p_values = test.set_p_values_by_label(labels, 6, tdp=0.2)
    assert_array_equal(p_values, [test.set_p_value(labels == label, 0.2) for label in range(6)])
    # An element that adds nothing may be left out.
    rest = ~bounds.contributing()
    assert bounds.of_set(rest) == 0
    assert bounds.of_set(~rest) == bounds.of_set() > 0


@pytest.mark.parametrize("calibrated", [False, True])
def test_a_set_of_one_sign_has_the_bound_of_its_side_at_half_the_level(calibrated):
    test = random_test(0, calibrated=calibrated)
    for side, sign in SIDES.items():
        own = getattr(test, side)
        half = CriticalVectorBounds(own.p_values, own.critical_vector(0.05))
        subset = np.flatnonzero(test.signs == sign)
        assert test.bounds(0.1).of_set(subset) == half.of_set(subset) > 0
        assert test.set_p_value(subset, 0.3) == min(1, 2 * own.set_p_value(subset, 0.3))


def test_no_element_counts_on_both_sides_even_where_thresholds_are_above_one_half():
    # These few draws allow thresholds up to 0.95.
    p = np.array([[0.1, 0.9, 0.5], [0.95, 0.95, 0.95], [0.95, 0.95, 0.95]])
    sides = [CalibratedTest(q[0], calibrate(q, 0.45)) for q in (p, p[:, [1, 0, 2]])]
    assert sides[0].critical_vector(0.45).thresholds[-1] > 0.9
    test = DirectionalTest(*sides, signs=[1, -1, 0])
    bounds = test.bounds(0.9)
    for mask in range(1, 8):
        subset = np.array(members(mask))
        assert bounds.of_set(subset) <= (test.signs[subset] != 0).sum()


def test_monte_carlo_bounds_surround_the_bounds_of_both_sides():
    test = random_test(1, calibrated=True)
    low, high = test.monte_carlo_bounds(0.1)
    middle = test.bounds(0.1)
    for side in SIDES:
        assert low.sides[side].of_set() <= middle.sides[side].of_set() <= high.sides[side].of_set()
    assert low.of_set() == sum(one.of_set() for one in low.sides.values())
    assert random_test(1, calibrated=False).monte_carlo_bounds(0.1) is None


@pytest.mark.parametrize("calibrated", [False, True])
def test_restored_from_arrays(calibrated):
    test = random_test(2, calibrated=calibrated)
    arrays = {name: np.asarray(value) for name, value in test.to_arrays().items()}
    again = DirectionalTest.from_arrays(arrays, test.p_values)
    assert again.describe(0.1) == test.describe(0.1)
    assert_array_equal(again.p_values, test.p_values)
    assert again.bounds(0.1).of_set() == test.bounds(0.1).of_set()
    for change, match in [
        ({"positive_kind": np.asarray("directional")}, "the test .positive. must be one of"),
        ({"signs": np.full(test.n_elements, 2)}, "signs must be"),
        ({"signs": np.zeros(3, dtype=np.int8)}, "signs"),
    ]:
        with pytest.raises(ValueError, match=match):
            DirectionalTest.from_arrays(arrays | change, test.p_values)


def test_description_names_both_signs_and_their_level():
    parametric = random_test(0, calibrated=False).describe(0.1)
    assert "0.05" in parametric["sentence"]
    assert parametric["name"].startswith("Simes tests")
    assert set(parametric["values"]["TrueDiscoveriesBySign"]) == set(SIDES)
    calibrated = random_test(0, calibrated=True).describe(0.1)
    assert calibrated["kind"] == "calibrated"
    assert calibrated["values"]["BySign"]["positive"]["Lambda"] > 0
    assert "Lambda" not in calibrated["values"]  # no number of one side for both
    assert "Negative effects: " in calibrated["sentence"]


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ((Hommel([0.1]), Hommel([0.1, 0.2])), "negative must have 1"),
        ((Hommel([0.1]), Hommel([0.9]), [2]), "signs must be 1"),
        ((Hommel([0.1]), Hommel([0.9]), [1, 1]), "signs must be 1"),
    ],
)
def test_sides_that_do_not_fit_are_refused(arguments, match):
    with pytest.raises(ValueError, match=match):
        DirectionalTest(*arguments)


@pytest.mark.parametrize("subset", [[], [0, 0]])
def test_empty_and_repeated_sets_are_refused(subset):
    with pytest.raises(ValueError, match="subset"):
        random_test(0, calibrated=False).set_p_value(subset)


@pytest.mark.parametrize("value", [True, False, np.True_, "directional"])
def test_sides_a_parameter_may_ask_for(value):
    assert check_two_sided(value) == value
    assert type(check_two_sided(value)) in (bool, str)


@pytest.mark.parametrize("value", [1, None, "both", "Directional", 0.0, ["directional"]])
def test_other_sides_are_refused_by_name(value):
    with pytest.raises(TypeError, match=r"two_sided must be True or False, or 'directional'\. Got"):
        check_two_sided(value)
