"""How much memory a map and a group study take; benchmarks/memory.py measures whole brains."""

import copy
import pickle
import tracemalloc

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from nilearn.image import get_data, math_img
from numpy.testing import assert_array_equal
from sklearn.base import clone

from ari_estimator import AdaptiveTDPTransformer, ARISecondLevelModel, ClusterTDPTransformer

AFFINE = np.diag([2, 2, 2, 1])

# A head of 2 mm, a quarter of which is brain.
SHAPE = (91, 109, 91)


def brain(shape=SHAPE):
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    return sum(axis**2 for axis in axes) < 0.62


def z_img(mask, seed=0):
    values = np.random.default_rng(seed).standard_normal(mask.shape, dtype=np.float32)
    middle = tuple(slice(n // 2, n // 2 + 8) for n in mask.shape)
    values[middle] += 4
    return Nifti1Image(values * mask, AFFINE)


def peak_of(function):
    """Return the largest memory of a function above what is there, and what it returns."""
    tracemalloc.start()
    try:
        kept = function()
        return tracemalloc.get_traced_memory()[1], kept
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("with_mask", [True, False])
@pytest.mark.parametrize("flip", [1, -1])
@pytest.mark.parametrize(
    ("transformer", "most"),
    [
        (ClusterTDPTransformer(), 3.5),
        (ClusterTDPTransformer(two_sided=True), 3.8),
        (AdaptiveTDPTransformer(), 6),
        (AdaptiveTDPTransformer(two_sided=True), 6.5),
    ],
    ids=["clusters", "two-sided clusters", "adaptive clusters", "two-sided adaptive clusters"],
)
def test_map_takes_a_few_times_its_image_in_single_precision(transformer, most, flip, with_mask):
    transformer = clone(transformer)
    mask = brain()
    img = z_img(mask)
    img = Nifti1Image(get_data(img), AFFINE * [[flip], [1], [1], [1]])
    if with_mask:
        transformer.set_params(mask_img=Nifti1Image(mask.astype("uint8"), img.affine))
    transformer.fit(img)  # imports and compiles what it needs
    peak, _ = peak_of(lambda: transformer.fit_transform(img))
    assert peak < most * get_data(img).nbytes


def test_subjects_take_a_few_times_their_masked_data(tmp_path):
    # So many that their residuals would be far more than what one map takes.
    mask, n_subjects = brain(), 40
    mask_img = Nifti1Image(mask.astype("uint8"), AFFINE)
    paths = []
    for seed in range(n_subjects):
        paths.append(tmp_path / f"{seed}.nii")
        z_img(mask, seed).to_filename(paths[-1])

    def zs(mask_img):
        model = ARISecondLevelModel(mask_img=mask_img)
        model.fit(paths, design_matrix=pd.DataFrame({"intercept": [1] * n_subjects}))
        return model.compute_contrast("intercept")

    for given in (mask_img, None):
        peak, z_map = peak_of(lambda given=given: zs(given))
        assert peak < 4 * n_subjects * 4 * mask.sum()
        assert (get_data(z_map) != 0).sum() == mask.sum()


@pytest.fixture
def results():
    """Return a transformer, the TDP image that it gave, and the mask."""
    mask = brain((12, 14, 16))
    transformer = ClusterTDPTransformer(2, mask_img=Nifti1Image(mask.astype("uint8"), AFFINE))
    return transformer, transformer.fit_transform(z_img(mask)), mask


class TestImagesThatAreMadeLater:
    """Result images are volumes once someone looks at them, and the same array from then on."""

    @pytest.mark.parametrize("name", ["tdp", "labels"])
    def test_they_hold_what_was_found(self, results, name):
        transformer, tdp_img, mask = results
        img = tdp_img if name == "tdp" else transformer.labels_img_
        values = getattr(transformer.maps_, name)
        assert img.shape == img.dataobj.shape == mask.shape
        assert img.dataobj.dtype == img.get_data_dtype() == values.dtype
        data = np.asarray(img.dataobj)
        assert_array_equal(data[mask], values)
        assert not data[~mask].any()
        assert get_data(img) is data

    def test_what_is_written_into_them_stays(self, results, tmp_path):
        _, img, _ = results
        assert img.get_fdata() is get_data(img)
        img.get_fdata()[0, 0, 0] = 7
        img.dataobj[0, 0, 1] = 8
        img.to_filename(tmp_path / "tdp.nii")
        assert nib.load(tmp_path / "tdp.nii").get_fdata()[0, 0, :2].tolist() == [7, 8]

    @pytest.mark.parametrize("is_seen", [False, True])
    @pytest.mark.parametrize(
        "copied",
        [
            copy.deepcopy,
            lambda img: pickle.loads(pickle.dumps(img)),
            lambda img: math_img("img", img=img),
            lambda img: img.slicer[:],
        ],
        ids=["deepcopy", "pickle", "nilearn", "slicer"],
    )
    def test_copies_are_the_same(self, results, copied, is_seen):
        transformer, img, mask = results
        if is_seen:
            get_data(img)
        assert_array_equal(get_data(copied(img))[mask], transformer.maps_.tdp)

    def test_they_compute_like_arrays(self, results):
        _, img, _ = results
        data, array = img.dataobj, np.array(img.dataobj)
        assert_array_equal(1 - data, 1 - array)
        assert_array_equal(data > 0.5, array > 0.5)
        assert_array_equal(np.maximum(data, 0.5), np.maximum(array, 0.5))
        assert_array_equal(data[2:4], array[2:4])
        assert data.sum() == array.sum()
        assert len(data) == len(array)
        assert np.array(data, dtype=np.float32).dtype == np.float32
        assert not np.shares_memory(np.array(data), np.asarray(data))
