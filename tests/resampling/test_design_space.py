"""The space of a design: rank, estimable contrasts, confounded columns, full rank."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ari_estimator.resampling import DesignSpace

GROUPS = np.eye(3)[np.repeat([0, 1, 2], [4, 5, 3])]
NAMES = ["a", "b", "c", "intercept"]


def f_values(design, contrast, data):
    """Return the F of rows of a contrast by least squares with a pseudo-inverse."""
    inverse = np.linalg.pinv(design)
    residuals = data - design @ (inverse @ data)
    df = len(design) - np.linalg.matrix_rank(design)
    effects = contrast @ (inverse @ data)
    middle = np.linalg.pinv(contrast @ inverse @ inverse.T @ contrast.T)
    rank = np.linalg.matrix_rank(contrast @ inverse)
    squares = np.einsum("ij,ik,kj->j", effects, middle, effects)
    return squares / rank / ((residuals**2).sum(axis=0) / df)


@pytest.mark.parametrize(
    ("contrast", "is_estimable", "confounded"),
    [
        ([1, -1, 0, 0], True, []),
        ([1, 0, 0, 0], False, NAMES),
        ([0, 0, 0, 1], False, NAMES),
        ([1, 0, 0, 1], True, []),
        ([[1, -1, 0, 0], [0, 1, -1, 0]], True, []),
        ([[1, -1, 0, 0], [0, 1, 0, 0]], False, NAMES),
    ],
    ids=str,
)
def test_groups_and_an_intercept(contrast, is_estimable, confounded):
    space = DesignSpace.of(np.column_stack([GROUPS, np.ones(12)]))
    assert space.rank == 3
    assert space.is_estimable(contrast) == is_estimable
    assert space.confounded(contrast, NAMES) == confounded


def test_columns_that_are_not_involved_are_not_named():
    age = np.random.default_rng(0).standard_normal(12)
    space = DesignSpace.of(np.column_stack([GROUPS, age, 2 * age]))
    assert space.is_estimable([1, 0, 0, 0, 0])
    assert space.confounded([0, 0, 0, 1, 0], [*"abc", "age", "again"]) == ["age", "again"]


@given(
    seed=st.integers(0, 2**32 - 1),
    scales=st.lists(st.sampled_from([1e-6, 1.0, 1e9]), min_size=4, max_size=4),
    n_rows=st.integers(1, 3),
)
@settings(max_examples=60)
def test_full_rank_gives_the_same_f(seed, scales, n_rows):
    rng = np.random.default_rng(seed)
    design = rng.integers(-3, 4, (12, 3)) @ rng.integers(-2, 3, (3, 4)).astype(float)
    design = np.column_stack([design, rng.standard_normal(12)]) * [*scales, 1.0]
    # Rows of the design itself are estimable, and sums of them depend on each other.
    rows = rng.integers(-2, 3, (n_rows, 2)) @ design[:2]
    if not rows.any():
        return
    space = DesignSpace.of(design)
    if space.rank >= 12 or not space.is_estimable(rows):
        return
    data = rng.standard_normal((12, 5))
    basis, independent = space.reparametrized(rows)
    assert basis.shape[1] == space.rank
    assert len(independent) == np.linalg.matrix_rank(independent)
    units = np.abs(design).max(axis=0)
    units[units == 0] = 1
    expected = f_values(design / units, rows / units, data)
    np.testing.assert_allclose(f_values(basis, independent, data), expected, rtol=1e-6)


def test_independent_rows_stay_as_they_are():
    space = DesignSpace.of(np.column_stack([GROUPS, np.ones(12)]))
    rows = np.array([[1.0, -1, 0, 0], [0, 1, -1, 0]])
    basis, kept = space.reparametrized(rows)
    estimates = np.linalg.pinv(np.column_stack([GROUPS, np.ones(12)])) @ np.arange(12.0)
    np.testing.assert_allclose(kept @ (basis.T @ np.arange(12.0)), rows @ estimates, atol=1e-12)
