"""Sign-flipping of subjects that are known by sums of groups."""

import re
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from ari_estimator.resampling import (
    Exchangeability,
    LinearModelStatistics,
    PartialCorrelation,
    SignFlipping,
    StreamedSignStatistics,
    SubjectSums,
    find_contrast,
    sign_statistics,
)

from ._brute_force import correlation


@pytest.fixture
def data():
    return np.random.default_rng(0).standard_normal((23, 15)) + 0.2


def streamed(data, n_groups, n_permutations=50, two_sided=False):
    sums = SubjectSums.of(iter(data), n_groups)
    return sign_statistics(sums, n_permutations, np.random.default_rng(3), two_sided)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
@pytest.mark.parametrize("n_groups", [23, 24, 256])
def test_a_group_for_each_is_as_if_in_memory(data, dtype, n_groups):
    data = (100 * data).astype(dtype)
    contrast = find_contrast(np.ones((23, 1)), [1])
    scheme = SignFlipping(Exchangeability.of(None, 23))
    draws = scheme.draws(50, np.random.default_rng(3))
    in_memory = LinearModelStatistics(
        data if dtype != np.int16 else data.astype(float),
        PartialCorrelation(contrast, scheme, False),
        scheme,
        draws,
    )
    found = streamed(data, n_groups)
    chosen = np.array([0, 1, 49])
    assert_allclose(found.exact(chosen), in_memory.exact(chosen), rtol=1e-12)
    assert_allclose(found.observed.values, in_memory.observed.values, rtol=1e-12)
    assert_array_equal(found.block(25, 50), in_memory.block(25, 50))


def test_doubles_stay_doubles():
    # In single precision, noise beside such a mean would be lost.
    data = 1e8 + np.random.default_rng(0).standard_normal((12, 6))
    expected = stats.ttest_1samp(data, 0).statistic
    for n_groups in (3, 12):
        observed = streamed(data, n_groups, n_permutations=8).observed
        assert_allclose(observed.values, expected, rtol=1e-7)


@pytest.mark.parametrize("n_groups", [2, 5, 22])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_groups_are_flipped_as_one(data, dtype, n_groups):
    data = data.astype(dtype)
    null = streamed(data, n_groups, n_permutations=60, two_sided=True)
    assert isinstance(null, StreamedSignStatistics)
    assert null.n_permutations == min(2**n_groups, 60)
    scheme = SignFlipping(Exchangeability.of(None, n_groups))
    draws = scheme.draws(60, np.random.default_rng(3))
    groups = np.arange(23) % n_groups
    blocks = np.concatenate([null.block(i, min(i + 25, null.n_permutations)) for i in (0, 25, 50)])
    assert blocks.dtype == np.float32
    in_double = null.of_elements(slice(0, 15))
    exact = null.exact(np.arange(len(draws)))
    tolerance = 1e-12 if dtype == np.float64 else 1e-5
    for i, draw in enumerate(draws):
        flipped = data.astype(float) * draw[groups, np.newaxis]
        test = stats.ttest_1samp(flipped, 0)
        t = exact[i] * np.sqrt(22 / ((1 - exact[i]) * (1 + exact[i])))
        assert_allclose(t, test.statistic, rtol=tolerance, atol=tolerance)
        assert_allclose(null.tail(exact[i]), test.pvalue, rtol=10 * tolerance)
        if i == 0:
            assert_allclose(null.observed.values, test.statistic, rtol=tolerance)
            assert_allclose(null.observed_p_values, test.pvalue, rtol=10 * tolerance)
            assert null.observed.df == 22
        assert_allclose(in_double[i], correlation(test.statistic, 22), atol=tolerance)
        assert np.abs(blocks[i] - correlation(test.statistic, 22)).max() <= null.error


def test_welford_with_large_means():
    noise = np.random.default_rng(0).standard_normal((5000, 3))
    sums = SubjectSums.of(iter(noise + 1e6), 4)
    assert sums.n_subjects == 5000
    assert_allclose(sums.mean, 1e6 + noise.mean(axis=0), rtol=1e-14)
    assert_allclose(sums.squares, ((noise - noise.mean(axis=0)) ** 2).sum(axis=0), rtol=1e-8)
    assert_allclose(sums.sums.sum(axis=0), 5000e6 + noise.sum(axis=0), rtol=1e-13)


def test_subjects_join_groups_in_turn():
    sums = SubjectSums.of([[1.0], [10.0], [100.0], [1000.0], [10000.0]], 2)
    assert_array_equal(sums.sums, [[10101.0], [1010.0]])


def test_subjects_are_gone_through_once(data):
    seen = []

    def subjects():
        for i, values in enumerate(data):
            seen.append(i)
            yield values

    SubjectSums.of(subjects(), 4)
    assert seen == list(range(23))


def test_maps_may_be_overwritten_after_they_were_read(data):
    def in_one_array():
        array = np.empty(15)
        for values in data:
            array[:] = values
            yield array

    for n_groups in (4, 100):
        reused = SubjectSums.of(in_one_array(), n_groups)
        fresh = SubjectSums.of(iter(data), n_groups)
        assert_array_equal(reused.sums, fresh.sums)
        assert_array_equal(reused.mean, fresh.mean)


def test_maps_are_not_written_to(data):
    before = data.copy()
    SubjectSums.of(iter(data), 4)
    assert_array_equal(data, before)


def test_maps_may_be_rows(data):
    rows = SubjectSums.of((values[np.newaxis] for values in data), 4)
    assert_array_equal(rows.sums, SubjectSums.of(iter(data), 4).sums)


def test_memory_does_not_grow_with_the_number_of_subjects():
    def subjects(n):
        rng = np.random.default_rng(0)
        for _ in range(n):
            yield rng.standard_normal(50).astype(np.float32)

    def peak(n):
        tracemalloc.start()
        null = sign_statistics(SubjectSums.of(subjects(n), 16), 100, np.random.default_rng(0), True)
        null.block(0, 25)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return null.tail.df, size

    peak(20)  # what is allocated once
    assert peak(5000)[0] == 4999
    assert peak(5000)[1] < 1.3 * peak(50)[1]
    assert peak(5000)[1] < 0.1 * 5000 * 50 * 4


@pytest.mark.parametrize("n_groups", [3, 30])
def test_constant_elements_have_no_effect(data, n_groups):
    data[:, 3], data[:, 4], data[:, 5] = 0, 0.1, -1e6
    with np.errstate(all="raise", under="ignore"):
        null = streamed(data, n_groups, n_permutations=20)
        values = [
            null.block(0, min(20, null.n_permutations)),
            null.of_elements(slice(0, 15)),
            null.exact(np.arange(null.n_permutations)),
        ]
    assert_array_equal(np.flatnonzero(null.is_constant), [3, 4, 5])
    assert_array_equal(null.observed_p_values[3:6], 1)
    for of_draws in values:
        assert np.isfinite(of_draws).all()
        assert (of_draws[:, 3:6] == 0).all()
        assert (of_draws[:, 6:] != 0).all()


@pytest.mark.parametrize("n_groups", [5, 30])
def test_some_elements(data, n_groups):
    null = streamed(data, n_groups, two_sided=True)
    whole = null.of_elements(slice(0, 15))
    assert_allclose(null.of_elements(slice(4, 9)), whole[:, 4:9], atol=1e-15)
    keep = np.arange(15) % 3 > 0
    kept = null.select(keep)
    assert kept.n_elements == 10
    assert kept.tail == null.tail
    assert_allclose(kept.of_elements(slice(2, 7)), whole[:, keep][:, 2:7], atol=1e-15)
    chosen = np.array([7, 0])
    assert_allclose(kept.exact(chosen), null.exact(chosen)[:, keep], rtol=1e-12)
    assert_allclose(kept.observed_p_values, null.observed_p_values[keep], rtol=1e-12)
    last = kept.select(np.arange(10) >= 8)
    assert_allclose(last.exact(chosen), null.exact(chosen)[:, keep][:, 8:], rtol=1e-12)
    assert_allclose(last.block(25, 30), null.block(25, 30)[:, keep][:, 8:], atol=null.error)


@pytest.mark.parametrize(
    ("maps", "message"),
    [
        ([], "at least 2 subjects. Got 0"),
        ([[1.0, 2]], "at least 2 subjects. Got 1"),
        ([[1.0, 2], [1.0, np.nan]], "Got NaN or infinite values in 1 elements of subject 1"),
        ([[np.inf, -np.inf], [1.0, 2]], "infinite values in 2 elements of subject 0"),
        ([[1.0, 2], [1.0, 2, 3]], "data of subject 1 must be one-dimensional, with as many"),
        ([[1.0, 2], [[1.0, 2], [3, 4]]], "Got shape (2, 2)"),
        ([[1.0, 2], np.ones((1, 1, 2))], "Got shape (1, 1, 2)"),
        ([[], []], "Got shape (0,)"),
        ([1.0, 2.0], "Got shape ()"),
        ([[1.0, 2], [1j, 2]], "data of subject 1 must be real. Got complex128"),
        ([["a", "b"]], "data of subject 0 must be real"),
        ([[True, False]], "data of subject 0 must be real. Got bool"),
    ],
)
def test_maps_that_are_refused(maps, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        SubjectSums.of(maps, 4)
