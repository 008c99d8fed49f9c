"""``ari group --missing omit``: maps that are NaN where a subject lacks a voxel."""

import json

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image, load
from numpy.testing import assert_array_equal

from ari_estimator import ARISecondLevelModel, ClusterTDPTransformer, PermutationCalibration

AFFINE = np.diag([3.0, 3, 3, 1])
SHAPE = (8, 7, 6)
N = 12


@pytest.fixture
def maps(tmp_path):
    """Return the files of maps with gaps, and of their mask."""
    rng = np.random.default_rng(4)
    files = []
    for number in range(N):
        values = rng.standard_normal(SHAPE).astype(np.float32)
        values[2:5, 2:5, 2:5] += 2
        values[rng.random(SHAPE) < 0.1] = np.nan
        files.append(tmp_path / f"sub-{number:02}.nii.gz")
        Nifti1Image(values, AFFINE).to_filename(files[-1])
    mask = tmp_path / "mask.nii.gz"
    Nifti1Image(np.ones(SHAPE, np.uint8), AFFINE).to_filename(mask)
    return files, mask


@pytest.mark.parametrize("n_permutations", [None, 100])
def test_results_are_those_of_the_model(run, maps, tmp_path, n_permutations):
    files, mask = maps
    options, calibration = [], None
    if n_permutations is not None:
        options = ["--permutations", n_permutations, "--seed", 3]
        calibration = PermutationCalibration(n_permutations=n_permutations, random_state=3)
    given = ("group", *files, "--mask", mask, "--threshold", 2.5, "--missing", "omit", *options)
    result = run(*given, "--json", "--out", tmp_path / "out")
    assert result.code == 0, result.err
    assert "NaN" not in result.err
    model = ARISecondLevelModel(
        mask_img=mask,
        transformer=ClusterTDPTransformer(2.5),
        calibration=calibration,
        missing="omit",
    )
    design = pd.DataFrame({"intercept": np.ones(N)})
    model.fit([str(file) for file in files], design_matrix=design)
    model.compute_contrast("intercept", output_type="tdp")
    table = pd.DataFrame(json.loads(result.out)["table"])
    assert table["true_discoveries"].tolist() == model.table_["true_discoveries"].tolist()
    record = json.loads(next((tmp_path / "out").glob("*_contrast.json")).read_text())
    assert "--missing omit" in record["Options"]
    df = load(next((tmp_path / "out").glob("*_stat-df_statmap.nii.gz"))).get_fdata()
    assert_array_equal(df, model.df_img_.get_fdata())
    told = run(*given).out
    assert "missing values left out" in told
    assert "to 11 degrees of freedom" in told


def test_contrasts_together_have_their_degrees_of_freedom(run, maps, tmp_path):
    files, mask = maps
    table = pd.DataFrame({"age": np.arange(N) - (N - 1) / 2, "group": np.arange(N) % 2})
    table.to_csv(tmp_path / "design.tsv", sep="\t", index=False)
    result = run(
        "group", *files, "--design", tmp_path / "design.tsv", "--mask", mask, "--missing", "omit",
        "--contrast", "age", "--contrast", "group", "--joint", "--out", tmp_path / "out",
    )  # fmt: skip
    assert result.code == 0, result.err
    assert "to 9 degrees of freedom, depending on the place" in result.out
    for name in ("age", "group"):
        path = tmp_path / "out" / f"group_contrast-{name}_stat-df_statmap.nii.gz"
        assert load(path).get_fdata().max() == 9


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--missing", "drop"), "--missing must be 'omit'. Got 'drop'"),
        (
            ("--missing", "omit", "--permutations", "50", "--scheme", "bootstrap"),
            "--scheme must be 'auto', 'sign_flip' or 'permutation' with --missing omit",
        ),
    ],
)
def test_refusals_name_the_option(refused, maps, options, message):
    files, mask = maps
    assert message in refused("group", *files, "--mask", mask, *options)
