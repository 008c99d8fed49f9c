"""``ari info``: what maps are, for people and for machines."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
from nibabel import Nifti1Image
from nibabel.gifti import GiftiDataArray, GiftiImage

from ari_estimator.interfaces import describe_map

AFFINE = np.diag([3.0, 3, 3, 1])


@pytest.fixture
def t_map(tmp_path):
    """Return the path of a t map of FSL, whose intent says something else."""
    data = np.zeros((4, 4, 3), dtype="float32")
    data[0, 0] = [np.nan, np.inf, -np.inf]
    data[1, 0] = [1.5, -2.25, np.nan]
    img = Nifti1Image(data, AFFINE)
    img.header.set_intent("z score")
    img.to_filename(tmp_path / "tstat1.nii.gz")
    return tmp_path / "tstat1.nii.gz"


def _lines(text):
    """Return what is told, by its name."""
    rows = [line.strip().partition("  ") for line in text.splitlines() if line.startswith("  ")]
    return {name: told.strip() for name, _, told in rows}


def test_a_map_is_described(run, files):
    result = run("info", files.z)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"{files.z}\n")
    told = _lines(result.out)
    assert told["kind"] == "volume, 1 map"
    assert told["size"] == "720 voxels"
    assert told["grid"] == "10 x 9 x 8, voxels of 3 x 3 x 3 mm, axes RAS"
    assert told["holds"] == "nothing declares it"
    assert told["taken for"] == "z; said by nothing"
    assert "refused" not in told
    assert "but" not in told


def test_contradictions_refusals_and_special_values_are_told(run, t_map):
    told = _lines(run("info", t_map).out)
    assert told["holds"] == "t; said by the name 'tstat1.nii.gz' of the file"
    assert told["but"] == "z; said by the intent code 'z score' of the header"
    assert told["refused"].startswith("'df' must be one number")
    assert "taken for" not in told
    counts = "42 times 0, 2 times NaN, 1 times inf, 1 times -inf"
    assert told["values"] == f"from -2.25 to 1.5, {counts}"


def test_a_map_that_declares_nothing_is_taken_for_z(run, files):
    told = _lines(run("info", files.mask).out)
    assert told["holds"] == "nothing declares it"
    assert told["taken for"] == "z; said by nothing"


def test_degrees_of_freedom_are_told(run, tmp_path):
    img = Nifti1Image(np.ones((3, 3, 3)), AFFINE)
    img.header["descrip"] = "SPM{F_[2.0,30.5]} - contrast 1: a"
    img.to_filename(tmp_path / "a.nii")
    assert _lines(run("info", tmp_path / "a.nii").out)["holds"].startswith("F with df 2, 30.5; ")


def test_values_that_are_never_finite(run, tmp_path):
    Nifti1Image(np.full((3, 3, 3), np.nan), AFFINE).to_filename(tmp_path / "a.nii")
    told = _lines(run("info", tmp_path / "a.nii").out)
    assert told["values"] == "none that is finite, 27 times NaN"


def test_each_file_is_described_by_itself(run, files, tmp_path):
    hemispheres = [tmp_path / f"hemi-{side}_stat-z_statmap.func.gii" for side in "LR"]
    for path in hemispheres:
        array = GiftiDataArray(np.arange(12, dtype="float32"))
        GiftiImage(darrays=[array]).to_filename(path)
    out = run("info", *hemispheres, files.z).out
    headings = [line for line in out.splitlines() if not line.startswith(" ")]
    assert headings == [str(path) for path in (*hemispheres, files.z)]
    assert "12 vertices (left)" in out
    assert "12 vertices (right)" in out


def test_names_are_printed_as_they_are(run, files, tmp_path):
    path = tmp_path / "a[bold]c.nii.gz"
    path.write_bytes(files.z.read_bytes())
    out = run("info", path).out
    assert out.startswith(f"{path}\n")


def test_json_has_what_python_tells(run, files, t_map):
    told = json.loads(run("info", files.z, t_map, "--json").out)
    assert [one["file"] for one in told["maps"]] == [str(files.z), str(t_map)]
    wanted = json.loads(json.dumps([asdict(describe_map(path)) for path in (files.z, t_map)]))
    assert told["maps"] == wanted
    assert told["maps"][1]["contradictions"][0]["holds"] == "z"
    assert "versions" not in told


def test_quiet_prints_nothing(run, files):
    result = run("info", files.z, "--quiet")
    assert (result.code, result.out, result.err) == (0, "", "")


def test_no_file_tells_versions(run):
    assert "versions" in json.loads(run("info", "--json").out)
    assert "ari_estimator" in run("info").out


@pytest.mark.parametrize("how", ["missing", "folder", "text", "truncated", "empty"])
def test_a_file_that_is_no_map_is_named_in_one_line(refused, files, how):
    path = files.folder / "bad.nii.gz"
    content = {"text": b"no image", "truncated": files.z.read_bytes()[:500], "empty": b""}
    if how == "folder":
        path.mkdir()
    elif how != "missing":
        path.write_bytes(content[how])
    # A good file does not hide the bad one.
    message = refused("info", files.z, path)
    assert message.startswith("ari info: The map ")
    assert "bad.nii.gz" in message


def test_an_unknown_option_is_refused(refused, files):
    assert "--help" in refused("info", files.z, "--mask", files.mask)
