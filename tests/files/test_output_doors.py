"""Every function and command that writes: where it may, as a whole, and over no input."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import nibabel as nib
import numpy as np
import pytest
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage
from scipy.ndimage import label

from ari_estimator import (
    AdaptiveTDPTransformer,
    ClusterTDPTransformer,
    PermutationCalibration,
    explore,
    load,
    plotting,
    save,
)
from ari_estimator.cli import main
from ari_estimator.closed_testing import LearnedTemplate, calibrate
from ari_estimator.interfaces import read_fsl, write_fsl_tdp

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes, links and limits")


@dataclass
class Data:
    """Files and fitted estimators, made once."""

    z: Path
    mask: Path
    atlas: Path
    clusters: Path
    subjects: list[str]
    ari: Any
    stat_map: Any
    report: Any
    page: Any
    calibration: Any
    surface: Any


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(3)
    z = rng.standard_normal((9, 9, 8))
    z[2:5, 2:5, 2:5] += 5
    clusters = label(z > 3)[0].astype(np.int16)
    images = {"z": z, "mask": np.ones(z.shape, "uint8"), "clusters": clusters}
    images["atlas"] = np.where(z > 1, 1, 2).astype(np.int16)
    images |= {f"sub-{k}": z / 4 + rng.standard_normal(z.shape) for k in range(8)}
    paths = {name: folder / f"{name}.nii.gz" for name in images}
    for name, values in images.items():
        nib.Nifti1Image(values, np.diag([3.0, 3, 3, 1])).to_filename(paths[name])
    ari = AdaptiveTDPTransformer(0.7, mask_img=str(paths["mask"])).fit(str(paths["z"]))
    sphere = InMemoryMesh(rng.standard_normal((6, 3)), np.array([[0, 1, 2], [3, 4, 5]]))
    values = {"left": rng.standard_normal(6), "right": rng.standard_normal(6)}
    return Data(
        **{name: paths[name] for name in ("z", "mask", "atlas", "clusters")},
        subjects=[str(paths[f"sub-{k}"]) for k in range(8)],
        ari=ari,
        report=ari.generate_report(),
        page=explore(ari),
        stat_map=read_fsl(paths["z"], cluster_index=paths["clusters"]),
        calibration=PermutationCalibration(n_permutations=40, random_state=0).fit(
            rng.standard_normal((12, 30))
        ),
        surface=SurfaceImage(PolyMesh(left=sphere, right=sphere), values),
    )


class RefusedError(Exception):
    """What a command has refused, in its words."""


def ari(capsys, *arguments):
    capsys.readouterr()
    code = main([str(argument) for argument in arguments])
    said = capsys.readouterr().err
    if code:
        assert code == 2, said
        raise RefusedError(said)


def p_values():
    return np.random.default_rng(0).uniform(size=(30, 9))


def curves():
    return np.sort(np.sort(p_values()), axis=0)


def to(path):
    return "--prefix=z", "--force", f"--out={path}"


# Each takes data, a path, and a way to run commands. Names of commands start with "ari".
FIGURES = {
    "plot_tdp": lambda d, path: plotting.plot_tdp(
        str(d.z), str(d.mask), cut_coords=[0], output_file=path
    ),
    "plot_tdp_surface": lambda d, path: plotting.plot_tdp_surface(
        d.surface, d.surface, views=["lateral"], output_file=path
    ),
    "plot_tdp_curve": lambda d, path: plotting.plot_tdp_curve(d.ari, output_file=path),
    "plot_clusters_by_tdp": lambda d, path: plotting.plot_clusters_by_tdp(d.ari, output_file=path),
    "plot_cluster_dots": lambda d, path: plotting.plot_cluster_dots(d.ari, output_file=path),
    "plot_pivotal_statistics": lambda d, path: plotting.plot_pivotal_statistics(
        d.calibration, output_file=path
    ),
}
FILES = {
    **{name: lambda d, path, _, draw=draw: draw(d, path) for name, draw in FIGURES.items()},
    "explore": lambda d, path, _: explore(d.ari, output_file=path),
    "explorer page": lambda d, path, _: d.page.save_as_html(path),
    "report": lambda d, path, _: d.report.save_as_html(path),
    "calibration": lambda d, path, _: calibrate(p_values()).save(path),
    "learned template": lambda d, path, _: LearnedTemplate(curves(), 9).save(path),
    "forest": lambda d, path, _: d.ari.forest_.save(path),
    "ari explore": lambda d, path, ari: ari("explore", d.z, "--force", f"--out={path}"),
    "ari report": lambda d, path, ari: ari("report", d.z, "--force", f"--out={path}"),
}
FOLDERS = {
    "save": lambda d, path, _: save(d.ari, path, prefix="z", overwrite=True),
    "save a calibration": lambda d, path, _: save(d.calibration, path, prefix="z", overwrite=True),
    "write_fsl_tdp": lambda d, path, _: write_fsl_tdp(d.stat_map, path, overwrite=True),
    "ari clusters": lambda d, path, ari: ari("clusters", d.z, *to(path)),
    "ari adaptive": lambda d, path, ari: ari("adaptive", d.z, *to(path)),
    "ari regions": lambda d, path, ari: ari("regions", d.z, f"--atlas={d.atlas}", *to(path)),
    "ari group": lambda d, path, ari: ari("group", *d.subjects, *to(path)),
    "ari fsl": lambda d, path, ari: ari("fsl", d.z, f"--clusters={d.clusters}", *to(path)),
}
DOORS = FILES | FOLDERS
# This one computes more than all others.
DEMO = {"ari demo": lambda d, path, ari: ari("demo", f"--out={path}")}


@pytest.fixture
def open_door(data, capsys, monkeypatch, tmp_path):
    """Return a function that writes through a door; it runs in an empty folder."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    doors = DOORS | DEMO
    yield lambda door, path: doors[door](data, path, lambda *arguments: ari(capsys, *arguments))
    plt.close("all")


def contents(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file() and not p.is_symlink()}


def ending(door):
    return ".png" if door in FIGURES else ".html"


@pytest.mark.parametrize("door", DOORS)
def test_the_home_folder_is_found(open_door, tmp_path, door):
    open_door(door, f"~/new/x{ending(door)}")
    assert (tmp_path / "home" / "new" / f"x{ending(door)}").exists()
    assert os.listdir() == []


@pytest.mark.parametrize("door", DOORS | DEMO)
def test_an_empty_path_is_refused(open_door, tmp_path, door):
    with pytest.raises((ValueError, RefusedError), match=r"must be a path\. Got an empty text"):
        open_door(door, "")
    assert os.listdir() == []


@pytest.mark.parametrize("door", DOORS | DEMO)
def test_a_home_folder_of_no_one_is_refused(open_door, tmp_path, door):
    with pytest.raises((ValueError, RefusedError), match="home folder of an unknown user"):
        open_door(door, "~no-such-user/x.png")
    assert os.listdir() == []


@pytest.mark.parametrize("door", DOORS | DEMO)
def test_a_name_that_is_too_long_is_refused(open_door, tmp_path, door):
    with pytest.raises((OSError, RefusedError), match="must give shorter names of files"):
        open_door(door, tmp_path / ("x" * 300 + ending(door)))
    assert os.listdir(tmp_path) == ["here"]


IN_THE_WAY = {
    "folder": (lambda path: path.mkdir(), "is a folder"),
    "pipe": (os.mkfifo, "a pipe"),
    "device": (lambda path: path.symlink_to("/dev/null"), "is a device"),
    "dangling link": (lambda path: path.symlink_to("no/where"), "folder does not exist"),
    "write-protected file": (lambda path: path.touch(0o444), "write-protected"),
}


@pytest.mark.parametrize("what", IN_THE_WAY)
@pytest.mark.parametrize("door", FILES)
def test_what_is_no_file_is_not_replaced(open_door, tmp_path, door, what):
    make, words = IN_THE_WAY[what]
    path = tmp_path / f"x{ending(door)}"
    make(path)
    before = os.lstat(path)
    with pytest.raises((OSError, RefusedError), match=words):
        open_door(door, path)
    assert os.path.samestat(os.lstat(path), before)
    assert sorted(os.listdir(tmp_path)) == sorted(["here", path.name])
    assert plt.get_fignums() == []


@pytest.mark.parametrize("what", [name for name in IN_THE_WAY if name != "dangling link"])
@pytest.mark.parametrize("door", FOLDERS)
def test_nothing_is_replaced_if_something_is_in_the_way_of_one_file(
    open_door, tmp_path, door, what
):
    folder = tmp_path / "results"
    open_door(door, folder)
    make, words = IN_THE_WAY[what]
    # Names are sorted when they are written: others come before.
    last = sorted(folder.iterdir())[-1]
    last.unlink()
    make(last)
    before = {path: os.lstat(path).st_ino for path in folder.iterdir()}
    with pytest.raises((OSError, RefusedError), match=words):
        open_door(door, folder)
    assert {path: os.lstat(path).st_ino for path in folder.iterdir()} == before


@pytest.mark.parametrize("make", [os.mkfifo, Path.touch], ids=["pipe", "file"])
@pytest.mark.parametrize("door", FOLDERS | DEMO)
def test_what_is_no_folder_is_refused(open_door, tmp_path, door, make):
    make(tmp_path / "results")
    with pytest.raises((OSError, RefusedError), match="is a file, a device or a pipe, or lies"):
        open_door(door, tmp_path / "results")
    assert sorted(os.listdir(tmp_path)) == ["here", "results"]


@pytest.mark.parametrize("door", DOORS)
def test_links_are_followed(open_door, tmp_path, door):
    real, link = tmp_path / "real", tmp_path / f"link{ending(door)}"
    link.symlink_to("real")
    if door in FOLDERS:
        real.mkdir()
    else:
        real.write_text("old")
    open_door(door, link)
    assert link.is_symlink()
    assert sorted(os.listdir(tmp_path)) == sorted(["here", link.name, "real"])
    assert any(real.iterdir()) if door in FOLDERS else real.read_bytes() != b"old"


@pytest.mark.parametrize("door", DOORS)
def test_a_full_disk_leaves_what_was_there(open_door, tmp_path, door):
    resource = pytest.importorskip("resource")
    path = tmp_path / f"x{ending(door)}"
    open_door(door, path)
    before = contents(tmp_path)
    assert before
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, hard))
    try:
        with pytest.raises((OSError, RefusedError), match=f"File too large.*{path}"):
            open_door(door, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert contents(tmp_path) == before
    assert list(tmp_path.rglob(".writing-*")) == []


# No output over an input.


def as_link(path, new):
    new.symlink_to(path)


@pytest.mark.parametrize("make", [as_link, os.link, os.rename], ids=["link", "hard link", "itself"])
@pytest.mark.parametrize(
    ("door", "name"),
    [
        ("ari explore", "z"),
        ("ari report", "z"),
        ("ari clusters", "z"),
        ("ari adaptive", "z"),
        ("ari regions", "atlas"),
        ("ari fsl", "clusters"),
        ("ari group", "subject"),
        ("plot_tdp", "z"),
    ],
)
def test_an_input_is_not_replaced(open_door, data, tmp_path, monkeypatch, door, name, make):
    original = Path(data.subjects[3]) if name == "subject" else getattr(data, name)
    source = tmp_path / original.name
    source.write_bytes(original.read_bytes())
    path = out = tmp_path / f"out{ending(door)}"
    if door in FOLDERS:
        out.mkdir()
        path = out / "z_stat-tdp_statmap.nii.gz"
    make(source, path)
    source = source if source.exists() else path
    if name == "subject":
        subjects = [*data.subjects[:3], str(source), *data.subjects[4:]]
        monkeypatch.setattr(data, "subjects", subjects)
    else:
        monkeypatch.setattr(data, name, source)
    with pytest.raises((ValueError, RefusedError), match="is the input file"):
        open_door(door, out)
    assert path.read_bytes() == original.read_bytes()


def test_explore_does_not_replace_what_it_reads(data, tmp_path):
    copy = tmp_path / "z.nii.gz"
    copy.write_bytes(data.z.read_bytes())
    for given in (str(copy), nib.load(copy)):
        with pytest.raises(ValueError, match="is the input file"):
            explore(given, output_file=copy)
    with pytest.raises(ValueError, match="is the input file"):
        explore(str(data.z), mask_img=copy, output_file=copy)
    assert copy.read_bytes() == data.z.read_bytes()


def test_an_archive_is_not_replaced_by_a_page_of_it(data, tmp_path, capsys):
    archive = save(data.ari, tmp_path, prefix="z")["archive"]
    before = archive.read_bytes()
    for command in ("explore", "report"):
        with pytest.raises(RefusedError, match="is the input file"):
            ari(capsys, command, tmp_path, "--force", "--out", archive)
    assert archive.read_bytes() == before


# Names of files.


@pytest.mark.parametrize(
    "prefix", ["", ".hidden", "a\nb", "a\tb", "a\x1bb", "a/b", "a\u2028b", "a:b"]
)
def test_a_prefix_that_is_no_start_of_a_name_is_refused(data, tmp_path, capsys, prefix):
    with pytest.raises(ValueError, match="prefix must be the start of a file name"):
        save(data.ari, tmp_path, prefix=prefix)
    with pytest.raises(RefusedError, match="--prefix must be the start of a file name"):
        ari(capsys, "clusters", data.z, "--prefix", prefix, "--out", tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_prefix_that_is_too_long_is_refused(data, tmp_path, capsys):
    with pytest.raises(OSError, match=r"^prefix must give shorter names"):
        save(data.ari, tmp_path, prefix="x" * 240)
    with pytest.raises(RefusedError, match="--prefix must give shorter names"):
        ari(capsys, "clusters", data.z, "--prefix", "x" * 240, "--out", tmp_path)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["a:b.nii.gz", ".hid.nii.gz", "a\nb.nii.gz"])
def test_the_name_of_a_map_matters_only_where_files_are_named_after_it(
    data, tmp_path, capsys, monkeypatch, name
):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "maps"
    folder.mkdir()
    named = folder / name
    named.write_bytes(data.z.read_bytes())
    ari(capsys, "clusters", named)
    with pytest.raises(RefusedError, match="--prefix must be given, since the name of the map"):
        ari(capsys, "clusters", named, "--out", "out")
    with pytest.raises(RefusedError, match="--out must be given, since the name of the map"):
        ari(capsys, "report", named)
    assert os.listdir(tmp_path) == ["maps"]
    ari(capsys, "clusters", named, "--out", "out", "--prefix", "x")
    ari(capsys, "report", named, "--out", "page.html")
    assert sorted(os.listdir(tmp_path)) == ["maps", "out", "page.html"]


# Inputs in the home folder.


@pytest.fixture
def at_home(data, tmp_path, monkeypatch):
    """Let ~ be a folder with all data."""
    monkeypatch.setenv("HOME", str(data.z.parent))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "command",
    [
        ["clusters", "~/z.nii.gz", "--mask=~/mask.nii.gz"],
        ["clusters", "~/z.nii.gz", "--labels=~/clusters.nii.gz"],
        ["regions", "~/z.nii.gz", "--atlas=~/atlas.nii.gz"],
        ["group", "~/sub-*.nii.gz"],
        ["fsl", "~/z.nii.gz", "--clusters=~/clusters.nii.gz"],
        ["info", "~/z.nii.gz"],
        ["report", "~/z.nii.gz", "--mask=~/mask.nii.gz"],
        ["explore", "~/z.nii.gz", "--background=~/z.nii.gz"],
    ],
    ids=" ".join,
)
def test_commands_read_from_the_home_folder(at_home, capsys, command):
    ari(capsys, *command)


def test_functions_read_from_the_home_folder(at_home, data):
    ari = ClusterTDPTransformer(3, mask_img="~/mask.nii.gz").fit("~/z.nii.gz")
    save(ari, "~/saved", overwrite=True)
    assert load("~/saved").maps_.n_tested == load("~/saved/map_ari.npz").maps_.n_tested
    data.ari.forest_.save("~/forest.npz")
    assert type(data.ari.forest_).load("~/forest.npz").elements.size == ari.maps_.n_tested
    stat_map = read_fsl("~/z.nii.gz", cluster_index="~/clusters.nii.gz")
    assert stat_map.labels_img is not None
