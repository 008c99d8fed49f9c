"""Calibration of data in which subjects lack elements."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from ari_estimator import PermutationCalibration, learn_template
from ari_estimator.resampling._variance_groups import unequal_variances

N, M = 12, 60
GROUPS = np.eye(2)[np.repeat([0, 1], [5, 7])]
DIFFERENCE = [1, -1]
AGE = np.column_stack([GROUPS, np.linspace(20, 70, N)])
PAIRS = np.repeat(np.arange(6), 2)
SESSIONS = np.column_stack([np.tile([0, 1], 6), np.eye(6)[PAIRS]])

pytestmark = pytest.mark.filterwarnings("ignore:n_permutations=")


@pytest.fixture
def data():
    rng = np.random.default_rng(3)
    data = rng.standard_normal((N, M))
    data[:, :10] += 1.5
    return data


@pytest.fixture
def with_gaps(data):
    gaps = np.zeros(data.shape, dtype=bool)
    rng = np.random.default_rng(4)
    for element in range(M):
        gaps[rng.choice(N, element % 4, replace=False), element] = True
    return np.where(gaps, np.nan, data)


def calibrated(data, design=None, contrast=None, **options):
    fit = {name: options.pop(name) for name in ("two_sided", "alpha") if name in options}
    options = {"n_permutations": 200, "random_state": 0, "verbose": 0, "missing": "omit"} | options
    return PermutationCalibration(**options).fit(data, design, contrast, **fit)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("p_values", ["parametric", "rank"])
@pytest.mark.parametrize(
    ("design", "contrast", "options"),
    [
        (None, None, {}),
        (GROUPS, DIFFERENCE, {}),
        (AGE, [1, -1, 0], {}),
        (GROUPS, DIFFERENCE, {"scheme": "bootstrap"}),
        (SESSIONS, np.eye(7)[0], {"blocks": PAIRS}),
    ],
)
def test_data_without_gaps_have_the_same_results(data, design, contrast, options, p_values, dtype):
    given = data.astype(dtype), design, contrast
    one = calibrated(*given, missing=None, p_values=p_values, **options)
    other = calibrated(*given, p_values=p_values, **options)
    assert one.lambda_ == other.lambda_
    assert_array_equal(one.pivotal_statistics_, other.pivotal_statistics_)
    assert_array_equal(one.p_values_, other.p_values_)
    assert one.df_ == other.df_


def t_and_df(values):
    values = values[~np.isnan(values)]
    return values.mean() / (values.std(ddof=1) / values.size**0.5), values.size - 1


def test_all_sign_flips_give_the_p_values_of_brute_force(with_gaps):
    few = with_gaps[:7, :20]
    fitted = calibrated(few, p_values="rank", two_sided=True)
    signs = np.array(list(product([1, -1], repeat=7)))
    assert fitted.n_permutations_ == 128
    for element, values in enumerate(few.T):
        t = np.array([abs(t_and_df(values * flips)[0]) for flips in signs])
        observed = abs(t_and_df(values)[0])
        expected = (t >= observed * (1 - 1e-9)).mean()
        assert fitted.p_values_[element] == expected


def test_all_permutations_give_the_p_values_of_brute_force():
    rng = np.random.default_rng(1)
    data = rng.standard_normal((7, 12))
    data[[0, 1, 3, 5, 6, 6], [1, 2, 3, 4, 5, 6]] = np.nan
    data[[2, 4], 7] = np.nan
    group = np.repeat([1, 0], [3, 4])
    fitted = calibrated(data, np.column_stack([group, 1 - group]), DIFFERENCE, p_values="rank")
    assert fitted.n_permutations_ == 35
    orders = {tuple(labels) for labels in product([0, 1], repeat=7) if sum(labels) == 3}
    assert not (fitted.df_ == 0).any()
    for element, values in enumerate(data.T):

        def t_of(labels, values=values):
            ones = np.array(labels) == 1
            return stats.ttest_ind(values[ones], values[~ones], nan_policy="omit").statistic

        t = np.array([t_of(labels) for labels in orders])
        observed = t_of(tuple(group))
        expected = (t >= observed - 1e-9).mean()
        assert fitted.p_values_[element] == pytest.approx(expected)


@pytest.mark.parametrize("template", ["simes", "beta"])
def test_pivots_are_those_of_sorted_p_values(with_gaps, template):
    fitted = calibrated(with_gaps, GROUPS, DIFFERENCE, template=template, two_sided=True)
    assert fitted.stat_type_ == "t"
    assert fitted.df_.min() >= 7
    t = stats.ttest_ind(with_gaps[:5], with_gaps[5:], nan_policy="omit")
    assert_allclose(fitted.statistic_, t.statistic)
    assert_allclose(fitted.p_values_, t.pvalue)
    assert fitted.lambda_ in fitted.pivotal_statistics_


def test_results_do_not_depend_on_processes_and_chunks(with_gaps):
    one = calibrated(with_gaps, AGE, [1, -1, 0])
    other = calibrated(with_gaps, AGE, [1, -1, 0], n_jobs=2, chunk_size=50)
    assert_array_equal(one.pivotal_statistics_, other.pivotal_statistics_)


def test_step_down_and_cache(with_gaps, tmp_path):
    one = calibrated(with_gaps, step_down=True, memory=str(tmp_path))
    again = calibrated(with_gaps, step_down=True, memory=str(tmp_path))
    assert one.lambda_ == again.lambda_ >= calibrated(with_gaps).lambda_


def test_elements_that_lack_too_many_subjects_are_left_out(with_gaps):
    with_gaps[1:, 3] = np.nan
    with_gaps[:5, 20] = np.nan  # one group altogether
    with_gaps[3:8, 21] = np.nan  # as many as a group
    with pytest.warns(UserWarning, match="3 of 60 elements lack too many subjects"):
        fitted = calibrated(with_gaps, GROUPS, DIFFERENCE)
    left_out = [3, 20, 21]
    assert np.flatnonzero(fitted.df_ == 0).tolist() == left_out
    assert fitted.p_values_[left_out].tolist() == [1, 1, 1]
    assert fitted.statistic_[left_out].tolist() == [0, 0, 0]
    assert fitted.is_constant_[left_out].all()
    kept = np.delete(with_gaps, left_out, axis=1)
    others = calibrated(kept, GROUPS, DIFFERENCE)
    # The family has as many elements as before, and a pivot of at most 1.
    pivots = np.minimum(others.pivotal_statistics_ * 60 / 57, 1)
    assert_allclose(pivots, fitted.pivotal_statistics_, rtol=1e-3)
    # Sign flips move no row, so only the observed gaps count.
    with pytest.warns(UserWarning, match="2 of 60 elements lack too many"):
        flipped = calibrated(with_gaps, GROUPS, DIFFERENCE, scheme="sign_flip")
    assert np.flatnonzero(flipped.df_ == 0).tolist() == [3, 20]


def test_a_subject_that_lacks_everything_is_as_good_as_not_there(data):
    missing = np.concatenate([data, np.full((1, M), np.nan)])
    fitted, other = calibrated(missing), calibrated(data)
    assert_allclose(fitted.p_values_, other.p_values_, rtol=1e-9)
    assert fitted.df_.tolist() == M * [N - 1]


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"missing": None}, "set missing='omit', by which"),
        ({(0, 0): np.inf}, {}, "data must be finite. Got infinite values in 1 elements of subj"),
        ({}, {"variance_groups": "auto"}, "variance_groups must be None with missing='omit'"),
        ({}, {"scheme": "bootstrap"}, "scheme must be 'auto', 'sign_flip' or 'permutation'"),
        ({}, {"missing": "drop"}, "'missing' parameter of PermutationCalibration must be"),
        ({...: np.nan}, {}, "data must have enough subjects in some element"),
    ],
)
def test_what_cannot_be_combined_is_refused(with_gaps, change, options, message):
    for place, value in change.items():
        with_gaps[place] = value
    with pytest.raises(ValueError, match=message):
        calibrated(with_gaps, GROUPS, DIFFERENCE, **options)


def test_streamed_subjects_are_refused(with_gaps):
    with pytest.raises(ValueError, match="missing"):
        calibrated(iter(with_gaps))


def test_a_learned_template_needs_a_word_that_subjects_are_others(data, with_gaps):
    template = learn_template(data, n_permutations=50, random_state=1)
    with pytest.raises(ValueError, match="allow_shared_data must be True for a learned template"):
        calibrated(with_gaps, template=template)
    fitted = calibrated(with_gaps, template=template, allow_shared_data=True)
    assert fitted.pivotal_statistics_.size == 200


def test_groups_of_unequal_variance_are_found_in_spite_of_gaps():
    from ari_estimator.resampling import find_contrast

    rng = np.random.default_rng(0)
    data = rng.standard_normal((24, 300))
    design = np.eye(2)[np.repeat([0, 1], [6, 18])]
    contrast = find_contrast(design, DIFFERENCE)
    data[rng.random(data.shape) < 0.2] = np.nan
    assert unequal_variances(data, design, contrast) is None
    data[:6] *= 3
    assert "6 and 18 rows, standard deviations in the ratio 2." in unequal_variances(
        data, design, contrast
    )
