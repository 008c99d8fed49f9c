"""``ari sample``: the sample study from the shell."""

from __future__ import annotations

import json

import pytest


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    from ari_estimator.cli import main

    folder = tmp_path_factory.mktemp("sample") / "study"
    assert main(["sample", str(folder), "--quiet"]) == 0
    return folder


def test_it_prints_each_file_and_the_next_command(run, tmp_path):
    folder = tmp_path / "my study"
    result = run("sample", folder)
    assert result.code == 0, result.err
    lines = [line.strip() for line in result.out.splitlines()]
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        assert path.is_dir() or name in lines or name.startswith("sub-")
    assert "sub-01/sub-01_effect.nii.gz ... sub-24/sub-24_effect.nii.gz" in lines
    assert f"cd '{folder}' && ari clusters zstat.nii.gz" in result.out


def test_a_folder_with_files_is_refused(run, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    result = run("sample", tmp_path)
    assert result.code == 2
    assert "not empty" in result.err
    assert "--force" in result.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_force_writes_there_and_json_names_the_files(run, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    result = run("sample", tmp_path, "--force", "--json")
    assert result.code == 0, result.err
    written = {*json.loads(result.out)["written"]}
    assert {str(path) for path in tmp_path.rglob("*") if path.is_file()} == {
        *written,
        str(tmp_path / "mine.txt"),
    }


@pytest.mark.parametrize(
    "arguments",
    [
        "clusters zstat.nii.gz --mask mask.nii.gz --threshold 3.1",
        "clusters tstat.nii.gz --mask mask.nii.gz",
        "clusters lh.func.gii rh.func.gii --mesh lh.surf.gii --mesh rh.surf.gii --mask lh.mask.gii "
        "--mask rh.mask.gii",
        "clusters z.dscalar.nii --mesh lh.surf.gii --mesh rh.surf.gii",
        "adaptive zstat.nii.gz --mask mask.nii.gz --tdp 0.7",
        "regions zstat.nii.gz --mask mask.nii.gz --atlas atlas.nii.gz --lut atlas.tsv",
        "group sub-*/sub-*_effect.nii.gz --mask mask.nii.gz",
        "group --design design.tsv --contrast `group[T.patient]` --mask mask.nii.gz",
        "group sub-*/sub-*_effect.nii.gz --design participants.tsv --contrast age "
        "--mask mask.nii.gz",
        "group maps.dscalar.nii --mesh lh.surf.gii --mesh rh.surf.gii",
        "fsl cope1.feat",
        "spm spm --contrast motor",
        "afni afni/stats+tlrc --mask afni/mask+tlrc.HEAD",
    ],
)
def test_commands_take_its_files(run, study, monkeypatch, arguments):
    monkeypatch.chdir(study)
    result = run(*arguments.split(), "--json")
    assert result.code == 0, result.err
    told = json.loads(result.out)
    assert told["true_discoveries"] > 0
    assert told["n_tested"] in (45_448, 19_424, 24_550)


@pytest.mark.parametrize(
    ("sets", "found"),
    [("--tdp 0.7", "clusters"), ("--atlas atlas.nii.gz", "regions"), ("--threshold 4", "clusters")],
)
def test_other_sets_than_those_of_feat_are_written_without_its_tables(
    run, study, tmp_path, monkeypatch, sets, found
):
    monkeypatch.chdir(study)
    result = run("fsl", "cope1.feat", *sets.split(), "--out", tmp_path / "out")
    assert result.code == 0, result.err
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert f"zstat1_{found}.tsv" in names
    assert not any(name.startswith("cluster_zstat1") for name in names)


def test_the_result_does_not_depend_on_the_program(run, study, monkeypatch):
    monkeypatch.chdir(study)
    commands = (
        "clusters tstat.nii.gz --mask mask.nii.gz --threshold 3.5 --connectivity 18",
        "spm spm --threshold 3.5",
        "afni afni/stats+tlrc --mask afni/mask+tlrc.HEAD --threshold 3.5 --connectivity 18",
        "fsl cope1.feat --stat tstat1 --threshold 3.5 --connectivity 18",
    )
    tables = [json.loads(run(*command.split(), "--json").out)["table"] for command in commands]
    found = [[(row["n_voxels"], row["true_discoveries"]) for row in table] for table in tables]
    assert found[1:] == found[:1] * 3


@pytest.mark.parametrize(
    ("arguments", "map_taken", "source", "mask"),
    [
        (
            "spm spm",
            "Contrast: motor, the first (--contrast takes another).",
            "spm/SPM.mat",
            "spm/mask.nii",
        ),
        ("spm spm --contrast 2", "Contrast: motor, negative.", "spm/SPM.mat", "spm/mask.nii"),
        (
            "spm spm/spmT_0001.nii --mask mask.nii.gz",
            None,
            "spm/SPM.mat",
            "mask.nii.gz",
        ),
        (
            "afni afni/stats+tlrc",
            "Sub-brick: SetA_Tstat.",
            "the header of 'afni/stats+tlrc.HEAD'",
            "none given, so it is computed from the map",
        ),
        (
            "fsl cope1.feat",
            "Map: zstat1, the default (--stat takes another).",
            "the FEAT folder 'cope1.feat'",
            "cope1.feat/mask.nii.gz",
        ),
        (
            "fsl cope1.feat --stat tstat1",
            "Map: tstat1.",
            "the FEAT folder 'cope1.feat'",
            "cope1.feat/mask.nii.gz",
        ),
        (
            "fsl tstat.nii.gz --df 23 --mask mask.nii.gz",
            None,
            "--df",
            "mask.nii.gz",
        ),
        (
            "fsl zstat.nii.gz --mask mask.nii.gz",
            None,
            "the name 'zstat.nii.gz' of the file",
            "mask.nii.gz",
        ),
    ],
)
def test_last_lines_name_the_map_its_source_and_the_mask(
    run, study, monkeypatch, arguments, map_taken, source, mask
):
    monkeypatch.chdir(study)
    told = " ".join(run(*arguments.split()).out.split())
    assert f", according to {source}. Mask: {mask}." in told
    assert (map_taken or "At least") in told
    assert map_taken is not None or "takes another" not in told
