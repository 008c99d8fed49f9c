"""How commands meet the shell: closed channels, patterns of files, help, completion."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from nibabel import Nifti1Image

from ari_estimator import resampling
from ari_estimator.calibration import _missing_rows
from ari_estimator.cli._choices import (
    CONNECTIVITIES,
    EXCHANGES,
    FIGURE_FORMATS,
    LOCAL_TESTS,
    MISSING,
    SCHEMES,
    STAT_TYPES,
    TEMPLATES,
    THRESHOLD_SCALES,
)
from ari_estimator.inference import STATISTICS

AFFINE = np.diag([3.0, 3, 3, 1])

ARI = (sys.executable, "-m", "ari_estimator")

posix = pytest.mark.skipif(os.name == "nt", reason="shells of other systems")


def _ari(shell, *arguments):
    """Run a command in a shell, with what it does to its channels."""
    command = ["sh", "-c", f'"$@" {shell}', "sh", *ARI, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@posix
@pytest.mark.parametrize("options", [[], ["--json"], ["--json", "--quiet"]])
def test_standard_output_that_is_closed_is_told_before_any_work(files, tmp_path, options):
    given = ("clusters", files.z, "--mask", files.mask, "--out", tmp_path / "out", *options)
    done = _ari(">&-", *given)
    assert done.returncode == 2
    assert done.stderr.startswith("ari clusters: standard output is closed.")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


@posix
def test_standard_output_may_be_closed_if_nothing_is_printed(files, tmp_path):
    given = ("clusters", files.z, "--mask", files.mask, "--out", tmp_path / "out", "--quiet")
    done = _ari(">&-", *given)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list((tmp_path / "out").iterdir())) == 5


@posix
def test_standard_error_may_be_closed(files):
    done = _ari("2>&-", "clusters", files.z, "--mask", files.mask, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["n_tested"] == 648
    done = _ari("2>&-", "clusters", files.z, "--mask", files.mask, "--alpha", "2")
    assert (done.returncode, done.stdout) == (2, "")


@pytest.fixture
def subjects(tmp_path):
    """Return a folder whose name has brackets, stars and blanks, with maps of subjects."""
    rng = np.random.default_rng(3)
    folder = tmp_path / "data[1] x" / "deriv{a}"
    for i in (1, 2, 10):
        (folder / f"sub-{i}").mkdir(parents=True)
        z = rng.standard_normal((6, 6, 6))
        Nifti1Image(z, AFFINE).to_filename(folder / f"sub-{i}" / "con[1].nii")
        Nifti1Image(z, AFFINE).to_filename(folder / f"sub-{i}" / "con1.nii")
    # What the pattern would be taken for, if brackets in names were patterns.
    shutil.copytree(folder, tmp_path / "data1 x" / "deriv{a}")
    Nifti1Image(np.ones((6, 6, 6), np.uint8), AFFINE).to_filename(tmp_path / "mask.nii")
    return tmp_path


@pytest.mark.parametrize(
    "pattern",
    [
        "data[1] x/deriv{a}/sub-*/con[1].nii",
        "data[1] x/*/sub-?*/con[1].nii",
        "data[1] x/**/con[1].nii",
        "./data[1] x/deriv{a}/sub-[12]*/con[1].nii",
    ],
)
def test_names_that_are_there_are_no_patterns(run, subjects, monkeypatch, pattern):
    monkeypatch.chdir(subjects)
    for given in (pattern, str(subjects / pattern)):
        told = run("group", given, "--mask", "mask.nii", "--json")
        assert told.code == 0, told.err
        rows = json.loads(told.out)["design"]["rows"]
        folder = subjects / "data[1] x" / "deriv{a}"
        expected = [folder / f"sub-{i}" / "con[1].nii" for i in (1, 2, 10)]
        assert [Path(row["map"][0]).absolute() for row in rows] == expected


def test_patterns_in_other_names_stay_patterns(run, refused, subjects, monkeypatch):
    monkeypatch.chdir(subjects)
    told = run("group", "data[0-9] x/deriv{a}/sub-?/con[0-9].nii", "--mask", "mask.nii", "--json")
    rows = json.loads(told.out)["design"]["rows"]
    assert [Path(row["map"][0]).parts[0] for row in rows] == ["data1 x"] * 2
    assert "IMG must be files. There is none at" in refused("group", "data[1] x/none*/x.nii")


@pytest.mark.parametrize("command", [[], ["clusters"], ["group"], ["info"], ["spm"]])
def test_short_help(run, command):
    short, long = run(*command, "-h"), run(*command, "--help")
    assert short.code == long.code == 0
    assert short.out == long.out
    assert "--help" in long.out


def _completions(line, monkeypatch=None):
    """Return what a bash is told at the end of a line."""
    words = line.split(" ")
    environment = os.environ | {
        "_ARI_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    done = subprocess.run(ARI, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ari cl", ["clusters"]),
        ("ari clusters z.nii --stat-", ["--stat-type"]),
        ("ari clusters z.nii --stat-type ", list(STAT_TYPES)),
        ("ari clusters z.nii --local-test h", ["hommel"]),
        ("ari clusters z.nii --connectivity ", list(CONNECTIVITIES)),
        ("ari explore z.nii --connectivity 2", ["26"]),
        ("ari adaptive z.nii --threshold-scale ", []),
        ("ari clusters z.nii --threshold-scale ", list(THRESHOLD_SCALES)),
        ("ari clusters z.nii --threshold c", ["concentration"]),
        ("ari group z.nii --template b", ["beta"]),
        # Nothing, so that bash completes names of files.
        ("ari clusters z", []),
        ("ari clusters z.nii --mask m", []),
        ("ari regions z.nii --lut ", []),
    ],
)
def test_completion(line, expected):
    assert _completions(line) == expected


def test_completed_values_are_those_that_there_are(refused, files):
    assert set(STAT_TYPES) == set(STATISTICS)
    assert (EXCHANGES, SCHEMES) == (resampling.EXCHANGES, resampling.SCHEMES)
    assert MISSING == _missing_rows.MISSING
    given = (files.z, files.mask, "--mask", files.mask)
    told = {
        LOCAL_TESTS: refused("clusters", files.z, "--local-test", "x"),
        THRESHOLD_SCALES: refused("clusters", files.z, "--threshold-scale", "x"),
        CONNECTIVITIES: refused("clusters", files.z, "--connectivity", "7"),
        FIGURE_FORMATS: refused(
            "report", files.z, "--save-figures", files.folder / "f", "--file-format", "x"
        ),
        TEMPLATES: refused("group", *given, "--permutations", "20", "--template", "x"),
    }
    for choices, line in told.items():
        listed = re.search(r"must be one of \[?(.*?)\]?\. Got", line)[1].replace("'", "")
        # The shell has options of its own for a ClusterExtent.
        assert set(re.split(", | or ", listed)) - {"None", "a ClusterExtent"} == set(choices)


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_commands_choices_and_files(tmp_path):
    # As readline asks for it: by the function that complete names, and then by names of files.
    (tmp_path / "ari").write_text(f'#!/bin/sh\nexec {" ".join(ARI)} "$@"\n')
    (tmp_path / "ari").chmod(0o755)
    asks = (
        'eval "$(./ari --show-completion)"; complete -p ari; COMP_CWORD=4; '
        "COMP_WORDS=(ari clusters z.nii --stat-type n); "
        '_ari_completion ./ari; echo "${COMPREPLY[@]}"; '
        "COMP_WORDS=(ari clusters z.nii --mask m); "
        '_ari_completion ./ari; echo "${COMPREPLY[@]}"; '
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", asks], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stdout.splitlines() == [
        "complete -o default -F _ari_completion ari",
        "neg_log10_p",
        "",
    ]
