"""Files of the sample study, and the readers of the package on them."""

from __future__ import annotations

from hashlib import sha256

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from ari_estimator import ARISecondLevelModel, ClusterTDPTransformer
from ari_estimator.datasets import load_sample_study, write_sample_study
from ari_estimator.interfaces import (
    find_feat_tables,
    read_afni,
    read_feat,
    read_fsl_design,
    read_spm,
)


@pytest.fixture(scope="module")
def study():
    return load_sample_study()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample") / "new" / "study"
    files = write_sample_study(folder)
    assert files == sorted(path for path in folder.rglob("*") if path.is_file())
    return folder


def _sums(folder):
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_files_are_the_same_each_time(folder, tmp_path):
    write_sample_study(tmp_path)
    assert _sums(tmp_path) == _sums(folder)


@pytest.mark.parametrize(
    ("name", "intent"), [("tstat", ("t test", (23.0,), "")), ("zstat", ("z score", (), ""))]
)
def test_headers_declare_the_statistic(folder, name, intent):
    assert nib.load(folder / f"{name}.nii.gz").header.get_intent() == intent


def test_each_subject_has_a_map_that_both_tables_name(folder, study):
    participants = pd.read_csv(folder / "participants.tsv", sep="\t")
    pd.testing.assert_frame_equal(participants, study.participants)
    design = pd.read_csv(folder / "design.tsv", sep="\t")
    for subject, path, img in zip(
        design["participant_id"], design["path"], study.maps, strict=True
    ):
        assert path == f"{subject}/{subject}_effect.nii.gz"
        np.testing.assert_array_equal(nib.load(folder / path).get_fdata(), img.get_fdata())


@pytest.mark.parametrize(
    ("read", "stat_type", "df"),
    [
        (lambda folder: read_feat(folder / "cope1.feat"), "z", None),
        (lambda folder: read_feat(folder / "cope1.feat", "tstat1"), "t", 23),
        (lambda folder: read_spm(folder / "spm"), "t", 23),
        (lambda folder: read_spm(folder / "spm" / "spmT_0001.nii"), "t", 23),
        (
            lambda folder: read_afni(
                folder / "afni" / "stats+tlrc", mask_img=folder / "afni" / "mask+tlrc.HEAD"
            ),
            "t",
            23,
        ),
    ],
    ids=["feat-z", "feat-t", "spm", "spm-map", "afni"],
)
def test_other_programs_give_the_values_of_the_study(folder, study, read, stat_type, df):
    stat_map = read(folder)
    assert (stat_map.stat_type, stat_map.df) == (stat_type, df)
    mask = study.mask_img.get_fdata() == 1
    expected = study.z_img if stat_type == "z" else study.t_img
    affine = nib.load(folder / "zstat.nii.gz").affine
    np.testing.assert_allclose(stat_map.stat_img.affine, affine, atol=1e-4)
    np.testing.assert_array_equal(
        stat_map.stat_img.get_fdata()[mask], expected.get_fdata()[mask].astype(np.float32)
    )
    np.testing.assert_array_equal(stat_map.mask_img.get_fdata() == 1, mask)


def test_tables_of_fsl_have_its_clusters_the_largest_first(folder):
    clusters = nib.load(folder / "cope1.feat" / "cluster_mask_zstat1.nii.gz").get_fdata()
    tables = find_feat_tables(folder / "cope1.feat")
    assert [path.name for path in tables] == ["cluster_zstat1.txt", "cluster_zstat1_std.txt"]
    for path in tables:
        table = pd.read_csv(path, sep="\t")
        assert table["Voxels"].is_monotonic_decreasing
        assert (table["P"] < 0.05).all()
        for row in table.itertuples():
            assert np.count_nonzero(clusters == row[1]) == row.Voxels


def test_a_significant_cluster_of_fsl_may_have_no_true_discoveries(folder):
    stat_map = read_feat(folder / "cope1.feat", two_sided=True)
    ari = ClusterTDPTransformer(**stat_map.parameters_of_clusters()).fit(stat_map.stat_img)
    assert ari.table_.iloc[:-1]["true_discoveries"].min() == 0


def test_surface_files_tell_their_side(folder):
    for prefix, side in (("lh", "CortexLeft"), ("rh", "CortexRight")):
        for kind in ("surf", "func", "mask"):
            img = nib.load(folder / f"{prefix}.{kind}.gii")
            assert img.meta["AnatomicalStructurePrimary"] == side
    cifti = nib.load(folder / "z.dscalar.nii")
    assert cifti.shape == (1, 9710 + 9714 + 2684 + 2442)
    structures = [name for name, *_ in cifti.header.get_axis(1).iter_structures()]
    assert structures == [
        f"CIFTI_STRUCTURE_{part}_{side}"
        for part in ("CORTEX", "CEREBELLUM")
        for side in ("LEFT", "RIGHT")
    ]


def test_the_maps_of_all_subjects_have_the_z_values_that_are_written(folder, study):
    z_img, maps_img = (nib.load(folder / f"{name}.dscalar.nii") for name in ("z", "maps"))
    assert maps_img.header.get_axis(1) == z_img.header.get_axis(1)
    names = maps_img.header.get_axis(0).name.tolist()
    assert names == study.participants["participant_id"].tolist()
    design = pd.DataFrame({"intercept": np.ones(len(names))})
    model = ARISecondLevelModel().fit(maps_img, design_matrix=design)
    found = np.asarray(model.compute_contrast().dataobj)
    np.testing.assert_allclose(found, np.asarray(z_img.dataobj), atol=1e-4)


def test_a_folder_with_files_is_refused_and_stays(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="not empty"):
        write_sample_study(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_overwrite_replaces_files_of_the_study_and_no_others(folder, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "sub-01").mkdir()
    (tmp_path / "sub-01" / "sub-01_effect.nii.gz").write_text("old")
    write_sample_study(tmp_path, overwrite=True)
    assert (tmp_path / "mine.txt").read_text() == "mine"
    (tmp_path / "mine.txt").unlink()
    assert _sums(tmp_path) == _sums(folder)


def test_an_error_leaves_nothing(tmp_path):
    (tmp_path / "spm").mkdir()
    protected = tmp_path / "spm" / "SPM.mat"
    protected.write_text("mine")
    protected.chmod(0o444)
    with pytest.raises(PermissionError, match=r"SPM\.mat"):
        write_sample_study(tmp_path, overwrite=True)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["SPM.mat", "spm"]
    assert protected.read_text() == "mine"


def test_files_of_randomise_test_what_the_study_tests(folder):
    """The difference of the groups, from the files of randomise and from the study."""
    where = folder / "randomise"
    files = read_fsl_design(*(where / f"design.{ending}" for ending in ("mat", "con", "fts")))
    assert list(files.contrasts) == ["C1 patient > control", "C2 control > patient", "C3 older"]
    assert files.f_tests["F1"].shape == (2, 3)
    study = load_sample_study()
    is_patient = study.participants["group"] == "patient"
    assert files.matrix["EV1"].tolist() == is_patient.astype(float).tolist()
    maps = nib.load(where / "all_copes.nii.gz").get_fdata(dtype=np.float32)
    np.testing.assert_array_equal(maps[..., 3], study.maps[3].get_fdata(dtype=np.float32))
