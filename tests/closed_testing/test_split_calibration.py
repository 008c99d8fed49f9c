"""Templates that share the error level: each at its own level, the maximum of all vectors."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from ari_estimator.closed_testing import (
    BetaTemplate,
    CalibratedTest,
    Calibration,
    LearnedTemplate,
    SimesTemplate,
    SplitCalibration,
    calibrate,
)
from ari_estimator.closed_testing._level_weights import weighted_levels
from ari_estimator.closed_testing._rational import simplest_fraction

LISTS = {
    "simes, beta": ["simes", "beta"],
    "lengths": ["simes", BetaTemplate(30, k_max=7), SimesTemplate(30, k_max=20, delta=3)],
    "learned": [
        "power",
        LearnedTemplate.from_p_values(np.random.default_rng(9).random((50, 30)), 10),
    ],
}


def matrix(seed=0, n=60, m=30, n_active=8):
    p = np.random.default_rng(seed).random((n, m))
    p[0, :n_active] *= 1e-4
    return p


@pytest.mark.parametrize("name", LISTS)
def test_the_vector_is_the_maximum_of_the_vectors_at_each_level(name):
    p, templates = matrix(), LISTS[name]
    weights = [0.5, 0.3, 0.2][: len(templates)] if len(templates) == 3 else [0.6, 0.4]
    split = calibrate(p, 0.2, template=templates, level_weights=weights)
    expected = np.full(30, -1.0)
    for template, weight, part in zip(templates, weights, split.parts, strict=True):
        level = float(Fraction(str(weight)) / 5)
        alone = calibrate(p, level, template=template)
        assert (part.alpha, part.lambda_) == (level, alone.lambda_)
        own = alone.critical_vector.thresholds
        expected = np.maximum(expected, np.pad(own, (0, 30 - own.size), mode="edge"))
    assert_array_equal(split.critical_vector.thresholds, expected)
    assert split.joint_error_rate() <= 0.2
    assert_array_equal(split.lambda_, [part.lambda_ for part in split.parts])
    assert split.pivotal_statistics.shape == (len(templates), 60)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    weight=st.integers(1, 9).map(lambda k: k / 10),
    step_down=st.booleans(),
)
def test_no_more_than_alpha_of_the_permutations_are_beyond(seed, weight, step_down):
    p = np.round(np.random.default_rng(seed).random((50, 20)), 2)
    split = calibrate(
        p, 0.2, template=["simes", "beta"], level_weights=[weight, 1 - weight], step_down=step_down
    )
    n_allowed = [int(Fraction(str(w)) / 5 * 50) for w in (weight, round(1 - weight, 1))]
    for part, n in zip(split.parts, n_allowed, strict=True):
        assert (part.pivotal_statistics < part.lambda_).sum() <= n
    if not step_down:
        thresholds = split.critical_vector.thresholds
        beyond = (np.sort(p, axis=1) <= thresholds).any(axis=1)
        assert beyond.sum() <= 10
        assert split.joint_error_rate() == beyond.mean()


def test_equal_shares_add_up_to_the_level():
    for n in (2, 3, 6, 7):
        levels = weighted_levels(0.05, [1 / n] * n)
        assert sum(map(simplest_fraction, levels)) <= Fraction(1, 20)
        assert levels[0] == pytest.approx(0.05 / n, rel=1e-14)
    assert weighted_levels(0.06, [1 / 3] * 3) == [0.02] * 3
    assert weighted_levels(0.05, [0.8, 0.2]) == [0.04, 0.01]
    assert weighted_levels(0.2, [0.9, 1 - 0.9]) == [0.18, 0.02]


@pytest.mark.parametrize("seed", range(3))
def test_bounds_are_those_of_closed_testing_by_its_definition(seed):
    p = np.random.default_rng(seed).random((40, 6)) ** 3
    templates = [SimesTemplate(6), BetaTemplate(6, k_max=4)]
    split = calibrate(p, 0.2, template=templates, level_weights=[0.5, 0.5])
    lambdas = [calibrate(p, 0.1, template=one).lambda_ for one in templates]
    vector = split.critical_vector
    for mask in range(1 << 6):
        members = [i for i in range(6) if mask >> i & 1]
        largest = 0
        for inner in range(1 << 6):
            rest = np.sort(p[0][[i for i in members if inner >> i & 1]])
            is_rejected = any(
                (one.inverse(np.arange(1, n + 1), rest[:n]) < lambda_).any()
                for one, lambda_ in zip(templates, lambdas, strict=True)
                for n in [min(rest.size, one.k_max)]
            )
            if not is_rejected:
                largest = max(largest, rest.size)
        assert vector.true_discoveries(p[0][members]) == len(members) - largest


def test_step_down_leaves_out_the_same_elements_for_all():
    p = matrix(n_active=12)
    p[0, :12] = 1e-7
    templates = ["simes", "beta"]
    split = calibrate(p, 0.2, template=templates, level_weights=[0.5, 0.5], step_down=True)
    assert split.n_steps == 2
    # What the first threshold of Simes rejects is left out for beta, too.
    for template, part in zip(templates, split.parts, strict=True):
        whole = calibrate(p, 0.1, template=template).template
        kept = np.sort(p[:, 12:], axis=1)
        pivots = whole.inverse(np.arange(1, 19), kept).min(axis=1)
        assert_array_equal(part.pivotal_statistics, pivots)


def test_p_values_of_sets_are_the_smallest_levels_with_a_discovery():
    p = matrix(n=100)
    split = calibrate(p, 0.2, template=["simes", "beta"], level_weights=[0.75, 0.25])
    test = CalibratedTest(p[0], split)
    for members in (range(8), range(4, 20), [9], range(30)):
        members = list(members)
        found = test.set_p_value(members)
        levels = [k / 100 for k in range(4, 60)]
        bounds = {a: test.bounds(a).of_set(members) for a in levels}
        for level, bound in bounds.items():
            assert (bound > 0) == (found <= level), (members, level)


def test_other_levels_keep_the_weights():
    p = matrix(n=100)
    split = calibrate(p, 0.2, template=["simes", "beta"], level_weights=[0.5, 0.5])
    other = split.at(0.1)
    expected = calibrate(p, 0.1, template=["simes", "beta"], level_weights=[0.5, 0.5])
    assert_array_equal(other.lambda_, expected.lambda_)
    assert split.at(0.2) is split
    low, high = split.lambda_interval()
    assert low.shape == high.shape == (2,)
    assert_array_equal(split.at_lambda(split.lambda_).thresholds, split.critical_vector.thresholds)


def test_what_the_test_says_of_itself():
    p = matrix()
    split = calibrate(p, 0.2, template=["simes", "beta"], level_weights=[0.5, 0.5])
    described = CalibratedTest(p[0], split).describe(0.2)
    assert described["values"]["Template"] == ["simes", "beta"]
    assert described["values"]["Levels"] == [0.1, 0.1]
    assert len(described["values"]["Lambda"]) == 2
    assert "“simes” at 0.1 and “beta” at 0.1" in described["sentence"]
    joint = CalibratedTest(p[0], calibrate(p, 0.2, template=["simes", "beta"])).describe(0.2)
    assert len(joint["values"]["LambdaOfEach"]) == 2
    assert joint["values"]["Template"] == "simes + beta (crossing at rank 3)"


def test_files_keep_the_calibration(tmp_path):
    split = calibrate(matrix(), 0.2, template=LISTS["lengths"], level_weights=[0.5, 0.3, 0.2])
    split.save(tmp_path / "split.npz")
    again = SplitCalibration.load(tmp_path / "split.npz")
    assert again.weights == split.weights
    assert_array_equal(again.critical_vector.thresholds, split.critical_vector.thresholds)
    with pytest.raises(ValueError, match="split calibration"):
        Calibration.load(tmp_path / "split.npz")
    test = CalibratedTest(matrix()[0], split, scheme="sign-flipping", seed=3)
    arrays = {name: np.asarray(value) for name, value in test.to_arrays().items()}
    restored = CalibratedTest.from_arrays(arrays, matrix()[0])
    assert restored.describe(0.2) == test.describe(0.2)


def test_parts_that_do_not_fit_are_refused():
    split = calibrate(matrix(), 0.2, template=["simes", "beta"], level_weights=[0.5, 0.5])
    with pytest.raises(ValueError, match=r"alpha of a part must be 0.05. Got 0.1"):
        SplitCalibration(split.parts, [0.5, 0.5], 0.1)
    other = calibrate(matrix(n=50), 0.1, template="beta")
    with pytest.raises(ValueError, match=r"n_permutations must be the same .* Got \[60, 50\]"):
        SplitCalibration([split.parts[0], other], [0.5, 0.5], 0.2)


WEIGHTS = "level_weights must be 2 positive numbers with sum 1, one per template"


@pytest.mark.parametrize(
    ("weights", "error", "match"),
    [
        ([0.5, 0.4], ValueError, rf"{WEIGHTS}. Got the sum 0.9. Divide each"),
        ([0.5, 0.7], ValueError, rf"{WEIGHTS}. Got the sum 1.2"),
        ([0.5, np.nan], ValueError, rf"{WEIGHTS}. Got nan at 1"),
        ([0.5, np.inf], ValueError, rf"{WEIGHTS}. Got inf at 1"),
        ([1.0, 0.0], ValueError, rf"{WEIGHTS}. Got 0.0 at 1. Leave out"),
        ([1.5, -0.5], ValueError, rf"{WEIGHTS}. Got -0.5 at 1"),
        ([1.0], ValueError, rf"{WEIGHTS}. Got 1 of them"),
        ([0.5, 0.3, 0.2], ValueError, rf"{WEIGHTS}. Got 3 of them"),
        (["0.5", 0.5], TypeError, rf"{WEIGHTS}. Got '0.5' of type str at 0"),
        ([True, 0.5], TypeError, rf"{WEIGHTS}. Got True of type bool at 0"),
        (0.5, TypeError, rf"{WEIGHTS}. Got 0.5. Use \[0.5, 0.5\]"),
        (np.array(0.5), TypeError, rf"{WEIGHTS}. Got array\(0.5\). Use"),
        ("half", TypeError, rf"{WEIGHTS}. Got 'half'"),
        ([0.99, 0.01], ValueError, "alpha times each of level_weights must be at least 1 / n_perm"),
    ],
)
def test_weights_that_do_not_fit_are_refused(weights, error, match):
    with pytest.raises(error, match=match):
        calibrate(matrix(), 0.2, template=["simes", "beta"], level_weights=weights)


@pytest.mark.parametrize("template", ["simes", ["simes"], "joint"])
def test_weights_of_a_single_template_are_refused(template):
    with pytest.raises(ValueError, match="level_weights must be None for a single template"):
        calibrate(matrix(), 0.2, template=template, level_weights=[1.0])


@pytest.mark.parametrize(
    ("templates", "match"),
    [
        (["simes", "simes"], "templates must differ"),
        (["simes", SimesTemplate(29)], "template must have 30 elements. Got one with 29"),
    ],
)
def test_templates_that_do_not_fit_are_refused(templates, match):
    with pytest.raises(ValueError, match=match):
        calibrate(matrix(), 0.2, template=templates, level_weights=[0.5, 0.5])
