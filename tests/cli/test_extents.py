"""``ari group --calibrate``: cluster extents, alone and beside p-values."""

import json

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image

from ari_estimator import (
    ARISecondLevelModel,
    ClusterExtentCalibration,
    ClusterTDPTransformer,
    JointCalibration,
    PermutationCalibration,
    load,
)

N = 12
GIVEN = {"n_permutations": 100, "random_state": 5}


@pytest.fixture
def study(tmp_path):
    rng = np.random.default_rng(0)
    effect = np.zeros((7, 7, 7))
    effect[1:5, 1:5, 1:5] = 1.2
    for number in range(N):
        image = Nifti1Image(effect + rng.standard_normal(effect.shape), np.eye(4))
        image.to_filename(tmp_path / f"sub-{number:02}.nii.gz")
    ones = np.ones(effect.shape, dtype=np.uint8)
    Nifti1Image(ones, np.eye(4)).to_filename(tmp_path / "mask.nii.gz")
    return tmp_path


def _arguments(study):
    paths = sorted(study.glob("sub-*.nii.gz"))
    return ["group", *paths, "--mask", study / "mask.nii.gz", "--threshold", "2", "--seed", "5"]


@pytest.mark.filterwarnings("ignore:n_permutations")
@pytest.mark.parametrize("kind", ["extent", "joint"])
def test_the_model_that_python_fits(run, study, kind):
    out = study / "out"
    result = run(
        *_arguments(study), "--permutations", "100", "--calibrate", kind,
        "--height-threshold", "0.02", "--json", "--out", out,
    )  # fmt: skip
    assert result.code == 0, result.err
    told = json.loads(result.out)
    calibration = ClusterExtentCalibration(0.02, **GIVEN)
    if kind == "joint":
        calibration = JointCalibration([PermutationCalibration(**GIVEN), calibration])
    images = [str(path) for path in sorted(study.glob("sub-*.nii.gz"))]
    model = ARISecondLevelModel(
        study / "mask.nii.gz", transformer=ClusterTDPTransformer(2), calibration=calibration
    ).fit(images, design_matrix=pd.DataFrame({"intercept": np.ones(N)}))
    model.compute_contrast(output_type="tdp")
    table = pd.DataFrame(told["table"])
    for name in ("n_voxels", "true_discoveries", "p_fwe_cluster", "p_fwe_peak"):
        np.testing.assert_allclose(table[name], model.table_[name])
    extents = list(model.calibration_._parts.values())[-1]
    assert told["critical_extent"] == extents.critical_extent_
    assert told["critical_extent_interval"] == list(extents.critical_extent_interval_)
    assert told["seed"] == 5
    assert ("lambda" in told) == (kind == "joint")
    if kind == "joint":
        assert told["levels"] == {"p-values": 0.025, "extents": 0.025}
        assert max(told["true_discoveries_by"].values()) == told["true_discoveries"]
        assert set(table["bound_by"]) <= {"p-values", "extents", "p-values and extents", "none"}
    again = load(next(out.glob("*_ari.npz")))
    pd.testing.assert_frame_equal(again.table_, model.table_)
    command = json.loads(next(out.glob("*_contrast.json")).read_text())
    assert f"--calibrate {kind}" in json.dumps(command)


@pytest.mark.filterwarnings("ignore:n_permutations")
def test_the_summary_names_the_size(run, study):
    result = run(*_arguments(study), "--permutations", "100", "--calibrate", "joint")
    assert "clusters at p < 0.001 are significant from a size of" in result.out
    assert "at level 0.025" in result.out
    assert "lambda" in result.out


REFUSED = {
    "unknown": (["--calibrate", "tfce"], "--calibrate must be one of"),
    "height of voxels": (
        ["--permutations", "100", "--height-threshold", "0.01"], "--height-threshold is for",
    ),
    "height without": (["--height-threshold", "0.01"], "--seed is for --permutations"),
    "template of extents": (
        ["--calibrate", "extent", "--template", "beta"], "--template is for --calibrate voxels",
    ),
    "a z value": (["--calibrate", "extent", "--height-threshold", "3.1"], "between 0 and 0.5"),
    "adaptive": (["--calibrate", "extent", "--tdp", "0.5"], "adaptive clusters are formed by"),
}  # fmt: skip


@pytest.mark.parametrize(("options", "said"), REFUSED.values(), ids=REFUSED)
def test_options_without_effect_are_refused(refused, study, options, said):
    arguments = _arguments(study)
    if "--tdp" in options:
        at = arguments.index("--threshold")
        del arguments[at : at + 2]
    assert said in refused(*arguments, *options)
