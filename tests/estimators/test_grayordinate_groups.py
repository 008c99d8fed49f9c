"""ARISecondLevelModel on CIFTI images of subjects, against NumPy, SciPy and arrays."""

import os
import pickle
import warnings

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from nibabel.cifti2 import BrainModelAxis, Cifti2Image, LabelAxis, ScalarAxis, SeriesAxis
from nilearn.surface import SurfaceImage
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from scipy import stats
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

import ari_estimator
from ari_estimator import (
    AdaptiveTDPTransformer,
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
    RegionTDPTransformer,
)

from ._kinds import KINDS

KIND, SURFACES = KINDS["CIFTI image"], KINDS["surface"]
N_SUBJECTS = 12
N = KIND.n
INTERCEPT = pd.DataFrame({"intercept": np.ones(N_SUBJECTS)})
GROUP = np.repeat([0, 1], [4, 8])
GROUPS = pd.DataFrame({"a": GROUP == 0, "b": GROUP == 1}, dtype=float)
OUTPUTS = ("z_score", "stat", "p_value", "effect_size", "effect_variance")

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*random permutations leave", "ignore:P-values of .* variance group"
)


@pytest.fixture(scope="module")
def data():
    """Return effects of shape (n_subjects, n_grayordinates), in the order of the file."""
    data = np.random.default_rng(5).standard_normal((N_SUBJECTS, N))
    data[:, : N // 4] += 2
    data[GROUP == 1, N // 2 : 3 * N // 4] += 2.5
    return data.astype(np.float32)


@pytest.fixture(scope="module")
def images(data):
    return [KIND.image(row) for row in data]


@pytest.fixture(scope="module")
def paths(images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("subjects")
    return [str(KIND.save(img, folder / f"sub-{k:02}")) for k, img in enumerate(images)]


def make_model(transformer=None, **parameters):
    transformer = ClusterTDPTransformer(2.5, mesh=KIND.mesh) if transformer is None else transformer
    return ARISecondLevelModel(transformer=transformer, **parameters)


def fit(maps, design=INTERCEPT, map_=None, **parameters):
    return make_model(**parameters).fit(maps, design_matrix=design, map=map_)


def several(row, names=("other", "effect", "third")):
    """Return an image of several maps, the second of which is a row of data."""
    rows = np.stack([row + 1, row, -row]).astype(np.float32)
    return Cifti2Image(rows, (ScalarAxis(list(names)), KIND.axis))


def of_all(data, names=None):
    """Return one image with a map for each subject."""
    names = [f"sub-{k:02}" for k in range(len(data))] if names is None else names
    return Cifti2Image(data, (ScalarAxis(list(names)), KIND.axis))


def row_of(img):
    (row,) = KIND.values(img)
    return row


class TestMaps:
    """The maps of a contrast."""

    @pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
    def test_are_those_of_numpy_and_scipy(self, data, dtype):
        values = (10 * data).astype(dtype)
        found = fit([KIND.image(row) for row in values]).compute_contrast(output_type="all")
        expected = stats.ttest_1samp(values.astype(float), 0, alternative="greater")
        variance = values.astype(float).var(axis=0, ddof=1) / N_SUBJECTS
        assert list(found) == list(OUTPUTS)
        assert_allclose(row_of(found["stat"]), expected.statistic, rtol=1e-5, atol=1e-9)
        assert_allclose(row_of(found["p_value"]), expected.pvalue, rtol=1e-4)
        z = stats.norm.isf(expected.pvalue)
        assert_allclose(row_of(found["z_score"]), z, rtol=1e-5, atol=1e-5)
        mean = values.mean(axis=0, dtype=float)
        assert_allclose(row_of(found["effect_size"]), mean, rtol=1e-5, atol=1e-9)
        assert_allclose(row_of(found["effect_variance"]), variance, rtol=1e-5)

    def test_are_dscalar_images_that_say_what_they_are(self, images, tmp_path):
        for name, img in fit(images).compute_contrast(output_type="all").items():
            assert img.header.get_axis(1) == KIND.axis
            path = KIND.save(img, tmp_path / name)
            again = nib.load(path)
            assert again.nifti_header.get_intent()[0] == "ConnDenseScalar"
            assert again.header.get_axis(0).name.tolist() == [f"{name} of contrast intercept"]
            assert_array_equal(KIND.values(again), KIND.values(img))

    @pytest.mark.parametrize("output_type", OUTPUTS)
    def test_one_output_is_the_one_of_all(self, images, output_type):
        model = fit(images, GROUPS)
        one = model.compute_contrast("b - a", output_type=output_type)
        of_all = model.compute_contrast("b - a", output_type="all")[output_type]
        assert_array_equal(row_of(one), row_of(of_all))
        assert one.header.get_axis(0).name[0] == f"{output_type} of contrast b - a"

    def test_f_contrast_is_that_of_scipy(self, data, images):
        groups = np.arange(N_SUBJECTS) % 3
        model = fit(images, pd.DataFrame(np.eye(3)[groups], columns=list("abc")))
        found = model.compute_contrast([[1, -1, 0], [0, 1, -1]], output_type="stat")
        expected = stats.f_oneway(*(data[groups == k].astype(float) for k in range(3)))
        assert_allclose(row_of(found), expected.statistic, rtol=1e-4)

    def test_design_of_lower_rank(self, data, images):
        model = fit(images, GROUPS.assign(intercept=1.0))
        found = model.compute_contrast("b - a", output_type="stat")
        expected = stats.ttest_ind(data[GROUP == 1].astype(float), data[GROUP == 0].astype(float))
        assert_allclose(row_of(found), expected.statistic, rtol=1e-4)
        assert found.header.get_axis(0).name[0] == "stat of contrast b - a"

    def test_variance_groups(self, data, images):
        model = fit(images, GROUPS, variance_groups="auto")
        found = model.compute_contrast("b - a", output_type="all")
        of_groups = (data[(GROUP == 1) == k].astype(float) for k in (True, False))
        expected = stats.ttest_ind(*of_groups, equal_var=False, alternative="greater")
        assert_allclose(row_of(found["stat"]), expected.statistic, rtol=1e-5)
        assert_allclose(row_of(found["p_value"]), expected.pvalue, rtol=1e-4)
        assert found["stat"].header.get_axis(0).name[0] == "stat of contrast b - a"

    def test_residuals_and_predicted_values(self, data, images):
        model = fit(images, minimize_memory=False)
        model.compute_contrast()
        assert_allclose(KIND.values(model.residuals_), data - data.mean(axis=0), atol=1e-5)
        assert model.predicted_.shape == (N_SUBJECTS, N)
        assert model.r_square_.shape == (1, N)

    def test_maps_of_vertices_are_those_of_surfaces(self):
        rng = np.random.default_rng(2)
        values = rng.standard_normal((N_SUBJECTS, SURFACES.n)).astype(np.float32)
        models = [
            BrainModelAxis.from_surface(np.arange(n), n, name=name)
            for n, name in ((72, "CortexLeft"), (56, "CortexRight"))
        ]
        cifti = [Cifti2Image(r[None], (ScalarAxis(["x"]), models[0] + models[1])) for r in values]
        surfaces = [SURFACES.image(row) for row in values]
        of_cifti, of_surfaces = (
            fit(cifti),
            ARISecondLevelModel(transformer=ClusterTDPTransformer(2.5)).fit(
                surfaces, design_matrix=INTERCEPT
            ),
        )
        for output_type in (*OUTPUTS, "tdp"):
            found, expected = (
                model.compute_contrast(output_type=output_type) for model in (of_cifti, of_surfaces)
            )
            assert_allclose(row_of(found), SURFACES.values(expected)[0], rtol=1e-6)


class TestTDP:
    """The TDP of sets, by closed testing and by permutations."""

    @pytest.mark.parametrize(
        "transformer",
        [
            ClusterTDPTransformer(2, mesh=KIND.mesh, two_sided=True),
            ClusterTDPTransformer([2, 3], mesh=KIND.mesh, alpha=0.1),
            AdaptiveTDPTransformer(0.5, mesh=KIND.mesh),
            RegionTDPTransformer(KIND.labels_img, mesh=KIND.mesh),
        ],
        ids=["two-sided", "two thresholds", "adaptive", "regions"],
    )
    def test_is_the_one_of_the_z_map(self, images, transformer):
        model = fit(images, transformer=transformer)
        tdp = model.compute_contrast(output_type="tdp")
        z_img = model.compute_contrast()
        expected = clone(transformer).fit_transform(z_img)
        assert_frame_equal(model.table_, model.transformer_.table_)
        assert model.n_tested_ == N
        if isinstance(tdp, np.ndarray):
            assert_array_equal(tdp, expected)
        else:
            assert row_of(tdp).any()
            assert_array_equal(row_of(tdp), row_of(expected))
            assert tdp.header.get_axis(0).name.tolist() == ["tdp of contrast intercept"]

    @pytest.mark.parametrize("two_sided", [False, True])
    @pytest.mark.parametrize("groups", [None, "auto"])
    @pytest.mark.parametrize(("design", "contrast"), [(INTERCEPT, [1.0]), (GROUPS, [-1.0, 1.0])])
    def test_calibration_is_the_one_of_an_array(
        self, data, images, design, contrast, groups, two_sided
    ):
        if groups is not None and len(contrast) == 1:
            pytest.skip("one group")
        transformer = ClusterTDPTransformer(2, mesh=KIND.mesh, two_sided=two_sided)
        calibration = PermutationCalibration(n_permutations=200, random_state=3)
        model = fit(
            images, design, transformer=transformer, calibration=calibration, variance_groups=groups
        )
        model.compute_contrast(contrast, output_type="tdp")
        expected = clone(calibration).set_params(variance_groups=groups)
        expected.fit(data, design.to_numpy(), np.array(contrast), two_sided=two_sided)
        assert_allclose(model.calibration_.lambda_, expected.lambda_, rtol=1e-12)
        assert model.calibration_.scheme_ == expected.scheme_
        # The family has vertices first, and a file any order.
        p_values = np.sort(model.maps_.test.p_values)
        assert_allclose(p_values, np.sort(expected.p_values_), rtol=1e-12)
        everything = expected.critical_vector_.true_discoveries(expected.p_values_)
        assert model.true_discoveries_ == everything > 0
        for row in model.table_.itertuples():
            members = row_of(model.labels_img_) == row.cluster_id
            if members.any() and row.direction != "rest":
                found = expected.critical_vector_.true_discoveries(expected.p_values_[members])
                assert row.true_discoveries == found

    def test_of_several_contrasts_together(self, images):
        model = fit(images, GROUPS)
        found = model.compute_contrasts({"a": "a", "difference": "b - a"})
        assert all(isinstance(img, Cifti2Image) for img in found.values())

    def test_of_subjects_that_lack_grayordinates(self, data):
        gaps = data.copy()
        gaps[2, :5] = np.nan
        model = fit([KIND.image(row) for row in gaps], missing="omit")
        z_img = model.compute_contrast()
        expected = stats.ttest_1samp(np.delete(gaps, 2, axis=0)[:, :5].astype(float), 0)
        p_values = stats.t.sf(expected.statistic, N_SUBJECTS - 2)
        assert_allclose(row_of(z_img)[:5], stats.norm.isf(p_values), rtol=1e-4, atol=1e-5)


class TestInput:
    """Every form of the maps of subjects."""

    @pytest.fixture(scope="class")
    @classmethod
    def forms(cls, data, images, paths, tmp_path_factory):
        """Return input and map by the name of the form."""
        folder = tmp_path_factory.mktemp("forms")
        together = KIND.save(of_all(data), folder / "all")
        many = [several(row) for row in data]
        files = [KIND.save(img, folder / f"many-{k:02}") for k, img in enumerate(many)]
        # Names with the label of the subject, as the Human Connectome Project writes them.
        labelled = [
            several(row, [f"{k}_other", f"{k}_effect", f"{k}_third"]) for k, row in enumerate(data)
        ]
        return {
            "paths": (paths, None),
            "Path objects": ([*map(type(together), paths)], None),
            "opened files": ([nib.load(path) for path in paths], None),
            "paths and images": ([*paths[:5], *images[5:]], None),
            "Series": (pd.Series(paths), None),
            "an image of all": (of_all(data), None),
            "a file of all": (together, None),
            "name of the map": (many, "effect"),
            "number of the map": (many, 1),
            "NumPy's number": (files, np.int64(1)),
            "name in files": (files, "effect"),
            "number of other names": (labelled, 1),
            "maps that are single": (paths, 0),
        }

    @pytest.mark.parametrize(
        "form",
        [
            "paths", "Path objects", "opened files", "paths and images", "Series",
            "an image of all", "a file of all", "name of the map", "number of the map",
            "NumPy's number", "name in files", "number of other names", "maps that are single",
        ],
    )  # fmt: skip
    def test_forms_of_one_input_give_one_result(self, images, forms, form):
        given, map_ = forms[form]
        expected = fit(images)
        model = fit(given, map_=map_)
        for output_type in ("effect_size", "tdp"):
            assert_array_equal(
                row_of(model.compute_contrast(output_type=output_type)),
                row_of(expected.compute_contrast(output_type=output_type)),
            )
        assert model.second_level_input_ is given

    def test_tables_are_sorted_by_subject(self, data, paths):
        labels = [f"{k:02}" for k in range(N_SUBJECTS)]
        table = pd.DataFrame(
            {"subject_label": labels, "map_name": "faces", "effects_map_path": paths}
        )
        backwards = table[::-1].reset_index(drop=True)
        age = np.linspace(-1, 1, N_SUBJECTS)
        design = INTERCEPT.assign(age=age)
        with pytest.raises(ValueError, match="must be sorted by subject_label with design_matrix"):
            make_model().fit(backwards, design_matrix=design)
        more = table.assign(map_name="places", effects_map_path=paths[::-1])
        of_both = pd.concat([table, more]).sort_values("subject_label", kind="stable")
        model = make_model().fit(of_both.reset_index(drop=True), design_matrix=design)
        effect = model.compute_contrast("age", "faces", output_type="effect_size")
        expected = np.polyfit(age, data.astype(float), 1)[0]
        assert_allclose(row_of(effect), expected, atol=1e-5)
        # Covariates are matched by the subject.
        confounds = design[["age"]].assign(subject_label=labels)[::-1]
        model = make_model().fit(backwards, confounds)
        effect = model.compute_contrast("age", "faces", output_type="effect_size")
        assert_allclose(row_of(effect), expected, atol=1e-5)
        assert model.second_level_input_["subject_label"].is_monotonic_increasing
        assert set(model.second_level_input_["effects_map_path"]) == set(paths)

    def test_confounds_make_the_design(self, paths):
        labels = [f"{k:02}" for k in range(N_SUBJECTS)]
        table = pd.DataFrame({"subject_label": labels, "map_name": "x", "effects_map_path": paths})
        confounds = pd.DataFrame({"subject_label": labels, "age": np.linspace(-1, 1, N_SUBJECTS)})
        model = make_model().fit(table, confounds=confounds)
        assert list(model.design_matrix_) == ["age", "intercept"]
        assert model.compute_contrast("age", "x").shape == (1, N)

    def test_a_series_of_maps_has_numbers(self, data):
        axes = SeriesAxis(0, 1, 3), KIND.axis
        maps = [Cifti2Image(np.stack([row * 0, row, row + 5]), axes) for row in data]
        found = fit(maps, map_=1).compute_contrast(output_type="effect_size")
        assert_allclose(row_of(found), data.mean(axis=0), atol=1e-6)
        with pytest.raises(ValueError, match=r"Got None, and 3 maps without a name in image 0"):
            fit(maps)

    def test_images_stay_as_they_were_and_files_are_not_held(self, images, paths):
        before = [row_of(img).copy() for img in images]
        model = fit(images)
        model.compute_contrast(output_type="tdp")
        for img, row in zip(images, before, strict=True):
            assert_array_equal(row_of(img), row)
        opened = nib.load(paths[0])
        fit([opened, *paths[1:]]).compute_contrast()
        assert not opened.in_memory

    def test_subjects_are_named_in_reports(self, data, paths, tmp_path):
        model = fit(paths)
        model.compute_contrast(output_type="tdp")
        assert model.maps_.asked_by.group.mask == "all grayordinates of the maps"
        html = model.generate_report().get_standalone()
        assert "sub-03.dscalar.nii" in html
        together = KIND.save(of_all(data), tmp_path / "all")
        model = fit(together)
        model.compute_contrast(output_type="tdp")
        assert model.maps_.asked_by.group.subjects[3] == f"{together}[3]"

    @pytest.mark.parametrize(
        "copy", [lambda m: pickle.loads(pickle.dumps(m)), clone], ids=["pickled", "cloned"]
    )
    def test_copies(self, paths, copy):
        model = fit(paths)
        model.compute_contrast(output_type="tdp")
        copied = copy(model)
        if not hasattr(copied, "masker_"):
            copied.fit(paths, design_matrix=INTERCEPT)
        check_is_fitted(copied)
        tdp = copied.compute_contrast(output_type="tdp")
        assert_array_equal(row_of(tdp), row_of(model.compute_contrast(output_type="tdp")))

    def test_results_are_saved_and_read(self, images, tmp_path):
        model = fit(images)
        tdp = model.compute_contrast(output_type="tdp")
        files = ari_estimator.save(model, tmp_path, prefix="group")
        assert files["statistic image"].name == "group_stat-z_statmap.dscalar.nii"
        assert_array_equal(row_of(nib.load(files["TDP image"])), row_of(tdp))
        again = ari_estimator.load(tmp_path)
        assert_frame_equal(again.table_, model.table_)

    def test_masker_of_the_model_calibrates_files(self, data, paths):
        model = fit(paths)
        calibration = PermutationCalibration(n_permutations=50, random_state=0)
        found = clone(calibration).fit(paths, masker=model.masker_)
        assert_allclose(found.p_values_, clone(calibration).fit(data).p_values_, rtol=1e-4)


class TestMasks:
    """The family of the model."""

    @pytest.mark.parametrize("form", ["image", "floats", "path", "negative", "NaN elsewhere"])
    def test_mask_is_the_family(self, data, images, tmp_path, form):
        given = KIND.masks(tmp_path)[form]
        model = fit(images, mask_img=given)
        assert model.n_elements_ == KIND.mask.sum()
        tdp = model.compute_contrast(output_type="tdp")
        z_img = model.compute_contrast()
        assert model.n_tested_ == KIND.mask.sum()
        assert not row_of(z_img)[~KIND.mask].any()
        transformer = ClusterTDPTransformer(2.5, mesh=KIND.mesh, mask_img=KIND.mask_img)
        assert_array_equal(row_of(tdp), row_of(transformer.fit_transform(z_img)))
        calibrated = model.set_params(calibration=PermutationCalibration(random_state=0))
        calibrated.compute_contrast(output_type="tdp")
        expected = PermutationCalibration(random_state=0).fit(data[:, KIND.mask])
        assert calibrated.calibration_.lambda_ == expected.lambda_

    def test_masker_of_another_model_is_a_mask(self, images):
        other = fit(images, mask_img=KIND.mask_img)
        model = fit(images, mask_img=other.masker_)
        assert model.n_elements_ == KIND.mask.sum()

    def test_mask_of_the_transformer(self, data, images):
        transformer = ClusterTDPTransformer(2.5, mesh=KIND.mesh, mask_img=KIND.mask_img)
        calibration = PermutationCalibration(random_state=0)
        model = fit(images, transformer=transformer, calibration=calibration)
        model.compute_contrast(output_type="tdp")
        assert model.n_elements_ == N
        assert model.n_tested_ == KIND.mask.sum()
        expected = clone(calibration).fit(data[:, KIND.mask])
        assert model.calibration_.lambda_ == expected.lambda_

    @pytest.mark.parametrize("mask_img", [None, KIND.mask_img], ids=["no mask", "mask"])
    @pytest.mark.parametrize("calibration", [None, PermutationCalibration(random_state=0)])
    def test_grayordinate_that_is_nan_in_a_subject_leaves_the_family(
        self, data, mask_img, calibration
    ):
        gaps = data.copy()
        missing = np.flatnonzero(KIND.mask)[[3, 20]]
        gaps[4, missing] = np.nan
        model = fit([KIND.image(row) for row in gaps], mask_img=mask_img, calibration=calibration)
        with pytest.warns(UserWarning, match="The map is NaN in 2 of the"):
            tdp = model.compute_contrast(output_type="tdp")
        assert model.n_tested_ == model.n_elements_ - 2
        assert not row_of(tdp)[missing].any()
        if calibration is not None and mask_img is None:
            expected = clone(calibration).fit(np.delete(data, missing, axis=1))
            assert model.calibration_.lambda_ == expected.lambda_

    def test_constant_zeros_are_no_discovery(self, data):
        padded = data.copy()
        padded[:, :60] = 0
        model = fit([KIND.image(row) for row in padded])
        with warnings.catch_warnings(record=True) as record:
            warnings.simplefilter("always")
            tdp = model.compute_contrast(output_type="tdp")
        told = [str(w.message) for w in record]
        assert any(f"exactly 0 in 60 of {N} grayordinates" in text for text in told)
        assert any("since there is no mask" in text for text in told)
        assert not row_of(model.compute_contrast())[:60].any()
        assert np.isfinite(row_of(tdp)).all()


class TestRefusals:
    """What does not go together, told before any data are read."""

    @pytest.mark.parametrize("form", ["images", "files"])
    def test_other_grayordinates_name_the_file(self, data, paths, form, tmp_path):
        images = [KIND.image(row) for row in data]
        fewer = KIND.image(row_of(images[3])[1:], KIND.axis[1:])
        moved = np.r_[1, 0, np.arange(2, N)]
        swapped = KIND.image(row_of(images[3])[moved], KIND.axis[moved])
        for other, text in ((fewer, ": .* in CORTEX"), (swapped, ": the same numbers")):
            given = [*images[:3], other]
            if form == "files":
                given = [*paths[:3], KIND.save(other, tmp_path / "odd")]
            named = "odd.dscalar.nii and .*sub-00" if form == "files" else "image 3 of the list"
            text = f"same grayordinates.*{named}.*{text}"
            with pytest.raises(ValueError, match=text):
                fit(given, INTERCEPT[:4])

    def test_other_grayordinates_than_the_mask(self, images):
        mask_img = KIND.image(KIND.mask[1:].astype("uint8"), KIND.axis[1:])
        with pytest.raises(ValueError, match="CIFTI images of subjects and mask_img must have"):
            fit(images, mask_img=mask_img)

    @pytest.mark.parametrize(
        ("map_", "text"),
        [
            (
                None,
                "map must say which .*Got None, and 3 maps in image 0 .*: 0 'other', 1 'effect'",
            ),
            ("Effect", "Got 'Effect', which is the name of no map"),
            ("third ", "name of no map: there are 3 maps"),
            (3, "counted from 0. Got 3: there are 3 maps"),
            (-1, "counted from 0. Got -1"),
        ],
    )
    def test_maps_are_named(self, data, map_, text):
        with pytest.raises(ValueError, match=text):
            fit([several(row) for row in data], map_=map_)

    @pytest.mark.parametrize("map_", [True, 1.0, ["effect"], b"effect"])
    def test_map_of_another_type(self, images, map_):
        with pytest.raises(TypeError, match="map must be a name, a number or None"):
            fit(images, map_=map_)

    def test_name_of_two_maps(self, data):
        maps = [several(row, ["x", "x", "y"]) for row in data]
        with pytest.raises(ValueError, match="'x', which is the name of 2 maps"):
            fit(maps, map_="x")

    def test_number_of_maps_in_another_order(self, data):
        maps = [several(row) for row in data]
        maps[4] = several(data[4], ["effect", "other", "third"])
        with pytest.raises(ValueError, match=r"map=1 .*image 4.* 'other', which is number 0"):
            fit(maps, map_=1)
        fit(maps, map_="effect")

    def test_map_of_one_image_with_all_subjects(self, data):
        with pytest.raises(ValueError, match=r"map must be left .* a map for each subject"):
            fit(of_all(data), map_=1)

    def test_maps_that_do_not_fit_the_design(self, data, images):
        for given in (images[:5], of_all(data[:5])):
            with pytest.raises(ValueError, match=r"12 rows in design .* with 5 maps"):
                fit(given)

    @pytest.mark.parametrize(
        "parameters",
        [
            {"smoothing_fwhm": 4},
            {"target_affine": np.eye(3)},
            {"target_affine": np.eye(4), "target_shape": (4, 4, 4)},
        ],
        ids=lambda parameters: next(iter(parameters)),
    )
    def test_parameters_without_effect(self, images, parameters):
        with pytest.raises(ValueError, match=f"{next(iter(parameters))}.* must be left .* CIFTI"):
            fit(images, **parameters)

    @pytest.mark.parametrize("name", ["target_affine", "target_shape"])
    def test_parameters_without_effect_for_surfaces(self, name):
        surfaces = [SURFACES.image(np.arange(128.0)) for _ in range(3)]
        given = {"target_affine": np.eye(4)}
        given |= {} if name == "target_affine" else {"target_shape": (4, 4, 4)}
        model = ARISecondLevelModel(**given)
        with pytest.raises(ValueError, match=r"must be left .* surfaces"):
            model.fit(surfaces, design_matrix=INTERCEPT[:3])

    def test_kinds_are_not_mixed(self, images, paths):
        volume, surface = KINDS["volume"].mask_img, SURFACES.mask_img
        for other in (volume, surface):
            with pytest.raises(TypeError, match="must be of one kind"):
                fit([*images[:-1], other])
            with pytest.raises(TypeError, match="mask_img must be of the same kind"):
                fit(images, mask_img=other)
        volumes = [KINDS["volume"].image(np.arange(336.0)) for _ in range(N_SUBJECTS)]
        with pytest.raises(TypeError, match=r"mask_img must be a volume or a surface.*CIFTI"):
            fit(volumes, mask_img=KIND.mask_img)

    def test_name_of_a_volume(self, images, tmp_path):
        maps = [tmp_path / f"{k}.nii" for k in range(N_SUBJECTS)]
        for img, path in zip(images, maps, strict=True):
            img.to_filename(path)
        with pytest.raises(
            TypeError, match=r"Got a CIFTI image: .*0.nii.*ARISecondLevelModel takes"
        ):
            fit(maps)

    def test_labels(self, data):
        axes = LabelAxis(["x"], {0: ("none", (0, 0, 0, 0))}), KIND.axis
        labels = Cifti2Image(np.zeros((1, N), dtype=np.int32), axes)
        with pytest.raises(TypeError, match="a dlabel image is an atlas"):
            fit([labels] * N_SUBJECTS)

    def test_complex_numbers(self, data):
        maps = [KIND.image(row) for row in data]
        maps[3]._dataobj = maps[3].dataobj.astype(complex)  # which no file of CIFTI holds
        with pytest.raises(ValueError, match=r"must hold real numbers.*image 3"):
            fit(maps).compute_contrast()

    def test_files_that_changed(self, images, tmp_path):
        paths = [KIND.save(img, tmp_path / f"{k}") for k, img in enumerate(images)]
        model = fit(paths)
        model.compute_contrast()
        os.utime(paths[2], ns=(0, 0))
        with pytest.raises(ValueError, match=r"2.dscalar.nii' has changed since"):
            model.compute_contrast()

    def test_mesh_is_asked_for(self, images):
        model = ARISecondLevelModel().fit(images, design_matrix=INTERCEPT)
        model.compute_contrast()
        with pytest.raises(ValueError, match="mesh must have the mesh of CORTEX"):
            model.compute_contrast(output_type="tdp")
        model.set_params(transformer__mesh=KIND.mesh).compute_contrast(output_type="tdp")

    def test_maps_of_contrasts_in_a_report(self, images):
        model = fit(images)
        model.compute_contrast(output_type="tdp")
        with pytest.raises(ValueError, match=r"contrasts must be None for CIFTI images.*intercept"):
            model.generate_report(contrasts="intercept")
        assert "All-Resolutions" in model.generate_report().get_standalone()

    def test_wrong_number_of_columns_for_the_masker(self, images):
        model = fit(images)
        with pytest.raises(ValueError, match=rf"X must have shape \(n_images, {N}\)"):
            model.masker_.inverse_transform(np.zeros(N - 1))


def test_one_map_alone_is_too_few(images):
    with pytest.raises(TypeError, match="at least two"):
        fit(images[:1], INTERCEPT[:1])


def test_volumes_and_surfaces_are_fitted_as_before():
    maps = [Nifti1Image(np.random.default_rng(k).random((4, 4, 4)), np.eye(4)) for k in range(3)]
    mask_img = Nifti1Image(np.ones((4, 4, 4), dtype="uint8"), np.eye(4))
    model = ARISecondLevelModel(mask_img).fit(maps, design_matrix=INTERCEPT[:3])
    assert isinstance(model.compute_contrast(), Nifti1Image)
    surfaces = [SURFACES.image(np.random.default_rng(k).random(128)) for k in range(3)]
    model = ARISecondLevelModel().fit(surfaces, design_matrix=INTERCEPT[:3])
    assert isinstance(model.compute_contrast(), SurfaceImage)
