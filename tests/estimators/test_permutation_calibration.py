"""PermutationCalibration of arrays: its error, its parameters, what it refuses."""

import copy
import itertools
import re

import joblib
import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from scipy import stats
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from ari_estimator import ClusterTDPTransformer, PermutationCalibration, learn_template, load, save
from ari_estimator.closed_testing import (
    CalibratedTest,
    Calibration,
    calibrate,
)
from ari_estimator.resampling import LinearModelStatistics

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


class TestErrorOfOtherStatistics:
    """The same for F, v and G, and for blocks: the error is exact in each group of resamples."""

    @pytest.mark.parametrize("parameters", [{}, {"p_values": "rank"}, {"step_down": True}], ids=str)
    @pytest.mark.parametrize("variance_groups", [None, [0, 0, 1, 1, 1, 0]])
    def test_of_flips(self, data, variance_groups, parameters):
        options = {"alpha": 3 / 64, "two_sided": False, "variance_groups": variance_groups}
        found = [finds_any(s[:, np.newaxis] * data, **options, **parameters) for s in SIGNS]
        # By rank, pivotal statistics are tied: there may be fewer.
        assert sum(found) <= 3 if parameters.get("p_values") == "rank" else sum(found) == 3

    def test_of_splits_by_f(self, data):
        # A split and its mirror have the same F.
        rows = [[1, -1], [-3, 3]]
        found = [
            finds_any(data[order], GROUPS, rows, alpha=4 / 20, two_sided=False) for order in SPLITS
        ]
        assert sum(found) == 4
        assert_array_equal(found, found[::-1])

    @pytest.mark.parametrize("contrast", [[1, -1], [[1, -1], [-1, 1]]])
    def test_of_splits_of_whole_blocks(self, contrast):
        rng = np.random.default_rng(0)
        data = np.repeat(rng.standard_normal((6, 30)), 2, axis=0) + rng.standard_normal((12, 30))
        design, subjects = np.repeat(GROUPS, 2, axis=0), np.repeat(np.arange(6), 2)
        found = [
            finds_any(
                data.reshape(6, 2, 30)[order].reshape(12, 30),
                design,
                contrast,
                alpha=4 / 20,
                two_sided=False,
                blocks=subjects,
            )
            for order in SPLITS
        ]
        assert sum(found) == 4


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
        asked = []
        of_elements = LinearModelStatistics.of_elements

        def recording(null, elements):
            asked.extend(range(40)[elements])
            return of_elements(null, elements)

        monkeypatch.setattr(LinearModelStatistics, "of_elements", recording)
        fitted = PermutationCalibration(p_values="rank", n_permutations=64).fit(data)
        assert sorted(asked) == list(range(40))
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
        # Lower by one part in ten billion, which leaves room for rounding.
        curve = learned.curves[int(fitted.lambda_) - 1] / (1 + 1e-10)
        assert_allclose(thresholds, curve, rtol=1e-12)

    def test_of_an_f_contrast(self, data):
        design, rows = np.eye(3)[np.arange(6) // 2], [[1, -1, 0], [0, 1, -1]]
        template = learn_template(data, design, rows, n_permutations=90)
        orders = {tuple(np.argsort(o) // 2): o for o in itertools.permutations(range(6))}
        resamples = [data[list(order)] for order in orders.values()]
        p = np.array([stats.f_oneway(y[:2], y[2:4], y[4:]).pvalue for y in resamples])
        expected = np.sort(np.sort(p, axis=1), axis=0)
        assert_allclose(template.curves, expected, rtol=1e-4)
        with pytest.raises(ValueError, match="two_sided must be False for an F contrast"):
            learn_template(data, design, rows, two_sided=True)

    def test_of_elements_that_do_not_vary(self, data):
        data[:, :4] = 0.3
        with pytest.warns(UserWarning, match="no residual variance in 4 of 40"):
            template = learn_template(data, n_permutations=30)
        assert (template.curves[:, 36:] == 1).all()

    def test_of_the_same_subjects(self, data):
        others = np.random.default_rng(5).standard_normal((3, 40))
        own = learn_template(np.vstack([data[2:3], others, data[::-1] * -2]), n_permutations=30)
        with pytest.raises(ValueError, match="7 of the 10 rows that it was learned from"):
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
            ({"exchange": "between"}, "'exchange' parameter"),
            ({"exchange": "whole"}, "exchange must be None unless blocks are labels"),
            ({"variance_groups": "cells"}, "variance_groups must be labels, one for each row"),
            ({"variance_groups": [0, 1]}, "variance_groups must be 6 labels"),
            ({"blocks": np.ones((6, 2)) * [1, 0]}, "positive and negative whole numbers"),
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

    @pytest.mark.parametrize(
        ("parameters", "name", "why"),
        [
            ({"allow_shared_data": True}, "allow_shared_data", "was not learned from data"),
            ({"n_groups": 4}, "n_groups", "for data in memory"),
            ({"p_values": "rank", "chunk_size": 10}, "chunk_size", "with p_values='rank'"),
            (
                {"delta": 1, "step_down": True},
                "step_down",
                "with delta=1, because the first",
            ),
            ({"memory": "cache"}, "memory", "and random_state is an integer"),
            (
                {"memory": "cache", "random_state": np.random.RandomState(0)},
                "memory",
                "and random_state is an integer",
            ),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_options_that_would_do_nothing(self, data, parameters, name, why):
        message = f"{name} must be left at the default .*{why}.* Got {name}={parameters[name]!r}"
        with pytest.raises(ValueError, match=message):
            PermutationCalibration(**parameters).fit(data)

    def test_memory_for_subjects_that_are_streamed(self, data):
        with pytest.raises(ValueError, match="memory must be left at the default unless data are"):
            PermutationCalibration(memory="cache", random_state=0).fit(iter(data))


class TestMemory:
    """What was computed is read from a cache, as long as all that it depends on is the same."""

    @pytest.fixture
    def n_computed(self, tmp_path, capsys):
        """Return a function from the arguments of a fit to the calibration, and what it took."""

        def fit(data, *model, alpha=0.1, two_sided=False, **parameters):
            capsys.readouterr()
            memory = joblib.Memory(tmp_path, verbose=1)
            parameters = {"n_permutations": 40, "random_state": 0, "memory": memory} | parameters
            calibration = PermutationCalibration(**parameters)
            calibration.fit(data, *model, alpha=alpha, two_sided=two_sided)
            return calibration, capsys.readouterr().out.count("[Memory] Calling")

        return fit

    @pytest.mark.parametrize(
        "parameters",
        [{}, {"p_values": "rank", "two_sided": True}, {"template": "beta", "step_down": True}],
        ids=str,
    )
    def test_gives_the_same_result(self, data, n_computed, parameters):
        first, *others = (n_computed(given, **parameters) for given in (data, data.copy()))
        expected, _ = n_computed(data, memory=None, **parameters)
        assert first[1] == 1
        for found, n in (first, *others):
            assert n == (found is first[0])
            assert_same_calibration(found, expected)

    @pytest.mark.parametrize("parameters", [{"n_jobs": 2}, {"chunk_size": 5}], ids=str)
    def test_is_read_if_only_the_work_is_done_in_another_way(self, data, n_computed, parameters):
        assert n_computed(data)[1] == 1
        assert n_computed(data, **parameters)[1] == 0

    @pytest.mark.parametrize(
        "parameters",
        [
            {"random_state": 1},
            {"alpha": 0.2},
            {"two_sided": True},
            {"template": "aorc"},
            {"n_permutations": 41},
            {"scheme": "bootstrap"},
            {"blocks": [0, 0, 1, 2, 3, 4]},
            {"variance_groups": [0, 0, 0, 1, 1, 1]},
            {"p_values": "rank"},
            {"k_max": 3},
            {"delta": 1},
            {"step_down": True},
        ],
        ids=str,
    )
    def test_is_not_read_if_anything_else_is_another(self, data, n_computed, parameters):
        assert n_computed(data)[1] == 1
        found, n = n_computed(data, **parameters)
        assert n == 1
        assert_same_calibration(found, n_computed(data, memory=None, **parameters)[0])

    def test_is_not_read_for_other_data_or_another_model(self, data, n_computed):
        other = data.copy()
        other[2, 3] += 1e-9
        age = np.arange(6.0)
        for arguments in (
            (data,),
            (other,),
            (data, np.column_stack([np.ones(6), age]), [1, 0]),
            (data, np.column_stack([np.ones(6), age**2]), [1, 0]),
            (data, np.column_stack([np.ones(6), age]), [0, 1]),
        ):
            assert n_computed(*arguments)[1] == 1
            assert n_computed(*arguments)[1] == 0

    def test_is_not_read_if_another_version_has_written_it(self, data, n_computed, monkeypatch):
        n_computed(data)
        monkeypatch.setattr("ari_estimator.estimators._subject_calibration.__version__", "0.0.0")
        assert n_computed(data)[1] == 1

    def test_may_be_a_folder(self, data, n_computed, tmp_path):
        _, n = n_computed(data, memory=str(tmp_path / "other"))
        assert n == 0  # nothing is printed
        assert any((tmp_path / "other").rglob("output.pkl"))

    def test_is_no_secret_of_elements_that_do_not_vary(self, data, n_computed):
        data[:, :3] = 7
        for n_expected in (1, 0):
            with pytest.warns(UserWarning, match="no residual variance in 3 of 40") as caught:
                assert n_computed(data)[1] == n_expected
            assert sum("residual variance" in str(one.message) for one in caught) == 1

    def test_remembers_no_failure(self, data, n_computed):
        for _ in range(2):
            with pytest.raises(ValueError, match="not estimable"):
                n_computed(data, np.ones((6, 2)), [1, 0])


def assert_same_calibration(one, other):
    """Assert that all fitted attributes are the same, to the last bit."""
    names = {name for name in vars(other) if name.endswith("_")}
    assert {name for name in vars(one) if name.endswith("_")} == names
    arrays = {name for name in names if isinstance(getattr(other, name), np.ndarray)}
    for name in arrays:
        assert_array_equal(getattr(one, name), getattr(other, name))
        assert getattr(one, name).dtype == getattr(other, name).dtype
    for name in names - arrays - {"calibration_", "critical_vector_"}:
        assert getattr(one, name) == getattr(other, name)
        assert type(getattr(one, name)) is type(getattr(other, name))
    assert_array_equal(one.critical_vector_.thresholds, other.critical_vector_.thresholds)
    one, other = one.calibration_, other.calibration_
    assert repr(one) == repr(other)
    assert one.alpha == other.alpha
    assert_array_equal(one.single_step_statistics, other.single_step_statistics)


CASES = {
    "simes": {},
    "ranks, two-sided": {"p_values": "rank", "two_sided": True},
    "step-down": {"template": "beta", "k_max": 20, "step_down": True},
    "shift": {"template": "aorc", "delta": 2},
    "blocks": {"blocks": [0, 0, 1, 1, 2, 3]},
    "names of blocks": {"blocks": pd.Series(["a", "a", "b", "b", "c", "d"])},
    "variance groups": {"variance_groups": [0, 0, 0, 1, 1, 1]},
    "names of variance groups": {"variance_groups": pd.Series(list("xyxyxy")), "p_values": "rank"},
    "table of blocks": {"blocks": 3 * [[-1, 1]] + 3 * [[-1, 2]]},
    "generator": {"random_state": np.random.RandomState(3)},
    "learned": {"template": "learned"},
}


class TestPersistence:
    """A calibration that was stored is the same, and can be used and fitted again."""

    @pytest.fixture(params=CASES)
    def fitted(self, request, data):
        parameters = copy.deepcopy(CASES[request.param])
        if parameters.get("template") == "learned":
            others = np.random.default_rng(9).standard_normal((9, 40))
            parameters["template"] = learn_template(others, n_permutations=60, random_state=0)
        two_sided = parameters.pop("two_sided", False)
        data[:, :10] += 8
        calibration = PermutationCalibration(
            **{"n_permutations": 60, "random_state": 0} | parameters
        )
        return calibration.fit(data, alpha=0.2, two_sided=two_sided)

    @pytest.fixture
    def others(self, fitted, copied, tmp_path):
        save(fitted, tmp_path)
        return [copied(fitted), load(tmp_path)]

    def test_all_is_the_same(self, fitted, others):
        for other in others:
            assert type(other) is PermutationCalibration
            assert_same_calibration(other, fitted)
            for alpha in [0.2] if fitted.step_down else [0.1, 0.2, 0.5]:
                vectors = (each.calibration_.at(alpha).critical_vector for each in (other, fitted))
                assert_array_equal(*(vector.thresholds for vector in vectors))

    def test_serves_the_map_of_its_contrast(self, fitted, others):
        results = []
        for calibration in (fitted, *others):
            ari = ClusterTDPTransformer(
                1,
                alpha=0.2,
                mask_img=Nifti1Image(np.ones((40, 1, 1), dtype=np.uint8), np.eye(4)),
                stat_type="z",
                two_sided=fitted.two_sided_,
            )
            z = stats.norm.isf(stats.t.sf(fitted.statistic_, fitted.df_))
            tdp = ari.fit_transform(z, calibration=calibration)
            assert ari.maps_.test.calibration is calibration.calibration_
            assert ari.true_discoveries_ > 0 or fitted.lambda_ == 0
            p_value = ari.maps_.test.set_p_value(np.arange(40) % 3 > 0)
            results.append((tdp, ari.table_, p_value, ari.maps_.describe()))
        for result in results[1:]:
            assert_array_equal(result[0], results[0][0])
            assert_frame_equal(result[1], results[0][1])
            assert result[2:] == results[0][2:]

    def test_can_be_fitted_again(self, fitted, others, data):
        if isinstance(fitted.random_state, np.random.RandomState):
            return  # which has moved on
        for other in others:
            other.fit(data, alpha=0.2, two_sided=fitted.two_sided_)
            assert_same_calibration(other, fitted)

    def test_learned_template_still_knows_its_subjects(self, data, tmp_path):
        own = learn_template(data, n_permutations=30, random_state=0)
        parameters = {"n_permutations": 64, "random_state": 0, "allow_shared_data": True}
        save(PermutationCalibration(own, **parameters).fit(data), tmp_path)
        loaded = load(tmp_path)
        assert_array_equal(loaded.template.subjects, own.subjects)
        with pytest.raises(ValueError, match="learned from data that it is to be calibrated on"):
            loaded.set_params(allow_shared_data=False).fit(data)

    def test_calibration_alone_can_be_stored(self, fitted, tmp_path):
        fitted.calibration_.save(tmp_path / "calibration.npz")
        loaded = Calibration.load(tmp_path / "calibration.npz")
        assert_array_equal(loaded.critical_vector.thresholds, fitted.critical_vector_.thresholds)

    def test_calibration_that_is_not_fitted_is_refused(self, tmp_path):
        with pytest.raises(NotFittedError):
            save(PermutationCalibration(), tmp_path)
        assert list(tmp_path.iterdir()) == []
