"""What a design can say: refusals, warnings, and statistics of designs of lower rank."""

import warnings

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from nilearn.glm.second_level import SecondLevelModel
from nilearn.image import get_data

from ari_estimator import (
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
    load,
    non_parametric_inference,
    save,
)

N = 15
SHAPE = (4, 5, 6)
GROUP = np.repeat(["a", "b", "c"], [4, 6, 5])
OUTPUTS = ("z_score", "stat", "p_value", "effect_size", "effect_variance")


@pytest.fixture(scope="module")
def maps():
    """Return a map for each subject, of the kind that nilearn takes."""
    rng = np.random.default_rng(0)
    return [Nifti1Image(rng.standard_normal(SHAPE), np.eye(4)) for _ in range(N)]


@pytest.fixture(scope="module")
def mask_img():
    """Return a mask of all voxels."""
    return Nifti1Image(np.ones(SHAPE, dtype="uint8"), np.eye(4))


def cell_means():
    """Return a column for each group: a design of full rank."""
    return pd.DataFrame({name: (name == GROUP).astype(float) for name in "abc"})


def overparametrized():
    """Return the groups and an intercept: four columns of rank 3."""
    return cell_means().assign(intercept=1.0)


def fit(model, maps, design):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(maps, design_matrix=design)


@pytest.mark.parametrize("output_type", ["z_score", "tdp"])
@pytest.mark.parametrize("calibration", [None, PermutationCalibration(n_permutations=20)])
def test_contrast_that_is_not_estimable_is_refused(maps, mask_img, output_type, calibration):
    if calibration is not None and output_type != "tdp":
        return
    model = fit(ARISecondLevelModel(mask_img, calibration=calibration), maps, overparametrized())
    match = "not estimable.*The columns 'a', 'b', 'c', 'intercept' are confounded"
    with pytest.raises(ValueError, match=match):
        model.compute_contrast("a", output_type=output_type)


@pytest.mark.parametrize("output_type", [*OUTPUTS, "all"])
@pytest.mark.parametrize(
    ("contrast", "of_means"),
    [("a - b", [1, -1, 0]), ([0, 1, -1, 0], [0, 1, -1]), ("a + intercept", [1, 0, 0])],
)
def test_statistics_of_a_design_that_is_not_of_full_rank(
    maps, mask_img, contrast, of_means, output_type
):
    model = fit(ARISecondLevelModel(mask_img), maps, overparametrized())
    full = fit(SecondLevelModel(mask_img), maps, cell_means())
    found = model.compute_contrast(contrast, output_type=output_type)
    expected = full.compute_contrast(np.array(of_means), output_type=output_type)
    pairs = [(found, expected)]
    if output_type == "all":
        assert list(found) == list(expected)
        pairs = [(found[name], expected[name]) for name in expected]
    for one, other in pairs:
        np.testing.assert_allclose(get_data(one), get_data(other), rtol=1e-9, atol=1e-12)
        # The contrast as it was given, not as it is of another design.
        assert str(contrast) in one.header["descrip"].item().decode()
    assert list(model.design_matrix_.columns) == ["a", "b", "c", "intercept"]


@pytest.mark.parametrize("design", [cell_means, overparametrized])
@pytest.mark.parametrize(
    "rows",
    [
        [[1, -1, 0], [0, 1, -1], [1, 0, -1]],
        [[1, -1, 0], [0, 1, -1], [2, -2, 0]],
        [[1, -1, 0], [0, 1, -1]],
    ],
)
def test_f_contrast_with_dependent_rows_has_their_rank(maps, mask_img, design, rows):
    columns = design()
    padded = np.array([[*row, *[0] * (columns.shape[1] - 3)] for row in rows])
    model = fit(ARISecondLevelModel(mask_img), maps, columns)
    full = fit(SecondLevelModel(mask_img), maps, cell_means())
    expected = full.compute_contrast(np.array([[1, -1, 0], [0, 1, -1]]), output_type="all")
    found = model.compute_contrast(padded, second_level_stat_type="F", output_type="all")
    for name in ("z_score", "stat", "p_value"):
        np.testing.assert_allclose(get_data(found[name]), get_data(expected[name]), rtol=1e-8)


DEPENDENT = [[1, -1, 0], [0, 1, -1], [1, 0, -1]]


@pytest.mark.parametrize("variance_groups", [None, "auto"])
@pytest.mark.parametrize("design", [cell_means, overparametrized])
def test_calibration_of_an_f_contrast_does_not_depend_on_how_it_is_written(
    maps, mask_img, design, variance_groups
):
    found = []
    for columns, rows in ((cell_means(), DEPENDENT[:2]), (design(), DEPENDENT)):
        padded = np.array([[*row, *[0] * (columns.shape[1] - 3)] for row in rows])
        calibration = PermutationCalibration(
            n_permutations=60, random_state=0, variance_groups=variance_groups, scheme="sign_flip"
        )
        data = np.array([get_data(img).ravel() for img in maps])
        found.append(calibration.fit(data, columns.to_numpy(), padded))
    one, other = found
    assert one.rank_ == other.rank_ == 2
    assert one.stat_type_ == ("F" if variance_groups is None else "G")
    np.testing.assert_allclose(one.statistic_, other.statistic_, rtol=1e-9)
    np.testing.assert_allclose(one.lambda_, other.lambda_, rtol=1e-9)


SUBJECT = np.repeat([f"sub-{i}" for i in range(5)], 3)


@pytest.mark.parametrize(
    ("columns", "contrast", "scheme"),
    [
        # Of three visits of a subject: what differs between them, and between subjects.
        ({"visit": np.tile([-1.0, 0, 1], 5), "mean": 1.0}, [1, 0], "permutation within blocks"),
        (
            {"old": np.repeat([1.0, 0, 1, 0, 0], 3), "mean": 1.0},
            [1, 0],
            "permutation of whole blocks",
        ),
        ({"mean": 1.0}, [1], "sign-flipping of whole blocks"),
    ],
)
def test_repeated_measures_find_their_scheme(maps, columns, contrast, scheme):
    design = pd.DataFrame(columns, index=range(N))
    data = np.array([get_data(img).ravel() for img in maps])
    calibration = PermutationCalibration(blocks=SUBJECT, n_permutations=40, random_state=0)
    calibration.fit(data, design.to_numpy(), contrast, alpha=0.2)
    assert calibration.scheme_ == scheme


def test_design_of_full_rank_gives_nilearns_numbers_to_the_bit(maps, mask_img):
    model = fit(ARISecondLevelModel(mask_img), maps, cell_means())
    full = fit(SecondLevelModel(mask_img), maps, cell_means())
    for output_type in OUTPUTS:
        found = get_data(model.compute_contrast("a - b", output_type=output_type))
        expected = get_data(full.compute_contrast("a - b", output_type=output_type))
        np.testing.assert_array_equal(found, expected)


def test_no_residual_degrees_of_freedom(maps, mask_img):
    design = pd.DataFrame(np.eye(N), columns=[f"subject_{i}" for i in range(N)])
    model = fit(ARISecondLevelModel(mask_img), maps, design)
    with pytest.raises(ValueError, match="15 subjects for 15 independent columns"):
        model.compute_contrast("subject_0")


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        ({"age": [*range(14), np.nan]}, "NaN or infinite values in 'age'"),
        ({"sex": ["m", "f"] * 7 + ["m"]}, "words in 'sex': code categories"),
    ],
)
def test_columns_that_are_no_numbers_are_named(maps, mask_img, columns, match):
    design = pd.DataFrame({"intercept": 1.0, **columns})
    with pytest.raises(ValueError, match=match):
        ARISecondLevelModel(mask_img).fit(maps, design_matrix=design)


AGE = np.arange(N) - 7.0


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        ({"age": AGE + 40}, "The design has no intercept.*Got 'age'"),
        ({"intercept": 1.0, "empty": 0.0}, "0 for all subjects in 'empty'"),
        ({"intercept": 1.0, "site": 2.0}, "2 constant columns, 'intercept', 'site'"),
    ],
)
def test_columns_that_say_nothing_are_named(maps, mask_img, columns, match):
    design = pd.DataFrame(columns, index=range(N))
    with pytest.warns(UserWarning, match=match):
        ARISecondLevelModel(mask_img).fit(maps, design_matrix=design)


@pytest.mark.parametrize(
    ("columns", "contrast", "is_said"),
    [
        ({"age": AGE + 40}, "intercept", True),
        ({"age": AGE}, "intercept", False),
        ({"age": AGE + 40}, "age", False),
        # 0 and 1 are groups: 0 has a meaning.
        ({"treated": (np.arange(N) > 6).astype(float)}, "intercept", False),
    ],
)
def test_mean_beside_covariates_that_are_not_centred(maps, mask_img, columns, contrast, is_said):
    design = pd.DataFrame({"intercept": 1.0, **columns})
    model = ARISecondLevelModel(mask_img).fit(maps, design_matrix=design)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.compute_contrast(contrast)
    said = [str(one.message) for one in caught if "not centred" in str(one.message)]
    assert len(said) == is_said
    assert all("'age'" in text for text in said)


@pytest.mark.parametrize(
    "design",
    [cell_means(), pd.DataFrame({"intercept": 1.0}, index=range(N)), overparametrized()],
)
def test_ordinary_designs_are_silent(maps, mask_img, design):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ARISecondLevelModel(mask_img).fit(maps, design_matrix=design)


ONE_ROW = [1, -1, 0]


@pytest.mark.parametrize("calibration", [None, PermutationCalibration(n_permutations=40)])
@pytest.mark.parametrize("variance_groups", [None, "auto"])
@pytest.mark.parametrize("contrast", [[[1, -1, 0], [0, 1, -1]], ONE_ROW, "a - b"])
def test_an_f_contrast_has_no_direction(
    maps, mask_img, contrast, variance_groups, calibration, tmp_path
):
    model = fit(
        ARISecondLevelModel(
            mask_img,
            transformer=ClusterTDPTransformer(1.0),
            calibration=calibration,
            variance_groups=variance_groups,
        ),
        maps,
        cell_means(),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.compute_contrast(contrast, second_level_stat_type="F", output_type="tdp")
    save(model, tmp_path / "f.npz")
    for fitted in (model, load(tmp_path / "f.npz")):
        assert set(fitted.table_["direction"]) == {"unsigned", "rest"}
        assert fitted.maps_.describe()["statistic"]["direction"] == "unsigned"
    if calibration is not None:
        assert model.calibration_.stat_type_ == ("F" if variance_groups is None else "G")
        assert model.calibration_.rank_ == (2 if isinstance(contrast[0], list) else 1)


def test_f_of_one_row_is_the_square_of_t(maps, mask_img):
    model = fit(ARISecondLevelModel(mask_img), maps, overparametrized())
    t = get_data(model.compute_contrast("a - b", output_type="stat"))
    f = model.compute_contrast("a - b", second_level_stat_type="F", output_type="stat")
    np.testing.assert_allclose(get_data(f), t**2, rtol=1e-9)
    data = np.array([get_data(img).ravel() for img in maps])
    calibration = PermutationCalibration(n_permutations=20, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        calibration.fit(data, cell_means(), ONE_ROW, stat_type="F")
    assert calibration.stat_type_ == "F"
    np.testing.assert_allclose(calibration.statistic_, t.ravel() ** 2, rtol=1e-6)


@pytest.mark.parametrize(
    ("contrast", "stat_type", "message"),
    [
        ([[1, -1, 0], [2, -2, 0]], "t", "second_level_stat_type must be 'F' or None.* 2 rows"),
        ([1, -1, 0], "z", "second_level_stat_type must be 't', 'F' or None. Got 'z'"),
        (["a", "b"], None, r"Got a list of texts, \['a', 'b'\].*\[\[1.0, 0.0, 0.0\], \[0.0, 1.0"),
        (["a"], None, "Got a list of texts.*Write 'a', without the list"),
        ([[0, 0, 0], [0, 0, 0]], "F", "must have a weight other than 0"),
        ([1, np.nan, 0], None, r"must have finite weights. Got \[\[1.0, nan, 0.0\]\], .* for 'b'"),
    ],
)
@pytest.mark.parametrize("output_type", ["z_score", "tdp"])
def test_contrasts_that_are_refused(maps, mask_img, contrast, stat_type, message, output_type):
    model = fit(ARISecondLevelModel(mask_img), maps, cell_means())
    with pytest.raises(ValueError, match=message):
        model.compute_contrast(contrast, second_level_stat_type=stat_type, output_type=output_type)


def test_a_list_of_names_is_refused_where_nilearn_permutes(maps, mask_img):
    with pytest.raises(ValueError, match="second_level_contrast must be one text"):
        non_parametric_inference(
            maps, design_matrix=cell_means(), second_level_contrast=["a", "b", "c"], mask=mask_img
        )
