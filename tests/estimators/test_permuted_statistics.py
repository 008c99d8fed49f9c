"""PermutationCalibration with t, F, v and G: against all permutations, one after another."""

import itertools
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from sklearn.base import clone

from ari_estimator import PermutationCalibration
from ari_estimator.closed_testing import LearnedTemplate, make_template

SIGNS = np.array(list(itertools.product([1, -1], repeat=6)))
GROUPS = np.column_stack([np.repeat([1.0, 0.0], 3), np.repeat([0.0, 1.0], 3)])
SIX = np.arange(6)

# Permutations that are asked for, rows, and whether few of them are told: not if all are taken.
FEW = [(60, 20, True), (999, 20, True), (1000, 20, False), (64, 6, False), (60, 6, True)]

# Design, contrast, parameters; statistic, rank, scheme, and a function from data to p-values.
MODELS = {
    "t": (None, None, {}, "t", 1, lambda y: stats.ttest_1samp(y, 0, alternative="greater").pvalue),
    "F of groups": (
        np.eye(3)[SIX // 2],
        [[1, -1, 0], [0, 1, -1], [1, 0, -1]],
        {},
        "F",
        2,
        lambda y: stats.f_oneway(y[:2], y[2:4], y[4:]).pvalue,
    ),
    "F of rank 1": (
        GROUPS,
        [[1, -1], [-2, 2]],
        {},
        "F",
        1,
        lambda y: stats.ttest_ind(y[:3], y[3:]).pvalue,
    ),
    "v, permuted": (
        GROUPS,
        [1, -1],
        {"variance_groups": "auto", "scheme": "permutation"},
        "v",
        1,
        lambda y: stats.ttest_ind(y[:3], y[3:], equal_var=False, alternative="greater").pvalue,
    ),
    "v of labels, permuted": (
        GROUPS,
        [-1, 1],
        {"variance_groups": list("xxxyyy"), "scheme": "permutation"},
        "v",
        1,
        lambda y: stats.ttest_ind(y[3:], y[:3], equal_var=False, alternative="greater").pvalue,
    ),
    "G of rank 1, permuted": (
        GROUPS,
        [[1, -1], [-1, 1]],
        {"variance_groups": "auto", "scheme": "permutation"},
        "G",
        1,
        lambda y: stats.ttest_ind(y[:3], y[3:], equal_var=False).pvalue,
    ),
}


@pytest.fixture
def data():
    rng = np.random.default_rng(3)
    return rng.standard_normal((6, 40)) + 0.5 * rng.standard_normal((6, 1))


@pytest.mark.filterwarnings("ignore:scheme='permutation' mixes variance groups")
class TestStatistics:
    """Of all permutations of six rows, with data that are permuted one after another."""

    @pytest.fixture(params=MODELS)
    def case(self, request, data):
        """Return the calibration, its model, and the p-values of all distinct permutations."""
        design, contrast, parameters, stat_type, rank, p_values_of = MODELS[request.param]
        data[:, :8] += 3 * (np.arange(6)[:, np.newaxis] < 3)
        fitted = PermutationCalibration(n_permutations=1000, **parameters).fit(
            data, design, contrast, alpha=0.2
        )
        if stat_type == "t":
            resamples = [signs[:, np.newaxis] * data for signs in SIGNS]
        else:
            kinds = np.unique(np.asarray(design), axis=0, return_inverse=True)[1].reshape(-1)
            # By the group that each row comes to.
            orders = {tuple(kinds[np.argsort(o)]): o for o in itertools.permutations(range(6))}
            resamples = [data[list(order)] for order in orders.values()]
        p = np.array([p_values_of(resample) for resample in resamples])
        return fitted, (design, contrast, stat_type, rank), p_values_of(data), p

    def test_lambda_is_the_quantile_of_pivots_by_brute_force(self, case):
        fitted, _, observed, p = case
        template = make_template("simes", 40)
        pivots = np.sort(template.inverse(np.arange(1, 41), np.sort(p, axis=1)).min(axis=1))
        assert fitted.n_permutations_ == len(p)
        assert fitted.calibration_.is_exhaustive
        assert_allclose(fitted.lambda_, pivots[int(np.floor(0.2 * len(p)))], rtol=1e-8)
        # Single precision is enough for those that do not decide.
        assert_allclose(np.sort(fitted.pivotal_statistics_), pivots, rtol=0.05)
        assert_allclose(fitted.p_values_, observed, rtol=1e-8)
        thresholds = fitted.lambda_ * np.arange(1, 41) / 40
        # Lower by one part in ten billion, which leaves room for rounding.
        assert_allclose(fitted.critical_vector_.thresholds, thresholds / (1 + 1e-10), rtol=1e-12)

    def test_attributes(self, case):
        fitted, (_, _, stat_type, rank), observed, _ = case
        assert (fitted.stat_type_, fitted.rank_, fitted.seed_) == (stat_type, rank, None)
        assert fitted.statistic_.shape == fitted.p_values_.shape == (40,)
        if stat_type in ("t", "F"):
            assert np.ndim(fitted.df_) == 0
        else:
            assert fitted.df_.shape == (40,)
        p = (
            stats.f.sf(fitted.statistic_, rank, fitted.df_)
            if stat_type in ("F", "G")
            else stats.t.sf(fitted.statistic_, fitted.df_)
        )
        assert_allclose(p, observed, rtol=1e-8)
        assert not hasattr(fitted, "t_values_")

    def test_f_has_no_sign(self, case, data):
        fitted, (design, contrast, stat_type, _), _, _ = case
        fit = clone(fitted).fit
        if stat_type in ("F", "G"):
            with pytest.raises(ValueError, match="two_sided must be False for an F contrast"):
                fit(data, design, contrast, alpha=0.2, two_sided=True)
        else:
            assert fit(data, design, contrast, alpha=0.2, two_sided=True).two_sided_

    def test_p_values_by_rank(self, case, data):
        fitted, (design, contrast, _, _), observed, p = case
        by_rank = clone(fitted).set_params(p_values="rank")
        by_rank.fit(data, design, contrast, alpha=0.2)
        expected = (p <= observed * (1 + 1e-9)).mean(axis=0)
        assert_allclose(by_rank.p_values_, expected, rtol=1e-12)
        ranks = (p[np.newaxis] <= p[:, np.newaxis] * (1 + 1e-9)).mean(axis=1)
        template = make_template("simes", 40)
        pivots = template.inverse(np.arange(1, 41), np.sort(ranks, axis=1)).min(axis=1)
        assert_allclose(by_rank.lambda_, np.sort(pivots)[int(np.floor(0.2 * len(p)))], rtol=1e-12)

    def test_a_learned_template(self, case, data):
        fitted, (design, contrast, _, _), _, p = case
        curves = np.sort(np.random.default_rng(7).random((50, 40)), axis=1)
        template = LearnedTemplate.from_p_values(curves, 40)
        learned = clone(fitted).set_params(template=template)
        learned.fit(data, design, contrast, alpha=0.2)
        pivots = template.inverse(np.arange(1, 41), np.sort(p, axis=1)).min(axis=1)
        assert learned.lambda_ == np.sort(pivots)[int(np.floor(0.2 * len(p)))]


class TestDraws:
    """Random permutations: their seed, and what is said of few of them."""

    @pytest.fixture
    def many(self):
        return np.random.default_rng(0).standard_normal((20, 30))

    @pytest.mark.parametrize("random_state", [3, None])
    def test_the_seed_that_is_recorded_gives_the_same(self, many, random_state):
        one = PermutationCalibration(n_permutations=50, random_state=random_state).fit(many)
        other = PermutationCalibration(n_permutations=50, random_state=one.seed_).fit(many)
        assert_array_equal(one.pivotal_statistics_, other.pivotal_statistics_)
        assert one.seed_ == other.seed_

    @pytest.mark.parametrize(("n_permutations", "n_rows", "is_said"), FEW)
    def test_few_random_ones_are_told(self, many, n_permutations, n_rows, is_said):
        calibration = PermutationCalibration(n_permutations=n_permutations, random_state=0)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            calibration.fit(many[:n_rows])
        said = [str(one.message) for one in caught]
        assert len(said) == is_said
        assert all(f"n_permutations={n_permutations} random permutations" in text for text in said)

    def test_doubts_are_told(self):
        rng = np.random.default_rng(0)
        design = np.eye(2)[np.repeat([0, 1], [10, 30])]
        data = rng.standard_normal((40, 200))
        data[:10] *= 2
        calibration = PermutationCalibration(n_permutations=60, random_state=0)
        with pytest.warns(UserWarning, match="groups of the design differ in"):
            calibration.fit(data, design, [1, -1])
        calibration.set_params(variance_groups="auto", scheme="permutation")
        with pytest.warns(UserWarning, match="mixes variance groups"):
            calibration.fit(data, design, [1, -1])
        calibration.set_params(scheme="auto")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", "n_permutations=60 random")
            calibration.fit(data, design, [1, -1])
        assert calibration.scheme_ == "sign-flipping"

    @pytest.mark.parametrize(
        ("parameter", "value"),
        [("variance_groups", "auto"), ("variance_groups", [0] * 20), ("exchange", "whole")],
    )
    def test_streamed_subjects_have_no_groups(self, many, parameter, value):
        with pytest.raises(ValueError, match=f"{parameter} must be left at the default for subj"):
            PermutationCalibration(**{parameter: value}).fit(iter(many))
