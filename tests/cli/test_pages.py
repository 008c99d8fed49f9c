"""``ari explore`` and ``ari report``, of maps and of what was saved; and ``ari info``."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest
from nibabel.cifti2 import BrainModelAxis, Cifti2Image, LabelAxis, ScalarAxis

import ari_estimator
from ari_estimator import PermutationCalibration


def test_report_holds_clusters_and_methods(run, files, tmp_path):
    out = tmp_path / "report.html"
    result = run(
        "report", files.z, "--mask", files.mask, "--threshold", "2.5", "--out", out,
        "--title", "<b>Mine</b>",
    )  # fmt: skip
    assert result.code == 0, result.err
    page = out.read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert "&lt;b&gt;Mine&lt;/b&gt;" in page
    assert "Rosenblatt" in page
    assert str(out) in result.out


@pytest.mark.parametrize("command", ["report", "explore"])
def test_pages_are_named_after_the_map(run, files, tmp_path, monkeypatch, command):
    page_name = {"report": "z_report.html", "explore": "z_explorer.html"}[command]
    monkeypatch.chdir(tmp_path)
    assert run(command, files.z, "--mask", files.mask).code == 0
    assert (tmp_path / page_name).exists()


@pytest.mark.parametrize("command", ["report", "explore"])
def test_pages_of_what_was_saved(run, refused, files, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    run("clusters", files.z, "--mask", files.mask, "--alpha", "0.2", "--out", "saved")
    saved = tmp_path / "saved" / "z_ari.npz"
    page = tmp_path / "page.html"
    assert run(command, saved, "--out", page).code == 0
    again = ari_estimator.load(saved)
    assert again.alpha == 0.2
    # In the report as a share, in the explorer as a number.
    assert {"report": "80 %", "explore": "probability 0.8"}[command] in page.read_text()
    page.unlink()
    assert run(command, tmp_path / "saved", "--out", page).code == 0
    # Of a folder, too, the page is named after the map in it.
    monkeypatch.chdir(tmp_path / "saved")
    assert run(command, ".").code == 0
    assert list((tmp_path / "saved").glob("*.html")) == [
        tmp_path / "saved" / {"report": "z_report.html", "explore": "z_explorer.html"}[command]
    ]
    line = refused(command, saved, "--alpha", "0.1", "--out", tmp_path / "other.html")
    assert "A saved result keeps its test" in line


def test_calibration_that_was_saved_is_reported_and_not_explored(run, refused, tmp_path):
    data = np.random.default_rng(0).standard_normal((10, 50))
    calibration = PermutationCalibration(n_permutations=40, random_state=0).fit(data)
    archive = ari_estimator.save(calibration, tmp_path, prefix="study")["archive"]
    page = tmp_path / "page.html"
    assert run("report", archive, "--out", page).code == 0
    assert "40 permutations of the subjects (sign-flipping)" in page.read_text()
    line = refused("report", archive, "--max-sets", "3", "--out", tmp_path / "other.html")
    assert "--max-sets must be left at the default for a calibration" in line
    line = refused("explore", archive, "--out", tmp_path / "other.html")
    assert "Got a PermutationCalibration" in line


def test_explorer_starts_with_one_tdp(refused, files, tmp_path):
    page = tmp_path / "page.html"
    line = refused(
        "explore", files.z, "--mask", files.mask, "--out", page, "--tdp", "0.5", "--tdp", "0.7"
    )
    assert "--tdp must be given once" in line
    assert "0.5 and 0.7" in line
    assert not page.exists()


def test_explorer_takes_an_atlas(run, files, tmp_path):
    page = tmp_path / "page.html"
    result = run(
        "explore", files.z, "--mask", files.mask, "--atlas", files.atlas, "--lut", files.lut,
        "--out", page, "--json",
    )  # fmt: skip
    assert result.code == 0, result.err
    assert json.loads(result.out)["files"] == {"page": str(page)}
    text = page.read_text()
    assert "right half" in text
    # What the page saves is named after the map.
    assert '"file_stem":"z"' in text


def test_explorer_takes_a_second_map(run, refused, files, tmp_path):
    z_img = nib.load(files.z)
    other = tmp_path / "other.nii.gz"
    nib.Nifti1Image(z_img.get_fdata() * 2, z_img.affine).to_filename(other)
    page = tmp_path / "page.html"
    explored = ("explore", files.z, "--mask", files.mask, "--out", page)
    result = run(*explored, "--second-map", other)
    assert result.code == 0, result.err
    assert '"second_name":"other"' in page.read_text()
    page.unlink()
    nib.Nifti1Image(z_img.get_fdata()[:-1], z_img.affine).to_filename(other)
    assert "--second-map" in refused(*explored, "--second-map", other)
    assert not page.exists()


def test_explorer_takes_cifti_files(run, refused, tmp_path):
    rng = np.random.default_rng(4)
    models = sum(
        (
            BrainModelAxis.from_surface(np.arange(100, 4100), 10242, "CORTEX_RIGHT"),
            BrainModelAxis.from_mask(np.ones((9, 9, 9), dtype=bool), affine=np.eye(4)),
        ),
        BrainModelAxis.from_surface(np.arange(4000), 10242, "CORTEX_LEFT"),
    )
    labels = {0: ("???", (0, 0, 0, 0)), 1: ("a gyrus", (1, 0, 0, 1))}
    for name, rows in (("z", ScalarAxis(["z"])), ("atlas", LabelAxis(["a"], [labels]))):
        values = rng.standard_normal((1, len(models))).astype(np.float32)
        values = values if name == "z" else (values > 0).astype(np.int32)
        Cifti2Image(values, (rows, models)).to_filename(tmp_path / f"{name}.nii")
    z, atlas, page = (tmp_path / name for name in ("z.nii", "atlas.nii", "page.html"))
    result = run("explore", z, "--atlas", atlas, "--second-map", z, "--out", page)
    assert result.code == 0, result.err
    text = page.read_text()
    assert '"kind":"cifti"' in text
    assert "a gyrus" in text
    # What was saved has its meshes.
    assert run("adaptive", z, "--tdp", "0.5", "--out", tmp_path / "saved").code == 0
    assert run("explore", tmp_path / "saved", "--out", tmp_path / "again.html").code == 0
    line = refused("explore", z, "--mesh", z, "--mesh", z, "--out", tmp_path / "x.html")
    assert "--mesh" in line


def test_info_tells_versions_and_the_compiler(run):
    told = json.loads(run("info", "--json").out)
    assert told["versions"]["ari_estimator"] == ari_estimator.__version__
    assert told["numba_jit"] is True
    assert any("openblas" in library or "mkl" in library for library in told["libraries"])
    printed = run("info").out
    for name, version in told["versions"].items():
        assert name in printed
        assert version in printed
