"""Folders of mri_glmfit: hemispheres and volumes, their clusters and their tables."""

from __future__ import annotations

import shutil

import nibabel as nib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage, stats

from ari_estimator import AdaptiveTDPTransformer, ClusterTDPTransformer
from ari_estimator.datasets import load_sample_study
from ari_estimator.datasets._glm_folders import write_glm_folders
from ari_estimator.interfaces import (
    StatisticalMap,
    find_freesurfer_tables,
    freesurfer_tables_with_tdp,
    load,
    read_freesurfer,
    save,
)

from ._freesurfer_files import sphere, write_surface, write_values

N = 642
DF = 18
RNG = np.random.default_rng(5)


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """Return the folder of FreeSurfer in the sample study."""
    folder = tmp_path_factory.mktemp("sample") / "freesurfer"
    write_glm_folders(folder, load_sample_study())
    return folder


@pytest.fixture(autouse=True)
def no_subjects_dir(monkeypatch):
    monkeypatch.delenv("SUBJECTS_DIR", raising=False)


def _sig(t_values):
    """Return what mri_glmfit writes for t values."""
    sig = -(np.log(2) + stats.t.logsf(np.abs(t_values), DF)) / np.log(10)
    return np.copysign(sig, t_values).astype(np.float32)


def _write_glm(folder, hemi, contrasts, *, mask=None):
    """Write a folder of mri_glmfit; contrasts are (values, number of rows) by name."""
    folder.mkdir(parents=True)
    if hemi:
        (folder / "surface").write_text(f"bert {hemi}\n")
    (folder / "dof.dat").write_text(f"{DF}\n")
    if mask is not None:
        write_values(folder / "mask.mgh", mask)
    for name, (values, n_rows) in contrasts.items():
        (folder / name).mkdir()
        (folder / name / "C.dat").write_text(" 1.000   0.000\n" * n_rows)
        write_values(folder / name / "sig.mgh", values)
    return folder


@pytest.fixture(scope="module")
def glm(tmp_path_factory):
    """Return a folder with a subject, and the analyses of both hemispheres."""
    folder = tmp_path_factory.mktemp("glm")
    surf = folder / "bert" / "surf"
    surf.mkdir(parents=True)
    for seed, hemi in enumerate(("lh", "rh")):
        points, faces = sphere(N, seed)
        write_surface(surf / f"{hemi}.white", points, faces)
        write_surface(surf / f"{hemi}.inflated", 2 * points, faces)
        t_values = RNG.standard_t(DF, N) + 4 * (points[:, 2] > 30) - 4 * (points[:, 2] < -40)
        mask = points[:, 0] < 40
        sig = np.where(mask, _sig(t_values), 0)
        contrasts = {"age": (sig, 1), "group": (np.abs(sig), 2)}
        _write_glm(folder / f"{hemi}.age", hemi, contrasts, mask=mask)
    return folder


def _table(stat_map, **parameters):
    ari = ClusterTDPTransformer(**parameters, **stat_map.parameters())
    ari.fit(stat_map.stat_img)
    return ari.table_


def test_one_hemisphere(glm):
    stat_map = read_freesurfer(glm / "lh.age", "age", subjects_dir=glm)
    assert (stat_map.stat_type, stat_map.two_sided, stat_map.connectivity) == (
        "neg_log10_p", True, None,
    )  # fmt: skip
    assert stat_map.name == "age"
    assert list(stat_map.stat_img.mesh.parts) == ["left"]
    sig = nib.load(glm / "lh.age" / "age" / "sig.mgh").get_fdata().ravel()
    mask = nib.load(glm / "lh.age" / "mask.mgh").get_fdata().ravel() > 0
    assert_array_equal(stat_map.stat_img.data.parts["left"], sig)
    table = _table(stat_map, threshold=2)
    assert table["n_vertices"].sum() == mask.sum()
    above = table[table["cluster_id"] != 0]["n_vertices"].sum()
    assert above == np.count_nonzero(np.abs(sig[mask]) > 2)


def test_the_folder_of_a_contrast(glm):
    by_name = read_freesurfer(glm / "rh.age", "age", subjects_dir=glm)
    by_folder = read_freesurfer(glm / "rh.age" / "age", subjects_dir=glm)
    assert by_folder.name == "age"
    assert_array_equal(*(m.stat_img.data.parts["right"] for m in (by_name, by_folder)))


def test_both_hemispheres_are_one_family(glm, monkeypatch):
    monkeypatch.setenv("SUBJECTS_DIR", str(glm))
    both = read_freesurfer(lh=glm / "lh.age", rh=glm / "rh.age", contrast="age")
    assert list(both.stat_img.mesh.parts) == ["left", "right"]
    parts = [read_freesurfer(glm / f"{hemi}.age", "age") for hemi in ("lh", "rh")]
    sizes = [_table(one, threshold=2)["n_vertices"].sum() for one in parts]
    assert _table(both, threshold=2)["n_vertices"].sum() == sum(sizes)


def test_any_surface_and_any_mesh(glm):
    inflated = read_freesurfer(glm / "lh.age", "age", surface="inflated", subjects_dir=glm)
    mesh = {"left": glm / "bert" / "surf" / "lh.inflated"}
    given = read_freesurfer(glm / "lh.age", "age", mesh=mesh)
    white = read_freesurfer(glm / "lh.age", "age", subjects_dir=glm)
    tables = [_table(one, threshold=2) for one in (inflated, given, white)]
    assert tables[0].equals(tables[1])
    assert_allclose(tables[0]["size_mm2"], 4 * tables[2]["size_mm2"], rtol=1e-5)
    assert_array_equal(tables[0]["true_discoveries"], tables[2]["true_discoveries"])


class TestAveragedAreas:
    """The areas of vertices of an average subject, as mri_surfcluster sums them."""

    @pytest.fixture
    def average(self, glm, tmp_path):
        shutil.copytree(glm / "bert", tmp_path / "bert")
        self.areas = {hemi: RNG.uniform(0.3, 1.5, N).astype(np.float32) for hemi in ("lh", "rh")}
        for hemi, areas in self.areas.items():
            write_values(tmp_path / "bert" / "surf" / f"{hemi}.white.avg.area.mgh", areas)
        return tmp_path

    def test_sizes(self, glm, average):
        both = {"lh": glm / "lh.age", "rh": glm / "rh.age"}
        stat_map = read_freesurfer(**both, contrast="age", subjects_dir=average)
        table = _table(stat_map, threshold=2)
        total = sum(
            self.areas[hemi][stat_map.mask_img.data.parts[side] > 0].sum(dtype=float)
            for hemi, side in (("lh", "left"), ("rh", "right"))
        )
        assert table["size_mm2"].sum() == pytest.approx(total, rel=1e-9)
        inflated = read_freesurfer(**both, contrast="age", subjects_dir=average, surface="inflated")
        of_mesh = _table(inflated, threshold=2)
        assert of_mesh["n_vertices"].equals(table["n_vertices"])
        assert not np.allclose(of_mesh["size_mm2"], table["size_mm2"])

    def test_saved(self, glm, average, tmp_path):
        stat_map = read_freesurfer(glm / "lh.age", "age", subjects_dir=average)
        ari = ClusterTDPTransformer(2, **stat_map.parameters()).fit(stat_map.stat_img)
        again = load(save(ari, tmp_path / "out")["archive"])
        assert_array_equal(again.table_["size_mm2"], ari.table_["size_mm2"])

    @pytest.mark.parametrize(
        ("values", "text"),
        [(np.ones(5), "its 5 areas are not of its 642"), (-np.ones(N), "not positive numbers")],
    )
    def test_areas_that_do_not_fit(self, glm, average, values, text):
        write_values(average / "bert" / "surf" / "lh.white.avg.area.mgh", values)
        with pytest.raises(ValueError, match=rf"lh\.white\.avg\.area\.mgh.*{text}"):
            read_freesurfer(glm / "lh.age", "age", subjects_dir=average)


@pytest.mark.parametrize(("sign", "factor"), [("pos", 1), ("neg", -1)])
def test_one_sign_has_one_sided_p_values(glm, sign, factor):
    stat_map = read_freesurfer(glm / "lh.age", "age", sign=sign, subjects_dir=glm)
    assert (stat_map.two_sided, stat_map.name) == (False, f"age ({sign})")
    sig = nib.load(glm / "lh.age" / "age" / "sig.mgh").get_fdata().ravel()
    p = 10 ** -np.abs(sig) / 2
    one_sided = np.where(factor * sig > 0, p, 1 - p)
    found = 10 ** -stat_map.stat_img.data.parts["left"]
    assert_allclose(found, one_sided, rtol=1e-12)


def test_directions_are_those_of_z_values(glm):
    stat_map = read_freesurfer(glm / "lh.age", "age", sign="directional", subjects_dir=glm)
    sig = stat_map.stat_img.data.parts["left"].astype(float)
    z_img = type(stat_map.stat_img)(
        stat_map.stat_img.mesh, {"left": np.copysign(stats.norm.isf(10 ** -np.abs(sig) / 2), sig)}
    )
    z_map = StatisticalMap(
        z_img, "z", mask_img=stat_map.mask_img, two_sided="directional", connectivity=None
    )
    columns = ["n_vertices", "true_discoveries_positive", "true_discoveries_negative"]
    by_sig = _table(stat_map, threshold=0.01, threshold_scale="p")[columns]
    by_z = _table(z_map, threshold=0.01, threshold_scale="p")[columns]
    assert by_sig.equals(by_z)
    assert by_sig.iloc[:, 1:].to_numpy().sum() > 50


def test_contrasts_of_several_rows_have_no_sign(glm):
    stat_map = read_freesurfer(glm / "lh.age", "group", subjects_dir=glm)
    assert stat_map.two_sided is False
    assert _table(stat_map, threshold=2)["direction"].iloc[0] == "unsigned"
    for sign in ("pos", "directional"):
        with pytest.raises(ValueError, match="'group', a contrast of 2 rows, which has no sign"):
            read_freesurfer(glm / "lh.age", "group", sign=sign, subjects_dir=glm)


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({}, ValueError, "glm_dir must be a folder"),
        ({"glm_dir": "lh.age", "lh": "lh.age"}, ValueError, "Got both kinds"),
        ({"glm_dir": "nowhere"}, FileNotFoundError, "folder of mri_glmfit does not exist"),
        ({"glm_dir": "bert"}, FileNotFoundError, "no contrast in"),
        ({"glm_dir": "lh.age"}, ValueError, "one of the contrasts .*age, group"),
        ({"glm_dir": "lh.age", "contrast": "x"}, FileNotFoundError, "Found there: age, group"),
        ({"lh": "rh.age", "contrast": "age"}, ValueError, "lh must be of the left hemisphere"),
        ({"glm_dir": "lh.age", "contrast": "age", "sign": "up"}, ValueError, "sign must be one"),
        (
            {"glm_dir": "lh.age", "contrast": "age", "clusters": "cache.th13.abs"},
            FileNotFoundError, "no clusters 'cache.th13.abs' .*Found there: none",
        ),
        (
            {"glm_dir": "lh.age", "contrast": "age", "surface": "whit"},
            FileNotFoundError, "lh.whit",
        ),
        (
            {"glm_dir": "lh.age", "contrast": "age", "subjects_dir": ""},
            ValueError, "subjects_dir, or the environment variable SUBJECTS_DIR",
        ),
    ],
)  # fmt: skip
def test_refusals(glm, given, error, text):
    folders = {k: glm / v for k, v in given.items() if k in ("glm_dir", "lh")}
    with pytest.raises(error, match=text):
        read_freesurfer(**{"subjects_dir": glm, **given, **folders})


@pytest.mark.parametrize(
    ("file", "content", "text"),
    [
        ("surface", "bert xh\n", "surface' must hold a subject and lh or rh"),
        ("age/C.dat", "1 a\n", r"C\.dat' must hold a matrix of numbers"),
        ("age/C.dat", "nan\n", r"C\.dat' must hold a matrix of numbers"),
        ("age/C.dat", "", r"C\.dat' must hold a matrix of numbers"),
        ("age/sig.mgh", "text", r"sig\.mgh"),
        ("mask.mgh", "text", r"mask\.mgh"),
    ],
)
def test_damaged_files_are_refused_by_name(glm, tmp_path, file, content, text):
    folder = shutil.copytree(glm / "lh.age", tmp_path / "lh.age")
    (folder / file).write_text(content)
    with pytest.raises(ValueError, match=text):
        read_freesurfer(folder, "age", subjects_dir=glm)


def test_files_that_were_never_fetched(glm, tmp_path):
    folder = shutil.copytree(glm / "lh.age", tmp_path / "lh.age")
    sig = folder / "age" / "sig.mgh"
    sig.unlink()
    sig.symlink_to(".git/annex/objects/Xx/Yy/MD5E-s9--0.mgh/MD5E-s9--0.mgh")
    with pytest.raises(FileNotFoundError, match=r"sig\.mgh.*annex"):
        read_freesurfer(folder, "age", subjects_dir=glm)


def test_a_folder_without_the_file_surface(glm, tmp_path):
    folder = shutil.copytree(glm / "lh.age", tmp_path / "age")
    (folder / "surface").unlink()
    mesh = {"left": glm / "bert" / "surf" / "lh.white"}
    with pytest.raises(ValueError, match=r"hemisphere of .* must be told: give the folder as lh"):
        read_freesurfer(folder, "age", mesh=mesh)
    assert read_freesurfer(lh=folder, contrast="age", mesh=mesh).name == "age"
    with pytest.raises(ValueError, match="mesh must be given, or a file surface"):
        read_freesurfer(lh=folder, contrast="age", subjects_dir=glm)


class TestClusters:
    def test_of_both_hemispheres(self, sample):
        folders = {hemi: sample / f"{hemi}.glmdir" for hemi in ("lh", "rh")}
        stat_map = read_freesurfer(**folders, subjects_dir=sample)
        ari = ClusterTDPTransformer(**stat_map.parameters_of_clusters())
        ari.fit(stat_map.stat_img)
        tables = [path for one in folders.values() for path in find_freesurfer_tables(one)]
        copies = freesurfer_tables_with_tdp(ari, tables)
        assert list(copies) == [f"{h}.cache.th30.abs.sig.cluster_tdp.summary" for h in folders]
        rows = iter(ari.table_[ari.table_["cluster_id"] != 0].itertuples())
        for path, content in zip(tables, copies.values(), strict=True):
            original = path.read_text().splitlines()
            copy = content.decode().splitlines()
            header = next(line for line in copy if "ClusterNo" in line)
            assert header.split()[-2:] == ["TrueDisc", "TDP"]
            explanation = copy.pop(copy.index(header) - 1)
            assert explanation.startswith("# TrueDisc: minimum number of active elements")
            for before, after in zip(original, copy, strict=True):
                assert after.startswith(before)
                if before.startswith("#"):
                    continue
                cells, row = after.split(), next(rows)
                # What mri_surfcluster prints, and the bounds.
                assert float(cells[1]) == pytest.approx(row.peak_stat, abs=6e-5)
                assert int(cells[2]) == row.peak_vertex
                assert float(cells[3]) == pytest.approx(row.size_mm2, abs=6e-3)
                xyz = [row.peak_x, row.peak_y, row.peak_z]
                assert_allclose(np.array(cells[4:7], float), xyz, atol=0.06)
                assert int(cells[10]) == row.n_vertices
                assert int(cells[-2]) == row.true_discoveries
                assert float(cells[-1]) == pytest.approx(row.tdp, abs=1e-4)
                assert float(cells[-1]) <= row.tdp + 1e-12
        assert next(rows, None) is None

    def test_as_the_package_forms_them(self, sample):
        stat_map = read_freesurfer(sample / "rh.glmdir", subjects_dir=sample)
        formed = _table(stat_map, threshold=3)
        ari = ClusterTDPTransformer(**stat_map.parameters_of_clusters()).fit(stat_map.stat_img)
        given = ari.table_.iloc[:-1]
        sizes = formed["n_vertices"].iloc[:-1].tolist()
        assert set(given["n_vertices"]) <= set(sizes)
        assert max(sizes) == given["n_vertices"].max()

    def test_the_sign_of_the_clusters(self, sample, tmp_path):
        folder = shutil.copytree(sample / "lh.glmdir", tmp_path / "lh.glmdir")
        summary = folder / "osgm" / "cache.th30.abs.sig.cluster.summary"
        text = summary.read_text().replace("Threshold Sign    abs", "Threshold Sign    neg")
        summary.write_text(text)
        assert read_freesurfer(folder, subjects_dir=sample).name == "osgm (neg)"
        assert read_freesurfer(folder, sign="abs", subjects_dir=sample).two_sided is True
        with pytest.raises(ValueError, match="sign must be given, since the clusters of both"):
            read_freesurfer(lh=folder, rh=sample / "rh.glmdir", subjects_dir=sample)

    def test_several_sets(self, sample, tmp_path):
        folder = shutil.copytree(sample / "lh.glmdir", tmp_path / "lh.glmdir")
        for path in list((folder / "osgm").glob("cache.*")):
            shutil.copy(path, path.with_name(path.name.replace("th30", "th40")))
        stat_map = read_freesurfer(folder, subjects_dir=sample)
        assert stat_map.labels_img is None
        assert len(find_freesurfer_tables(folder)) == 2
        chosen = read_freesurfer(folder, clusters="cache.th40.abs", subjects_dir=sample)
        assert chosen.labels_img is not None
        (folder / "osgm" / "cache.th40.abs.sig.ocn.mgh").unlink()
        with pytest.raises(FileNotFoundError, match=r"no cache\.th40\.abs\.sig\.ocn\.mgh"):
            read_freesurfer(folder, clusters="cache.th40.abs", subjects_dir=sample)

    @pytest.mark.parametrize(
        ("old", "new", "text"),
        [
            ("NVtxs", "Xvtxs", "must have a column NVtxs"),
            ("# ClusterNo", "# Nothing", "must be a table of clusters"),
            ("\n   2 ", "\n   1 ", "list each cluster once. Got 1 twice"),
            ("\n   2 ", "\n   x ", "number and the size of a cluster in each row"),
            ("\n   2 ", "\n   9 ", r"Got \[9\] in the table only, \[2\] in the map only"),
            ("  310  ", "  311  ", "cluster 1 has 311 elements. Got 310 tested"),
            ("Sign    abs", "Sign    up", "must be abs, pos or neg"),
            ("hemi lh", "hemi rh", "must be of a hemisphere of the map, left"),
            ("WghtVtx", "TDP", "already has a column TDP"),
        ],
    )
    def test_tables_that_do_not_fit(self, sample, tmp_path, old, new, text):
        stat_map = read_freesurfer(sample / "lh.glmdir", subjects_dir=sample)
        ari = ClusterTDPTransformer(**stat_map.parameters_of_clusters()).fit(stat_map.stat_img)
        (table,) = find_freesurfer_tables(sample / "lh.glmdir")
        content = table.read_text()
        assert old in content
        (tmp_path / table.name).write_text(content.replace(old, new, 1))
        with pytest.raises(ValueError, match=text):
            freesurfer_tables_with_tdp(ari, [tmp_path / table.name])

    def test_only_of_given_clusters(self, sample):
        with pytest.raises(TypeError, match=r"ClusterTDPTransformer\. Got AdaptiveTDPTransformer"):
            freesurfer_tables_with_tdp(AdaptiveTDPTransformer(), [])


_VOLUME_SUMMARY = """\
# Cluster Growing Summary (mri_volcluster)
# cwd /data
# Input Volume:      glmdir/age/sig.mgh
# Minimum Threshold: 2
# Threshold Sign:    abs
# AllowDiag:         0
#
# Reporting Coordinates in Voxel Indices
# Cluster   Size(n)   Size(mm^3)     VoxX    VoxY    VoxZ             Max    CWP    CWPLow    CWPHi
"""


@pytest.fixture
def volume(tmp_path):
    """Return the folder of an analysis of volumes, with clusters of mri_volcluster."""
    folder = tmp_path / "glmdir"
    (folder / "age").mkdir(parents=True)
    t_values = RNG.standard_t(DF, (12, 12, 12))
    t_values[2:6, 2:6, 2:6] += 6
    mask = np.zeros(t_values.shape)
    mask[1:-1, 1:-1, 1:-1] = 1
    sig = np.where(mask, _sig(t_values), 0)
    affine = np.diag([2.0, 2, 2, 1])
    labels, n = ndimage.label(sig > 2)
    rows = []
    for k in range(1, n + 1):
        size = np.count_nonzero(labels == k)
        peak = np.unravel_index(np.where(labels == k, sig, 0).argmax(), sig.shape)
        x, y, z = (float(axis) for axis in peak)
        rows.append(
            f"{k:3d}        {size:5d}      {8.0 * size:8.1f}    {x:7.2f} {y:7.2f} {z:7.2f}   "
            f"{sig[peak]:15.5f}  0.00010  0.00000  0.00020\n"
        )
    for name, values in (
        ("mask", mask),
        ("age/sig", sig),
        ("age/cache.th20.abs.sig.ocn", labels),
    ):
        img = nib.MGHImage(values.astype(np.float32), affine)
        img.to_filename(folder / f"{name}.mgh")
    (folder / "age" / "C.dat").write_text(" 0 1\n")
    summary = folder / "age" / "cache.th20.abs.sig.cluster.summary"
    summary.write_text(_VOLUME_SUMMARY + "".join(rows))
    return folder


def test_volumes(volume):
    stat_map = read_freesurfer(volume)
    assert (stat_map.two_sided, stat_map.connectivity) == (True, 6)
    ari = ClusterTDPTransformer(**stat_map.parameters_of_clusters()).fit(stat_map.stat_img)
    table = ari.table_[ari.table_["cluster_id"] != 0]
    assert table["n_voxels"].sum() > 50
    ((name, content),) = freesurfer_tables_with_tdp(ari, find_freesurfer_tables(volume)).items()
    assert name == "cache.th20.abs.sig.cluster_tdp.summary"
    rows = [line.split() for line in content.decode().splitlines() if not line.startswith("#")]
    assert [int(row[-2]) for row in rows] == table["true_discoveries"].tolist()
    assert_allclose([float(row[2]) for row in rows], table["size_mm3"])
    with pytest.raises(ValueError, match="lh and rh must be analyses of surfaces"):
        read_freesurfer(lh=volume, rh=volume)
