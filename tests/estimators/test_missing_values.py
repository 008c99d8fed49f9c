"""Models of maps that are NaN where a subject lacks a voxel, vertex or grayordinate."""

import warnings

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from nibabel.cifti2 import BrainModelAxis, Cifti2Image, ScalarAxis
from nilearn.glm.second_level import SecondLevelModel
from nilearn.image import smooth_img
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from ari_estimator import ARISecondLevelModel, ClusterTDPTransformer, PermutationCalibration
from ari_estimator.interfaces import load, save
from ari_estimator.reporting import get_methods

SHAPE = (8, 7, 6)
AFFINE = np.diag([3.0, 3, 3, 1])
N = 14
DESIGN = pd.DataFrame(
    {
        "a": np.repeat([1.0, 0], [6, 8]),
        "b": np.repeat([0.0, 1], [6, 8]),
        "age": np.random.default_rng(9).standard_normal(N),
    }
)
MEAN = pd.DataFrame({"intercept": np.ones(N)})
MASK_IMG = Nifti1Image(np.ones(SHAPE, dtype=np.uint8), AFFINE)
OUTPUTS = ("z_score", "stat", "p_value", "effect_size", "effect_variance")

pytestmark = pytest.mark.filterwarnings("ignore:n_permutations=", "ignore:The groups of the design")


def values_of(gaps=True):
    rng = np.random.default_rng(0)
    values = rng.standard_normal((N, *SHAPE)).astype(np.float32)
    values[:, 1:5, 1:5, 1:5] += 1.4
    if gaps:
        for number, place in enumerate(np.ndindex(SHAPE)):
            rows = rng.choice(N, number % 4, replace=False)
            values[(rows, *place)] = np.nan
    return values


def volumes(values):
    return [Nifti1Image(one, AFFINE) for one in values]


def model_of(values, design=MEAN, **parameters):
    parameters = {
        "mask_img": MASK_IMG,
        "transformer": ClusterTDPTransformer(threshold=2.5),
        "missing": "omit",
    } | parameters
    return ARISecondLevelModel(**parameters).fit(volumes(values), design_matrix=design)


def calibration(**parameters):
    return PermutationCalibration(n_permutations=100, random_state=0, verbose=0, **parameters)


def in_mask(img):
    return np.moveaxis(img.get_fdata(), -1, 0) if img.ndim == 4 else img.get_fdata()


CONTRASTS = {
    "mean": (MEAN, "intercept", None),
    "difference": (DESIGN, "a - b", None),
    "F": (DESIGN, [[1, -1, 0], [0, 0, 1]], None),
    "F of one row": (DESIGN, [1, -1, 0], "F"),
}


@pytest.mark.parametrize("asked", CONTRASTS)
def test_maps_of_complete_data_are_nilearns(asked):
    design, contrast, stat_type = CONTRASTS[asked]
    model = model_of(values_of(gaps=False), design)
    other = SecondLevelModel(mask_img=MASK_IMG)
    other.fit(volumes(values_of(gaps=False)), design_matrix=design)
    given = {"second_level_contrast": contrast, "second_level_stat_type": stat_type}
    found, expected = (m.compute_contrast(output_type="all", **given) for m in (model, other))
    for name in OUTPUTS:
        assert_array_equal(in_mask(found[name]), in_mask(expected[name]))


@pytest.mark.parametrize("asked", CONTRASTS)
def test_each_voxel_has_the_statistic_of_the_subjects_that_have_it(asked):
    design, contrast, stat_type = CONTRASTS[asked]
    values = values_of()
    model = model_of(values, design)
    found = model.compute_contrast(contrast, second_level_stat_type=stat_type, output_type="all")
    for place in [(0, 0, 1), (2, 3, 4), (5, 6, 5), (7, 0, 3)]:
        rows = ~np.isnan(values[(slice(None), *place)])
        one = values[(rows, *place)]
        other = SecondLevelModel(mask_img=Nifti1Image(np.ones((1, 1, 1), np.uint8), AFFINE))
        maps = [Nifti1Image(np.full((1, 1, 1), v), AFFINE) for v in one]
        other.fit(maps, design_matrix=design[rows].reset_index(drop=True))
        expected = other.compute_contrast(
            contrast, second_level_stat_type=stat_type, output_type="all"
        )
        for name in OUTPUTS:
            value = found[name].get_fdata()[place]
            assert_allclose(value, np.ravel(expected[name].get_fdata()).squeeze(), rtol=1e-5)
        df = rows.sum() - np.linalg.matrix_rank(design)
        assert model.df_img_.get_fdata()[place] == df


def test_a_single_map_is_one_of_all():
    model = model_of(values_of())
    every = model.compute_contrast("intercept", output_type="all")
    for name in OUTPUTS:
        one = model.compute_contrast("intercept", output_type=name)
        assert_array_equal(one.get_fdata(), every[name].get_fdata())


@pytest.mark.parametrize("asked", ["mean", "difference"])
def test_a_calibration_is_that_of_the_data(asked):
    design, contrast, _ = CONTRASTS[asked]
    values = values_of()
    model = model_of(values, design, calibration=calibration())
    model.compute_contrast(contrast, output_type="tdp")
    weights = [1] if asked == "mean" else [1, -1, 0]
    given = values.reshape(N, -1), design.to_numpy(), weights
    other = calibration(missing="omit").fit(*given)
    assert model.calibration_.lambda_ == other.lambda_
    assert_array_equal(model.calibration_.p_values_, other.p_values_)
    assert model.calibration_.missing == "omit"
    assert np.unique(model.calibration_.df_).size > 2
    z = model.maps_.family.values_in_mask
    assert_allclose(stats.norm.sf(z), other.p_values_, rtol=1e-4)


def test_voxels_that_lack_too_many_subjects_are_not_in_the_family():
    values = values_of()
    values[1:, 0, 0, 0] = np.nan
    values[:6, 0, 0, 1] = np.nan
    values[3:9, 0, 0, 2] = np.nan  # as many as in the smaller group
    model = model_of(values, DESIGN)
    with pytest.warns(UserWarning, match="2 of 336 voxels or vertices of the mask lack too many"):
        z_img = model.compute_contrast("a - b")
    z = z_img.get_fdata()
    assert np.isnan(z[0, 0, [0, 1]]).all()
    assert np.isfinite(z[0, 0, 2])
    assert model.df_img_.get_fdata()[0, 0, [0, 1]].tolist() == [0, 0]
    model = model_of(values, DESIGN, calibration=calibration())
    with pytest.warns(UserWarning, match="3 of 336 voxels"):
        model.compute_contrast("a - b", output_type="tdp")
    assert model.maps_.n_tested == 333
    assert (model.calibration_.df_ > 0).all()


def test_several_contrasts_share_one_family():
    values = values_of()
    values[3:9, 0, 0, 2] = np.nan
    for own in (None, calibration()):
        model = model_of(values, DESIGN, calibration=own)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            images = model.compute_contrasts({"a": "a", "difference": "a - b", "age": "age"})
        assert list(images) == ["a", "difference", "age"]
        assert model.table_["contrast"].isin(images).all()


def test_a_computed_mask_has_what_any_subject_has():
    values = values_of() + 5
    values[:, 7] = 0
    values[0, 2:5, 2:5, 2:5] = np.nan
    model = model_of(values, mask_img=None)
    mask = model.masker_.mask_img_.get_fdata() > 0
    assert mask[2:5, 2:5, 2:5].all()
    complete = np.nan_to_num(values, nan=5)
    other = model_of(complete, mask_img=None, missing=None)
    assert_array_equal(
        model_of(complete, mask_img=None).masker_.mask_img_.get_fdata(),
        other.masker_.mask_img_.get_fdata(),
    )


def test_smoothing_uses_the_voxels_that_a_subject_has():
    values = np.full((N, *SHAPE), 2.0, dtype=np.float32)
    values += np.arange(N, dtype=np.float32)[:, np.newaxis, np.newaxis, np.newaxis]
    values[3, 2:4, 2:4, 2:4] = np.nan
    model = model_of(values, smoothing_fwhm=6)
    read = model.masker_.transform(volumes(values))
    complete = np.nan_to_num(values, nan=5)
    expected = smooth_img(Nifti1Image(complete[0], AFFINE), 6).get_fdata()
    assert_allclose(read[0], expected.ravel(), rtol=1e-6)
    inside = np.isnan(values[3].ravel())
    assert np.isnan(read[3][inside]).all()
    # Constant maps stay constant far from the edge of the image, gap or not.
    near = read[3].reshape(SHAPE)[4, 3, 3] / expected[4, 3, 3]
    assert near == pytest.approx(5 / 2, rel=0.05)


def test_4d_images_and_infinite_values():
    values = values_of()
    values[0, 0, 0, 0] = np.inf
    stacked = Nifti1Image(np.moveaxis(values, 0, -1), AFFINE)
    model = ARISecondLevelModel(mask_img=MASK_IMG, missing="omit").fit(stacked, design_matrix=MEAN)
    model.compute_contrast("intercept")
    assert model.df_img_.get_fdata()[0, 0, 0] == N - 2


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"missing": "drop"}, "missing must be 'omit' or None. Got 'drop'"),
        ({"variance_groups": "auto"}, "variance_groups must be None with missing='omit'"),
        (
            {"calibration": calibration(variance_groups="auto")},
            "variance_groups must be None with missing='omit'",
        ),
        ({"calibration": calibration(scheme="bootstrap")}, "calibration__scheme must be 'auto'"),
        (
            {"calibration": calibration(missing="omit"), "missing": None},
            "missing must be the same in model and calibration",
        ),
    ],
)
def test_what_cannot_be_combined_is_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        model_of(values_of(), DESIGN, **parameters)


def test_masks_that_mix_voxels_or_maps_are_refused():
    other = Nifti1Image(np.ones((4, 4, 3), np.uint8), np.diag([6.0, 6, 6, 1]))
    model = model_of(values_of(), mask_img=other)
    with pytest.raises(ValueError, match="missing must be None for maps on another grid"):
        model.compute_contrast("intercept")
    stacked = Nifti1Image(np.moveaxis(values_of(), 0, -1), AFFINE)
    model = ARISecondLevelModel(missing="omit")
    with pytest.raises(ValueError, match="mask_img must be given with missing='omit'"):
        model.fit(stacked, design_matrix=MEAN)


def mesh():
    coordinates = np.random.default_rng(0).standard_normal((30, 3))
    faces = np.array([[i, (i + 1) % 30, (i + 2) % 30] for i in range(30)])
    one = InMemoryMesh(coordinates, faces)
    return PolyMesh(left=one, right=InMemoryMesh(coordinates + 5, faces))


def surfaces(values):
    there = mesh()
    return [SurfaceImage(there, {"left": row[:30], "right": row[30:]}) for row in values]


def grayordinates(values):
    axis = BrainModelAxis.from_surface(np.arange(30), 30, "CIFTI_STRUCTURE_CORTEX_LEFT")
    axis += BrainModelAxis.from_surface(np.arange(30), 30, "CIFTI_STRUCTURE_CORTEX_RIGHT")
    return [Cifti2Image(row[np.newaxis], (ScalarAxis(["m"]), axis)) for row in values]


def array_of(img):
    if isinstance(img, SurfaceImage):
        return np.concatenate([np.ravel(part) for part in img.data.parts.values()])
    return img.get_fdata()[0]


@pytest.mark.parametrize("make", [surfaces, grayordinates])
@pytest.mark.parametrize("own", [None, calibration()])
def test_surfaces_and_grayordinates(make, own):
    rng = np.random.default_rng(2)
    values = rng.standard_normal((N, 60)).astype(np.float32) + 0.5
    values[rng.random(values.shape) < 0.15] = np.nan
    values[:, 9] = np.nan
    values[1:, 40] = np.nan
    of_cifti = {"mesh": mesh()} if make is grayordinates else {}
    transformer = ClusterTDPTransformer(threshold=1.5, **of_cifti)
    model = ARISecondLevelModel(transformer=transformer, calibration=own, missing="omit")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(make(values), design_matrix=MEAN)
        stat = array_of(model.compute_contrast("intercept", output_type="stat"))
        expected = stats.ttest_1samp(values, 0, nan_policy="omit").statistic
        model.compute_contrast("intercept", output_type="tdp")
    is_tested = np.arange(60)[~np.isin(np.arange(60), [9, 40])]
    assert_allclose(stat[is_tested], np.asarray(expected)[is_tested], rtol=1e-4)
    assert model.maps_.n_tested == 58
    df = array_of(model.df_img_)
    assert_array_equal(df[is_tested], np.isfinite(values).sum(axis=0)[is_tested] - 1)


def test_results_say_what_happened_to_missing_values(tmp_path):
    model = model_of(values_of(), DESIGN, calibration=calibration())
    model.compute_contrast("a - b", output_type="tdp")
    assert model.maps_.asked_by.group.missing == "left out, element by element"
    page = model.generate_report().get_standalone()
    assert "Missing values of subjects" in page
    model_of(values_of(), DESIGN, missing=None).compute_contrast("a - b")
    save(model.calibration_, tmp_path)
    again = load(next(tmp_path.rglob("*.npz")))
    assert again.missing == "omit"
    assert_array_equal(again.df_, model.calibration_.df_)


def test_methods_of_a_calibration_count_what_is_tested():
    data = values_of().reshape(N, -1)
    data[1:, 5] = np.nan
    with pytest.warns(UserWarning, match="1 of 336 elements lack too many subjects"):
        fitted = calibration(missing="omit").fit(data)
    text = get_methods(fitted)
    assert "335 elements. Missing values of subjects were left out." in text
    transformer = ClusterTDPTransformer(mask_img=MASK_IMG)
    values = np.random.default_rng(0).standard_normal(SHAPE)
    values[0, 0, 5] = np.nan
    z_img = Nifti1Image(values, AFFINE)
    with pytest.raises(ValueError, match="1 of them lack too many subjects, and their df_ is 0"):
        transformer.fit_transform(z_img, calibration=fitted)
