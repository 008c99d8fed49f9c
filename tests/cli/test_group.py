"""``ari group``: maps and designs in all forms, and the model that Python would fit."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image

from ari_estimator import (
    AdaptiveTDPTransformer,
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
)

AFFINE = np.diag([3.0, 3, 3, 1])
N_SUBJECTS = 12


@pytest.fixture
def study(tmp_path):
    """Return the folder of a study: a map of each subject, a mask, and a table in another order."""
    rng = np.random.default_rng(4)
    folder = tmp_path / "study"
    ages = np.linspace(-1, 1, N_SUBJECTS)
    for k in range(N_SUBJECTS):
        data = rng.standard_normal((8, 7, 6))
        data[2:4, 2:4, 2:4] += 2
        data[5:7, 4:6, 3:5] += 3 * ages[k]
        (folder / f"sub-{k:02}").mkdir(parents=True)
        Nifti1Image(data, AFFINE).to_filename(folder / f"sub-{k:02}" / "con_0001.nii.gz")
    Nifti1Image(np.ones((8, 7, 6), np.uint8), AFFINE).to_filename(folder / "mask.nii.gz")
    order = rng.permutation(N_SUBJECTS)
    table = pd.DataFrame(
        {
            "participant_id": [f"sub-{k:02}" for k in order],
            "age": ages[order],
            "group": ["a", "b"] * (N_SUBJECTS // 2),
            "pair": order // 2,
        }
    )
    table.to_csv(folder / "participants.tsv", sep="\t", index=False)
    return folder


def _paths(study):
    return sorted(study.glob("sub-*/con_0001.nii.gz"))


def _expected(study, design, contrast, transformer, calibration=None):
    model = ARISecondLevelModel(
        mask_img=study / "mask.nii.gz", transformer=transformer, calibration=calibration
    )
    model.fit([str(path) for path in _paths(study)], design_matrix=pd.DataFrame(design))
    model.compute_contrast(contrast, output_type="tdp")
    return model


def _assert_told(result, model):
    assert result.code == 0, result.err
    told = pd.DataFrame(json.loads(result.out)["table"])
    for name in ("n_voxels", "true_discoveries"):
        assert told[name].tolist() == model.table_[name].tolist()


def test_mean_of_the_maps_of_a_pattern(run, study, tmp_path):
    out = tmp_path / "out"
    result = run(
        "group", study / "sub-*" / "con_0001.nii.gz", "--mask", study / "mask.nii.gz",
        "--threshold", "2", "--json", "--out", out,
    )  # fmt: skip
    ones = {"intercept": np.ones(N_SUBJECTS)}
    model = _expected(study, ones, "intercept", ClusterTDPTransformer(2))
    _assert_told(result, model)
    assert json.loads(result.out)["n_subjects"] == N_SUBJECTS
    assert {path.name for path in out.iterdir()} == {
        f"group_contrast-intercept_{what}"
        for what in (
            "ari.npz", "clusters.json", "clusters.tsv", "contrast.json",
            "desc-clusters_dseg.nii.gz", "design.tsv",
            "stat-tdp_statmap.nii.gz", "stat-z_statmap.nii.gz",
        )
    }  # fmt: skip


def test_rows_of_a_table_are_matched_by_subject(run, study):
    result = run(
        "group", *_paths(study), "--design", study / "participants.tsv", "--regressor", "age",
        "--contrast", "age", "--mask", study / "mask.nii.gz", "--tdp", "0.3", "--json",
    )  # fmt: skip
    design = {"age": np.linspace(-1, 1, N_SUBJECTS), "intercept": 1.0}
    _assert_told(result, _expected(study, design, "age", AdaptiveTDPTransformer(0.3)))


def test_permutations(run, study):
    result = run(
        "group", *_paths(study), "--mask", study / "mask.nii.gz", "--threshold", "2",
        "--permutations", "200", "--template", "beta", "--seed", "7", "--two-sided", "--json",
    )  # fmt: skip
    calibration = PermutationCalibration("beta", n_permutations=200, random_state=7)
    ones = {"intercept": np.ones(N_SUBJECTS)}
    transformer = ClusterTDPTransformer(2, two_sided=True)
    model = _expected(study, ones, "intercept", transformer, calibration)
    _assert_told(result, model)
    told = json.loads(result.out)
    assert told["lambda"] == model.calibration_.lambda_
    assert told["n_permutations"] == 200
    assert told["scheme"] == "sign-flipping"


@pytest.mark.parametrize("shares", [[], ["--level-weights", "0.6", "--level-weights", "0.4"]])
def test_several_templates(run, study, shares):
    result = run(
        "group", *_paths(study), "--mask", study / "mask.nii.gz", "--threshold", "2",
        "--permutations", "200", "--template", "simes", "--template", "beta", *shares,
        "--seed", "7", "--json",
    )  # fmt: skip
    weights = [0.6, 0.4] if shares else None
    calibration = PermutationCalibration(
        ["simes", "beta"], level_weights=weights, n_permutations=200, random_state=7
    )
    ones = {"intercept": np.ones(N_SUBJECTS)}
    model = _expected(study, ones, "intercept", ClusterTDPTransformer(2), calibration)
    _assert_told(result, model)
    assert json.loads(result.out)["lambda"] == np.asarray(model.calibration_.lambda_).tolist()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--template", "simes", "--level-weights", "1"], "--level-weights must be None for a"),
        (["--template", "simes", "--template", "simes"], "--template must differ|templates must"),
        (["--template", "simes", "--template", "x"], "must be one of .* Got 'x'"),
    ],
)
def test_templates_that_do_not_go_together_are_refused(refused, study, options, message):
    line = refused(
        "group", *_paths(study), "--mask", study / "mask.nii.gz", "--permutations", "40",
        *options,
    )  # fmt: skip
    assert re.search(message, line)


def test_a_table_may_name_the_maps(run, study):
    table = pd.DataFrame({"path": [str(path.relative_to(study)) for path in _paths(study)]})
    table["dose"] = np.linspace(-1, 1, N_SUBJECTS)
    table.to_csv(study / "design.csv", index=False)
    result = run(
        "group", "--design", study / "design.csv", "--contrast", "dose",
        "--mask", study / "mask.nii.gz", "--threshold", "2", "--json",
    )  # fmt: skip
    design = {"dose": np.linspace(-1, 1, N_SUBJECTS), "intercept": 1.0}
    _assert_told(result, _expected(study, design, "dose", ClusterTDPTransformer(2)))


def test_columns_that_span_the_mean_get_no_intercept(run, study):
    table = pd.DataFrame({"path": [str(path) for path in _paths(study)]})
    table["first"] = [1, 0] * (N_SUBJECTS // 2)
    table["second"] = 1 - table["first"]
    table.to_csv(study / "cells.tsv", sep="\t", index=False)
    result = run(
        "group", "--design", study / "cells.tsv", "--contrast", "first - second",
        "--mask", study / "mask.nii.gz", "--threshold", "2", "--json",
    )  # fmt: skip
    design = table[["first", "second"]].astype(float)
    model = _expected(study, design, "first - second", ClusterTDPTransformer(2))
    _assert_told(result, model)
    assert list(model.design_matrix_.columns) == ["first", "second"]


def test_blocks_are_a_column(run, study):
    result = run(
        "group", *_paths(study), "--design", study / "participants.tsv", "--regressor", "age",
        "--contrast", "age", "--blocks", "pair", "--permutations", "60", "--seed", "1",
        "--mask", study / "mask.nii.gz", "--threshold", "2", "--json",
    )  # fmt: skip
    calibration = PermutationCalibration(
        n_permutations=60, random_state=1, blocks=np.arange(N_SUBJECTS) // 2
    )
    design = {"age": np.linspace(-1, 1, N_SUBJECTS), "intercept": 1.0}
    _assert_told(result, _expected(study, design, "age", ClusterTDPTransformer(2), calibration))


@pytest.fixture
def repeated(study):
    """Return a table of 6 subjects of two groups and two sites, each measured twice."""
    table = pd.DataFrame({"path": [str(path) for path in _paths(study)]})
    table["group"] = np.repeat(["a", "b"], N_SUBJECTS // 2)
    table["person"] = np.arange(N_SUBJECTS) // 2
    table["all"] = -1
    table["site"] = np.repeat([1, 2, 3], 4)
    table["unit"] = 1 + table["person"]
    table["dose"] = np.tile([-1.0, 1], N_SUBJECTS // 2) + np.repeat(np.arange(6) % 2, 2)
    table.to_csv(study / "repeated.tsv", sep="\t", index=False)
    return table


@pytest.mark.parametrize(
    ("options", "blocks", "scheme"),
    [
        (["--blocks", "person", "--exchange", "within"], ["person"], "within blocks"),
        (["--blocks", "person", "--exchange", "whole"], ["person"], "of whole blocks"),
        (
            ["--blocks", "person", "--exchange", "both"],
            ["person"],
            "within blocks and of whole blocks",
        ),
        (["--blocks", "all,site,unit"], ["all", "site", "unit"], "of nested blocks"),
    ],
    ids=["within", "whole", "both", "nested"],
)
def test_blocks_stand_for_what_is_said(run, study, repeated, options, blocks, scheme):
    sites = blocks if len(blocks) > 1 else blocks[0]
    exchange = options[3] if len(options) > 2 else None
    result = run(
        "group", "--design", study / "repeated.tsv", "--contrast", "dose", "--regressor", "dose",
        *options, "--mask", study / "mask.nii.gz", "--threshold", "2", "--json",
        "--permutations", "60", "--seed", "1",
    )  # fmt: skip
    calibration = PermutationCalibration(
        n_permutations=60, random_state=1, blocks=repeated[sites].to_numpy(), exchange=exchange
    )
    design = {"dose": repeated["dose"], "intercept": 1.0}
    model = _expected(study, design, "dose", ClusterTDPTransformer(2), calibration)
    _assert_told(result, model)
    told = json.loads(result.out)
    assert told["lambda"] == model.calibration_.lambda_
    assert told["scheme"] == f"permutation {scheme}"


@pytest.mark.parametrize("permutations", [[], ["--permutations", "60", "--seed", "1"]])
@pytest.mark.parametrize("groups", ["auto", "group"])
def test_variance_groups(run, study, repeated, tmp_path, groups, permutations):
    out = tmp_path / "out"
    result = run(
        "group", "--design", study / "repeated.tsv", "--contrast", "group[T.b]",
        "--regressor", "group", "--variance-groups", groups, *permutations,
        "--mask", study / "mask.nii.gz", "--threshold", "2", "--json", "--out", out,
    )  # fmt: skip
    is_b = (repeated["group"] == "b").astype(float)
    calibration = PermutationCalibration(n_permutations=60, random_state=1)
    model = ARISecondLevelModel(
        mask_img=study / "mask.nii.gz",
        transformer=ClusterTDPTransformer(2),
        calibration=calibration if permutations else None,
        variance_groups=repeated["group"].tolist(),
    )
    design = pd.DataFrame({"group": is_b, "intercept": 1.0})
    model.fit([str(path) for path in _paths(study)], design_matrix=design)
    model.compute_contrast("group", output_type="tdp")
    _assert_told(result, model)
    told = json.loads(result.out)
    said = "the model with v statistics of 2 variance groups (6 and 6 rows)"
    sidecar = json.loads((out / "group_contrast-groupTb_clusters.json").read_text())
    assert sidecar["StatisticSource"] == said
    assert sidecar["Design"]["Options"] == [f"--variance-groups={groups}"]
    assert ("0.06 to 0.17" in result.err) is not bool(permutations)
    if permutations:
        assert told["statistic"] == "v"
        assert told["lambda"] == model.calibration_.lambda_
        assert told["scheme"] == "sign-flipping"
        assert sidecar["Seed"] == 1


@pytest.mark.parametrize("permutations", [[], ["--permutations", "60", "--seed", "1"]])
@pytest.mark.parametrize(
    "contrast",
    ["dose; `group[T.b]`", "dose; `group[T.b]`; dose - `group[T.b]`", "dose;dose"],
    ids=["two rows", "dependent rows", "one row twice"],
)
def test_f_contrasts(run, study, repeated, contrast, permutations):
    result = run(
        "group", "--design", study / "repeated.tsv", "--regressor", "dose", "--regressor", "group",
        "--contrast", contrast, *permutations, "--mask", study / "mask.nii.gz",
        "--threshold", "1.5", "--json",
    )  # fmt: skip
    design = {
        "dose": repeated["dose"],
        "group": (repeated["group"] == "b").astype(float),
        "intercept": 1.0,
    }
    rows = [[1, 0, 0], [1, 0, 0]] if contrast == "dose;dose" else [[1, 0, 0], [0, 1, 0]]
    calibration = PermutationCalibration(n_permutations=60, random_state=1)
    model = _expected(
        study, design, rows, ClusterTDPTransformer(1.5), calibration if permutations else None
    )
    _assert_told(result, model)
    told = json.loads(result.out)
    assert told["contrast"] == contrast
    weights = told["design"]["contrast_weights"]
    assert len(weights) == contrast.count(";") + 1
    assert weights[0] == {"dose": 1, "group[T.b]": 0, "intercept": 0}
    if permutations:
        assert told["statistic"] == "F"


@pytest.mark.parametrize(
    "options",
    [
        ["--blocks", "all,site,unit"],
        ["--blocks", "person", "--exchange", "both"],
        ["--variance-groups", "group"],
        ["--template", "simes", "--template", "beta", "--step-down", "--smoothing-fwhm", "4"],
        ["--template=simes", "--template=beta", "--level-weights=0.3", "--level-weights=0.7"],
    ],
    ids=["nested", "both", "variance groups", "joint", "split"],
)
@pytest.mark.parametrize("contrast", ["dose", "dose; intercept; dose"], ids=["t", "F"])
def test_an_analysis_of_related_maps_can_be_made_again(
    run, study, repeated, tmp_path, options, contrast
):
    out = tmp_path / "out"
    given = ["--mask", study / "mask.nii.gz", "--threshold", "2", "--alpha", "0.2", "--json"]
    if contrast == "dose":
        given += ["--two-sided", "--connectivity", "18", "--cluster-threshold", "2"]
    first = run(
        "group", "--design", study / "repeated.tsv", "--regressor", "dose", *options,
        "--contrast", contrast.replace("intercept", "2 * dose"), "--permutations", "50",
        *given, "--out", out,
    )  # fmt: skip
    assert first.code == 0, first.err
    first = json.loads(first.out)
    told = json.loads(Path(first["files"]["contrast"]).read_text())
    design = first["files"]["design"]
    again = [design if word == told["Design"] else word for word in shlex.split(told["Options"])]
    second = run("group", *again, "--json")
    assert second.code == 0, second.err
    second = json.loads(second.out)
    for name in ("table", "lambda", "seed", "scheme", "statistic", "true_discoveries"):
        assert second[name] == first[name]


def test_all_permutations_have_no_seed(run, study):
    given = ["--mask", study / "mask.nii.gz", "--permutations", "40"]
    few = run("group", *_paths(study)[:5], *given, "--json")
    told = json.loads(few.out)
    assert (told["n_permutations"], told["seed"]) == (32, None)
    records = []
    for name in ("one", "other"):
        run("group", *_paths(study)[:5], *given, "--out", study / name)
        records.append((study / name / "group_contrast-intercept_contrast.json").read_text())
    assert records[0] == records[1]
    assert "--seed" not in records[0]
    printed = run("group", *_paths(study)[:5], *given).out
    assert "32 permutations · sign-flipping · t statistics · all that there are" in printed


def test_related_maps_that_do_not_go_together(refused, study, repeated):
    given = ("group", "--design", study / "repeated.tsv", "--regressor", "dose")
    given += ("--contrast", "dose", "--mask", study / "mask.nii.gz")
    draws = ("--permutations", "50")
    assert "--blocks is for --permutations" in refused(*given, "--blocks", "person")
    assert "--exchange must be None" in refused(*given, "--exchange", "whole", *draws)
    line = refused(*given, "--blocks", "person", "--exchange", "all", *draws)
    assert "--exchange" in line
    assert "whole" in line
    assert "'family'" in refused(*given, "--blocks", "all,family", *draws)
    assert "whole numbers" in refused(*given, "--blocks", "all,group", *draws)
    assert "one label throughout" in refused(*given, "--blocks", "site,unit", *draws)
    assert "'sex'" in refused(*given, "--variance-groups", "sex")
    assert "finds one group" in refused(*given, "--variance-groups", "auto")
    assert "--contrast" in refused(*given[:-3], "dose; ", *given[-2:])
    assert "'nothing'" in refused(*given[:-3], "dose; nothing", *given[-2:])
    line = refused(*given[:-3], "dose; dose", *given[-2:], "--two-sided")
    assert "--two-sided must be False for an F contrast" in line


def test_a_column_called_auto_is_no_way_to_find_groups(refused, study, repeated):
    repeated.rename(columns={"group": "auto"}).to_csv(study / "repeated.tsv", sep="\t", index=False)
    line = refused(
        "group", "--design", study / "repeated.tsv", "--regressor", "dose", "--contrast", "dose",
        "--variance-groups", "auto",
    )  # fmt: skip
    assert "may mean the column 'auto'" in line


def test_names_with_commas_and_semicolons_are_names(run, study, repeated):
    table = repeated.rename(columns={"person": "a,b", "dose": "dose; mg"})
    table.to_csv(study / "names.tsv", sep="\t", index=False)
    result = run(
        "group", "--design", study / "names.tsv", "--regressor", "dose; mg", "--contrast",
        "dose; mg", "--blocks", "a,b", "--permutations", "50", "--json",
        "--mask", study / "mask.nii.gz",
    )  # fmt: skip
    assert result.code == 0, result.err
    told = json.loads(result.out)
    assert told["scheme"] == "permutation within blocks"
    assert told["statistic"] == "t"
    quoted = run(
        "group", "--design", study / "names.tsv", "--regressor", "dose; mg", "--contrast",
        "`dose; mg`; 2 * `dose; mg`", "--json", "--mask", study / "mask.nii.gz",
    )  # fmt: skip
    assert len(json.loads(quoted.out)["design"]["contrast_weights"]) == 2


def test_atlas(run, study):
    atlas = np.ones((8, 7, 6), dtype=np.int16)
    atlas[4:] = 2
    Nifti1Image(atlas, AFFINE).to_filename(study / "atlas.nii.gz")
    result = run("group", *_paths(study), "--mask", study / "mask.nii.gz", "--json",
                 "--atlas", study / "atlas.nii.gz")  # fmt: skip
    assert [row["region_id"] for row in json.loads(result.out)["table"]] == [1, 2, 0]


def test_what_does_not_go_together(refused, study):
    maps, table = _paths(study), study / "participants.tsv"
    assert "none at" in refused("group", study / "nothing-*.nii")
    assert "Got neither" in refused("group")
    assert "at least 2" in refused("group", maps[0])
    assert "--contrast" in refused("group", *maps, "--design", table)
    assert "'weight'" in refused("group", *maps, "--design", table, "--regressor", "weight")
    assert "'group[T.b]'" in refused("group", *maps, "--design", table, "--regressor", "group")
    assert "--permutations" in refused("group", *maps, "--seed", "1")
    assert "--design" in refused("group", *maps, "--regressor", "age")
    assert "one map of each subject" in refused(
        "group", *maps, maps[0], "--design", table, "--contrast", "age"
    )
    assert "--select" in refused("group", *maps, "--select", "contrast=x")


def test_tables_that_do_not_fit(refused, study, tmp_path):
    maps = _paths(study)
    pd.DataFrame({"x": [1.0, 2]}).to_csv(tmp_path / "short.tsv", sep="\t", index=False)
    line = refused("group", *maps, "--design", tmp_path / "short.tsv", "--contrast", "x")
    assert "row for each of the 12 maps" in line
    (tmp_path / "empty.tsv").write_text("")
    assert "must be a table" in refused("group", *maps, "--design", tmp_path / "empty.tsv")
    pd.DataFrame({"path": ["gone.nii"] * 3}).to_csv(tmp_path / "gone.tsv", sep="\t", index=False)
    assert "gone.nii" in refused("group", "--design", tmp_path / "gone.tsv")
    line = refused("group", *maps, "--design", tmp_path / "gone.tsv")
    assert "IMG must be left out" in line
    other = pd.DataFrame({"subject_label": [f"ctrl{k}" for k in range(12)], "x": range(12)})
    other.to_csv(tmp_path / "other.tsv", sep="\t", index=False)
    line = refused("group", *maps, "--design", tmp_path / "other.tsv", "--contrast", "x")
    assert "sub-00" in line
    assert "Got none" in line


def test_a_folder_of_bids_derivatives(run, refused, study, tmp_path):
    folder = tmp_path / "derivatives"
    for k, path in enumerate(_paths(study)):
        place = folder / f"sub-{k:02}" / "func"
        place.mkdir(parents=True)
        start = f"sub-{k:02}_task-faces_space-MNI"
        for contrast in ("faces", "houses"):
            name = f"{start}_contrast-{contrast}_stat-effect_statmap.nii.gz"
            (place / name).write_bytes(path.read_bytes())
        mask = np.ones((8, 7, 6), np.uint8)
        mask[0, 0, k % 6] = 0
        Nifti1Image(mask, AFFINE).to_filename(place / f"{start}_desc-brain_mask.nii.gz")
    select = ("--select", "contrast=faces")
    table = ("--design", study / "participants.tsv", "--regressor", "age", "--contrast", "age")
    result = run("group", folder, *select, *table, "--threshold", "2", "--json")
    assert result.code == 0, result.err
    told = json.loads(result.out)
    # What is in the brain masks of all.
    assert told["n_tested"] == 8 * 7 * 6 - 6
    assert told["n_subjects"] == N_SUBJECTS
    masks = tmp_path / "masks"
    for path in folder.rglob("*_mask.nii.gz"):
        (masks / path.parents[1].name).mkdir(parents=True)
        path.rename(masks / path.parents[1].name / path.name)
    again = run("group", folder, *select, *table, "--threshold", "2", "--json", "--mask", masks)
    again = json.loads(again.out)
    assert told["design"].pop("mask") == "common to the brain masks of all subjects"
    assert again["design"].pop("mask") == f"common to the brain masks of all subjects in {masks}"
    assert again == told
    assert "--mask may be a folder" in refused("group", *_paths(study), "--mask", masks)
    assert "contrast (faces, houses)" in refused("group", folder)
    assert "no map with contrast='cars'" in refused("group", folder, "--select", "contrast=cars")
    assert "--select must look like contrast=faces" in refused("group", folder, "--select", "faces")


def test_labels_of_digits_keep_their_zeros(run, study):
    table = pd.read_csv(study / "participants.tsv", sep="\t")
    table["participant_id"] = [label.removeprefix("sub-") for label in table["participant_id"]]
    design = study / "bare.csv"
    # As spreadsheets write it: with a mark of Unicode at the start.
    design.write_text(table.to_csv(index=False), encoding="utf-8-sig")
    given = ("--contrast", "age", "--regressor", "age", "--mask", study / "mask.nii.gz", "--json")
    bare = run("group", *_paths(study), "--design", design, *given)
    assert bare.code == 0, bare.err
    whole = run("group", *_paths(study), "--design", study / "participants.tsv", *given)
    bare, whole = json.loads(bare.out), json.loads(whole.out)
    rows = zip(bare["design"]["rows"], whole["design"]["rows"], strict=True)
    for row, with_prefix in rows:
        assert f"sub-{row.pop('subject')}" == with_prefix.pop("subject")
        assert row == with_prefix
    assert bare["table"] == whole["table"]


def test_a_map_counts_once(refused, study):
    first = _paths(study)[0]
    line = refused("group", study / "sub-*" / "con_0001.nii.gz", first)
    assert f"{str(first)!r} more than once" in line
