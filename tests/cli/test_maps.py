"""``ari clusters``, ``adaptive`` and ``regions``: they say and write what Python does."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from nilearn.datasets import load_fsaverage
from nilearn.surface import SurfaceImage
from nilearn.surface.surface import data_to_gifti, mesh_to_gifti

import ari_estimator
from ari_estimator import AdaptiveTDPTransformer, ClusterTDPTransformer, RegionTDPTransformer


def _table(result):
    return pd.DataFrame(json.loads(result.out)["table"])


def _assert_tables_equal(told, table):
    pd.testing.assert_frame_equal(
        told.astype(object).where(told.notna()),
        table.reset_index(drop=True).astype(object).where(table.notna()),
        check_dtype=False,
    )


def test_clusters_are_those_of_the_transformer(run, files):
    result = run(
        "clusters", files.z, "--mask", files.mask, "--threshold", "2.5", "--threshold", "3",
        "--two-sided", "--connectivity", "18", "--alpha", "0.1", "--json",
    )  # fmt: skip
    assert result.code == 0, result.err
    ari = ClusterTDPTransformer(
        [2.5, 3], mask_img=files.mask, two_sided=True, connectivity=18, alpha=0.1
    )
    ari.fit_transform(files.z)
    _assert_tables_equal(_table(result), ari.table_)
    told = json.loads(result.out)
    assert told["n_tested"] == ari.n_tested_
    assert told["true_discoveries"] == ari.true_discoveries_
    assert told["files"] == {}


def test_what_a_map_holds_is_told_by_options(run, files):
    result = run(
        "clusters", files.z, "--mask", files.mask, "--stat-type", "t", "--df", "14",
        "--threshold", "0.01", "--threshold-scale", "p", "--local-test", "hommel", "--json",
    )  # fmt: skip
    ari = ClusterTDPTransformer(
        0.01, threshold_scale="p", mask_img=files.mask, stat_type="t", df=14, local_test="hommel"
    )
    ari.fit_transform(files.z)
    _assert_tables_equal(_table(result), ari.table_)


def test_clusters_of_another_program(run, files):
    result = run("clusters", files.z, "--mask", files.mask, "--labels", files.atlas, "--json")
    ari = ClusterTDPTransformer(labels_img=files.atlas, mask_img=files.mask)
    ari.fit_transform(files.z)
    _assert_tables_equal(_table(result), ari.table_)


def test_adaptive_clusters(run, files):
    result = run(
        "adaptive", files.z, "--mask", files.mask, "--tdp", "0.4", "--tdp", "0.8", "--json"
    )
    ari = AdaptiveTDPTransformer((0.4, 0.8), mask_img=files.mask)
    ari.fit_transform(files.z)
    _assert_tables_equal(_table(result), ari.table_)


def test_threshold_free_map(run, files, tmp_path):
    out = tmp_path / "out"
    result = run("adaptive", files.z, "--mask", files.mask, "--threshold-free", "--out", out)
    assert result.code == 0, result.err
    expected = AdaptiveTDPTransformer(None, mask_img=files.mask).fit_transform(files.z)
    saved = nib.load(out / "z_stat-tdp_statmap.nii.gz")
    np.testing.assert_array_equal(saved.get_fdata(), expected.get_fdata())


def test_regions_with_names(run, files):
    result = run(
        "regions", files.z, "--mask", files.mask, "--atlas", files.atlas, "--lut", files.lut,
        "--json",
    )  # fmt: skip
    regions = RegionTDPTransformer(files.atlas, lut=files.lut, mask_img=files.mask)
    regions.fit_transform(files.z)
    _assert_tables_equal(_table(result), regions.table_)


def test_names_are_printed_as_they_are_written(run, files):
    result = run(
        "regions", files.z, "--mask", files.mask, "--atlas", files.atlas, "--lut", files.lut
    )
    assert "left [b]half[/b]" in result.out


def test_table_and_sentence_for_people(run, files):
    result = run("clusters", files.z, "--mask", files.mask, "--threshold", "2.5")
    ari = ClusterTDPTransformer(2.5, mask_img=files.mask)
    ari.fit_transform(files.z)
    for row in ari.table_.itertuples():
        assert f" {row.n_voxels:,} " in result.out
    assert (
        f"At least {ari.true_discoveries_:,} of the {ari.n_tested_:,} voxels tested are active. "
        "With probability at least 0.95, this bound and all bounds in the table hold at once."
    ) in " ".join(result.out.split())
    assert "threshold 2.5 · direction positive" in result.out


def test_quiet_prints_nothing(run, files, tmp_path):
    result = run("clusters", files.z, "--mask", files.mask, "--out", tmp_path / "out", "--quiet")
    assert (result.code, result.out, result.err) == (0, "", "")
    assert len(list((tmp_path / "out").iterdir())) == 5


def test_files_are_those_of_save_with_the_command(run, files, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["ari", "clusters", "a map.nii.gz"])
    out = tmp_path / "out"
    result = run("clusters", files.z, "--mask", files.mask, "--out", out, "--prefix", "sub-01")
    assert result.code == 0, result.err
    again = ari_estimator.load(out)
    ari = ClusterTDPTransformer(mask_img=files.mask)
    ari.fit_transform(files.z)
    pd.testing.assert_frame_equal(again.table_, ari.table_)
    sidecar = json.loads((out / "sub-01_clusters.json").read_text())
    assert sidecar["Command"] == "ari clusters 'a map.nii.gz'"
    for path in out.iterdir():
        assert path.name.startswith("sub-01_")
        assert str(path) in result.out


def test_warnings_are_one_line_each_on_standard_error(run, files):
    z = nib.load(files.z).get_fdata()
    z[3, 3, 3] = np.nan
    path = files.folder / "nan.nii"
    Nifti1Image(z, np.diag([3.0, 3, 3, 1])).to_filename(path)
    result = run("clusters", path, "--mask", files.mask, "--json")
    assert result.code == 0
    json.loads(result.out)
    assert result.err.count("\n") == 1
    assert result.err.startswith("warning: The map is NaN in 1 of")
    assert run("clusters", path, "--mask", files.mask, "--quiet").err == ""


def test_numbers_that_json_does_not_know(run, files):
    z = nib.load(files.z).get_fdata()
    z[3, 3, 3] = np.inf
    path = files.folder / "inf.nii"
    Nifti1Image(z, np.diag([3.0, 3, 3, 1])).to_filename(path)
    table = json.loads(run("clusters", path, "--mask", files.mask, "--json").out)["table"]
    assert table[0]["peak_stat"] == "inf"
    assert table[-1]["threshold"] is None


@pytest.fixture(scope="module")
def surface_files(tmp_path_factory):
    """Return the files of a z map on both hemispheres, and of its meshes."""
    folder = tmp_path_factory.mktemp("surface")
    rng = np.random.default_rng(2)
    paths = []
    mesh = load_fsaverage("fsaverage5")["pial"]
    for name, part in mesh.parts.items():
        z = rng.standard_normal(part.n_vertices).astype(np.float32)
        z[:200] += 5
        data_to_gifti(z, folder / f"{name}.func.gii")
        mesh_to_gifti(part.coordinates, part.faces, folder / f"{name}.surf.gii")
        paths.append((folder / f"{name}.func.gii", folder / f"{name}.surf.gii"))
    return paths


def test_surfaces_are_two_files_and_two_meshes(run, surface_files, tmp_path):
    (left, left_mesh), (right, right_mesh) = surface_files
    mesh = ("--mesh", left_mesh, "--mesh", right_mesh)
    out = tmp_path / "out"
    result = run(
        "clusters", left, right, *mesh, "--threshold", "3", "--json", "--out", out, "--prefix", "x"
    )
    assert result.code == 0, result.err
    img = SurfaceImage({"left": left_mesh, "right": right_mesh}, {"left": left, "right": right})
    ari = ClusterTDPTransformer(3)
    ari.fit_transform(img)
    _assert_tables_equal(_table(result), ari.table_)
    assert {path.name for path in out.glob("*.gii")} == {
        f"x_hemi-{side}_{what}.func.gii"
        for side in "LR"
        for what in ("stat-tdp_statmap", "desc-clusters_dseg")
    }
    printed = run("clusters", left, right, *mesh, "--threshold", "3").out
    assert f"of the {ari.n_tested_:,} vertices tested are active" in printed
    assert "left" in printed


def test_surfaces_are_explored_and_reported(run, surface_files, tmp_path):
    (left, left_mesh), (right, right_mesh) = surface_files
    mesh = ("--mesh", left_mesh, "--mesh", right_mesh)
    drawn = ("--surf-mesh", left_mesh, "--surf-mesh", right_mesh)
    page = tmp_path / "page.html"
    result = run("explore", left, right, *mesh, *drawn, "--out", page)
    assert result.code == 0, result.err
    assert "20,484" in page.read_text() or "hemisphere" in page.read_text()
    result = run("report", left, right, *mesh, "--tdp", "0.5", "--out", tmp_path / "report.html")
    assert result.code == 0, result.err
    assert "vertices" in (tmp_path / "report.html").read_text()


def test_surfaces_without_a_mesh_are_refused(refused, surface_files):
    (left, left_mesh), (right, _) = surface_files
    assert "--mesh must be given for a surface" in refused("clusters", left, right)
    assert "twice" in refused("clusters", left, right, "--mesh", left_mesh)
    assert "two files of a surface" in refused("clusters", left)


def test_names_that_standard_output_cannot_write(files):
    files.lut.write_text("index\tname\n1\tréchts\n2\t右\n", encoding="utf-8")
    command = [sys.executable, "-m", "ari_estimator", "regions", files.z, "--mask", files.mask]
    command += ["--atlas", files.atlas, "--lut", files.lut]
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii"}
    printed = subprocess.run(command, env=ascii_only, capture_output=True, check=True).stdout
    assert b"r?chts" in printed
    told = subprocess.run(
        [*command, "--json"], env=ascii_only, capture_output=True, check=True
    ).stdout
    assert [row["region"] for row in json.loads(told)["table"]][:2] == ["réchts", "右"]


def test_saved_surfaces_are_explored_with_their_own_mesh(run, refused, surface_files, tmp_path):
    (left, left_mesh), (right, right_mesh) = surface_files
    mesh = ("--mesh", left_mesh, "--mesh", right_mesh)
    run("clusters", left, right, *mesh, "--out", tmp_path)
    atlases = [tmp_path / "L.label.gii", tmp_path / "R.label.gii"]
    for path in atlases:
        data_to_gifti(np.repeat(np.arange(2, dtype=np.int32), 5121), path)
    drawn = [*("--background", left, "--background", right), *("--atlas", atlases[0])]
    drawn += ["--atlas", atlases[1]]
    result = run("explore", tmp_path, *drawn, "--out", tmp_path / "page.html")
    assert result.code == 0, result.err
    assert (tmp_path / "page.html").exists()


def test_mesh_of_a_volume_is_refused(refused, files, surface_files):
    (_, left_mesh), (_, right_mesh) = surface_files
    mesh = ("--mesh", left_mesh, "--mesh", right_mesh)
    assert "--mesh is for the two files" in refused("explore", files.z, *mesh)
    assert "mesh is for CIFTI" in refused("clusters", files.z, *mesh)
