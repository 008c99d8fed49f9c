"""Statistics of data with gaps, against least squares on the rows present after each move."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from ari_estimator.resampling import (
    LinearModelStatistics,
    PartialCorrelation,
    StatisticsWithGaps,
    choose_scheme,
    find_contrast,
)
from ari_estimator.resampling._testable_patterns import are_testable

from ._brute_force import (
    equivalent_normal,
    least_squares_f,
    least_squares_t,
    nuisance_columns,
    rank_and_df,
)
from ._cases import F_CASES, T_CASES, N

CASES = {name: case for name, case in (T_CASES | F_CASES).items() if case.scheme != "bootstrap"}
LARGEST = 9.0


def null_of(data, case, *, n_permutations=60, two_sided=False, seed=0):
    contrast = find_contrast(case.design, case.contrast)
    scheme = choose_scheme(case.scheme, contrast, case.blocks, case.exchange)
    draws = scheme.draws(n_permutations, np.random.default_rng(seed))
    return StatisticsWithGaps(data, contrast, scheme, draws, two_sided), scheme, draws


def one_statistic(case, y, is_present):
    """Return a statistic of the rows present and its df, by least squares."""
    design = case.design[is_present]
    least_squares = least_squares_f if case.is_f else least_squares_t
    rank, df = rank_and_df(design, case.contrast)
    return least_squares(y[is_present, np.newaxis], design, case.contrast)[0], rank, df


def brute_force(case, data, scheme, draws, elements):
    """Return normal values of each draw: residuals of the rows present, moved with their gaps."""
    data = data.astype(float)
    nuisance = nuisance_columns(case.design, case.contrast)
    values = np.empty((len(draws), len(elements)))
    for column, element in enumerate(elements):
        is_present = ~np.isnan(data[:, element])
        y, z = data[is_present, element], nuisance[is_present]
        residuals = np.zeros(len(data))
        residuals[is_present] = y - z @ np.linalg.lstsq(z, y, rcond=1e-10)[0]
        for row, draw in enumerate(draws):
            moved = scheme.resample(draw, residuals[:, np.newaxis])[:, 0]
            there = scheme.resample(draw, is_present[:, np.newaxis].astype(float))[:, 0] != 0
            value, rank, df = one_statistic(case, moved, there)
            if case.is_f:
                values[row, column] = equivalent_normal(stats.f.sf(value, rank, df))
            else:
                p = 2 * stats.t.sf(np.abs(value), df)
                values[row, column] = equivalent_normal(p, np.sign(value))
    return values


def all_blocks(null):
    draws = range(null.n_permutations)
    return np.concatenate([statistics.copy() for statistics in null.blocks(draws)])


@pytest.fixture
def data():
    rng = np.random.default_rng(1)
    data = rng.standard_normal((N, 40)) + rng.standard_normal(40)
    data[:, 10:20] = rng.standard_t(2, (N, 10))
    data[:, 20:30] *= 10.0 ** np.arange(-5, 5)
    for element in range(5, 40):
        data[rng.choice(N, size=element % 5, replace=False), element] = np.nan
    return data


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CASES)
def test_each_statistic_is_that_of_least_squares_on_the_rows_present(name, data, dtype):
    case, data = CASES[name], data.astype(dtype)
    null, scheme, draws = null_of(data, case, n_permutations=12)
    is_tested = np.flatnonzero(~null.is_constant)
    assert is_tested.size >= 8
    expected = brute_force(case, data, scheme, draws, is_tested)
    blocks, in_double = all_blocks(null), null.of_elements(slice(0, 40))
    exact = null.exact(np.arange(len(draws)))
    assert blocks.dtype == np.float32
    assert_allclose(in_double[:, is_tested], expected, rtol=1e-7, atol=1e-7)
    assert_allclose(exact, in_double, rtol=1e-9, atol=1e-9)
    close = np.clip(blocks, -LARGEST, LARGEST) - np.clip(in_double, -LARGEST, LARGEST)
    assert (np.abs(close) <= null.error + null.relative_error * np.abs(in_double)).all()
    assert not blocks[:, null.is_constant].any()


@pytest.mark.parametrize("two_sided", [False, True])
@pytest.mark.parametrize("name", ["mean", "groups and age", "pairs", "F of three groups"])
def test_statistics_of_complete_data_are_those_without_gaps(name, data, two_sided):
    case = CASES[name]
    if case.is_f and two_sided:
        pytest.skip("F has no sides")
    data = np.where(np.isnan(data), 1.0, data)
    null, scheme, draws = null_of(data, case, two_sided=two_sided)
    statistic = PartialCorrelation(find_contrast(case.design, case.contrast), scheme, two_sided)
    other = LinearModelStatistics(data, statistic, scheme, draws)
    assert_allclose(null.observed.values, other.observed.values, rtol=1e-9)
    assert_allclose(null.observed_p_values, other.observed_p_values, rtol=1e-9)
    assert_array_equal(null.observed.df, other.observed.df)
    every = np.arange(len(draws))
    p_values, others = null.tail(null.exact(every)), other.tail(other.exact(every))
    assert_allclose(p_values, others, rtol=1e-6, atol=1e-12)


def test_statistics_that_may_count_are_exact_and_elements_can_be_selected(data):
    null, _, _ = null_of(data, CASES["groups and age"])
    every = np.arange(null.n_permutations)
    exact = null.exact(every)
    lowest = np.full(every.size, 1.5)
    found = null.exact(every, lowest)
    counts = exact > 1.5 + null.error
    assert_allclose(found[counts], exact[counts], rtol=1e-12)
    assert_allclose(found, exact, atol=2 * null.error)
    keep = np.arange(40) % 3 == 0
    assert_allclose(null.select(keep).exact(every), exact[:, keep], rtol=1e-12, atol=1e-12)
    assert_allclose(all_blocks(null)[:, keep], all_blocks(null.select(keep)), atol=null.error)


def test_observed_statistics_are_those_of_scipy(data):
    null, _, _ = null_of(data, CASES["two groups"], two_sided=True)
    expected = stats.ttest_ind(data[:5], data[5:], nan_policy="omit")
    tested = ~null.is_constant
    assert_allclose(null.observed.values[tested], expected.statistic[tested])
    assert_allclose(null.observed_p_values[tested], expected.pvalue[tested], rtol=1e-9)
    assert_array_equal(null.observed.df[tested], np.isfinite(data).sum(axis=0)[tested] - 2)


def test_constant_elements_have_a_statistic_of_0():
    rng = np.random.default_rng(0)
    data = rng.standard_normal((N, 4))
    data[:, 1] = 3.0
    data[:3, 2] = np.nan
    data[3:, 2] = 7.0
    data[1:, 3] = np.nan
    null, _, draws = null_of(data, CASES["mean"])
    assert null.is_constant.tolist() == [False, True, True, True]
    assert null.observed.df.tolist() == [11, 11, 8, 0]
    assert not null.exact(np.arange(len(draws)))[:, 1:].any()
    assert null.observed_p_values[1:].tolist() == [1, 1, 1]


PERMUTED = [name for name, case in CASES.items() if case.scheme == "permutation"]


def in_place(patterns, contrast):
    return are_testable(patterns, contrast)


@pytest.mark.parametrize("name", PERMUTED)
def test_a_pattern_stays_in_if_all_its_arrangements_can_be_tested(name):
    case = CASES[name]
    contrast = find_contrast(case.design, case.contrast)
    scheme = choose_scheme(case.scheme, contrast, case.blocks, case.exchange)
    every = (np.arange(2**N)[:, np.newaxis] >> np.arange(N) & 1).astype(bool)
    members = np.equal.outer(np.arange(scheme.orbits.max() + 1), scheme.orbits).astype(int)
    numbers = (~every).astype(int) @ members.T
    _, place = np.unique(numbers, axis=0, return_inverse=True)
    fails = np.bincount(place.reshape(-1), ~in_place(every, contrast)) > 0
    expected = ~fails[place.reshape(-1)]
    found = are_testable(every, contrast, scheme)
    # Degrees of freedom are counted with all columns, so few patterns more may be left out.
    assert not (found & ~expected).any()
    assert (found == expected).mean() > 0.95
    assert found.any()


@pytest.mark.parametrize("name", PERMUTED)
def test_the_choice_of_elements_does_not_depend_on_the_draw(name, data):
    case = CASES[name]
    null, scheme, draws = null_of(data, case)
    for draw in draws[1:6]:
        moved = np.where(np.isnan(data), np.nan, 0) + data
        moved = scheme.resample(draw, moved)
        again, _, _ = null_of(moved, case, n_permutations=2)
        assert_array_equal(again.observed.df > 0, null.observed.df > 0)


def test_large_designs_use_a_sample_of_hyperplanes():
    rng = np.random.default_rng(0)
    n = 60
    design = np.column_stack([np.repeat([0, 1], [20, 40]), rng.standard_normal((n, 6)), np.ones(n)])
    contrast = find_contrast(design, np.eye(8)[0])
    scheme = choose_scheme("permutation", contrast)
    patterns = np.ones((4, n), dtype=bool)
    for pattern, n_missing in zip(patterns, (0, 10, 19, 20), strict=True):
        pattern[rng.choice(n, n_missing, replace=False)] = False
    assert are_testable(patterns, contrast, scheme).tolist() == [True, True, True, False]
