"""Results in a folder, and what is loaded from it: as good as what was saved."""

from __future__ import annotations

import json
from contextlib import suppress

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from nibabel.cifti2 import BrainModelAxis, Cifti2Image, ScalarAxis
from nilearn.datasets import load_fsaverage
from nilearn.surface import SurfaceImage, load_surf_data
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import ari_estimator
from ari_estimator import (
    AdaptiveTDPTransformer,
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
    RegionTDPTransformer,
    confidence_curve,
    learn_template,
    set_bound,
)
from ari_estimator.closed_testing import CalibratedTest

AFFINE = np.diag([3.0, 3, 3, 1])


@pytest.fixture
def volume(rng):
    """Return a z map with clusters, NaN in some voxels, its mask, and an atlas."""
    z = rng.standard_normal((9, 8, 7))
    z[2:5, 2:5, 2:5] += 5
    z[6:8, 4:7, 1:3] -= 4
    z[1, 1, 1] = np.nan
    mask = np.ones(z.shape, dtype=np.uint8)
    mask[0] = 0
    atlas = np.ones(z.shape, dtype=np.int32)
    atlas[5:] = 7
    atlas[0] = 9  # out of the mask
    return tuple(Nifti1Image(data, AFFINE) for data in (z, mask, atlas))


@pytest.fixture
def rng():
    """Return a generator."""
    return np.random.default_rng(3)


def _assert_same(fitted, again, **where):
    transformer = getattr(fitted, "transformer_", fitted)
    assert type(again) is type(transformer)
    pd.testing.assert_frame_equal(transformer.table_, again.table_)
    assert set_bound(fitted, **where) == set_bound(again, **where)
    pd.testing.assert_frame_equal(confidence_curve(fitted), confidence_curve(again))
    assert again.n_tested_ == transformer.n_tested_
    assert again.true_discoveries_ == transformer.true_discoveries_


WAYS = {
    "thresholds": ClusterTDPTransformer([2, 3.5], two_sided=True, connectivity=26, alpha=0.1),
    "concentration": ClusterTDPTransformer("concentration", local_test="hommel"),
    "far": ClusterTDPTransformer([2, 1e300]),
    "adaptive": AdaptiveTDPTransformer((0.5, 0.9), two_sided=True, cluster_threshold=2),
    "threshold-free": AdaptiveTDPTransformer(None),
    "t": ClusterTDPTransformer(2.5, stat_type="t", df=12),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.filterwarnings("ignore:The map is NaN")
def test_what_is_loaded_knows_all_sets(volume, tmp_path, way):
    z_img, mask_img, _ = volume
    ari = WAYS[way].set_params(mask_img=mask_img)
    ari.fit_transform(z_img)
    files = ari_estimator.save(ari, tmp_path, prefix="sub-01")
    again = ari_estimator.load(files["archive"])
    _assert_same(ari, again, seed=(9, 9, 9), radius=7)
    np.testing.assert_array_equal(again.mask_img_.affine, AFFINE)
    np.testing.assert_array_equal(again.labels_img_.get_fdata(), ari.labels_img_.get_fdata())
    own = ari.get_params()
    for name in ("alpha", "stat_type", "df", "two_sided", "local_test"):
        assert again.get_params()[name] == own[name]


@pytest.mark.filterwarnings("ignore:The map is NaN")
def test_files_hold_images_table_and_what_was_done(volume, tmp_path):
    z_img, mask_img, _ = volume
    ari = ClusterTDPTransformer(2.5, mask_img=mask_img)
    tdp_img = ari.fit_transform(z_img)
    files = ari_estimator.save(ari, tmp_path / "new", prefix="sub-01_task-x", command="ari x")
    assert {what: path.name for what, path in files.items()} == {
        "TDP image": "sub-01_task-x_stat-tdp_statmap.nii.gz",
        "label image": "sub-01_task-x_desc-clusters_dseg.nii.gz",
        "table": "sub-01_task-x_clusters.tsv",
        "sidecar": "sub-01_task-x_clusters.json",
        "archive": "sub-01_task-x_ari.npz",
    }
    assert {path.name for path in (tmp_path / "new").iterdir()} == {p.name for p in files.values()}
    saved = nib.load(files["TDP image"])
    np.testing.assert_array_equal(saved.get_fdata(), tdp_img.get_fdata())
    np.testing.assert_array_equal(saved.affine, tdp_img.affine)
    labels = nib.load(files["label image"])
    np.testing.assert_array_equal(labels.get_fdata(), ari.labels_img_.get_fdata())
    table = pd.read_csv(files["table"], sep="\t", na_values="n/a")
    pd.testing.assert_frame_equal(table, ari.table_, check_dtype=False)
    sidecar = json.loads(files["sidecar"].read_text())
    assert sidecar["Test"] == "Simes tests"
    assert sidecar["LocalTest"] == "simes"
    assert sidecar["HommelValue"] == ari.maps_.test.value(0.05)
    assert sidecar["Sets"] == "supra-threshold clusters"
    assert sidecar["NumberTested"] == ari.n_tested_
    assert "Contrast" not in sidecar
    assert sidecar["Command"] == "ari x"
    assert sidecar["Parameters"]["threshold"] == 2.5
    assert set(ari.table_.columns) <= set(sidecar)
    assert sidecar["size_mm3"]["Units"] == "mm^3"


@pytest.mark.filterwarnings("ignore:1 of the 3 regions", "ignore:The map is NaN")
def test_regions_with_one_out_of_the_mask(volume, tmp_path):
    z_img, mask_img, atlas_img = volume
    regions = RegionTDPTransformer(atlas_img, labels=["a", "b", "c"], mask_img=mask_img)
    tdps = regions.fit_transform(z_img)
    files = ari_estimator.save(regions, tmp_path)
    again = ari_estimator.load(tmp_path)
    _assert_same(regions, again, seed=(9, 9, 9), radius=7)
    assert again.region_names_ == ["a", "b", "c"]
    shown = nib.load(files["TDP image"]).get_fdata()
    np.testing.assert_array_equal(shown[2], tdps[0, 0])
    assert "label image" not in files
    assert files["table"].name == "map_regions.tsv"


@pytest.mark.filterwarnings("ignore:The map is NaN")
def test_regions_that_overlap(volume, tmp_path):
    z_img, mask_img, atlas_img = volume
    maps = np.stack([atlas_img.get_fdata() > 0, atlas_img.get_fdata() == 7], axis=-1)
    regions = RegionTDPTransformer(Nifti1Image(maps.astype(np.uint8), AFFINE), mask_img=mask_img)
    regions.fit_transform(z_img)
    ari_estimator.save(regions, tmp_path)
    _assert_same(regions, ari_estimator.load(tmp_path), seed=(9, 9, 9), radius=7)


@pytest.mark.filterwarnings("ignore:The map is NaN")
def test_given_clusters(volume, tmp_path):
    z_img, mask_img, atlas_img = volume
    ari = ClusterTDPTransformer(labels_img=Nifti1Image((atlas_img.get_fdata() == 7) * 4.0, AFFINE))
    ari.set_params(mask_img=mask_img).fit_transform(z_img)
    ari_estimator.save(ari, tmp_path)
    _assert_same(ari, ari_estimator.load(tmp_path), seed=(9, 9, 9), radius=7)


def test_calibrated_model(rng, tmp_path):
    data = rng.standard_normal((6, 6, 6, 12))
    data[2:4, 2:4, 2:4] += 2
    images = [Nifti1Image(data[..., k], AFFINE) for k in range(12)]
    mask_img = Nifti1Image(np.ones((6, 6, 6), dtype=np.uint8), AFFINE)
    model = ARISecondLevelModel(
        mask_img=mask_img,
        transformer=ClusterTDPTransformer(2),
        calibration=PermutationCalibration("beta", n_permutations=60, random_state=5),
    )
    model.fit(images, design_matrix=pd.DataFrame({"intercept": np.ones(12)}))
    model.compute_contrast("intercept", output_type="tdp")
    files = ari_estimator.save(model, tmp_path)
    again = ari_estimator.load(tmp_path)
    _assert_same(model, again, seed=(9, 9, 9), radius=6)
    assert isinstance(again.maps_.test, CalibratedTest)
    described, expected = again.maps_.describe(), model.maps_.describe()
    for part in ("statistic", "family", "test", "sets", "contrast"):
        assert described[part] == expected[part]
    sidecar = json.loads(files["sidecar"].read_text())
    assert sidecar["Test"] == "bounds calibrated by permutations"
    assert sidecar["Template"] == "beta"
    assert sidecar["NumberOfPermutations"] == 60
    assert sidecar["Lambda"] == model.calibration_.lambda_
    assert sidecar["Scheme"] == "sign-flipping"
    assert sidecar["Seed"] == 5
    assert sidecar["Contrast"] == "intercept"
    assert not {"HommelValue", "LocalTest"} & set(sidecar)


def test_surface(rng, tmp_path):
    mesh = load_fsaverage("fsaverage5")["pial"]
    data = {name: rng.standard_normal(part.n_vertices) for name, part in mesh.parts.items()}
    data["left"][:300] += 5
    data["right"][:20] = np.nan
    ari = ClusterTDPTransformer(3)
    with pytest.warns(UserWarning, match="NaN"):
        tdp_img = ari.fit_transform(SurfaceImage(mesh, data))
    files = ari_estimator.save(ari, tmp_path)
    again = ari_estimator.load(tmp_path)
    _assert_same(ari, again, indices={"left": list(range(50))})
    saved = load_surf_data(files["TDP image, left"])
    exact = tdp_img.data.parts["left"]
    np.testing.assert_allclose(saved, exact, rtol=1e-6)
    # A lower bound is not rounded up.
    assert (saved <= exact).all()
    labels = load_surf_data(files["label image, right"])
    np.testing.assert_array_equal(labels, ari.labels_img_.data.parts["right"])


def test_one_of_several_maps(volume, tmp_path):
    z_img, mask_img, _ = volume
    z = np.nan_to_num(z_img.get_fdata())
    ari = ClusterTDPTransformer(3, mask_img=mask_img)
    ari.fit_transform([Nifti1Image(z, AFFINE), Nifti1Image(z[::-1].copy(), AFFINE)])
    with pytest.raises(ValueError, match="map_index"):
        ari_estimator.save(ari, tmp_path)
    ari_estimator.save(ari, tmp_path, map_index=1)
    pd.testing.assert_frame_equal(ari_estimator.load(tmp_path).table_, ari.table_[1])


def test_files_that_are_there_stay_unless_they_may_be_replaced(motor_img, tmp_path):
    ari = ClusterTDPTransformer()
    ari.fit_transform(motor_img)
    (tmp_path / "map_clusters.tsv").write_text("mine")
    with pytest.raises(FileExistsError, match=r"map_clusters\.tsv"):
        ari_estimator.save(ari, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["map_clusters.tsv"]
    assert (tmp_path / "map_clusters.tsv").read_text() == "mine"
    ari_estimator.save(ari, tmp_path, overwrite=True)
    assert (tmp_path / "map_clusters.tsv").read_text() != "mine"


@pytest.mark.parametrize("prefix", ["", "../up", ".hidden", "a/b", "what?"])
def test_prefix_must_be_the_start_of_a_name(motor_img, tmp_path, prefix):
    ari = ClusterTDPTransformer()
    ari.fit_transform(motor_img)
    with pytest.raises(ValueError, match="prefix"):
        ari_estimator.save(ari, tmp_path, prefix=prefix)


def test_what_cannot_be_saved_or_loaded(tmp_path):
    with pytest.raises(NotFittedError):
        ari_estimator.save(ClusterTDPTransformer(), tmp_path)
    with pytest.raises(TypeError, match="fitted"):
        ari_estimator.save("map", tmp_path)
    with pytest.raises(FileNotFoundError, match="no file"):
        ari_estimator.load(tmp_path)
    (tmp_path / "x_ari.npz").write_text("nothing")
    with pytest.raises(ValueError, match="tested map"):
        ari_estimator.load(tmp_path)
    (tmp_path / "y_ari.npz").write_text("nothing")
    with pytest.raises(ValueError, match="one of the files"):
        ari_estimator.load(tmp_path)


@pytest.mark.parametrize(("template", "delta"), [("aorc", 0), ("aorc", 2), ("learned", 0)])
def test_templates_and_numbers_of_a_calibration(rng, tmp_path, template, delta):
    data = rng.standard_normal((12, 216))
    data[:, :20] += 2
    if template == "learned":
        pilot = np.random.default_rng(1).standard_normal((14, 216))
        template = learn_template(pilot, n_permutations=40, k_max=50, random_state=0)
    mask_img = Nifti1Image(np.ones((6, 6, 6), dtype=np.uint8), AFFINE)
    # With a delta there is no element for step-down to leave out.
    calibration = PermutationCalibration(
        template, n_permutations=60, k_max=50, delta=delta, step_down=not delta,
        random_state=np.int64(5),
    )  # fmt: skip
    model = ARISecondLevelModel(
        mask_img=mask_img, transformer=RegionTDPTransformer(mask_img), calibration=calibration
    )
    model.fit(
        [Nifti1Image(row.reshape(6, 6, 6), AFFINE) for row in data],
        design_matrix=pd.DataFrame({"intercept": np.ones(12)}),
    )
    model.compute_contrast("intercept", output_type="tdp")
    files = ari_estimator.save(model, tmp_path)
    again = ari_estimator.load(tmp_path)
    _assert_same(model, again, seed=(9, 9, 9), radius=6)
    sidecar = json.loads(files["sidecar"].read_text())
    made = model.transformer_.maps_.test.calibration
    assert sidecar["Template"] == made.template.in_words
    assert sidecar["Delta"] == delta
    assert sidecar["KMax"] == 50
    assert sidecar["NumberOfSteps"] == made.n_steps
    assert sidecar["Seed"] == 5
    # As good as the first: what is saved again is the same again.
    ari_estimator.save(again, tmp_path / "more")
    _assert_same(model, ari_estimator.load(tmp_path / "more"), seed=(9, 9, 9), radius=6)


@pytest.mark.filterwarnings("ignore:The map is NaN")
def test_cifti(rng, tmp_path):
    sphere = load_fsaverage("fsaverage5")["sphere"]
    vertices = np.arange(0, 10242)
    voxels = np.array(list(np.ndindex(4, 4, 4)))
    axis = BrainModelAxis.from_surface(vertices[::-1], 10242, name="CortexRight") + BrainModelAxis(
        np.full(64, "CIFTI_STRUCTURE_THALAMUS_LEFT"),
        voxel=voxels,
        affine=AFFINE,
        volume_shape=(4, 4, 4),
    )
    z = rng.standard_normal(len(axis))
    z[5000:5300] += 4
    z[-20:] += 5
    z[7] = np.nan
    img = Cifti2Image(z[np.newaxis], (ScalarAxis(["z"]), axis))
    ari = ClusterTDPTransformer(2, mesh={"right": sphere.parts["right"]})
    tdp_img = ari.fit_transform(img)
    files = ari_estimator.save(ari, tmp_path)
    assert files["TDP image"].name == "map_stat-tdp_statmap.dscalar.nii"
    again = ari_estimator.load(tmp_path)
    _assert_same(ari, again, indices=np.arange(100, 300))
    saved = nib.load(files["TDP image"])
    np.testing.assert_array_equal(saved.get_fdata(), tdp_img.get_fdata())
    np.testing.assert_array_equal(again.labels_img_.get_fdata(), ari.labels_img_.get_fdata())


def test_files_of_other_versions_and_damaged_ones(motor_img, tmp_path):
    ari = ClusterTDPTransformer()
    ari.fit_transform(motor_img)
    archive = ari_estimator.save(ari, tmp_path)["archive"]
    with np.load(archive) as arrays:
        later = dict(arrays) | {"format": 99, "version": "9.1", "kind": "hologram"}
    np.savez(tmp_path / "later_ari.npz", **later)
    with pytest.raises(ValueError, match=r"written by ari_estimator 9\.1, in format 99.*reads"):
        ari_estimator.load(tmp_path / "later_ari.npz")
    content = archive.read_bytes()
    for place in np.linspace(0, len(content) - 1, 40).astype(int):
        changed = bytearray(content)
        changed[place : place + 30] = bytes(30)
        (tmp_path / "damaged_ari.npz").write_bytes(changed)
        # Bytes that no array is made of may change.
        with suppress(ValueError):
            pd.testing.assert_frame_equal(
                ari_estimator.load(tmp_path / "damaged_ari.npz").table_, ari.table_
            )
    (tmp_path / "damaged_ari.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="tested map"):
        ari_estimator.load(tmp_path / "damaged_ari.npz")


def test_a_file_runs_no_code(tmp_path):
    ran = []

    class Mine:
        def __reduce__(self):
            return ran.append, (1,)

    np.savez(
        tmp_path / "x_ari.npz", ari_estimator="tested map", format=np.array([Mine()], dtype=object)
    )
    with pytest.raises(ValueError, match="tested map"):
        ari_estimator.load(tmp_path)
    assert not ran


def test_command_with_a_name_that_is_no_unicode(motor_img, tmp_path):
    ari = ClusterTDPTransformer()
    ari.fit_transform(motor_img)
    files = ari_estimator.save(ari, tmp_path, command="ari clusters \udcff.nii")
    text = files["sidecar"].read_text(encoding="utf-8")
    assert json.loads(text)["Command"] == "ari clusters \udcff.nii"


CALIBRATIONS = {
    "sign-flipping": PermutationCalibration("aorc", n_permutations=50, random_state=3),
    "blocks": PermutationCalibration(
        n_permutations=50, random_state=np.int64(3), blocks=np.arange(14) // 2, step_down=True
    ),
    "delta": PermutationCalibration("beta", n_permutations=50, k_max=40, delta=3),
    "rank": PermutationCalibration(n_permutations=50, p_values="rank", random_state=3),
}


_GROUPS = np.repeat(["b", "a"], [5, 9])
_CELLS = np.column_stack([_GROUPS == "b", _GROUPS == "a"]).astype(float)

STATISTICS = {
    "t": ([1, -1], {"blocks": np.repeat(list("cbadefg"), 2), "exchange": "both"}),
    "F": ([[1, 0], [0, 1]], {"blocks": [[1, 1 + i // 2] for i in range(14)]}),
    "v": ([1, -1], {"variance_groups": "auto"}),
    "G": ([[1, 0], [0, 1]], {"variance_groups": _GROUPS, "random_state": None}),
}


@pytest.mark.parametrize("name", STATISTICS)
def test_calibrations_of_all_statistics_are_loaded_as_they_were_fitted(rng, tmp_path, name):
    contrast, parameters = STATISTICS[name]
    data = rng.standard_normal((14, 120))
    data[_GROUPS == "a", :15] += 4
    design = _CELLS
    if "exchange" in parameters:  # something that varies within blocks and between them
        design = np.column_stack([rng.standard_normal(14), np.ones(14)])
        contrast = [1, 0]
    calibration = PermutationCalibration(n_permutations=50, **{"random_state": 3, **parameters})
    calibration.fit(data, design, contrast)
    assert calibration.stat_type_ == name
    files = ari_estimator.save(calibration, tmp_path)
    again = ari_estimator.load(tmp_path)
    fitted = {attribute for attribute in vars(calibration) if attribute.endswith("_")}
    assert fitted == {attribute for attribute in vars(again) if attribute.endswith("_")}
    for attribute in fitted - {"calibration_", "critical_vector_"}:
        np.testing.assert_array_equal(getattr(again, attribute), getattr(calibration, attribute))
    assert again.exchange == calibration.exchange
    # Labels may have other names. With the seed, the same comes out.
    refitted = clone(again).set_params(random_state=again.seed_).fit(data, design, contrast)
    assert refitted.lambda_ == calibration.lambda_
    assert refitted.scheme_ == calibration.scheme_
    sidecar = json.loads(files["sidecar"].read_text())
    assert sidecar["Statistic"] == name
    groups = {"v": "auto", "G": [0] * 5 + [1] * 9}
    assert sidecar["VarianceGroups"] == groups.get(name)
    assert sidecar["Seed"] == calibration.seed_


@pytest.mark.parametrize("way", CALIBRATIONS)
@pytest.mark.parametrize("two_sided", [False, True])
def test_calibration_is_loaded_as_it_was_fitted(rng, tmp_path, way, two_sided):
    data = rng.standard_normal((14, 120))
    data[:, :15] += 2
    calibration = clone(CALIBRATIONS[way]).fit(data, alpha=0.1, two_sided=two_sided)
    files = ari_estimator.save(calibration, tmp_path, prefix="study", command="python x.py")
    assert {what: path.name for what, path in files.items()} == {
        "sidecar": "study_calibration.json",
        "archive": "study_ari.npz",
    }
    again = ari_estimator.load(tmp_path)
    assert type(again) is PermutationCalibration
    fitted = {name for name in vars(calibration) if name.endswith("_")}
    assert fitted == {name for name in vars(again) if name.endswith("_")}
    for name in ("lambda_", "df_", "two_sided_", "n_permutations_", "scheme_", "n_features_in_"):
        assert getattr(again, name) == getattr(calibration, name)
    for name in ("p_values_", "statistic_", "is_constant_", "pivotal_statistics_"):
        np.testing.assert_array_equal(getattr(again, name), getattr(calibration, name))
    thresholds = calibration.critical_vector_.thresholds
    np.testing.assert_array_equal(again.critical_vector_.thresholds, thresholds)
    for name in ("template", "n_permutations", "p_values", "delta", "step_down", "random_state"):
        assert getattr(again, name) == getattr(calibration, name)
    np.testing.assert_array_equal(again.blocks, calibration.blocks)
    sidecar = json.loads(files["sidecar"].read_text())
    assert sidecar["Alpha"] == 0.1
    assert sidecar["TwoSided"] == two_sided
    assert sidecar["NumberTested"] == 120
    assert sidecar["Lambda"] == calibration.lambda_
    assert sidecar["Scheme"] == calibration.scheme_
    assert sidecar.get("Seed") == calibration.seed_
    assert sidecar["Command"] == "python x.py"


def test_calibration_that_was_loaded_bounds_the_map_of_its_contrast(rng, tmp_path):
    data = rng.standard_normal((14, 216))
    data[:, :30] += 2
    calibration = PermutationCalibration(n_permutations=50, random_state=0).fit(data)
    ari_estimator.save(calibration, tmp_path)
    mask_img = Nifti1Image(np.ones((6, 6, 6), dtype=np.uint8), AFFINE)
    t_img = Nifti1Image(calibration.statistic_.reshape(6, 6, 6), AFFINE)
    ari = ClusterTDPTransformer(2, mask_img=mask_img, stat_type="t", df=calibration.df_)
    expected = clone(ari).fit(t_img, calibration=calibration)
    found = ari.fit(t_img, calibration=ari_estimator.load(tmp_path))
    assert found.true_discoveries_ > 0
    pd.testing.assert_frame_equal(found.table_, expected.table_)


def test_learned_template_is_saved_with_its_calibration(rng, tmp_path):
    template = learn_template(rng.standard_normal((14, 80)), n_permutations=40, random_state=0)
    data = rng.standard_normal((12, 80))
    calibration = PermutationCalibration(template, n_permutations=40, random_state=0).fit(data)
    ari_estimator.save(calibration, tmp_path)
    again = ari_estimator.load(tmp_path)
    assert again.lambda_ == calibration.lambda_
    # The template still knows which subjects it was learned from.
    assert clone(again).fit(data).lambda_ == calibration.lambda_
    with pytest.raises(ValueError, match="was learned from"):
        clone(again).fit(np.random.default_rng(3).standard_normal((14, 80)))


def test_calibration_without_a_fit_or_with_a_map_index_is_refused(rng, tmp_path):
    with pytest.raises(NotFittedError):
        ari_estimator.save(PermutationCalibration(), tmp_path)
    calibration = PermutationCalibration(n_permutations=20).fit(rng.standard_normal((10, 30)))
    with pytest.raises(ValueError, match="map_index must be left at the default"):
        ari_estimator.save(calibration, tmp_path, map_index=0)
    assert not list(tmp_path.iterdir())


@pytest.mark.filterwarnings("ignore:The map is NaN")
def test_fitted_map_is_saved_as_its_transformer_is(volume, tmp_path):
    z_img, mask_img, _ = volume
    ari = AdaptiveTDPTransformer(0.5, mask_img=mask_img).fit(z_img)
    by_map = ari_estimator.save(ari.maps_, tmp_path / "map")
    by_estimator = ari_estimator.save(ari, tmp_path / "estimator")
    assert by_map.keys() == by_estimator.keys()
    for what in ("table", "sidecar", "label image"):
        assert by_map[what].read_bytes() == by_estimator[what].read_bytes()
    _assert_same(ari, ari_estimator.load(tmp_path / "map"), seed=(9, 9, 9), radius=7)
