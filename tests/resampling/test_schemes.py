"""Schemes of resampling: which is chosen, which permutations there are, and what they do."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from ari_estimator.resampling import (
    choose_scheme,
)
from ari_estimator.resampling._choose_scheme import crosses_variance_groups

from ._designs import (
    BETWEEN,
    CENTRED,
    IN_SUBJECT,
    MEAN,
    PAIRS,
    SITES,
    SLOPE,
    SUBJECTS,
    TWO_GROUPS,
    contrast_of,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def arrangements(scheme, draws, contrast):
    """Return what decides the statistic of each draw: regressors as the residuals meet them."""
    weights = [scheme.weights(draws, vector) for vector in contrast.basis.T]
    return np.round(np.stack(weights, axis=2).reshape(len(draws), -1), 8) + 0.0


def assert_each_once(scheme, contrast, n_distinct):
    assert scheme.n_distinct == n_distinct
    for n_permutations in (n_distinct, n_distinct + 1, 10 * n_distinct):
        draws = scheme.draws(n_permutations, np.random.default_rng(0))
        found = arrangements(scheme, draws, contrast)
        assert len(draws) == len(np.unique(found, axis=0)) == n_distinct
        assert_array_equal(found[0], np.round(contrast.basis, 8).ravel() + 0.0)
    draws = scheme.draws(n_distinct - 1, np.random.default_rng(0))
    assert len(draws) == n_distinct - 1


def test_all_ways_to_split_six_in_two_groups():
    columns = [[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]]
    contrast = contrast_of(columns, [1, -1])
    assert_each_once(choose_scheme("auto", contrast), contrast, 20)


def test_all_ways_to_split_groups_whose_members_are_mixed():
    groups = np.array([0, 1, 2, 1, 0, 1, 1])
    contrast = contrast_of(np.eye(3)[groups].T, [1, -2, 1])
    scheme = choose_scheme("auto", contrast)
    assert_each_once(scheme, contrast, math.factorial(7) // (2 * math.factorial(4)))


def test_all_orders_of_a_slope():
    contrast = contrast_of([5 * [1], [1, 2, 4, 8, 16]], [0, 1])
    assert_each_once(choose_scheme("auto", contrast), contrast, 120)


def test_all_ways_to_tell_one_from_very_many():
    # More of them than functions may call each other.
    columns = [1200 * [1], [1, *1199 * [0]]]
    contrast = contrast_of(columns, [0, 1])
    scheme = choose_scheme("auto", contrast)
    draws = scheme.draws(1200, np.random.default_rng(0))
    assert_array_equal(draws[0], np.arange(1200))
    # Each in the place of the one, once.
    assert_array_equal(np.sort(np.argmin(draws, axis=1)), np.arange(1200))


def test_rows_that_differ_in_nuisance_alone_are_told_apart():
    contrast = contrast_of([4 * [1], [0, 0, 1, 1], [1, 2, 5, 3]], [0, 1, 0])
    assert_each_once(choose_scheme("auto", contrast), contrast, 24)


def test_all_permutations_within_blocks():
    columns = [7 * [1], [1, 0, 0, 1, 1, 0, 1]]
    blocks = np.array([0, 0, 0, 1, 1, 1, 1])
    contrast = contrast_of(columns, [0, 1])
    scheme = choose_scheme("auto", contrast, blocks)
    assert_each_once(scheme, contrast, 3 * 4)


def test_all_permutations_of_whole_blocks():
    contrast = contrast_of(BETWEEN, [1, -1])
    assert_each_once(choose_scheme("auto", contrast, SUBJECTS), contrast, 6)
    # The rows of a subject differ in nuisance.
    contrast = contrast_of([*BETWEEN, IN_SUBJECT], [1, -1, 0])
    assert_each_once(choose_scheme("auto", contrast, SUBJECTS), contrast, 6)
    assert_each_once(choose_scheme("auto", contrast, SUBJECTS, "both"), contrast, 6 * 2**4)


def test_all_permutations_within_sites():
    contrast = contrast_of([[1, 1, 0, 0] * 2, [0, 0, 1, 1] * 2], [1, -1])
    assert_each_once(choose_scheme("auto", contrast, SITES), contrast, 2**2)


def test_rows_of_unequal_variance_are_told_apart():
    # Of two groups of 2 and 4 rows with variances of their own, split once more.
    contrast = contrast_of([[1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 1, 1]], [1, -1])
    groups = np.array([0, 1, 0, 0, 1, 1])
    one = choose_scheme("permutation", contrast)
    other = choose_scheme("permutation", contrast, variance_groups=groups)
    assert (one.n_distinct, other.n_distinct) == (15, 180)
    kinds = 10 * groups + np.array([1, 1, 0, 0, 0, 0])
    draws = other.draws(180, np.random.default_rng(0))
    assert len({tuple(kinds[draw]) for draw in draws}) == 180


def test_all_permutations_of_pairs():
    contrast = contrast_of(PAIRS, [1, 0, 0, 0, 0])
    scheme = choose_scheme("auto", contrast, np.array([0, 0, 1, 1, 2, 2, 3, 3]))
    assert_each_once(scheme, contrast, 2**4)


@pytest.mark.parametrize("n_subjects", [2, 5, 8])
def test_all_flips(n_subjects):
    contrast = contrast_of([n_subjects * [1]], [1])
    assert_each_once(choose_scheme("auto", contrast), contrast, 2**n_subjects)


def test_all_flips_of_units_of_a_table():
    # Single rows of one site, pairs of the other.
    levels = np.transpose([8 * [-1], 4 * [1] + 4 * [2], [1, 1, 1, 1, -1, -1, -2, -2]])
    contrast = contrast_of(MEAN, [1])
    assert_each_once(choose_scheme("auto", contrast, levels), contrast, 2 ** (4 + 2))


def test_rows_that_are_kept_are_not_flipped(rng):
    levels = np.transpose([8 * [-1], 3 * [1] + 5 * [-2]])
    scheme = choose_scheme("sign_flip", contrast_of(MEAN, [1]), levels)
    assert scheme.n_distinct == 2**3
    for draws in (scheme.draws(8, rng), scheme._random(30, rng)):
        assert draws.dtype == np.int8
        assert (draws[:, 3:] == 1).all()
        assert len(np.unique(draws, axis=0)) == 8


def test_all_flips_of_blocks():
    contrast = contrast_of(MEAN, [1])
    blocks = ["x", "y", "x", "z", "z", "z", "x", "y"]
    assert_each_once(choose_scheme("auto", contrast, blocks), contrast, 2**3)


def test_the_most_subjects_have_more_permutations_than_a_float_can_hold(rng):
    contrast = contrast_of([1000 * [1], rng.standard_normal(1000)], [0, 1])
    scheme = choose_scheme("auto", contrast)
    assert scheme.n_distinct == math.factorial(1000)
    assert scheme.draws(3, rng).shape == (3, 1000)


def test_the_bootstrap_has_no_end(rng):
    scheme = choose_scheme("bootstrap", contrast_of(MEAN, [1]))
    assert scheme.draws(10**5, rng).shape == (10**5, 8)


BLOCKS = np.array([0, 0, 1, 1, 1, 2, 2, 2])


def schemes():
    slope, mean = contrast_of(SLOPE, [0, 1]), contrast_of(MEAN, [1])
    between = contrast_of([*BETWEEN, SLOPE[1]], [1, -1, 0])
    return {
        "permutation of blocks": choose_scheme("permutation", between, SUBJECTS, "whole"),
        "permutation of both": choose_scheme("permutation", between, SUBJECTS, "both"),
        "permutation of a table": choose_scheme("permutation", slope, SITES),
        "sign_flip of a table": choose_scheme("sign_flip", mean, SITES),
        "sign_flip": choose_scheme("sign_flip", mean),
        "sign_flip of blocks": choose_scheme("sign_flip", mean, BLOCKS),
        "permutation": choose_scheme("permutation", slope),
        "permutation in blocks": choose_scheme("permutation", slope, BLOCKS),
        "bootstrap": choose_scheme("bootstrap", slope),
    }


@pytest.mark.parametrize("name", schemes())
def test_the_first_random_draw_is_the_data(name, rng):
    scheme = schemes()[name]
    draws = scheme._random(7, rng)
    residuals = rng.standard_normal((8, 3))
    assert draws.shape == (7, 8)
    assert_array_equal(scheme.resample(draws[0], residuals), residuals)
    others = [scheme.resample(draw, residuals) for draw in draws[1:]]
    assert not all((other == residuals).all() for other in others)


@pytest.mark.parametrize("name", schemes())
def test_the_same_seed_gives_the_same_draws(name):
    one, same, other = (
        schemes()[name]._random(20, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert_array_equal(one, same)
    assert (one != other).any()


@settings(max_examples=40)
@given(name=st.sampled_from(list(schemes())), seed=st.integers(0, 2**32 - 1))
def test_weights_of_residuals_are_products_with_resampled_ones(name, seed):
    rng = np.random.default_rng(seed)
    scheme = schemes()[name]
    draws = scheme._random(5, rng)
    vector, residuals = rng.standard_normal(8), rng.standard_normal((8, 3))
    expected = [vector @ scheme.resample(draw, residuals) for draw in draws]
    assert_allclose(scheme.weights(draws, vector) @ residuals, expected, atol=1e-13)


def test_draws_of_a_seed_are_those_of_earlier_versions():
    def rng():
        return np.random.default_rng(11)

    found = {name: scheme._random(30, rng()) for name, scheme in schemes().items()}
    signs = 1 - 2 * rng().integers(0, 2, size=(30, 8), dtype=np.int8)
    signs[0] = 1
    assert_array_equal(found["sign_flip"], signs)
    signs = 1 - 2 * rng().integers(0, 2, size=(30, 3), dtype=np.int8)
    signs[0] = 1
    assert_array_equal(found["sign_flip of blocks"], signs[:, BLOCKS])
    orders = np.tile(np.arange(8), (30, 1))
    orders[1:] = rng().permuted(orders[1:], axis=1)
    assert_array_equal(found["permutation"], orders)
    orders, drawing = np.tile(np.arange(8), (30, 1)), rng()
    for block in range(3):
        members = np.flatnonzero(block == BLOCKS)
        orders[1:, members] = drawing.permuted(orders[1:, members], axis=1)
    assert_array_equal(found["permutation in blocks"], orders)
    draws = rng().integers(0, 8, size=(30, 8))
    draws[0] = np.arange(8)
    assert_array_equal(found["bootstrap"], draws)


@pytest.mark.parametrize("name", schemes())
def test_one_draw_is_the_data(name, rng):
    residuals = rng.standard_normal((8, 3))
    draws = schemes()[name].draws(1, rng)
    assert len(draws) == 1
    assert_array_equal(schemes()[name].resample(draws[0], residuals), residuals)


GROUPINGS = {
    "one": np.zeros(8, dtype=int),
    "two": np.array(TWO_GROUPS[1]),
    "of blocks": BLOCKS,
    "of subjects": np.array(SUBJECTS),
    "of rows of a subject": np.array(IN_SUBJECT),
    "of sites": np.repeat([0, 1], 4),
}


@pytest.mark.parametrize("groups", GROUPINGS)
@pytest.mark.parametrize("name", schemes())
def test_squares_are_kept_in_groups_of_rows_that_stay(name, groups, rng):
    scheme, groups = schemes()[name], GROUPINGS[groups]
    residuals = rng.standard_normal((8, 3))
    members = np.equal.outer(np.arange(groups.max() + 1), groups)
    squares = [members @ scheme.resample(draw, residuals) ** 2 for draw in scheme._random(60, rng)]
    are_kept = np.allclose(squares, squares[0], rtol=1e-12)
    assert scheme.keeps_squares(groups) == are_kept
    assert crosses_variance_groups(scheme, groups) != are_kept


def test_signs_are_balanced_and_independent(rng):
    signs = schemes()["sign_flip"]._random(4001, rng)[1:].astype(float)
    assert set(np.unique(signs)) == {-1, 1}
    # In standard errors of what is expected of 4,000 fair coins, or pairs of them.
    assert np.abs(signs.sum(axis=0) / 4000**0.5).max() < 4
    assert np.abs((signs.T @ signs)[np.triu_indices(8, 1)] / 4000**0.5).max() < 4


def test_blocks_are_flipped_as_one(rng):
    signs = schemes()["sign_flip of blocks"]._random(200, rng)
    for block in range(3):
        assert (np.ptp(signs[:, block == BLOCKS], axis=1) == 0).all()
    assert len(np.unique(signs, axis=0)) == 8


def assert_uniform(draws, members):
    """Assert that each of the members is in each of their places as often as any other."""
    n = len(draws)
    expected = n / members.size
    for place in members:
        counts = np.bincount(draws[:, place], minlength=8)[members]
        assert counts.sum() == n
        spread = (expected * (1 - 1 / members.size)) ** 0.5
        assert np.abs((counts - expected) / spread).max() < 4.5


def test_permutations_are_balanced(rng):
    draws = schemes()["permutation"]._random(4001, rng)[1:]
    assert_array_equal(np.sort(draws, axis=1), np.tile(np.arange(8), (4000, 1)))
    assert_uniform(draws, np.arange(8))


def test_permutations_stay_within_blocks(rng):
    draws = schemes()["permutation in blocks"]._random(4001, rng)[1:]
    assert_array_equal(BLOCKS[draws], np.tile(BLOCKS, (4000, 1)))
    assert_array_equal(np.sort(draws, axis=1), np.tile(np.arange(8), (4000, 1)))
    for block in range(3):
        assert_uniform(draws, np.flatnonzero(block == BLOCKS))


def test_the_bootstrap_draws_each_subject_as_often(rng):
    draws = schemes()["bootstrap"]._random(4001, rng)[1:]
    assert_uniform(draws, np.arange(8))
    assert any(np.unique(draw).size < 8 for draw in draws)


@pytest.mark.parametrize(
    ("columns", "weights", "blocks", "n_varying"),
    [
        (SLOPE, [0, 1], None, 0),
        ([*SLOPE, CENTRED[1]], [0, 1, 0], None, 1),
        ([*TWO_GROUPS, SLOPE[1]], [0, 0, 1], None, 1),
        # Group by group, the groups are constant.
        ([*TWO_GROUPS, SLOPE[1]], [0, 0, 1], [0, 0, 0, 1, 1, 1, 1, 1], 0),
        # A covariate that is nearly constant in blocks.
        (
            [*TWO_GROUPS, SLOPE[1], [0, 1, 0, 9, 8, 9, 9, 8]],
            [0, 0, 1, 0],
            [0, 0, 0, 1, 1, 1, 1, 1],
            1,
        ),
        (PAIRS, [1, 0, 0, 0, 0], [0, 0, 1, 1, 2, 2, 3, 3], 0),
        (PAIRS, [1, 0, 0, 0, 0], None, 3),
        ([*PAIRS, SLOPE[1]], [1, 0, 0, 0, 0, 0], [0, 0, 1, 1, 2, 2, 3, 3], 1),
        # Whole subjects: what is the same in each of their places stays.
        ([*BETWEEN, IN_SUBJECT], [1, -1, 0], SUBJECTS, 0),
        ([*BETWEEN, SLOPE[1]], [1, -1, 0], SUBJECTS, 1),
        # F: fewer nuisance variables are left.
        ([*SLOPE, CENTRED[1]], [[0, 1, 0], [0, 0, 1]], None, 0),
        ([*PAIRS, SLOPE[1], [2, 7, 1, 8, 2, 8, 1, 8]], np.eye(7)[[0, 5]], None, 4),
        ([*PAIRS, SLOPE[1], [2, 7, 1, 8, 2, 8, 1, 8]], np.eye(7)[[0, 5]], SUBJECTS, 1),
    ],
)
def test_nuisance_that_permuted_residuals_stay_orthogonal_to(
    columns, weights, blocks, n_varying, rng
):
    contrast = contrast_of(columns, weights)
    scheme = choose_scheme("permutation", contrast, None if blocks is None else np.array(blocks))
    varying = scheme.varying_nuisance(contrast)
    assert varying.shape == (8, n_varying)
    assert_allclose(varying.T @ varying, np.eye(n_varying), atol=1e-12)
    residuals = contrast.without_nuisance(rng.standard_normal((8, 5)))
    for draw in scheme._random(20, rng):
        resampled = scheme.resample(draw, residuals)
        # What all of the nuisance explains is what the varying part of it explains.
        of_all = ((contrast.nuisance.T @ resampled) ** 2).sum(axis=0)
        assert_allclose(((varying.T @ resampled) ** 2).sum(axis=0), of_all, atol=1e-12)


def test_nuisance_varies_with_signs_and_with_the_bootstrap(rng):
    contrast = contrast_of([*CENTRED, SLOPE[1]], [1, 0, 0])
    for name in ("sign_flip", "bootstrap"):
        varying = choose_scheme(name, contrast).varying_nuisance(contrast)
        assert_allclose(varying @ varying.T, contrast.nuisance @ contrast.nuisance.T, atol=1e-12)


def test_what_is_resampled_is_orthogonal_to_nuisance_or_design(rng):
    contrast = contrast_of([*SLOPE, CENTRED[1]], [0, 1, 0])
    data = rng.standard_normal((8, 3))
    permuted = choose_scheme("permutation", contrast).residuals(contrast, data)
    assert_allclose(permuted, contrast.without_nuisance(data))
    drawn = choose_scheme("bootstrap", contrast).residuals(contrast, data)
    assert_allclose(drawn, contrast.without_design(data), atol=1e-14)


def test_the_bootstrap_draws_residuals_of_mean_zero_without_an_intercept(rng):
    contrast = contrast_of([SLOPE[1]], [1])
    data = rng.standard_normal((8, 3)) + 10
    scheme = choose_scheme("bootstrap", contrast)
    residuals = scheme.residuals(contrast, data)
    assert_allclose(residuals.mean(axis=0), 0, atol=1e-13)
    fit = contrast.directions @ (contrast.directions.T @ data)
    assert_allclose(residuals, (data - fit) - (data - fit).mean(axis=0), atol=1e-13)
