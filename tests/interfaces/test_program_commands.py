"""``ari fsl``, ``ari spm``, ``ari afni``, and ``ari clusters`` of maps of permutation programs."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image, load

from ari_estimator import AdaptiveTDPTransformer, ClusterTDPTransformer, RegionTDPTransformer
from ari_estimator.cli import main
from ari_estimator.interfaces import fsl_tables_with_tdp, read_afni, read_feat, read_spm

from ._files import AFFINE, write_afni, write_feat, write_spm


@pytest.fixture
def run(capsys):
    """Return a function that runs a command: exit code, table, what it prints."""

    def run_command(*arguments):
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return SimpleNamespace(code=code, out=printed.out, err=printed.err)

    return run_command


def _assert_told(result, ari):
    assert result.code == 0, result.err
    told = pd.DataFrame(json.loads(result.out)["table"])
    for name in ("n_voxels", "true_discoveries"):
        assert told[name].tolist() == ari.table_[name].tolist()


def _fitted(ari, stat_map):
    ari.fit_transform(stat_map.stat_img)
    return ari


def test_clusters_of_feat_and_copies_of_its_tables(run, study, tmp_path):
    feat, out = tmp_path / "cope1.feat", tmp_path / "out"
    write_feat(feat, study)
    before = {path: path.read_bytes() for path in feat.rglob("*") if path.is_file()}
    result = run("fsl", feat, "--out", out, "--json")
    stat_map = read_feat(feat)
    ari = _fitted(ClusterTDPTransformer(**stat_map.parameters_of_clusters()), stat_map)
    _assert_told(result, ari)
    assert {path: path.read_bytes() for path in feat.rglob("*") if path.is_file()} == before
    copies = fsl_tables_with_tdp(
        ari, [feat / f"cluster_zstat1{end}" for end in (".txt", "_std.txt", ".html", "_std.html")]
    )
    assert len(copies) == 4
    for name, content in copies.items():
        assert (out / name).read_bytes() == content
    tdp = load(out / "zstat1_stat-tdp_statmap.nii.gz").get_fdata()
    for row in ari.table_.iloc[:-1].itertuples():
        assert (tdp[study.clusters == row.cluster_id] == row.tdp).all()


@pytest.mark.parametrize(
    ("options", "make"),
    [
        (["--tdp", "0.5"], lambda given: AdaptiveTDPTransformer(0.5, **given)),
        (["--threshold", "2"], lambda given: ClusterTDPTransformer(2, **given)),
    ],
)
def test_other_clusters_of_a_map_of_feat(run, study, tmp_path, options, make):
    feat = tmp_path / "cope1.feat"
    write_feat(feat, study)
    result = run("fsl", feat, "--stat", "tstat1", "--two-sided", *options, "--json")
    stat_map = read_feat(feat, "tstat1", two_sided=True)
    _assert_told(result, _fitted(make(stat_map.parameters()), stat_map))


def test_an_error_names_clusters_by_their_option_only_if_it_was_given(run, study, tmp_path):
    feat = tmp_path / "cope1.feat"
    write_feat(feat, study)
    index = feat / "cluster_mask_zstat1.nii.gz"
    smaller = tmp_path / "smaller.nii.gz"
    load(index).slicer[:-1].to_filename(smaller)
    zstat = feat / "stats" / "zstat1.nii.gz"
    given = run("fsl", zstat, "--mask", feat / "mask.nii.gz", "--clusters", smaller)
    assert given.code == 2
    assert "--clusters must be on the grid of the mask" in given.err
    index.write_bytes(smaller.read_bytes())
    found = run("fsl", feat)
    assert found.code == 2
    assert "the clusters of the program must be on the grid of the mask" in found.err
    assert "--atlas" not in found.err


def test_regions_of_a_map_of_feat(run, study, tmp_path):
    feat, atlas = tmp_path / "cope1.feat", tmp_path / "atlas.nii.gz"
    write_feat(feat, study)
    labels = np.ones(study.mask.shape, dtype=np.int16)
    labels[6:] = 2
    Nifti1Image(labels, AFFINE).to_filename(atlas)
    stat_map = read_feat(feat)
    regions = RegionTDPTransformer(str(atlas), mask_img=stat_map.mask_img)
    _assert_told(run("fsl", feat, "--atlas", atlas, "--json"), _fitted(regions, stat_map))


def test_files_of_fsl_one_by_one(run, study, tmp_path):
    feat, out = tmp_path / "x.feat", tmp_path / "out"
    write_feat(feat, study)
    result = run(
        "fsl", feat / "stats" / "tstat1.nii.gz", "--df", feat / "stats" / "dof",
        "--mask", feat / "mask.nii.gz", "--clusters", feat / "cluster_mask_zstat1.nii.gz",
        "--table", feat / "cluster_zstat1.txt", "--out", out, "--json",
    )  # fmt: skip
    stat_map = read_feat(feat, "tstat1")
    ari = _fitted(ClusterTDPTransformer(**stat_map.parameters_of_clusters()), stat_map)
    _assert_told(result, ari)
    assert (out / "cluster_zstat1_tdp.txt").exists()
    same = run(
        "fsl", feat / "stats" / "tstat1.nii.gz", "--df", "29", "--mask", feat / "mask.nii.gz",
        "--clusters", feat / "cluster_mask_zstat1.nii.gz", "--json",
    )  # fmt: skip
    assert json.loads(same.out)["table"] == json.loads(result.out)["table"]


def test_clusters_of_spm(run, study, tmp_path):
    folder, out = tmp_path / "spm", tmp_path / "out"
    write_spm(folder, study)
    result = run("spm", folder, "--contrast", "faces", "--threshold", "2.5", "--out", out, "--json")
    stat_map = read_spm(folder, "faces")
    ari = _fitted(ClusterTDPTransformer(2.5, **stat_map.parameters()), stat_map)
    _assert_told(result, ari)
    assert ari.connectivity == 18
    assert (out / "contrast-faces_clusters.tsv").exists()
    adaptive = run("spm", folder / "spmT_0002.nii", "--tdp", "0.4", "--json")
    stat_map = read_spm(folder, 2)
    _assert_told(adaptive, _fitted(AdaptiveTDPTransformer(0.4, **stat_map.parameters()), stat_map))


def test_sub_bricks_of_afni(run, study, tmp_path):
    stem = tmp_path / "stats+tlrc"
    write_afni(stem, [study.t * 0.1, study.t], ["faces#0_Coef", "faces#0_Tstat"], [1, 3, 1, 29])
    mask = tmp_path / "mask.nii.gz"
    Nifti1Image(study.mask.astype("uint8"), AFFINE).to_filename(mask)
    out = tmp_path / "out"
    given = ("--mask", mask, "--threshold", "2.5", "--connectivity", "26", "--json")
    result = run("afni", f"{stem}[1]", *given, "--out", out)
    stat_map = read_afni(f"{stem}.HEAD", 1, mask_img=mask, connectivity=26)
    ari = _fitted(ClusterTDPTransformer(2.5, **stat_map.parameters()), stat_map)
    _assert_told(result, ari)
    by_label = run("afni", f"{stem}.HEAD", "--sub-brick", "faces#0_Tstat", *given)
    assert json.loads(by_label.out)["table"] == json.loads(result.out)["table"]
    assert (out / "stats+tlrc_contrast-faces0Tstat_clusters.tsv").exists()


def test_p_values_of_randomise_are_known_by_their_name(run, study, tmp_path):
    p = np.clip(np.round((1 - study.mask * 0.5) * 0.5, 3), 0, 1)
    p[2:5, 2:5, 2:5] = 0.0002
    path, mask = tmp_path / "study_vox_p_tstat1.nii.gz", tmp_path / "mask.nii.gz"
    Nifti1Image(1 - p, AFFINE).to_filename(path)
    Nifti1Image(study.mask.astype("uint8"), AFFINE).to_filename(mask)
    result = run("clusters", path, "--mask", mask, "--threshold", "0.99", "--json")
    ari = ClusterTDPTransformer(0.99, mask_img=str(mask), stat_type="one_minus_p")
    _assert_told(result, _fitted(ari, SimpleNamespace(stat_img=str(path))))


@pytest.mark.parametrize("name", ["x_vox_corrp_tstat1", "x_tfce_p_tstat1", "x_tstat1"])
def test_what_is_no_uncorrected_p_value_is_refused(run, study, tmp_path, name):
    path = tmp_path / f"{name}.nii.gz"
    Nifti1Image(study.z, AFFINE).to_filename(path)
    result = run("clusters", path)
    assert result.code == 2
    assert result.err.count("\n") == 1
    assert "FSL randomise" in result.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fsl", "{feat}", "--df", "29"], "--df is for a single map"),
        (["fsl", "{feat}/stats/zstat1.nii.gz", "--stat", "zstat1"], "--stat is for a folder"),
        (["fsl", "{feat}", "--stat", "cope1"], "stat must be"),
        (["fsl", "{feat}", "--tdp", "0.5", "--threshold", "3"], "--threshold and --tdp"),
        (["fsl", "{feat}", "--connectivity", "6"], "--connectivity"),
        (["fsl", "{feat}", "--tdp", "0.5", "--table", "{feat}/cluster_zstat1.txt"], "--table"),
        (["fsl", "{feat}", "--table", "{feat}/cluster_zstat1.txt"], "Got no --out"),
        (["fsl", "{feat}", "--threshold-scale", "p"], "--threshold-scale is for"),
        (["fsl", "{feat}", "--lut", "{feat}/cluster_zstat1.txt"], "--lut is for"),
        (["fsl", "{feat}/stats/tstat1.nii.gz", "--df", "many"], "--df must be a number"),
        (["fsl", "{feat}/nothing"], "does not exist"),
        (["spm", "{feat}"], "SPM"),
        (["afni", "{feat}/stats/zstat1.nii.gz"], "sub"),
    ],
)
def test_refusals(run, study, tmp_path, arguments, said):
    feat = tmp_path / "cope1.feat"
    write_feat(feat, study)
    result = run(*(argument.format(feat=feat) for argument in arguments))
    assert (result.code, result.out) == (2, "")
    assert result.err.count("\n") == 1
    assert said in result.err


def test_tables_of_other_clusters_leave_nothing(run, study, tmp_path):
    feat, out = tmp_path / "cope1.feat", tmp_path / "out"
    write_feat(feat, study)
    table = feat / "cluster_zstat1.txt"
    lines = table.read_text().splitlines()
    table.write_text("\n".join(lines[:-1]) + "\n")
    result = run("fsl", feat, "--out", out)
    assert result.code == 2
    assert not out.exists()
