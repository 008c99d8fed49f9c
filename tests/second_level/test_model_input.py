"""What a group model refuses or says of its input, where it would give a wrong answer."""

import warnings

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from nilearn.maskers import NiftiMasker, SurfaceMasker
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage
from sklearn.exceptions import NotFittedError

from ari_estimator import (
    ARISecondLevelModel,
    ClusterExtentCalibration,
    PermutationCalibration,
    non_parametric_inference,
)

SHAPE = (6, 5, 4)
MASK = Nifti1Image(np.ones(SHAPE, np.uint8), np.diag([3, 3, 3, 1]))
N = 8
MEAN = pd.DataFrame({"intercept": np.ones(N)})
GROUP = pd.DataFrame({"group": np.tile([1.0, 0], N // 2), "intercept": 1.0})


@pytest.fixture
def maps():
    rng = np.random.default_rng(3)
    return [Nifti1Image(rng.standard_normal(SHAPE), MASK.affine) for _ in range(N)]


@pytest.fixture
def table(maps):
    """Return maps of subjects in an order that is not the one of their labels."""
    labels = [f"s{k}" for k in (3, 1, 2, 6, 5, 4, 8, 7)]
    return pd.DataFrame({"subject_label": labels, "map_name": "con", "effects_map_path": maps})


def fit(maps, design=MEAN, *, mask_img=MASK, confounds=None, **options):
    model = ARISecondLevelModel(mask_img=mask_img, **options)
    return model.fit(maps, confounds, design)


def stat(model, contrast="group"):
    return model.compute_contrast(contrast, "con", output_type="stat").get_fdata()


# The order of rows.


@pytest.mark.parametrize(
    ("design", "options", "named"),
    [
        (GROUP, {}, "with design_matrix:"),
        (None, {"variance_groups": np.repeat([0, 1], 4)}, "with variance_groups:"),
        (
            None,
            {"calibration": PermutationCalibration(blocks=np.repeat(range(4), 2))},
            "with calibration__blocks:",
        ),
        (
            None,
            {"calibration": PermutationCalibration(variance_groups=np.repeat([0, 1], 4))},
            "with calibration__variance_groups:",
        ),
    ],
)
def test_rows_that_nilearn_would_sort_are_refused(table, design, options, named):
    with pytest.raises(ValueError, match=named) as error:
        fit(table, design, **options)
    assert "Got 's3' before 's1'" in str(error.value)
    # Parameters may come after fit.
    model = fit(table, None).set_params(**options)
    if options:
        with pytest.raises(ValueError, match=named):
            model.compute_contrast("intercept", "con", output_type="tdp")


def test_sorted_rows_give_what_the_list_gives(table):
    order = table["subject_label"].argsort(kind="stable")
    by_table = fit(table.iloc[order], GROUP.iloc[order])
    by_list = ARISecondLevelModel(mask_img=MASK).fit(
        table["effects_map_path"].tolist(), design_matrix=GROUP
    )
    np.testing.assert_allclose(
        stat(by_table), by_list.compute_contrast("group", output_type="stat").get_fdata()
    )


def test_rows_may_come_in_any_order_where_nothing_else_has_an_order(table):
    fit(table, MEAN).compute_contrast("intercept", "con")
    confounds = table[["subject_label"]].assign(age=np.arange(8.0) - 3.5)
    fit(table, None, confounds=confounds, variance_groups=None).compute_contrast("age", "con")


@pytest.mark.parametrize("with_paths", [False, True])
@pytest.mark.parametrize("form", ["list", "Series", "DataFrame"])
def test_one_map_in_two_rows_is_said(table, form, with_paths, tmp_path):
    table = table.sort_values("subject_label", ignore_index=True)
    if with_paths:
        paths = [str(tmp_path / f"{number}.nii") for number in range(N)]
        for path, img in zip(paths, table["effects_map_path"], strict=True):
            img.to_filename(path)
        table["effects_map_path"] = paths
    images = table["effects_map_path"].tolist()
    images[5] = images[2]
    given = {
        "list": images,
        "Series": pd.Series(images),
        "DataFrame": table.assign(effects_map_path=images),
    }[form]
    with pytest.warns(UserWarning, match="the same map in rows 2 and 5"):
        fit(given)


# The mask.


@pytest.mark.parametrize("as_masker", [False, True])
@pytest.mark.parametrize(
    "values", [np.linspace(0, 0.4, 120), np.arange(120) % 5, np.tile([-1, 1], 60)]
)
def test_mask_with_several_values_is_refused(maps, values, as_masker):
    mask_img = Nifti1Image(values.reshape(SHAPE).astype("f4"), MASK.affine)
    if as_masker:
        mask_img = NiftiMasker(mask_img)
    with pytest.raises(ValueError, match="mask_img must be binary"):
        fit(maps, mask_img=mask_img)
    with pytest.raises(ValueError, match="mask_img must be binary"):
        non_parametric_inference(maps, design_matrix=MEAN, mask=mask_img, n_perm=50)


def test_mask_of_a_surface_with_several_values_is_refused():
    points = np.random.default_rng(0).standard_normal((4, 3)).astype("f4")
    faces = np.array([[0, 1, 2], [1, 2, 3]], dtype=np.int32)
    mesh = PolyMesh(left=InMemoryMesh(points, faces), right=InMemoryMesh(points + 9, faces))

    def image(values):
        return SurfaceImage(mesh, {"left": values, "right": values})

    maps = [image(np.arange(4.0) * n) for n in range(1, N + 1)]
    with pytest.raises(ValueError, match="mask_img must be binary"):
        fit(maps, mask_img=image(np.array([0, 0.2, 0.5, 1])))
    with pytest.raises(ValueError, match="Got standardize='zscore_sample'"):
        fit(maps, mask_img=SurfaceMasker(image(np.ones(4)), standardize="zscore_sample"))


@pytest.mark.parametrize(
    "options",
    [
        {"standardize": "zscore_sample"},
        {"detrend": True},
        {"high_variance_confounds": True},
        {"low_pass": 0.1, "t_r": 2},
    ],
)
@pytest.mark.parametrize("missing", [None, "omit"])
def test_masker_that_mixes_subjects_is_refused(maps, options, missing):
    with pytest.raises(ValueError, match="here the rows are subjects") as error:
        fit(maps, mask_img=NiftiMasker(MASK, **options), missing=missing)
    assert f"{next(iter(options))}=" in str(error.value)
    masker = NiftiMasker(MASK, **options).fit()
    for calibration in (PermutationCalibration(), ClusterExtentCalibration()):
        with pytest.raises(ValueError, match=r"^masker must not be a masker that"):
            calibration.fit(maps, masker=masker)


# The design.


@pytest.mark.parametrize("first", [0, 1])
def test_saved_index_is_left_out_and_said(maps, tmp_path, first):
    path = tmp_path / "design.csv"
    GROUP.set_axis(range(first, N + first)).to_csv(path)
    for design in (path, pd.read_csv(path)):
        with pytest.warns(UserWarning, match="'Unnamed: 0' of the design has no name and counts"):
            model = fit(maps, design)
        pd.testing.assert_frame_equal(model.design_matrix_, GROUP)
    GROUP.to_csv(path, index=False)
    pd.testing.assert_frame_equal(fit(maps, path).design_matrix_, GROUP)


def test_column_without_a_name_is_refused(maps):
    with pytest.raises(ValueError, match="Got 'Unnamed: 2'"):
        fit(maps, GROUP.assign(**{"Unnamed: 2": np.arange(N)}))
    with pytest.raises(ValueError, match="Got 'Unnamed: 0'"):
        fit(maps, pd.DataFrame({"Unnamed: 0": GROUP["group"], "intercept": 1.0}))


@pytest.mark.parametrize("dtype", [bool, object])
def test_truth_values_are_ones_and_zeros(maps, dtype):
    design = GROUP.assign(group=(GROUP["group"] == 1).astype(dtype))
    expected, found = (
        fit(maps, one).compute_contrast("group", output_type="stat").get_fdata()
        for one in (GROUP, design)
    )
    np.testing.assert_array_equal(found, expected)


def test_complex_numbers_are_refused(maps):
    with pytest.raises(ValueError, match="Got complex numbers in 'group'"):
        fit(maps, GROUP.assign(group=GROUP["group"] * 1j))


def test_text_that_names_two_columns_is_refused(maps):
    design = pd.DataFrame(
        np.column_stack([GROUP["group"], np.arange(N) - 3.5, np.ones(N)]),
        columns=["g", "g", "intercept"],
    )
    model = fit(maps, design)
    for contrast in ("g", "1*g", "g + 0*intercept"):
        with pytest.raises(ValueError, match="there are 2 columns 'g'"):
            model.compute_contrast(contrast, output_type="stat")
    model.compute_contrast([1, 0, 0], output_type="stat")
    model.compute_contrast("intercept", output_type="stat")


def test_labels_of_a_contrast_are_the_columns_in_their_order(maps):
    model = fit(maps, GROUP)
    for contrast in (
        pd.Series({"intercept": 0, "group": 1}),
        pd.Series({"group": 1}),
        pd.DataFrame({"intercept": [1, 0], "group": [0, 1]}),
    ):
        for output_type in ("stat", "tdp"):
            with pytest.raises(ValueError, match="must have the columns of the design"):
                model.compute_contrast(contrast, output_type=output_type)
    data = np.array([img.get_fdata().ravel() for img in maps])
    with pytest.raises(ValueError, match="contrast must have the columns of the design"):
        PermutationCalibration().fit(data, GROUP, pd.Series({"intercept": 0, "group": 1}))
    expected = model.compute_contrast("group", output_type="stat").get_fdata()
    for contrast in (pd.Series({"group": 1, "intercept": 0}), pd.Series([1, 0])):
        found = model.compute_contrast(contrast, output_type="stat").get_fdata()
        np.testing.assert_array_equal(found, expected)


def test_confounds_beside_a_design_are_refused(table):
    confounds = table[["subject_label"]].assign(age=1.0)
    with pytest.raises(ValueError, match="confounds must be None with a design_matrix"):
        fit(table.sort_values("subject_label"), MEAN, confounds=confounds)


# What comes after fit.


def test_design_that_is_changed_in_place_has_no_effect(maps):
    design = GROUP.copy()
    calibration = PermutationCalibration(n_permutations=40, random_state=0, verbose=0)
    model = fit(maps, design, calibration=calibration)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = model.compute_contrast("group", output_type="stat").get_fdata()
        model.compute_contrast("group", output_type="tdp")
        level = model.calibration_.lambda_
        design["group"] = np.repeat([1.0, 0], 4)
        np.testing.assert_array_equal(
            model.compute_contrast("group", output_type="stat").get_fdata(), before
        )
        # The own design is what is tested, and a calibration of another one is not used again.
        model.design_matrix_["group"] = np.repeat([1.0, 0], 4)
        model.compute_contrast("group", output_type="tdp")
        fresh = fit(maps, design, calibration=calibration)
        fresh.compute_contrast("group", output_type="tdp")
    assert model.calibration_.lambda_ == fresh.calibration_.lambda_ != level


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("missing", "omit"),
        ("smoothing_fwhm", 4.0),
        ("target_shape", (3, 3, 3)),
        ("mask_img", Nifti1Image(np.eye(6, 5)[..., np.newaxis] + np.zeros(4), MASK.affine)),
    ],
)
@pytest.mark.parametrize("is_set", [True, False])
def test_parameter_that_fit_reads_cannot_be_changed_after_it(maps, name, value, is_set):
    given = {name: value} if is_set and name != "target_shape" else {}
    model = fit(maps, **given)
    model.set_params(**{name: None if given else value})
    for compute in (
        lambda: model.compute_contrast("intercept"),
        lambda: model.compute_contrast("intercept", output_type="tdp"),
        lambda: model.compute_contrasts({"a": [1], "b": [-1]}),
        model.generate_report,
    ):
        with pytest.raises(NotFittedError, match=f"{name} was set after fit"):
            compute()
