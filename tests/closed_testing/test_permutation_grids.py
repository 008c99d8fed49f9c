"""Exact ties with the thresholds: p-values k / B of permutations against decimal levels.

Here naive floating point is off by one. The expected numbers come from integers and
fractions alone.
"""

from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from ari_estimator.closed_testing import Hommel

from ._brute_force import simes_factor
from ._strategies import ALPHAS, LOCAL_TESTS, N_PERMUTATIONS, as_floats


def permutation_counts(n_elements, n_permutations, seed):
    """Return counts k of p-values k / B: a third of the elements tend to be small."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, n_permutations + 1, n_elements)
    active = rng.random(n_elements) < 0.35
    exponents = rng.integers(1, 6, n_elements)
    counts[active] = 1 + (n_permutations * rng.random(n_elements) ** exponents)[active] // 6
    return counts


def simes_value(counts, n_permutations, alpha):
    """Return the largest size whose largest p-values Simes' test does not reject.

    It compares ``i * k / B <= j * a / b`` for all sizes i and ranks j as
    ``i * k * b <= j * a * B``, in integers.
    """
    counts = np.sort(counts)
    m = counts.size
    right = np.arange(1, m + 1) * (alpha.numerator * n_permutations)
    for i in range(m, 0, -1):
        if not (i * alpha.denominator * counts[m - i :] <= right[:i]).any():
            return i
    return 0


def simes_bound(counts, h, n_permutations, alpha):
    """Return ``max(0, max_u [1 - u + #{k : h * k / B <= u * alpha}])`` in integers."""
    if h == 0:
        return counts.size
    left = np.sort(h * alpha.denominator * counts)
    step = alpha.numerator * n_permutations
    ranks = np.arange(1, counts.size + 1)
    # At the smallest u that lets the r-th p-value in, at least r are in.
    categories = np.maximum(1, -(-left // step))
    n_in = np.searchsorted(left, categories * step, side="right")
    assert (n_in >= ranks).all()
    return max(0, int((1 - categories + n_in).max(initial=0)))


def simes_concentration(counts, h, n_permutations, alpha):
    """Return the smallest ``z >= m - h`` with ``h * k_(z) / B <= (z - m + h + 1) * alpha``."""
    counts, m = np.sort(counts), counts.size
    if h in (0, m):
        return m - h
    sizes = np.arange(m - h, m + 1)
    left = h * alpha.denominator * counts[sizes - 1]
    return sizes[left <= (sizes - m + h + 1) * (alpha.numerator * n_permutations)].min()


@pytest.mark.parametrize("alpha", ALPHAS, ids=str)
@pytest.mark.parametrize("n_permutations", N_PERMUTATIONS)
def test_simes_bounds_of_thousands_are_exact(n_permutations, alpha):
    m = 3001
    counts = permutation_counts(m, n_permutations, seed=n_permutations)
    p = counts / n_permutations
    hommel = Hommel(p)
    h = simes_value(counts, n_permutations, alpha)
    assert hommel.value(float(alpha)) == h

    vector = hommel.critical_vector(float(alpha))
    assert vector.true_discoveries(p) == m - h
    assert simes_bound(counts, h, n_permutations, alpha) == m - h
    rng = np.random.default_rng(1)
    for size in (1, 2, 5, 20, 100, 300, 1000, 2500):
        # Sets of chance and sets rich in small p-values.
        for subset in (
            rng.permutation(m)[:size],
            np.argsort(counts + rng.integers(0, 50, m))[:size],
        ):
            expected = simes_bound(counts[subset], h, n_permutations, alpha)
            assert vector.true_discoveries(p[subset]) == expected


def test_simes_bounds_of_many_families_are_exact():
    rng = np.random.default_rng(7)
    for seed in range(300):
        m = int(rng.integers(2, 120))
        n_permutations = int(rng.choice(N_PERMUTATIONS))
        alpha = ALPHAS[rng.integers(len(ALPHAS))]
        counts = permutation_counts(m, n_permutations, seed)
        p = counts / n_permutations
        hommel = Hommel(p)
        h = simes_value(counts, n_permutations, alpha)
        assert hommel.value(float(alpha)) == h
        size = hommel.concentration_set(float(alpha)).size
        assert size == simes_concentration(counts, h, n_permutations, alpha)
        labels = rng.integers(0, 5, m)
        assert_array_equal(
            hommel.critical_vector(float(alpha)).true_discoveries_by_label(p, labels, 5),
            [simes_bound(counts[labels == k], h, n_permutations, alpha) for k in range(5)],
        )


@pytest.mark.parametrize("local_test", LOCAL_TESTS)
@pytest.mark.parametrize("n_permutations", N_PERMUTATIONS)
def test_jumps_of_a_thousand_follow_their_formula(n_permutations, local_test):
    # On a grid most points of the sorted p-values lie on a line with others.
    m = 1000
    p = np.sort(permutation_counts(m, n_permutations, seed=n_permutations)) / n_permutations
    slopes = np.array([(p[m - i :] / np.arange(1, i + 1)).min() for i in range(1, m + 1)])
    factors = np.arange(1, m + 1.0)
    if local_test == "hommel":
        factors *= np.cumsum(1 / np.arange(1, m + 1))
    expected = np.minimum(np.maximum.accumulate((factors * slopes)[::-1])[::-1], 1)
    assert_allclose(Hommel(p, local_test).jumps, expected, rtol=1e-12, atol=0)


def hommel_value(p_values, alpha, local_test):
    """Return ``max {i : a_i > alpha}`` from the formula of the jumps, in fractions."""
    p, m = sorted(p_values), len(p_values)
    for i in range(m, 0, -1):
        slope = min(p[m - i + j - 1] / j for j in range(1, i + 1))
        if simes_factor(i, local_test) * slope > alpha:
            return i
    return 0


def hommel_bound(p_values, h, alpha, local_test):
    """Return the bound of a set from its formula, in fractions."""
    if h == 0:
        return len(p_values)
    factor = simes_factor(h, local_test)
    return max(
        1 - u + sum(factor * p <= u * alpha for p in p_values) for u in range(1, len(p_values) + 2)
    )


@pytest.mark.parametrize("local_test", LOCAL_TESTS)
@pytest.mark.parametrize("m", [11, 30, 60])
def test_bounds_of_dozens_are_exact(m, local_test):
    rng = np.random.default_rng(m)
    for seed in range(12):
        n_permutations = int(rng.choice(N_PERMUTATIONS))
        alpha = ALPHAS[rng.integers(len(ALPHAS))]
        counts = permutation_counts(m, n_permutations, seed)
        p = [Fraction(int(k), n_permutations) for k in counts]
        hommel = Hommel(as_floats(p), local_test)
        h = hommel_value(p, alpha, local_test)
        assert hommel.value(float(alpha)) == h
        vector = hommel.critical_vector(float(alpha))
        for size in (m, m // 2, 3):
            subset = rng.permutation(m)[:size]
            expected = hommel_bound([p[i] for i in subset], h, alpha, local_test)
            assert vector.true_discoveries(as_floats(p)[subset]) == expected


def test_hommel_test_is_exact_where_its_factors_are_rounded():
    # Factors beyond size 100 are doubles; the values here lie on both sides of it.
    m, n_permutations = 150, 1000
    counts = permutation_counts(m, n_permutations, seed=3)
    counts[:25] = 0
    counts[25:75] = 1 + np.arange(50) // 3
    p = [Fraction(int(k), n_permutations) for k in counts]
    hommel = Hommel(as_floats(p), "hommel")
    values = []
    for alpha in (Fraction(1, 20), Fraction(1, 5), Fraction(19, 20)):
        h = hommel_value(p, alpha, "hommel")
        values.append(h)
        assert hommel.value(float(alpha)) == h
        vector = hommel.critical_vector(float(alpha))
        assert vector.true_discoveries(as_floats(p)) == m - h
        subset = np.argsort(counts)[10:60]
        expected = hommel_bound([p[i] for i in subset], h, alpha, "hommel")
        assert vector.true_discoveries(as_floats(p)[subset]) == expected
    assert 0 < min(values) <= 100 < max(values) < m


@pytest.mark.parametrize("alpha", ALPHAS, ids=str)
@pytest.mark.parametrize(
    ("local_test", "sizes"),
    [("simes", [*range(1, 130), 1000, 4999]), ("hommel", [*range(1, 50), 99, 100])],
)
def test_p_values_on_the_line_of_the_local_test_are_all_discoveries(local_test, sizes, alpha):
    # s_m * p_(j) = j * alpha for all j: every comparison is a tie, and rejects.
    for m in sizes:
        step = alpha / simes_factor(m, local_test)
        p = as_floats([j * step for j in range(1, m + 1)])
        hommel = Hommel(p, local_test)
        assert hommel.value(float(alpha)) == 0
        assert hommel.critical_vector(float(alpha)).true_discoveries(p[-1:]) == 1
        # The next larger doubles are above the line, and nothing is a discovery.
        hommel = Hommel(np.nextafter(p, 1), local_test)
        assert hommel.value(float(alpha)) == m
        assert hommel.critical_vector(float(alpha)).true_discoveries(p) == 0


@pytest.mark.parametrize("alpha", ALPHAS, ids=str)
@pytest.mark.parametrize(
    ("local_test", "sizes"), [("simes", [1, 7, 150, 4000]), ("hommel", [1, 7, 90])]
)
def test_a_p_value_on_a_threshold_of_its_set_counts(local_test, sizes, alpha):
    # h is known: p-values of 0 beside as many of 1 leave only the latter possible nulls.
    for h in sizes:
        step = alpha / simes_factor(h, local_test)
        on_threshold = as_floats([u * step for u in range(1, h + 1)])
        hommel = Hommel(np.repeat([0.0, 1.0], [3, h]), local_test)
        assert hommel.value(float(alpha)) == h
        vector = hommel.critical_vector(float(alpha))
        assert vector.true_discoveries(on_threshold[:1]) == 1
        assert vector.true_discoveries(np.nextafter(on_threshold[:1], 1)) == 0
        assert vector.thresholds[0] == on_threshold[0]


# Levels as they come out of a computation: no short fraction rounds to them.
COMPUTED_LEVELS = [1 - 0.95, 1 - 0.9, 0.05 / 7, 0.05 / 11, 0.025 / 7, 0.1 + 0.2]


@pytest.mark.parametrize("alpha", COMPUTED_LEVELS)
def test_p_values_equal_to_a_computed_level_are_all_discoveries(alpha):
    for m in range(1, 400):
        p = np.full(m, alpha)
        assert Hommel(p).value(alpha) == 0
        assert Hommel(np.nextafter(p, 1)).value(alpha) == m


@pytest.mark.parametrize("local_test", LOCAL_TESTS)
@pytest.mark.parametrize("alpha", COMPUTED_LEVELS)
def test_value_and_bound_agree_where_rounding_decides(alpha, local_test):
    # Which side of the line these p-values are on is chance, but it is chosen once.
    for m in range(1, 500, 3):
        line = np.arange(1, m + 1) * (alpha / float(simes_factor(m, local_test)))
        p = np.concatenate([np.zeros(m // 4), line, np.ones(m // 4)])
        hommel = Hommel(p, local_test)
        vector = hommel.critical_vector(alpha)
        size = hommel.concentration_set(alpha).size
        assert vector.true_discoveries(p) == hommel.true_discoveries(alpha)
        assert vector.true_discoveries(np.sort(p)[:size]) == hommel.true_discoveries(alpha)
