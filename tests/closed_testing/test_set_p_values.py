"""P-values of many sets at once equal `set_p_value`, set by set, to the last bit."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from ari_estimator.closed_testing import CalibratedTest, Hommel, calibrate

from ._strategies import LOCAL_TESTS, problems

# 0.29 * 100 is below 29 in doubles; 1 - 0.95 is no short fraction.
TDPS = st.sampled_from([0, 0.1, 0.29, 1 / 3, 0.5, 1 - 0.95, 0.99, 1]) | st.floats(0, 1)


@st.composite
def any_test(draw):
    """Draw a test, of p-values with ties on a coarse grid, zeros and ones."""
    if draw(st.booleans()):
        p, alpha, template = draw(problems())
        return CalibratedTest(p[0], calibrate(p, alpha, template=template))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    p = rng.random(draw(st.integers(1, 120))) ** draw(st.sampled_from([1, 3, 20]))
    return Hommel(
        np.round(p, draw(st.sampled_from([1, 3, 300]))), draw(st.sampled_from(LOCAL_TESTS))
    )


def one_by_one(test, sets, tdp):
    return [test.set_p_value(subset, tdp) if len(subset) else np.nan for subset in sets]


@settings(max_examples=200)
@given(test=any_test(), tdp=TDPS, n_labels=st.integers(1, 30), seed=st.integers(0, 2**32))
def test_the_sets_of_a_partition_have_their_own_p_values(test, tdp, n_labels, seed):
    labels = np.random.default_rng(seed).integers(0, n_labels, test.n_elements)
    sets = [np.flatnonzero(labels == k) for k in range(n_labels)]
    by_label = test.set_p_values_by_label(labels, n_labels, tdp=tdp)
    assert by_label.dtype == np.float64
    assert_array_equal(by_label, one_by_one(test, sets, tdp))


@settings(max_examples=200)
@given(test=any_test(), tdp=TDPS, data=st.data())
def test_sets_that_overlap_have_their_own_p_values(test, tdp, data):
    members = st.lists(st.integers(0, test.n_elements - 1), unique=True, max_size=20)
    sets = data.draw(st.lists(members, max_size=8))
    subset = np.array([i for members in sets for i in members], dtype=int)
    labels = np.repeat(np.arange(len(sets)), [len(members) for members in sets])
    shuffled = np.random.default_rng(data.draw(st.integers(0, 99))).permutation(subset.size)
    by_label = test.set_p_values_by_label(
        labels[shuffled], len(sets), subset=subset[shuffled], tdp=tdp
    )
    assert_array_equal(by_label, one_by_one(test, sets, tdp))


def test_a_set_of_thousands_among_small_ones_has_its_own_p_value():
    rng = np.random.default_rng(0)
    p = rng.random(20_000) ** 3
    labels = np.where(rng.random(p.size) < 0.6, 0, rng.integers(1, 300, p.size))
    hommel = Hommel(p)
    sets = [np.flatnonzero(labels == k) for k in range(300)]
    assert_array_equal(hommel.set_p_values_by_label(labels, tdp=0.1), one_by_one(hommel, sets, 0.1))
