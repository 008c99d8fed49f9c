"""Groups of rows that may have variances of their own: which are found, and when they differ."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from ari_estimator.resampling import find_contrast, variance_groups_of
from ari_estimator.resampling._variance_groups import unequal_variances

ONES = np.ones(8)
PATIENT = np.array([1.0, 1, 1, 0, 0, 0, 0, 0])
FEMALE = np.array([1.0, 0, 1, 0, 1, 1, 0, 0])
AGE = np.array([23.0, 31, 40, 25, 44, 29, 51, 38])
SUBJECT = np.repeat([0, 1, 2, 3], 2)
IN_SUBJECT = np.tile([0, 1], 4)


def of_columns(*columns, **options):
    return variance_groups_of("auto", np.column_stack(columns), **options)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ([PATIENT, 1 - PATIENT], [0, 0, 0, 1, 1, 1, 1, 1]),
        ([ONES, PATIENT], [0, 0, 0, 1, 1, 1, 1, 1]),
        ([ONES, PATIENT, AGE], [0, 0, 0, 1, 1, 1, 1, 1]),
        # Effects coding, and other codes.
        ([ONES, 2 * PATIENT - 1], [0, 0, 0, 1, 1, 1, 1, 1]),
        ([ONES, 0.3 - PATIENT], [0, 0, 0, 1, 1, 1, 1, 1]),
        # Each cell of two factors.
        ([ONES, PATIENT, FEMALE], [0, 1, 0, 2, 3, 3, 2, 2]),
        ([*np.eye(3)[[0, 1, 2, 2, 1, 0, 0, 1]].T], [0, 1, 2, 2, 1, 0, 0, 1]),
        # A column with one row of its own is no group.
        ([ONES, PATIENT, AGE == 23], [0, 0, 0, 1, 1, 1, 1, 1]),
    ],
)
def test_auto_finds_the_groups_of_the_design(columns, expected):
    assert_array_equal(of_columns(*columns), expected)


def test_auto_leaves_out_columns_of_single_blocks():
    # A column for each subject, as for paired data, tells no groups.
    columns = [IN_SUBJECT, *np.eye(4)[SUBJECT].T]
    assert_array_equal(of_columns(*columns, blocks=SUBJECT), IN_SUBJECT)
    assert of_columns(*columns).max() == 7


def test_auto_takes_rows_that_change_places_where_the_design_has_no_groups():
    # Sites within which rows change places: each of them has a variance.
    assert_array_equal(of_columns(ONES, AGE, orbits=PATIENT.astype(int)), PATIENT)
    # The design goes first.
    assert_array_equal(of_columns(ONES, FEMALE, orbits=PATIENT.astype(int)), FEMALE[0] != FEMALE)


@pytest.mark.parametrize("columns", [[ONES], [ONES, AGE], [ONES, AGE == 23], [AGE]])
@pytest.mark.parametrize("orbits", [None, np.zeros(8, dtype=int)])
def test_auto_says_that_it_finds_none(columns, orbits):
    with pytest.raises(ValueError, match="Got 'auto', which finds one group: no column"):
        of_columns(*columns, orbits=orbits)


def test_labels_are_of_any_type():
    design = ONES[:, np.newaxis]
    expected = [0, 1, 0, 2, 2, 1, 0, 0]
    names = np.array(list("bacxxabb"))
    assert variance_groups_of(None, design) is None
    for labels in (list("abaccbaa"), [7, -1, 7, 3, 3, -1, 7, 7], pd.Series(list("zxzqqxzz"))):
        assert_array_equal(variance_groups_of(labels, design), expected)
    assert_array_equal(variance_groups_of(names, design), [0, 1, 2, 3, 3, 1, 0, 0])


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ("cells", "must be labels, one for each row, 'auto' or None. Got 'cells'"),
        (
            [0, 0, 1],
            "variance_groups must be 8 labels, one for each row of the data. Got shape (3,)",
        ),
        (np.ones((8, 2)), "Got shape (8, 2)"),
        (
            [0, 0, 0, None, 1, 1, 1, 1],
            "must have a label for each row. Got none for row 3",
        ),
        ([0, 0, 0, 1, 1, np.nan, 1, 1], "Got none for row 5"),
        (3, "Got shape ()"),
    ],
)
def test_groups_that_are_refused(groups, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        variance_groups_of(groups, ONES[:, np.newaxis])


def smooth(shape, rng):
    """Return noise whose elements depend on each other, as in a brain."""
    noise = rng.standard_normal((shape[0], shape[1] + 19))
    return np.apply_along_axis(np.convolve, 1, noise, np.ones(20) / 20**0.5, "valid")


def design_of(sizes, rng, has_covariate=False):
    groups = np.repeat(np.arange(len(sizes)), sizes)
    columns = np.eye(len(sizes))[groups]
    if has_covariate:
        columns = np.column_stack([columns, rng.standard_normal(groups.size)])
    return groups, columns


def is_said(data, design, rows, blocks=None):
    return unequal_variances(data, design, find_contrast(design, rows), blocks) is not None


def test_equal_variances_are_rarely_taken_for_unequal():
    rng = np.random.default_rng(2)
    n_alarms = 0
    designs = [([10, 30], False), ([12, 12], True), ([5, 15], False), ([6, 9, 20], False)]
    for sizes, has_covariate in designs:
        for i in range(300):
            groups, design = design_of(sizes, rng, has_covariate)
            shape = (groups.size, 100)
            data = smooth(shape, rng) if i % 2 else rng.standard_normal(shape)
            # Effects, and elements of other units.
            data = data * rng.uniform(0.1, 10, 100) + groups[:, np.newaxis]
            columns = np.eye(design.shape[1])
            n_alarms += is_said(data, design, columns[0] - columns[1])
    # Its level is 0.02; the test of Kruskal and Wallis holds it about.
    assert n_alarms <= 0.03 * 300 * len(designs)


@pytest.mark.parametrize("make", [np.random.Generator.standard_normal, smooth])
@pytest.mark.parametrize("larger", [0, 1])
def test_variances_in_the_ratio_of_two_to_one_are_found(make, larger):
    rng = np.random.default_rng(2)
    n_found = 0
    for _ in range(50):
        groups, design = design_of([10, 30], rng, has_covariate=True)
        shape = (40, 200)
        data = smooth(shape, rng) if make is smooth else rng.standard_normal(shape)
        data[groups == larger] *= 2
        n_found += is_said(data, design, [1, -1, 0])
    assert n_found >= 49


def test_it_is_said_how_groups_differ():
    rng = np.random.default_rng(0)
    groups, design = design_of([6, 10, 18], rng)
    data = rng.standard_normal((34, 500)) * np.array([4, 1, 2])[groups, np.newaxis]
    said = unequal_variances(data, design, find_contrast(design, [[1, -1, 0], [0, 1, -1]]))
    start, spreads = said.split(" in the ratio ")
    assert start == "6, 10 and 18 rows, standard deviations"
    assert_allclose([float(spread) for spread in spreads.split(" to ")], [4, 1, 2], rtol=0.1)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [([10, 10], True), ([10, 15], True), ([4, 20], True), ([2, 20], False), ([20, 2], False)],
)
def test_groups_of_too_few_rows_are_not_judged(sizes, expected):
    rng = np.random.default_rng(0)
    groups, design = design_of(sizes, rng)
    data = rng.standard_normal((groups.size, 100)) * np.array([5, 1])[groups, np.newaxis]
    assert is_said(data, design, [1, -1]) == expected


def test_rows_of_high_leverage_are_not_taken_for_rows_of_small_variance():
    # Covariates of the smaller group alone: its residuals have 0.4 of the variance.
    rng = np.random.default_rng(0)
    groups = np.repeat([0, 1], [8, 24])
    n_alarms = n_found = 0
    for _ in range(100):
        covariates = rng.standard_normal((32, 4)) * (groups == 0)[:, np.newaxis]
        design = np.column_stack([np.eye(2)[groups], covariates])
        leverages = (find_contrast(design, np.eye(6)[0]).basis ** 2).sum(axis=1)
        assert 1 - leverages[:8].mean() < 0.4
        data = rng.standard_normal((32, 100))
        n_alarms += is_said(data, design, np.eye(6)[0] - np.eye(6)[1])
        data[:8] *= 4
        n_found += is_said(data, design, np.eye(6)[0] - np.eye(6)[1])
    # Dependent residuals cost something, but taken as they are, all would be alarms.
    assert n_alarms <= 15
    assert n_found >= 95


def test_rows_of_a_block_are_no_independent_witnesses():
    # Each subject has a variance of its own, by chance; there are four rows of each.
    rng = np.random.default_rng(0)
    subjects = np.repeat(np.arange(16), 4)
    design = np.eye(2)[(subjects >= 4).astype(int)]
    of_blocks = of_rows = 0
    for _ in range(100):
        data = rng.standard_normal((64, 100)) * rng.lognormal(0, 0.7, 16)[subjects, np.newaxis]
        of_blocks += is_said(data, design, [1, -1], subjects)
        of_rows += is_said(data, design, [1, -1])
    assert of_blocks <= 4
    assert of_rows > 10


@pytest.mark.parametrize("value", [0, 0.1, 1 / 3, 1e6 + 0.1])
def test_constant_elements_say_nothing(value):
    # Rounding leaves residuals that are the same in all of them.
    rng = np.random.default_rng(0)
    groups, design = design_of([10, 30], rng)
    data = np.where(np.arange(100) < 90, value, rng.standard_normal((40, 100)))
    with np.errstate(all="raise", under="ignore"):
        assert not is_said(data, design, [1, -1])
        assert not is_said(np.full((40, 3), value), design, [1, -1])
        data[groups == 0, 90:] *= 3
        assert is_said(data, design, [1, -1])
