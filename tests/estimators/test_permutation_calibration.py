"""PermutationCalibration of arrays: its error, its parameters, what it refuses."""

import itertools
import pickle
import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from ari_estimator import PermutationCalibration, learn_template
from ari_estimator.calibration._resampling_passes import rank_p_values
from ari_estimator.closed_testing import CalibratedTest, Calibration, calibrate
from ari_estimator.estimators import _permutation_calibration

N_SUBJECTS = 6
SIGNS = np.array(list(itertools.product([1, -1], repeat=N_SUBJECTS)))

# Orders of six subjects that make all splits into two groups of three.
SPLITS = [
    [*group, *(i for i in range(6) if i not in group)]
    for group in itertools.combinations(range(6), 3)
]
GROUPS = np.column_stack([np.repeat([1.0, 0.0], 3), np.repeat([0.0, 1.0], 3)])


@pytest.fixture
def data():
    rng = np.random.default_rng(3)
    return rng.standard_normal((N_SUBJECTS, 40)) + 0.5 * rng.standard_normal((N_SUBJECTS, 1))


def finds_any(data, *model, alpha, two_sided, **parameters):
    fitted = PermutationCalibration(n_permutations=100, **parameters).fit(
        data, *model, alpha=alpha, two_sided=two_sided
    )
    return fitted.critical_vector_.true_discoveries(fitted.p_values_) > 0


class TestError:
    """Each resample in the place of the data: exactly so many of them may have discoveries."""

    @pytest.mark.parametrize(
        "parameters",
        [
            {},
            {"template": "aorc"},
            {"template": "beta", "k_max": 10},
            {"template": "higher_criticism", "k_max": 10},
            {"template": "power"},
            {"delta": 3},
            {"step_down": True},
        ],
        ids=str,
    )
    @pytest.mark.parametrize(("two_sided", "n_found"), [(False, 3), (True, 2)])
    def test_of_flips(self, data, parameters, two_sided, n_found):
        # Of three out of 64, two-sided, a flip and its mirror are two.
        options = {"alpha": 3 / 64, "two_sided": two_sided, **parameters}
        found = [finds_any(signs[:, np.newaxis] * data, **options) for signs in SIGNS]
        assert sum(found) == n_found
        if two_sided:
            assert_array_equal(found, found[::-1])

    @pytest.mark.parametrize("two_sided", [False, True])
    def test_of_flips_by_rank(self, data, two_sided):
        options = {"alpha": 3 / 64, "two_sided": two_sided, "p_values": "rank"}
        found = [finds_any(signs[:, np.newaxis] * data, **options) for signs in SIGNS]
        # Pivotal statistics are tied: there may be fewer.
        assert sum(found) <= 3

    @pytest.mark.parametrize(("two_sided", "n_found"), [(False, 3), (True, 2)])
    def test_of_splits(self, data, two_sided, n_found):
        options = {"alpha": 3 / 20, "two_sided": two_sided}
        found = [finds_any(data[order], GROUPS, [1, -1], **options) for order in SPLITS]
        assert sum(found) == n_found

    def test_of_the_smallest_level_two_sided(self, data):
        # The data and their mirror are two of 64: at one of 64 there is nothing to find.
        strong = data + 10
        assert finds_any(strong, alpha=1 / 64, two_sided=False)
        assert not finds_any(strong, alpha=1 / 64, two_sided=True)
        assert finds_any(strong, alpha=2 / 64, two_sided=True)

    @pytest.mark.parametrize("p_values", ["parametric", "rank"])
    @pytest.mark.parametrize("template", ["simes", "aorc", "beta", "higher_criticism", "power"])
    @pytest.mark.filterwarnings("ignore:The data have no residual variance")
    def test_of_mostly_constant_elements(self, template, p_values):
        rng = np.random.default_rng(0)
        n_errors = 0
        for seed in range(20):
            sparse = np.zeros((12, 600))
            sparse[:, :6] = rng.standard_normal((12, 6))
            fitted = PermutationCalibration(
                template, n_permutations=40, k_max=500, p_values=p_values, random_state=seed
            ).fit(sparse)
            vector = fitted.critical_vector_
            assert vector.true_discoveries(fitted.p_values_[fitted.is_constant_]) == 0
            n_errors += vector.true_discoveries(fitted.p_values_) > 0
        # With a probability of 0.003 of more, if the level of 0.05 holds.
        assert n_errors <= 4


def test_p_values_of_sets_count_a_mirror_of_the_data(data):
    data[:, :10] += 5
    for two_sided, n_as_small in ((False, 1), (True, 2)):
        fitted = PermutationCalibration(n_permutations=64).fit(data, two_sided=two_sided)
        test = CalibratedTest(fitted.p_values_, fitted.calibration_)
        assert test.set_p_value(np.arange(40)) == n_as_small / 64


class TestParameters:
    @pytest.mark.parametrize(
        ("template", "parameters", "k_max"),
        [
            ("simes", {}, 1500),
            ("aorc", {}, 1000),
            ("beta", {"k_max": None}, 1500),
            ("power", {"k_max": 7}, 7),
            ("higher_criticism", {"delta": 1200}, 1201),
            ("beta", {"delta": 5}, 1000),
        ],
    )
    def test_numbers_of_thresholds(self, template, parameters, k_max):
        data = np.random.default_rng(0).standard_normal((8, 1500))
        fitted = PermutationCalibration(template, n_permutations=30, **parameters).fit(data)
        assert fitted.critical_vector_.thresholds.size == k_max

    def test_step_down_is_that_of_all_p_values(self, data):
        data[:, :15] += 4
        for parameters in ({}, {"template": "beta", "k_max": 20}):
            fitted = PermutationCalibration(n_permutations=64, step_down=True, **parameters).fit(
                data, alpha=0.1
            )
            p = [
                stats.ttest_1samp(s[:, None] * data, 0, alternative="greater").pvalue for s in SIGNS
            ]
            expected = calibrate(p, 0.1, step_down=True, **parameters)
            assert fitted.calibration_.n_steps == expected.n_steps > 1
            assert_allclose(fitted.lambda_, expected.lambda_, rtol=1e-9)

    def test_p_values_by_rank_are_computed_once(self, data, monkeypatch):
        calls = []

        def counted(*args):
            calls.append(args)
            return rank_p_values(*args)

        monkeypatch.setattr(_permutation_calibration, "rank_p_values", counted)
        fitted = PermutationCalibration(p_values="rank", n_permutations=64).fit(data)
        assert len(calls) == 1
        assert_array_equal(fitted.p_values_ * 64 % 1, 0)

    def test_fit_forgets_and_parameters_stay(self, data):
        calibration = PermutationCalibration(n_permutations=30, random_state=0)
        parameters = calibration.get_params()
        fitted = calibration.fit(data)
        assert fitted is calibration
        assert calibration.get_params() == parameters
        before = calibration.lambda_
        with pytest.raises(ValueError, match="at least 2 subjects"):
            calibration.fit(data[:1])
        with pytest.raises(NotFittedError):
            check_is_fitted(calibration)
        assert clone(calibration).fit(data).lambda_ == before

    def test_pickles_and_saved_calibrations_are_the_same(self, data, tmp_path):
        fitted = PermutationCalibration("beta", n_permutations=30, random_state=0).fit(data)
        again = pickle.loads(pickle.dumps(fitted))
        assert_array_equal(again.pivotal_statistics_, fitted.pivotal_statistics_)
        fitted.calibration_.save(tmp_path / "calibration.npz")
        loaded = Calibration.load(tmp_path / "calibration.npz")
        assert_array_equal(loaded.critical_vector.thresholds, fitted.critical_vector_.thresholds)


class TestLearnedTemplates:
    @pytest.fixture
    def learned(self):
        others = np.random.default_rng(9).standard_normal((9, 40))
        return learn_template(others, n_permutations=60, random_state=0)

    def test_has_as_many_thresholds_as_there_are(self, learned):
        assert (learned.k_max, learned.n_curves, learned.n_elements) == (40, 60, 40)

    def test_of_other_subjects(self, learned):
        data = np.random.default_rng(1).standard_normal((N_SUBJECTS, 40))
        fitted = PermutationCalibration(learned, n_permutations=64).fit(data, alpha=0.3)
        assert fitted.lambda_ in range(1, 61)
        thresholds = fitted.critical_vector_.thresholds
        assert_allclose(thresholds, learned.curves[int(fitted.lambda_) - 1], rtol=1e-12)

    def test_of_the_same_subjects(self, data):
        own = learn_template(np.vstack([data[2:3], data[::-1] * 2]), n_permutations=30)
        with pytest.raises(ValueError, match="1 of the 7 rows that it was learned from"):
            PermutationCalibration(own, n_permutations=64).fit(data)
        forced = PermutationCalibration(own, n_permutations=64, allow_shared_data=True)
        assert forced.fit(data).n_permutations_ == 64

    def test_of_subjects_that_are_streamed(self, data, learned):
        calibration = PermutationCalibration(learned, n_permutations=64)
        with pytest.raises(ValueError, match="allow_shared_data must be True for a learned"):
            calibration.fit(iter(data))
        calibration.set_params(allow_shared_data=True).fit(iter(data))
        assert calibration.lambda_ == clone(calibration).fit(data).lambda_

    @pytest.mark.parametrize(
        "parameters",
        [{"n_permutations": 1}, {"k_max": 0}, {"scheme": "flip"}, {"n_jobs": 0.5}],
        ids=str,
    )
    def test_parameters_out_of_range(self, data, parameters):
        with pytest.raises(ValueError, match=f"'{next(iter(parameters))}' parameter of learn_temp"):
            learn_template(data, **parameters)


class TestRefusals:
    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            ({"template": "bonferroni"}, "'template' parameter"),
            ({"n_permutations": 1}, "'n_permutations' parameter"),
            ({"scheme": "flip"}, "'scheme' parameter"),
            ({"p_values": "z"}, "'p_values' parameter"),
            ({"n_groups": 1}, "'n_groups' parameter"),
            ({"chunk_size": 0}, "'chunk_size' parameter"),
            ({"k_max": 41}, "k_max must be an integer from 1 to 40"),
            ({"delta": 40}, "delta must be an integer from 0 to 39"),
        ],
    )
    def test_parameters_out_of_range(self, data, parameters, message):
        with pytest.raises(ValueError, match=re.escape(message)):
            PermutationCalibration(**parameters).fit(data)

    def test_levels(self, data):
        for alpha, given in ((0.01, "alpha=0.01"), (1.5, "1.5"), (0, "0")):
            with pytest.raises(ValueError, match=f"alpha .* Got {re.escape(given)}"):
                PermutationCalibration().fit(data, alpha=alpha)

    @pytest.mark.parametrize("two_sided", ["yes", None, 1])
    def test_sides(self, data, two_sided):
        with pytest.raises(TypeError, match="two_sided must be True or False"):
            PermutationCalibration().fit(data, two_sided=two_sided)
