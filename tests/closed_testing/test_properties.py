"""What holds for the bounds of any family, at sizes that no exhaustive check reaches."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from ari_estimator.closed_testing import Hommel

from ._strategies import LOCAL_TESTS

pytestmark = pytest.mark.parametrize("local_test", LOCAL_TESTS)

LEVELS = st.floats(0.001, 0.999)


@st.composite
def p_values(draw, max_size=200):
    """Draw p-values: small and large ones, some tied, sometimes 0 and 1."""
    size = draw(st.integers(1, max_size))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    p = rng.random(size)
    small = rng.random(size) < draw(st.sampled_from([0.0, 0.1, 0.5, 1.0]))
    p[small] **= draw(st.sampled_from([2, 5, 30]))
    digits = draw(st.sampled_from([2, 3, 300]))
    if digits < 300:
        p = np.round(p, digits)
    # A few values of hypothesis' own choice, which it can shrink.
    # Not below 1e-300: the quotients of such a p-value would lose their precision.
    elements = st.just(0.0) | st.floats(1e-300, 1)
    chosen = draw(arrays(np.float64, st.integers(0, min(size, 5)), elements=elements))
    p[: chosen.size] = chosen
    return p


@settings(max_examples=50)
@given(p=p_values(), alpha=LEVELS, seed=st.integers(0, 2**32))
def test_one_more_element_adds_one_discovery_or_none(local_test, p, alpha, seed):
    vector = Hommel(p, local_test).critical_vector(alpha)
    joining = np.random.default_rng(seed).permutation(p)
    bounds = [vector.true_discoveries(joining[:n]) for n in range(p.size + 1)]
    assert bounds[0] == 0
    assert set(np.diff(bounds)) <= {0, 1}


@settings(max_examples=50)
@given(p=p_values(), alpha=LEVELS, n_labels=st.integers(1, 30), seed=st.integers(0, 2**32))
def test_a_union_has_at_least_the_discoveries_of_its_parts(local_test, p, alpha, n_labels, seed):
    # A possible set of nulls in the union meets each part in a possible set of nulls.
    vector = Hommel(p, local_test).critical_vector(alpha)
    labels = np.random.default_rng(seed).integers(0, n_labels, p.size)
    parts = vector.true_discoveries_by_label(p, labels, n_labels)
    assert parts.sum() <= vector.true_discoveries(p)
    half = labels < n_labels // 2
    assert parts[: n_labels // 2].sum() <= vector.true_discoveries(p[half])


@settings(max_examples=50)
@given(p=p_values(), alpha=LEVELS)
def test_the_bound_of_all_is_what_the_hommel_value_leaves(local_test, p, alpha):
    hommel = Hommel(p, local_test)
    assert 0 <= hommel.value(alpha) <= p.size
    assert hommel.true_discoveries(alpha) == p.size - hommel.value(alpha)
    assert hommel.critical_vector(alpha).true_discoveries(p) == hommel.true_discoveries(alpha)


@settings(max_examples=50)
@given(p=p_values(), levels=st.tuples(LEVELS, LEVELS).map(sorted), seed=st.integers(0, 2**32))
def test_no_bound_shrinks_when_alpha_grows(local_test, p, levels, seed):
    hommel = Hommel(p, local_test)
    strict, lenient = (hommel.critical_vector(alpha) for alpha in levels)
    assert hommel.value(levels[0]) >= hommel.value(levels[1])
    order = np.random.default_rng(seed).permutation(p.size)
    assert (strict.confidence_curve(p, order) <= lenient.confidence_curve(p, order)).all()


@settings(max_examples=50)
@given(p=p_values(), alpha=LEVELS, seed=st.integers(0, 2**32))
def test_the_order_of_the_elements_does_not_matter(local_test, p, alpha, seed):
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(p.size)
    first, second = Hommel(p, local_test), Hommel(p[shuffled], local_test)
    assert_array_equal(second.jumps, first.jumps)
    assert_array_equal(second.adjusted_p_values, first.adjusted_p_values[shuffled])
    assert_array_equal(
        second.critical_vector(alpha).thresholds, first.critical_vector(alpha).thresholds
    )
    subset = rng.integers(0, 2, p.size) == 1
    subset[0] = True
    assert second.set_p_value(subset[shuffled], 0.3) == first.set_p_value(subset, 0.3)
    assert first.critical_vector(alpha).true_discoveries(p[subset]) == second.critical_vector(
        alpha
    ).true_discoveries(p[shuffled][subset[shuffled]])


@settings(max_examples=50)
@given(p=p_values(), levels=st.lists(LEVELS, min_size=2, max_size=4), all_first=st.booleans())
def test_what_was_asked_before_does_not_matter(local_test, p, levels, all_first):
    asked_before = Hommel(p, local_test)
    if all_first:
        _ = asked_before.jumps
    for alpha in levels:
        fresh = Hommel(p, local_test)
        assert asked_before.value(alpha) == fresh.value(alpha)
        assert_array_equal(asked_before.concentration_set(alpha), fresh.concentration_set(alpha))
        assert_array_equal(
            asked_before.critical_vector(alpha).thresholds, fresh.critical_vector(alpha).thresholds
        )


@settings(max_examples=50)
@given(p=p_values(), alpha=LEVELS)
def test_no_p_value_outside_the_concentration_set_adds_to_a_bound(local_test, p, alpha):
    hommel = Hommel(p, local_test)
    size, p_threshold = hommel.concentration_set(alpha)
    vector = hommel.critical_vector(alpha)
    inside = p <= p_threshold  # nothing, where the set is empty and the threshold is NaN
    assert inside.sum() >= size
    assert vector.true_discoveries(p[inside]) == p.size - hommel.value(alpha)
    assert vector.true_discoveries(p[~inside]) == 0
    curve = vector.confidence_curve(p)
    assert (curve[size:] == p.size - hommel.value(alpha)).all()
    assert size == 0 or curve[size - 1] == p.size - hommel.value(alpha)
    joining = np.concatenate([np.flatnonzero(~inside), np.flatnonzero(inside)])
    assert_array_equal(
        vector.confidence_curve(p, joining)[(~inside).sum() :],
        vector.confidence_curve(p[inside], np.arange(inside.sum())),
    )


@settings(max_examples=50)
@given(p=p_values())
def test_adjusted_p_values_are_p_values_of_single_elements(local_test, p):
    hommel = Hommel(p, local_test)
    assert (hommel.adjusted_p_values >= p).all()
    assert (hommel.adjusted_p_values <= 1).all()
    assert (np.diff(hommel.adjusted_p_values[np.argsort(p)]) >= 0).all()
    single = [hommel.set_p_value([i]) for i in range(min(p.size, 20))]
    assert_array_equal(single, hommel.adjusted_p_values[:20])


@settings(max_examples=50)
@given(p=p_values(), percent=st.integers(0, 100), seed=st.integers(0, 2**32))
def test_the_p_value_of_a_set_parts_levels_that_exceed_the_tdp(local_test, p, percent, seed):
    hommel = Hommel(p, local_test)
    subset = np.flatnonzero(np.random.default_rng(seed).integers(0, 2, p.size))
    if subset.size == 0:
        subset = np.arange(p.size)
    p_value = hommel.set_p_value(subset, percent / 100)
    assert 0 <= p_value <= 1
    for alpha in (p_value * (1 - 1e-9), p_value * (1 + 1e-9) + 1e-300):
        if 0 < alpha < 1:
            bound = hommel.critical_vector(alpha).true_discoveries(p[subset])
            assert (100 * bound > percent * subset.size) == (alpha > p_value)


@settings(max_examples=50)
@given(p=p_values())
def test_a_larger_tdp_has_a_larger_p_value(local_test, p):
    hommel = Hommel(p, local_test)
    subset = np.arange((p.size + 1) // 2)
    by_tdp = [hommel.set_p_value(subset, tdp) for tdp in (0, 0.1, 0.3, 0.5, 0.9, 1)]
    assert (np.diff(by_tdp) >= 0).all()
    assert by_tdp[-1] == 1


@settings(max_examples=50)
@given(p=p_values(), alpha=LEVELS)
def test_hommels_test_finds_no_more_than_simes(local_test, p, alpha):
    found = Hommel(p, local_test).critical_vector(alpha).confidence_curve(p)
    assert (Hommel(p, "hommel").critical_vector(alpha).confidence_curve(p) <= found).all()
    assert (found <= Hommel(p, "simes").critical_vector(alpha).confidence_curve(p)).all()


@settings(max_examples=50)
@given(p=p_values())
def test_adjusted_p_values_are_at_most_as_large_as_by_hochberg(local_test, p):
    # Hochberg (1988): min over j >= i of (m - j + 1) * p_(j). Closed testing with Simes'
    # test improves on it; with Hommel's, by at most the harmonic number behind it.
    ascending = np.sort(p)
    multiplied = np.arange(p.size, 0, -1) * ascending
    hochberg = np.minimum.accumulate(multiplied[::-1])[::-1]
    adjusted = np.sort(Hommel(p, local_test).adjusted_p_values)
    worst = 1 if local_test == "simes" else (1 / np.arange(1, p.size + 1)).sum()
    assert (adjusted <= worst * hochberg * (1 + 1e-12)).all()
    assert (adjusted >= np.sort(Hommel(p).adjusted_p_values) * (1 - 1e-12)).all()


@settings(max_examples=50)
@given(p=p_values())
def test_jumps_fall_from_the_largest_p_value_or_above(local_test, p):
    # The set of the largest p-value alone is rejected last by Simes' test; by Hommel's a
    # larger set may be.
    first = Hommel(p, local_test).jumps[0]
    if local_test == "simes":
        assert_allclose(first, p.max(), rtol=1e-12)
    else:
        assert first >= p.max()


def test_a_tdp_that_the_set_just_reaches_is_not_exceeded(local_test):
    # 29 of 100 elements are not more than 0.29 of them, although 0.29 * 100 < 29.
    p = np.linspace(0.001, 0.5, 100) ** 20
    hommel = Hommel(p, local_test)
    everything = np.arange(100)
    reached = np.array([hommel.set_p_value(everything, n / 100) for n in range(100)])
    between = [hommel.set_p_value(everything, (n + 0.5) / 100) for n in range(100)]
    assert_array_equal(reached, between)
    assert (np.diff(reached[:90]) > 0).all()


@settings(max_examples=50)
@given(p=p_values())
def test_adjusted_p_values_follow_from_jumps_and_factors(local_test, p):
    """Each is the smallest of all ``max(s_i q, a_(i+1))``, found by a look at all of them."""
    hommel = Hommel(p, local_test)
    later = np.append(hommel.jumps, 0.0)
    factors = np.insert(hommel.factors, 0, 0.0)
    expected = np.maximum(factors * p[:, None], later).min(axis=1)
    assert_array_equal(hommel.adjusted_p_values, expected)
    if not p.all():
        signed = np.where(p == 0, -0.0, p)
        assert_array_equal(Hommel(signed, local_test).adjusted_p_values, expected)
