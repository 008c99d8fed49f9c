"""Statistics under resampling, against least squares on resampled data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from ari_estimator.resampling import (
    LinearModelStatistics,
    PartialCorrelation,
    WelchStatistic,
    choose_scheme,
    find_contrast,
)

from ._cases import CASES, F_CASES, GROUP, T_CASES, THREE, Case, N

# Normal values are told apart up to that, see EquivalentNormal.
LARGEST = 9.0


def of_case(data, case, *, n_permutations=60, two_sided=False, seed=0):
    found = find_contrast(case.design, case.contrast)
    scheme = choose_scheme(case.scheme, found, case.blocks, case.exchange)
    draws = scheme.draws(n_permutations, np.random.default_rng(seed))
    if case.groups is None:
        statistic = PartialCorrelation(found, scheme, two_sided)
    else:
        keeps_squares = scheme.keeps_squares(case.groups)
        statistic = WelchStatistic(found, case.groups, keeps_squares, two_sided)
    return LinearModelStatistics(data, statistic, scheme, draws), scheme, draws


def all_blocks(null):
    draws = range(null.n_permutations)
    return np.concatenate([statistics.copy() for statistics in null.blocks(draws)])


def all_exact(null):
    return null.exact(np.arange(null.n_permutations))


def t_of(null, draw):
    """Return t values of a draw, from correlations."""
    r = null.exact(np.array([draw]))[0]
    with np.errstate(divide="ignore"):
        return r * np.sqrt(null.tail.df / ((1 - r) * (1 + r)))


def assert_within_error(blocks, exact, null):
    """Assert that single precision is as close as it says, as far as values are told apart."""
    blocks, exact = (np.clip(values, -LARGEST, LARGEST) for values in (blocks, exact))
    assert (np.abs(blocks - exact) <= null.error + null.relative_error * np.abs(exact)).all()


@pytest.fixture
def data():
    rng = np.random.default_rng(1)
    data = rng.standard_normal((N, 40)) + rng.standard_normal(40)
    data[:, 10:20] = rng.standard_t(2, (N, 10))
    data[:, 20:30] = np.round(2 * data[:, 20:30]) / 2
    data[:, 30:] *= 10.0 ** np.arange(-5, 5)
    # One subject unlike all others.
    data[3, 35:] *= 1e4
    return data


def brute_force(case, data, scheme, draws):
    """Return scaled statistics of all draws; NaN where of residuals only rounding is left."""
    data = data.astype(float)
    scaled = np.full((len(draws), data.shape[1]), np.nan)
    for i, draw in enumerate(draws):
        y = data if i == 0 else case.resampled(data, scheme, draw)
        residuals = y - case.design @ np.linalg.lstsq(case.design, y, rcond=1e-10)[0]
        groups = np.zeros(len(y), dtype=int) if case.groups is None else case.groups
        squares = np.array([(residuals[groups == g] ** 2).sum(axis=0) for g in np.unique(groups)])
        is_left = squares.min(axis=0) > 1e-13 * (y**2).max(axis=0)
        if is_left.any():
            scaled[i, is_left] = case.scaled(y[:, is_left])
    return scaled


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES)
def test_statistics_are_those_of_least_squares_on_resampled_data(case, data, dtype):
    case = CASES[case]
    data = data.astype(dtype)
    null, scheme, draws = of_case(data, case)
    expected = brute_force(case, data, scheme, draws)
    is_left = np.isfinite(expected)
    assert is_left[0].all()
    assert is_left.mean() > 0.9
    assert null.n_permutations == len(draws)
    assert len({tuple(draw) for draw in draws.tolist()}) > 1
    blocks = all_blocks(null)
    assert blocks.dtype == np.float32
    assert blocks.shape == (len(draws), 40)
    in_double = null.of_elements(slice(0, 40))
    exact = all_exact(null)
    assert_allclose(in_double[is_left], expected[is_left], rtol=0, atol=1e-8)
    assert_allclose(exact[is_left], expected[is_left], rtol=0, atol=1e-8)
    assert_within_error(blocks[is_left], expected[is_left], null)
    for values in (blocks, in_double, exact):
        assert np.isfinite(values).all()


@pytest.mark.parametrize("case", CASES)
def test_no_statistic_is_exact_if_none_counts(case, data):
    null, _, draws = of_case(data, CASES[case])
    found = null.exact(np.arange(len(draws)), np.full(len(draws), 1e30))
    assert_within_error(found, all_exact(null), null)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.filterwarnings("error")
def test_all_statistics_are_exact_if_all_count(case, data):
    null, _, draws = of_case(data, CASES[case])
    found = null.exact(np.arange(len(draws)), np.full(len(draws), -np.inf))
    assert_allclose(found, all_exact(null), rtol=1e-12)


@pytest.mark.parametrize("case", [*T_CASES, *F_CASES])
def test_correlations_have_nearly_all_digits(case, data):
    case = CASES[case]
    null, scheme, draws = of_case(data, case)
    expected = brute_force(case, data, scheme, draws)
    is_left = np.abs(expected) < 1 - 1e-6
    assert_allclose(all_exact(null)[is_left], expected[is_left], rtol=1e-9, atol=1e-10)
    assert null.error < 2e-4


@settings(max_examples=80)
@given(
    case=st.sampled_from(list(CASES)),
    seed=st.integers(0, 2**32 - 1),
    log_spread=st.floats(-3, 3),
    log_ratio=st.floats(-3, 3),
    mean=st.sampled_from([0, 1, 1e3]),
)
def test_rounding_errors_are_bounded(case, seed, log_spread, log_ratio, mean):
    case = CASES[case]
    rng = np.random.default_rng(seed)
    scales = 10.0 ** rng.uniform(-abs(log_spread), abs(log_spread), (N, 100))
    # Groups of rows whose variances differ.
    ratios = 10.0 ** rng.uniform(-abs(log_ratio), abs(log_ratio), (3, 100))
    groups = THREE if case.groups is None else case.groups
    data = mean + rng.standard_normal((N, 100)) * scales * ratios[groups]
    null, _, _ = of_case(data, case, n_permutations=30, seed=seed)
    assert_within_error(all_blocks(null), all_exact(null), null)


@pytest.mark.parametrize("case", CASES)
def test_the_first_draw_is_the_data(case, data):
    case = CASES[case]
    null, _, _ = of_case(data, case)
    values, df = case.values(data)
    assert_allclose(null.observed.values, values, rtol=1e-9, atol=1e-9)
    assert_allclose(np.broadcast_to(null.observed.df, 40), df, rtol=1e-9)
    assert not null.observed.is_constant.any()
    scaled = case.scaled(data)
    assert_within_error(null.block(0, 1)[0], scaled, null)
    assert_allclose(null.of_elements(slice(0, 40))[0], scaled, rtol=1e-9, atol=1e-9)
    assert_allclose(null.exact(np.array([0]))[0], scaled, rtol=1e-9, atol=1e-9)
    null.exact(np.array([0]))[:] = 0
    assert null.exact(np.array([0])).any()


@pytest.mark.parametrize("two_sided", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_p_values_of_the_data_are_those_of_its_distribution(case, data, two_sided):
    case = CASES[case]
    if two_sided and case.is_f:
        return
    null, *_ = of_case(data, case, two_sided=two_sided)
    values, df = case.values(data)
    if case.is_f:
        expected = stats.f.sf(values, case.rank, df)
    else:
        expected = 2 * stats.t.sf(np.abs(values), df) if two_sided else stats.t.sf(values, df)
    assert_allclose(null.observed_p_values, expected, rtol=1e-7)
    # The tail says the same, of the scale of the draws.
    scaled = null.exact(np.array([0]))[0]
    told_apart = np.abs(scaled) < 38
    assert_allclose(null.tail(scaled)[told_apart], expected[told_apart], rtol=1e-6)


def test_p_values_of_one_sample_are_those_of_a_t_test(data):
    for two_sided, alternative in ((False, "greater"), (True, "two-sided")):
        null, *_ = of_case(data, CASES["mean"], two_sided=two_sided)
        expected = stats.ttest_1samp(data, 0, alternative=alternative).pvalue
        assert_allclose(null.observed_p_values, expected, rtol=1e-9)


@pytest.mark.parametrize("case", ["v of two groups, flipped", "v of two groups, permuted"])
def test_p_values_of_two_groups_are_those_of_welchs_t_test(case, data):
    for two_sided, alternative in ((False, "greater"), (True, "two-sided")):
        null, *_ = of_case(data, CASES[case], two_sided=two_sided)
        welch = stats.ttest_ind(
            data[GROUP == 1], data[GROUP == 0], equal_var=False, alternative=alternative
        )
        assert_allclose(null.observed.values, welch.statistic, rtol=1e-9)
        assert_allclose(null.observed.df, welch.df, rtol=1e-9)
        assert_allclose(null.observed_p_values, welch.pvalue, rtol=1e-8)


@pytest.mark.parametrize("case", CASES)
def test_some_elements(case, data):
    null, *_ = of_case(data, CASES[case])
    whole = null.of_elements(slice(0, 40))
    assert whole.dtype == np.float64
    assert_allclose(null.of_elements(slice(7, 19)), whole[:, 7:19], atol=1e-12)
    keep = np.random.default_rng(0).random(40) < 0.5
    kept = null.select(keep)
    assert (kept.n_elements, kept.n_permutations) == (keep.sum(), null.n_permutations)
    assert kept.tail == null.tail
    assert_allclose(kept.of_elements(slice(None)), whole[:, keep], atol=1e-12)
    draws = np.array([0, 3])
    assert_allclose(kept.exact(draws), null.exact(draws)[:, keep], atol=1e-12)
    assert_array_equal(kept.is_constant, null.is_constant[keep])
    assert_allclose(kept.observed.values, null.observed.values[keep], rtol=1e-12)
    assert_allclose(kept.observed_p_values, null.observed_p_values[keep], rtol=1e-10)
    again = kept.select(np.arange(kept.n_elements) % 2 == 0)
    assert_allclose(again.exact(draws), null.exact(draws)[:, keep][:, ::2], atol=1e-12)


@pytest.mark.parametrize(
    "case", ["permuted with much nuisance", "F in pairs", "G of groups and age, permuted"]
)
def test_more_elements_than_fit_in_a_stride(monkeypatch, data, case):
    one, *_ = of_case(data, CASES[case])
    monkeypatch.setattr("ari_estimator.resampling._linear_model_statistics._STRIDE", 7)
    other, *_ = of_case(data, CASES[case])
    assert_allclose(
        all_blocks(one), all_blocks(other), atol=(one.error + LARGEST * one.relative_error) / 50
    )
    assert_allclose(all_exact(one), all_exact(other), atol=1e-10)
    assert_allclose(one.observed.values, other.observed.values, rtol=1e-12)
    assert_allclose(one.observed.df, other.observed.df, rtol=1e-12)


@pytest.mark.parametrize("case", ["groups and age", "F of groups and age", "v by bootstrap"])
def test_blocks_do_not_depend_on_those_before(data, case):
    null, *_ = of_case(data, CASES[case], n_permutations=110)
    last = null.block(100, 110)
    assert_array_equal(all_blocks(null)[100:], last)
    draws = np.array([103, 0, 7])
    assert_allclose(null.exact(draws), all_exact(null)[draws], atol=1e-12)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("value", [0, 0.1, 1 / 3, -123.456, 1e6 + 0.1, 1e-12, 1e12])
def test_constant_elements_have_no_effect(case, value):
    case = CASES[case]
    rng = np.random.default_rng(0)
    for in_nuisance in (True, False):
        data = rng.standard_normal((N, 4))
        data[:, 2] = value
        if not in_nuisance:  # what the design explains is constant, too: no residuals
            data[:, 2] *= case.design @ rng.integers(1, 4, case.design.shape[1])
        elif is_without_mean(case):
            continue
        with np.errstate(all="raise", under="ignore"):
            null, *_ = of_case(data, case)
            assert_array_equal(null.is_constant, [False, False, True, False])
            found = all_blocks(null)
            in_double = null.of_elements(slice(0, 4))
            exact = all_exact(null)
        assert null.observed.values[2] == 0
        assert null.observed_p_values[2] == 1
        for values in (found, in_double, exact):
            assert np.isfinite(values).all()
            assert (values[:, 2] == 0).all()
            assert (values[:, [0, 1, 3]] != 0).all()


def is_without_mean(case):
    found = find_contrast(case.design, case.contrast)
    return np.abs(found.without_design(np.ones(found.n_subjects))).max() > 1e-6


@pytest.mark.parametrize("scheme", ["sign_flip", "permutation", "bootstrap"])
@pytest.mark.parametrize("value", [0, 0.1, -1e6])
def test_elements_that_are_constant_in_a_variance_group_have_no_effect(scheme, value):
    # Their v would be that of a group without variance.
    rng = np.random.default_rng(0)
    data = rng.standard_normal((N, 5))
    data[GROUP == 1, 1] = value
    data[GROUP == 0, 3] = value
    case = Case(
        np.column_stack([GROUP, 1 - GROUP]), [1, -1], scheme, groups=(GROUP > 0).astype(int)
    )
    with np.errstate(all="raise", under="ignore"):
        null, *_ = of_case(data, case)
        values = [all_blocks(null), all_exact(null), null.of_elements(slice(None))]
    assert_array_equal(null.is_constant, [False, True, False, True, False])
    assert_array_equal(null.observed_p_values[[1, 3]], 1)
    for of_draws in values:
        assert np.isfinite(of_draws).all()
        assert (of_draws[:, [1, 3]] == 0).all()
        assert (of_draws[:, [0, 2, 4]] != 0).all()


@pytest.mark.parametrize("n_subjects", [5, 100, 3000, 30_000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_constants_are_found_beside_covariates_far_from_zero(n_subjects, dtype):
    rng = np.random.default_rng(0)
    year = 1980 + 10 * rng.standard_normal(n_subjects)
    design = np.column_stack([np.ones(n_subjects), year])
    data = np.array([0.1, 1 / 3, 100.7, 1e6 + 0.1, 1e-20]) * np.ones((n_subjects, 1))
    with_noise = data * (1 + 1e-5 * rng.standard_normal(data.shape))
    both = np.hstack([data, with_noise]).astype(dtype)
    halves = np.arange(n_subjects) % 2
    for contrast in ([0, 1], [1, 0], np.eye(2)):
        for groups in (None, halves)[: 1 + (n_subjects < 10_000)]:
            case = Case(design, contrast, "auto", groups=groups)
            null, *_ = of_case(both, case, n_permutations=3)
            assert_array_equal(null.is_constant, np.repeat([True, False], 5))


def test_large_means_keep_their_digits():
    # Sums are exact: a million plus multiples of 2^-20.
    rng = np.random.default_rng(0)
    noise = np.round(rng.standard_normal((N, 20)) * 2**20) / 2**20
    data = 1e6 + noise
    for case in ("two groups", "groups and age", "pairs"):
        near, far = (of_case(y, CASES[case])[0] for y in (noise, data))
        for draw in (0, 1, 7):
            assert_allclose(t_of(far, draw), t_of(near, draw), rtol=1e-7, atol=1e-7)
        assert_within_error(all_blocks(far), all_exact(near), near)
    for case in ("F of groups and age", "v of groups and age, permuted", "G within blocks"):
        near, far = (of_case(y, CASES[case])[0] for y in (noise, data))
        assert_allclose(all_exact(far), all_exact(near), atol=1e-6)
        assert_within_error(all_blocks(far), all_exact(near), near)
    null, _, draws = of_case(data, CASES["mean"])
    expected = (1e6 + noise.mean(axis=0)) / (noise.std(axis=0, ddof=1) / N**0.5)
    assert_allclose(null.observed.values, expected, rtol=1e-8)
    flipped = data * draws[5][:, np.newaxis]
    assert_allclose(t_of(null, 5), stats.ttest_1samp(flipped, 0).statistic, rtol=1e-12)


def test_flips_that_make_discrete_data_constant():
    data = np.array([[1, 2], [-1, 2], [1, 3], [1, -2]], dtype=float)
    null, _, draws = of_case(data, Case(np.ones(4), [1], "auto"), n_permutations=16)
    row = np.flatnonzero((draws == [1, -1, 1, 1]).all(axis=1))[0]
    mirrored = np.flatnonzero((draws == [-1, 1, -1, -1]).all(axis=1))[0]
    exact = all_exact(null)
    assert_allclose(exact[[row, mirrored], 0], [1, -1], atol=1e-12)
    assert_allclose(null.tail(exact[[row, mirrored], 0]), [0, 1], atol=1e-12)
    found = all_blocks(null)
    assert_allclose(found[[row, mirrored], 0], [1, -1], atol=null.error)
    assert not null.is_constant.any()
    assert_allclose(null.of_elements(slice(0, 2))[[row, mirrored], 0], [1, -1], atol=1e-12)


def test_flips_that_make_a_variance_group_constant():
    # No variance is left in the group: an infinite statistic, as t of flips without residuals.
    data = np.array([[1, 2], [-1, 2.5], [1, 3], [5, -2], [7, 1], [9, -1]], dtype=float)
    groups = np.repeat([0, 1], 3)
    case = Case(np.eye(2)[groups], np.eye(2), "sign_flip", groups=groups)
    null, _, draws = of_case(data, case, n_permutations=64)
    assert not null.is_constant.any()
    is_constant = np.ptp((draws * data[:, 0])[:, :3], axis=1) == 0
    assert is_constant.sum() == 16
    for values in (all_blocks(null), all_exact(null), null.of_elements(slice(None))):
        assert np.isfinite(values).all()
        assert_array_equal(values[:, 0] > LARGEST, is_constant)
        assert (values[:, 1] != 0).all()


@pytest.mark.parametrize("contrast", [[0, 1, 0], np.eye(3)[:2]])
def test_resamples_that_nuisance_explains_have_no_effect(contrast):
    # Resampled residuals are constant, or as the nuisance: 0 / 0.
    data = np.array([[1.0], [0], [0], [0], [0], [2]])
    columns = np.column_stack([np.ones(6), [0, 0, 1, 1, 0, 1], [1, 0, 0, 0, 0, 0]])
    case = Case(columns, contrast, "bootstrap")
    null, *_ = of_case(data, case, n_permutations=200)
    exact = all_exact(null)[:, 0]
    assert np.isfinite(exact).all()
    found = all_blocks(null)[:, 0]
    assert_allclose(found, exact, atol=null.error)
    if not case.is_f:
        assert (exact == 0).any()


@pytest.mark.parametrize("contrast", [[1], [[1], [2]]])
def test_statistics_that_are_equal_in_theory(contrast):
    # Whole numbers: many flips have the same sum.
    data = np.random.default_rng(0).integers(-3, 4, (10, 30)).astype(float)
    case = Case(np.ones(10), contrast, "auto")
    null, _, draws = of_case(data, case, n_permutations=1024)
    assert null.n_permutations == 1024
    r = null.of_elements(slice(0, 30))
    sums = (draws.astype(int) @ data.astype(int)).astype(int)
    if case.is_f:
        sums = np.abs(sums)
    for of_element, total in zip(r.T, sums.T, strict=True):
        for value in np.unique(total):
            assert np.ptp(of_element[total == value]) < 1e-13
        assert (np.diff(np.unique(np.round(of_element, 11))) > 1e-4).all()


@pytest.mark.parametrize("case", CASES)
def test_only_statistics_that_count_need_double_precision(case, data):
    case = CASES[case]
    null, _, _ = of_case(data, case)
    draws = np.array([0, 2, 5])
    exact = null.exact(draws)
    sizes = np.abs(exact) if null.tail.is_absolute else exact
    lowest = np.quantile(sizes, 0.9, axis=1)
    found = null.exact(draws, lowest)
    counts = sizes >= lowest[:, np.newaxis]
    assert_allclose(found[counts], exact[counts], rtol=1e-12)
    assert_within_error(found, exact, null)
