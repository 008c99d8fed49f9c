"""Levels as fractions, multiples rounded once, and the factors of the local tests."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from ari_estimator.closed_testing._local_tests import exact_mean_factor, simes_factors
from ari_estimator.closed_testing._rational import rounded_multiples, simplest_fraction

from ._brute_force import simes_factor


@given(denominator=st.integers(1, 10**6), data=st.data())
def test_a_short_fraction_is_recovered_from_its_double(denominator, data):
    fraction = Fraction(data.draw(st.integers(0, denominator)), denominator)
    assert simplest_fraction(float(fraction)) == fraction


@given(value=st.floats(0, 1))
def test_the_fraction_of_a_double_rounds_to_it(value):
    assert float(simplest_fraction(value)) == value


def test_a_divided_level_is_the_fraction_that_was_meant():
    assert simplest_fraction(0.05 / 3) == Fraction(1, 60)
    assert simplest_fraction(0.05) == Fraction(1, 20)
    assert simplest_fraction(1 / 3) == Fraction(1, 3)


SHORT = st.builds(Fraction, st.integers(0, 10**6), st.integers(1, 10**9))
LONG = st.builds(Fraction, st.integers(2**53, 10**60), st.integers(10**60, 10**90))


@settings(max_examples=200)
@given(ratio=SHORT | LONG, n_multiples=st.integers(1, 2000))
def test_multiples_are_rounded_once(ratio, n_multiples):
    expected = [float(u * ratio) for u in range(1, n_multiples + 1)]
    assert_array_equal(rounded_multiples(ratio, n_multiples), expected)


def test_multiples_for_a_large_brain_are_rounded_once():
    # A quotient of two integers below 2 ** 53 is rounded once.
    n_multiples = 2**20
    expected = np.arange(1, n_multiples + 1) / (20 * 235_375)
    assert_array_equal(rounded_multiples(Fraction(1, 20 * 235_375), n_multiples), expected)


@pytest.mark.parametrize("local_test", ["simes", "hommel"])
def test_factors_are_the_sums_that_define_them(local_test):
    exact = [simes_factor(size, local_test) for size in range(1, 301)]
    assert_allclose(simes_factors(300, local_test), [float(s) for s in exact], rtol=2e-15)
    for size in (1, 2, 3, 50, 100):
        assert size * exact_mean_factor(size, local_test) == exact[size - 1]
    for size in (101, 150, 300):
        mean = float(exact_mean_factor(size, local_test))
        assert_allclose(size * mean, float(exact[size - 1]), rtol=1e-15)
    assert (np.diff(simes_factors(300, local_test)) > 0).all()
