"""``ari demo``: what it writes, what it prints, and that it leaves nothing half-written."""

from __future__ import annotations

import subprocess
import sys

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nilearn.datasets import load_sample_motor_activation_image

from ari_estimator import ClusterTDPTransformer
from ari_estimator.cli import main

FILES = {
    "motor_ari.npz",
    "motor_clusters.json",
    "motor_clusters.tsv",
    "motor_desc-clusters_dseg.nii.gz",
    "motor_stat-tdp_statmap.nii.gz",
    "motor_tdp.png",
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "made" / "here"
    result = subprocess.run(
        [sys.executable, "-m", "ari_estimator", "demo", "--out", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    return result, folder


def test_demo_writes_its_files_and_says_where(demo):
    result, folder = demo
    assert result.returncode == 0, result.stderr
    assert {path.name for path in folder.iterdir()} == FILES
    for name in FILES:
        assert str(folder / name) in result.stdout


def test_demo_prints_the_table_that_it_writes(demo):
    result, folder = demo
    table = pd.read_csv(folder / "motor_clusters.tsv", sep="\t", na_values="n/a")
    assert len(table) > 3
    for row in table.itertuples():
        assert f"{row.n_voxels:,}" in result.stdout
        # Rounded down, since it is a lower bound.
        assert f"{row.true_discoveries * 1000 // row.n_voxels / 1000:.3f}" in result.stdout


def test_demo_is_the_transformer_on_the_bundled_map(demo):
    _, folder = demo
    ari = ClusterTDPTransformer(two_sided=True, cluster_threshold=10)
    tdp_img = ari.fit_transform(load_sample_motor_activation_image())
    saved = nib.load(folder / "motor_stat-tdp_statmap.nii.gz")
    np.testing.assert_array_equal(saved.get_fdata(), tdp_img.get_fdata())
    np.testing.assert_array_equal(saved.affine, tdp_img.affine)
    labels = nib.load(folder / "motor_desc-clusters_dseg.nii.gz")
    np.testing.assert_array_equal(labels.get_fdata(), ari.labels_img_.get_fdata())


def test_demo_draws_a_picture(demo):
    _, folder = demo
    picture = (folder / "motor_tdp.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 20_000


def test_demo_into_a_file_is_refused_in_one_line(tmp_path, capsys):
    target = tmp_path / "file"
    target.write_text("mine")
    assert main(["demo", "--out", str(target)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert str(target) in error
    assert target.read_text() == "mine"


def test_demo_that_fails_leaves_earlier_files_as_they_were(tmp_path, monkeypatch, capsys):
    (tmp_path / "motor_clusters.tsv").write_text("mine")

    def fail(*args, **kwargs):
        raise RuntimeError("no figure")

    monkeypatch.setattr("ari_estimator.plotting.plot_tdp", fail)
    assert main(["demo", "--out", str(tmp_path)]) == 1
    assert "no figure" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["motor_clusters.tsv"]
    assert (tmp_path / "motor_clusters.tsv").read_text() == "mine"
