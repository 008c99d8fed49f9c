"""Transformers that are given a fitted calibration, of the data that a map was computed from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from nilearn.maskers import NiftiMasker
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from ari_estimator import (
    AdaptiveTDPTransformer,
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
)

N_SUBJECTS = 12


@pytest.fixture(scope="module")
def images() -> list[Nifti1Image]:
    rng = np.random.default_rng(0)
    effect = np.zeros((8, 8, 8))
    effect[2:5, 2:5, 2:5] = 2
    return [
        Nifti1Image((effect + rng.standard_normal(effect.shape)).astype(np.float32), np.eye(4))
        for _ in range(N_SUBJECTS)
    ]


@pytest.fixture(scope="module")
def masker() -> NiftiMasker:
    mask = np.ones((8, 8, 8), dtype=np.uint8)
    mask[0] = 0
    return NiftiMasker(Nifti1Image(mask, np.eye(4)), standardize=None).fit()


@pytest.fixture(scope="module")
def model(images, masker) -> ARISecondLevelModel:
    model = ARISecondLevelModel(
        masker.mask_img_,
        transformer=ClusterTDPTransformer(2.5, alpha=0.1),
        calibration=PermutationCalibration(n_permutations=100, random_state=0),
    )
    return model.fit(images, design_matrix=pd.DataFrame({"mean": np.ones(N_SUBJECTS)}))


@pytest.fixture(scope="module")
def z_img(model):
    return model.compute_contrast(output_type="z_score")


@pytest.fixture(scope="module")
def calibration(images, masker) -> PermutationCalibration:
    calibration = PermutationCalibration(n_permutations=100, random_state=0)
    return calibration.fit(masker.transform(images), alpha=0.1)


def test_a_transformer_gives_what_the_model_gives(model, z_img, masker, calibration):
    expected = model.compute_contrast(output_type="tdp")
    ari = ClusterTDPTransformer(2.5, alpha=0.1, mask_img=masker)
    tdp_img = ari.fit_transform(z_img, calibration=calibration)
    assert_array_equal(tdp_img.get_fdata(), expected.get_fdata())
    for fitted in (ari, clone(ari).fit(z_img, calibration=calibration)):
        assert_frame_equal(fitted.table_, model.table_)
        assert fitted.true_discoveries_ > 10
        assert fitted.maps_.test.calibration is calibration.calibration_


def test_other_maps_are_tested_by_the_local_test(z_img, masker, calibration):
    ari = ClusterTDPTransformer(1, alpha=0.02, mask_img=masker)
    expected = ari.fit_transform(z_img).get_fdata()
    assert (ari.fit_transform(z_img, calibration=calibration).get_fdata() != expected).any()
    assert_array_equal(ari.transform(z_img).get_fdata(), expected)


def test_other_sets_come_from_the_same_calibration(z_img, masker, calibration):
    ari = AdaptiveTDPTransformer(0.9, alpha=0.1, mask_img=masker)
    ari.fit_transform(z_img, calibration=calibration)
    assert (ari.table_["tdp"].iloc[:-1] >= 0.9).all()
    assert len(ari.table_) > 1


def test_a_calibration_serves_other_levels(z_img, masker, calibration):
    found = []
    for alpha in (0.02, 0.2):
        ari = ClusterTDPTransformer(2.5, alpha=alpha, mask_img=masker)
        ari.fit_transform(z_img, calibration=calibration)
        found.append(ari.true_discoveries_)
    assert found[0] < found[1]


def test_streamed_images_give_what_an_array_gives(images, masker, calibration, z_img):
    streamed = PermutationCalibration(n_permutations=100, random_state=0)
    streamed.fit(iter(images), alpha=0.1, masker=masker)
    assert streamed.lambda_ == pytest.approx(calibration.lambda_, rel=1e-6)
    tables = []
    for each in (streamed, calibration):
        ari = ClusterTDPTransformer(2.5, alpha=0.1, mask_img=masker)
        ari.fit_transform(z_img, calibration=each)
        tables.append(ari.table_)
    assert_frame_equal(*tables)


def test_groups_of_streamed_subjects_find_the_effect(images, masker, z_img):
    streamed = PermutationCalibration(n_permutations=60, random_state=0, n_groups=8)
    streamed.fit(images, alpha=0.1, masker=masker)
    assert streamed.scheme_ == "sign-flipping of 8 groups of subjects"
    ari = ClusterTDPTransformer(2.5, alpha=0.1, mask_img=masker)
    ari.fit_transform(z_img, calibration=streamed)
    assert ari.true_discoveries_ > 5


def test_a_map_of_other_data_is_refused(z_img, masker, calibration):
    other = Nifti1Image(z_img.get_fdata()[:, ::-1], z_img.affine)
    with pytest.raises(ValueError, match="calibration must be fitted to the data of the map"):
        ClusterTDPTransformer(alpha=0.1, mask_img=masker).fit_transform(
            other, calibration=calibration
        )


def test_p_values_by_rank_are_of_the_data_of_the_map_or_refused(images, masker, z_img):
    calibration = PermutationCalibration("beta", p_values="rank", n_permutations=100)
    calibration.fit(masker.transform(images), alpha=0.1)
    ari = ClusterTDPTransformer(2.5, alpha=0.1, mask_img=masker)
    ari.fit_transform(z_img, calibration=calibration)
    assert_array_equal(ari.maps_.test.p_values, calibration.p_values_)
    calibration.fit(masker.transform(images[1:]), alpha=0.1)
    with pytest.raises(ValueError, match="calibration must be fitted to the data of the map"):
        ari.fit_transform(z_img, calibration=calibration)


def test_statistics_of_a_calibration_are_a_map(model, masker, calibration):
    t_img = masker.inverse_transform(calibration.statistic_)
    ari = ClusterTDPTransformer(2.5, alpha=0.1, mask_img=masker, stat_type="t", df=calibration.df_)
    ari.fit_transform(t_img, calibration=calibration)
    model.compute_contrast(output_type="tdp")
    assert ari.true_discoveries_ == model.true_discoveries_


def test_another_mask_is_refused(z_img, calibration):
    whole = Nifti1Image(np.ones((8, 8, 8), dtype=np.uint8), np.eye(4))
    with pytest.raises(ValueError, match="calibration must have the 512 elements"):
        ClusterTDPTransformer(alpha=0.1, mask_img=whole).fit_transform(
            z_img, calibration=calibration
        )


def test_other_sides_are_refused(z_img, masker, calibration):
    ari = ClusterTDPTransformer(alpha=0.1, mask_img=masker, two_sided=True)
    with pytest.raises(ValueError, match="two_sided must be False, as in the calibration"):
        ari.fit_transform(z_img, calibration=calibration)


def test_another_level_after_step_down_is_refused(images, masker, z_img):
    calibration = PermutationCalibration(n_permutations=100, random_state=0, step_down=True)
    calibration.fit(masker.transform(images), alpha=0.1)
    assert calibration.calibration_.n_steps > 1
    with pytest.raises(ValueError, match=r"alpha must be 0\.1"):
        ClusterTDPTransformer(mask_img=masker).fit_transform(z_img, calibration=calibration)


def test_several_maps_are_refused(z_img, masker, calibration):
    with pytest.raises(ValueError, match="X must be a single map"):
        ClusterTDPTransformer(alpha=0.1, mask_img=masker).fit_transform(
            [z_img, z_img], calibration=calibration
        )


def test_a_local_test_that_would_do_nothing_is_refused(z_img, masker, calibration):
    ari = ClusterTDPTransformer(alpha=0.1, mask_img=masker, local_test="hommel")
    with pytest.raises(ValueError, match="local_test must be left at the default"):
        ari.fit_transform(z_img, calibration=calibration)


def test_what_is_no_fitted_calibration_is_refused(z_img, masker):
    ari = ClusterTDPTransformer(alpha=0.1, mask_img=masker)
    with pytest.raises(TypeError, match="calibration must be a PermutationCalibration"):
        ari.fit_transform(z_img, calibration="simes")
    with pytest.raises(NotFittedError):
        ari.fit_transform(z_img, calibration=PermutationCalibration())
