"""Errors name options as they are spelled on the command line, in one line, with exit code 2."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
from nibabel import Nifti1Image

import ari_estimator.cli

MAP = ("clusters", "{z}", "--mask", "{mask}")
ADAPTIVE = ("adaptive", "{z}", "--mask", "{mask}")
REGIONS = ("regions", "{z}", "--mask", "{mask}")
GROUP = ("group", "{folder}/s[0-9].nii", "--mask", "{mask}")
PERMUTED = (*GROUP, "--permutations", "40")


@pytest.fixture
def paths(files):
    """Return where files are, with maps of subjects."""
    rng = np.random.default_rng(5)
    for i in range(6):
        z = rng.standard_normal((10, 9, 8))
        Nifti1Image(z, np.diag([3.0, 3, 3, 1])).to_filename(files.folder / f"s{i}.nii")
    return {**vars(files), "none": "/dev/null"}


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        *(((*MAP, "--alpha", value), "--alpha") for value in ("nan", "inf", "0", "-1", "1")),
        *(((*MAP, "--threshold", value), "--threshold") for value in ("nan", "-1", "x")),
        ((*MAP, "--cluster-threshold", "-1"), "--cluster-threshold"),
        ((*MAP, "--cluster-threshold", "2.5"), "--cluster-threshold"),
        ((*MAP, "--connectivity", "7"), "--connectivity"),
        ((*MAP, "--stat-type", "q"), "--stat-type"),
        ((*MAP, "--local-test", "q"), "--local-test"),
        ((*MAP, "--threshold-scale", "q"), "--threshold-scale"),
        *(((*MAP, "--stat-type", "t", "--df", v), "--df") for v in ("nan", "-1", "0", "1,2")),
        ((*MAP, "--df", "12"), "--df"),
        ((*MAP, "--labels", "{z}"), "--labels"),
        ((*MAP, "--labels", "{none}"), "--labels"),
        *(((*ADAPTIVE, "--tdp", value), "--tdp") for value in ("nan", "inf", "-1", "2")),
        ((*REGIONS, "--atlas", "{z}"), "--atlas"),
        ((*REGIONS, "--atlas", "{none}"), "--atlas"),
        ((*REGIONS, "--atlas", "{atlas}", "--lut", "{none}"), "--lut"),
        ((*REGIONS, "--atlas", "{atlas}", "--lut", "{z}"), "--lut"),
        ((*REGIONS, "--atlas", "{atlas}", "--probability-threshold", "nan"), "--probability-t"),
        (("explore", *MAP[1:], "--tdp", "nan"), "--tdp"),
        (("explore", *MAP[1:], "--connectivity", "5"), "--connectivity"),
        (("explore", *MAP[1:], "--atlas", "{z}"), "--atlas"),
        (("explore", *MAP[1:], "--lut", "{lut}"), "--atlas"),
        (("explore", *MAP[1:], "--background", "{none}"), "--background"),
        (("report", *MAP[1:], "--tdp", "nan"), "--tdp"),
        (("report", *MAP[1:], "--max-sets", "0"), "--max-sets"),
        *(
            ((*GROUP, "--smoothing-fwhm", v), "--smoothing-fwhm")
            for v in ("inf", "nan", "-1", "1e9")
        ),
        *(((*GROUP, "--permutations", v), "--permutations") for v in ("0", "-5", "1", "1e9")),
        ((*GROUP, "--permutations", "10"), "--permutations"),
        *(((*PERMUTED, "--seed", value), "--seed") for value in ("-1", str(2**32), str(2**40))),
        ((*PERMUTED, "--n-jobs", "0"), "--n-jobs"),
        ((*PERMUTED, "--template", "q"), "--template"),
        ((*PERMUTED, "--alpha", "nan"), "--alpha"),
        ((*GROUP, "--tdp", "nan"), "--tdp"),
        ((*GROUP, "--contrast", "q"), "--contrast"),
        ((*GROUP, "--design", "{none}"), "--design"),
        ((*GROUP, "--design", "{z}"), "--design"),
        ((*GROUP, "--select", "x"), "--select"),
        (("fsl", "{z}", "--df", "nan"), "--df"),
        (("fsl", "{z}", "--clusters", "{z}"), "--clusters"),
        (("fsl", "{z}", "--atlas", "{z}"), "--atlas"),
        (("afni", "{z}", "--sub-brick", "99"), "--sub-brick"),
    ],
)
def test_values_that_cannot_be_are_refused_by_the_name_of_their_option(
    refused, paths, arguments, option, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    line = refused(*(argument.format(**paths) for argument in arguments))
    assert option in line
    for name in ("labels_img", "_fwhm", "random_state", "n_jobs", "n_permutations", "tdp_thr"):
        assert name not in line
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("clusters", "{z}", "--mask", "{z}"),
            "nilearn.image.math_img('img > 0.5', img=mask_img) in Python gives",
        ),
        ((*MAP, "--stat-type", "t"), "--stat-type t. Got none. "),
        ((*MAP, "--threshold", "-3.1"), "set --two-sided and a positive threshold."),
        ((*MAP, "--alpha", "3"), "--alpha should be between 0 and 1"),
        ((*MAP, "--local-test", "q"), "--local-test must be one of 'simes', 'hommel'. Got 'q'"),
        ((*MAP, "--stat-type", "q"), "'neg_log10_p', 'one_minus_p'. Got 'q'"),
    ],
)
def test_words_of_python_are_whole_or_translated(refused, paths, arguments, message):
    assert message in refused(*(argument.format(**paths) for argument in arguments))


@pytest.mark.parametrize("name", ["mask_img.nii", "n_jobs", "the labels_img.nii.gz"])
def test_names_of_files_are_no_parameters(refused, files, name):
    assert name in refused("clusters", files.folder / name)


def test_warnings_name_options_too(run, files):
    path = files.folder / "effect.nii"
    Nifti1Image(np.linspace(0.1, 0.9, 720).reshape(10, 9, 8), np.diag([3.0, 3, 3, 1])).to_filename(
        path
    )
    warned = run("clusters", path, "--mask", files.mask)
    assert "set --stat-type." in warned.err
    assert "stat_type" not in warned.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--exchange", "q"),
            "--exchange must be one of 'within', 'whole', 'both'. Got 'q'",
        ),
        (
            ("--scheme", "q"),
            "--scheme must be one of 'auto', 'sign_flip', 'permutation', 'bootstrap'. Got 'q'",
        ),
        (("--connectivity", "7"), "--connectivity must be one of 6, 18, 26. Got 7"),
        (("--alpha", "0.01"), "Use --permutations=100 or more"),
    ],
)
def test_choices_are_listed_in_their_order(refused, paths, arguments, message):
    assert message in refused(*(part.format(**paths) for part in PERMUTED), *arguments)


def test_options_have_a_type_that_all_versions_of_typer_know():
    folder = Path(ari_estimator.cli.__file__).parent
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Subscript) and getattr(node.value, "id", "") == "Annotated":
                of_option = node.slice.elts[0]
                assert getattr(of_option, "id", "") != "Any", f"{path.name}:{node.lineno}"
