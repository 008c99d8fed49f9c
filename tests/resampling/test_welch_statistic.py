"""v and G statistics, against formulas and other programs."""

import inspect
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from ari_estimator.resampling import (
    Exchangeability,
    LinearModelStatistics,
    SignFlipping,
    WelchStatistic,
    find_contrast,
)

from ._brute_force import rank_and_df, welch_anova, welch_g, welch_v

# Normal values are told apart up to that.
LARGEST = 9.0


def observed(data, design, contrast, groups, two_sided=False):
    statistic = WelchStatistic(find_contrast(design, contrast), groups, True, two_sided)
    return statistic, statistic.of_data(data)


def grouped(sizes, rng, log_ratio=0.0, n_elements=30):
    """Return groups, and data whose standard deviations differ between them."""
    groups = np.repeat(np.arange(len(sizes)), sizes)
    deviations = 10.0 ** rng.uniform(-abs(log_ratio), abs(log_ratio), (len(sizes), n_elements))
    return groups, rng.standard_normal((groups.size, n_elements)) * deviations[groups]


@settings(max_examples=25)
@given(
    sizes=st.tuples(st.integers(2, 30), st.integers(2, 30)),
    log_ratio=st.floats(0, 1.5),
    seed=st.integers(0, 2**32 - 1),
)
def test_v_of_two_groups_is_welchs_t(sizes, log_ratio, seed):
    groups, data = grouped(sizes, np.random.default_rng(seed), log_ratio)
    one, other = data[groups == 0], data[groups == 1]
    for design, contrast in (
        (np.eye(2)[groups], [1, -1]),
        (np.column_stack([np.ones(groups.size), groups]), [0, -1]),
    ):
        for two_sided, alternative in ((False, "greater"), (True, "two-sided")):
            expected = stats.ttest_ind(one, other, equal_var=False, alternative=alternative)
            statistic, found = observed(data, design, contrast, groups, two_sided)
            assert statistic.name == "v"
            assert_allclose(found.values, expected.statistic, rtol=1e-9, atol=1e-12)
            assert_allclose(found.df, expected.df, rtol=1e-9)
            assert_allclose(statistic.p_values(found), expected.pvalue, rtol=1e-8)


@settings(max_examples=25)
@given(
    sizes=st.lists(st.integers(2, 20), min_size=2, max_size=6),
    log_ratio=st.floats(0, 1.5),
    seed=st.integers(0, 2**32 - 1),
)
def test_g_of_groups_is_welchs_analysis_of_variance(sizes, log_ratio, seed):
    groups, data = grouped(sizes, np.random.default_rng(seed), log_ratio, 10)
    k = len(sizes)
    means = np.eye(k)[groups]
    differences = np.eye(k)[1:] - np.eye(k)[:-1]
    samples = [data[groups == group] for group in range(k)]
    expected = np.array([welch_anova([s[:, i] for s in samples]) for i in range(10)]).T
    for rows in (differences, np.vstack([differences, np.eye(k)[:1] - np.eye(k)[-1:]])):
        if len(rows) == 1:
            continue
        statistic, found = observed(data, means, rows, groups)
        assert statistic.name == "G"
        assert_allclose(found.values, expected[0], rtol=1e-8)
        assert_allclose(found.df, expected[1], rtol=1e-8)
        p = stats.f.sf(expected[0], k - 1, expected[1])
        assert_allclose(statistic.p_values(found), p, rtol=1e-6)


def test_welchs_analysis_of_variance_by_brute_force():
    # Of two groups it is the square of Welch's t.
    samples = [[3.1, 2.7, 4.0, 3.3], [5.2, 6.1, 4.9, 5.5, 5.0], [2.0, 7.5, 4.1, 0.4]]
    value, df = welch_anova(samples)
    two = stats.ttest_ind(samples[0], samples[1], equal_var=False)
    assert_allclose(welch_anova(samples[:2]), (two.statistic**2, two.df), rtol=1e-12)
    if "equal_var" in inspect.signature(stats.f_oneway).parameters:  # of newer versions of SciPy
        expected = stats.f_oneway(*samples, equal_var=False)
        assert_allclose((value, stats.f.sf(value, 2, df)), expected, rtol=1e-12)
    data = np.concatenate(samples)[:, np.newaxis]
    groups = np.repeat([0, 1, 2], [4, 5, 4])
    rows = [[1, -1, 0], [0, 1, -1]]
    assert_allclose(welch_g(data, np.eye(3)[groups], rows, groups), [[value], [df]], rtol=1e-10)


@settings(max_examples=40)
@given(
    n=st.integers(6, 20),
    n_columns=st.integers(1, 3),
    n_rows=st.integers(1, 3),
    n_groups=st.integers(1, 3),
    log_ratio=st.floats(0, 1.5),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_design(n, n_columns, n_rows, n_groups, log_ratio, seed):
    rng = np.random.default_rng(seed)
    design = rng.standard_normal((n, n_columns))
    groups = rng.permutation(np.arange(n) % n_groups)
    left = np.eye(n) - design @ np.linalg.pinv(design)
    if min(np.diag(left)[groups == group].sum() for group in range(n_groups)) < 0.6:
        return
    contrast = rng.standard_normal((n_rows, n_columns))
    data = (
        rng.standard_normal((n, 5))
        * 10 ** rng.uniform(-log_ratio, log_ratio, n_groups)[groups, np.newaxis]
    )
    if n_rows == 1:
        expected, df = welch_v(data, design, contrast[0], groups)
    else:
        expected, df = welch_g(data, design, contrast, groups)
    statistic, found = observed(data, design, contrast, groups)
    assert_allclose(found.values, expected, rtol=1e-7, atol=1e-9)
    assert_allclose(found.df, df, rtol=1e-8)
    rank = rank_and_df(design, contrast)[0]
    if n_rows == 1:
        p, scaled = stats.t.sf(expected, df), stats.norm.isf(stats.t.sf(np.abs(expected), df))
        scaled *= np.sign(expected)
    else:
        p = stats.f.sf(expected, rank, df)
        scaled = stats.norm.isf(p / 2)
    assert_allclose(statistic.p_values(found), p, rtol=1e-5)
    assert_allclose(statistic.scaled(found), scaled, atol=1e-6)


@pytest.mark.parametrize("log_ratio", [0, -3, -5, -7, -9, 3, 5, 7])
@pytest.mark.parametrize("design", ["means", "mean and difference"])
def test_a_group_of_nearly_no_variance_costs_no_digits(log_ratio, design):
    # Such as rounding leaves of an element that is constant in one group.
    rng = np.random.default_rng(0)
    groups = np.repeat([0, 1], [5, 7])
    data = rng.standard_normal((12, 50))
    data[groups == 0] *= 10.0**log_ratio
    columns = np.eye(2)[groups]
    contrast = [1, -1]
    if design != "means":
        columns, contrast = np.column_stack([np.ones(12), groups]), [0, -1]
    expected = stats.ttest_ind(data[groups == 0], data[groups == 1], equal_var=False)
    _, found = observed(data, columns, contrast, groups)
    assert not found.is_constant.any()
    assert_allclose(found.values, expected.statistic, rtol=1e-7)
    assert_allclose(found.df, expected.df, rtol=1e-7)


@pytest.mark.parametrize("contrast", [[1, -1, 0], [[1, -1, 0], [0, 1, -1]], np.eye(3)])
def test_elements_without_residuals_in_a_group_are_constant(contrast):
    rng = np.random.default_rng(0)
    groups, data = grouped([3, 4, 5], rng, n_elements=12)
    data[groups == 0, 2] = 0
    data[groups == 1, 5] = 0.1
    data[groups == 2, 7] = -1e6
    data[:, 9] = groups
    data[:, 11] = 0
    with np.errstate(all="raise", under="ignore"):
        statistic, found = observed(data, np.eye(3)[groups], contrast, groups)
        p = statistic.p_values(found)
    assert np.flatnonzero(found.is_constant).tolist() == [2, 5, 7, 9, 11]
    assert (p[found.is_constant] == 1).all()
    assert not np.isnan(found.values).any()
    assert np.isfinite(found.df).all()
    varying = ~found.is_constant
    _, alone = observed(data[:, varying], np.eye(3)[groups], contrast, groups)
    assert_allclose(found.values[varying], alone.values, rtol=1e-12)


# Sizes of groups: of three rows each, of very different size, and many rows.
SIZES = [[3, 3], [3, 9], [3, 3, 3], [4, 300], [150, 150], [100, 80, 120], [12]]


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("log_ratio", [0, 1, 3])
@pytest.mark.parametrize("is_f", [False, True])
def test_rounding_errors_are_bounded(sizes, log_ratio, is_f):
    rng = np.random.default_rng(len(sizes) + 10 * log_ratio)
    groups, data = grouped(sizes, rng, log_ratio, 400)
    data += rng.standard_normal(400)
    # Strong effects, too.
    data[:, :40] += np.array([0, 3, 9])[groups, np.newaxis]
    k = len(sizes)
    contrast = np.eye(k)[0] if k == 1 else np.eye(k)[0] - np.eye(k)[1]
    if is_f:
        contrast = np.eye(k)[:1].repeat(2, axis=0) if k == 1 else np.eye(k)[1:] - np.eye(k)[:-1]
        contrast = np.vstack([contrast, contrast[:1]])
    found = find_contrast(np.eye(k)[groups], contrast)
    scheme = SignFlipping(Exchangeability.of(None, groups.size))
    statistic = WelchStatistic(found, groups, True, two_sided=False)
    null = LinearModelStatistics(data, statistic, scheme, scheme.draws(50, rng))
    blocks, exact = (
        np.clip(values, -LARGEST, LARGEST)
        for values in (
            null.block(0, null.n_permutations),
            null.exact(np.arange(null.n_permutations)),
        )
    )
    assert (np.abs(blocks - exact) <= null.error + null.relative_error * np.abs(exact)).all()
    # A bound that is of use: lambda is looked for within so much of a normal value.
    assert null.error + null.relative_error < 0.01


@pytest.mark.parametrize("n_covariates", [0, 3])
@pytest.mark.parametrize("sizes", [[15, 15], [10, 30], [150, 150], [10, 10, 10]], ids=str)
def test_few_statistics_need_double_precision(sizes, n_covariates):
    rng = np.random.default_rng(0)
    groups, data = grouped(sizes, rng, 0.2, 2000)
    design = np.column_stack(
        [np.eye(len(sizes))[groups], rng.standard_normal((groups.size, n_covariates))]
    )
    contrast = np.zeros((len(sizes) - 1, design.shape[1]))
    contrast[:, : len(sizes)] = np.eye(len(sizes))[1:] - np.eye(len(sizes))[:-1]
    found = find_contrast(design, contrast[0] if len(sizes) == 2 else contrast)
    statistic = WelchStatistic(found, groups, True, two_sided=False)
    residuals = found.without_nuisance(data)
    residuals /= np.linalg.norm(residuals, axis=0)
    products = (statistic.vectors.T @ residuals)[:, np.newaxis].astype(np.float32)
    squares = np.array([(residuals[groups == g] ** 2).sum(axis=0) for g in range(len(sizes))])
    values = np.empty(products.shape[1:], np.float32)
    statistic.finish(products, squares[:, np.newaxis].astype(np.float32), values)
    # The others would be right, but slow.
    assert np.isfinite(values).mean() > 0.9


@pytest.mark.parametrize(
    ("groups", "design", "message"),
    [
        ([0, 0, 0, 0, 1, 1], np.eye(2)[[0, 0, 0, 1, 1, 0]], None),
        # One row has no variance of its own, whatever the design leaves of it.
        (
            [0, 0, 0, 0, 0, 1],
            np.eye(2)[[0, 0, 0, 1, 1, 0]],
            "Got a group of 1 row, [5] (counted from 0)",
        ),
        (
            [0, 0, 0, 0, 0, 1],
            np.eye(2)[[0, 0, 0, 0, 0, 1]],
            "Got a group of 1 row, [5] (counted from 0), with 0 degrees of freedom. Join it",
        ),
        (
            [0, 1, 1, 0, 2, 2],
            np.eye(4)[[0, 1, 2, 0, 3, 3]],
            "Got a group of 2 rows, [1, 2] (counted from 0)",
        ),
    ],
)
def test_groups_in_which_no_residuals_are_left(groups, design, message):
    contrast = find_contrast(np.asarray(design, float), np.eye(design.shape[1])[0])
    if message is None:
        WelchStatistic(contrast, np.array(groups), True, two_sided=False)
        return
    with pytest.raises(ValueError, match=re.escape(message)):
        WelchStatistic(contrast, np.array(groups), True, two_sided=False)
