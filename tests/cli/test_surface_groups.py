"""``ari group`` on CIFTI files and on files of hemispheres, as the model in Python."""

from __future__ import annotations

import json
import re
import shlex

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nibabel.cifti2 import BrainModelAxis, Cifti2Image, ScalarAxis
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage
from nilearn.surface.surface import data_to_gifti, mesh_to_gifti

from ari_estimator import ARISecondLevelModel, ClusterTDPTransformer, PermutationCalibration

N_SUBJECTS, SIDE = 10, 9
N_VERTICES = SIDE**2
SIDES = {"left": "lh", "right": "rh"}


def _sheet(x):
    grid = np.arange(N_VERTICES).reshape(SIDE, SIDE)
    a, b, c, d = grid[:-1, :-1], grid[:-1, 1:], grid[1:, :-1], grid[1:, 1:]
    faces = np.concatenate([np.stack(f, -1).reshape(-1, 3) for f in [(a, b, c), (b, d, c)]])
    i, j = np.indices((SIDE, SIDE)).reshape(2, -1)
    points = np.stack([x + 2.0 * i, 3.0 * j, 0 * i], axis=1)
    return InMemoryMesh(points.astype(np.float32), faces)


MESH = PolyMesh(left=_sheet(-40), right=_sheet(20))
AXIS = BrainModelAxis.from_mask(
    np.ones(N_VERTICES, bool), name="CortexLeft"
) + BrainModelAxis.from_mask(np.ones(N_VERTICES, bool), name="CortexRight")


@pytest.fixture(scope="module")
def data():
    data = np.random.default_rng(3).standard_normal((N_SUBJECTS, 2 * N_VERTICES))
    data[:, 20:60] += 2
    data[:, 100:120] += np.linspace(-4, 4, N_SUBJECTS)[:, np.newaxis]
    return data.astype(np.float32)


@pytest.fixture(scope="module")
def study(data, tmp_path_factory):
    """Return a folder with the maps of subjects as CIFTI and as GIfTI, and tables."""
    folder = tmp_path_factory.mktemp("study")
    for side, short in SIDES.items():
        part = MESH.parts[side]
        mesh_to_gifti(part.coordinates, part.faces, folder / f"{short}.surf.gii")
        data_to_gifti(np.ones(N_VERTICES, np.float32), folder / f"{short}.mask.gii")
    for k, row in enumerate(data):
        subject = folder / f"sub-{k:02}"
        subject.mkdir()
        for short, values in zip(SIDES.values(), np.split(row, 2), strict=True):
            data_to_gifti(values, subject / f"{short}.con.func.gii")
            two = nib.GiftiImage()
            for one in (values * 0, values):
                two.add_gifti_data_array(nib.gifti.GiftiDataArray(one, "NIFTI_INTENT_NONE"))
            two.to_filename(subject / f"{short}.two.func.gii")
        _cifti([row], ["con"]).to_filename(subject / "con.dscalar.nii")
        _cifti([row * 0, row], ["rest", "faces"]).to_filename(subject / "two.dscalar.nii")
    _cifti(data, [f"sub-{k:02}_con" for k in range(N_SUBJECTS)]).to_filename(
        folder / "all.dscalar.nii"
    )
    _cifti(data, [f"con {k}" for k in range(N_SUBJECTS)]).to_filename(folder / "some.dscalar.nii")
    _cifti([np.arange(2 * N_VERTICES) < 150], ["mask"]).to_filename(folder / "mask.dscalar.nii")
    order = np.random.default_rng(1).permutation(N_SUBJECTS)
    table = pd.DataFrame(
        {"participant_id": [f"sub-{k:02}" for k in order], "age": np.linspace(-1, 1, 10)[order]}
    )
    table.to_csv(folder / "participants.tsv", sep="\t", index=False)
    for name, cell in {
        "cifti": "sub-{:02}/con.dscalar.nii",
        "braces": "sub-{:02}/{{lh,rh}}.con.func.gii",
        "numbers": "all.dscalar.nii[{}]",
    }.items():
        paths = [cell.format(k) for k in order]
        table.assign(path=paths).to_csv(folder / f"{name}.tsv", sep="\t", index=False)
    return folder


def _cifti(rows, names):
    return Cifti2Image(np.asarray(rows, dtype=np.float32), (ScalarAxis(names), AXIS))


@pytest.fixture(scope="module")
def mesh(study):
    return ["--mesh", study / "lh.surf.gii", "--mesh", study / "rh.surf.gii"]


def _model(data, age=None, calibration=None, mask=None):
    design = pd.DataFrame({"intercept": np.ones(len(data))})
    if age is not None:
        design["age"] = age
    model = ARISecondLevelModel(
        None if mask is None else mask,
        transformer=ClusterTDPTransformer(2.5, mesh=MESH),
        calibration=calibration,
    )
    model.fit([_cifti([row], ["con"]) for row in data], design_matrix=design)
    model.compute_contrast("intercept" if age is None else "age", output_type="tdp")
    return model


def _assert_told(result, model):
    assert result.code == 0, result.err
    told = json.loads(result.out)
    assert told["n_tested"] == model.n_tested_
    found = [row["true_discoveries"] for row in told["table"]]
    assert found == model.table_["true_discoveries"].tolist()
    assert sum(found) > 0
    return told


CIFTI = {
    "a file each": ["sub-*/con.dscalar.nii"],
    "one file": ["all.dscalar.nii"],
    "names": ["sub-*/two.dscalar.nii", "--map", "faces"],
    "numbers": ["sub-*/two.dscalar.nii", "--map=1"],
}
GIFTI = {
    "braces": ["sub-*/{lh,rh}.con.func.gii"],
    "two patterns": ["sub-*/rh.con.func.gii", "sub-*/lh.con.func.gii"],
    "two maps each": ["sub-*/{lh,rh}.two.func.gii", "--map", "1"],
}


@pytest.mark.parametrize("form", [*CIFTI, *GIFTI])
@pytest.mark.parametrize("permutations", [None, 60])
def test_mean_of_the_maps(run, data, study, mesh, monkeypatch, form, permutations):
    monkeypatch.chdir(study)
    given = {**CIFTI, **GIFTI}[form]
    calibration = None
    if permutations is not None:
        calibration = PermutationCalibration(n_permutations=permutations, random_state=2)
        given = [*given, "--permutations", permutations, "--seed", 2]
    result = run("group", *given, *mesh, "--threshold", 2.5, "--json")
    told = _assert_told(result, _model(data, calibration=calibration))
    assert told["n_subjects"] == N_SUBJECTS
    expected = "computed from the maps" if form in GIFTI else "all grayordinates of the maps"
    assert told["design"]["mask"] == expected


@pytest.mark.parametrize(
    "given",
    [
        ["sub-*/con.dscalar.nii", "--design", "participants.tsv"],
        ["all.dscalar.nii", "--design", "participants.tsv"],
        ["sub-*/{lh,rh}.con.func.gii", "--design", "participants.tsv"],
        ["--design", "cifti.tsv"],
        ["--design", "braces.tsv"],
        ["--design", "numbers.tsv"],
    ],
    ids=lambda given: " ".join(given),
)
def test_rows_and_maps(run, data, study, mesh, monkeypatch, given, tmp_path):
    monkeypatch.chdir(study)
    out = tmp_path / "out"
    options = [*mesh, "--threshold", 2.5, "--json"]
    of_age = ["--regressor", "age", "--contrast", "age"]
    told = _assert_told(
        run("group", *given, *of_age, *options, "--out", out),
        _model(data, age=np.linspace(-1, 1, N_SUBJECTS)),
    )
    # The written design is an input of the same test.
    record = json.loads(next(out.glob("*_contrast.json")).read_text())
    again = run("group", *shlex.split(record["Options"])[2:], "--design",
                next(out.glob("*_design.tsv")), "--json")  # fmt: skip
    assert json.loads(again.out)["table"] == told["table"]


def test_maps_of_one_file_without_subjects_in_their_names(run, study, mesh, data):
    given = [study / "some.dscalar.nii", "--design", study / "participants.tsv"]
    result = run("group", *given, "--regressor", "age", "--contrast", "age", *mesh, "--json")
    assert "the names of the maps in the file tell no subject of its rows" in result.err
    rows = json.loads(result.out)["design"]["rows"]
    assert [row["row"] for row in rows] == list(range(2, 12))
    assert rows[3]["map"] == [f"{study / 'some.dscalar.nii'}[3]"]


@pytest.mark.parametrize("form", ["CIFTI", "GIfTI"])
def test_files_are_of_the_same_kind(run, data, study, mesh, tmp_path, form):
    pattern = {"CIFTI": "con.dscalar.nii", "GIfTI": "{lh,rh}.con.func.gii"}[form]
    out = tmp_path / "out"
    result = run("group", study / "sub-*" / pattern, *mesh, "--threshold", 2.5, "--out", out)
    assert result.code == 0, result.err
    z_values = _model(data).compute_contrast("intercept")
    expected = np.asarray(z_values.dataobj)[0]
    if form == "CIFTI":
        found = np.asarray(nib.load(next(out.glob("*stat-z_statmap.dscalar.nii"))).dataobj)[0]
        assert len(list(out.glob("*.dscalar.nii"))) == 3
    else:
        parts = {
            side: str(next(out.glob(f"*_hemi-{side[0].upper()}_stat-z_statmap.func.gii")))
            for side in SIDES
        }
        img = SurfaceImage(MESH, parts)
        found = np.concatenate([np.ravel(part) for part in img.data.parts.values()])
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    refused = run("group", study / "sub-*" / pattern, *mesh, "--out", out)
    assert "--force" in refused.err


def test_masks(run, data, study, mesh):
    mask_img = nib.load(study / "mask.dscalar.nii")
    given = [study / "sub-*" / "con.dscalar.nii", "--mask", study / "mask.dscalar.nii"]
    result = run("group", *given, *mesh, "--threshold", 2.5, "--json")
    told = _assert_told(result, _model(data, mask=mask_img))
    assert told["n_tested"] == 150
    given = [study / "sub-*" / "{lh,rh}.con.func.gii"]
    given += ["--mask", study / "lh.mask.gii", "--mask", study / "rh.mask.gii"]
    result = run("group", *given, *mesh, "--threshold", 2.5, "--json")
    _assert_told(result, _model(data))


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (["sub-*/two.dscalar.nii"], "--map must say which map .*and 2 maps in .*0 'rest'"),
        (["sub-*/two.dscalar.nii", "--map", "x"], "Got 'x', which is the name of no map"),
        (["sub-*/two.dscalar.nii", "--map", "2"], "counted from 0. Got 2"),
        (["all.dscalar.nii", "--map", "1"], "IMG must be maps of at least 2 subjects"),
        (["sub-*/{lh,rh}.con.func.gii", "--map", "1"], "Got 1: there is 1 map in .*lh.con.func"),
        (["sub-*/{lh,rh}.two.func.gii"], "Got 2 maps in .*lh.two.func.gii.* Choose one with --map"),
        (["sub-*/{lh,rh}.two.func.gii", "--map", "x"], "--map must be a number .* Got 'x'"),
        (["sub-*/lh.con.func.gii"], "There is no right hemisphere for '.*sub-00/lh.con.func.gii'"),
        (["sub-*/lh.con.func.gii", "sub-0[0-8]/rh.con.func.gii"], "no right hemisphere .*sub-09"),
        (["sub-*/{lh,xh}.con.func.gii"], "There is none at 'sub-.*/xh.con.func.gii'"),
        (["sub-*/con.dscalar.nii", "--smoothing-fwhm", "4"], "--smoothing-fwhm must be left"),
        (["sub-*/con.dscalar.nii", "sub-00/lh.con.func.gii"], "lh.con.func.gii"),
        (["--design", "outside.tsv"], r"counted from 0. Got '.*all.dscalar.nii\[10\]'"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)  # fmt: skip
def test_refusals(refused, study, mesh, monkeypatch, given, text):
    monkeypatch.chdir(study)
    cells = [f"sub-{k}\tall.dscalar.nii[{k}]" for k in (1, 10)]
    (study / "outside.tsv").write_text("\n".join(["participant_id\tpath", *cells]))
    message = refused("group", *given, *mesh)
    assert re.search(text, message), message


def test_a_folder_of_bids_derivatives(run, refused, data, study, mesh, tmp_path):
    for k in range(N_SUBJECTS):
        start = f"sub-{k:02}_space-fsLR_den-91k_contrast-faces_stat"
        file = (study / f"sub-{k:02}" / "con.dscalar.nii").read_bytes()
        (tmp_path / f"{start}-effect_statmap.dscalar.nii").write_bytes(file)
        (tmp_path / f"{start}-z_statmap.nii.gz").write_bytes(b"")
        (tmp_path / f"sub-{k:02}_space-MNI_desc-brain_mask.nii.gz").write_bytes(b"")
    result = run("group", tmp_path, *mesh, "--threshold", 2.5, "--json")
    told = _assert_told(result, _model(data))
    assert told["design"]["mask"] == "all grayordinates of the maps"
    assert "maps must be volumes" in refused("group", tmp_path, *mesh, "--mask", tmp_path)
    select = ["--select", "extension=.func.gii"]
    assert "extension must be one of" in refused("group", tmp_path, *select)


def test_a_mesh_is_asked_for_or_refused(refused, study, mesh, tmp_path):
    assert "--mesh must have the mesh of CORTEX" in refused(
        "group", study / "sub-*" / "con.dscalar.nii"
    )
    assert "--mesh must be given once for each" in refused(
        "group", study / "sub-*" / "{lh,rh}.con.func.gii"
    )
    for k in range(2):
        img = nib.Nifti1Image(np.random.default_rng(k).random((5, 5, 5)), np.eye(4))
        img.to_filename(tmp_path / f"{k}.nii.gz")
    message = refused("group", tmp_path / "*.nii.gz", *mesh)
    assert "--mesh is for surfaces and CIFTI files. Got volumes." in message
