"""ARISecondLevelModel: nilearn's maps unchanged, and the TDP of their clusters."""

import inspect
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from nilearn.glm.second_level import SecondLevelModel
from nilearn.image import get_data
from nilearn.maskers import NiftiMasker
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from ari_estimator import ARISecondLevelModel, ClusterTDPTransformer

N_SUBJECTS = 12

RESULTS = ["table_", "labels_img_", "hommel_", "n_tested_", "true_discoveries_"]

OUTPUT_TYPES = ["z_score", "stat", "p_value", "effect_size", "effect_variance"]


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
def intercept():
    return pd.DataFrame({"intercept": np.ones(N_SUBJECTS)})


@pytest.fixture
def fitted(effect_maps, intercept, mask_img):
    """Return a model of one sample, fitted."""
    model = ARISecondLevelModel(mask_img=mask_img, transformer=ClusterTDPTransformer(2))
    return model.fit(effect_maps, design_matrix=intercept)


@pytest.fixture(scope="session")
def surfaces():
    """Return maps of subjects on a mesh of two triangles and a tetrahedron."""
    rng = np.random.default_rng(13)
    mesh = PolyMesh(
        left=InMemoryMesh(rng.standard_normal((4, 3)), np.array([[0, 1, 2], [1, 2, 3]])),
        right=InMemoryMesh(
            rng.standard_normal((4, 3)), np.array([[0, 1, 2], [1, 2, 3], [0, 2, 3]])
        ),
    )
    return [
        SurfaceImage(mesh, {part: rng.standard_normal((4, 1)) for part in ("left", "right")})
        for _ in range(N_SUBJECTS)
    ]


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

    def test_parameters_are_nilearns_the_transformer_and_the_calibration(self):
        ours = inspect.signature(ARISecondLevelModel).parameters
        theirs = inspect.signature(SecondLevelModel).parameters
        assert list(ours) == [*theirs, "transformer", "calibration"]
        for name, parameter in theirs.items():
            assert ours[name].default == parameter.default, name
        for method in ("fit", "compute_contrast"):
            ours, theirs = (
                inspect.signature(getattr(model, method)).parameters.values()
                for model in (ARISecondLevelModel, SecondLevelModel)
            )
            assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in theirs]

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

    @pytest.mark.filterwarnings("ignore::UserWarning")  # of matplotlib, on so small a brain
    def test_report_is_nilearns(self, fitted):
        tdp = fitted.compute_contrast(output_type="tdp")
        report = fitted.generate_report(
            "intercept", height_control=None, threshold=2
        ).get_standalone()
        assert "Statistical" in report
        assert "intercept" in report
        # The report leaves the results as they are.
        assert fitted.table_["tdp"].max() == get_data(tdp).max()


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
        self, effect_maps, design, mask_img, contrast, parameters
    ):
        model = ARISecondLevelModel(
            mask_img=mask_img, transformer=ClusterTDPTransformer(**parameters)
        ).fit(effect_maps, design_matrix=design)
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
        self, effect_maps, intercept, mask, make_img
    ):
        maps = [make_img(np.where(mask, get_data(img), 0)) for img in effect_maps]
        model = ARISecondLevelModel(transformer=ClusterTDPTransformer(2))
        model.fit(maps, design_matrix=intercept).compute_contrast(output_type="tdp")
        assert model.n_tested_ == model.n_elements_ > 0
        assert model.n_tested_ == get_data(model.mask_img_).sum()

    def test_mask_of_the_transformer_is_the_family_if_it_has_one(
        self, effect_maps, intercept, mask, mask_img, make_img
    ):
        half = mask.copy()
        half[:, 6:] = False
        transformer = ClusterTDPTransformer(2, mask_img=make_img(half.astype("uint8")))
        model = ARISecondLevelModel(mask_img=mask_img, transformer=transformer)
        model.fit(effect_maps, design_matrix=intercept)
        tdp = model.compute_contrast(output_type="tdp")
        expected = clone(transformer).fit_transform(model.compute_contrast())
        assert model.n_tested_ == half.sum() < model.n_elements_
        assert_array_equal(get_data(tdp), get_data(expected))
        assert not get_data(tdp)[:, 6:].any()

    def test_map_is_not_smoothed_once_more(self, effect_maps, intercept, mask_img):
        model = ARISecondLevelModel(
            mask_img=mask_img, smoothing_fwhm=5.0, transformer=ClusterTDPTransformer(2)
        ).fit(effect_maps, design_matrix=intercept)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            tdp = model.compute_contrast(output_type="tdp")
        expected = ClusterTDPTransformer(2, mask_img=mask_img).fit_transform(
            model.compute_contrast()
        )
        assert_array_equal(get_data(tdp), get_data(expected))

    @pytest.mark.filterwarnings("ignore:imgs are being resampled")
    def test_resampled_maps_have_their_tdp_on_the_grid_of_the_model(self, effect_maps, intercept):
        target = np.diag([4.0, 4, 4])
        model = ARISecondLevelModel(target_affine=target, transformer=ClusterTDPTransformer(2))
        model.fit(effect_maps, design_matrix=intercept)
        tdp = model.compute_contrast(output_type="tdp")
        assert tdp.shape == model.mask_img_.shape != effect_maps[0].shape
        assert_array_equal(tdp.affine[:3, :3], target)
        assert model.n_tested_ == model.n_elements_
        assert get_data(tdp).any()

    def test_description_says_what_the_map_is(self, fitted):
        descriptions = [
            fitted.compute_contrast(output_type=name).header["descrip"].item().decode()
            for name in ("z_score", "tdp")
        ]
        assert descriptions[0].startswith("z_score of contrast")
        assert descriptions[1] == descriptions[0].replace("z_score", "tdp")

    def test_one_map_is_given_with_the_tdp_of_the_last_contrast(
        self, effect_maps, design, mask_img
    ):
        model = ARISecondLevelModel(mask_img=mask_img, transformer=ClusterTDPTransformer(1.5))
        model.fit(effect_maps, design_matrix=design)
        model.compute_contrast("age", output_type="tdp")
        of_age = model.table_
        model.compute_contrast("intercept", output_type="tdp")
        assert not of_age.equals(model.table_)
        # Maps without TDP leave the results of the last map that had one.
        table = model.table_
        model.compute_contrast("age")
        assert model.table_ is table

    def test_transformer_that_was_given_stays_unfitted(self, effect_maps, intercept, mask_img):
        transformer = ClusterTDPTransformer(2)
        model = ARISecondLevelModel(mask_img=mask_img, transformer=transformer)
        model.fit(effect_maps, design_matrix=intercept).compute_contrast(output_type="tdp")
        assert model.transformer is transformer
        assert transformer.mask_img is None
        assert not hasattr(transformer, "mask_img_")
        assert isinstance(model.transformer_, ClusterTDPTransformer)
        assert model.transformer_ is not transformer

    def test_results_are_none_until_there_is_a_tdp(self, fitted):
        fitted.compute_contrast()
        for name in ("transformer_", *RESULTS):
            assert getattr(fitted, name) is None, name

    def test_new_fit_resets_the_results(self, fitted, effect_maps, intercept):
        fitted.compute_contrast(output_type="tdp")
        assert all(getattr(fitted, name) is not None for name in RESULTS)
        fitted.fit(effect_maps[::-1], design_matrix=intercept)
        for name in ("transformer_", *RESULTS):
            assert getattr(fitted, name) is None, name

    def test_tdp_before_fit_is_refused(self):
        with pytest.raises(NotFittedError):
            ARISecondLevelModel().compute_contrast(output_type="tdp")

    def test_bad_contrast_is_refused_as_by_nilearn(self, fitted):
        for output_type in ("z_score", "tdp"):
            with pytest.raises(ValueError, match="no_such_column"):
                fitted.compute_contrast("no_such_column", output_type=output_type)


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
    def test_tdp_is_that_of_the_z_map(self, effect_maps, design, mask_img, contrast, stat_type):
        model = ARISecondLevelModel(mask_img=mask_img, transformer=ClusterTDPTransformer(1.5))
        model.fit(effect_maps, design_matrix=design)
        arguments = {"second_level_stat_type": stat_type}
        tdp = model.compute_contrast(contrast, output_type="tdp", **arguments)
        z_img = model.compute_contrast(contrast, **arguments)
        transformer = ClusterTDPTransformer(1.5, mask_img=mask_img)
        assert_array_equal(get_data(tdp), get_data(transformer.fit_transform(z_img)))
        assert_results_of(model, transformer)
        assert len(model.table_) > 1

    @CONTRASTS
    def test_two_sided_tests_are_refused(self, effect_maps, design, mask_img, contrast, stat_type):
        model = ARISecondLevelModel(
            mask_img=mask_img, transformer=ClusterTDPTransformer(two_sided=True)
        ).fit(effect_maps, design_matrix=design)
        with pytest.raises(ValueError, match="two_sided must be False for an F contrast"):
            model.compute_contrast(contrast, second_level_stat_type=stat_type, output_type="tdp")

    @pytest.mark.parametrize("contrast", [np.eye(3)[:1], [[1, 0, 0]]], ids=["array", "list"])
    def test_contrast_of_one_row_is_a_t_contrast(self, effect_maps, design, mask_img, contrast):
        model = ARISecondLevelModel(
            mask_img=mask_img, transformer=ClusterTDPTransformer(2, two_sided=True)
        ).fit(effect_maps, design_matrix=design)
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

    @pytest.mark.parametrize("kind", ["paths", "Series", "DataFrame", "4D"])
    def test_forms_of_one_input_give_one_result(
        self, fitted, effect_maps, paths, mask_img, intercept, make_img, kind
    ):
        given = {
            "paths": paths,
            "Series": pd.Series(paths),
            "DataFrame": pd.DataFrame(
                {
                    "subject_label": [f"{i:02}" for i in range(N_SUBJECTS)],
                    "map_name": "faces",
                    "effects_map_path": paths,
                }
            ),
            "4D": make_img(np.stack([get_data(img) for img in effect_maps], axis=-1)),
        }[kind]
        model = clone(fitted).fit(given, design_matrix=intercept)
        arguments = {"first_level_contrast": "faces"} if kind == "DataFrame" else {}
        tdp = model.compute_contrast(output_type="tdp", **arguments)
        assert_array_equal(get_data(tdp), get_data(fitted.compute_contrast(output_type="tdp")))
        assert_frame_equal(model.table_, fitted.table_)

    def test_confounds_are_part_of_the_design(self, effect_maps, mask_img, paths, design):
        labels = [f"{i:02}" for i in range(N_SUBJECTS)]
        frame = pd.DataFrame(
            {"subject_label": labels, "map_name": "faces", "effects_map_path": paths}
        )
        confounds = pd.DataFrame({"subject_label": labels, "age": design["age"]})
        model = ARISecondLevelModel(mask_img=mask_img, transformer=ClusterTDPTransformer(2))
        model.fit(frame, confounds=confounds)
        assert model.design_matrix_.columns.tolist() == ["age", "intercept"]
        tdp = model.compute_contrast("intercept", first_level_contrast="faces", output_type="tdp")
        expected = ARISecondLevelModel(mask_img=mask_img, transformer=ClusterTDPTransformer(2))
        expected.fit(effect_maps, design_matrix=design[["age", "intercept"]])
        assert_array_equal(
            get_data(tdp), get_data(expected.compute_contrast("intercept", output_type="tdp"))
        )

    @pytest.mark.filterwarnings("ignore:Overriding provided-default")
    def test_masker_may_be_the_mask(self, fitted, effect_maps, intercept, mask_img):
        masker = NiftiMasker(mask_img=mask_img, standardize=None)
        model = ARISecondLevelModel(mask_img=masker, transformer=ClusterTDPTransformer(2))
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
    def test_transformer_of_another_type_is_refused(self, effect_maps, intercept, mask_img, value):
        model = ARISecondLevelModel(mask_img=mask_img, transformer=value)
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

    @pytest.mark.filterwarnings("ignore:imgs are being resampled")
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

    def test_parameters_of_the_transformer_are_nested(self):
        model = ARISecondLevelModel(transformer=ClusterTDPTransformer(2.5))
        assert model.get_params()["transformer__threshold"] == 2.5
        assert model.set_params(transformer__threshold=[2, 3], smoothing_fwhm=4) is model
        assert model.transformer.threshold == [2, 3]
        assert model.smoothing_fwhm == 4

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

    def test_unknown_nested_parameter_is_refused(self):
        with pytest.raises(ValueError, match="Invalid parameter 'treshold'"):
            ARISecondLevelModel().set_params(transformer__treshold=3)

    def test_nested_parameters_act_on_the_next_contrast(self, fitted, mask_img):
        for threshold in (2.0, 2.5):
            fitted.set_params(transformer__threshold=threshold)
            tdp = fitted.compute_contrast(output_type="tdp")
            expected = ClusterTDPTransformer(threshold, mask_img=mask_img).fit_transform(
                fitted.compute_contrast()
            )
            assert_array_equal(get_data(tdp), get_data(expected))
            assert (fitted.table_["threshold"][:-1] == threshold).all()

    def test_clone_has_the_parameters_but_no_results(self, fitted, effect_maps, intercept):
        tdp = fitted.compute_contrast(output_type="tdp")
        cloned = clone(fitted)
        assert cloned.transformer is not fitted.transformer
        assert cloned.transformer.threshold == 2
        assert not hasattr(cloned, "table_")
        cloned.fit(effect_maps, design_matrix=intercept)
        assert_array_equal(get_data(cloned.compute_contrast(output_type="tdp")), get_data(tdp))

    @pytest.mark.parametrize("after_contrast", [True, False])
    def test_pickled_model_gives_the_same_results(self, fitted, after_contrast):
        tdp = get_data(fitted.compute_contrast(output_type="tdp"))
        table = fitted.table_
        if not after_contrast:
            fitted.fit(fitted.second_level_input_, design_matrix=fitted.design_matrix_)
        restored = pickle.loads(pickle.dumps(fitted))
        if after_contrast:
            assert_frame_equal(restored.table_, table)
        assert_array_equal(get_data(restored.compute_contrast(output_type="tdp")), tdp)
        assert_frame_equal(restored.table_, table)

    def test_fit_leaves_parameters_as_they_were(self, fitted, effect_maps, intercept):
        before = fitted.get_params()
        fitted.fit(effect_maps, design_matrix=intercept).compute_contrast(output_type="tdp")
        after = fitted.get_params()
        assert before.keys() == after.keys()
        assert all(after[name] is before[name] for name in before)

    def test_html_repr_names_model_and_transformer(self):
        html = ARISecondLevelModel(transformer=ClusterTDPTransformer(2.75))._repr_html_()
        assert "ARISecondLevelModel" in html
        assert "ClusterTDPTransformer" in html
        assert "2.75" in html


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
