"""The TDP to expect of a study, from a pilot whose truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from sklearn.exceptions import NotFittedError

from ari_estimator import (
    AdaptiveTDPTransformer,
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
    RegionTDPTransformer,
    expected_tdp,
)

SHAPE = (8, 8, 8)
MASK = Nifti1Image(np.ones(SHAPE, dtype="uint8"), np.eye(4))
CORNER = np.zeros(SHAPE, dtype=bool)
CORNER[:4, :4, :4] = True
REGIONS = Nifti1Image(np.where(CORNER, 1, 2).astype("int16"), np.eye(4))


def _images(effect: float, n_subjects: int = 16, seed: int = 0) -> list[Nifti1Image]:
    maps = np.random.default_rng(seed).standard_normal((n_subjects, *SHAPE)) + effect * CORNER
    return [Nifti1Image(one.astype("float32"), np.eye(4)) for one in maps]


def _model(effect: float = 2.0, *, images=None, transformer=None, design=None, **parameters):
    images = _images(effect) if images is None else images
    if transformer is None:
        transformer = RegionTDPTransformer(labels_img=REGIONS)
    model = ARISecondLevelModel(mask_img=MASK, transformer=transformer, **parameters)
    if design is None:
        design = pd.DataFrame({"mean": np.ones(len(images))})
    return model.fit(images, design_matrix=design)


def _expected(model, n_subjects=20, **options) -> pd.DataFrame:
    options = {"n_simulations": 20, "random_state": 0, "verbose": 0} | options
    return expected_tdp(model, n_subjects, **options)


class TestKnownTruth:
    def test_no_effect_lets_expect_nothing(self):
        forecast = _expected(_model(0.0), [20, 100])
        assert (forecast["expected_tdp"] < 0.01).all()

    def test_without_shrinkage_no_effect_promises_much(self):
        forecast = _expected(_model(0.0), [100], shrink=False)
        assert (forecast["expected_tdp"] > 0.03).all()

    def test_a_huge_effect_lets_expect_all(self):
        forecast = _expected(_model(8.0), 40).set_index("set")
        assert forecast.loc["1", "expected_tdp"] > 0.99
        assert forecast.loc["1", "prob_above_0"] == 1
        assert forecast.loc["2", "expected_tdp"] < 0.05
        assert forecast.loc["all", "expected_tdp"] == pytest.approx(CORNER.mean(), abs=0.02)

    def test_a_negative_effect_is_nothing_unless_both_sides_are_tested(self):
        for two_sided, least, most in ((False, 0, 0.01), (True, 0.9, 1)):
            transformer = RegionTDPTransformer(labels_img=REGIONS, two_sided=two_sided)
            forecast = _expected(_model(-3.0, transformer=transformer), 40)
            assert least <= forecast["expected_tdp"].iloc[0] <= most

    def test_the_forecast_is_close_to_later_studies(self):
        later = []
        for seed in range(1, 9):
            model = _model(images=_images(1.2, 24, seed))
            model.compute_contrast("mean", output_type="tdp")
            later.append(model.table_["tdp"].iloc[0])
        forecast = _expected(_model(1.2), 24).iloc[0]
        assert forecast["expected_tdp"] == pytest.approx(np.mean(later), abs=0.15)
        assert forecast["tdp_10"] - 0.1 < np.mean(later) < forecast["tdp_90"] + 0.1

    def test_more_subjects_let_expect_more(self):
        forecast = _expected(_model(1.2), [10, 20, 40, 80])
        for _, of_set in forecast.groupby("set"):
            assert of_set["n_subjects"].tolist() == [10, 20, 40, 80]
            assert of_set["expected_tdp"].is_monotonic_increasing

    @pytest.mark.parametrize("sign", [-1.0, 1.0])
    def test_the_sign_of_contrast_and_design_counts(self, sign):
        images = _images(3.0)
        model = _model(images=images, design=pd.DataFrame({"mean": np.full(16, sign)}))
        assert (_expected(model)["expected_tdp"].iloc[0] > 0.5) == (sign > 0)
        turned = _expected(model, second_level_contrast=[-1.0])
        assert (turned["expected_tdp"].iloc[0] > 0.5) == (sign < 0)

    def test_calibrated_bounds_are_simulated_too(self):
        calibration = PermutationCalibration(n_permutations=100, random_state=0, verbose=0)
        with pytest.warns(UserWarning, match="Monte Carlo error"):
            forecast = _expected(_model(8.0, calibration=calibration), n_simulations=3)
        assert forecast["expected_tdp"].iloc[0] > 0.9
        assert forecast["expected_tdp"].iloc[1] < 0.1


class TestTable:
    def test_columns_and_rows(self):
        forecast = _expected(_model(), [30, 10])
        assert list(forecast) == [
            "set", "n_voxels", "n_subjects", "expected_tdp", "std_error",
            "tdp_10", "tdp_50", "tdp_90", "prob_above_0",
        ]  # fmt: skip
        assert forecast["set"].tolist() == ["1", "1", "2", "2", "all", "all"]
        assert forecast["n_voxels"].tolist() == [64, 64, 448, 448, 512, 512]
        assert forecast["n_subjects"].tolist() == [30, 10] * 3
        assert (forecast["tdp_10"] <= forecast["tdp_50"]).all()
        assert (forecast["tdp_50"] <= forecast["tdp_90"]).all()

    @pytest.mark.parametrize(
        "transformer",
        [
            ClusterTDPTransformer(3.0),
            ClusterTDPTransformer([2.5, 3.0], cluster_threshold=5),
            AdaptiveTDPTransformer(0.5),
            ClusterTDPTransformer(3.0, local_test="hommel"),
            ClusterTDPTransformer(3.0, two_sided="directional"),
        ],
    )
    def test_sets_are_the_clusters_of_the_pilot(self, transformer):
        model = _model(transformer=transformer)
        model.compute_contrast("mean", output_type="tdp")
        clusters = model.table_[model.table_["cluster_id"] > 0]
        forecast = _expected(model, n_simulations=2)
        names = [f"cluster {number}" for number in clusters["cluster_id"]]
        assert forecast["set"].tolist() == [*names, "all"]
        assert forecast["n_voxels"].tolist() == [*clusters["n_voxels"], 512]

    def test_the_same_seed_gives_the_same_numbers(self):
        model = _model(1.2)
        first, second = _expected(model), _expected(model)
        pd.testing.assert_frame_equal(first, second)
        assert not first.equals(_expected(model, random_state=1))

    def test_a_number_of_subjects_does_not_depend_on_the_others(self):
        model = _model(1.2)
        both = _expected(model, [10, 20])
        alone = _expected(model, 20)
        of_both = both[both["n_subjects"] == 20].reset_index(drop=True)
        pd.testing.assert_frame_equal(of_both, alone)

    def test_the_model_stays_as_it_was(self):
        model = _model()
        model.compute_contrast("mean", output_type="tdp")
        before = model.table_.copy()
        transformer = model.transformer_
        _expected(model, n_simulations=2)
        assert model.transformer_ is transformer
        pd.testing.assert_frame_equal(model.table_, before)

    def test_voxels_without_variance_are_never_a_discovery(self):
        images = _images(3.0)
        for image in images:
            image.get_fdata()[0, 0, 0] = 5.0
        images = [
            Nifti1Image(np.asarray(image.get_fdata(), "float32"), np.eye(4)) for image in images
        ]
        forecast = _expected(_model(images=images), 60)
        assert np.isfinite(forecast["expected_tdp"]).all()
        assert forecast["tdp_90"].iloc[0] <= 63 / 64

    def test_voxels_without_variance_say_nothing_about_the_others(self):
        images = _images(0.9)
        whole = _expected(_model(images=images[:]), 30)
        # The same voxels, and as many others that are 1 for all subjects.
        padded = [np.ones((16, 8, 8), dtype="float32") for _ in images]
        for maps, image in zip(padded, images, strict=True):
            maps[:8] = image.get_fdata()
        regions = np.full((16, 8, 8), 3, dtype="int16")
        regions[:8] = REGIONS.get_fdata()
        model = ARISecondLevelModel(
            mask_img=Nifti1Image(np.ones((16, 8, 8), dtype="uint8"), np.eye(4)),
            transformer=RegionTDPTransformer(labels_img=Nifti1Image(regions, np.eye(4)), alpha=0.1),
        )
        model.fit(
            [Nifti1Image(maps, np.eye(4)) for maps in padded],
            design_matrix=pd.DataFrame({"mean": np.ones(len(images))}),
        )
        # Twice the voxels at twice the level: nearly the same test of the first half.
        forecast = _expected(model, 30)
        assert forecast["expected_tdp"].iloc[0] == pytest.approx(
            whole["expected_tdp"].iloc[0], abs=0.02
        )
        assert forecast["expected_tdp"].iloc[2] == 0


class TestBadInput:
    @pytest.mark.parametrize(
        ("options", "error", "words"),
        [
            ({"n_subjects": 1}, ValueError, "n_subjects must be at least 2. Got 1"),
            ({"n_subjects": []}, ValueError, "n_subjects must have at least one number"),
            ({"n_subjects": 20.5}, TypeError, "n_subjects must be a whole number. Got 20.5"),
            ({"n_subjects": [20, True]}, TypeError, "n_subjects must be a whole number"),
            ({"n_subjects": "20"}, TypeError, "n_subjects must be a whole number"),
            ({"n_subjects": None}, TypeError, "n_subjects must be a whole number"),
            ({"n_simulations": 1}, ValueError, "n_simulations must be at least 2"),
            ({"n_simulations": 2.0}, TypeError, "n_simulations must be a whole number"),
            ({"shrink": "yes"}, TypeError, "shrink must be True or False"),
            ({"verbose": -1}, ValueError, "verbose must be at least 0"),
            ({"n_subjects": 10**9}, ValueError, "n_subjects must be at most 100,000"),
            ({"random_state": "seed"}, ValueError, "'random_state' parameter of expected_tdp"),
        ],
    )
    def test_arguments_are_refused_by_name(self, options, error, words):
        with pytest.raises(error, match=words):
            _expected(_model(), **options)

    def test_what_is_no_fitted_model(self):
        with pytest.raises(TypeError, match="model must be an ARISecondLevelModel"):
            expected_tdp(_images(1.0), 20)
        with pytest.raises(NotFittedError):
            expected_tdp(ARISecondLevelModel(), 20)

    @pytest.mark.parametrize(
        "design",
        [
            {"group": np.repeat([0.0, 1.0], 8), "mean": np.ones(16)},
            {"age": np.arange(16.0)},
        ],
    )
    def test_other_designs(self, design):
        with pytest.raises(
            ValueError, match=r"model must have a one-sample design.*Got the columns"
        ):
            _expected(_model(design=pd.DataFrame(design)))

    @pytest.mark.parametrize("n_subjects", [3, [40, 3]])
    def test_a_study_with_too_few_sign_flips(self, n_subjects):
        model = _model(calibration=PermutationCalibration(n_permutations=1000, verbose=0))
        with pytest.raises(ValueError, match=r"n_subjects must be larger: a study of 3 cannot"):
            _expected(model, n_subjects)

    @pytest.mark.parametrize("contrast", [{"a": "mean"}, [["mean"]], 5, np.array("mean")])
    def test_what_is_no_contrast(self, contrast):
        words = "second_level_contrast must be one text, or a list"
        with pytest.raises((TypeError, ValueError), match=words):
            _expected(_model(), second_level_contrast=contrast)

    def test_a_pilot_that_is_too_small(self):
        with pytest.raises(ValueError, match=r"at least 4 subjects\. Got 3"):
            _expected(_model(images=_images(1.0, 3)))

    @pytest.mark.parametrize(
        ("parameters", "name"),
        [
            ({"missing": "omit"}, "missing"),
            ({"variance_groups": np.repeat([0, 1], 8)}, "variance_groups"),
            ({"calibration": {"blocks": np.repeat(range(8), 2)}}, "calibration__blocks"),
        ],
    )
    def test_what_simulated_subjects_do_not_have(self, parameters, name):
        if "calibration" in parameters:
            parameters = {"calibration": PermutationCalibration(**parameters["calibration"])}
        with pytest.raises(ValueError, match=f"{name} must be left at the default"):
            _expected(_model(**parameters))
