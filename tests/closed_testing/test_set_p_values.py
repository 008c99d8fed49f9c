"""P-values of many sets at once: those of `set_p_value`, set by set, to the last bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from ari_estimator.closed_testing import Hommel

from ._strategies import LOCAL_TESTS

P_VALUES = [0.001, 0.002, 0.04, 0.3, 0.9]

# 0.29 * 100 is below 29 in doubles; 1 - 0.95 is no short fraction.
TDPS = st.sampled_from([0, 0.1, 0.29, 1 / 3, 0.5, 1 - 0.95, 0.99, 1]) | st.floats(0, 1)


@st.composite
def families(draw):
    """Draw p-values, with ties on a coarse grid, zeros and ones."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    p = rng.random(draw(st.integers(1, 120))) ** draw(st.sampled_from([1, 3, 20]))
    return np.round(p, draw(st.sampled_from([1, 3, 300])))


def one_by_one(hommel, sets, tdp):
    return [hommel.set_p_value(subset, tdp) if len(subset) else np.nan for subset in sets]


@pytest.mark.parametrize("local_test", LOCAL_TESTS)
@settings(deadline=None, max_examples=100)
@given(p=families(), tdp=TDPS, n_labels=st.integers(1, 30), seed=st.integers(0, 2**32))
def test_the_sets_of_a_partition_have_their_own_p_values(local_test, p, tdp, n_labels, seed):
    hommel = Hommel(p, local_test)
    labels = np.random.default_rng(seed).integers(0, n_labels, p.size)
    sets = [np.flatnonzero(labels == k) for k in range(n_labels)]
    by_label = hommel.set_p_values_by_label(labels, n_labels, tdp=tdp)
    assert by_label.dtype == np.float64
    assert_array_equal(by_label, one_by_one(hommel, sets, tdp))


@pytest.mark.parametrize("local_test", LOCAL_TESTS)
@settings(deadline=None, max_examples=100)
@given(p=families(), tdp=TDPS, data=st.data())
def test_sets_that_overlap_have_their_own_p_values(local_test, p, tdp, data):
    hommel = Hommel(p, local_test)
    members = st.lists(st.integers(0, p.size - 1), unique=True, max_size=20)
    sets = data.draw(st.lists(members, max_size=8))
    subset = np.array([i for members in sets for i in members], dtype=int)
    labels = np.repeat(np.arange(len(sets)), [len(members) for members in sets])
    shuffled = np.random.default_rng(data.draw(st.integers(0, 99))).permutation(subset.size)
    by_label = hommel.set_p_values_by_label(
        labels[shuffled], len(sets), subset=subset[shuffled], tdp=tdp
    )
    assert_array_equal(by_label, one_by_one(hommel, sets, tdp))


def test_a_set_of_thousands_among_small_ones_has_its_own_p_value():
    rng = np.random.default_rng(0)
    p = rng.random(20_000) ** 3
    labels = np.where(rng.random(p.size) < 0.6, 0, rng.integers(1, 300, p.size))
    hommel = Hommel(p)
    sets = [np.flatnonzero(labels == k) for k in range(300)]
    assert_array_equal(hommel.set_p_values_by_label(labels, tdp=0.1), one_by_one(hommel, sets, 0.1))


def test_an_empty_set_has_no_p_value():
    hommel = Hommel(P_VALUES)
    by_label = hommel.set_p_values_by_label([1, 1, 3, 3, 3], 6)
    assert_array_equal(np.isnan(by_label), [True, False, True, False, True, True])
    assert_array_equal(hommel.set_p_values_by_label([], 2, subset=[]), [np.nan, np.nan])
    assert hommel.set_p_values_by_label([], subset=[]).shape == (0,)
    assert_array_equal(hommel.set_p_values_by_label([0, 0, 0, 0, 0], 2, tdp=1), [1.0, np.nan])


def test_a_subset_may_be_a_mask_or_count_from_the_end():
    hommel = Hommel(P_VALUES)
    expected = [hommel.set_p_value([0, 4]), hommel.set_p_value([2])]
    mask = np.array([True, False, True, False, True])
    assert_array_equal(hommel.set_p_values_by_label([0, 1, 0], subset=mask), expected)
    assert_array_equal(hommel.set_p_values_by_label([0, 1, 0], subset=[0, -3, -1]), expected)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64])
def test_labels_may_be_integers_of_any_width(dtype):
    p = np.random.default_rng(0).random(1000) ** 4
    labels = np.arange(1000) % 100
    hommel = Hommel(p)
    assert_array_equal(
        hommel.set_p_values_by_label(labels.astype(dtype)), hommel.set_p_values_by_label(labels)
    )


def test_arrays_given_are_not_written_to():
    labels, subset = np.array([1, 0, 1]), np.array([4, -4, 0])
    for array in (labels, subset):
        array.flags.writeable = False
    Hommel(P_VALUES).set_p_values_by_label(labels, subset=subset, tdp=0.5)
    assert_array_equal(labels, [1, 0, 1])
    assert_array_equal(subset, [4, -4, 0])


@pytest.mark.parametrize(
    "labels",
    [[0, 1], [0] * 6, [[0, 1, 2, 3, 4]], 0, [0.0] * 5, [True] * 5, ["a"] * 5, []],
    ids=repr,
)
def test_labels_that_are_not_one_integer_for_each_hypothesis_are_refused(labels):
    match = r"labels must be integers of shape \(5,\), one for each element"
    with pytest.raises(ValueError, match=match):
        Hommel(P_VALUES).set_p_values_by_label(labels)


@pytest.mark.parametrize("labels", [[0, 1], [0] * 5, [0.0] * 3], ids=repr)
def test_labels_that_are_not_one_integer_for_each_entry_are_refused(labels):
    match = r"labels must be integers of shape \(3,\), one for each entry of subset"
    with pytest.raises(ValueError, match=match):
        Hommel(P_VALUES).set_p_values_by_label(labels, subset=[0, 2, 2])


@pytest.mark.parametrize(
    ("labels", "n_labels", "values"),
    [([0, -1, 2, 0, 0], None, "-1 to 2"), ([0, 1, 2, 0, 0], 2, "0 to 2"), ([0] * 5, 0, "0 to 0")],
)
def test_labels_out_of_range_are_refused(labels, n_labels, values):
    with pytest.raises(ValueError, match=f"labels must lie in .* Got values from {values}"):
        Hommel(P_VALUES).set_p_values_by_label(labels, n_labels)


@pytest.mark.parametrize("subset", [[0, 2, 0], [0, 2, -5]], ids=repr)
def test_a_set_that_holds_a_hypothesis_twice_is_refused(subset):
    hommel = Hommel(P_VALUES)
    hommel.set_p_values_by_label([0, 0, 1], subset=subset)
    with pytest.raises(ValueError, match="subset must not name an element twice with the same"):
        hommel.set_p_values_by_label([1, 0, 1], subset=subset)


@pytest.mark.parametrize("subset", [[5], [-6]], ids=repr)
def test_a_subset_that_is_not_of_the_family_is_refused(subset):
    with pytest.raises(IndexError, match="subset must hold indices of 5 elements"):
        Hommel(P_VALUES).set_p_values_by_label([0], subset=subset)


@pytest.mark.parametrize("tdp", [-0.1, 1.1, np.nan])
def test_a_tdp_outside_zero_and_one_is_refused(tdp):
    with pytest.raises(ValueError, match=r"tdp must be in \[0, 1\]"):
        Hommel(P_VALUES).set_p_values_by_label([0] * 5, tdp=tdp)
