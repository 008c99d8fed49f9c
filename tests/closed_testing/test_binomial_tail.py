"""Logarithms of binomial tails, against exact sums."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from ari_estimator.closed_testing._binomial_tail import log_tail_quantile, log_upper_tail


def exact_log_tail(k, m, p):
    """Return the logarithm of the exact probability of at least k successes."""
    # A double is an integer over a power of 2: sums of integers need no common denominators.
    a, denominator = p.as_integer_ratio()
    b = denominator - a
    tail = sum(math.comb(m, j) * a**j * b ** (m - j) for j in range(k, m + 1))
    n_bits = m * (denominator.bit_length() - 1)
    # The logarithm of a number between 1/2 and 1 has all digits.
    return math.log(tail / 2 ** tail.bit_length()) - (n_bits - tail.bit_length()) * math.log(2)


@settings(max_examples=100)
@given(
    m=st.integers(1, 120),
    part=st.floats(0, 1),
    p=st.floats(0, 1, exclude_min=True, exclude_max=True)
    | st.integers(1, 300).map(lambda e: 0.1**e),
)
@example(m=120, part=0.5, p=1e-3)  # 1e-141, the sum of the doubles
@example(m=120, part=0.5, p=1e-6)  # 1e-325, beyond them
@example(m=100, part=1, p=1e-5)
@example(m=3, part=0, p=5e-324)
@example(m=3, part=1, p=5e-324)
@example(m=2, part=1, p=1 - 2**-53)
def test_tail_equals_exact_sums(m, part, p):
    k = min(1 + int(part * m), m)
    got = log_upper_tail(np.array(float(k)), m, np.array(p))
    assert_allclose(got, exact_log_tail(k, m, p), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("m", [1, 2, 1000, 235_375])
def test_tail_at_the_ends_is_nothing_and_everything(m):
    k = np.unique([1.0, m // 2 + 1.0, m])
    assert_array_equal(log_upper_tail(k, m, np.zeros(k.size)), -np.inf)
    assert_array_equal(log_upper_tail(k, m, np.ones(k.size)), 0)


@pytest.mark.parametrize("m", [1, 50, 2000, 200_000])
@pytest.mark.parametrize("logarithm", [-1e-6, -0.1, -3, -50, -460, -461, -643, -700, -20_000])
def test_quantile_is_the_inverse_of_the_tail(m, logarithm):
    k = np.unique(np.geomspace(1, m, 40).round())
    k = np.unique(np.concatenate([k, m + 1 - k]))
    p = log_tail_quantile(k, m, logarithm)
    assert (np.diff(p) >= 0).all()
    # Where quantiles are next to 0 or 1 doubles are too far apart.
    inside = (p > 1e-290) & (p < 1 - 1e-6)
    assert_array_equal(p[~inside & (p < 0.5)] < 1e-280, True)
    tail = log_upper_tail(k[inside], m, p[inside])
    assert_allclose(tail, logarithm, rtol=1e-10, atol=m * 1e-15)


@pytest.mark.parametrize("m", [300, 20_000, 1_000_000])
def test_both_ways_to_the_tail_agree_where_they_meet(m):
    # At 1e-200 one takes over from the other.
    k = np.unique([1.0, 2, 10, m // 100, m // 2, m - 100, m - 37, m - 20, m - 3, m])
    p = log_tail_quantile(k, m, -200 * math.log(10))
    steps = np.linspace(-1e-6, 1e-6, 51)
    tails = log_upper_tail(k, m, p * (1 + steps[:, np.newaxis] / k))
    ways = tails > -200 * math.log(10)
    assert_array_equal(ways[[0, -1]], [np.zeros(k.size), np.ones(k.size)])
    # So short a stretch of a smooth function is straight.
    straight = tails[0] + (tails[-1] - tails[0]) * np.linspace(0, 1, 51)[:, np.newaxis]
    assert_allclose(tails, straight, rtol=0, atol=1e-10 + 1e-15 * m)
