"""Fixed effects of runs: formulas, df, refusals, nilearn's models, and groups of runs."""

import warnings

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from nilearn.glm import compute_fixed_effects
from nilearn.glm.first_level import FirstLevelModel
from nilearn.surface import SurfaceImage
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from ari_estimator import (
    ARISecondLevelModel,
    ClusterTDPTransformer,
    FixedEffects,
    PermutationCalibration,
    combine_runs,
    combine_runs_by_subject,
)

from ._kinds import KINDS

ALL = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
WEIGHTED = pytest.mark.parametrize("precision_weighted", [False, True])
VOLUME = KINDS["volume"]
DF = (30, 45, 61)


def _runs(kind, n_runs=3, seed=0):
    rng = np.random.default_rng(seed)
    effects = rng.normal(1, 2, (n_runs, kind.n))
    variances = rng.uniform(0.1, 4, (n_runs, kind.n))
    return effects, variances


def _images(kind, rows):
    return [kind.image(row) for row in rows]


def _row(kind, img):
    return kind.values(img)[0]


def _by_hand(effects, variances, precision_weighted):
    if precision_weighted:
        weights = 1 / variances
        return (weights * effects).sum(axis=0) / weights.sum(axis=0), 1 / weights.sum(axis=0)
    return effects.mean(axis=0), variances.sum(axis=0) / len(variances) ** 2


def _z(t, df):
    return np.sign(t) * stats.norm.isf(stats.t.sf(np.abs(t), df))


@ALL
@WEIGHTED
def test_formulas(kind, precision_weighted):
    effects, variances = _runs(kind)
    fixed = combine_runs(
        _images(kind, effects),
        _images(kind, variances),
        DF,
        precision_weighted=precision_weighted,
    )
    effect, variance = _by_hand(effects, variances, precision_weighted)
    t = effect / np.sqrt(variance)
    assert isinstance(fixed, FixedEffects)
    assert (fixed.df, fixed.n_runs) == (sum(DF), 3)
    assert_allclose(_row(kind, fixed.effect_img), effect, rtol=1e-6)
    assert_allclose(_row(kind, fixed.variance_img), variance, rtol=1e-6)
    assert_allclose(_row(kind, fixed.stat_img), t, rtol=1e-5)
    assert_allclose(_row(kind, fixed.z_img), _z(t, sum(DF)), rtol=1e-5)
    assert_array_equal(_row(kind, fixed.mask_img), 1)


@WEIGHTED
def test_equals_nilearn_where_nilearn_is_right(precision_weighted):
    effects, variances = _runs(VOLUME)
    images = _images(VOLUME, effects), _images(VOLUME, variances)
    ones = VOLUME.image(np.ones(VOLUME.n, dtype=np.uint8))
    theirs = compute_fixed_effects(
        *images, mask=ones, dofs=DF, precision_weighted=precision_weighted
    )
    ours = combine_runs(*images, DF, mask_img=ones, precision_weighted=precision_weighted)
    for img, other in zip(
        (ours.effect_img, ours.variance_img, ours.stat_img, ours.z_img), theirs, strict=True
    ):
        assert_allclose(_row(VOLUME, img), _row(VOLUME, other), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("df", "total"), [(40, 120), (DF, 136), (np.inf, np.inf)])
def test_df_is_the_sum(df, total):
    effects, variances = _runs(VOLUME)
    fixed = combine_runs(_images(VOLUME, effects), _images(VOLUME, variances), df)
    t = _row(VOLUME, fixed.stat_img)
    assert fixed.df == total
    assert_allclose(_row(VOLUME, fixed.z_img), _z(t, total), rtol=1e-9)


@ALL
@WEIGHTED
def test_elements_that_runs_lack(kind, precision_weighted):
    effects, variances = _runs(kind)
    variances[:, 5] = 0  # in no run
    variances[0, 6] = 0  # as nilearn writes it outside of the mask of one run
    variances[1, 7] = np.nan
    effects[2, 8] = np.inf
    with pytest.warns(UserWarning, match=f"^3 of {kind.n - 1} .* in some runs only"):
        fixed = combine_runs(
            _images(kind, effects),
            _images(kind, variances),
            20,
            precision_weighted=precision_weighted,
        )
    tested = np.setdiff1d(np.arange(kind.n), [5, 6, 7, 8])
    effect, variance = _by_hand(effects[:, tested], variances[:, tested], precision_weighted)
    t = _row(kind, fixed.stat_img)
    assert_allclose(t[tested], effect / np.sqrt(variance), rtol=1e-5)
    assert np.isnan(t[6:9]).all()
    assert_array_equal(t[5], 0 if kind is VOLUME else np.nan)
    assert_array_equal(_row(kind, fixed.mask_img), np.isin(np.arange(kind.n), tested))


@ALL
def test_mask(kind):
    effects, variances = _runs(kind)
    variances[:, np.flatnonzero(kind.mask)[0]] = 0
    with pytest.warns(
        UserWarning, match=f"^1 of {kind.mask.sum()} .* in mask_img have no value in any run"
    ):
        fixed = combine_runs(
            _images(kind, effects), _images(kind, variances), 20, mask_img=kind.mask_img
        )
    t = _row(kind, fixed.stat_img)
    assert not t[~kind.mask].any()
    assert np.isnan(t[kind.mask]).sum() == 1
    assert _row(kind, fixed.mask_img).sum() == kind.mask.sum() - 1


@ALL
def test_variances_may_be_tiny_or_huge(kind):
    effects, variances = _runs(kind)
    tiny, huge = ([kind.image(row * c) for row in variances] for c in (1e-30, 1e30))
    by = [
        combine_runs(_images(kind, effects), imgs, 9, precision_weighted=True)
        for imgs in (tiny, huge)
    ]
    first, second = (_row(kind, fixed.effect_img) for fixed in by)
    assert_allclose(first, second, rtol=1e-5)


def test_volume_declares_t_and_df():
    effects, variances = _runs(VOLUME)
    effects[:, :40] += 6
    fixed = combine_runs(_images(VOLUME, effects), _images(VOLUME, variances), DF)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        declared = ClusterTDPTransformer(3, mask_img=fixed.mask_img).fit(fixed.stat_img)
        given = ClusterTDPTransformer(3, mask_img=fixed.mask_img, stat_type="t", df=sum(DF))
        given.fit(fixed.stat_img)
        of_z = ClusterTDPTransformer(3, mask_img=fixed.mask_img, stat_type="z").fit(fixed.z_img)
    assert declared.true_discoveries_ == given.true_discoveries_ == of_z.true_discoveries_ > 0


def test_surface_to_tdp():
    kind = KINDS["surface"]
    effects, variances = _runs(kind)
    effects[:, :40] += 6
    variances[:, 100:] = 0  # a medial wall
    fixed = combine_runs(_images(kind, effects), _images(kind, variances), 20)
    assert isinstance(fixed.stat_img, SurfaceImage)
    found = [
        ClusterTDPTransformer(3, mask_img=mask, stat_type="t", df=fixed.df).fit(fixed.stat_img)
        for mask in (None, fixed.mask_img)
    ]
    assert found[0].true_discoveries_ == found[1].true_discoveries_ > 0


def test_paths(tmp_path):
    effects, variances = _runs(VOLUME)
    names = [
        [VOLUME.save(VOLUME.image(row), tmp_path / f"{name}{k}") for k, row in enumerate(rows)]
        for name, rows in (("cope", effects), ("varcope", variances))
    ]
    fixed = combine_runs(*names, 20)
    assert_allclose(_row(VOLUME, fixed.effect_img), effects.mean(axis=0))


def _given(**changes):
    effects, variances = _runs(VOLUME)
    given = {
        "runs": _images(VOLUME, effects),
        "variance_imgs": _images(VOLUME, variances),
        "df": 20,
    }
    return {**given, **changes}


_ONE = VOLUME.image(_runs(VOLUME)[0][0])


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"runs": [_ONE], "variance_imgs": [_ONE]}, ValueError, "at least two runs.*Got 1.*z map"),
        ({"runs": _ONE}, TypeError, "runs must be a list"),
        ({"runs": []}, ValueError, "runs must have an image for each run"),
        ({"df": None}, ValueError, "df must be given"),
        ({"variance_imgs": None}, ValueError, "variance_imgs must be given"),
        ({"variance_imgs": [_ONE]}, ValueError, "image for each of the 3 runs. Got 1"),
        ({"df": [20, 20]}, ValueError, "df must be a positive number"),
        ({"df": 0}, ValueError, "df must be a positive number"),
        ({"df": [20, -1, 20]}, ValueError, "df must be a positive number"),
        ({"df": [20, np.nan, 20]}, ValueError, "df must be a positive number"),
        ({"df": "many"}, ValueError, "df must be a positive number"),
        ({"variance_imgs": [_ONE] * 3}, ValueError, r"variance_imgs\[0\] must not be negative"),
        ({"runs": [_ONE] * 3}, ValueError, r"runs\[0\] and runs\[1\] hold the same"),
        ({"runs": [_ONE, VOLUME.other_image, _ONE]}, ValueError, r"runs\[1\] must be on the grid"),
        ({"runs": [_ONE, KINDS["surface"].image(np.ones(128)), _ONE]}, TypeError, r"runs\[1\]"),
        ({"contrast": "a"}, ValueError, "contrast must be left at the default for images"),
        (
            {"variance_imgs": [VOLUME.image(np.zeros(VOLUME.n))] * 3},
            ValueError,
            "Runs must have voxels in common",
        ),
    ],
)
def test_refusals(changes, error, message):
    with pytest.raises(error, match=message):
        combine_runs(**_given(**changes))


def test_a_file_that_declares_something_else(tmp_path):
    given = _given()
    path = VOLUME.save(given["runs"][1], tmp_path / "zstat1")
    path = path.rename(tmp_path / "zstat1.nii")
    with pytest.raises(ValueError, match=r"runs\[1\] must hold the effect.*holds z.*zstat1"):
        combine_runs(**_given(runs=[given["runs"][0], path, given["runs"][2]]))
    path = path.rename(tmp_path / "cope1.nii")
    with pytest.raises(ValueError, match=r"variance_imgs\[0\] must hold the variance.*cope1"):
        combine_runs(**_given(variance_imgs=[path, *given["variance_imgs"][1:]]))


# Models of nilearn.


def _events():
    onsets = np.arange(4, 110, 20.0)
    return pd.DataFrame({"onset": onsets, "duration": 8.0, "trial_type": ["a", "b"] * 3})


def _bold(seed, active=0.0):
    rng = np.random.default_rng(seed)
    data = rng.normal(100, 1, (*VOLUME.shape, 60))
    data[1:3, 1:4, 1:4, 3:8] += active
    data[1:3, 1:4, 1:4, 23:28] += active
    data[1:3, 1:4, 1:4, 43:48] += active
    return Nifti1Image(data, VOLUME.affine)


def _model(n_runs, seed=0, noise_model="ar1", active=0.0, **parameters):
    model = FirstLevelModel(t_r=2, mask_img=VOLUME.mask_img, noise_model=noise_model, **parameters)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bold = [_bold(100 * seed + k, active) for k in range(n_runs)]
        return model.fit(bold, events=[_events()] * n_runs)


@pytest.fixture(scope="module")
def model():
    return _model(3)


@pytest.mark.filterwarnings("ignore:The same contrast will be used")
@pytest.mark.parametrize("contrast", ["a - b", [1.0, -1], np.array([1, -1]), ["a - b"] * 3])
def test_model_of_several_runs(model, contrast):
    fixed = combine_runs(model, contrast=contrast)
    theirs = model.compute_contrast("a - b", output_type="all")
    mask = VOLUME.mask
    ours = {
        "effect_size": fixed.effect_img, "effect_variance": fixed.variance_img,
        "stat": fixed.stat_img, "z_score": fixed.z_img,
    }  # fmt: skip
    for name, img in ours.items():
        assert_allclose(
            _row(VOLUME, img)[mask], _row(VOLUME, theirs[name])[mask], rtol=1e-9, atol=1e-9
        )
    ranks = [np.linalg.matrix_rank(design) for design in model.design_matrices_]
    assert fixed.df == 3 * 60 - sum(ranks)
    assert_array_equal(_row(VOLUME, fixed.mask_img), mask)


def test_models_of_one_run_each(model):
    several = [_model(1, seed=0), _model(1, seed=1)]
    effects, variances = (
        np.stack(
            [
                _row(VOLUME, one.compute_contrast("a", output_type=kind))[VOLUME.mask]
                for one in several
            ]
        )
        for kind in ("effect_size", "effect_variance")
    )
    fixed = combine_runs(several, contrast="a", precision_weighted=True)
    effect, variance = _by_hand(effects, variances, True)
    assert_allclose(_row(VOLUME, fixed.effect_img)[VOLUME.mask], effect)
    assert_allclose(_row(VOLUME, fixed.variance_img)[VOLUME.mask], variance)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "contrast must name what to combine"),
        ({"contrast": "a - c"}, "contrast of run 0.* does not fit its design"),
        ({"contrast": ["a", "b"]}, "list of one for each of the 3 runs. Got 2"),
        ({"contrast": np.eye(2)}, "must be one row"),
        ({"contrast": "a; b"}, "must be one row"),
        ({"contrast": np.zeros(3)}, "not all 0"),
        ({"contrast": np.ones(99)}, "at most"),
        ({"contrast": [object()]}, "must be a text or numbers"),
        ({"contrast": "a", "df": 20}, "df must be left at the default for models"),
    ],
)
def test_refusals_of_models(model, changes, message):
    with pytest.raises(ValueError, match=message):
        combine_runs(model, **changes)


def test_a_model_of_one_run_is_refused_and_tested_as_it_is():
    model = _model(1, active=3.0)
    with pytest.raises(ValueError, match="at least two runs"):
        combine_runs(model, contrast="a")
    df = next(iter(model.results_[0].values())).df_residuals
    assert df == 60 - np.linalg.matrix_rank(model.design_matrices_[0])
    z_img, t_img = (model.compute_contrast("a", output_type=kind) for kind in ("z_score", "stat"))
    found = [
        ClusterTDPTransformer(3, mask_img=VOLUME.mask_img, **told).fit(img).true_discoveries_
        for img, told in ((z_img, {}), (t_img, {"stat_type": "t", "df": df}))
    ]
    assert found[0] == found[1] > 0


def test_other_input_among_models(model):
    with pytest.raises(TypeError, match="Got a FirstLevelModel and a Nifti1Image"):
        combine_runs([model, _ONE], contrast="a")


# Groups.


def _table(kind, n_subjects=6, n_runs=2, seed=3):
    rng = np.random.default_rng(seed)
    rows = []
    for subject in rng.permutation(n_subjects):
        own = rng.normal(1, 1, kind.n)
        for run in range(n_runs):
            row = own + rng.normal(0, 0.5, kind.n)
            rows.append(
                {
                    "subject_label": f"{subject:02}",
                    "map_name": "faces",
                    "effects_map_path": kind.image(row),
                    "variance_map_path": kind.image(rng.uniform(1, 2, kind.n)),
                    "run": run,
                    "age": 20 + int(subject),
                }
            )
    return pd.DataFrame(rows)


@ALL
@WEIGHTED
def test_one_map_of_each_subject_in_the_order_of_the_design(kind, precision_weighted):
    runs = _table(kind)
    table = combine_runs_by_subject(runs, precision_weighted=precision_weighted)
    assert table["subject_label"].tolist() == [f"{k:02}" for k in range(6)]
    assert table["age"].tolist() == list(range(20, 26))
    assert table["n_runs"].tolist() == [2] * 6
    assert "run" not in table
    for label, img in zip(table["subject_label"], table["effects_map_path"], strict=True):
        of_subject = runs[runs["subject_label"] == label]
        effects, variances = (
            np.stack([_row(kind, one) for one in of_subject[name]])
            for name in ("effects_map_path", "variance_map_path")
        )
        effect, _ = _by_hand(effects, variances, precision_weighted)
        assert_allclose(_row(kind, img), effect, rtol=1e-5, atol=1e-6)


def test_group_of_combined_runs_equals_one_of_their_means():
    runs = _table(VOLUME)
    table = combine_runs_by_subject(runs)
    design = pd.DataFrame({"intercept": np.ones(6), "age": table["age"] - table["age"].mean()})
    mask_img = VOLUME.mask_img
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = ARISecondLevelModel(mask_img=mask_img).fit(table, design_matrix=design)
    means = [
        VOLUME.image(np.mean([_row(VOLUME, img) for img in of_subject], axis=0))
        for _, of_subject in runs.groupby("subject_label")["effects_map_path"]
    ]
    other = ARISecondLevelModel(mask_img=mask_img).fit(means, design_matrix=design)
    found = model.compute_contrast("age", "faces", output_type="stat")
    assert_allclose(
        _row(VOLUME, found), _row(VOLUME, other.compute_contrast("age", output_type="stat"))
    )


def test_maps_of_several_names_and_subjects_with_one_run():
    runs = _table(VOLUME, n_subjects=2)
    runs = pd.concat([runs, runs.assign(map_name="houses")]).iloc[:-1]
    table = combine_runs_by_subject(runs)
    assert table["map_name"].tolist() == ["faces", "houses"] * 2
    assert sorted(table["n_runs"]) == [1, 2, 2, 2]
    lonely = table.loc[table["n_runs"] == 1, "effects_map_path"].iloc[0]
    assert lonely is runs["effects_map_path"].iloc[-1]


def test_gaps_of_runs():
    runs = _table(VOLUME, n_subjects=1)
    first, second = (_row(VOLUME, img).copy() for img in runs["effects_map_path"])
    first[3] = second[4] = 0
    first[5] = np.nan
    first[6] = second[6] = 0
    runs["effects_map_path"] = [VOLUME.image(first), VOLUME.image(second)]
    with pytest.warns(UserWarning, match="3 of 335 voxels have a value in some runs only"):
        img = combine_runs_by_subject(runs)["effects_map_path"].iloc[0]
    mean = _row(VOLUME, img)
    assert np.isnan(mean[3:6]).all()
    assert mean[6] == 0
    assert_allclose(mean[7:], (first + second)[7:] / 2)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda runs: runs.drop(columns="map_name"), ValueError, "There is no map_name"),
        (lambda runs: runs.drop(columns="variance_map_path"), ValueError, "no variance_map_path"),
        (lambda runs: runs["effects_map_path"].tolist(), TypeError, "must be a pandas.DataFrame"),
        (
            lambda runs: runs.assign(effects_map_path=[_ONE] * len(runs)),
            ValueError,
            r"hold the same values",
        ),
    ],
)
def test_refusals_of_tables(change, error, message):
    with pytest.raises(error, match=message):
        combine_runs_by_subject(change(_table(VOLUME)), precision_weighted=True)


def _fitted(runs, design=None, calibration=None):
    design = pd.DataFrame({"intercept": np.ones(len(runs))}) if design is None else design
    model = ARISecondLevelModel(mask_img=VOLUME.mask_img, calibration=calibration)
    return model.fit(runs, design_matrix=design)


def test_rows_of_one_subject_are_warned_of():
    runs = _table(VOLUME)
    with pytest.warns(UserWarning, match="Subject '00' has 2 rows.*5 more.*not independent"):
        _fitted(runs)
    with pytest.warns(UserWarning, match="not independent"):
        _fitted(runs, calibration=PermutationCalibration(random_state=0))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("way", ["blocks", "subjects in the design", "other maps", "one row each"])
def test_rows_of_one_subject_that_are_accounted_for(way):
    runs = _table(VOLUME).sort_values("subject_label", kind="stable", ignore_index=True)
    design = calibration = None
    if way == "blocks":
        calibration = PermutationCalibration(blocks=runs["subject_label"].to_numpy())
    elif way == "subjects in the design":
        design = pd.get_dummies(runs["subject_label"], dtype=float).assign(run=runs["run"])
    elif way == "other maps":
        runs["map_name"] = ["a", "b"] * 6
    else:
        runs = runs.iloc[::2].reset_index(drop=True)
    _fitted(runs, design, calibration)


def test_first_level_models_of_one_subject_are_warned_of():
    models = [_model(1, seed=k, subject_label=label) for k, label in enumerate(["a", "a", "b"])]
    with pytest.warns(UserWarning, match="Subject 'a' has 2 rows"):
        _fitted(models)
