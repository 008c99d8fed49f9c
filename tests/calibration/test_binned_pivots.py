"""Pivotal statistics without sorting, against sorting."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from ari_estimator.calibration._binned_pivots import (
    StatisticBins,
    bins_for,
    pivots_of_counts,
)
from ari_estimator.closed_testing import LearnedTemplate, make_template
from ari_estimator.closed_testing._templates import TEMPLATES
from ari_estimator.resampling import (
    CorrelationTail,
    MultipleCorrelationTail,
    NormalTail,
)

DEGREES = [1, 2, 3, 9, 60, 500, 5000]
KINDS = ["null", "signal", "anywhere", "far", "discrete", "extreme", "equal"]


TAILS = [
    *(CorrelationTail(df, two_sided) for df in DEGREES for two_sided in (False, True)),
    *(MultipleCorrelationTail(rank, df) for rank in (1, 2, 5) for df in DEGREES),
    NormalTail(False),
    NormalTail(True),
]


def bins_of(df, two_sided, error=0.0, n_bins=8192):
    return StatisticBins(CorrelationTail(df, two_sided), error=error, n_bins=n_bins)


def template_of(name, m, k_max=None, delta=0):
    if name == "learned":
        p = np.random.default_rng(5).random((30, m)) ** 2
        return LearnedTemplate.from_p_values(p, k_max or m)
    return make_template(name, m, k_max=k_max, delta=delta)


def statistics_of(kind, df, n_rows, m, rng):
    """Return correlations such as they come up, and such as try the bins."""
    t = rng.standard_t(df, (n_rows, m))
    if kind == "signal":
        t[:, : m // 4] += 5
    r = t / np.sqrt(t**2 + df)
    if kind == "anywhere":
        return rng.uniform(-1, 1, (n_rows, m))
    if kind == "far":
        return 1 - 10.0 ** rng.uniform(-7, 0, (n_rows, m))
    if kind == "discrete":
        return np.round(r * 8) / 8
    if kind == "extreme":
        return rng.choice([-1.0, 0.0, 1.0, 1e-7, -1e-7, 1 - 1e-7], (n_rows, m))
    if kind == "equal":
        return np.repeat(r[:, :1], m, axis=1)
    return r


def statistics_with(tail, kind, n_rows, m, rng):
    """Return statistics of a tail such as come up, and such as try the bins."""
    if isinstance(tail, CorrelationTail):
        return statistics_of(kind, tail.df, n_rows, m, rng)
    if isinstance(tail, NormalTail):
        # As of very many degrees of freedom; and far beyond of what is told apart.
        z = 5000**0.5 * statistics_of(kind, 5000, n_rows, m, rng)
        return np.clip(z, -38, 38)
    squares = rng.standard_normal((n_rows, m, tail.rank + 1)) ** 2
    effects, rest = squares[:, :, 1:].sum(axis=2), rng.chisquare(tail.df, (n_rows, m))
    if kind == "signal":
        effects[:, : m // 4] += 25 * rng.random((n_rows, m // 4))
    r = np.sqrt(effects / (effects + rest))
    if kind == "null" or kind == "signal":
        return r
    if kind == "discrete":
        return np.round(r * 8) / 8
    if kind == "equal":
        return np.repeat(r[:, :1], m, axis=1)
    return np.abs(statistics_of(kind, tail.df, n_rows, m, rng))


def within(tail, statistics):
    """Return statistics in the range in which they may be."""
    if isinstance(tail, NormalTail):
        return statistics
    return np.clip(statistics, 0 if isinstance(tail, MultipleCorrelationTail) else -1, 1)


def smallest_p(statistics, tail, template):
    r = np.abs(statistics) if tail.is_absolute else statistics
    return np.sort(tail(r.astype(float)), axis=1)[:, : template.k_max]


def sorted_pivots(statistics, tail, template):
    """Return pivotal statistics by their definition."""
    p = smallest_p(statistics, tail, template)
    return template.inverse(np.arange(1, p.shape[1] + 1), p).min(axis=1)


def raised_pivots(statistics, tail, template):
    """Return pivotal statistics of raised p-values by their definition."""
    p = smallest_p(statistics, tail, template)
    return template.raised_inverse(np.arange(1, p.shape[1] + 1), p).min(axis=1)


@settings(max_examples=200)
@given(
    name=st.sampled_from([*TEMPLATES, "learned"]),
    kind=st.sampled_from(KINDS),
    tail=st.sampled_from(TAILS),
    m=st.integers(2, 400),
    k_max=st.none() | st.integers(1, 400),
    delta=st.integers(0, 20),
    n_left_out=st.integers(0, 50),
    log_error=st.floats(-7.5, -3),
    n_bins=st.sampled_from([128, 256, 1024, 8192]),
    seed=st.integers(0, 2**32 - 1),
)
def test_pivots_equal_pivots_of_sorted_p_values(
    name, kind, tail, m, k_max, delta, n_left_out, log_error, n_bins, seed
):
    rng = np.random.default_rng(seed)
    k_max = None if k_max is None else min(k_max, m - 1)
    delta = min(delta, (k_max or m - 1) - 1)
    template = template_of(name, m, k_max, delta)
    exact = statistics_with(tail, kind, 3, max(1, m - n_left_out), rng)
    # As errors may be: of each statistic another one, or of all of them the same.
    most = 10.0**log_error
    off = rng.uniform(-most, most, exact.shape)
    off[1:] = np.sign(off[1:, :1]) * most
    statistics = within(tail, exact + off).astype(np.float32)
    error = np.abs(statistics - exact).max()
    bins = StatisticBins(tail, error=error, n_bins=n_bins)
    low, value, high, _, raised = bins.pivots(statistics, template)
    assert_allclose(value, sorted_pivots(statistics, tail, template), rtol=1e-10, atol=1e-300)
    without_error = sorted_pivots(exact, tail, template)
    # Templates' own inverses are off by a few units of the last place.
    slack = 1e-10 * np.where(np.isfinite(without_error), np.abs(without_error), 0)
    assert (low <= without_error + slack).all()
    assert (without_error - slack <= high).all()
    assert (low <= value).all()
    assert (value <= raised).all()
    assert (raised <= high).all()
    expected = raised_pivots(statistics, tail, template)
    assert_allclose(raised, expected, rtol=1e-12, atol=1e-300)
    # Only statistics that may decide need all digits.
    sorting = StatisticBins(tail, error=error, sorts_all=True, n_bins=n_bins)
    mixed = np.where(sorting.may_decide(statistics, template), exact, statistics)
    of_mixed = StatisticBins(tail, error=0.0, n_bins=n_bins).pivots(mixed, template).value
    assert_allclose(of_mixed, without_error, rtol=1e-10, atol=1e-300)


@pytest.mark.parametrize("two_sided", [False, True])
@pytest.mark.parametrize("df", [9, 60, 5000])
def test_bounds_are_as_far_off_as_p_values_may_be(df, two_sided):
    rng = np.random.default_rng(0)
    statistics = statistics_of("null", df, 25, 5000, rng).astype(np.float32)
    spread = (df + 1) ** -0.5
    template = make_template("simes", 5000, k_max=500)
    low, value, high, *_ = bins_of(df, two_sided, 1e-5 * spread).pivots(statistics, template)
    assert np.median((high - low) / value) < 0.01
    bounds = bins_of(df, two_sided, 1e-2 * spread).pivots(statistics, template)
    assert (bounds.low <= low).all()
    assert (high <= bounds.high).all()
    assert (bounds.high - bounds.low > 0.01 * value).all()


@pytest.mark.parametrize("n_bins", [128, 8192])
@pytest.mark.parametrize("tail", TAILS, ids=repr)
def test_interpolated_p_values_are_as_far_off_as_they_say(tail, n_bins):
    rng = np.random.default_rng(0)
    for error in (1e-7, 1e-5, 1e-4, 1e-3):
        bins = StatisticBins(tail, error=error, n_bins=n_bins)
        edges = bins._table._edges
        number = np.repeat(np.arange(n_bins), 8)
        share = np.tile([0, 1, *rng.random(6)], n_bins)
        r = edges[number] + share * (edges[number + 1] - edges[number])
        p, reach, rounding = bins._table(r, number)
        known = np.isfinite(reach)
        assert known.mean() > 0.6
        assert (np.abs(bins._p_values(r) - p) <= p * reach)[known].all()
        for off in (-error, error):
            moved = bins._p_values(r + off)
            assert (np.abs(moved - p) <= p * (reach + rounding))[known].all()


@pytest.mark.parametrize(
    ("n_statistics", "n_bins"), [(1, 128), (2048, 128), (2049, 256), (10**6, 8192)]
)
def test_more_statistics_have_more_bins(n_statistics, n_bins):
    assert bins_for(n_statistics) == n_bins


@pytest.mark.parametrize(
    "tail",
    [
        CorrelationTail(10, False),
        CorrelationTail(10, True),
        MultipleCorrelationTail(3, 10),
        NormalTail(False),
        NormalTail(True),
    ],
    ids=repr,
)
@pytest.mark.parametrize("name", ["simes", "beta", "power", "learned"])
@pytest.mark.parametrize("value", [-1, -0.3, 0, 0.3, 1])
def test_one_element(name, value, tail):
    statistics = within(tail, np.full((4, 1), value, dtype=np.float32))
    template = template_of(name, 1)
    found = StatisticBins(tail, error=0.0).pivots(statistics, template)
    expected = sorted_pivots(statistics, tail, template)
    assert_allclose(found.value, expected, rtol=1e-12)
    assert (found.low <= expected).all()
    assert (expected <= found.high).all()


def test_elements_of_a_brain():
    rng = np.random.default_rng(0)
    df, m = 29, 60_000
    statistics = statistics_of("signal", df, 3, m, rng).astype(np.float32)
    statistics[1] *= -1
    for two_sided in (False, True):
        tail = CorrelationTail(df, two_sided)
        for name in TEMPLATES:
            template = make_template(name, m, k_max=1000, delta=3)
            found = bins_of(df, two_sided).pivots(statistics, template)
            expected = sorted_pivots(statistics, tail, template)
            assert_allclose(found.value, expected, rtol=1e-10)


def test_rows_do_not_depend_on_each_other():
    rng = np.random.default_rng(0)
    statistics = statistics_of("null", 20, 12, 300, rng).astype(np.float32)
    template = make_template("simes", 300)
    bins = bins_of(20, True, 1e-6)
    together = np.array(bins.pivots(statistics, template))
    alone = np.concatenate([bins.pivots(row[np.newaxis], template) for row in statistics], axis=1)
    assert_array_equal(together, alone)


def test_statistics_are_not_written_to():
    statistics = statistics_of("null", 20, 2, 300, np.random.default_rng(0)).astype(np.float32)
    before = statistics.copy()
    bins = bins_of(20, True)
    bins.pivots(statistics, make_template("simes", 300))
    bins.smallest_p_values(statistics, 10)
    assert_array_equal(statistics, before)


@settings(max_examples=60)
@given(
    kind=st.sampled_from(KINDS),
    tail=st.sampled_from(TAILS),
    m=st.integers(1, 300),
    part=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
)
def test_smallest_p_values(kind, tail, m, part, seed):
    rng = np.random.default_rng(seed)
    statistics = statistics_with(tail, kind, 3, m, rng).astype(np.float32)
    n = max(1, round(part * m))
    found = StatisticBins(tail, error=0.0).smallest_p_values(statistics, n)
    r = np.abs(statistics) if tail.is_absolute else statistics
    expected = np.sort(tail(r.astype(float)), axis=1)[:, :n]
    assert_array_equal(found, expected)


def test_smallest_p_values_of_t_tests():
    t = np.random.default_rng(0).standard_t(11, (2, 500))
    found = bins_of(11, False).smallest_p_values((t / np.sqrt(t**2 + 11)).astype(np.float32), 40)
    assert_allclose(found, np.sort(stats.t.sf(t, 11), axis=1)[:, :40], rtol=1e-5)


@settings(max_examples=60)
@given(
    name=st.sampled_from([*TEMPLATES, "learned"]),
    m=st.integers(2, 60),
    n_values=st.integers(1, 30),
    k_max=st.none() | st.integers(1, 60),
    delta=st.integers(0, 10),
    seed=st.integers(0, 2**32 - 1),
)
def test_pivots_of_counts(name, m, n_values, k_max, delta, seed):
    rng = np.random.default_rng(seed)
    k_max = None if k_max is None else min(k_max, m - 1)
    delta = min(delta, (k_max or m - 1) - 1)
    template = template_of(name, m, k_max, delta)
    values = np.arange(1, n_values + 1) / n_values
    numbers = rng.integers(0, n_values, (4, rng.integers(1, m + 1)))
    counts = np.array([np.bincount(row, minlength=n_values) for row in numbers])
    p = np.sort(values[numbers], axis=1)[:, : template.k_max]
    expected = template.inverse(np.arange(1, p.shape[1] + 1), p).min(axis=1)
    found = pivots_of_counts(counts, values, template)
    assert_array_equal(found.values, expected)
    expected = template.raised_inverse(np.arange(1, p.shape[1] + 1), p).min(axis=1)
    assert_array_equal(found.raised, np.maximum(expected, found.values))
