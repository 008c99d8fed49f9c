"""Contrasts as directions: t and F from partial correlations are those of least squares."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from ari_estimator.resampling import find_contrast

from ._brute_force import least_squares_f, least_squares_t, nuisance_columns


def t_of(data, design, contrast):
    """Return t values from partial correlations, as the class says that they can be had."""
    found = find_contrast(design, contrast)
    residuals = found.without_nuisance(data)
    r = found.directions[:, 0] @ residuals / np.linalg.norm(residuals, axis=0)
    return r * np.sqrt(found.df / (1 - r**2))


def f_of(data, design, contrast):
    """Return F values from multiple correlations, as the class says that they can be had."""
    found = find_contrast(design, contrast)
    residuals = found.without_nuisance(data)
    explained = ((found.directions.T @ residuals) ** 2).sum(axis=0)
    r_squared = explained / (residuals**2).sum(axis=0)
    return r_squared / found.rank / ((1 - r_squared) / found.df)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_one_sample(rng):
    data = rng.standard_normal((11, 5)) + 0.3
    expected = stats.ttest_1samp(data, 0)
    assert_allclose(t_of(data, np.ones((11, 1)), [1]), expected.statistic, rtol=1e-12)
    assert find_contrast(np.ones((11, 1)), [1]).df == expected.df[0]


def test_two_samples_of_other_sizes(rng):
    data = rng.standard_normal((13, 5))
    group = np.repeat([True, False], [5, 8])
    expected = stats.ttest_ind(data[group], data[~group]).statistic
    of_dummies = t_of(data, np.column_stack([group, ~group]), [1, -1])
    of_difference = t_of(data, np.column_stack([np.ones(13), group]), [0, 1])
    assert_allclose(of_dummies, expected, rtol=1e-12)
    assert_allclose(of_difference, expected, rtol=1e-12)


def test_slope(rng):
    x, data = rng.standard_normal(12), rng.standard_normal((12, 4))
    fits = [stats.linregress(x, y) for y in data.T]
    expected = [fit.slope / fit.stderr for fit in fits]
    assert_allclose(t_of(data, np.column_stack([np.ones(12), x]), [0, 1]), expected, rtol=1e-12)


def test_slope_beside_nuisance(rng):
    design = np.column_stack([np.ones(20), rng.standard_normal((20, 3))])
    data = rng.standard_normal((20, 4))
    for contrast in np.vstack([np.eye(4), rng.standard_normal((3, 4))]):
        expected = least_squares_t(data, design, contrast)
        assert_allclose(t_of(data, design, contrast), expected, rtol=1e-11)


def test_pairs_with_a_column_for_each_subject(rng):
    before, after = rng.standard_normal((2, 9, 4))
    subject = np.vstack([np.eye(9), np.eye(9)])
    design = np.column_stack([np.repeat([0, 1], 9), subject])
    expected = stats.ttest_rel(after, before).statistic
    contrast = [1] + 9 * [0]
    assert_allclose(t_of(np.vstack([before, after]), design, contrast), expected, rtol=1e-11)
    assert find_contrast(design, contrast).df == 8


def test_columns_that_depend_on_each_other(rng):
    data = rng.standard_normal((13, 5))
    group = np.repeat([True, False], [5, 8])
    design = np.column_stack([np.ones(13), group, ~group])
    found = find_contrast(design, [0, 1, -1])
    assert found.df == 11
    assert found.nuisance.shape == (13, 1)
    expected = stats.ttest_ind(data[group], data[~group]).statistic
    assert_allclose(t_of(data, design, [0, 1, -1]), expected, rtol=1e-12)


@settings(max_examples=60)
@given(
    n_subjects=st.integers(3, 15),
    n_columns=st.integers(1, 5),
    is_discrete=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_design(n_subjects, n_columns, is_discrete, seed):
    rng = np.random.default_rng(seed)
    design = rng.standard_normal((n_subjects, n_columns))
    if is_discrete:
        design = np.round(design)
    # A row of the row space, so that it can be estimated, whatever the rank.
    contrast = design.T @ rng.standard_normal(n_subjects)
    rank = np.linalg.matrix_rank(design)
    if rank == 0 or rank == n_subjects:
        return
    found = find_contrast(design, contrast)
    assert found.df == n_subjects - rank
    assert found.n_subjects == n_subjects
    assert_allclose(found.basis.T @ found.basis, np.eye(rank), atol=1e-12)
    # The basis is of the design, its first direction is orthogonal to the nuisance alone.
    assert_allclose(found.without_design(design), 0, atol=1e-9)
    assert (found.rank, found.is_f) == (1, False)
    assert_allclose(found.directions.T @ nuisance_columns(design, contrast), 0, atol=1e-8)
    data = rng.standard_normal((n_subjects, 3))
    assert_allclose(
        t_of(data, design, contrast), least_squares_t(data, design, contrast), rtol=1e-6
    )


@settings(max_examples=60)
@given(
    n_subjects=st.integers(3, 15),
    n_columns=st.integers(1, 5),
    n_rows=st.integers(1, 6),
    is_discrete=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_f_contrast(n_subjects, n_columns, n_rows, is_discrete, seed):
    rng = np.random.default_rng(seed)
    design = rng.standard_normal((n_subjects, n_columns))
    if is_discrete:
        design = np.round(design)
    # Rows of the row space, which may depend on each other.
    contrast = rng.standard_normal((n_rows, n_subjects)) @ design
    rank, of_design = np.linalg.matrix_rank(contrast), np.linalg.matrix_rank(design)
    if of_design in (0, n_subjects):
        return
    found = find_contrast(design, contrast)
    assert (found.df, found.rank, found.is_f) == (n_subjects - of_design, rank, n_rows > 1)
    assert found.directions.shape == (n_subjects, rank)
    assert_allclose(found.basis.T @ found.basis, np.eye(of_design), atol=1e-12)
    assert_allclose(found.without_design(design), 0, atol=1e-9)
    assert_allclose(found.directions.T @ nuisance_columns(design, contrast), 0, atol=1e-7)
    data = rng.standard_normal((n_subjects, 3))
    assert_allclose(
        f_of(data, design, contrast), least_squares_f(data, design, contrast), rtol=1e-6
    )


def test_f_of_groups_is_the_analysis_of_variance(rng):
    sizes = [4, 6, 5]
    group = np.repeat(np.arange(3), sizes)
    data = rng.standard_normal((15, 5))
    expected = stats.f_oneway(*(data[group == i] for i in range(3))).statistic
    means = np.eye(3)[group]
    for rows in ([[1, -1, 0], [0, 1, -1]], [[1, -1, 0], [0, 1, -1], [1, 0, -1]]):
        assert_allclose(f_of(data, means, rows), expected, rtol=1e-11)
        assert find_contrast(means, rows).rank == 2
    beside_mean = np.column_stack([np.ones(15), means[:, 1:]])
    assert_allclose(f_of(data, beside_mean, [[0, 1, 0], [0, 0, 1]]), expected, rtol=1e-11)


def test_f_of_one_direction_is_the_square_of_t(rng):
    design = np.column_stack([np.ones(10), rng.standard_normal((10, 2))])
    data = rng.standard_normal((10, 4))
    t = t_of(data, design, [0, 2, -1])
    rows = [[0, 2, -1], [0, -4, 2]]
    assert_allclose(f_of(data, design, rows), t**2, rtol=1e-10)
    found = find_contrast(design, rows)
    assert (found.is_f, found.rank) == (True, 1)
    # A single row in a matrix is a t contrast.
    assert not find_contrast(design, [[0, 2, -1]]).is_f


def test_the_scale_of_rows_does_not_matter(rng):
    design = np.column_stack([np.ones(10), rng.standard_normal((10, 2))])
    data = rng.standard_normal((10, 4))
    one = f_of(data, design, [[0, 1, 0], [0, 1, 1]])
    assert_allclose(f_of(data, design, [[0, 1e-6, 0], [0, 1e6, 1e6]]), one, rtol=1e-9)


def test_the_sign_of_t_is_that_of_the_contrast(rng):
    design = np.column_stack([np.ones(10), rng.standard_normal((10, 2))])
    data = rng.standard_normal((10, 4))
    forwards, backwards = t_of(data, design, [0, 2, -1]), t_of(data, design, [0, -2, 1])
    assert_allclose(forwards, -backwards, rtol=1e-12)
    assert (t_of(design[:, [1]], design[:, :2] + 0.1 * data[:, :2], [0, 1]) > 0).all()


def test_the_scale_of_the_contrast_does_not_matter(rng):
    design = np.column_stack([np.ones(10), rng.standard_normal((10, 2))])
    data = rng.standard_normal((10, 4))
    one = t_of(data, design, [0.0, 1, 3])
    assert_allclose(t_of(data, design, [0, 1e-9, 3e-9]), one, rtol=1e-11)
    assert_allclose(t_of(data, design, [[0, 10**9, 3 * 10**9]]), one, rtol=1e-11)


@pytest.mark.parametrize("scale", [1e-20, 1e-8, 1e8, 1e20])
def test_the_units_of_a_column_do_not_matter(rng, scale):
    x, data = rng.standard_normal(12), rng.standard_normal((12, 4))
    one = t_of(data, np.column_stack([np.ones(12), x]), [0, 1])
    assert_allclose(t_of(data, np.column_stack([np.ones(12), x * scale]), [0, 1]), one, rtol=1e-9)


def test_a_column_far_from_zero(rng):
    # Seconds since 1970, within some minutes.
    x, data = rng.standard_normal(30), rng.standard_normal((30, 4))
    one = t_of(data, np.column_stack([np.ones(30), x]), [0, 1])
    design = np.column_stack([np.ones(30), 1.6e9 + 100 * x])
    found = find_contrast(design, [0, 1])
    assert found.explains_mean()
    assert_allclose(t_of(data, design, [0, 1]), one, rtol=1e-5)


def test_boolean_and_integer_designs():
    found = find_contrast(np.array([[True], [True], [True]]), np.array([1], dtype=np.uint8))
    assert_allclose(found.directions, 3**-0.5)
    assert found.nuisance.shape == (3, 0)


def test_residuals_are_orthogonal_to_what_they_are_without(rng):
    found = find_contrast(rng.standard_normal((10, 3)), [1, 0, 2])
    data = rng.standard_normal((10, 4))
    assert_allclose(found.nuisance.T @ found.without_nuisance(data), 0, atol=1e-14)
    assert_allclose(found.basis.T @ found.without_design(data), 0, atol=1e-14)


@pytest.mark.parametrize(
    ("design", "contrast", "explains"),
    [
        (np.ones((6, 1)), [1], False),
        ([[1, 0], [1, 1], [1, 2], [1, 5]], [0, 1], True),
        ([[1, 0], [1, 1], [1, 2], [1, 5]], [1, 0], False),
        ([[1, -1], [1, 1], [1, -1], [1, 1]], [1, 0], False),
        ([[1, 0], [1, 0], [0, 1], [0, 1]], [1, -1], True),
        ([[1, 0], [1, 0], [0, 1], [0, 1]], [1, 1], False),
        ([[1, 0], [1, 0], [0, 1], [0, 1]], [1, 0], False),
        ([[1, 0], [1, 0], [1, 0], [0, 1], [0, 1]], [1, -1], True),
        ([[1], [2], [3]], [1], False),
        # The mean is there, though no column is constant.
        ([[1, 3, 1], [2, 2, 0], [3, 1, 0], [0, 4, 1], [4, 0, 7]], [0, 0, 1], True),
    ],
)
def test_whether_the_nuisance_has_the_mean(design, contrast, explains):
    assert find_contrast(design, contrast).explains_mean() is explains


GROUPS = [[1, 0], [1, 0], [0, 1], [0, 1]]


@pytest.mark.parametrize(
    ("design", "contrast", "message"),
    [
        ([1, 1, 1], [1], "shape (3,)"),
        (np.ones((2, 2, 2)), [1, 0], "shape (2, 2, 2)"),
        (np.ones((0, 1)), [1], "shape (0, 1)"),
        (np.ones((3, 0)), [], "shape (3, 0)"),
        (np.ones((3, 1), dtype=complex), [1], "complex128"),
        ([["a"], ["b"], ["c"]], [1], "design must be numbers"),
        (np.ones((3, 1), dtype=object), [1], "object"),
        ([[1], [np.nan], [1]], [1], "design must be finite"),
        ([[1], [np.inf], [1]], [1], "design must be finite"),
        (np.zeros((3, 1)), [1], "contrast [1.0] is not estimable"),
        (GROUPS, [1], "contrast must be 2 numbers"),
        (GROUPS, [1, 0, 0], "shape (3,)"),
        (GROUPS, 1, "shape ()"),
        (GROUPS, np.ones((1, 1, 2)), "shape (1, 1, 2)"),
        (GROUPS, ["a", "b"], "or several rows of 2 numbers for an F contrast. Got ['a', 'b']"),
        (GROUPS, [1j, 0], "complex128"),
        (GROUPS, np.eye(3), "or several rows of 2 numbers for an F contrast. Got shape (3, 3)"),
        (GROUPS, np.empty((0, 2)), "Got shape (0, 2)"),
        (GROUPS, [0, 0], "contrast must be finite and not 0"),
        (GROUPS, [[0, 0], [0, 0]], "contrast must be finite and not 0. Got [[0, 0], [0, 0]]"),
        (GROUPS, [[1, -1], [0, np.nan]], "contrast must be finite and not 0"),
        (GROUPS, [1, np.nan], "contrast must be finite and not 0"),
        (GROUPS, [np.inf, 0], "contrast must be finite and not 0"),
        ([[1, 1, 0], [1, 1, 0], [1, 0, 1], [1, 0, 1]], [1, 0, 0], "is not estimable"),
        (
            [[1, 1, 0], [1, 1, 0], [1, 0, 1], [1, 0, 1]],
            [[0, 1, -1], [1, 0, 0]],
            "contrast [[0.0, 1.0, -1.0], [1.0, 0.0, 0.0]] is not estimable",
        ),
        ([[1, 0], [0, 1]], [1, -1], "2 subjects for a design of rank 2"),
        ([[1]], [1], "1 subjects for a design of rank 1"),
        (np.ones((2, 3)), [1, 1], "contrast must be 3 numbers"),
    ],
)
def test_what_cannot_be_tested(design, contrast, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        find_contrast(design, contrast)


@pytest.mark.parametrize("stat_type", [None, "t", "F"])
def test_one_row_is_tested_by_t_or_by_f(stat_type):
    found = find_contrast(GROUPS, [1, -1], stat_type)
    assert found.is_f == (stat_type == "F")
    assert_array_equal(found.directions, find_contrast(GROUPS, [1, -1]).directions)


@pytest.mark.parametrize(
    ("contrast", "stat_type", "message"),
    [
        (
            [[1, -1], [2, -2]],
            "t",
            "stat_type must be 'F' or None for a contrast of 2 rows. Got 't'",
        ),
        ([1, -1], "G", "stat_type must be 't', 'F' or None. Got 'G'"),
    ],
)
def test_types_that_do_not_go_with_a_contrast(contrast, stat_type, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        find_contrast(GROUPS, contrast, stat_type)
