"""`CriticalVector` for thresholds of any origin, against the definition of the bound."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from ari_estimator.closed_testing import CriticalVector, CriticalVectorBounds, Hommel

from ._strategies import THRESHOLDS, VALUES

P_VALUES = st.lists(VALUES, max_size=40)


def category(p, thresholds):
    """Return the smallest u with ``p <= t_u``; one more than there are if none is."""
    for u, threshold in enumerate(thresholds, start=1):
        if p <= threshold:
            return u
    return len(thresholds) + 1


def bound(p_values, thresholds):
    """Return ``max(0, max_u [1 - u + #{i : c(p_i) <= u}])``, u up to the last threshold."""
    categories = [category(p, thresholds) for p in p_values]
    gains = [1 - u + sum(c <= u for c in categories) for u in range(1, len(thresholds) + 1)]
    return max([0, *gains])


@settings(max_examples=200)
@given(thresholds=THRESHOLDS, p=P_VALUES)
@example(thresholds=[], p=[0.0, 0.5])
@example(thresholds=[1.0], p=[0.0, 0.5, 1.0])
def test_categories_follow_their_definition(thresholds, p):
    categories = CriticalVector(thresholds).categories(p)
    assert categories.dtype.kind == "i"
    assert_array_equal(categories, [category(value, thresholds) for value in p])


@settings(max_examples=200)
@given(thresholds=THRESHOLDS, p=P_VALUES)
@example(thresholds=[0.5] * 4, p=[0.5] * 6)
@example(thresholds=[0.0, 0.0, 1.0], p=[0.0, 0.0, 0.0])
def test_bound_follows_its_definition(thresholds, p):
    n_discoveries = CriticalVector(thresholds).true_discoveries(p)
    assert type(n_discoveries) is int
    assert n_discoveries == bound(p, thresholds)


@settings(max_examples=200)
@given(thresholds=THRESHOLDS, p=P_VALUES.filter(bool), data=st.data())
def test_bounds_of_a_partition_follow_the_definition(thresholds, p, data):
    labels = data.draw(st.lists(st.integers(0, 4), min_size=len(p), max_size=len(p)))
    by_label = CriticalVector(thresholds).true_discoveries_by_label(p, labels, 6)
    sets = [[value for value, label in zip(p, labels, strict=True) if label == k] for k in range(6)]
    assert_array_equal(by_label, [bound(values, thresholds) for values in sets])


@settings(max_examples=200)
@given(thresholds=THRESHOLDS, p=P_VALUES.filter(bool), data=st.data())
def test_curve_follows_the_definition(thresholds, p, data):
    order = data.draw(st.permutations(range(len(p))))[: data.draw(st.integers(1, len(p)))]
    curve = CriticalVector(thresholds).confidence_curve(p, order)
    joining = [p[i] for i in order]
    assert_array_equal(curve, [bound(joining[:n], thresholds) for n in range(1, len(order) + 1)])


@settings(max_examples=100)
@given(thresholds=THRESHOLDS, p=P_VALUES)
def test_curve_by_default_joins_the_smallest_first(thresholds, p):
    joining = sorted(p)
    expected = [bound(joining[:n], thresholds) for n in range(1, len(p) + 1)]
    assert_array_equal(CriticalVector(thresholds).confidence_curve(p), expected)


@settings(max_examples=200)
@given(step=st.floats(0, 1), size=st.integers(1, 50), offset=st.sampled_from([0, 1e-3, 0.3]))
@example(step=5e-324, size=50, offset=0)
@example(step=1e-300, size=50, offset=0)
@example(step=0, size=3, offset=0)
@example(step=1, size=1, offset=0)
def test_p_values_on_and_beside_multiples_have_their_categories(step, size, offset):
    # The category of p is p / step for most of them, rounded up.
    thresholds = np.minimum(offset + step / size * np.arange(1, size + 1), 1)
    p = np.concatenate([[0, 5e-324, 1], thresholds, thresholds / 2])
    p = np.concatenate([p, np.nextafter(p, 1), np.nextafter(p, 0)])
    vector = CriticalVector(thresholds)
    assert_array_equal(vector.categories(p), [category(value, thresholds) for value in p])
    assert vector.true_discoveries(p) == bound(p, thresholds)


def test_without_thresholds_there_are_no_discoveries():
    vector = CriticalVector([])
    assert vector.true_discoveries([0.0, 0.0]) == 0
    assert_array_equal(vector.true_discoveries_by_label([0.0, 0.0], [1, 1]), [0, 0])
    assert_array_equal(vector.confidence_curve([0.0, 0.0]), [0, 0])
    assert_array_equal(vector.true_discoveries_of_nested([0.0, 0.0], [0, 0]), [0, 0])
    assert_array_equal(vector.categories([0.0, 1.0]), [1, 1])


def test_a_single_threshold_of_one_makes_everything_a_discovery():
    vector = CriticalVector([1.0])
    assert vector.true_discoveries([0.0, 0.5, 1.0]) == 3
    assert_array_equal(vector.true_discoveries_by_label([0.0, 0.5, 1.0], [2, 0, 2]), [1, 0, 2])
    assert_array_equal(vector.confidence_curve([0.0, 0.5, 1.0]), [1, 2, 3])


def test_a_p_value_equal_to_a_threshold_lies_below_it():
    vector = CriticalVector([0.1, 0.1, 0.2])
    assert_array_equal(vector.categories([0.1, np.nextafter(0.1, 1), 0.2, 0.3]), [1, 3, 3, 4])


def test_a_set_without_members_has_no_discoveries():
    vector = CriticalVector([0.1, 0.2])
    assert vector.true_discoveries([]) == 0
    assert vector.confidence_curve([]).shape == (0,)
    no_labels = np.zeros(0, dtype=int)
    assert_array_equal(vector.true_discoveries_by_label([], no_labels, 3), [0, 0, 0])
    assert vector.true_discoveries_by_label([], no_labels).shape == (0,)


@pytest.mark.parametrize(
    "dtype", [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64]
)
def test_labels_may_be_integers_of_any_width(dtype):
    # 100 sets and 100 thresholds: their product is too large for the narrow types.
    p = np.tile([0.001, 0.5], 100)
    labels = np.repeat(np.arange(100), 2).astype(dtype)
    vector = CriticalVector(np.linspace(0.01, 0.9, 100))
    assert_array_equal(vector.true_discoveries_by_label(p, labels), np.ones(100))


def test_an_order_may_name_some_elements_only():
    vector = CriticalVector([0.1, 0.2])
    assert_array_equal(vector.confidence_curve([0.05, 0.5, 0.15, 0.01], [1, 2, 0]), [0, 0, 1])
    assert vector.confidence_curve([0.05], np.zeros(0, dtype=int)).shape == (0,)


def test_repr_tells_the_number_of_thresholds():
    assert repr(CriticalVector([0.1, 0.2])) == "CriticalVector(k_max=2)"


# Thresholds of -1 ahead of others: what no p-value meets.
WITH_NEVER = st.tuples(st.integers(0, 5), THRESHOLDS).map(lambda pair: [-1.0] * pair[0] + pair[1])


@settings(max_examples=200)
@given(thresholds=WITH_NEVER, p=P_VALUES.filter(bool), data=st.data())
@example(thresholds=[-1.0], p=[0.0, 0.0, 1.0], data=None)
@example(thresholds=[-1.0, -1.0, 0.0], p=[0.0] * 5, data=None)
@example(thresholds=[-1.0, 1e-300, 1.0], p=[0.0, 5e-324, 1.0], data=None)
def test_a_threshold_of_minus_one_is_met_by_no_p_value(thresholds, p, data):
    vector = CriticalVector(thresholds)
    assert_array_equal(vector.categories(p), [category(value, thresholds) for value in p])
    assert vector.true_discoveries(p) == bound(p, thresholds)
    order = range(len(p)) if data is None else data.draw(st.permutations(range(len(p))))
    joining = [p[i] for i in order]
    prefixes = [bound(joining[:n], thresholds) for n in range(1, len(p) + 1)]
    assert_array_equal(vector.confidence_curve(p, order), prefixes)
    nested = vector.true_discoveries_of_nested(joining, np.zeros(len(p), dtype=int))
    assert_array_equal(nested, prefixes)
    assert vector.true_discoveries_by_label(p, [0] * len(p))[0] == prefixes[-1]


@pytest.mark.parametrize("thresholds", [[-0.5, 0.1], [-5e-324], [-2.0, 0.1], [-1.0, 1.5]])
def test_other_thresholds_outside_zero_and_one_are_refused(thresholds):
    with pytest.raises(ValueError, match=r"thresholds must lie in \[0, 1\], without NaN"):
        CriticalVector(thresholds)


def test_a_threshold_that_is_never_met_comes_first():
    with pytest.raises(ValueError, match="thresholds must not decrease"):
        CriticalVector([0.1, -1.0])


@settings(max_examples=200)
@given(thresholds=WITH_NEVER, p=st.lists(VALUES, max_size=8))
@example(thresholds=[], p=[0.0])
@example(thresholds=[-1.0], p=[0.0])
@example(thresholds=[0.5], p=[])
def test_concentrated_thresholds_bound_every_subset_alike_and_are_the_fewest(thresholds, p):
    vector = CriticalVector(thresholds)
    concentrated = vector.concentrated(p)
    n = concentrated.thresholds.size
    assert_array_equal(concentrated.thresholds, thresholds[:n])
    counts = CriticalVectorBounds(np.array(p), vector).contributing().tolist()
    for mask in range(1 << len(p)):
        subset = [value for i, value in enumerate(p) if mask >> i & 1]
        assert concentrated.true_discoveries(subset) == bound(subset, thresholds)
        kept = [value for i, value in enumerate(p) if mask >> i & counts[i]]
        assert bound(kept, thresholds) == bound(subset, thresholds)
    if n:
        assert bound(p, thresholds[: n - 1]) < bound(p, thresholds)
    else:
        assert bound(p, thresholds) == sum(counts) == 0


@settings(max_examples=100)
@given(p=P_VALUES.filter(bool), alpha=st.sampled_from([0.05, 0.1, 0.3, 0.5]))
def test_the_critical_vector_of_closed_testing_is_concentrated_already(p, alpha):
    vector = Hommel(p).critical_vector(alpha)
    assert_array_equal(vector.concentrated(p).thresholds, vector.thresholds)
