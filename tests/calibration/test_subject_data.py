"""Data of subjects on their way to statistics: accepted and refused ones."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from nilearn.maskers import NiftiMasker
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from ari_estimator import PermutationCalibration
from ari_estimator.calibration._subject_data import check_data, resample_subjects
from ari_estimator.resampling import LinearModelStatistics, StreamedSignStatistics


def resample(data, design=None, contrast=None, seed=0, **options):
    options = {"two_sided": False, "n_permutations": 20, **options}
    return resample_subjects(data, design, contrast, rng=np.random.default_rng(seed), **options)


def calibrate(data, masker=None, alpha=0.05, **parameters):
    calibration = PermutationCalibration(n_permutations=20, **parameters)
    return calibration.fit(data, alpha=alpha, masker=masker)


def statistics_of(data, *model, **options):
    return resample(data, *model, **options).null.observed[0]


@pytest.fixture
def data():
    return np.random.default_rng(0).standard_normal((10, 6))


GROUPS = np.column_stack([np.repeat([1, 0], 5), np.repeat([0, 1], 5)])


def test_without_a_design_the_mean_is_tested(data):
    found = resample(data)
    assert found.scheme == "sign-flipping"
    assert_allclose(found.null.observed[0], stats.ttest_1samp(data, 0).statistic, rtol=1e-12)
    assert_allclose(statistics_of(data, contrast=[-1]), -found.null.observed[0])


def test_a_design_of_one_column_needs_no_contrast(data):
    x = np.arange(10.0)
    one = statistics_of(data, x)
    assert_array_equal(statistics_of(data, x[:, np.newaxis]), one)
    assert_array_equal(statistics_of(data, x, [1]), one)


def test_designs_of_other_kinds(data):
    one = statistics_of(data, GROUPS, [1, -1])
    frame = pd.DataFrame(GROUPS, columns=["patients", "controls"])
    for design in (GROUPS.tolist(), frame, GROUPS.astype(bool), GROUPS.astype(np.float32)):
        found = resample(data, design, [1, -1])
        assert_array_equal(found.null.observed[0], one)
        assert found.scheme == "permutation"


def test_data_of_other_kinds(data):
    one = statistics_of(data)
    for same in (
        data.tolist(),
        list(data),
        tuple(data),
        pd.DataFrame(data),
        np.asfortranarray(data),
    ):
        assert_allclose(statistics_of(same), one, rtol=1e-12)
    swapped = data.astype(data.dtype.newbyteorder())
    assert_allclose(statistics_of(swapped), one, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.float16])
def test_other_numbers_become_doubles(data, dtype):
    data = np.abs(10 * data).astype(dtype)
    assert check_data(data).dtype == np.float64
    assert_allclose(
        statistics_of(data),
        stats.ttest_1samp(data.astype(float), 0).statistic,
        rtol=1e-12,
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_are_not_copied(data, dtype):
    data = data.astype(dtype)
    assert np.shares_memory(check_data(data), data)
    before = data.copy()
    resample(data, GROUPS, [1, -1])
    assert_array_equal(data, before)


def test_sums_that_overflow_are_of_finite_data():
    data = np.full((3, 4), 2e38, dtype=np.float32)
    assert check_data(data) is not None


def test_the_same_seed_gives_the_same_resamples(data):
    one, same, other = (resample(data, seed=seed).null.block(0, 20) for seed in (1, 1, 2))
    assert_array_equal(one, same)
    assert (one != other).any()


def test_seeds_work_as_in_scikit_learn(data):
    one, same, other, unseeded = (
        calibrate(data, random_state=seed).pivotal_statistics_ for seed in (1, 1, 2, None)
    )
    assert_array_equal(one, same)
    assert (one != other).any()
    assert (one != unseeded).any()
    state = np.random.RandomState(1)
    first, moved_on, again = (
        calibrate(data, random_state=given).pivotal_statistics_
        for given in (state, state, np.random.RandomState(1))
    )
    assert_array_equal(first, again)
    assert (first != moved_on).any()


@pytest.mark.parametrize("random_state", [7, None, np.random.RandomState(3)])
def test_the_recorded_seed_gives_the_same_draws(data, random_state):
    one = calibrate(data, random_state=random_state)
    assert isinstance(one.seed_, int)
    assert one.seed_ == 7 or random_state != 7
    again = calibrate(data, random_state=one.seed_)
    assert again.seed_ == one.seed_
    assert_array_equal(again.pivotal_statistics_, one.pivotal_statistics_)


@pytest.mark.parametrize(("n_rows", "seed"), [(4, None), (10, 5)])
def test_no_seed_is_recorded_if_there_was_nothing_to_draw(data, n_rows, seed):
    # All 2^4 flips are taken; of 2^10 some are drawn.
    found = calibrate(data[:n_rows], alpha=0.1, random_state=5)
    assert found.seed_ == seed
    assert found.calibration_.is_exhaustive == (seed is None)


def test_the_names_of_blocks_do_not_matter(data):
    x = np.tile([0, 1], 5)
    design = np.column_stack([np.ones(10), x])
    one, same = (
        resample(data, design, [0, 1], blocks=np.repeat(list(names), 2)).null.block(0, 20)
        for names in ("abcde", "zayxb")
    )
    assert_array_equal(one, same)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d[:1], "data must have at least 2 subjects. Got 1."),
        (lambda d: d[:0], "data must have at least 2 subjects. Got 0."),
        (lambda d: d[0], "shape (6,) of float64"),
        (lambda d: d[np.newaxis], "at least 2 subjects"),
        (lambda d: np.array(3.0), "shape ()"),
        (lambda d: d[:, :0], "shape (10, 0)"),
        (lambda d: d + 1j, "complex128"),
        (lambda d: d > 0, "bool"),
        (lambda d: d.astype(str), "data must be real numbers"),
        (lambda d: d.astype(object), "object"),
        (lambda d: [["a", "b"], ["c", "d"]], "data must be real numbers"),
        (lambda d: [d[0], d[1, :3]], "the same number of elements for each subject"),
        (lambda d: [[1.0, 2], [3.0]], "the same number of elements for each subject"),
        (lambda d: [], "shape (0,)"),
        (lambda d: np.ma.masked_greater(d, 1), "data must not be masked. Got"),
        (lambda d: [Nifti1Image(np.ones((2, 2, 2)), np.eye(4))] * 3, "of object"),
    ],
)
def test_data_that_are_refused(data, change, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        resample(change(data))


@pytest.mark.parametrize("data", ["maps.nii", b"maps.nii", 3, None, np.float64(1)])
def test_data_that_are_no_data(data):
    with pytest.raises(TypeError, match="data must be an array"):
        resample(data)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_subjects_that_are_not_finite_are_named(data, dtype):
    data = data.astype(dtype)
    data[7, [1, 4]] = np.nan, np.inf
    data[8, 0] = -np.inf
    with pytest.raises(ValueError, match=r"in 2 elements of subject 7\. Leave"):
        resample(data)
    data[3, :2] = np.inf, -np.inf
    with pytest.raises(ValueError, match=r"in 2 elements of subject 3\. Leave"):
        resample(data)


@pytest.mark.parametrize(
    ("design", "contrast", "message"),
    [
        (GROUPS[:9], [1, -1], "design must have a row for each subject. Got shape (9, 2)"),
        (GROUPS.T, [1, -1], "Got shape (2, 10) for data of 10 subjects"),
        (1.0, [1], "Got shape ()"),
        (GROUPS, None, "contrast must be given for a design of 2 columns. Got None"),
        (None, [1, 0], "contrast must be 1 numbers"),
        (GROUPS, [1], "contrast must be 2 numbers"),
        (GROUPS, np.eye(3), "or several rows of 2 numbers for an F contrast"),
        (GROUPS, np.zeros((2, 2)), "contrast must be finite and not 0"),
        (np.column_stack([np.ones(10), GROUPS]), [1, 0, 0], "is not estimable"),
        (np.eye(10), [1] + 9 * [0], "10 subjects for a design of rank 10"),
        (GROUPS.astype(str), [1, -1], "design must be numbers"),
        (np.full((10, 1), np.nan), None, "design must be finite"),
        (np.zeros(10), None, "not estimable"),
    ],
)
def test_designs_and_contrasts_that_are_refused(data, design, contrast, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        resample(data, design, contrast)


def test_blocks_that_are_refused(data):
    with pytest.raises(ValueError, match="blocks must be 10 labels"):
        resample(data, blocks=range(9))
    with pytest.raises(ValueError, match="blocks must leave something to permute"):
        resample(data, GROUPS, [1, -1], blocks=GROUPS[:, 0], exchange="within")
    with pytest.raises(ValueError, match="blocks must be alike to change places as wholes"):
        resample(data, GROUPS, [1, -1], blocks=[0, 0, 0, 1, 1, 2, 2, 2, 3, 3])
    with pytest.raises(ValueError, match="first column"):
        resample(data, blocks=np.column_stack([GROUPS[:, 0] + 1, np.arange(10) + 1]))
    for unlike in ([[0, 1]] * 10, [[0.5, 1]] * 10):
        with pytest.raises(ValueError, match="positive and negative whole numbers"):
            resample(data, blocks=unlike)
    with pytest.raises(ValueError, match="exchange must be None unless blocks are labels"):
        resample(data, exchange="whole")


def test_the_level_must_be_above_the_number_of_permutations(data):
    # Two groups as blocks: they change places, or do not.
    with pytest.raises(ValueError, match="alpha must be at least 1 / n_permutations = 1 / 2"):
        PermutationCalibration(blocks=GROUPS[:, 0]).fit(data, GROUPS, [1, -1])


F_CONTRASTS = {
    "groups": (GROUPS, [[1, -1], [-1, 1]], "permutation", 1),
    "both means": (GROUPS, np.eye(2), "sign-flipping", 2),
}


@pytest.mark.parametrize("variance_groups", [None, "auto"])
@pytest.mark.parametrize("case", F_CONTRASTS)
def test_f_contrasts(data, case, variance_groups):
    design, contrast, scheme, rank = F_CONTRASTS[case]
    found = resample(data, design, contrast, variance_groups=variance_groups)
    assert found.stat_type == ("F" if variance_groups is None else "G")
    assert found.rank == rank
    assert found.scheme == ("sign-flipping" if variance_groups else scheme)
    f = found.null.observed[0]
    assert (f >= 0).all()
    with pytest.raises(ValueError, match="two_sided must be False for an F contrast"):
        resample(data, design, contrast, two_sided=True)


@pytest.mark.parametrize("groups", [GROUPS[:, 0], list("bbbbbaaaaa"), "auto"])
def test_variance_groups(data, groups):
    found = resample(data, GROUPS, [1, -1], variance_groups=groups)
    welch = stats.ttest_ind(data[:5], data[5:], equal_var=False, alternative="greater")
    assert (found.stat_type, found.rank, found.scheme) == ("v", 1, "sign-flipping")
    assert found.doubt is None
    assert_allclose(found.null.observed[0], welch.statistic, rtol=1e-9)
    assert_allclose(found.null.observed.df, welch.df, rtol=1e-9)
    assert_allclose(found.null.observed_p_values, welch.pvalue, rtol=1e-8)
    for scheme in ("permutation", "bootstrap"):
        mixed = resample(data, GROUPS, [1, -1], variance_groups=groups, scheme=scheme)
        assert "mixes variance groups" in mixed.doubt
        assert_array_equal(mixed.null.observed[0], found.null.observed[0])


def test_auto_takes_the_rows_that_blocks_let_change_places(data):
    age = np.array([-2, -1, 0, 1, 2, 1, 2, -2, 0, -1])
    design = np.column_stack([np.ones(10), age])
    found = resample(data, design, [0, 1], blocks=GROUPS[:, 0], variance_groups="auto")
    assert (found.stat_type, found.scheme) == ("v", "permutation within blocks")
    assert found.doubt is None
    told = resample(data, design, [0, 1], blocks=GROUPS[:, 0], variance_groups=GROUPS[:, 0])
    assert_array_equal(found.null.block(0, 20), told.null.block(0, 20))


def test_permutations_that_leave_what_is_tested_in_place_raise_a_doubt(data):
    # Ages differ between the two groups, and hardly within them.
    design = np.column_stack([np.ones(10), np.arange(10)])
    found = resample(data, design, [0, 1], blocks=GROUPS[:, 0], exchange="within")
    assert found.scheme == "permutation within blocks"
    assert "have little power. scheme='sign_flip'" in found.doubt


def test_a_contrast_within_and_between_blocks_beside_nuisance_takes_whole_blocks():
    # The difference of groups in one condition: residuals of the other condition are unlike.
    rng = np.random.default_rng(0)
    subjects, condition = np.repeat(np.arange(12), 2), np.tile([0, 1], 12)
    cells = np.eye(4)[2 * (subjects // 6) + condition]
    options = {"blocks": subjects, "two_sided": True, "n_permutations": 50, "rng": rng}
    data = rng.standard_normal((24, 5))
    found = resample_subjects(data, cells, [1, 0, -1, 0], **options)
    assert found.scheme.startswith("permutation of whole blocks")
    with pytest.raises(ValueError, match="blocks must fit the contrast"):
        resample_subjects(data, cells, [1, 0, -1, 0], exchange="within", **options)


def test_rows_of_whole_blocks_must_be_in_one_order():
    rng = np.random.default_rng(0)
    subjects, condition = np.repeat(np.arange(12), 3), np.tile([0, 1, 2], 12)
    group = subjects // 6

    def interaction_of(conditions):
        return np.column_stack([np.eye(3)[conditions], group, group * (conditions == 2)])

    data = rng.standard_normal((36, 5))
    options = {"blocks": subjects, "exchange": "whole", "two_sided": True}
    options |= {"n_permutations": 50, "rng": rng}
    weights = [0, 0, 0, 0, 1]
    resample_subjects(data, interaction_of(condition), weights, **options)
    shuffled = condition.copy()
    shuffled[3:6] = [2, 0, 1]
    with pytest.raises(ValueError, match="blocks must have their rows in the same order"):
        resample_subjects(data, interaction_of(shuffled), weights, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"variance_groups": range(9)}, "variance_groups must be 10 labels"),
        ({"variance_groups": [0] * 9 + [np.nan]}, "variance_groups must have a label for each row"),
        ({"variance_groups": "cells"}, "labels, one for each row, 'auto' or None. Got 'cells'"),
        ({"design": None, "contrast": None, "variance_groups": "auto"}, "finds one group"),
        # A group whose only row has a column of its own.
        (
            {
                "design": np.column_stack([GROUPS, np.arange(10) == 9]),
                "contrast": [1, -1, 0],
                "variance_groups": [0] * 9 + [1],
            },
            "Got a group of 1 row, [9] (counted from 0), with",
        ),
        (
            {
                "blocks": np.repeat(range(5), 2),
                "exchange": "within",
                "variance_groups": np.tile([0, 1], 5),
                "scheme": "permutation",
                "design": np.column_stack([np.ones(10), np.tile([0, 1], 5)]),
                "contrast": [0, 1],
            },
            "variance_groups must be the same for all rows that change places",
        ),
    ],
)
def test_variance_groups_that_are_refused(data, options, message):
    options = {"design": GROUPS, "contrast": [1, -1], **options}
    with pytest.raises(ValueError, match=re.escape(message)):
        resample(data, options.pop("design"), options.pop("contrast"), **options)


def test_groups_of_unequal_variance_raise_a_doubt():
    rng = np.random.default_rng(0)
    design = np.eye(2)[np.repeat([0, 1], [10, 30])]
    data = rng.standard_normal((40, 200))
    assert resample(data, design, [1, -1]).doubt is None
    data[:10] *= 2
    doubt = resample(data, design, [1, -1]).doubt
    assert "differ in variance (10 and 30 rows, standard deviations" in doubt
    assert "Set variance_groups='auto'" in doubt
    assert resample(data, design, [1, -1], variance_groups="auto").doubt is None
    of_equal_size = resample(data[:20], design[:20], [1, -1]).doubt
    assert "differ in variance (10 and 10 rows" in of_equal_size


def test_schemes(data):
    assert resample(data, scheme="bootstrap").scheme == "bootstrap of residuals"
    with pytest.raises(ValueError, match="scheme must be one of"):
        resample(data, scheme="jackknife")
    with pytest.raises(ValueError, match="scheme must be 'sign_flip' or 'bootstrap'"):
        resample(data, scheme="permutation")


def test_data_that_do_not_vary():
    with pytest.raises(ValueError, match="no residual variance in any of the 4 elements"):
        resample(np.full((5, 4), 0.3))
    with pytest.raises(ValueError, match="data must vary"):
        resample(GROUPS * [0.1, 0.7], GROUPS, [1, -1])
    with pytest.raises(ValueError, match="data must vary"):
        resample(iter(np.zeros((5, 4))))


def test_elements_that_do_not_vary(data):
    data[:, [1, 3]] = 0.1
    for given in (data, iter(data)):
        with pytest.warns(UserWarning, match="no residual variance in 2 of 6 elements") as caught:
            found = calibrate(given)
        assert sum("residual variance" in str(one.message) for one in caught) == 1
        assert_array_equal(np.flatnonzero(found.is_constant_), [1, 3])
        assert (found.p_values_[[1, 3]] == 1).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Constant in one group, which is no reason to warn.
        found = resample(
            np.where(GROUPS[:, :1] == 1, data + np.arange(10)[:, np.newaxis], 0), GROUPS, [1, -1]
        )
    assert not found.null.is_constant.any()


def test_iterators_are_streamed(data):
    found = resample(iter(data), n_groups=4)
    assert found.data is None
    assert found.scheme == "sign-flipping of 4 groups of subjects"
    assert isinstance(found.null, StreamedSignStatistics)
    assert found.null.n_permutations == 16
    assert_allclose(found.null.observed[0], stats.ttest_1samp(data, 0).statistic, rtol=1e-12)
    few = resample((row for row in data), n_groups=10)
    assert few.scheme == "sign-flipping"
    assert isinstance(few.null, LinearModelStatistics)
    assert_array_equal(few.null.block(0, 20), resample(data).null.block(0, 20))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        *(
            (
                {name: np.ones(10)},
                f"{name} must be left at the default for subjects that are streamed",
            )
            for name in ("design", "contrast", "blocks", "variance_groups")
        ),
        (
            {"variance_groups": "auto"},
            "variance_groups must be left at the default for subjects that are streamed",
        ),
        (
            {"exchange": "whole"},
            "exchange must be left at the default for subjects that are streamed",
        ),
        ({"scheme": "permutation"}, "scheme must be 'auto' or 'sign_flip' for subjects"),
        ({"scheme": "bootstrap"}, "scheme must be 'auto' or 'sign_flip' for subjects"),
    ],
)
def test_streamed_subjects_have_no_design(data, options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        resample(iter(data), **options)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "at least 2 subjects. Got 0"),
        ([[1.0, 2.0]], "at least 2 subjects. Got 1"),
        ([[1.0, 2.0], [np.nan, 2.0]], "in 1 elements of subject 1"),
        ([[1.0, 2.0], [3.0]], "data of subject 1 must be one-dimensional"),
        (["a.nii", "b.nii"], "data of subject 0 must be real"),
    ],
)
def test_streamed_subjects_that_are_refused(rows, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        resample(iter(rows))


@pytest.fixture
def images(data):
    return [Nifti1Image(row.reshape(1, 2, 3), np.eye(4)) for row in data]


@pytest.fixture
def masker():
    mask_img = Nifti1Image(np.ones((1, 2, 3), dtype=np.uint8), np.eye(4))
    return NiftiMasker(mask_img, standardize=None).fit()


@pytest.mark.parametrize("given", [list, tuple, iter, "paths"])
def test_images_go_through_the_masker_one_by_one(data, images, masker, tmp_path, given):
    if given == "paths":
        paths = [tmp_path / f"{i}.nii" for i in range(len(images))]
        for image, path in zip(images, paths, strict=True):
            image.to_filename(path)
    found = calibrate(paths if given == "paths" else given(images), masker, n_groups=5)
    assert_allclose(found.statistic_, stats.ttest_1samp(data, 0).statistic, rtol=1e-6)
    assert found.scheme_ == "sign-flipping of 5 groups of subjects"


def test_images_with_nan_are_warned_of(images, masker):
    values = images[3].get_fdata().copy()
    values[0, 1, 2] = np.nan
    images[3] = Nifti1Image(values, np.eye(4))
    with pytest.warns(UserWarning, match="1 voxels of the mask are NaN"):
        calibrate(images, masker)


def test_images_and_paths_need_a_masker(images):
    for given in (images, ["a.nii", "b.nii"]):
        with pytest.raises(ValueError, match="Images and their paths need a masker"):
            calibrate(given)
    with pytest.raises(TypeError, match=r"masker must be a fitted masker .* Got Nifti1Image"):
        calibrate(images, images[0])


def test_images_of_several_volumes_are_refused(data, images, masker):
    both = Nifti1Image(data[:2].T.reshape(1, 2, 3, 2), np.eye(4))
    with pytest.raises(ValueError, match=r"data of subject 10 must be .* Got shape \(2, 6\)"):
        calibrate([*images, both], masker)


def test_one_image_is_no_list_of_images(images, masker):
    for data in (images[0], "maps.nii", 3):
        with pytest.raises(TypeError, match="a list or an iterator of images"):
            calibrate(data, masker)
