"""``ari power``: a forecast from the maps of a pilot."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image

SHAPE = (8, 8, 8)


@pytest.fixture(scope="module")
def pilot(tmp_path_factory):
    """Return a folder with the maps of a pilot, and a mask."""
    folder = tmp_path_factory.mktemp("pilot")
    rng = np.random.default_rng(0)
    for number in range(10):
        maps = rng.standard_normal(SHAPE)
        maps[:4, :4, :4] += 3
        image = Nifti1Image(maps.astype("float32"), np.eye(4))
        image.to_filename(folder / f"sub-{number:02}_effect.nii.gz")
    Nifti1Image(np.ones(SHAPE, "uint8"), np.eye(4)).to_filename(folder / "mask.nii.gz")
    return folder


@pytest.fixture
def command(pilot, monkeypatch):
    """Return the start of a command line, in the folder of the pilot."""
    monkeypatch.chdir(pilot)
    return ["power", "sub-*_effect.nii.gz", "--mask", "mask.nii.gz", "--threshold", "3.1"]


def test_a_forecast_is_printed_and_written(run, command, tmp_path):
    out = tmp_path / "forecast.tsv"
    numbers = ["--n-subjects", "10", "--n-subjects", "30", "--simulations", "4", "--seed", "1"]
    done = run(*command, *numbers, "--out", str(out))
    assert done.code == 0
    assert "Forecast from a pilot of 10 subjects · 4 simulated studies" in done.out
    assert f"table written to {out}" in done.out
    table = pd.read_csv(out, sep="\t")
    assert set(table["n_subjects"]) == {10, 30}
    assert table["set"].iloc[-1] == "all"
    told = json.loads(run(*command, *numbers, "--json").out)
    assert told["forecast"][0]["expected_tdp"] == pytest.approx(table["expected_tdp"].iloc[0])
    assert (told["n_pilot"], told["seed"]) == (10, 1)


def test_without_shrinkage_and_with_sign_flips(run, command):
    numbers = ["--n-subjects", "20", "--simulations", "2", "--seed", "1", "--json"]
    done = run(*command, *numbers, "--permutations", "100", "--no-shrinkage")
    assert done.code == 0
    assert json.loads(done.out)["forecast"][0]["expected_tdp"] > 0.5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--n-subjects", "1"], "--n-subjects must be at least 2"),
        (["--n-subjects", "20", "--simulations", "1"], "--simulations must be at least 2"),
        (["--n-subjects", "20", "--template", "beta"], "--template is for --permutations"),
        (["--n-subjects", "20", "--force"], "--force is for --out"),
        (["--n-subjects", "20", "--tdp", "0.7"], "ask for different sets"),
        (["--n-subjects", "20", "--out", "x.csv"], "--out must name a file that ends in .tsv"),
        (
            ["--n-subjects", "3", "--permutations", "1000"],
            "--n-subjects must be larger: a study of",
        ),
        ([], "--n-subjects"),
    ],
)
def test_refusals(refused, command, options, words):
    assert words in refused(*command, *options)


def test_a_file_is_replaced_only_by_force(refused, command, tmp_path):
    out = tmp_path / "forecast.tsv"
    out.write_text("mine")
    told = refused(*command, "--n-subjects", "20", "--out", str(out))
    assert "--force replaces it" in told
    assert out.read_text() == "mine"
