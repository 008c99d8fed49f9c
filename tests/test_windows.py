"""What Windows does with files, names, locks, line ends and signals, as far as one can simulate."""

from __future__ import annotations

import json
import mmap
import runpy
import signal
import sys
from pathlib import Path, PureWindowsPath
from types import SimpleNamespace

import pytest

import ari_estimator
from ari_estimator import ClusterTDPTransformer, load
from ari_estimator.cli import main
from ari_estimator.datasets import load_sample_study
from ari_estimator.files import _deferred_signals, _writing_folder
from ari_estimator.files._whole_files import whole_files
from ari_estimator.interfaces import output_stem

from ._windows import Windows

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the simulation reads /proc")


@pytest.fixture
def windows(monkeypatch, tmp_path):
    """Return the rules of Windows for ``tmp_path``; the package believes that it is there."""
    monkeypatch.setattr(_writing_folder, "sys", SimpleNamespace(platform="win32"))
    monkeypatch.setitem(sys.modules, "fcntl", None)
    return Windows(monkeypatch, tmp_path)


@pytest.fixture
def study(tmp_path):
    """Return a folder with the parts of the sample study that the tests need."""
    sample = load_sample_study()
    for name in ("mask", "atlas"):
        sample[f"{name}_img"].to_filename(tmp_path / f"{name}.nii")
    sample.z_img.to_filename(tmp_path / "zstat.nii")
    for subject, img in zip(sample.participants["participant_id"][:8], sample.maps, strict=False):
        img.to_filename(tmp_path / f"{subject}.nii")
    design = sample.participants[:8].assign(path=lambda table: table["participant_id"] + ".nii")
    for name, table in (("design", design), ("atlas", sample.atlas_lut)):
        table.to_csv(tmp_path / f"{name}.tsv", sep="\t", index=False, lineterminator="\n")
    return tmp_path


def _without_checksums(told):
    """Return what a command tells, without checksums of files."""
    if isinstance(told, dict):
        return {k: _without_checksums(v) for k, v in told.items() if not k.endswith("sha256")}
    return [_without_checksums(one) for one in told] if isinstance(told, list) else told


def _names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_the_simulation_refuses_what_windows_refuses(windows, tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("a\n", encoding="utf-8")
    assert path.read_bytes() == b"a\r\n"
    with path.open(encoding="utf-8"):
        for refused in (
            lambda: path.rename(tmp_path / "b.txt"),
            lambda: path.replace(tmp_path / "b.txt"),
            path.unlink,
        ):
            with pytest.raises(PermissionError, match="used by another process"):
                refused()
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    with pytest.raises(PermissionError):
        path.unlink()
    mapped.close()
    for name in ("a:b.txt", "nul.tsv", "end.", "a?b"):
        with pytest.raises(OSError, match="Invalid argument"):
            (tmp_path / name).write_text("a", encoding="utf-8")
    with pytest.raises(AssertionError, match="would replace"):
        (tmp_path / "A.txt").write_text("a", encoding="utf-8")
    path.unlink()
    assert _names(tmp_path) == []


@pytest.mark.parametrize("error", [None, RuntimeError, KeyboardInterrupt])
def test_files_move_as_a_whole_and_nothing_is_left(windows, tmp_path, error):
    (tmp_path / "old.txt").write_text("old", encoding="utf-8")

    def write():
        with whole_files(tmp_path) as temporary:
            (temporary / "old.txt").write_text("new", encoding="utf-8")
            (temporary / "more.txt").write_text("new", encoding="utf-8")
            if error is not None:
                raise error

    if error is None:
        write()
    else:
        with pytest.raises(error):
            write()
    assert _names(tmp_path) == (["old.txt"] if error else ["more.txt", "old.txt"])
    assert (tmp_path / "old.txt").read_text(encoding="utf-8") == ("old" if error else "new")
    assert windows.refused == []


def test_a_result_that_another_program_has_open_stays_and_is_named(windows, tmp_path):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("old", encoding="utf-8")

    def write():
        with whole_files(tmp_path) as temporary:
            for name in ("a.txt", "b.txt"):
                (temporary / name).write_text("new", encoding="utf-8")

    with (tmp_path / "b.txt").open("rb"), pytest.raises(PermissionError, match=r"b\.txt") as raised:
        write()
    assert str(tmp_path / "b.txt") in {raised.value.filename, raised.value.filename2}
    assert _names(tmp_path) == ["a.txt", "b.txt"]
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "old"


def test_folders_without_locks_are_removed_after_a_day_only(windows, tmp_path, monkeypatch):
    left = _writing_folder.WritingFolder(tmp_path)
    left.remove.detach()  # as if the program had been killed
    (left.new / "half.nii").write_bytes(b"half")
    _writing_folder.WritingFolder(tmp_path).remove()
    assert left.new.exists()
    now = _writing_folder.time.time() + 25 * 3600
    monkeypatch.setattr(_writing_folder, "time", SimpleNamespace(time=lambda: now))
    _writing_folder.WritingFolder(tmp_path).remove()
    assert _names(tmp_path) == []


def test_a_map_from_its_files_to_its_results(study, windows, capsys):
    out = study / "out"
    given = ["clusters", str(study / "zstat.nii"), "--mask", str(study / "mask.nii")]
    given += ["--threshold", "3.1", "--out", str(out)]
    main(given)
    first = {path.name: path.read_bytes() for path in out.iterdir()}
    main([*given, "--overwrite"])
    assert {path.name: path.read_bytes() for path in out.iterdir()}.keys() == first.keys()
    assert windows.refused == []
    capsys.readouterr()


def test_tables_and_archives_are_the_same_bytes_as_elsewhere(tmp_path, monkeypatch):
    study = load_sample_study()
    ari = ClusterTDPTransformer(3.1, mask_img=study.mask_img).fit(study.z_img)
    written = {}
    for system in ("here", "windows"):
        with monkeypatch.context() as patch:
            if system == "windows":
                patch.setattr(_writing_folder, "sys", SimpleNamespace(platform="win32"))
                Windows(patch, tmp_path)
            ari_estimator.save(ari, tmp_path / system)
        written[system] = {
            path.name: path.read_bytes()
            for path in (tmp_path / system).iterdir()
            if path.suffix in (".tsv", ".npz")
        }
    assert len(written["here"]) == 2
    assert written["here"] == written["windows"]
    assert load(tmp_path / "windows").true_discoveries_ == ari.true_discoveries_
    json.loads((tmp_path / "windows" / "map_clusters.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "byte order mark"])
def test_texts_with_line_ends_of_windows_are_read(study, mark, capsys, monkeypatch):
    monkeypatch.chdir(study)
    group = ["group", "--design", "design.tsv", "--regressor", "age", "--contrast", "age"]
    group += ["--mask", "mask.nii", "--threshold", "3", "--json"]
    regions = ["regions", "zstat.nii", "--mask", "mask.nii", "--atlas", "atlas.nii"]
    regions += ["--lut", "atlas.tsv", "--json"]

    def results():
        outputs = []
        for command in (group, regions):
            main(command)
            outputs.append(_without_checksums(json.loads(capsys.readouterr().out)))
        return outputs

    before = results()
    for path in [study / "design.tsv", study / "atlas.tsv"]:
        text = mark + path.read_text(encoding="utf-8")
        path.write_bytes(text.replace("\n", "\r\n").encode())
    assert results() == before


def test_requests_to_end_are_those_of_the_system(monkeypatch):
    monkeypatch.delattr(signal, "SIGHUP")
    monkeypatch.setattr(signal, "SIGBREAK", signal.SIGUSR1, raising=False)
    ending = runpy.run_path(_deferred_signals.__file__)["ENDING"]
    assert ending == (signal.SIGINT, signal.SIGTERM, signal.SIGBREAK)


def test_paths_of_windows_have_names_that_can_start_files():
    # Names of results come from the last part of a path, whatever divides its parts.
    path = PureWindowsPath(r"C:\data\sub-01\sub-01_task-x_contrast-y_stat-z_statmap.nii.gz")
    assert output_stem(path) == "sub-01_task-x_contrast-y"
