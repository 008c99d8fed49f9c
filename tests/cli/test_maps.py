"""``ari clusters``, ``adaptive`` and ``regions``: they say and write what Python does."""

from __future__ import annotations

import io
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
from ari_estimator.cli import main


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


def test_a_threshold_that_looks_like_a_p_value_is_warned_of(run, files):
    given = ("clusters", files.z, "--mask", files.mask, "--threshold", "0.001")
    told = run(*given).err
    assert told == (
        "warning: --threshold is in units of the map, so 0.001 is read as a z value. If it is a "
        "p-value, set --threshold-scale p.\n"
    )
    assert run(*given, "--threshold-scale", "p").err == ""


def test_the_source_of_the_statistic_is_an_option_if_one_is_given(run, files):
    given = ("clusters", files.z, "--mask", files.mask)
    assert "according to --stat-type." in " ".join(run(*given, "--stat-type", "z").out.split())
    assert "--stat-type" not in run(*given).out


def test_rows_that_are_not_printed_are_in_the_written_table(run, files, tmp_path):
    given = ("clusters", files.z, "--mask", files.mask, "--threshold", "1")
    assert "more; --out writes all, and --json prints them." in run(*given).out
    out = " ".join(run(*given, "--out", tmp_path / "o").out.split())
    assert f"more; all are in {tmp_path / 'o' / 'z_clusters.tsv'}, and --json" in out


def test_numbers_that_json_does_not_know(run, files):
    z = nib.load(files.z).get_fdata()
    # A peak is finite where its set has finite values.
    is_active = z > 3.1
    z[is_active] = np.inf
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


def _renamed(surface_files, folder, names):
    """Return copies of values and mesh of each hemisphere under other names."""
    pairs = []
    for (values, mesh), name in zip(surface_files, names, strict=True):
        pair = (folder / f"{name}.func.gii", folder / f"{name}.pial.gii")
        for source, target in zip((values, mesh), pair, strict=True):
            target.write_bytes(source.read_bytes())
        pairs.append(pair)
    return pairs


@pytest.fixture
def left_only_files(surface_files, tmp_path):
    """Return a function from names to files of a map with one effect, on the left."""
    values = np.zeros(10242, dtype=np.float32)
    values[:] = np.random.default_rng(0).standard_normal(10242)

    def write(*names):
        (left, left_mesh), (right, right_mesh) = _renamed(surface_files, tmp_path, names)
        data_to_gifti(values, right)
        return (left, left_mesh), (right, right_mesh)

    return write


@pytest.mark.parametrize("names", [("lh.z", "rh.z"), ("x_hemi-L", "x_hemi-R"), ("left", "right")])
def test_sides_are_told_by_the_files_not_by_their_order(run, left_only_files, tmp_path, names):
    (left, left_mesh), (right, right_mesh) = left_only_files(*names)
    tables = []
    for k, (maps, meshes) in enumerate(
        [
            ((left, right), (left_mesh, right_mesh)),
            ((right, left), (left_mesh, right_mesh)),
            ((left, right), (right_mesh, left_mesh)),
            ((right, left), (right_mesh, left_mesh)),
        ]
    ):
        out = tmp_path / f"out{k}"
        mesh = ("--mesh", meshes[0], "--mesh", meshes[1])
        options = ("--threshold", "4.5", "--json", "--out", out, "--prefix", "x")
        result = run("clusters", *maps, *mesh, *options)
        assert result.code == 0, result.err
        assert ("MAP has the right hemisphere first" in result.err) == (maps[0] == right)
        assert ("--mesh has the right hemisphere first" in result.err) == (meshes[0] == right_mesh)
        tables.append(_table(result))
        pd.testing.assert_frame_equal(tables[-1], tables[0])
        tdp = nib.load(out / "x_hemi-L_stat-tdp_statmap.func.gii").agg_data()
        assert tdp[:200].any()
    assert "left" in set(tables[0]["peak_hemisphere"])


def test_masks_atlases_and_pages_have_their_sides_told(run, left_only_files, tmp_path):
    (left, left_mesh), (right, right_mesh) = left_only_files("lh", "rh")
    masks, atlases = ([tmp_path / f"{h}.{n}.gii" for h in ("lh", "rh")] for n in ("mask", "atlas"))
    for k in (0, 1):
        data_to_gifti((np.arange(10242) > 50 * k).astype(np.int32), masks[k])
        data_to_gifti((1 + k + 2 * (np.arange(10242) > 5000)).astype(np.int32), atlases[k])
    told = []
    for first, second in ((0, 1), (1, 0)):
        options = ["--mask", masks[first], "--mask", masks[second]]
        options += ["--atlas", atlases[first], "--atlas", atlases[second]]
        mesh = ("--mesh", left_mesh, "--mesh", right_mesh)
        result = run("regions", left, right, *mesh, *options, "--json")
        assert result.code == 0, result.err
        told.append(json.loads(result.out))
    assert told[0]["table"] == told[1]["table"]
    assert told[0]["n_tested"] == told[1]["n_tested"]


def test_files_that_are_not_one_of_each_side_are_refused(refused, left_only_files, tmp_path):
    (left, left_mesh), (right, right_mesh) = left_only_files("lh.z", "rh.z")
    mesh = ("--mesh", left_mesh, "--mesh", right_mesh)
    assert "lh.z.func.gii' for both of them" in refused("clusters", left, left, *mesh)
    copy = tmp_path / "lh.copy.func.gii"
    copy.write_bytes(left.read_bytes())
    assert "MAP must be a file of each hemisphere" in refused("clusters", left, copy, *mesh)
    twice = ("--mesh", left_mesh, "--mesh", left_mesh)
    assert "--mesh must be a file of each" in refused("clusters", left, right, *twice)
    unknown = tmp_path / "unknown.func.gii"
    unknown.write_bytes(left.read_bytes())
    assert "MAP must be a file of each" in refused("clusters", right, unknown, *mesh)


def test_order_of_files_without_sides_beside_files_with_sides(run, refused, left_only_files):
    (left, left_mesh), (right, right_mesh) = left_only_files("lh", "rh")
    unknown = [path.with_name(f"{name}.func.gii") for path, name in ((left, "a"), (right, "b"))]
    for path, known in zip(unknown, (left, right), strict=True):
        path.write_bytes(known.read_bytes())
    mesh = ("--mesh", right_mesh, "--mesh", left_mesh)
    assert "no sides in the names of MAP" in refused("clusters", *unknown, *mesh)
    mesh = ("--mesh", left_mesh, "--mesh", right_mesh)
    told = run("clusters", *unknown, *mesh, "--json")
    assert told.code == 0, told.err
    _assert_tables_equal(_table(told), _table(run("clusters", left, right, *mesh, "--json")))


def test_surface_in_the_file_of_a_volume_is_refused(refused, files, tmp_path):
    path, mgz = tmp_path / "lh.sig.nii.gz", tmp_path / "lh.sig.mgz"
    Nifti1Image(np.ones((10242, 1, 1), np.float32), np.eye(4)).to_filename(path)
    nib.MGHImage(np.ones((163842, 1, 1), np.float32), np.eye(4)).to_filename(mgz)
    assert "a surface of fsaverage5 in the file of a volume" in refused("clusters", path)
    assert "a surface of fsaverage in the file of a volume" in refused("clusters", mgz)
    masked = refused("clusters", files.z, "--mask", path)
    assert "--mask must have more than one dimension" in masked
    assert "a surface of fsaverage5" in refused("regions", files.z, "--atlas", path)
    other = tmp_path / "lh.other.nii.gz"
    other.write_bytes(path.read_bytes())
    assert "a surface of fsaverage5" in refused("group", path, other)


def test_volumes_of_freesurfer_are_volumes(run, files, tmp_path):
    paths = {}
    for name in ("z", "mask", "atlas"):
        img = nib.load(getattr(files, name))
        data = img.get_fdata().astype(np.float32 if name == "z" else np.uint8)
        paths[name] = tmp_path / f"{name}.mgz"
        nib.MGHImage(data, img.affine).to_filename(paths[name])
        Nifti1Image(data, img.affine).to_filename(tmp_path / f"{name}.nii")
    options = ["--threshold", "2.5", "--json"]
    found = run("clusters", paths["z"], "--mask", paths["mask"], *options)
    expected = run("clusters", tmp_path / "z.nii", "--mask", tmp_path / "mask.nii", *options)
    assert found.code == 0, found.err
    _assert_tables_equal(_table(found), _table(expected))
    run("clusters", paths["z"], "--mask", paths["mask"], "--out", tmp_path / "out")
    assert (tmp_path / "out" / "z_stat-tdp_statmap.nii.gz").exists()
    found = run("regions", paths["z"], "--mask", paths["mask"], "--atlas", paths["atlas"], "--json")
    expected = run("regions", files.z, "--mask", files.mask, "--atlas", files.atlas, "--json")
    assert len(_table(found)) == len(_table(expected)) > 1


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
    wanted = "--mesh must be given once for each hemisphere of a surface"
    assert wanted in refused("clusters", left, right)
    assert wanted in refused("clusters", left, right, "--mesh", left_mesh)
    assert wanted in refused("clusters", left)


def test_names_that_standard_output_cannot_write(files, monkeypatch):
    files.lut.write_text("index\tname\n1\tréchts\n2\t右\n", encoding="utf-8")
    command = [sys.executable, "-m", "ari_estimator", "regions", files.z, "--mask", files.mask]
    command += ["--atlas", files.atlas, "--lut", files.lut]
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii"}
    printed = subprocess.run(command, env=ascii_only, capture_output=True, check=True).stdout
    assert b"r?chts" in printed
    # As Python makes the channel of such a process, which takes seconds to start.
    channel = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    monkeypatch.setattr("sys.stdout", channel)
    assert main([*map(str, command[3:]), "--json"]) == 0
    told = channel.buffer.getvalue()
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
    for command in ("clusters", "explore"):
        assert "mesh is for CIFTI" in refused(command, files.z, *mesh)
