"""``--directional``: bounds for each sign, in what commands say and write."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image

from ari_estimator import ClusterTDPTransformer, load

BY_SIGN = ["true_discoveries_positive", "true_discoveries_negative"]


@pytest.mark.parametrize(
    "sets", [["clusters"], ["adaptive", "--tdp", "0.5"], ["regions", "--atlas", None]], ids=str
)
def test_tables_have_a_column_for_each_sign(run, files, sets):
    command, *options = [files.atlas if one is None else one for one in sets]
    result = run(
        command, files.z, "--mask", files.mask, *options, "--directional", "--json",
        "--out", files.folder / "out",
    )  # fmt: skip
    assert result.code == 0, result.err
    told = json.loads(result.out)
    table = pd.DataFrame(told["table"])
    assert (table[BY_SIGN].sum(axis=1) == table["true_discoveries"]).all()
    ari = ClusterTDPTransformer(two_sided="directional", mask_img=files.mask).fit(files.z)
    assert told["true_discoveries_by_sign"] == ari.maps_.true_discoveries_by_sign
    written = pd.read_csv(next((files.folder / "out").glob("*.tsv")), sep="\t")
    assert set(BY_SIGN) <= set(written)
    # The archive knows the signs, too.
    archive = load(next((files.folder / "out").glob("*_ari.npz")))
    assert archive.maps_.true_discoveries_by_sign == told["true_discoveries_by_sign"]


def test_the_summary_states_both_signs(run, files):
    result = run("clusters", files.z, "--mask", files.mask, "--directional")
    assert "have a positive effect" in result.out
    assert "have a negative effect" in result.out


def test_two_sided_and_directional_are_refused_together(refused, files):
    said = refused("clusters", files.z, "--mask", files.mask, "--two-sided", "--directional")
    assert "--directional and --two-sided must not be given together" in said


def test_messages_name_the_option(refused, files):
    said = refused("clusters", files.z, "--mask", files.mask, "--stat-type", "p", "--directional")
    assert "--directional must be False for --stat-type p" in said
    said = refused("explore", files.z, "--mask", files.mask, "--directional")
    assert "--directional is not for a page" in said


def test_a_group_has_a_calibration_for_each_sign(run, refused, tmp_path):
    rng = np.random.default_rng(0)
    effect = np.zeros((7, 7, 7))
    effect[1:4, 1:4, 1:4], effect[4:6, 4:6, 4:6] = 2, -2
    paths = [tmp_path / f"sub-{number:02}.nii.gz" for number in range(12)]
    for path in paths:
        Nifti1Image(effect + rng.standard_normal(effect.shape), np.eye(4)).to_filename(path)
    mask = tmp_path / "mask.nii.gz"
    Nifti1Image(np.ones(effect.shape, dtype=np.uint8), np.eye(4)).to_filename(mask)
    arguments = ["group", *paths, "--mask", mask, "--directional", "--alpha", "0.1"]
    calibrated = [*arguments, "--permutations", "100", "--seed", "0"]
    result = run(*calibrated, "--threshold", "2.5", "--json")
    assert result.code == 0, result.err
    told = json.loads(result.out)
    assert set(told["lambda"]) == set(told["lambda_interval"]) == {"positive", "negative"}
    assert min(told["true_discoveries_by_sign"].values()) > 0
    assert "lambda of negative effects" in run(*calibrated, "--threshold", "2.5").out
