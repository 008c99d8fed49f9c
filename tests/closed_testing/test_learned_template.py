"""The learned template: its curves, its inverse, its file."""

import pickle

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from ari_estimator.closed_testing import LearnedTemplate
from ari_estimator.closed_testing._learned_template import refuse_shared
from ari_estimator.closed_testing._sketches import sketches

CURVES = [[0.0, 0.1, 0.1], [0.1, 0.1, 0.4], [0.1, 0.3, 1.0]]


def grids(rows, columns):
    """Return matrices of few values, which tie."""
    row = st.lists(st.integers(0, 12), min_size=columns, max_size=columns)
    return st.lists(row, min_size=rows, max_size=rows).map(lambda m: np.array(m) / 12)


@st.composite
def matrices(draw):
    return draw(grids(draw(st.integers(1, 9)), draw(st.integers(1, 7))))


def test_curves_are_p_values_sorted_within_permutations_and_then_across():
    p_values = [[0.5, 0.1, 0.9], [0.2, 0.8, 0.3], [1.0, 0.7, 0.05]]
    template = LearnedTemplate.from_p_values(p_values)
    assert_array_equal(template.curves, [[0.05, 0.3, 0.8], [0.1, 0.5, 0.9], [0.2, 0.7, 1.0]])
    assert (template.n_elements, template.k_max, template.n_curves) == (3, 3, 3)
    assert (template.name, template.delta) == ("learned", 0)


@settings(max_examples=100)
@given(p_values=matrices(), k_max=st.integers(1, 9))
def test_curves_are_nested_whatever_the_p_values(p_values, k_max):
    template = LearnedTemplate.from_p_values(p_values, k_max)
    k_max = min(k_max, p_values.shape[1])
    assert template.curves.shape == (len(p_values), k_max)
    assert (np.diff(template.curves, axis=0) >= 0).all()
    assert (np.diff(template.curves, axis=1) >= 0).all()
    smallest = np.sort(p_values, axis=1)[:, :k_max]
    again = LearnedTemplate.from_smallest(smallest, p_values.shape[1])
    assert_array_equal(again.curves, template.curves)
    assert_array_equal(np.sort(smallest, axis=0), template.curves)


@settings(max_examples=200)
@given(p_values=matrices(), p=grids(3, 5), data=st.data())
def test_inverse_counts_the_curves_that_are_not_above_a_p_value(p_values, p, data):
    template = LearnedTemplate.from_p_values(p_values)
    ranks = np.array(data.draw(st.lists(st.integers(1, template.k_max), min_size=5, max_size=5)))
    inverse = template.inverse(ranks, p)
    assert inverse.shape == (3, 5)
    assert inverse.dtype == np.float64
    assert_array_equal(inverse, (template.curves[:, np.newaxis, ranks - 1] <= p).sum(axis=0))
    for number in range(template.n_curves + 1):
        is_below = p < template.thresholds(number)[ranks - 1]
        assert_array_equal(is_below, inverse < number)
        assert_array_equal(is_below, p <= template.critical_thresholds(number)[ranks - 1])


def test_thresholds_are_a_curve():
    template = LearnedTemplate(CURVES, 5)
    assert_array_equal(template.thresholds(0), [0, 0, 0])
    assert_array_equal(template.thresholds(1), CURVES[0])
    assert_array_equal(template.thresholds(3.0), CURVES[2])
    assert_array_equal(template.thresholds(1.5), CURVES[1])
    assert_array_equal(template.critical_thresholds(0), [-1, -1, -1])
    below = np.nextafter(CURVES[0], -1)
    assert_array_equal(template.critical_thresholds(1), [-1, *below[1:]])


def test_thresholds_may_be_written_to():
    template = LearnedTemplate(CURVES, 5)
    template.thresholds(2)[:] = 0
    template.critical_thresholds(2)[:] = 0
    assert_array_equal(template.curves, CURVES)


@pytest.mark.parametrize("lambda_", [-1, 4, np.inf, np.nan])
def test_a_parameter_that_is_no_curve_is_refused(lambda_):
    with pytest.raises(ValueError, match="lambda_ must be from 0 to n_curves=3"):
        LearnedTemplate(CURVES, 5).thresholds(lambda_)


def test_ranks_are_a_thousand_by_default():
    template = LearnedTemplate.from_p_values(np.random.default_rng(0).random((3, 1200)))
    assert (template.k_max, template.n_elements) == (1000, 1200)


def test_a_template_may_be_cut():
    template = LearnedTemplate(CURVES, 5, subjects=[[0.6, 0.8]]).cut(2)
    assert_array_equal(template.curves, np.array(CURVES)[:, :2])
    assert (template.k_max, template.n_elements) == (2, 5)
    assert_allclose(template.subjects, [[0.6, 0.8]])
    for k_max in (0, 4):
        with pytest.raises(ValueError, match="k_max must be an integer from 1 to 3"):
            LearnedTemplate(CURVES, 5).cut(k_max)


def test_single_precision_is_as_good():
    p_values = np.random.default_rng(0).random((4, 30)).astype(np.float32)
    template = LearnedTemplate.from_p_values(p_values)
    assert template.curves.dtype == np.float64
    assert_array_equal(template.curves, LearnedTemplate.from_p_values(p_values * 1.0).curves)
    assert_allclose(template.subjects, sketches(p_values.astype(np.float64)), atol=1e-6)


SAME_DATA = {
    "the same": lambda data: data,
    "one of them": lambda data: data[2:3],
    "another order": lambda data: data[::-1],
    "another scale": lambda data: data * 1e-3,
    "another sign": lambda data: -data,
    "another unit, with its zero elsewhere": lambda data: 273.15 + 1.8 * data,
    "single precision": lambda data: data.astype(np.float32),
    "another layout in memory": np.asfortranarray,
    "rounded": lambda data: np.round(data, 3),
}


@pytest.mark.parametrize("n_elements", [30, 256, 5000])
@pytest.mark.parametrize("change", SAME_DATA)
def test_the_same_data_are_known_again(change, n_elements):
    data = np.random.default_rng(0).standard_normal((4, n_elements))
    template = LearnedTemplate(CURVES, n_elements, subjects=sketches(data))
    changed = SAME_DATA[change](data)
    with pytest.raises(ValueError, match=f"{len(changed)} of the 4 rows"):
        refuse_shared(template, changed)


@pytest.mark.parametrize("n_elements", [5, 12, 30, 300, 5000])
def test_other_data_are_not_taken_for_the_same(n_elements):
    rng = np.random.default_rng(0)
    # Maps of subjects are alike, since the same voxels are active.
    shared = 1.5 * rng.standard_normal(n_elements)
    for _ in range(10):
        data = shared + rng.standard_normal((40, n_elements))
        template = LearnedTemplate([[0.1]], n_elements, subjects=sketches(data[:20]))
        refuse_shared(template, data[20:])


def test_constant_rows_are_nobodys_data():
    data = np.ones((3, 40)) * [[0], [1], [1e6]]
    refuse_shared(LearnedTemplate([[0.1]], 40, subjects=sketches(data)), data)


def test_without_data_nothing_is_refused():
    refuse_shared(LearnedTemplate(CURVES, 5), np.random.default_rng(0).random((3, 5)))


def test_what_is_given_is_not_written_to():
    p_values = np.random.default_rng(0).random((4, 30))
    p_values.flags.writeable = False
    LearnedTemplate.from_p_values(p_values, 5)
    smallest = np.sort(p_values, axis=1)
    smallest.flags.writeable = False
    LearnedTemplate.from_smallest(smallest, 30)


def test_repr_tells_what_the_template_is_of():
    text = "LearnedTemplate(n_elements=5, k_max=3, n_curves=3)"
    assert repr(LearnedTemplate(CURVES, 5)) == text


@pytest.mark.parametrize(
    ("curves", "match"),
    [
        ([0.1, 0.2], "curves must be two-dimensional, a row for each curve"),
        (np.zeros((0, 3)), "with at least 1 row and 1 column"),
        (np.zeros((3, 0)), "with at least 1 row and 1 column"),
        ([[0.1, 1.2]], r"curves must lie in \[0, 1\], without NaN. Got values from 0.1 to 1.2"),
        ([[0.1, np.nan]], "Got 1 NaN"),
        ([["a"]], "curves must hold real numbers"),
        ([[0.2, 0.1]], "curves must decrease neither"),
        ([[0.2], [0.1]], "curves must decrease neither"),
    ],
)
def test_curves_that_are_none_are_refused(curves, match):
    with pytest.raises(ValueError, match=match):
        LearnedTemplate(curves, 5)


def test_fewer_elements_than_ranks_are_refused():
    with pytest.raises(ValueError, match=r"n_elements must be an integer from 3 .* 3 ranks"):
        LearnedTemplate(CURVES, 2)


def test_p_values_that_are_not_in_order_are_refused():
    with pytest.raises(ValueError, match="smallest must be in ascending order in each row"):
        LearnedTemplate.from_smallest([[0.2, 0.1]], 5)


@pytest.mark.parametrize("k_max", [0, -1])
def test_no_ranks_are_refused(k_max):
    with pytest.raises(ValueError, match="k_max must be an integer from 1"):
        LearnedTemplate.from_p_values(CURVES, k_max)


def test_caches_know_a_template_again_after_pickling():
    template = LearnedTemplate.from_p_values(np.random.default_rng(0).random((40, 30)))
    again = pickle.loads(pickle.dumps(template))
    assert_array_equal(again.subjects, template.subjects)
    assert joblib.hash(again) == joblib.hash(template)
