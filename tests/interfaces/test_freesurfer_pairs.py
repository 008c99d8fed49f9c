"""What the analyses of both hemispheres must have in common, and clusters that are no numbers."""

from __future__ import annotations

import shutil

import nibabel as nib
import numpy as np
import pytest

from ari_estimator import ClusterTDPTransformer
from ari_estimator.datasets import load_sample_study
from ari_estimator.datasets._glm_folders import write_glm_folders
from ari_estimator.interfaces import read_freesurfer

CLUSTERS = "cache.th30.abs.sig.ocn.mgh"
SUMMARY = "cache.th30.abs.sig.cluster.summary"


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample") / "freesurfer"
    write_glm_folders(folder, load_sample_study())
    return folder


@pytest.fixture
def right(sample, tmp_path):
    """Return a copy of the right hemisphere, to change."""
    return shutil.copytree(sample / "rh.glmdir", tmp_path / "rh.glmdir")


def _both(sample, right, **parameters):
    return read_freesurfer(lh=sample / "lh.glmdir", rh=right, subjects_dir=sample, **parameters)


def test_a_mask_of_one_hemisphere(sample, right):
    n_masked = _both(sample, right).mask_img.data.parts["right"].sum()
    (right / "mask.mgh").unlink()
    with pytest.warns(UserWarning, match=r"no mask\.mgh in .*rh\.glmdir'.* All vertices"):
        stat_map = _both(sample, right)
    left = read_freesurfer(sample / "lh.glmdir", subjects_dir=sample).mask_img.data.parts["left"]
    parts = stat_map.mask_img.data.parts
    np.testing.assert_array_equal(parts["left"], left)
    assert n_masked < parts["right"].sum() == parts["right"].size
    ari = ClusterTDPTransformer(**stat_map.parameters_of_clusters()).fit(stat_map.stat_img)
    assert ari.n_tested_ == left.sum() + parts["right"].size


def test_another_subject(sample, right):
    (right / "surface").write_text("bert rh\n")
    with pytest.raises(ValueError, match=r"same subject as lh\. Got 'fsaverage5' .* and 'bert' in"):
        _both(sample, right)


def test_the_subject_of_the_other_hemisphere(sample, right):
    (right / "surface").unlink()
    assert list(_both(sample, right).stat_img.mesh.parts) == ["left", "right"]


def test_clusters_of_different_names_are_not_paired(sample, right):
    for name in (CLUSTERS, SUMMARY):
        path = right / "osgm" / name
        path.rename(path.with_name(name.replace("th30", "th13")))
    assert _both(sample, right).labels_img is None


@pytest.mark.parametrize(
    ("change", "got"),
    [
        (lambda part: part / 4, r"\d\.\d"),
        (lambda part: -part, "-"),
        (lambda part: np.where(part == 0, np.nan, part), "nan"),
        (lambda part: part * 1e12, r"\de\+12"),
    ],
)
@pytest.mark.parametrize("is_pair", [False, True])
def test_clusters_without_numbers(sample, right, change, got, is_pair):
    path = right / "osgm" / CLUSTERS
    part = np.asanyarray(nib.load(path).dataobj).astype(np.float32)
    nib.MGHImage(change(part).astype(np.float32), np.eye(4)).to_filename(path)
    left = {"lh": sample / "lh.glmdir"} if is_pair else {}
    with pytest.raises(ValueError, match=rf"numbers of clusters.* Got {got}.*ocn\.mgh"):
        read_freesurfer(**left, rh=right, subjects_dir=sample)


def test_several_maps_in_one_file(sample, right):
    path = right / "osgm" / "sig.mgh"
    part = np.asanyarray(nib.load(path).dataobj)
    nib.MGHImage(np.stack([part, part], axis=-1), np.eye(4)).to_filename(path)
    with pytest.raises(ValueError, match=r"sig\.mgh' must hold one map\. Got 2"):
        read_freesurfer(right, subjects_dir=sample)


def test_a_table_that_does_not_tell_its_sign(sample, right):
    path = right / "osgm" / SUMMARY
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "Threshold Sign" not in line))
    with pytest.raises(ValueError, match="sign must be given, since a table of clusters"):
        read_freesurfer(right, subjects_dir=sample)
    assert read_freesurfer(right, sign="abs", subjects_dir=sample).two_sided is True


@pytest.mark.parametrize("file", ["surface", "mask.mgh", "osgm/C.dat", f"osgm/{CLUSTERS}"])
def test_files_that_were_never_fetched(sample, right, file):
    (right / file).unlink()
    (right / file).symlink_to(".git/annex/objects/Xx/Yy/key/key")
    with pytest.raises(FileNotFoundError, match="git annex get"):
        read_freesurfer(right, subjects_dir=sample)


def test_areas_that_were_never_fetched(sample, right, tmp_path):
    mesh = shutil.copy(sample / "fsaverage5/surf/rh.white", tmp_path / "rh.white")
    (tmp_path / "rh.white.avg.area.mgh").symlink_to(".git/annex/objects/Xx/Yy/key/key")
    with pytest.raises(FileNotFoundError, match="git annex get"):
        read_freesurfer(right, mesh={"right": mesh})


def test_the_folder_of_a_contrast_and_its_name(sample):
    stat_map = read_freesurfer(sample / "rh.glmdir" / "osgm", "osgm", subjects_dir=sample)
    assert stat_map.name == "osgm"
