"""``ari freesurfer``, and surfaces of FreeSurfer in the other commands."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from nibabel import MGHImage, Nifti1Image, load

from ari_estimator import AdaptiveTDPTransformer, ClusterTDPTransformer, RegionTDPTransformer
from ari_estimator.datasets import load_sample_study
from ari_estimator.datasets._glm_folders import write_glm_folders
from ari_estimator.interfaces import (
    find_freesurfer_tables,
    freesurfer_tables_with_tdp,
    read_freesurfer,
    read_surface,
    read_surface_atlas,
)

SUBJECT = "fsaverage5"
BOTH = ("--lh", "lh.glmdir", "--rh", "rh.glmdir")


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample") / "freesurfer"
    write_glm_folders(folder, load_sample_study())
    return folder


@pytest.fixture(autouse=True)
def in_sample(sample, monkeypatch):
    monkeypatch.chdir(sample)
    monkeypatch.setenv("SUBJECTS_DIR", str(sample))
    return sample


def _fit(ari, stat_map):
    return ari.fit(stat_map.stat_img)


def _assert_told(result, ari):
    assert result.code == 0, result.err
    told = pd.DataFrame(json.loads(result.out)["table"])
    for name in ("n_vertices", "true_discoveries"):
        assert told[name].tolist() == ari.table_[name].tolist()


def test_clusters_of_both_hemispheres_and_copies_of_their_tables(run, sample, tmp_path):
    before = {path: path.read_bytes() for path in sample.rglob("*") if path.is_file()}
    result = run("freesurfer", *BOTH, "--out", tmp_path, "--json")
    stat_map = read_freesurfer(lh="lh.glmdir", rh="rh.glmdir")
    ari = _fit(ClusterTDPTransformer(**stat_map.parameters_of_clusters()), stat_map)
    _assert_told(result, ari)
    told = json.loads(result.out)["statistic"]
    assert told["said_by"] == "the folder of mri_glmfit 'lh.glmdir' and 'rh.glmdir'"
    tables = [path for _, folder in zip(BOTH[::2], BOTH[1::2], strict=True)
              for path in find_freesurfer_tables(folder)]  # fmt: skip
    copies = freesurfer_tables_with_tdp(ari, tables)
    assert len(copies) == 2
    for name, content in copies.items():
        assert (tmp_path / name).read_bytes() == content
    assert (tmp_path / "contrast-osgm_hemi-R_stat-tdp_statmap.func.gii").is_file()
    assert {path: path.read_bytes() for path in sample.rglob("*") if path.is_file()} == before


def test_what_is_printed(run):
    out = " ".join(run("freesurfer", "lh.glmdir").out.split())
    assert "Contrast: osgm. Clusters: cache.th30.abs.sig.cluster.summary." in out
    assert "Mask: lh.glmdir/mask.mgh." in out
    assert "mm²" in out


def test_other_sets(run, sample, tmp_path):
    stat_map = read_freesurfer("rh.glmdir")
    ari = _fit(AdaptiveTDPTransformer(0.7, **stat_map.parameters()), stat_map)
    result = run("freesurfer", "rh.glmdir", "--tdp", "0.7", "--out", tmp_path, "--json")
    _assert_told(result, ari)
    assert not list(tmp_path.glob("*summary"))
    annot = sample / SUBJECT / "label" / "rh.sample.annot"
    mesh = {"right": sample / SUBJECT / "surf" / "rh.white"}
    atlas = read_surface_atlas(right=annot, mesh=mesh)
    parameters = stat_map.parameters()
    parameters.pop("connectivity")
    ari = RegionTDPTransformer(labels_img=atlas.labels_img, lut=atlas.lut, **parameters)
    result = run("freesurfer", "rh.glmdir", "--atlas", annot, "--json")
    _assert_told(result, _fit(ari, stat_map))
    regions = [row["region"] for row in json.loads(result.out)["table"]]
    assert regions == [*atlas.lut["name"], "rest"]


@pytest.mark.parametrize(
    ("options", "sign"),
    [(("--sign", "pos"), "pos"), (("--directional",), "directional"), (("--two-sided",), "abs")],
)
def test_signs(run, options, sign):
    stat_map = read_freesurfer("lh.glmdir", sign=sign)
    ari = _fit(ClusterTDPTransformer(2.5, **stat_map.parameters()), stat_map)
    _assert_told(run("freesurfer", "lh.glmdir", *options, "--threshold", "2.5", "--json"), ari)


def test_mask_and_mesh(run, sample):
    label = sample / SUBJECT / "label" / "lh.sensorimotor_cortex.label"
    mesh = sample / SUBJECT / "surf" / "lh.inflated"
    options = ("--threshold", "3", "--mask", label, "--mesh", mesh, "--json")
    result = run("freesurfer", "lh.glmdir", *options)
    stat_map = read_freesurfer("lh.glmdir", mesh={"left": mesh})
    mask_img = read_surface(label, mesh={"left": mesh})
    parameters = stat_map.parameters() | {"mask_img": mask_img}
    _assert_told(result, ClusterTDPTransformer(3, **parameters).fit(stat_map.stat_img))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((), "GLMDIR must be a folder of mri_glmfit; or give --lh"),
        (("lh.glmdir", "--rh", "rh.glmdir"), "Got both kinds"),
        (("lh.glmdir", "--sign", "up"), "--sign must be abs, pos or neg. Got 'up'"),
        (("lh.glmdir", "--sign", "pos", "--directional"), "--sign and --directional must not be"),
        (("lh.glmdir", "--contrast", "x"), "no contrast 'x'"),
        (("lh.glmdir", "--clusters", "x"), "no clusters 'x'"),
        (("lh.glmdir", "--threshold-scale", "p"), "--threshold-scale"),
        (("lh.glmdir", "--surface", "pial"), "lh.pial"),
        (
            ("lh.glmdir", "--mesh", f"{SUBJECT}/surf/lh.white", "--surface", "white"),
            "--surface is for surfaces of the subject",
        ),
        (("lh.glmdir", "--mesh", f"{SUBJECT}/surf/rh.white"), "left"),
        (
            ("lh.glmdir", "--clusters", "cache.th30.abs", "--threshold", "3"),
            "--clusters is for clusters of mri_surfcluster. Got --threshold",
        ),
        (
            ("lh.glmdir", "--ocn", "lh.glmdir/osgm/cache.th30.abs.sig.ocn.mgh", "--tdp", "0.5"),
            "--ocn is for clusters of mri_surfcluster",
        ),
        (
            ("lh.glmdir", "--atlas", f"{SUBJECT}/label/rh.sample.annot"),
            "must have a mesh for the right hemisphere",
        ),
        (("--rh", "lh.glmdir"), "--rh must be of the right hemisphere"),
    ],
)
def test_refusals(refused, arguments, text):
    assert text in refused("freesurfer", *arguments)


def test_one_of_several_sets_of_clusters_must_be_named(refused, run, sample, tmp_path):
    for path in (sample / "lh.glmdir").rglob("*"):
        if path.is_file():
            copy = tmp_path / path.relative_to(sample)
            copy.parent.mkdir(parents=True, exist_ok=True)
            for name in {path.name, path.name.replace("th30", "th40")}:
                copy.with_name(name).write_bytes(path.read_bytes())
    folder = tmp_path / "lh.glmdir"
    assert "cache.th30.abs, cache.th40.abs" in refused("freesurfer", folder)
    assert run("freesurfer", folder, "--threshold", "3").code == 0
    out = run("freesurfer", folder, "--clusters", "cache.th40.abs").out
    assert "cache.th40.abs.sig.cluster.summary" in out


def test_clusters_of_mri_surfcluster(run, refused, sample, tmp_path):
    files, tables = [], []
    for hemi in ("lh", "rh"):
        folder = sample / f"{hemi}.glmdir" / "osgm"
        files.append(tmp_path / f"{hemi}.mine.mgh")
        files[-1].write_bytes((folder / "cache.th30.abs.sig.ocn.mgh").read_bytes())
        tables.append(tmp_path / f"{hemi}.mine.sum")
        tables[-1].write_bytes((folder / "cache.th30.abs.sig.cluster.summary").read_bytes())
    # The right hemisphere first: names tell.
    options = [word for file in files[::-1] for word in ("--ocn", file)]
    options += [word for file in tables for word in ("--table", file)]
    out = tmp_path / "out"
    result = run("freesurfer", *BOTH, *options, "--out", out, "--json")
    assert result.code == 0, result.err
    by_name = run("freesurfer", *BOTH, "--json")
    assert json.loads(result.out)["table"] == json.loads(by_name.out)["table"]
    assert (out / "lh.mine_tdp.sum").is_file()
    one = run("freesurfer", "rh.glmdir", "--ocn", files[1], "--json")
    assert len(json.loads(one.out)["table"]) == 6
    assert "--table" in refused("freesurfer", "lh.glmdir", "--table", tables[0])
    assert "Got 1 for 2" in refused("freesurfer", *BOTH, "--ocn", files[0])
    given = ("--ocn", files[0], "--clusters", "cache.th30.abs")
    assert "--clusters" in refused("freesurfer", "lh.glmdir", *given)


class TestOtherCommands:
    """Maps, meshes and regions of FreeSurfer, with one hemisphere or two."""

    surf = f"{SUBJECT}/surf"
    sig = "lh.glmdir/osgm/sig.mgh"

    def test_one_hemisphere(self, run, sample):
        options = ("--mesh", f"{self.surf}/lh.white", "--mask", "lh.glmdir/mask.mgh", "--two-sided")
        result = run("clusters", self.sig, *options, "--threshold", "3", "--json")
        stat_map = read_freesurfer("lh.glmdir")
        _assert_told(result, _fit(ClusterTDPTransformer(3, **stat_map.parameters()), stat_map))
        assert json.loads(result.out)["statistic"]["stat_type"] == "neg_log10_p"

    @pytest.mark.parametrize("ending", [".mgz", ".nii.gz"])
    def test_formats(self, run, tmp_path, ending):
        values = load(self.sig).get_fdata(dtype=np.float32)
        path = tmp_path / f"lh.sig{ending}"
        kind = MGHImage if ending == ".mgz" else Nifti1Image
        kind(values, np.eye(4)).to_filename(path)
        options = ("--mesh", f"{self.surf}/lh.white", "--two-sided", "--threshold", "3", "--json")
        tables = [json.loads(run("clusters", file, *options).out) for file in (self.sig, path)]
        assert tables[0]["table"] == tables[1]["table"]

    def test_labels_and_annotations(self, run, sample):
        mesh = ("--mesh", f"{self.surf}/lh.white", "--two-sided")
        folder = f"{SUBJECT}/label"
        named = run("regions", self.sig, *mesh, "--atlas", f"{folder}/lh.sample.annot", "--json")
        names = [row["region"] for row in json.loads(named.out)["table"]]
        assert names[:2] == ["sensorimotor_cortex", "supplementary_motor_area"]
        label = f"{folder}/lh.sensorimotor_cortex.label"
        one = run("regions", self.sig, *mesh, "--atlas", label, "--json")
        assert (
            json.loads(one.out)["table"][0] | {"region_id": 1001}
            == (json.loads(named.out)["table"][0])
        )
        ocn = "lh.glmdir/osgm/cache.th30.abs.sig.ocn.mgh"
        given = run("clusters", self.sig, *mesh, "--labels", ocn, "--json")
        assert len(json.loads(given.out)["table"]) == 7

    def test_clusters_that_both_hemispheres_number_from_one(self, run):
        sig = [f"{hemi}.glmdir/osgm/sig.mgh" for hemi in ("lh", "rh")]
        mesh = ("--mesh", f"{self.surf}/lh.white", "--mesh", f"{self.surf}/rh.white")
        labels = [
            word
            for hemi in ("lh", "rh")
            for word in ("--labels", f"{hemi}.glmdir/osgm/cache.th30.abs.sig.ocn.mgh")
        ]
        result = run("clusters", *sig, *mesh, *labels, "--two-sided")
        assert "The clusters 1, 2, 3, 4, 5 of --labels have vertices in both" in result.err
        assert run("freesurfer", *BOTH).err == ""

    def test_pages(self, run, tmp_path):
        mesh = ("--mesh", f"{self.surf}/lh.white", "--two-sided")
        page = tmp_path / "page.html"
        drawn = ("--surf-mesh", f"{self.surf}/lh.inflated")
        atlas = ("--atlas", f"{SUBJECT}/label/lh.sample.annot")
        result = run("explore", self.sig, *mesh, *drawn, *atlas, "--out", page)
        assert result.code == 0, result.err
        assert "sensorimotor_cortex" in page.read_text(encoding="utf-8")

    def test_a_group_of_one_hemisphere(self, run, sample, tmp_path):
        rng = np.random.default_rng(0)
        for k in range(6):
            values = rng.standard_normal((10242, 1, 1)).astype(np.float32) + 1
            MGHImage(values, np.eye(4)).to_filename(tmp_path / f"sub-{k}_lh.mgh")
        mesh = ("--mesh", f"{sample}/{self.surf}/lh.white")
        options = ("--threshold", "3", "--permutations", "20", "--seed", "0", "--json")
        result = run("group", tmp_path / "sub-*_lh.mgh", *mesh, *options)
        assert result.code == 0, result.err
        assert json.loads(result.out)["n_tested"] == 10242

    @pytest.mark.parametrize(
        ("arguments", "text"),
        [
            (("clusters", "lh.glmdir/osgm/sig.mgh"), "is not on a grid|--mesh"),
            (
                ("clusters", "{sig}", "--mesh", "{surf}/rh.white"),
                "MAP and --mesh must be of one hemisphere",
            ),
            (
                ("regions", "{sig}", "--mesh", "{surf}/lh.white", "--atlas", "{rh}.sample.annot"),
                "--atlas must have the right hemisphere|--atlas|--mesh",
            ),
        ],
    )  # fmt: skip
    def test_refusals(self, refused, arguments, text):
        places = {"sig": self.sig, "surf": self.surf, "rh": f"{SUBJECT}/label/rh"}
        line = refused(*(argument.format(**places) for argument in arguments))
        assert any(part in line for part in text.split("|")), line
