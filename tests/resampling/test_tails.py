"""P-values of statistics, on the scale for comparing permutations."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from ari_estimator.resampling import CorrelationTail, MultipleCorrelationTail, NormalTail


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


@pytest.mark.parametrize("rank", [1, 2, 7])
@pytest.mark.parametrize("df", [1, 2, 5, 100, 5000])
def test_p_values_of_multiple_correlations(rank, df):
    r = np.array([0, 1e-8, 1e-3, 0.3, 0.9, 0.999, 1])
    with np.errstate(divide="ignore"):
        f = r**2 / rank / ((1 - r**2) / df)
    tail = MultipleCorrelationTail(rank, df)
    # Near 1 p-values have as few digits as 1 - r^2 has.
    expected = stats.f.sf(f, rank, df)
    assert_allclose(tail(r), expected, rtol=1e-6, atol=1e-300)
    assert_allclose(tail(r[2:]), expected[2:], rtol=1e-9, atol=1e-300)
    assert_array_equal(tail([0, 1.1]), [1, 0])
    if rank == 1:
        assert_allclose(tail(r[2:]), CorrelationTail(df, True)(r[2:]), rtol=1e-10, atol=1e-300)


def test_p_values_of_normal_values():
    z = np.array([-39.0, -2, -1e-9, 0, 0.5, 3, 37])
    assert_allclose(NormalTail(False)(z), stats.norm.sf(z), rtol=1e-12)
    assert_allclose(NormalTail(True)(z), 2 * stats.norm.sf(np.abs(z)), rtol=1e-12)


TAILS = [
    *(CorrelationTail(df, sided) for df in (1, 9, 5000) for sided in (False, True)),
    *(MultipleCorrelationTail(rank, df) for rank in (1, 2, 7) for df in (1, 9, 5000)),
    NormalTail(False),
    NormalTail(True),
]


@pytest.mark.parametrize("tail", TAILS, ids=repr)
def test_nearly_all_statistics_are_between_lowest_and_highest(tail):
    assert tail.lowest < tail.highest
    # Of a brain of a million elements, few are larger: less than a p-value of 1e-8.
    assert tail(np.array([tail.highest]))[0] < 1e-8
    assert tail(np.array([tail.lowest]))[0] > 0.99
    assert not tail.is_absolute or tail.lowest == 0
    within = np.linspace(tail.lowest, tail.highest, 1000)
    assert (np.diff(tail(within)) <= 0).all()


@pytest.mark.parametrize("tail", TAILS, ids=repr)
def test_the_inverse_finds_statistics_with_given_p_values(tail):
    p_values = np.array([1e-9, 1e-4, 0.05, 0.3, 0.5, 0.6, 0.97, 0.9999])
    found = tail.inverse(p_values)
    assert (np.diff(found) < 0).all()
    assert (found >= 0).all() or not tail.is_absolute
    # Correlations near 1, as with few degrees of freedom, have few digits of small p-values.
    near_one = np.abs(found) > 0.999999
    assert_allclose(tail(found)[~near_one], p_values[~near_one], rtol=1e-8)
    assert np.isfinite(tail.inverse(np.array([0.0, 1.0]))).all()
