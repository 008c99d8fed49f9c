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


def calibrate(data, masker=None, **parameters):
    return PermutationCalibration(n_permutations=20, **parameters).fit(data, masker=masker)


@pytest.fixture
def data():
    return np.random.default_rng(0).standard_normal((10, 6))


GROUPS = np.column_stack([np.repeat([1, 0], 5), np.repeat([0, 1], 5)])


def test_without_a_design_the_mean_is_tested(data):
    found = resample(data)
    assert found.scheme == "sign-flipping"
    assert_allclose(found.null.exact_t(0), stats.ttest_1samp(data, 0).statistic, rtol=1e-12)
    assert_allclose(resample(data, contrast=[-1]).null.exact_t(0), -found.null.exact_t(0))


def test_a_design_of_one_column_needs_no_contrast(data):
    x = np.arange(10.0)
    one = resample(data, x).null.exact_t(0)
    assert_array_equal(resample(data, x[:, np.newaxis]).null.exact_t(0), one)
    assert_array_equal(resample(data, x, [1]).null.exact_t(0), one)


def test_designs_of_other_kinds(data):
    one = resample(data, GROUPS, [1, -1]).null.exact_t(0)
    frame = pd.DataFrame(GROUPS, columns=["patients", "controls"])
    for design in (GROUPS.tolist(), frame, GROUPS.astype(bool), GROUPS.astype(np.float32)):
        found = resample(data, design, [1, -1])
        assert_array_equal(found.null.exact_t(0), one)
        assert found.scheme == "permutation"


def test_data_of_other_kinds(data):
    one = resample(data).null.exact_t(0)
    for same in (
        data.tolist(),
        list(data),
        tuple(data),
        pd.DataFrame(data),
        np.asfortranarray(data),
    ):
        assert_allclose(resample(same).null.exact_t(0), one, rtol=1e-12)
    swapped = data.astype(data.dtype.newbyteorder())
    assert_allclose(resample(swapped).null.exact_t(0), one, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.float16])
def test_other_numbers_become_doubles(data, dtype):
    data = np.abs(10 * data).astype(dtype)
    assert check_data(data).dtype == np.float64
    assert_allclose(
        resample(data).null.exact_t(0),
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
        calibrate(data, random_state=seed).pivotal_statistics_
        for seed in (1, np.random.RandomState(1), 2, None)
    )
    assert_array_equal(one, same)
    assert (one != other).any()
    assert (one != unseeded).any()


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
        (lambda d: d[:1], "data must be of at least 2 subjects. Got 1."),
        (lambda d: d[:0], "data must be of at least 2 subjects. Got 0."),
        (lambda d: d[0], "shape (6,) of float64"),
        (lambda d: d[np.newaxis], "shape (1, 10, 6)"),
        (lambda d: np.array(3.0), "shape ()"),
        (lambda d: d[:, :0], "shape (10, 0)"),
        (lambda d: d + 1j, "complex128"),
        (lambda d: d > 0, "bool"),
        (lambda d: d.astype(str), "data must be real numbers"),
        (lambda d: d.astype(object), "object"),
        (lambda d: [["a", "b"], ["c", "d"]], "data must be real numbers"),
        (lambda d: [d[0], d[1, :3]], "as many elements for each subject"),
        (lambda d: [[1.0, 2], [3.0]], "as many elements for each subject"),
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
        (GROUPS, np.eye(2), "an F contrast"),
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
        resample(data, GROUPS, [1, -1], blocks=GROUPS[:, 0])


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
        assert len(caught) == 1
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
    assert_allclose(found.null.exact_t(0), stats.ttest_1samp(data, 0).statistic, rtol=1e-12)
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
            for name in ("design", "contrast", "blocks")
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
    assert_allclose(found.t_values_, stats.ttest_1samp(data, 0).statistic, rtol=1e-6)
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
