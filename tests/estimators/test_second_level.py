"""ARISecondLevelModel: nilearn's maps unchanged, and the TDP of their clusters."""

import inspect
import warnings

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from nilearn.glm.second_level import SecondLevelModel
from nilearn.image import get_data
from nilearn.maskers import NiftiMasker
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from ari_estimator import (
    AdaptiveTDPTransformer,
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
    RegionTDPTransformer,
    confidence_curve,
    learn_template,
)

from ._kinds import KINDS

N_SUBJECTS = 12

RESULTS = {"table_", "maps_", "n_tested_", "true_discoveries_"}

OUTPUT_TYPES = ["z_score", "stat", "p_value", "effect_size", "effect_variance"]

CALIBRATED = pytest.mark.parametrize(
    "calibration",
    [None, PermutationCalibration(n_permutations=40, random_state=0)],
    ids=["parametric", "calibrated"],
)


@pytest.fixture(scope="session")
def effect_maps(make_img, mask):
    """Return effects of subjects as images: noise, with a group effect in two places."""
    rng = np.random.default_rng(11)
    data = rng.standard_normal((N_SUBJECTS, *mask.shape))
    data[:, 2:5, 2:6, 2:6] += 1.5
    data[:, 2:5, 6:9, 2:4] -= 2
    return [make_img(one) for one in data]


@pytest.fixture(scope="session")
def design():
    """Return a design of an intercept and two covariates."""
    rng = np.random.default_rng(12)
    columns = {"intercept": 1.0, "age": rng.standard_normal(N_SUBJECTS)}
    return pd.DataFrame(columns).assign(score=rng.uniform(-1, 1, N_SUBJECTS))


@pytest.fixture(scope="session")
def atlas_img(make_img, mask):
    labels = np.zeros(mask.shape, dtype="int32")
    labels[1:5, :5], labels[1:5, 5:], labels[5:] = 1, 2, 3
    return make_img(labels)


@pytest.fixture(scope="session")
def intercept():
    return pd.DataFrame({"intercept": np.ones(N_SUBJECTS)})


@pytest.fixture
def make_model(mask_img):
    """Return a function from parameters to a model with a mask."""

    def make_model(**parameters):
        return ARISecondLevelModel(
            **{"mask_img": mask_img, "transformer": ClusterTDPTransformer(2), **parameters}
        )

    return make_model


@pytest.fixture
def fitted(make_model, effect_maps, intercept):
    """Return a model of one sample, fitted."""
    return make_model().fit(effect_maps, design_matrix=intercept)


@pytest.fixture(scope="session")
def surfaces():
    """Return maps of subjects on a mesh of two hemispheres."""
    rng, kind = np.random.default_rng(13), KINDS["surface"]
    return [kind.image(rng.standard_normal((1, kind.n))) for _ in range(N_SUBJECTS)]


def assert_same_map(image, other):
    assert_array_equal(get_data(image), get_data(other))
    assert_array_equal(image.affine, other.affine)
    assert image.header["descrip"] == other.header["descrip"]


def assert_results_of(model, transformer):
    """Assert that the attributes of a model are those of a transformer."""
    assert_frame_equal(model.table_, transformer.table_)
    assert_array_equal(get_data(model.labels_img_), get_data(transformer.labels_img_))
    assert_array_equal(model.maps_.test.p_values, transformer.maps_.test.p_values)
    assert model.n_tested_ == transformer.n_tested_
    assert model.true_discoveries_ == transformer.true_discoveries_


class TestNilearnsMaps:
    """What nilearn's model gives, this one gives to the last bit."""

    CONTRASTS = pytest.mark.parametrize(
        "contrast",
        ["intercept", "age", "age - score", [0, 1, 1], np.array([[0, 1, 0], [0, 0, 1]])],
        ids=["column", "covariate", "formula", "vector", "F"],
    )

    @pytest.mark.parametrize("output_type", OUTPUT_TYPES)
    def test_map_equals_nilearns(self, effect_maps, design, mask_img, output_type):
        ours, theirs = (
            model(mask_img=mask_img)
            .fit(effect_maps, design_matrix=design)
            .compute_contrast("age", output_type=output_type)
            for model in (ARISecondLevelModel, SecondLevelModel)
        )
        assert np.any(get_data(ours))
        assert_same_map(ours, theirs)

    @CONTRASTS
    @pytest.mark.parametrize("smoothing_fwhm", [None, 5.0])
    def test_all_gives_nilearns_five_maps(
        self, effect_maps, design, mask_img, contrast, smoothing_fwhm
    ):
        ours, theirs = (
            model(mask_img=mask_img, smoothing_fwhm=smoothing_fwhm)
            .fit(effect_maps, design_matrix=design)
            .compute_contrast(contrast, output_type="all")
            for model in (ARISecondLevelModel, SecondLevelModel)
        )
        assert list(ours) == list(theirs) == OUTPUT_TYPES
        for name in ours:
            assert_same_map(ours[name], theirs[name])

    def test_fitted_attributes_equal_nilearns(self, effect_maps, design, mask_img):
        ours, theirs = (
            model(mask_img=mask_img, minimize_memory=False).fit(effect_maps, design_matrix=design)
            for model in (ARISecondLevelModel, SecondLevelModel)
        )
        for model in (ours, theirs):
            model.compute_contrast("age")
        assert_frame_equal(ours.design_matrix_, theirs.design_matrix_)
        assert ours.n_elements_ == theirs.n_elements_
        assert_array_equal(ours.labels_, theirs.labels_)
        assert isinstance(ours.masker_, type(theirs.masker_))
        assert_array_equal(get_data(ours.masker_.mask_img_), get_data(theirs.masker_.mask_img_))
        assert_array_equal(get_data(ours.residuals_), get_data(theirs.residuals_))
        assert_array_equal(get_data(ours.r_square_), get_data(theirs.r_square_))

    def test_parameters_are_nilearns_and_four_of_its_own(self):
        ours = inspect.signature(ARISecondLevelModel).parameters
        theirs = inspect.signature(SecondLevelModel).parameters
        own = ["transformer", "calibration", "variance_groups", "missing"]
        assert list(ours) == [*theirs, *own]
        for name, parameter in theirs.items():
            assert ours[name].default == parameter.default, name
        for method, own in (("fit", [("map", None)]), ("compute_contrast", [])):
            ours, theirs = (
                inspect.signature(getattr(model, method)).parameters.values()
                for model in (ARISecondLevelModel, SecondLevelModel)
            )
            expected = [(p.name, p.default) for p in theirs]
            assert [(p.name, p.default) for p in ours] == expected + own

    def test_unknown_output_type_is_refused_and_tdp_named_as_known(self, fitted):
        with pytest.raises(ValueError, match=r"output_type[^$]*tdp"):
            fitted.compute_contrast(output_type="tpd")

    def test_surfaces_have_nilearns_maps(self, surfaces, intercept):
        ours, theirs = (
            model().fit(surfaces, design_matrix=intercept)
            for model in (ARISecondLevelModel, SecondLevelModel)
        )
        for output_type in OUTPUT_TYPES:
            for part in ("left", "right"):
                assert_array_equal(
                    *(
                        model.compute_contrast(output_type=output_type).data.parts[part]
                        for model in (ours, theirs)
                    )
                )

    @CALIBRATED
    @pytest.mark.filterwarnings("ignore::UserWarning")  # of matplotlib, on so small a brain
    def test_report_is_nilearns(self, fitted, calibration):
        tdp = fitted.set_params(calibration=calibration).compute_contrast(output_type="tdp")
        before = fitted.calibration_
        report = fitted.generate_report(
            "intercept", height_control=None, threshold=2
        ).get_standalone()
        assert "Statistical" in report
        assert "intercept" in report
        # The report leaves the results as they are.
        assert fitted.table_["tdp"].max() == get_data(tdp).max()
        assert fitted.calibration_ is before


class TestTDP:
    """output_type="tdp"."""

    @pytest.mark.parametrize("contrast", ["intercept", "-intercept", "age", [1, 0, 0.5]], ids=str)
    @pytest.mark.parametrize(
        "parameters",
        [
            {},
            {"threshold": [1, 2, 3], "alpha": 0.2},
            {"threshold": "concentration"},
            {"threshold": 1.5, "two_sided": True, "connectivity": 18, "cluster_threshold": 3},
            {"threshold": 2, "local_test": "hommel"},
        ],
        ids=["default", "levels", "concentration", "two-sided", "hommel"],
    )
    def test_equals_the_transformer_on_the_z_map(
        self, make_model, effect_maps, design, mask_img, contrast, parameters
    ):
        model = make_model(transformer=ClusterTDPTransformer(**parameters)).fit(
            effect_maps, design_matrix=design
        )
        tdp = model.compute_contrast(contrast, output_type="tdp")
        z_img = model.compute_contrast(contrast)
        transformer = ClusterTDPTransformer(mask_img=mask_img, **parameters)
        expected = transformer.fit_transform(z_img)
        assert_array_equal(get_data(tdp), get_data(expected))
        assert_array_equal(tdp.affine, z_img.affine)
        assert_results_of(model, transformer)
        assert_array_equal(get_data(model.mask_img_), get_data(model.transformer_.mask_img_))
        if contrast == "intercept":
            assert get_data(tdp).any()

    def test_without_a_transformer_its_defaults_are_taken(self, effect_maps, intercept, mask_img):
        model = ARISecondLevelModel(mask_img=mask_img).fit(effect_maps, design_matrix=intercept)
        tdp = model.compute_contrast(output_type="tdp")
        transformer = ClusterTDPTransformer(mask_img=mask_img)
        expected = transformer.fit_transform(model.compute_contrast())
        assert get_data(tdp).any()
        assert_array_equal(get_data(tdp), get_data(expected))
        assert_results_of(model, transformer)
        assert model.transformer is None

    def test_family_is_the_computed_mask_where_none_is_given(
        self, make_model, effect_maps, intercept, mask, make_img
    ):
        maps = [make_img(np.where(mask, get_data(img), 0)) for img in effect_maps]
        model = make_model(mask_img=None)
        model.fit(maps, design_matrix=intercept).compute_contrast(output_type="tdp")
        assert model.n_tested_ == model.n_elements_ > 0
        assert model.n_tested_ == get_data(model.mask_img_).sum()

    def test_mask_of_the_transformer_is_the_family_if_it_has_one(
        self, make_model, effect_maps, intercept, mask, make_img
    ):
        half = mask.copy()
        half[:, 6:] = False
        transformer = ClusterTDPTransformer(2, mask_img=make_img(half.astype("uint8")))
        model = make_model(transformer=transformer)
        model.fit(effect_maps, design_matrix=intercept)
        tdp = model.compute_contrast(output_type="tdp")
        expected = clone(transformer).fit_transform(model.compute_contrast())
        assert model.n_tested_ == half.sum() < model.n_elements_
        assert_array_equal(get_data(tdp), get_data(expected))
        assert not get_data(tdp)[:, 6:].any()

    def test_map_is_not_smoothed_once_more(self, make_model, effect_maps, intercept, mask_img):
        model = make_model(smoothing_fwhm=5.0).fit(effect_maps, design_matrix=intercept)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            tdp = model.compute_contrast(output_type="tdp")
        expected = ClusterTDPTransformer(2, mask_img=mask_img).fit_transform(
            model.compute_contrast()
        )
        assert_array_equal(get_data(tdp), get_data(expected))

    @pytest.mark.filterwarnings("ignore:imgs are being resampled")
    def test_resampled_maps_have_their_tdp_on_the_grid_of_the_model(
        self, make_model, effect_maps, intercept
    ):
        target = np.diag([4.0, 4, 4])
        model = make_model(mask_img=None, target_affine=target)
        model.fit(effect_maps, design_matrix=intercept)
        tdp = model.compute_contrast(output_type="tdp")
        assert tdp.shape == model.mask_img_.shape != effect_maps[0].shape
        assert_array_equal(tdp.affine[:3, :3], target)
        assert model.n_tested_ == model.n_elements_
        assert get_data(tdp).any()

    @CALIBRATED
    def test_description_says_what_the_map_is(self, fitted, calibration):
        fitted.set_params(calibration=calibration)
        descriptions = [
            fitted.compute_contrast(output_type=name).header["descrip"].item().decode()
            for name in ("z_score", "tdp")
        ]
        assert descriptions[0].startswith("z_score of contrast")
        assert descriptions[1] == descriptions[0].replace("z_score", "tdp")

    def test_one_map_is_given_with_the_tdp_of_the_last_contrast(
        self, make_model, effect_maps, design
    ):
        model = make_model(transformer=ClusterTDPTransformer(1.5))
        model.fit(effect_maps, design_matrix=design)
        model.compute_contrast("age", output_type="tdp")
        of_age = model.table_
        model.compute_contrast("intercept", output_type="tdp")
        assert not of_age.equals(model.table_)
        # Maps without TDP leave the results of the last map that had one.
        table = model.table_
        model.compute_contrast("age")
        assert model.table_ is table

    def test_transformer_that_was_given_stays_unfitted(self, make_model, effect_maps, intercept):
        transformer = ClusterTDPTransformer(2)
        model = make_model(transformer=transformer)
        model.fit(effect_maps, design_matrix=intercept).compute_contrast(output_type="tdp")
        assert model.transformer is transformer
        assert transformer.mask_img is None
        assert not hasattr(transformer, "mask_img_")
        assert isinstance(model.transformer_, ClusterTDPTransformer)
        assert model.transformer_ is not transformer

    def test_tdp_before_fit_is_refused(self):
        with pytest.raises(NotFittedError):
            ARISecondLevelModel().compute_contrast(output_type="tdp")

    def test_bad_contrast_is_refused_as_by_nilearn(self, fitted):
        for output_type in ("z_score", "tdp"):
            with pytest.raises(ValueError, match="no_such_column"):
                fitted.compute_contrast("no_such_column", output_type=output_type)


class TestResults:
    """The model has what its transformer has."""

    @CALIBRATED
    @pytest.mark.parametrize("kind", ["clusters", "adaptive", "regions"])
    def test_all_that_the_transformer_has_is_handed_through(
        self, make_model, effect_maps, intercept, atlas_img, kind, calibration
    ):
        transformer, more = {
            "clusters": (ClusterTDPTransformer(2), {"labels_img_"}),
            "adaptive": (AdaptiveTDPTransformer(0.5), {"labels_img_", "forest_"}),
            "regions": (RegionTDPTransformer(atlas_img), {"region_ids_", "region_names_"}),
        }[kind]
        model = make_model(transformer=transformer, calibration=calibration)
        model.fit(effect_maps, design_matrix=intercept).compute_contrast(output_type="tdp")
        own, handed = (
            {name for name in vars(fitted) if name.endswith("_") and not name.startswith("_")}
            for fitted in (model, model.transformer_)
        )
        own.add("mask_img_")  # a property of nilearn's
        assert own & handed == {"mask_img_", "masker_", "n_elements_"}
        assert handed - own == {*RESULTS, *more, "n_features_in_"}
        for name in handed - own:
            assert getattr(model, name) is getattr(model.transformer_, name)
        for name in ({"labels_img_", "forest_", "region_ids_"} - more) | {"x_", "_frame", "x"}:
            assert not hasattr(model, name)
            with pytest.raises(AttributeError, match=f"Model' object has no attribute '{name}'"):
                getattr(model, name)

    def test_nothing_is_there_until_there_is_a_tdp(self, fitted, copied):
        fitted.compute_contrast()
        models = fitted, copied(fitted)
        for model in models:
            assert model.transformer_ is model.calibration_ is None
            for name in (*RESULTS, "labels_img_", "forest_"):
                assert not hasattr(model, name)
                assert getattr(model, name, 3) == 3
                with pytest.raises(
                    NotFittedError,
                    match=f"no {name} yet.* has not computed the TDP",
                ):
                    getattr(model, name)
        assert_array_equal(
            *(get_data(model.compute_contrast(output_type="tdp")) for model in models)
        )

    def test_nothing_is_there_before_fit(self, make_model, copied):
        for model in (make_model(), copied(make_model()), clone(make_model())):
            assert "ARISecondLevelModel(" in repr(model)
            for name in (*RESULTS, "transformer_"):
                with pytest.raises(AttributeError, match=f"has no attribute '{name}'") as caught:
                    getattr(model, name)
                assert not isinstance(caught.value, NotFittedError)

    def test_new_fit_resets_the_results(self, fitted, effect_maps, intercept):
        fitted.compute_contrast(output_type="tdp")
        assert all(hasattr(fitted, name) for name in RESULTS)
        fitted.fit(effect_maps[::-1], design_matrix=intercept)
        assert not any(hasattr(fitted, name) for name in RESULTS)
        assert fitted.transformer_ is None

    @pytest.mark.parametrize("name", ["residuals_", "r_square_", "predicted_"])
    def test_nilearns_attributes_say_themselves_why_they_are_not_there(self, fitted, name):
        for output_type in ("z_score", "tdp"):
            fitted.compute_contrast(output_type=output_type)
            with pytest.raises(AttributeError, match="To access voxelwise attributes"):
                getattr(fitted, name)


@pytest.mark.filterwarnings("ignore:Overriding provided-default", "ignore:The map has no cluster")
class TestCopies:
    """A model that was stored, or copied, knows the same and goes on."""

    @pytest.fixture(params=["mask", "masker", "surfaces", "learned template", "blocks"])
    def model(self, request, make_model, mask_img, atlas_img, effect_maps, surfaces, design):
        surface = KINDS["surface"]
        n_voxels = int(get_data(mask_img).sum())
        others = np.random.default_rng(3).standard_normal((9, n_voxels))
        parameters = {
            "mask": {"transformer": AdaptiveTDPTransformer(0.5)},
            "masker": {
                "mask_img": NiftiMasker(mask_img, standardize=None),
                "transformer": RegionTDPTransformer(atlas_img, mask_img=mask_img),
            },
            "surfaces": {
                "mask_img": surface.masker(surface.mask_img),
                "calibration": PermutationCalibration(n_permutations=30),
            },
            "learned template": {
                "calibration": PermutationCalibration(
                    learn_template(others, n_permutations=50, k_max=40, random_state=0),
                    n_permutations=40,
                    random_state=np.random.RandomState(4),
                )
            },
            "blocks": {
                "transformer": AdaptiveTDPTransformer(0.5, two_sided=True),
                "calibration": PermutationCalibration(
                    "beta", n_permutations=40, blocks=np.arange(12) // 2, random_state=1
                ),
            },
        }[request.param]
        maps = surfaces if request.param == "surfaces" else effect_maps
        model = make_model(**parameters).fit(maps, design_matrix=design)
        model.compute_contrast("intercept", output_type="tdp")
        return model

    def test_copy_knows_the_same_and_goes_on(self, model, copied):
        other = copied(model)
        is_drawn = model.calibration is not None and model.calibration.random_state is None
        for contrast in ["intercept"] if is_drawn else ["intercept", "age", "intercept"]:
            for each in (model, other):
                each.compute_contrast(contrast, output_type="tdp")
            assert_frame_equal(other.table_, model.table_)
            assert_frame_equal(confidence_curve(other), confidence_curve(model))
            some = np.arange(other.n_tested_) % 7 == 0
            assert other.maps_.test.set_p_value(some) == model.maps_.test.set_p_value(some)
            assert other.maps_.describe() == model.maps_.describe()

    def test_what_is_calibrated_is_not_calibrated_again(self, model, copied):
        other = copied(model)
        calibration = other.calibration_
        other.compute_contrast("intercept", output_type="tdp")
        assert other.calibration_ is calibration


class TestFContrasts:
    """F contrasts have z maps without a sign."""

    CONTRASTS = pytest.mark.parametrize(
        ("contrast", "stat_type"),
        [
            (np.eye(3)[1:], None),
            (np.eye(3)[1:].tolist(), None),
            (np.eye(3)[1:], "F"),
            ([1, 0, 0], "F"),
            ("intercept", "F"),
        ],
        ids=["array", "list", "array, said", "vector, said", "column, said"],
    )

    @CONTRASTS
    def test_tdp_is_that_of_the_z_map(
        self, make_model, effect_maps, design, mask_img, contrast, stat_type
    ):
        model = make_model(transformer=ClusterTDPTransformer(1.5))
        model.fit(effect_maps, design_matrix=design)
        arguments = {"second_level_stat_type": stat_type}
        tdp = model.compute_contrast(contrast, output_type="tdp", **arguments)
        z_img = model.compute_contrast(contrast, **arguments)
        transformer = ClusterTDPTransformer(1.5, mask_img=mask_img)
        assert_array_equal(get_data(tdp), get_data(transformer.fit_transform(z_img)))
        # The z map alone does not say that it is of an F test.
        transformer.table_ = transformer.table_.replace({"direction": {"positive": "unsigned"}})
        assert_results_of(model, transformer)
        assert len(model.table_) > 1

    @CONTRASTS
    def test_two_sided_tests_are_refused(
        self, make_model, effect_maps, design, contrast, stat_type
    ):
        model = make_model(transformer=ClusterTDPTransformer(two_sided=True)).fit(
            effect_maps, design_matrix=design
        )
        with pytest.raises(ValueError, match="two_sided must be False for an F contrast"):
            model.compute_contrast(contrast, second_level_stat_type=stat_type, output_type="tdp")

    @pytest.mark.parametrize("contrast", [np.eye(3)[:1], [[1, 0, 0]]], ids=["array", "list"])
    def test_contrast_of_one_row_is_a_t_contrast(self, make_model, effect_maps, design, contrast):
        model = make_model(transformer=ClusterTDPTransformer(2, two_sided=True)).fit(
            effect_maps, design_matrix=design
        )
        tdp = model.compute_contrast(contrast, output_type="tdp")
        assert_array_equal(
            get_data(tdp), get_data(model.compute_contrast("intercept", output_type="tdp"))
        )


class TestInput:
    """Every kind of input that nilearn takes."""

    @pytest.fixture
    def paths(self, effect_maps, tmp_path):
        paths = []
        for i, img in enumerate(effect_maps):
            img.to_filename(tmp_path / f"sub-{i:02}.nii.gz")
            paths.append(str(tmp_path / f"sub-{i:02}.nii.gz"))
        return paths

    @CALIBRATED
    @pytest.mark.parametrize("kind", ["paths", "Series", "DataFrame", "4D"])
    def test_forms_of_one_input_give_one_result(
        self, fitted, effect_maps, paths, intercept, make_img, kind, calibration
    ):
        given = {
            "paths": paths,
            "Series": pd.Series(paths),
            # In another order: nilearn sorts by the labels.
            "DataFrame": pd.DataFrame(
                {
                    "subject_label": [f"{i:02}" for i in range(N_SUBJECTS)],
                    "map_name": "faces",
                    "effects_map_path": paths,
                }
            )[::-1].reset_index(drop=True),
            "4D": make_img(np.stack([get_data(img) for img in effect_maps], axis=-1)),
        }[kind]
        fitted.set_params(calibration=calibration)
        expected = get_data(fitted.compute_contrast(output_type="tdp"))
        assert expected.any()
        model = clone(fitted).fit(given, design_matrix=intercept)
        arguments = {"first_level_contrast": "faces"} if kind == "DataFrame" else {}
        tdp = model.compute_contrast(output_type="tdp", **arguments)
        assert_array_equal(get_data(tdp), expected)
        assert_frame_equal(model.table_, fitted.table_)
        assert_array_equal(model.maps_.test.p_values, fitted.maps_.test.p_values)

    def test_confounds_are_part_of_the_design(self, make_model, effect_maps, paths, design):
        labels = [f"{i:02}" for i in range(N_SUBJECTS)]
        frame = pd.DataFrame(
            {"subject_label": labels, "map_name": "faces", "effects_map_path": paths}
        )
        confounds = pd.DataFrame({"subject_label": labels, "age": design["age"]})
        model = make_model()
        model.fit(frame, confounds=confounds)
        assert model.design_matrix_.columns.tolist() == ["age", "intercept"]
        tdp = model.compute_contrast("intercept", first_level_contrast="faces", output_type="tdp")
        expected = make_model()
        expected.fit(effect_maps, design_matrix=design[["age", "intercept"]])
        assert_array_equal(
            get_data(tdp), get_data(expected.compute_contrast("intercept", output_type="tdp"))
        )

    @pytest.mark.filterwarnings("ignore:Overriding provided-default")
    def test_masker_may_be_the_mask(self, make_model, fitted, effect_maps, intercept, mask_img):
        masker = NiftiMasker(mask_img=mask_img, standardize=None)
        model = make_model(mask_img=masker)
        tdp = model.fit(effect_maps, design_matrix=intercept).compute_contrast(output_type="tdp")
        assert_array_equal(get_data(tdp), get_data(fitted.compute_contrast(output_type="tdp")))

    def test_cache_gives_the_same_map(self, fitted, effect_maps, intercept, tmp_path):
        expected = fitted.compute_contrast(output_type="tdp")
        for _ in range(2):
            model = clone(fitted).set_params(memory=str(tmp_path), memory_level=1)
            model.fit(effect_maps, design_matrix=intercept)
            tdp = model.compute_contrast(output_type="tdp")
            assert_array_equal(get_data(tdp), get_data(expected))

    @pytest.mark.parametrize(
        "value",
        [
            3,
            "transformer",
            ClusterTDPTransformer,
            NiftiMasker(standardize=None),
            [ClusterTDPTransformer()],
        ],
        ids=["int", "str", "class", "masker", "list"],
    )
    def test_transformer_of_another_type_is_refused(
        self, make_model, effect_maps, intercept, value
    ):
        model = make_model(transformer=value)
        with pytest.raises(TypeError, match=f"transformer must be .*Got {type(value).__name__}"):
            model.fit(effect_maps, design_matrix=intercept)


class TestNaN:
    """NaN in the maps of subjects, which nilearn takes for zero."""

    @pytest.fixture
    def maps_with_nan(self, effect_maps, mask, make_img):
        """Return maps of which 7 voxels of the mask are NaN in one or more, and some outside."""
        data = np.stack([get_data(img) for img in effect_maps])
        inside, outside = np.argwhere(mask), np.argwhere(~mask)
        for subject, voxels in ((0, inside[:4]), (1, inside[2:6]), (5, inside[50:51])):
            data[(subject, *voxels.T)] = np.nan
        data[(slice(None), *outside[:30].T)] = np.nan
        return [make_img(one) for one in data]

    @pytest.mark.parametrize("kind", ["images", "paths", "4D"])
    @pytest.mark.parametrize("output_type", ["tdp", "z_score"])
    def test_warns_with_the_number_of_voxels(
        self, maps_with_nan, mask_img, intercept, tmp_path, make_img, kind, output_type
    ):
        given = maps_with_nan
        if kind == "paths":
            given = [str(tmp_path / f"{i}.nii.gz") for i in range(N_SUBJECTS)]
            for img, path in zip(maps_with_nan, given, strict=True):
                img.to_filename(path)
        elif kind == "4D":
            given = make_img(np.stack([get_data(img) for img in maps_with_nan], axis=-1))
        model = ARISecondLevelModel(mask_img=mask_img).fit(given, design_matrix=intercept)
        with pytest.warns(UserWarning, match="NaN") as record:
            model.compute_contrast(output_type=output_type)
        messages = [str(w.message) for w in record]
        assert [m for m in messages if "NaN" in m] == messages[:1]
        assert messages[0].startswith("7 voxels of the mask are NaN (or infinite) in at least")

    @pytest.mark.filterwarnings("ignore:imgs are being resampled", "ignore:NaNs or infinite values")
    @pytest.mark.parametrize("n_inside", [0, 3])
    def test_counts_in_the_mask_on_the_grid_of_the_maps(self, n_inside):
        # NaN all around the brain is as usual as can be.
        rng = np.random.default_rng(0)
        inside = np.zeros((12, 12, 12), dtype=bool)
        inside[3:9, 3:9, 3:9] = True
        data = np.where(inside, rng.standard_normal(inside.shape), np.nan)
        data[4, 4, 4 : 4 + n_inside] = np.nan
        maps = [Nifti1Image(data, np.eye(4)), *(Nifti1Image(data + k, np.eye(4)) for k in (1, 2))]
        mask_img = Nifti1Image(inside.astype("uint8"), np.eye(4))
        model = ARISecondLevelModel(mask_img=mask_img, target_affine=np.diag([2.0, 2.0, 2.0]))
        model.fit(maps, design_matrix=pd.DataFrame({"intercept": [1] * 3}))
        with warnings.catch_warnings(record=True) as record:
            warnings.simplefilter("always")
            model.compute_contrast()
        counted = [str(w.message).split()[0] for w in record if "NaN (or" in str(w.message)]
        assert counted == ([str(n_inside)] if n_inside else [])

    @pytest.mark.filterwarnings("ignore:7 voxels of the mask are NaN")
    def test_values_are_nilearns(self, maps_with_nan, mask_img, intercept):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Non-finite values detected")
            ours, theirs = (
                model(mask_img=mask_img)
                .fit(maps_with_nan, design_matrix=intercept)
                .compute_contrast()
                for model in (ARISecondLevelModel, SecondLevelModel)
            )
        assert_same_map(ours, theirs)

    @pytest.mark.filterwarnings("error")
    def test_maps_without_nan_in_the_mask_give_no_warning(
        self, effect_maps, mask, mask_img, intercept, make_img
    ):
        outside = [make_img(np.where(mask, get_data(img), np.nan)) for img in effect_maps]
        for maps in (effect_maps, outside):
            model = ARISecondLevelModel(mask_img=mask_img).fit(maps, design_matrix=intercept)
            assert np.isfinite(get_data(model.compute_contrast(output_type="tdp"))).all()

    @pytest.mark.parametrize("mask_img_given", [True, False])
    def test_images_are_left_as_they_were(self, maps_with_nan, mask_img, intercept, mask_img_given):
        before = [get_data(img).copy() for img in maps_with_nan]
        model = ARISecondLevelModel(mask_img=mask_img if mask_img_given else None)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(maps_with_nan, design_matrix=intercept).compute_contrast()
        for data, img in zip(before, maps_with_nan, strict=True):
            assert_array_equal(get_data(img), data)


class TestParameters:
    """The model as a scikit-learn estimator."""

    def test_parameters_of_transformer_and_calibration_are_nested(self):
        model = ARISecondLevelModel(
            transformer=ClusterTDPTransformer(2.5), calibration=PermutationCalibration("beta")
        )
        assert model.get_params()["transformer__threshold"] == 2.5
        assert model.get_params()["calibration__template"] == "beta"
        nested = {"transformer__threshold": [2, 3], "calibration__n_permutations": 77}
        assert model.set_params(**nested, smoothing_fwhm=4) is model
        assert model.transformer.threshold == [2, 3]
        assert model.calibration.n_permutations == 77
        assert model.smoothing_fwhm == 4
        for name in ("transformer__treshold", "calibration__n_perms"):
            with pytest.raises(ValueError, match=f"Invalid parameter '{name.split('__')[1]}'"):
                model.set_params(**{name: 3})

    def test_nested_parameters_can_be_set_where_there_is_no_transformer_yet(self):
        model = ARISecondLevelModel().set_params(transformer__alpha=0.1)
        assert model.transformer.get_params() == ClusterTDPTransformer(alpha=0.1).get_params()

    def test_transformer_and_its_parameters_can_be_set_at_once(self):
        model = ARISecondLevelModel(transformer=ClusterTDPTransformer(2, alpha=0.2))
        model.set_params(transformer=ClusterTDPTransformer(3), transformer__connectivity=18)
        assert model.transformer.get_params() == (
            ClusterTDPTransformer(3, connectivity=18).get_params()
        )
        model.set_params(transformer=None, transformer__connectivity=26)
        assert model.transformer.get_params() == ClusterTDPTransformer(connectivity=26).get_params()
        model.set_params(transformer=None)
        assert model.transformer is None

    def test_calibration_and_its_parameters_can_be_set_at_once(self):
        model = ARISecondLevelModel()
        model.set_params(calibration=PermutationCalibration("aorc"), calibration__delta=2)
        expected = PermutationCalibration("aorc", delta=2)
        assert model.calibration.get_params() == expected.get_params()
        model.set_params(calibration=None)
        assert model.calibration is None

    @CALIBRATED
    def test_parameters_of_no_calibration_are_refused(self, calibration):
        model = ARISecondLevelModel(calibration=calibration)
        # None stands for no calibration, not for one with default parameters.
        parameters = {} if calibration is None else {"calibration": None}
        with pytest.raises(ValueError, match="calibration must be a PermutationCalibration before"):
            model.set_params(calibration__n_permutations=77, **parameters)
        assert model.calibration is calibration

    def test_nested_parameters_act_on_the_next_contrast(self, fitted, mask_img):
        for threshold in (2.0, 2.5):
            fitted.set_params(transformer__threshold=threshold)
            tdp = fitted.compute_contrast(output_type="tdp")
            expected = ClusterTDPTransformer(threshold, mask_img=mask_img).fit_transform(
                fitted.compute_contrast()
            )
            assert_array_equal(get_data(tdp), get_data(expected))
            assert (fitted.table_["threshold"][:-1] == threshold).all()

    @CALIBRATED
    def test_clone_has_the_parameters_but_no_results(
        self, fitted, effect_maps, intercept, calibration
    ):
        fitted.set_params(calibration=calibration)
        tdp = fitted.compute_contrast(output_type="tdp")
        cloned = clone(fitted)
        for name in ("transformer", "calibration"):
            mine, theirs = getattr(cloned, name), getattr(fitted, name)
            if theirs is not None:
                assert mine is not theirs
                assert mine.get_params() == theirs.get_params()
            assert not hasattr(cloned, f"{name}_")
        assert not hasattr(cloned, "table_")
        cloned.fit(effect_maps, design_matrix=intercept)
        assert_array_equal(get_data(cloned.compute_contrast(output_type="tdp")), get_data(tdp))
        assert_frame_equal(cloned.table_, fitted.table_)

    def test_fit_leaves_parameters_as_they_were(self, fitted, effect_maps, intercept):
        before = fitted.get_params()
        fitted.fit(effect_maps, design_matrix=intercept).compute_contrast(output_type="tdp")
        after = fitted.get_params()
        assert before.keys() == after.keys()
        assert all(after[name] is before[name] for name in before)

    def test_html_repr_names_all_parts(self):
        model = ARISecondLevelModel(
            transformer=ClusterTDPTransformer(2.75), calibration=PermutationCalibration(k_max=123)
        )
        html = model._repr_html_()
        for part in ("ARISecondLevelModel", "ClusterTDPTransformer", "2.75", "Permutation", "123"):
            assert part in html


def test_fits_as_the_step_of_a_pipeline(z_img, mask_img):
    design = pd.DataFrame({"intercept": [1] * 3})
    maps = [Nifti1Image(get_data(z_img) + k, z_img.affine) for k in (0.0, 0.5, 2.0)]
    pipeline = make_pipeline(ARISecondLevelModel(mask_img=mask_img))
    pipeline.fit(maps, arisecondlevelmodel__design_matrix=design)
    alone = ARISecondLevelModel(mask_img=mask_img).fit(maps, design_matrix=design)
    assert_array_equal(
        get_data(pipeline[-1].compute_contrast(output_type="tdp")),
        get_data(alone.compute_contrast(output_type="tdp")),
    )
