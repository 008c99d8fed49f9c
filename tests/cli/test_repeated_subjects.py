"""Several rows of a subject in --design: averaged, in blocks, or warned of."""

from __future__ import annotations

import json
import shlex

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image

from ari_estimator import ARISecondLevelModel, ClusterTDPTransformer

AFFINE = np.diag([3.0, 3, 3, 1])
N_SUBJECTS = 8


@pytest.fixture
def study(tmp_path):
    """Return a folder with two or three runs of each subject, a table of them, and a mask."""
    rng = np.random.default_rng(8)
    folder = tmp_path / "study"
    folder.mkdir()
    rows = []
    for k in rng.permutation(N_SUBJECTS):
        own = rng.standard_normal((7, 6, 5))
        own[1:4, 1:4, 1:4] += 4
        for run in range(2 + k % 2):
            path = folder / f"sub-{k:02}_run-{run}_effect.nii.gz"
            data = own + 0.3 * rng.standard_normal(own.shape)
            Nifti1Image(data, AFFINE).to_filename(path)
            rows.append(
                {
                    "path": path.name,
                    "participant_id": f"sub-{k:02}",
                    "run": run,
                    "age": 20.5 + int(k) ** 2,
                    "group": "ab"[k % 2],
                }
            )
    pd.DataFrame(rows).to_csv(folder / "runs.tsv", sep="\t", index=False)
    Nifti1Image(np.ones((7, 6, 5), np.uint8), AFFINE).to_filename(folder / "mask.nii.gz")
    return folder


def _arguments(study, *more):
    table, mask = study / "runs.tsv", study / "mask.nii.gz"
    return "group", "--design", table, "--mask", mask, "--threshold", "2", "--json", *more


def _of_means(study, columns, contrast):
    """Return the model of one mean for each subject."""
    table = pd.read_csv(study / "runs.tsv", sep="\t")
    groups = table.groupby("participant_id", sort=False)
    means = [
        Nifti1Image(
            np.mean([nib.load(study / path).get_fdata() for path in of_subject["path"]], axis=0),
            AFFINE,
        )
        for _, of_subject in groups
    ]
    first = groups.first().reset_index()
    design = pd.DataFrame({"intercept": np.ones(N_SUBJECTS)})
    if "age" in columns:
        design["age"] = first["age"]
    if "group" in columns:
        design["group[T.b]"] = (first["group"] == "b").astype(float)
    model = ARISecondLevelModel(
        mask_img=study / "mask.nii.gz", transformer=ClusterTDPTransformer(2)
    )
    model.fit(means, design_matrix=design).compute_contrast(
        contrast.replace("group[T.b]", design.columns[-1]), output_type="tdp"
    )
    return model


@pytest.mark.parametrize(
    ("options", "columns", "contrast"),
    [
        (["--formula", "1"], [], "intercept"),
        (["--regressor", "age"], ["age"], "age"),
        (["--regressor", "group"], ["group"], "group[T.b]"),
    ],
)
def test_maps_of_a_subject_are_averaged(run, study, options, columns, contrast):
    result = run(*_arguments(study, "--combine-runs", *options, "--contrast", contrast))
    assert result.code == 0, result.err
    assert "not independent" not in result.err
    told = json.loads(result.out)
    model = _of_means(study, columns, contrast)
    table = pd.DataFrame(told["table"])
    for name in ("n_voxels", "true_discoveries"):
        assert table[name].tolist() == model.table_[name].tolist()
    assert told["n_subjects"] == told["design"]["n_subjects"] == N_SUBJECTS
    assert told["design"]["df"] == N_SUBJECTS - 1 - len(columns)
    assert len(told["design"]["rows"]) == len(pd.read_csv(study / "runs.tsv", sep="\t"))
    assert "--combine-runs" in told["design"]["options"]


def test_what_is_written_repeats_the_test(run, study, tmp_path, monkeypatch):
    out = tmp_path / "out"
    arguments = _arguments(study, "--combine-runs", "--regressor", "age", "--contrast", "age")
    first = run(*arguments, "--out", out)
    assert first.code == 0, first.err
    (path,) = out.glob("*_contrast.json")
    options = shlex.split(json.loads(path.read_text())["Options"])
    monkeypatch.chdir(out)
    again = run("group", *options, "--json")
    assert again.code == 0, again.err
    first, again = json.loads(first.out), json.loads(again.out)
    assert again["table"] == first["table"]
    assert again["n_subjects"] == N_SUBJECTS


def test_text_says_how_many_subjects_there_are(run, study):
    arguments = [a for a in _arguments(study, "--formula", "1") if a != "--json"]
    result = run(*arguments)
    assert f"20 maps of {N_SUBJECTS} subjects · 19 degrees of freedom" in result.out
    result = run(*arguments, "--combine-runs")
    text = f"{N_SUBJECTS} subjects with the mean of their maps, 20 in all · 7 degrees of freedom"
    assert text in result.out


def test_rows_are_counted_beside_subjects(run, study, tmp_path):
    result = run(*_arguments(study, "--formula", "1", "--out", tmp_path / "out"))
    told = json.loads(result.out)
    for facts in (told, told["design"]):
        assert (facts["n_subjects"], facts["n_rows"]) == (N_SUBJECTS, 20)
    (path,) = (tmp_path / "out").glob("*_clusters.json")
    sidecar = json.loads(path.read_text())["Design"]
    assert (sidecar["NumberOfSubjects"], sidecar["NumberOfRows"]) == (N_SUBJECTS, 20)


def test_rows_of_a_subject_are_warned_of(run, study):
    result = run(*_arguments(study, "--formula", "1"))
    assert result.code == 0
    assert "has 2 rows of the design" in result.err or "has 3 rows of the design" in result.err
    assert "--combine-runs and a --design with the columns path and participant_id" in result.err


def test_one_label_for_all_maps_says_nothing(run, study):
    folder = study.rename(study.with_name("sub-all"))
    for number, path in enumerate(folder.glob("*_effect.nii.gz")):
        path.rename(folder / f"con_{number:04}.nii.gz")
    result = run("group", folder / "con_*.nii.gz", "--mask", folder / "mask.nii.gz")
    assert result.code == 0, result.err
    assert "not independent" not in result.err


def test_files_of_a_subject_are_warned_of(run, study):
    mask = "--mask", study / "mask.nii.gz", "--threshold", "2"
    result = run("group", study / "sub-*_effect.nii.gz", *mask)
    assert result.code == 0, result.err
    assert "Subject '00' has 2 rows of the design" in result.err
    assert "--design with the columns path and participant_id" in result.err
    result = run("group", study / "sub-*_run-1_effect.nii.gz", *mask)
    assert "not independent" not in result.err
    _changed(study, lambda table: table.drop(columns="participant_id"))
    result = run(*_arguments(study, "--formula", "1"))
    assert "Subject '" in result.err
    assert "not independent" in result.err


@pytest.mark.parametrize(
    "options",
    [
        ["--formula", "1", "--blocks", "participant_id", "--permutations", "20", "--seed", "0"],
        ["--formula", "run + C(participant_id)", "--contrast", "run"],
    ],
    ids=["blocks", "subjects in the design"],
)
def test_rows_of_a_subject_that_are_accounted_for(run, study, options):
    result = run(*_arguments(study, *options))
    assert result.code == 0, result.err
    assert "not independent" not in result.err


def test_variance_groups_of_subjects(run, study):
    result = run(
        *_arguments(study, "--combine-runs", "--regressor", "group", "--contrast", "group[T.b]"),
        "--variance-groups", "group", "--permutations", "20", "--seed", "0",
    )  # fmt: skip
    assert result.code == 0, result.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--contrast", "age"], "the column 'run' of --design must be the same in all rows"),
        (["--regressor", "run"], "choose columns with --regressor, or --formula 1 for none"),
        (["--formula", "1", "--blocks", "run"], "the column 'run' of --design must be the same"),
    ],
)
def test_what_varies_within_subjects_is_refused(refused, study, options, message):
    assert message in refused(*_arguments(study, "--combine-runs", *options))


def _changed(study, change):
    path = study / "runs.tsv"
    change(pd.read_csv(path, sep="\t")).to_csv(path, sep="\t", index=False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="participant_id"), "needs a column of --design that names"),
        (lambda t: t.drop_duplicates("participant_id"), "needs several rows of a subject"),
        (lambda t: t.replace({"sub-03": None}), "needs a subject in each row"),
        (lambda t: t.drop(columns="path"), "--combine-runs"),
        (lambda t: t[t["participant_id"] == "sub-01"], "at least 2 subjects. Got 1"),
    ],
)
def test_tables_that_cannot_be_combined(refused, study, change, message):
    _changed(study, change)
    more = ["--combine-runs", "--formula", "1"]
    files = [] if "path" in (study / "runs.tsv").read_text() else [study / "*_effect.nii.gz"]
    assert message in refused(*_arguments(study, *more), *files)


def test_maps_without_a_table_are_not_combined(refused, study):
    said = refused("group", study / "sub-0*_run-0_effect.nii.gz", "--combine-runs")
    assert "--combine-runs needs a table: give --design" in said
