"""Calibration, against its definition on matrices small enough for that."""

import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from ari_estimator.closed_testing import (
    AORCTemplate,
    BetaTemplate,
    HigherCriticismTemplate,
    LearnedTemplate,
    SimesTemplate,
    calibrate,
)
from ari_estimator.closed_testing import _p_value_matrix as p_value_matrix
from ari_estimator.closed_testing._lambda import lambda_at, lambda_rank
from ari_estimator.closed_testing._pivotal_statistics import PivotalStatistics
from ari_estimator.closed_testing._step_down import step_down
from ari_estimator.closed_testing._templates import TEMPLATES

from ._strategies import problems

NAMES = list(TEMPLATES)


def is_beyond(p_values, thresholds):
    """Tell of each permutation whether a sorted p-value meets its threshold."""
    n = min(thresholds.size, p_values.shape[1])
    return (np.sort(p_values, axis=1)[:, :n] <= thresholds[:n]).any(axis=1)


# Statistics that are equal, but not after rounding: 0.4 * 3 / 2 and 0.6 * 3 / 3.
SIMES_TIES = [
    [0.6, 0.3, 0.0], [0.0, 0.8, 0.9], [0.6, 0.7, 0.5], [0.9, 0.8, 0.0], [0.9, 0.0, 0.7],
    [0.2, 0.9, 0.5], [0.3, 0.4, 0.0], [0.1, 0.7, 0.6], [0.6, 0.4, 1.0], [1.0, 0.7, 0.7],
    [0.7, 0.4, 0.1], [0.7, 0.5, 0.3], [0.5, 0.9, 0.9], [0.4, 0.6, 0.3],
]  # fmt: skip
# All statistics of higher criticism are -1.
HIGHER_CRITICISM_TIES = [
    [0.8, 0.8, 0.1, 0.7], [0.5, 0.3, 0.7, 0.8], [0.3, 0.2, 1.0, 0.9], [0.3, 0.8, 0.1, 0.9]
]  # fmt: skip
# Six statistics of the AORC are 1, and others smaller.
AORC_TIES = [
    [0.2, 0.6, 0.8, 0.0, 0.6, 0.1], [0.8, 0.6, 0.4, 0.5, 0.4, 0.8], [0.4, 0.8, 0.5, 0.4, 0.9, 0.6],
    [0.7, 0.5, 0.8, 0.7, 0.0, 0.2], [0.4, 0.7, 0.8, 1.0, 0.8, 0.9], [0.6, 0.8, 0.6, 0.7, 0.3, 0.6],
    [0.8, 0.4, 0.9, 0.6, 0.6, 0.2], [0.4, 0.7, 0.7, 0.2, 0.2, 0.7], [0.7, 0.5, 0.7, 0.0, 0.8, 0.3],
    [0.7, 0.0, 0.3, 0.5, 0.7, 0.9], [0.2, 0.6, 0.3, 0.5, 0.5, 0.2], [0.8, 0.2, 1.0, 0.1, 0.4, 0.1],
    [0.4, 0.4, 0.7, 0.4, 0.8, 0.9],
]  # fmt: skip
BETA_TIES = [
    [0.2, 0.3, 0.8], [0.1, 0.4, 0.6], [0.3, 0.8, 0.3], [0.6, 0.4, 0.1], [0.3, 0.8, 0.3],
    [0.3, 0.9, 0.9],
]  # fmt: skip
# Lambda is the statistic of the last element of the first row, which step-down must keep.
FIRST_TIES = [
    [0.0, 0.0, 0.0, 0.0, 0.1], [1.0, 0.9, 0.9, 0.8, 1.0], [0.4, 0.0, 0.5, 0.0, 0.2],
    [0.9, 1.0, 1.0, 0.9, 1.0], [0.0, 0.0, 0.1, 0.1, 0.1], [0.2, 1.0, 1.0, 0.5, 0.5],
    [0.3, 0.1, 0.0, 0.4, 0.1], [0.6, 0.7, 0.9, 1.0, 0.6], [0.2, 0.0, 0.2, 0.0, 0.1],
    [0.9, 0.4, 0.8, 0.2, 0.9], [0.6, 0.1, 0.8, 0.0, 0.1], [0.0, 0.1, 0.5, 0.0, 0.0],
    [0.3, 0.1, 0.0, 0.5, 0.2], [0.8, 0.4, 1.0, 0.6, 0.3], [0.4, 0.9, 0.2, 0.9, 0.3],
    [0.5, 0.6, 1.0, 1.0, 0.5], [0.9, 0.8, 0.8, 0.9, 0.8], [0.1, 0.1, 0.6, 0.0, 0.1],
    [0.7, 0.9, 0.0, 0.5, 0.9], [0.9, 0.0, 0.9, 0.8, 0.6], [0.0, 0.0, 0.3, 0.6, 0.0],
    [0.4, 0.3, 0.9, 0.0, 0.6],
]  # fmt: skip
TIES = {
    "simes": (np.array(SIMES_TIES), 8 / 14, SimesTemplate(3)),
    "higher_criticism": (np.array(HIGHER_CRITICISM_TIES), 0.5, HigherCriticismTemplate(4)),
    "aorc": (np.array(AORC_TIES), 0.769, AORCTemplate(6, k_max=4, delta=1)),
    "beta": (np.array(BETA_TIES), 0.5, BetaTemplate(3)),
    "aorc first": (np.array(FIRST_TIES), 0.625, AORCTemplate(5, k_max=3)),
}


@settings(max_examples=300)
@given(problem=problems())
@example(problem=TIES["simes"])
@example(problem=TIES["higher_criticism"])
@example(problem=TIES["aorc"])
@example(problem=TIES["beta"])
def test_no_more_than_alpha_of_the_permutations_are_beyond(problem):
    p, alpha, template = problem
    calibration = calibrate(p, alpha, template=template)
    share = Fraction(int(is_beyond(p, calibration.critical_vector.thresholds).sum()), len(p))
    assert share <= Fraction(alpha).limit_denominator(10**9)
    assert calibration.joint_error_rate() == float(share)


@pytest.mark.parametrize(
    ("name", "lambda_", "n_beyond"),
    [("simes", 0.6, 7), ("higher_criticism", -1, 0), ("aorc", 1, 3), ("beta", np.log(0.216), 0)],
)
def test_rounding_does_not_break_ties_with_lambda(name, lambda_, n_beyond):
    p, alpha, template = TIES[name]
    calibration = calibrate(p, alpha, template=template)
    assert_allclose(calibration.lambda_, lambda_, rtol=1e-12)
    # Without allowance for rounding, it puts some of the statistics below others.
    assert (calibration.pivotal_statistics < calibration.lambda_).sum() > n_beyond
    assert calibration.joint_error_rate() == n_beyond / len(p)


@settings(max_examples=100)
@given(problem=problems())
def test_raised_statistics_are_of_p_values_that_are_raised_by_more_than_rounding(problem):
    p, alpha, template = problem
    calibration = calibrate(p, alpha, template=template)
    raised = np.sort(p, axis=1)[:, : template.k_max] * (1 + 1e-10)
    inverses = template.inverse(np.arange(1, template.k_max + 1), np.minimum(raised, 1))
    # A p-value of 1 is never below a threshold.
    expected = np.where(raised > 1, np.inf, inverses).min(axis=1)
    assert_array_equal(
        calibration.raised_statistics, np.maximum(expected, calibration.pivotal_statistics)
    )
    assert calibration.at(alpha / 2 + 0.5).raised_statistics is calibration.raised_statistics


# A statistic is one double above lambda, and equal to it but for rounding.
BETA_NEXT_TO_LAMBDA = [
    [0.9, 0.8, 0.6, 0.6], [0.2, 0.5, 0.0, 0.1], [0.0, 0.6, 0.2, 0.0], [0.2, 0.0, 0.0, 0.0],
    [0.4, 0.0, 0.0, 0.0], [0.0, 0.1, 0.7, 0.6], [0.0, 0.0, 1.0, 0.9], [0.6, 0.5, 0.6, 0.2],
    [0.0, 0.6, 0.3, 0.1], [0.0, 0.6, 0.7, 0.0], [0.2, 0.1, 0.3, 0.1], [0.1, 0.7, 0.0, 0.3],
    [0.5, 0.9, 0.9, 0.6], [0.8, 0.0, 0.1, 0.0], [0.0, 0.1, 0.0, 0.0], [0.8, 0.6, 0.5, 0.9],
    [0.0, 0.2, 0.0, 0.8], [1.0, 0.9, 1.0, 1.0], [0.0, 0.8, 0.0, 0.0], [0.4, 1.0, 0.9, 0.2],
    [0.4, 0.1, 0.1, 0.5], [0.7, 0.9, 0.9, 1.0], [0.0, 0.4, 0.8, 0.9], [0.1, 0.9, 1.0, 1.0],
]  # fmt: skip


@settings(max_examples=200)
@given(problem=problems())
@example(problem=(np.array(BETA_NEXT_TO_LAMBDA), 0.5, BetaTemplate(4, k_max=4, delta=1)))
def test_lambda_is_the_largest_that_keeps_the_error(problem):
    p, alpha, template = problem
    calibration = calibrate(p, alpha, template=template)
    statistics = np.sort(calibration.pivotal_statistics)
    # Larger by more than rounding.
    larger = statistics[[template.limit(one) > calibration.lambda_ for one in statistics]]
    assume(larger.size and np.isfinite(larger[0]))
    # Next to p = 1, as above.
    assume(not isinstance(template, BetaTemplate) or larger[0] < -1e-9)
    n_beyond = is_beyond(p, template.critical_thresholds(larger[0])).sum()
    assert Fraction(int(n_beyond), len(p)) > Fraction(alpha).limit_denominator(10**9)


@settings(max_examples=200)
@given(problem=problems())
def test_pivotal_statistics_follow_their_definition(problem):
    p, alpha, template = problem
    calibration = calibrate(p, alpha, template=template)
    ranks = range(1, template.k_max + 1)
    expected = [
        min(float(template.inverse(np.array(k), np.array(row[k - 1]))) for k in ranks)
        for row in np.sort(p, axis=1)
    ]
    assert_array_equal(calibration.pivotal_statistics, expected)
    assert calibration.single_step_statistics is calibration.pivotal_statistics
    assert (calibration.n_steps, calibration.n_permutations) == (1, len(p))
    assert calibration.template is template


@settings(max_examples=100)
@given(problem=problems(), seed=st.integers(0, 99))
def test_order_changes_nothing(problem, seed):
    p, alpha, template = problem
    rng = np.random.default_rng(seed)
    shuffled = p[np.r_[0, 1 + rng.permutation(len(p) - 1)]][:, rng.permutation(p.shape[1])]
    calibration = calibrate(p, alpha, template=template, step_down=True)
    again = calibrate(shuffled, alpha, template=template, step_down=True)
    assert again.lambda_ == calibration.lambda_
    assert again.n_steps == calibration.n_steps


@settings(max_examples=100)
@given(problem=problems(), data=st.data())
def test_bounds_grow_with_alpha(problem, data):
    p, alpha, template = problem
    higher = data.draw(st.floats(alpha, 1, exclude_max=True))
    calibration = calibrate(p, alpha, template=template)
    other = calibration.at(higher)
    assert other.lambda_ >= calibration.lambda_
    found = [c.critical_vector.true_discoveries(p[0]) for c in (calibration, other)]
    assert found[0] <= found[1]


@settings(max_examples=100)
@given(problem=problems(), data=st.data())
def test_another_level_is_calibrated_from_the_same_statistics(problem, data):
    p, alpha, template = problem
    other = data.draw(st.integers(1, len(p) - 1)) / len(p)
    again, expected = (
        calibrate(p, alpha, template=template).at(other),
        calibrate(p, other, template=template),
    )
    assert (again.lambda_, again.alpha) == (expected.lambda_, other)
    assert_array_equal(again.pivotal_statistics, expected.pivotal_statistics)
    assert again.at(other) is again


def stepped_down(p, alpha, template):
    """Return the parameter after step-down, and the number of steps, by the definition."""
    keep, n_steps = set(range(p.shape[1])), 0
    while True:
        n_steps += 1
        left = np.sort(p[:, sorted(keep)], axis=1)
        ranks = np.arange(1, min(template.k_max, len(keep)) + 1)
        statistics = sorted(template.inverse(ranks, left[:, : ranks.size]).min(axis=1))
        level = Fraction(alpha).limit_denominator(10**9)
        lambda_ = statistics[int(level * len(p))]
        # Equal except for rounding is not below.
        raised = p[0] * (1 + 1e-10)
        first = template.inverse(np.ones(p.shape[1], dtype=int), np.minimum(raised, 1))
        first[raised > 1] = np.inf
        still = {i for i in keep if not first[i] < lambda_}
        if still == keep or not still:
            return lambda_, n_steps
        keep = still


@settings(max_examples=300)
@given(problem=problems())
@example(problem=TIES["aorc first"])
def test_step_down_follows_its_definition(problem):
    p, alpha, template = problem
    # Where inverses are rounded out of order, thresholds are a little lower.
    assume(template.name not in ("beta", "power"))
    calibration = calibrate(p, alpha, template=template, step_down=True)
    assert (calibration.lambda_, calibration.n_steps) == stepped_down(p, alpha, template)
    single = calibrate(p, alpha, template=template)
    assert calibration.lambda_ >= single.lambda_
    assert_array_equal(calibration.single_step_statistics, single.pivotal_statistics)
    assert calibration.joint_error_rate() <= alpha


def test_step_down_goes_on_until_nothing_changes():
    # Permutations have the small p-values of false elements in other places; each step
    # leaves out some, and allows for more.
    rng = np.random.default_rng(1)
    p = rng.random((100, 40))
    p[:, :5] **= 3
    p[0, :5] = [1e-9, 1e-5, 1e-4, 3e-4, 6e-4]
    calibrations = [calibrate(p, 0.1, step_down=enabled) for enabled in (False, True)]
    assert calibrations[1].n_steps >= 3
    assert calibrations[1].lambda_ > 1.5 * calibrations[0].lambda_


def test_step_down_ends_where_nothing_is_left():
    p = np.full((20, 5), 0.9)
    p[0] = 1e-9
    calibration = calibrate(p, 0.1, step_down=True)
    assert calibration.n_steps == 1
    assert calibration.critical_vector.true_discoveries(p[0]) == 5


def test_no_step_of_step_down_lowers_lambda():
    # Statistics that only rounding, or a draw of its own in each step, could give.
    rounds = iter([np.arange(10.0), np.arange(10.0) - 1e-12])
    p = np.array([1e-5, 0.5])
    calibration = step_down(
        lambda keep: [PivotalStatistics(one := next(rounds), one)], p, [SimesTemplate(20)], 0.2
    )
    assert (calibration.lambda_, calibration.n_steps) == (2.0, 2)


def test_step_down_asks_for_all_and_then_for_masks():
    asked = []

    def pivots_of(keep):
        asked.append(keep)
        return [PivotalStatistics(np.linspace(0.1, 1, 10), np.linspace(0.1, 1, 10))]

    step_down(pivots_of, np.array([0.01, 0.9, 0.2]), [SimesTemplate(3)], 0.2, enabled=True)
    assert asked[0] is None
    assert_array_equal(asked[1:], [[False, True, True]])
    asked.clear()
    step_down(pivots_of, np.array([0.01, 0.9, 0.2]), [SimesTemplate(3)], 0.2, enabled=False)
    assert asked == [None]


def test_another_level_is_refused_after_step_down():
    p = np.random.default_rng(0).random((20, 30))
    p[0, 0] = 0
    calibration = calibrate(p, 0.1, step_down=True)
    assert calibration.n_steps > 1
    assert calibration.at(0.1) is calibration
    with pytest.raises(ValueError, match=r"alpha must be 0\.1 after step-down.* Got 0\.2"):
        calibration.at(0.2)


def test_with_twenty_permutations_and_five_percent_lambda_is_the_second_smallest():
    p = np.random.default_rng(0).random((20, 30))
    calibration = calibrate(p, 0.05)
    assert calibration.lambda_ == np.sort(calibration.pivotal_statistics)[1]
    assert calibration.joint_error_rate() == 0.05


@pytest.mark.parametrize(
    ("alpha", "n_permutations", "rank"),
    [
        (0.05, 20, 1),
        (0.05, 100, 5),
        (0.05, 39, 1),
        (0.29, 100, 29),  # 28.999999999999996 in doubles
        (0.1, 30, 3),
        (0.07, 100, 7),  # 7.000000000000001 in doubles
        (0.05 / 3, 60, 1),
        (1 / 3, 3, 1),
        (0.999, 1000, 999),
        (np.nextafter(0.05, 0), 100, 4),
    ],
)
def test_ranks_equal_exact_arithmetic(alpha, n_permutations, rank):
    assert lambda_rank(n_permutations, alpha) == rank
    statistics = np.random.default_rng(0).permutation(n_permutations).astype(float)
    assert lambda_at(statistics, alpha) == rank


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [0.0, 0.25, 1.0])
def test_p_values_that_are_all_alike_are_no_discoveries(name, value):
    p = np.full((20, 10), value)
    for is_step_down in (False, True):
        calibration = calibrate(p, 0.1, template=name, step_down=is_step_down)
        assert calibration.joint_error_rate() == 0
        assert calibration.critical_vector.true_discoveries(p[0]) == 0


def test_infinite_p_values_of_null_data_make_everything_else_a_discovery():
    p = np.ones((20, 10))
    p[0] = 0.5
    for name in NAMES:
        calibration = calibrate(p, 0.1, template=name)
        assert calibration.critical_vector.true_discoveries(p[0]) > 0


@pytest.mark.parametrize("step_down", [False, True])
def test_blocks_of_rows_change_nothing(monkeypatch, step_down):
    p = np.random.default_rng(0).random((50, 30))
    p[0, 0] = 0
    whole = calibrate(p, 0.1, k_max=10, step_down=step_down)
    monkeypatch.setattr(p_value_matrix, "_BLOCK", 100)
    blocks = calibrate(p, 0.1, k_max=10, step_down=step_down)
    assert_array_equal(blocks.pivotal_statistics, whole.pivotal_statistics)


def test_p_values_are_not_written_to_and_may_be_single_precision():
    p = np.random.default_rng(0).random((50, 30)).astype(np.float32)
    p[0, 0] = 0
    p.flags.writeable = False
    single = calibrate(p, 0.1, step_down=True)
    double = calibrate(p.astype(float).tolist(), 0.1, step_down=True)
    assert single.lambda_ == double.lambda_


def test_the_level_is_five_percent_and_the_template_simes_by_default():
    p = np.random.default_rng(0).random((50, 30))
    calibration = calibrate(p)
    assert calibration.alpha == 0.05
    assert isinstance(calibration.template, SimesTemplate)
    assert calibration.lambda_ == calibrate(p, 0.05, template="simes").lambda_


def test_arguments_of_the_template_are_passed_on():
    p = np.random.default_rng(0).random((50, 30))
    template = calibrate(p, template="beta", k_max=9, delta=3).template
    assert (template.name, template.k_max, template.delta) == ("beta", 9, 3)


def test_a_calibration_survives_pickling():
    p = np.random.default_rng(0).random((50, 30))
    calibration = calibrate(p)
    before = calibration.critical_vector.thresholds
    again = pickle.loads(pickle.dumps(calibration))
    assert_array_equal(again.critical_vector.thresholds, before)


def test_repr_tells_the_parameter_and_where_it_comes_from():
    p = np.random.default_rng(0).random((50, 30))
    p[0, 0] = 0
    assert repr(calibrate(p)).startswith(
        "Calibration(template=SimesTemplate(n_elements=30, k_max=30), alpha=0.05, lambda_="
    )
    assert repr(calibrate(p)).endswith("n_permutations=50)")
    assert repr(calibrate(p, step_down=True)).endswith("n_permutations=50, n_steps=2)")


def test_a_template_learned_on_the_same_permutations_is_refused():
    p = np.random.default_rng(0).random((50, 30))
    template = LearnedTemplate.from_p_values(p[10:30])
    match = (
        r"template was learned from data .*: 20 of the 20 rows .* would not be controlled.*"
        r"allow_shared_data=True"
    )
    with pytest.raises(ValueError, match=match):
        calibrate(p, template=template)
    with pytest.raises(ValueError, match="10 of the 20 rows"):
        calibrate(p[:20], template=template, k_max=5)
    calibrate(p[30:], template=template)
    assert calibrate(p, template=template, allow_shared_data=True).template is template


@pytest.mark.parametrize("alpha", [0.049, 0.01, 1e-300])
def test_a_level_below_one_permutation_is_refused(alpha):
    p = np.random.default_rng(0).random((20, 30))
    match = rf"alpha must be at least 1 / n_permutations = 1 / 20.* Got alpha={alpha}"
    with pytest.raises(ValueError, match=match):
        calibrate(p, alpha)
    with pytest.raises(ValueError, match=match):
        calibrate(p).at(alpha)


@pytest.mark.parametrize("alpha", [0, 1, -0.1, 2, np.nan])
def test_a_level_outside_zero_and_one_is_refused(alpha):
    p = np.random.default_rng(0).random((20, 30))
    with pytest.raises(ValueError, match="alpha should be between 0 and 1"):
        calibrate(p, alpha)
    with pytest.raises(ValueError, match="alpha should be between 0 and 1"):
        calibrate(p).at(alpha)


def test_a_statistic_that_is_missing_is_refused():
    with pytest.raises(ValueError, match=r"must not be NaN\. Got 2 NaN of 20"):
        lambda_at(np.r_[np.full(2, np.nan), np.zeros(18)], 0.05)


@pytest.mark.parametrize(
    ("p_values", "match"),
    [
        ([0.1, 0.2], "two-dimensional, a row for each permutation and a column for each element"),
        (np.zeros((2, 2, 2)), "two-dimensional"),
        (np.zeros((1, 5)), r"at least 2 rows and 1 column\. Got shape \(1, 5\)"),
        (np.zeros((5, 0)), r"at least 2 rows and 1 column\. Got shape \(5, 0\)"),
        ([[0.1, 0.2], [0.3, np.nan]], r"p_values must lie in \[0, 1\], without NaN. Got 1 NaN"),
        ([[0.1, 0.2], [0.3, 1.1]], r"Got values from 0.1 to 1.1"),
        ([[0.1, 0.2], [0.3, -0.1]], r"Got values from -0.1 to 0.3"),
        ([["a", "b"], ["c", "d"]], "p_values must hold real numbers"),
        ([[True, False], [True, False]], "p_values must hold real numbers"),
        (np.array([[0.1], [0.2]], dtype=object), "p_values must hold real numbers"),
    ],
)
def test_p_values_that_are_no_matrix_of_them_are_refused(p_values, match):
    with pytest.raises(ValueError, match=match):
        calibrate(p_values, 0.5)


def test_a_template_of_other_elements_is_refused():
    with pytest.raises(ValueError, match=r"template must have 30 elements. Got one with 10"):
        calibrate(np.zeros((50, 30)), template=SimesTemplate(10))
