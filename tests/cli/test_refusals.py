"""What commands refuse: in one line, with exit code 2, and leaving all as it was."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nibabel import Nifti1Image


@pytest.mark.parametrize(
    "arguments",
    [["nothing"], ["clusters"], ["demo", "--nothing"], ["clusters", "z.nii", "--alpha"]],
)
def test_bad_usage_is_told_in_one_line(refused, arguments):
    assert "--help" in refused(*arguments)


def test_a_question_ends_a_sentence(refused):
    assert "Did you mean 'clusters'? See ari --help." in refused("cluster")


def test_a_file_of_a_similar_name_is_named(refused, files):
    other = files.folder / "mas.nii.gz"
    message = f"--mask does not exist: '{other}'. Did you mean '{files.mask}'?"
    assert message in refused("clusters", files.z, "--mask", other)
    assert "Did you mean" not in refused("clusters", files.folder / "unlike.nii.gz")
    assert "Did you mean" not in refused("clusters", files.folder / "none" / "z.nii.gz")


def test_an_empty_mask_is_named(refused, files, tmp_path):
    empty = tmp_path / "empty.nii.gz"
    Nifti1Image(np.zeros((10, 9, 8), dtype=np.uint8), np.diag([3.0, 3, 3, 1])).to_filename(empty)
    assert "--mask must have voxels." in refused("clusters", files.z, "--mask", empty)


def test_no_command_prints_the_help(run):
    result = run()
    assert result.code == 2
    assert "clusters" in result.out + result.err


@pytest.mark.parametrize(
    "command",
    ["clusters", "adaptive", "regions", "group", "explore", "report", "demo", "info"],
)
def test_help_has_an_example(run, command):
    result = run(command, "--help")
    assert result.code == 0
    assert f"Example: ari {command}" in result.out


def test_version(run):
    assert run("--version").out.startswith("ari_estimator ")


def _damaged(files, how):
    path = files.folder / "damaged.nii.gz"
    content = files.z.read_bytes()
    if how == "text":
        path.write_text("no image")
    elif how == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "folder":
        path.mkdir()
    return path


@pytest.mark.parametrize("how", ["missing", "folder", "text", "truncated", "empty"])
@pytest.mark.parametrize("command", ["clusters", "adaptive", "report", "explore"])
def test_maps_that_are_none(refused, files, tmp_path, how, command, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = _damaged(files, how)
    assert "damaged.nii.gz" in refused(command, path)
    assert list(tmp_path.iterdir()) == [files.folder]


@pytest.mark.parametrize("how", ["missing", "text", "truncated"])
def test_masks_and_atlases_that_are_none(refused, files, how):
    path = _damaged(files, how)
    assert "--mask" in refused("clusters", files.z, "--mask", path)
    assert "--atlas" in refused("regions", files.z, "--mask", files.mask, "--atlas", path)
    atlas = ("--atlas", files.atlas, "--lut", files.folder / "none.tsv")
    assert "--lut" in refused("regions", files.z, "--mask", files.mask, *atlas)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--stat-type", "t"], "df"),
        (["--stat-type", "t", "--df", "0"], "df"),
        (["--stat-type", "t", "--df", "many"], "--df"),
        (["--stat-type", "t", "--df", "1,2"], "df"),
        (["--df", "12"], "df"),
        (["--stat-type", "q"], "--stat-type"),
        (["--alpha", "1"], "alpha"),
        (["--connectivity", "7"], "connectivity"),
        (["--threshold", "high"], "--threshold"),
        (["--threshold", "-1"], "threshold"),
        (["--local-test", "fisher"], "--local-test"),
    ],
)
def test_options_out_of_range_are_named(refused, files, arguments, word):
    assert word in refused("clusters", files.z, "--mask", files.mask, *arguments)


def test_sets_that_exclude_each_other(refused, files):
    line = refused("report", files.z, "--tdp", "0.5", "--threshold", "3")
    assert "--threshold and --tdp" in line
    assert "--tdp" in refused("adaptive", files.z, "--threshold-free", "--tdp", "0.5")


def test_a_map_without_clusters_is_no_error(run, files):
    result = run("clusters", files.z, "--mask", files.mask, "--threshold", "40")
    assert result.code == 0
    assert "rest" in result.out


def test_output_that_is_there_stays(refused, run, files, tmp_path):
    out = tmp_path / "out"
    given = ("clusters", files.z, "--mask", files.mask, "--out", out)
    assert run(*given).code == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert "--force" in refused(*given, "--threshold", "2")
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert run(*given, "--threshold", "2", "--force").code == 0
    assert (out / "z_clusters.tsv").read_bytes() != before["z_clusters.tsv"]


def test_page_that_is_there_stays(refused, run, files, tmp_path):
    out = tmp_path / "page.html"
    out.write_text("mine")
    assert "--force" in refused("explore", files.z, "--mask", files.mask, "--out", out)
    assert "--force" in refused("report", files.z, "--mask", files.mask, "--out", out)
    assert out.read_text() == "mine"
    result = run("explore", files.z, "--mask", files.mask, "--out", out, "--force")
    assert result.code == 0
    assert out.read_text().startswith("<!DOCTYPE html>")


def test_output_folder_that_is_a_file(refused, files, tmp_path):
    out = tmp_path / "file"
    out.write_text("mine")
    for place in (out, out / "below"):
        assert "is a file" in refused("clusters", files.z, "--mask", files.mask, "--out", place)
    assert out.read_text() == "mine"


def test_output_folder_that_may_not_be_written_to(refused, files, tmp_path, monkeypatch):
    can_access = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: path != tmp_path and can_access(path, mode)
    )
    line = refused("clusters", files.z, "--mask", files.mask, "--out", tmp_path / "out")
    assert "may not be written to" in line
    assert not (tmp_path / "out").exists()


def test_full_disk_leaves_nothing(refused, files, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError(28, "No space left on device", "z_ari.npz")

    monkeypatch.setattr("ari_estimator.interfaces._results.save_map", fail)
    line = refused("clusters", files.z, "--mask", files.mask, "--out", tmp_path / "out")
    assert "No space left on device" in line
    assert not (tmp_path / "out").exists()


def test_debug_shows_where_an_error_comes_from(run, files):
    result = run("clusters", files.folder / "nothing.nii", "--debug")
    assert result.code == 2
    assert "Traceback" in result.err


def test_what_should_not_happen_is_told_in_one_line(run, files, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("a fault\nof ours")

    monkeypatch.setattr("ari_estimator.ClusterTDPTransformer.fit_transform", fail)
    result = run("clusters", files.z, "--mask", files.mask)
    assert result.code == 1
    assert result.err.count("\n") == 1
    assert "a fault of ours (an unexpected RuntimeError; --debug shows where)" in result.err


SLOW = """
import sys, time
import ari_estimator.interfaces._results as results
from ari_estimator.cli import main

def wait(*_, **__):
    print("writing", flush=True)
    # In pieces: a signal between a check and the sleep would wait until it ends.
    for _ in range(600):
        time.sleep(0.1)

results.save_map = wait
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
@pytest.mark.parametrize("sent", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_an_interrupt_leaves_no_half_file(files, tmp_path, sent):
    out = tmp_path / "out"
    given = ["clusters", str(files.z), "--mask", str(files.mask), "--out", str(out)]
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, *given],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Programs in the background may be started with a signal ignored, and ignored it stays.
        preexec_fn=lambda: signal.signal(getattr(signal, sent), signal.SIG_DFL),
    )
    assert process.stdout.readline() == "writing\n"
    assert list(out.iterdir())
    # A second one does no harm, whenever it comes.
    process.send_signal(getattr(signal, sent))
    process.send_signal(signal.SIGTERM)
    _, complaint = process.communicate(timeout=30)
    assert process.returncode == 130
    assert complaint == "ari clusters: interrupted; nothing was written\n"
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["clusters", "{z}", "--prefix", "x"], "--prefix is for files"),
        (["clusters", "{z}", "--force"], "--force is for files"),
        (["clusters", "{z}", "--prefix", "", "--out", "{out}"], "--prefix must be the start"),
        (["report", "{z}", "--lut", "{lut}"], "--lut is for sets of --atlas"),
        (["report", "{z}", "--tdp", "0.7", "--threshold-scale", "p"], "--threshold-scale is for"),
        (["report", "{z}", "--atlas", "{atlas}", "--connectivity", "26"], "--connectivity is for"),
        (["report", "{z}", "--atlas", "{atlas}", "--cluster-threshold", "9"], "--threshold or --t"),
        (["explore", "{z}", "--lut", "{lut}"], "without a --atlas"),
        (["group", "{z}", "{mask}", "--smoothing-fwhm", "-3"], "smoothing-fwhm"),
        (["group", "{z}", "{mask}", "--n-jobs", "2"], "--n-jobs is for --permutations"),
    ],
)
def test_options_that_would_do_nothing(refused, files, tmp_path, arguments, words, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paths = {**vars(files), "out": tmp_path / "out"}
    assert words in refused(*(argument.format(**paths) for argument in arguments))
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


@pytest.mark.parametrize("command", ["clusters", "adaptive", "explore", "report"])
def test_several_maps_in_a_file(refused, files, command):
    z = nib.load(files.z).get_fdata()
    several = files.folder / "several.nii.gz"
    nib.Nifti1Image(np.stack([z, z], axis=-1), np.eye(4)).to_filename(several)
    assert "--map must say which map of the image to test" in refused(command, several)


@pytest.mark.parametrize("command", ["explore", "report"])
def test_page_in_a_folder_that_is_a_file(refused, files, command):
    line = refused(command, files.z, "--mask", files.mask, "--out", files.mask / "page.html")
    assert "is a file" in line


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ([], "interrupted; nothing was written"),
        (["--out", "results"], "interrupted after all 5 files were written to results"),
    ],
)
def test_an_interrupt_while_printing(run, files, tmp_path, monkeypatch, out, words):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ari_estimator.cli._terminal.print_outcome", interrupt)
    result = run("clusters", files.z, "--mask", files.mask, *out)
    assert result.code == 130
    assert result.err.strip() == f"ari clusters: {words}"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_standard_output_that_is_full(files, options):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "ari_estimator", "clusters", files.z, *options],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.splitlines() == ["ari clusters: standard output: No space left on device"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
def test_an_interrupt_while_nilearn_is_imported_is_told_in_one_line(files):
    early = (
        "import os, signal, sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'nilearn':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "from ari_estimator.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", early, "clusters", str(files.z)], capture_output=True, text=True
    )
    assert done.returncode == 130
    assert done.stderr == "ari clusters: interrupted; nothing was written\n"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--threshold", "inf"], "--threshold must be finite"),
        (["--threshold", "3", "--threshold", "inf"], "--threshold must be finite"),
        (["--threshold", "nan"], "--threshold cannot be negative or contain .* NaN"),
        (["--out", "results", "--prefix", " "], "--prefix must be the start of a file name"),
        (["--out", "results", "--prefix", "a "], "--prefix must be the start of a file name"),
        (["--out", "results", "--prefix=-x"], "--prefix must be the start of a file name"),
        (["--out", "/dev/null"], "--out must be a folder"),
        (["--df", "/dev/null"], "--df must be a file on a disk. Got a device"),
        (["--df", "."], "--df must be a file. Got a folder"),
    ],
)
def test_values_without_a_sense_are_refused(refused, files, given, message):
    assert re.search(message, refused("clusters", files.z, *given))


def test_a_pipe_is_no_image_of_degrees_of_freedom(refused, files, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert "--df must be a file on a disk. Got a pipe" in refused("clusters", files.z, "--df", pipe)
