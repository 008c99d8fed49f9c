"""P-values, levels and thresholds that put closed testing and calibration under strain."""

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from ari_estimator.closed_testing import LearnedTemplate, make_template
from ari_estimator.closed_testing._templates import TEMPLATES

from ._brute_force import simes_factor

LOCAL_TESTS = ["simes", "hommel"]

N_PERMUTATIONS = [100, 200, 1000, 5000]

ALPHAS = [
    Fraction(1, 100),
    Fraction(1, 60),  # 0.05 / 3
    Fraction(1, 40),
    Fraction(1, 20),
    Fraction(1, 10),
    Fraction(1, 5),
    Fraction(1, 3),
    Fraction(1, 2),
    Fraction(9, 10),
]

# Few distinct values, so that thresholds and p-values tie with each other and among
# themselves.
VALUES = st.integers(0, 20).map(lambda k: k / 20) | st.floats(0, 1)
THRESHOLDS = st.lists(VALUES, max_size=25).map(sorted)


def alphas():
    """Levels: mostly the usual ones, sometimes any with three decimals."""
    return st.one_of(st.sampled_from(ALPHAS), st.integers(1, 999).map(lambda k: Fraction(k, 1000)))


def as_floats(p_values):
    """Return fractions as the doubles nearest to them."""
    return np.array([float(p) for p in p_values])


def _of_permutations(n_permutations, alpha):
    # Half of them small: near the thresholds, where ties with them are.
    largest_small = max(1, int(2 * alpha * n_permutations))
    return st.one_of(
        st.integers(0, min(largest_small, n_permutations)), st.integers(0, n_permutations)
    ).map(lambda k: Fraction(k, n_permutations))


def _on_a_threshold(alpha):
    return st.builds(
        lambda size, part, local_test: (
            min(1 + part * size // 100, size) * alpha / simes_factor(size, local_test)
        ),
        st.integers(1, 10),
        st.integers(0, 99),
        st.sampled_from(LOCAL_TESTS),
    )


@st.composite
def families(draw, max_size=8):
    """Draw a family of p-values, as a list of fractions, and a level to test it at."""
    alpha = draw(alphas())
    anywhere = st.integers(0, 10**6).map(lambda k: Fraction(k, 10**6))
    tiny = st.integers(1, 12).map(lambda e: Fraction(1, 10**e))
    extreme = st.sampled_from([Fraction(0), Fraction(1)])
    below = st.integers(0, 10**4).map(lambda k: alpha * k / 10**4)
    above = st.integers(1, 10**4).map(lambda k: alpha + (1 - alpha) * k / 10**4)
    grid = _of_permutations(draw(st.sampled_from(N_PERMUTATIONS)), alpha)
    line = _on_a_threshold(alpha)
    mixed = st.one_of(anywhere, tiny, extreme, st.just(alpha), below, grid, line)
    tied = st.sampled_from(draw(st.lists(mixed, min_size=1, max_size=3)))
    # Grids and thresholds, where rounding decides, come up more often than the others.
    kind = draw(
        st.sampled_from([grid, grid, grid, line, line, mixed, mixed, tied, anywhere])
        | st.sampled_from([extreme, below, above])
    )
    return draw(st.lists(kind, min_size=1, max_size=max_size)), alpha


@st.composite
def problems(draw, largest=12):
    """Draw p-values of permutations, a level that they allow for, and a template."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    b, m = draw(st.integers(2, 40)), draw(st.integers(2, largest))
    p = rng.random((b, m)) ** draw(st.sampled_from([1, 3, 30]))
    # Dependence, ties, zeros and ones.
    p **= rng.exponential(size=(b, 1)) ** draw(st.sampled_from([0, 1, 3]))
    p = np.round(p, draw(st.sampled_from([1, 2, 300])))
    if draw(st.booleans()):
        p[0, : m // 2] *= draw(st.sampled_from([0, 1e-3, 1e-12]))
    alpha = draw(st.integers(1, b - 1).map(lambda j: j / b) | st.floats(1 / b, 1 - 1e-9))
    name = draw(st.sampled_from([*TEMPLATES, "learned"]))
    if name == "learned":
        other = np.sort(np.round(rng.random((draw(st.integers(1, 20)), m)), 2), axis=1)
        k_max = draw(st.integers(1, m))
        return p, alpha, LearnedTemplate.from_smallest(other[:, :k_max], m)
    largest = m - TEMPLATES[name]._n_degenerate
    k_max = draw(st.integers(1, largest))
    delta = draw(st.integers(0, k_max - 1))
    return p, alpha, make_template(name, m, k_max=k_max, delta=delta)
