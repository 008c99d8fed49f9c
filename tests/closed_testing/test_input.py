"""What the public classes accept, what they refuse, and what they leave alone."""

import pickle
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ari_estimator.closed_testing import (
    CalibratedTest,
    ConcentrationSet,
    CriticalVector,
    Hommel,
    calibrate,
)

from ._strategies import LOCAL_TESTS

P_VALUES = [0.001, 0.002, 0.04, 0.3, 0.9]

AT_A_LEVEL = ["value", "true_discoveries", "concentration_set", "critical_vector"]


@pytest.mark.parametrize("method", AT_A_LEVEL)
@pytest.mark.parametrize("alpha", [0, 1, -1, 2, 0.0, 1.0, -0.05, np.nan, np.inf, np.float64(1)])
def test_a_level_outside_zero_and_one_is_refused(method, alpha):
    with pytest.raises(ValueError, match="alpha should be between 0 and 1"):
        getattr(Hommel(P_VALUES), method)(alpha)


@pytest.mark.parametrize("method", AT_A_LEVEL)
@pytest.mark.parametrize(
    "alpha", ["0.05", True, False, np.True_, None, [0.05], (0.05,), np.array([0.05]), 0.05j]
)
def test_a_level_that_is_no_number_is_refused(method, alpha):
    with pytest.raises(TypeError, match="alpha should be between 0 and 1"):
        getattr(Hommel(P_VALUES), method)(alpha)


@pytest.mark.parametrize("alpha", [0.25, np.float32(0.25), np.float64(0.25), Fraction(1, 4)])
def test_a_level_may_be_a_real_number_of_any_type(alpha):
    assert Hommel([0.25, 0.0]).value(alpha) == 0
    assert Hommel([np.nextafter(0.25, 1), 0.0]).value(alpha) == 1


@pytest.mark.parametrize("alpha", [1e-300, 5e-324, 1e-17, 1 - 2**-53, 1 - 0.95, 0.1 + 0.2])
@pytest.mark.parametrize("local_test", LOCAL_TESTS)
def test_a_level_may_be_any_double_between_zero_and_one(local_test, alpha):
    hommel = Hommel(np.repeat([0.0, 1.0], [2, 198]), local_test)
    assert hommel.value(alpha) == 198
    assert Hommel([alpha], local_test).value(alpha) == 0
    assert Hommel([np.nextafter(alpha, 1)], local_test).value(alpha) == 1


def test_the_level_is_five_percent_by_default():
    hommel = Hommel(P_VALUES)
    assert hommel.value() == hommel.value(0.05)
    assert hommel.true_discoveries() == hommel.true_discoveries(0.05) == 2
    assert hommel.concentration_set() == hommel.concentration_set(0.05)
    assert_array_equal(hommel.critical_vector().thresholds, hommel.critical_vector(0.05).thresholds)


def read_only(*values, dtype=float):
    array = np.array(values, dtype=dtype)
    array.flags.writeable = False
    return array


# What takes p-values: a call, and the name of the argument in its messages.
TAKERS = {
    "Hommel": (Hommel, "p_values"),
    "CalibratedTest": (partial(CalibratedTest, calibration=calibrate(np.eye(5), 0.5)), "p_values"),
    "CriticalVector": (CriticalVector, "thresholds"),
    "categories": (CriticalVector([0.1, 0.2]).categories, "p_values"),
    "true_discoveries": (CriticalVector([0.1, 0.2]).true_discoveries, "p_values"),
    "confidence_curve": (CriticalVector([0.1, 0.2]).confidence_curve, "p_values"),
    "true_discoveries_by_label": (
        lambda p: CriticalVector([0.1, 0.2]).true_discoveries_by_label(
            p, np.zeros(np.shape(p), dtype=int)
        ),
        "p_values",
    ),
}


@pytest.fixture(params=TAKERS.values(), ids=TAKERS.keys())
def taker(request):
    return request.param


@pytest.mark.parametrize(
    "values",
    [[np.nan], [0.1, np.nan, 0.2], [-0.1, 0.2], [0.2, 1.1], [0.1, np.inf], [-np.inf, 0.5], [2]],
)
def test_values_outside_zero_and_one_are_refused(taker, values):
    call, name = taker
    with pytest.raises(ValueError, match=rf"{name} must lie in \[0, 1\], without NaN"):
        call(values)


def test_the_message_tells_how_many_values_are_missing_and_how_far_the_others_go(taker):
    call, _ = taker
    with pytest.raises(ValueError, match=r"Got 2 NaN and values from -0\.5 to 1\.5"):
        call([np.nan, -0.5, 0.3, 1.5, np.nan])


@pytest.mark.parametrize("values", [0.5, [[0.1, 0.2]], np.full((2, 2, 2), 0.1)])
def test_values_that_are_not_one_dimensional_are_refused(taker, values):
    call, name = taker
    with pytest.raises(ValueError, match=f"{name} must be one-dimensional"):
        call(values)


@pytest.mark.parametrize(
    "values",
    [
        np.array([0.1, 0.2], dtype=object),
        [True, False],
        ["0.1", "0.2"],
        [None, 0.1],
        [0.1 + 0j],
        np.array(["2020-01-01"], dtype="datetime64[D]"),
    ],
    ids=["object", "bool", "str", "None", "complex", "datetime"],
)
def test_values_that_are_no_real_numbers_are_refused(taker, values):
    call, name = taker
    with pytest.raises(ValueError, match=f"{name} must hold real numbers"):
        call(values)


@pytest.mark.parametrize("values", [[], np.zeros(0), ()])
def test_a_family_without_p_values_is_refused(values):
    with pytest.raises(ValueError, match="p_values is empty"):
        Hommel(values)


@pytest.mark.parametrize("local_test", ["Simes", "bonferroni", "", None, 1])
def test_an_unknown_local_test_is_refused(local_test):
    with pytest.raises(ValueError, match="local_test must be one of"):
        Hommel(P_VALUES, local_test)


def test_simes_is_the_default_local_test():
    assert Hommel(P_VALUES).local_test == "simes"


# Two tests that compute p-values of sets in one way, from other things.
TESTS = {
    "Hommel": Hommel,
    "CalibratedTest": lambda p: CalibratedTest(
        p, calibrate(np.vstack([p, np.random.default_rng(0).random((30, 5))]))
    ),
}


@pytest.fixture(params=TESTS.values(), ids=TESTS)
def make_test(request):
    return request.param


# What takes a set, and what takes labels of sets.
OF_A_SET = {
    "set_p_value": lambda test: test.set_p_value,
    "of_set": lambda test: test.bounds(0.1).of_set,
}
OF_LABELS = {
    "set_p_values_by_label": lambda test: test.set_p_values_by_label,
    "by_label": lambda test: test.bounds(0.1).by_label,
}


@pytest.fixture(params=OF_A_SET.values(), ids=OF_A_SET)
def of_a_set(request, make_test):
    return request.param(make_test(P_VALUES))


@pytest.fixture(params=[*OF_LABELS.values(), None], ids=[*OF_LABELS, "true_discoveries_by_label"])
def of_labels(request, make_test):
    if request.param is not None:
        return request.param(make_test(P_VALUES))
    return partial(CriticalVector([0.1, 0.2]).true_discoveries_by_label, P_VALUES)


@pytest.mark.parametrize(
    "subset", [[], (), np.zeros(0, dtype=int), np.zeros(5, dtype=bool)], ids=repr
)
def test_an_empty_subset_has_no_p_value(make_test, subset):
    with pytest.raises(ValueError, match="subset is empty"):
        make_test(P_VALUES).set_p_value(subset)
    assert make_test(P_VALUES).bounds(0.1).of_set(subset) == 0


@pytest.mark.parametrize(
    ("subset", "error", "match"),
    [
        *((subset, IndexError, "subset must hold indices of 5 elements")
          for subset in ([5], [-6], [0, 99])),
        *((subset, ValueError, "subset must be a one-dimensional array of indices")
          for subset in ([True, False], [0.0, 1.0], [[0, 1]], ["a"])),
        *((subset, ValueError, "subset must not name an element twice")
          for subset in ([0, 0], [4, -1])),
    ],
    ids=repr,
)  # fmt: skip
def test_a_subset_that_is_none_of_the_family_is_refused(of_a_set, subset, error, match):
    with pytest.raises(error, match=match):
        of_a_set(subset)


def test_a_mask_is_as_good_as_indices(of_a_set):
    mask = np.array([True, False, True, False, False])
    assert of_a_set(mask) == of_a_set([0, 2]) == of_a_set([0, -3])


def test_p_values_changed_afterwards_change_nothing(make_test):
    p_values = np.array(P_VALUES)
    test = make_test(p_values)
    before = test.set_p_value([0, 1])
    p_values[:] = 1.0
    assert test.set_p_value([0, 1]) == before < 0.2


@pytest.mark.parametrize("tdp", [-0.1, 1.1, np.nan, np.inf, -1])
def test_a_tdp_outside_zero_and_one_is_refused(make_test, tdp):
    test = make_test(P_VALUES)
    for ask in (partial(test.set_p_value, [0, 1]), partial(test.set_p_values_by_label, [0] * 5)):
        with pytest.raises(ValueError, match=r"tdp must be in \[0, 1\]"):
            ask(tdp=tdp)


@pytest.mark.parametrize(
    "labels",
    [[0, 1], [0] * 6, [[0, 1, 2, 3, 4]], 0, [0.0] * 5, [True] * 5, ["a"] * 5, [],
     np.array([0] * 5, dtype=object)],
    ids=repr,
)  # fmt: skip
def test_labels_that_are_not_one_integer_each_are_refused(of_labels, labels):
    with pytest.raises(ValueError, match=r"labels must be integers of shape \(5,\), one for each"):
        of_labels(labels)


@pytest.mark.parametrize(
    ("labels", "n_labels", "values"),
    [
        ([0, -1, 2, 0, 0], None, "-1 to 2"),
        ([-3, -1, -2, -1, -1], None, "-3 to -1"),
        ([0, 1, 2, 0, 0], 2, "0 to 2"),
        ([1, 0, 10**9, 0, 0], 3, "0 to 1000000000"),
        ([0] * 5, 0, "0 to 0"),
        ([0, -1, 2, 0, 0], 3, "-1 to 2"),
    ],
)
def test_labels_out_of_range_are_refused(of_labels, labels, n_labels, values):
    with pytest.raises(ValueError, match=f"labels must lie in .* Got values from {values}"):
        of_labels(labels, n_labels)


@pytest.mark.parametrize("subset", [[0, 2, 0], [0, 2, -5]], ids=repr)
def test_an_element_twice_in_a_set_is_refused(make_test, subset):
    test = make_test(P_VALUES)
    test.set_p_values_by_label([0, 0, 1], subset=subset)
    with pytest.raises(ValueError, match="subset must not name an element twice with the same"):
        test.set_p_values_by_label([1, 0, 1], subset=subset)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64])
def test_labels_may_be_integers_of_any_width(of_labels, dtype):
    labels = [0, 100, 3, 100, 0]
    assert_array_equal(of_labels(np.array(labels, dtype=dtype)), of_labels(labels))


def test_a_set_without_members_has_no_p_value_and_no_discoveries(make_test):
    test = make_test(P_VALUES)
    by_label = test.set_p_values_by_label([1, 1, 3, 3, 3], 6)
    assert_array_equal(np.isnan(by_label), [True, False, True, False, True, True])
    assert_array_equal(test.set_p_values_by_label([], 2, subset=[]), [np.nan, np.nan])
    assert test.set_p_values_by_label([], subset=[]).shape == (0,)
    assert_array_equal(test.set_p_values_by_label([0] * 5, 2, tdp=1), [1.0, np.nan])
    assert_array_equal(test.bounds(0.1).by_label([1, 1, 3, 3, 3], 6)[[0, 2, 4, 5]], [0] * 4)


@pytest.mark.parametrize(("name", "ask"), OF_LABELS.items(), ids=OF_LABELS)
class TestSubsetsWithLabels:
    """Entries of a subset, each with a label, so that sets may overlap."""

    @pytest.mark.parametrize("labels", [[0, 1], [0] * 5, [0.0] * 3], ids=repr)
    def test_one_integer_for_each_entry(self, make_test, name, ask, labels):
        with pytest.raises(ValueError, match=r"labels must be integers of shape \(3,\), one for"):
            ask(make_test(P_VALUES))(labels, subset=[0, 2, 2])

    @pytest.mark.parametrize("subset", [[5], [-6]], ids=repr)
    def test_elements_of_the_family(self, make_test, name, ask, subset):
        with pytest.raises(IndexError, match="subset must hold indices of 5 elements"):
            ask(make_test(P_VALUES))([0], subset=subset)

    def test_masks_and_indices_from_the_end(self, make_test, name, ask):
        test = make_test(P_VALUES)
        of_set = OF_A_SET["set_p_value" if name == "set_p_values_by_label" else "of_set"](test)
        expected = [of_set([0, 4]), of_set([2])]
        for subset in (np.array([True, False, True, False, True]), [0, -3, -1]):
            assert_array_equal(ask(test)([0, 1, 0], subset=subset), expected)

    def test_arrays_are_not_written_to(self, make_test, name, ask):
        labels, subset = read_only(1, 0, 1, dtype=int), read_only(4, -4, 0, dtype=int)
        ask(make_test(P_VALUES))(labels, subset=subset)
        assert_array_equal(labels, [1, 0, 1])
        assert_array_equal(subset, [4, -4, 0])


@pytest.mark.parametrize("tdp", [1, 1.0])
@pytest.mark.parametrize("p_values", [P_VALUES, [0.0, 0.0], [0.0]])
def test_no_set_exceeds_a_tdp_of_one(p_values, tdp):
    assert Hommel(p_values).set_p_value(np.arange(len(p_values)), tdp) == 1.0


@pytest.mark.parametrize(
    "thresholds", [[0.2, 0.1], [0.0, 1.0, 0.5], [0.1, np.nextafter(0.1, 0)]], ids=repr
)
def test_decreasing_thresholds_are_refused(thresholds):
    with pytest.raises(ValueError, match="thresholds must not decrease"):
        CriticalVector(thresholds)


@pytest.mark.parametrize("order", [[0, 0], [0, 1, 2, 1], [2, -1], [0, -3]], ids=repr)
def test_an_order_that_names_an_element_twice_is_refused(order):
    with pytest.raises(ValueError, match="order must not name an element twice"):
        CriticalVector([0.1]).confidence_curve([0.1, 0.2, 0.3], order)


@pytest.mark.parametrize("order", [[3], [0, 1, 99], [-4]], ids=repr)
def test_an_order_that_names_no_element_of_the_family_is_refused(order):
    with pytest.raises(IndexError, match="order must hold indices of 3 elements"):
        CriticalVector([0.1]).confidence_curve([0.1, 0.2, 0.3], order)


@pytest.mark.parametrize("order", [[0.0, 1.0], ["a"], [[0, 1]], [True]], ids=repr)
def test_an_order_that_is_no_indices_is_refused(order):
    with pytest.raises(ValueError, match="order must be a one-dimensional array of indices"):
        CriticalVector([0.1]).confidence_curve([0.1, 0.2, 0.3], order)


def test_an_empty_order_has_an_empty_curve():
    assert CriticalVector([0.1]).confidence_curve([0.1, 0.2], []).shape == (0,)


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint8, np.float32, np.float64, ">f8"])
@pytest.mark.parametrize("local_test", LOCAL_TESTS)
def test_zeros_and_ones_may_have_any_numeric_type(local_test, dtype):
    p = np.array([0, 1, 1, 0, 0], dtype=dtype)
    hommel = Hommel(p, local_test)
    assert hommel.p_values.dtype == np.float64
    assert hommel.value(0.05) == 2
    assert_array_equal(hommel.adjusted_p_values, [0, 1, 1, 0, 0])
    assert hommel.critical_vector(0.05).true_discoveries(p) == 3


def test_single_precision_p_values_are_taken_at_their_value():
    single = np.random.default_rng(0).random(50).astype(np.float32) ** 3
    from_single, from_double = Hommel(single), Hommel(single.astype(np.float64))
    assert_array_equal(from_single.p_values, single)
    assert_array_equal(from_single.adjusted_p_values, from_double.adjusted_p_values)
    assert from_single.value(0.05) == from_double.value(0.05)


@pytest.mark.parametrize("local_test", LOCAL_TESTS)
@pytest.mark.parametrize(("p", "h"), [(0.0, 0), (0.05, 0), (np.nextafter(0.05, 1), 1), (1.0, 1)])
def test_a_single_element_is_tested_as_it_is(local_test, p, h):
    hommel = Hommel([p], local_test)
    assert hommel.value(0.05) == h
    assert hommel.true_discoveries(0.05) == 1 - h
    assert hommel.adjusted_p_values.item() == p
    assert hommel.jumps.item() == p
    assert hommel.set_p_value([0]) == p
    assert hommel.critical_vector(0.05).true_discoveries([p]) == 1 - h
    concentration_set = hommel.concentration_set(0.05)
    assert isinstance(concentration_set, ConcentrationSet)
    assert_array_equal(concentration_set, (0, np.nan) if h else (1, p))


def test_the_critical_vector_is_one_where_all_are_discoveries_and_empty_where_none_is():
    assert_array_equal(Hommel([0.01, 0.02]).critical_vector(0.05).thresholds, [1.0])
    assert Hommel([0.1, 0.2]).critical_vector(0.05).thresholds.shape == (0,)


def test_arrays_given_are_neither_written_to_nor_sorted():
    p = read_only(0.9, 0.001, 0.5, 0.002, 0.04)
    hommel = Hommel(p)
    hommel.critical_vector(0.05), hommel.concentration_set(0.05)
    _ = hommel.jumps, hommel.adjusted_p_values
    subset = read_only(3, 1, 0, dtype=int)
    hommel.set_p_value(subset, 0.3)
    thresholds = read_only(0.01, 0.02, 0.03)
    vector = CriticalVector(thresholds)
    labels = read_only(1, 0, 1, 0, 0, dtype=int)
    order = read_only(4, 2, 0, 1, 3, dtype=int)
    assert vector.true_discoveries(p) == 2
    assert_array_equal(vector.true_discoveries_by_label(p, labels), [2, 0])
    assert_array_equal(vector.confidence_curve(p, order), [0, 0, 0, 1, 2])
    assert_array_equal(vector.categories(p), [4, 1, 4, 1, 4])
    assert_array_equal(p, [0.9, 0.001, 0.5, 0.002, 0.04])
    assert_array_equal(hommel.p_values, p)
    assert_array_equal(subset, [3, 1, 0])
    assert_array_equal(thresholds, [0.01, 0.02, 0.03])
    assert_array_equal(labels, [1, 0, 1, 0, 0])
    assert_array_equal(order, [4, 2, 0, 1, 3])


def test_p_values_may_be_a_view_with_steps():
    p = np.random.default_rng(0).random(40) ** 4
    view = p[::-2]
    assert not view.flags.c_contiguous
    assert_array_equal(Hommel(view).adjusted_p_values, Hommel(view.copy()).adjusted_p_values)
    vector = Hommel(view).critical_vector(0.2)
    assert vector.true_discoveries(view) == vector.true_discoveries(view.copy()) > 0


@pytest.mark.parametrize("local_test", LOCAL_TESTS)
@pytest.mark.parametrize("used", [False, True])
def test_a_pickle_answers_like_the_original(local_test, used):
    original = Hommel(P_VALUES, local_test)
    if used:
        original.value(0.05), original.adjusted_p_values
    copy = pickle.loads(pickle.dumps(original))
    assert_array_equal(copy.p_values, P_VALUES)
    assert copy.local_test == local_test
    assert copy.value(0.05) == original.value(0.05)
    assert copy.value(0.2) == original.value(0.2)
    assert_array_equal(copy.adjusted_p_values, original.adjusted_p_values)
    vector = pickle.loads(pickle.dumps(original.critical_vector(0.05)))
    assert_array_equal(vector.thresholds, original.critical_vector(0.05).thresholds)


def test_attributes_describe_the_family():
    hommel = Hommel([0.3, 0.1, 0.2], "hommel")
    assert hommel.n_elements == 3
    assert_array_equal(hommel.order, [1, 2, 0])
    assert_array_equal(hommel.p_values, [0.3, 0.1, 0.2])
    assert repr(hommel) == "Hommel(n_elements=3, local_test='hommel')"
