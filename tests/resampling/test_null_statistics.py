"""Statistics under resampling, against least squares on resampled data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from ari_estimator.resampling import (
    CorrelationTail,
    LinearModelStatistics,
    check_blocks,
    choose_scheme,
    find_contrast,
)
from ari_estimator.resampling._null_statistics import BLOCK

from ._brute_force import bootstrap_t, correlation, freedman_lane_t, least_squares_t

N = 12
RNG = np.random.default_rng(8)
ONES = np.ones(N)
GROUP = np.repeat([1.0, 0.0], [5, 7])
CENTRED = np.linspace(-1, 1, N)
AGE = RNG.integers(20, 70, N).astype(float)
PAIRS = np.repeat(np.arange(6), 2)
MANY = RNG.standard_normal((N, 8))

# Columns of the design, contrast, scheme, blocks.
CASES = {
    "mean": (ONES, [1], "sign_flip", None),
    "mean of blocks": (ONES, [1], "sign_flip", PAIRS),
    "mean beside a covariate": (np.column_stack([ONES, CENTRED]), [1, 0], "sign_flip", None),
    "intercept": (np.column_stack([ONES, AGE]), [1, 0], "sign_flip", None),
    "through the origin": (np.column_stack([AGE, GROUP]), [1, 0], "sign_flip", PAIRS),
    "two groups": (np.column_stack([GROUP, 1 - GROUP]), [1, -1], "permutation", None),
    "groups and age": (
        np.column_stack([GROUP, 1 - GROUP, AGE]),
        [1, -1, 0],
        "permutation",
        None,
    ),
    "age in groups": (
        np.column_stack([GROUP, 1 - GROUP, AGE]),
        [0, 0, 1],
        "permutation",
        GROUP,
    ),
    "pairs": (
        np.column_stack([np.tile([0, 1], 6), np.eye(6)[PAIRS]]),
        [1] + 6 * [0],
        "permutation",
        PAIRS,
    ),
    "pairs and age": (
        np.column_stack([np.tile([0, 1], 6), AGE, np.eye(6)[PAIRS]]),
        [1] + 7 * [0],
        "permutation",
        PAIRS,
    ),
    # Nuisance may explain nearly all of what was resampled.
    "permuted with much nuisance": (
        np.column_stack([ONES, MANY]),
        [0, 1] + 7 * [0],
        "permutation",
        None,
    ),
    "flipped with much nuisance": (MANY, [1] + 7 * [0], "sign_flip", None),
    "bootstrap of the mean": (ONES, [1], "bootstrap", None),
    "bootstrap of groups and age": (
        np.column_stack([GROUP, 1 - GROUP, AGE]),
        [1, -1, 0],
        "bootstrap",
        None,
    ),
    "bootstrap with much nuisance": (
        np.column_stack([ONES, MANY]),
        [0, 1] + 7 * [0],
        "bootstrap",
        None,
    ),
}


def statistics_of(
    data, columns, contrast, name, blocks, *, n_permutations=60, two_sided=False, seed=0
):
    columns = np.atleast_2d(columns.T).T
    found = find_contrast(columns, contrast)
    scheme = choose_scheme(name, found, check_blocks(blocks, len(data)))
    draws = scheme.draws(n_permutations, np.random.default_rng(seed))
    return LinearModelStatistics(data, found, scheme, draws, two_sided), scheme, draws


def brute_force_t(data, columns, contrast, name, scheme, draw):
    data = data.astype(float)
    columns = np.atleast_2d(columns.T).T
    if name == "bootstrap":
        return bootstrap_t(data, columns, contrast, draw)
    return freedman_lane_t(data, columns, contrast, lambda e: scheme.resample(draw, e))


def all_blocks(null):
    return np.concatenate(
        [
            null.block(start, min(start + BLOCK, null.n_permutations))
            for start in range(0, null.n_permutations, BLOCK)
        ]
    )


@pytest.fixture
def data():
    rng = np.random.default_rng(1)
    data = rng.standard_normal((N, 40)) + rng.standard_normal(40)
    data[:, 10:20] = rng.standard_t(2, (N, 10))
    data[:, 20:30] = np.round(data[:, 20:30])
    data[:, 30:] *= 10.0 ** np.arange(-5, 5)
    # One subject unlike all others.
    data[3, 35:] *= 1e4
    return data


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES)
def test_statistics_are_those_of_least_squares_on_resampled_data(case, data, dtype):
    columns, contrast, name, blocks = CASES[case]
    data = data.astype(dtype)
    null, scheme, draws = statistics_of(data, *CASES[case])
    df = null.tail.df
    observed = least_squares_t(data.astype(float), np.atleast_2d(columns.T).T, contrast)
    expected = [
        observed,
        *(brute_force_t(data, columns, contrast, name, scheme, draw) for draw in draws[1:]),
    ]
    assert null.n_permutations == len(draws)
    blocks = all_blocks(null)
    assert blocks.dtype == np.float32
    assert blocks.shape == (len(draws), 40)
    in_double = null.of_elements(slice(0, 40))
    for i, t in enumerate(expected):
        # Where nothing is left of the residuals but rounding, the two may round differently.
        left = np.ones(40, bool) if i == 0 else np.abs(t) < 1e6
        r = correlation(t, df)
        assert_allclose(null.exact_t(i)[left], t[left], rtol=1e-9, atol=1e-9)
        assert_allclose(in_double[i][left], r[left], rtol=0, atol=1e-10)
        assert np.abs(blocks[i] - r)[left].max() <= null.error
    assert null.error < 1e-4
    assert np.isfinite(blocks).all()
    assert np.isfinite(in_double).all()


@settings(deadline=None, max_examples=30)
@given(
    case=st.sampled_from(list(CASES)),
    seed=st.integers(0, 2**32 - 1),
    log_spread=st.floats(-3, 3),
    mean=st.sampled_from([0, 1, 1e3]),
)
def test_rounding_errors_are_bounded(case, seed, log_spread, mean):
    rng = np.random.default_rng(seed)
    scales = 10.0 ** rng.uniform(-abs(log_spread), abs(log_spread), (N, 100))
    data = mean + rng.standard_normal((N, 100)) * scales
    null, _, _ = statistics_of(data, *CASES[case], n_permutations=30, seed=seed)
    found = all_blocks(null)
    exact = [correlation(null.exact_t(draw), null.tail.df) for draw in range(null.n_permutations)]
    assert np.abs(found - exact).max() <= null.error


@pytest.mark.parametrize("case", CASES)
def test_the_first_draw_is_the_data(case, data):
    columns, contrast, *_ = CASES[case]
    null, _, _ = statistics_of(data, *CASES[case])
    t = least_squares_t(data, np.atleast_2d(columns.T).T, contrast)
    assert_allclose(null.exact_t(0), t, rtol=1e-9, atol=1e-12)
    assert_allclose(null.block(0, 1)[0], correlation(t, null.tail.df), atol=null.error)
    assert_allclose(null.of_elements(slice(0, 40))[0], correlation(t, null.tail.df), atol=1e-12)
    assert_array_equal(null.exact_t(0), null.exact_t(0))
    null.exact_t(0)[:] = 0
    assert null.exact_t(0).any()


def test_p_values_of_the_data_are_those_of_a_t_test(data):
    for two_sided, alternative in ((False, "greater"), (True, "two-sided")):
        null, *_ = statistics_of(data, *CASES["mean"], two_sided=two_sided)
        expected = stats.ttest_1samp(data, 0, alternative=alternative).pvalue
        assert_allclose(null.exact_p_values(0), expected, rtol=1e-9)


@pytest.mark.parametrize("case", CASES)
def test_some_elements(case, data):
    null, *_ = statistics_of(data, *CASES[case])
    whole = null.of_elements(slice(0, 40))
    assert whole.dtype == np.float64
    assert_allclose(null.of_elements(slice(7, 19)), whole[:, 7:19], atol=1e-12)
    keep = np.random.default_rng(0).random(40) < 0.5
    kept = null.select(keep)
    assert (kept.n_elements, kept.n_permutations) == (keep.sum(), null.n_permutations)
    assert kept.tail == null.tail
    assert_allclose(kept.of_elements(slice(None)), whole[:, keep], atol=1e-12)
    assert_allclose(kept.exact_t(3), null.exact_t(3)[keep], rtol=1e-12)
    assert_array_equal(kept.is_constant, null.is_constant[keep])
    again = kept.select(np.arange(kept.n_elements) % 2 == 0)
    assert_allclose(again.exact_t(3), null.exact_t(3)[keep][::2], rtol=1e-12)


def test_more_elements_than_fit_in_a_stride(monkeypatch, data):
    one, *_ = statistics_of(data, *CASES["permuted with much nuisance"])
    monkeypatch.setattr("ari_estimator.resampling._null_statistics._STRIDE", 7)
    other, *_ = statistics_of(data, *CASES["permuted with much nuisance"])
    assert_allclose(all_blocks(one), all_blocks(other), atol=2e-7)
    assert_allclose(one.exact_t(5), other.exact_t(5), rtol=1e-12)


def test_blocks_do_not_depend_on_those_before(data):
    null, *_ = statistics_of(data, *CASES["groups and age"], n_permutations=110)
    last = null.block(100, 110)
    assert_array_equal(all_blocks(null)[100:], last)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("value", [0, 0.1, 1 / 3, -123.456, 1e6 + 0.1, 1e-12, 1e12])
def test_constant_elements_have_no_effect(case, value):
    columns, contrast, *_ = CASES[case]
    rng = np.random.default_rng(0)
    for in_nuisance in (True, False):
        data = rng.standard_normal((N, 4))
        data[:, 2] = value
        if not in_nuisance:  # what the design explains is constant, too: no residuals
            data[:, 2] *= np.atleast_2d(columns.T).T @ rng.integers(1, 4, len(contrast))
        elif name_is_without_mean(case):
            continue
        with np.errstate(all="raise", under="ignore"):
            null, *_ = statistics_of(data, *CASES[case])
            assert_array_equal(null.is_constant, [False, False, True, False])
            found = all_blocks(null)
            in_double = null.of_elements(slice(0, 4))
            exact = np.array([null.exact_t(draw) for draw in range(null.n_permutations)])
        for values in (found, in_double, exact):
            assert np.isfinite(values).all()
            assert (values[:, 2] == 0).all()
            assert (values[:, [0, 1, 3]] != 0).all()


def name_is_without_mean(case):
    columns, contrast, *_ = CASES[case]
    found = find_contrast(np.atleast_2d(columns.T).T, contrast)
    return np.abs(found.without_design(np.ones(found.n_subjects))).max() > 1e-6


@pytest.mark.parametrize("n_subjects", [5, 100, 3000, 30_000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_constants_are_found_beside_covariates_far_from_zero(n_subjects, dtype):
    rng = np.random.default_rng(0)
    year = 1980 + 10 * rng.standard_normal(n_subjects)
    design = np.column_stack([np.ones(n_subjects), year])
    data = np.array([0.1, 1 / 3, 100.7, 1e6 + 0.1, 1e-20]) * np.ones((n_subjects, 1))
    with_noise = data * (1 + 1e-5 * rng.standard_normal(data.shape))
    for contrast in ([0, 1], [1, 0]):
        both = np.hstack([data, with_noise]).astype(dtype)
        null, *_ = statistics_of(both, design, contrast, "auto", None, n_permutations=3)
        assert_array_equal(null.is_constant, np.repeat([True, False], 5))


def test_large_means_keep_their_digits():
    # Sums are exact: a million plus multiples of 2^-20.
    rng = np.random.default_rng(0)
    noise = np.round(rng.standard_normal((N, 20)) * 2**20) / 2**20
    data = 1e6 + noise
    for case in ("two groups", "groups and age", "pairs"):
        near, far = (statistics_of(y, *CASES[case])[0] for y in (noise, data))
        for draw in (0, 1, 7):
            assert_allclose(far.exact_t(draw), near.exact_t(draw), rtol=1e-7, atol=1e-7)
        assert np.abs(all_blocks(far) - all_blocks(near)).max() <= 2 * near.error
    null, _, draws = statistics_of(data, *CASES["mean"])
    expected = (1e6 + noise.mean(axis=0)) / (noise.std(axis=0, ddof=1) / N**0.5)
    assert_allclose(null.exact_t(0), expected, rtol=1e-8)
    flipped = data * draws[5][:, np.newaxis]
    assert_allclose(null.exact_t(5), stats.ttest_1samp(flipped, 0).statistic, rtol=1e-12)


def test_flips_that_make_discrete_data_constant():
    data = np.array([[1, 2], [-1, 2], [1, 3], [1, -2]], dtype=float)
    null, _, draws = statistics_of(data, np.ones(4), [1], "auto", None, n_permutations=16)
    row = np.flatnonzero((draws == [1, -1, 1, 1]).all(axis=1))[0]
    mirrored = np.flatnonzero((draws == [-1, 1, -1, -1]).all(axis=1))[0]
    assert null.exact_t(row)[0] == np.inf
    assert null.exact_p_values(row)[0] == 0
    assert null.exact_t(mirrored)[0] == -np.inf
    assert null.exact_p_values(mirrored)[0] == 1
    found = all_blocks(null)
    assert_allclose(found[[row, mirrored], 0], [1, -1], atol=null.error)
    assert not null.is_constant.any()
    assert_allclose(null.of_elements(slice(0, 2))[[row, mirrored], 0], [1, -1], atol=1e-12)


def test_resamples_that_nuisance_explains_have_no_effect():
    # Resampled residuals are constant, or as the nuisance: 0 / 0.
    data = np.array([[1.0], [0], [0], [0], [0], [2]])
    columns = np.column_stack([np.ones(6), [0, 0, 1, 1, 0, 1], [1, 0, 0, 0, 0, 0]])
    null, *_ = statistics_of(data, columns, [0, 1, 0], "bootstrap", None, n_permutations=200)
    exact = np.array([null.exact_t(draw)[0] for draw in range(200)])
    assert not np.isnan(exact).any()
    found = all_blocks(null)[:, 0]
    assert not np.isnan(found).any()
    finite = np.isfinite(exact)
    assert_allclose(found[finite], correlation(exact[finite], null.tail.df), atol=null.error)
    assert_allclose(found[~finite], np.sign(exact[~finite]), atol=null.error)
    assert (exact == 0).any()


def test_statistics_that_are_equal_in_theory():
    # Whole numbers: many flips have the same sum.
    data = np.random.default_rng(0).integers(-3, 4, (10, 30)).astype(float)
    null, _, draws = statistics_of(data, np.ones(10), [1], "auto", None, n_permutations=1024)
    assert null.n_permutations == 1024
    r = null.of_elements(slice(0, 30))
    sums = (draws.astype(int) @ data.astype(int)).astype(int)
    for of_element, total in zip(r.T, sums.T, strict=True):
        for value in np.unique(total):
            assert np.ptp(of_element[total == value]) < 1e-13
        assert (np.diff(np.unique(np.round(of_element, 11))) > 1e-4).all()


@pytest.mark.parametrize("df", [1, 2, 5, 100, 5000])
def test_p_values_of_correlations(df):
    r = np.array([-1, -0.9, -1e-3, 0, 1e-8, 0.3, 0.99, 1])
    with np.errstate(divide="ignore"):
        t = r * np.sqrt(df / (1 - r**2))
    assert_allclose(CorrelationTail(df, False)(r), stats.t.sf(t, df), rtol=1e-9, atol=1e-300)
    two_sided = CorrelationTail(df, True)
    assert_allclose(two_sided(r), 2 * stats.t.sf(np.abs(t), df), rtol=1e-9, atol=1e-300)
    assert_array_equal(CorrelationTail(df, False)([-1.1, 1.1]), [1, 0])
    assert_array_equal(two_sided([-1.1, 0, 1.1]), [0, 1, 0])
