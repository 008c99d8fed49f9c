"""What a map is and declares, as ``describe_map`` tells it."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nibabel import Nifti1Image
from nibabel.cifti2 import BrainModelAxis, Cifti2Image, LabelAxis, ScalarAxis
from nibabel.gifti import GiftiDataArray, GiftiImage
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage

from ari_estimator import ClusterTDPTransformer
from ari_estimator.interfaces import describe_map

SHAPE = (5, 4, 3)
AFFINE = np.array([[-3.0, 0, 0, 6], [0, 2, 0, -4], [0, 0, 2.5, -3], [0, 0, 0, 1]])


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a volume, and returns its path."""

    def write_volume(name, data=None, descrip="", intent=None, sidecar=None):
        values = np.linspace(-1, 1, 60).reshape(SHAPE) if data is None else data
        img = Nifti1Image(np.asarray(values, dtype="float32"), AFFINE)
        img.header["descrip"] = descrip
        if intent is not None:
            img.header.set_intent(*intent)
        path = tmp_path / name
        nib.save(img, path)
        if sidecar is not None:
            stem = path.name.removesuffix(".nii.gz")
            path.with_name(f"{stem}.json").write_text(json.dumps(sidecar))
        return path

    return write_volume


def _mesh(n_rows):
    """Return a strip of triangles."""
    points = np.array([[i // 2, i % 2, 0] for i in range(2 * n_rows)], dtype="float32")
    faces = np.array([[i, i + 1, i + 2] for i in range(2 * n_rows - 2)])
    return InMemoryMesh(points, faces)


def _cifti(data, first_axis=None):
    left = BrainModelAxis.from_surface([0, 2, 3], 10242, name="CortexLeft")
    voxels = np.zeros((3, 3, 3), dtype=bool)
    voxels[1, 1, :2] = True
    below = BrainModelAxis.from_mask(voxels, name="thalamus_left", affine=np.eye(4))
    data = np.atleast_2d(np.asarray(data, dtype="float32"))
    axis = ScalarAxis([f"map {i}" for i in range(len(data))]) if first_axis is None else first_axis
    return Cifti2Image(data, (axis, left + below))


# Each: name, text in the header, intent, JSON beside, statistic, df, stat_type, in the refusal.
DECLARED = {
    "SPM": ("spmT_0001.nii", "SPM{T_[23.0]} - contrast 1: a", None, None, "t", (23,), "t", ""),
    "SPM, F": ("a.nii", "SPM{F_[2.0,30.0]} - contrast 1: a", None, None, "F", (2, 30), "F", ""),
    "FSL": ("tstat1.nii.gz", "FSL5.0", ("t test", (0,)), None, "t", (), None, "df"),
    "BIDS": ("sub-1_stat-t_statmap.nii.gz", "", None, {"df": 17}, "t", (17,), "t", ""),
    "BIDS, no df": ("sub-1_stat-t_statmap.nii.gz", "", None, {"a": 1}, "t", (), None, "df"),
    "nilearn": ("a.nii.gz", "z_score of contrast a", None, None, "z", (), "z", ""),
    "t or F": ("a.nii.gz", "stat of contrast a", None, None, "t or F", (), None, "stat_type and"),
    "cope": ("cope1.nii.gz", "FSL5.0", None, None, "effect", (), None, "effects"),
    "intent": ("a.nii.gz", "", ("t test", (12,)), None, "t", (12,), "t", ""),
    "nothing": ("a.nii.gz", "", None, None, None, (), "z", ""),
}


@pytest.mark.parametrize("case", DECLARED)
def test_what_a_volume_declares(write, case):
    name, descrip, intent, sidecar, statistic, df, stat_type, why = DECLARED[case]
    told = describe_map(write(name, None, descrip, intent, sidecar))
    assert (told.statistic, told.df, told.stat_type) == (statistic, df, stat_type)
    assert told.contradictions == ()
    assert (told.said_by is None) == (statistic is None)
    assert (told.refusal is None) == (stat_type is not None)
    assert why in (told.refusal or "")


@pytest.mark.parametrize("case", DECLARED)
def test_estimators_take_a_map_for_what_is_told_and_refuse_it_for_the_reason_told(write, case):
    name, descrip, intent, sidecar, *_, why = DECLARED[case]
    path = write(name, np.random.default_rng(0).random(SHAPE), descrip, intent, sidecar)
    told = describe_map(path)
    mask_img = Nifti1Image(np.ones(SHAPE, dtype="uint8"), AFFINE)
    ari = ClusterTDPTransformer(0.5, mask_img=mask_img)
    if told.refusal is None:
        statistic = ari.fit(str(path)).maps_.family.statistic
        assert statistic.stat_type == told.stat_type
        assert statistic.df == told.df
    else:
        with pytest.raises(ValueError, match=why) as caught:
            ari.fit(str(path))
        assert " ".join(str(caught.value).split()) == told.refusal


def test_the_same_is_told_of_a_path_a_text_and_an_image(write):
    path = write("tstat1.nii.gz")
    told = describe_map(path)
    assert told == describe_map(str(path))
    assert told == describe_map(nib.load(path))
    assert told.file == str(path)


def test_an_image_in_memory_has_no_file():
    told = describe_map(Nifti1Image(np.ones(SHAPE, dtype="float32"), AFFINE))
    assert told.file is None
    assert (told.stat_type, told.statistic) == ("z", None)


def test_declarations_that_contradict_are_told(write):
    path = write("tstat1.nii.gz", None, "SPM{Z} - contrast 1: a", ("p value", ()))
    told = describe_map(path)
    assert told.statistic == "z"
    assert [one.holds for one in told.contradictions] == ["t", "p"]
    assert "tstat1.nii.gz" in told.contradictions[0].said_by
    assert "'p value'" in told.contradictions[1].said_by


def test_other_degrees_of_freedom_contradict(write):
    descrip = "SPM{T_[23.0]} - contrast 1: a"
    same = describe_map(write("a.nii.gz", None, descrip, ("t test", (23.04,))))
    assert same.contradictions == ()
    other = describe_map(write("b.nii.gz", None, descrip, ("t test", (24.0,))))
    assert [one.df for one in other.contradictions] == [(24.0,)]


def test_words_that_say_more_of_the_same_do_not_contradict(write):
    told = describe_map(write("tstat1.nii.gz", None, "stat of contrast a", ("t test", (0,))))
    assert told.statistic == "t or F"
    assert told.contradictions == ()
    told = describe_map(write("fstat1.nii.gz", None, "stat of contrast a", ("z score", ())))
    assert [one.holds for one in told.contradictions] == ["z"]


def test_the_grid_of_a_volume(write):
    told = describe_map(write("a.nii.gz"))
    assert told.kind == "volume"
    assert (told.shape, told.voxel_size, told.orientation) == (SHAPE, (3.0, 2.0, 2.5), "LAS")
    assert (told.n_elements, told.n_maps) == ({"voxels": 60}, 1)


def test_special_values_are_counted(write):
    data = np.full(SHAPE, 2.5)
    data[0, 0, :] = [np.nan, np.inf, -np.inf]
    data[1, 0, :] = [np.nan, np.inf, 0]
    data[2, 0, :] = [np.nan, -7, 0]
    data[3] = 0
    told = describe_map(write("a.nii.gz", data))
    assert told.n_nan == 3
    assert (told.n_positive_infinite, told.n_negative_infinite) == (2, 1)
    assert told.n_zero == 2 + 12
    assert (told.minimum, told.maximum) == (-7.0, 2.5)


def test_values_are_scaled_as_the_header_says(tmp_path):
    img = Nifti1Image(np.arange(60, dtype="int16").reshape(SHAPE), AFFINE)
    img.header.set_slope_inter(0.5, -1)
    img.to_filename(tmp_path / "a.nii")
    # nibabel drops the slope when it writes; the bytes of the header keep it.
    content = bytearray((tmp_path / "a.nii").read_bytes())
    content[112:120] = np.array([0.5, -1], dtype="<f4").tobytes()
    (tmp_path / "a.nii").write_bytes(content)
    told = describe_map(tmp_path / "a.nii")
    assert (told.minimum, told.maximum, told.n_zero) == (-1.0, 28.5, 1)


def test_several_volumes(write):
    data = np.zeros((*SHAPE, 7))
    data[..., 6] = 3
    told = describe_map(write("a.nii.gz", data))
    assert (told.n_maps, told.shape, told.n_elements) == (7, SHAPE, {"voxels": 60})
    assert (told.n_zero, told.maximum) == (6 * 60, 3.0)
    assert told.stat_type == "z"


def test_a_volume_without_a_finite_value_has_no_range(write):
    told = describe_map(write("a.nii.gz", np.full(SHAPE, np.nan)))
    assert (told.n_nan, told.minimum, told.maximum) == (60, None, None)


def test_an_image_of_no_voxels():
    told = describe_map(Nifti1Image(np.zeros((0, 4, 3), dtype="float32"), AFFINE))
    assert told.n_elements == {"voxels": 0}
    assert (told.n_zero, told.minimum) == (0, None)


def test_a_volume_of_another_format_tells_by_its_name(tmp_path):
    data = np.ones(SHAPE, dtype="float32")
    nib.save(nib.MGHImage(data, AFFINE), tmp_path / "sig.mgz")
    told = describe_map(tmp_path / "sig.mgz")
    assert (told.kind, told.shape, told.orientation) == ("volume", SHAPE, "LAS")
    assert (told.statistic, told.stat_type) == ("-log10 p with a sign", "neg_log10_p")


def test_a_surface():
    mesh = PolyMesh(left=_mesh(5), right=_mesh(4))
    data = {"left": np.arange(10.0), "right": np.full(8, np.nan)}
    told = describe_map(SurfaceImage(mesh, data))
    assert told.kind == "surface"
    assert (told.n_elements, told.n_maps) == ({"left": 10, "right": 8}, 1)
    assert (told.n_nan, told.n_zero, told.maximum) == (8, 1, 9.0)
    assert (told.shape, told.voxel_size, told.orientation) == (None, None, None)
    assert (told.statistic, told.stat_type, told.refusal) == (None, "z", None)


def test_a_surface_of_several_maps():
    mesh = PolyMesh(left=_mesh(5), right=_mesh(4))
    data = {"left": np.zeros((10, 3)), "right": np.zeros((8, 3))}
    told = describe_map(SurfaceImage(mesh, data))
    assert (told.n_elements, told.n_maps, told.n_zero) == ({"left": 10, "right": 8}, 3, 54)


def test_the_file_of_a_hemisphere_needs_no_mesh(tmp_path):
    arrays = [GiftiDataArray(np.arange(6, dtype="float32") + k) for k in range(2)]
    path = tmp_path / "sub-1_hemi-R_stat-t_statmap.func.gii"
    nib.save(GiftiImage(darrays=arrays), path)
    told = describe_map(path)
    assert (told.kind, told.n_elements, told.n_maps) == ("surface", {"right": 6}, 2)
    assert (told.statistic, told.minimum, told.maximum) == ("t", 0.0, 6.0)
    assert told.stat_type is None
    assert "mesh" in told.refusal


def test_the_file_of_a_mesh_is_no_map(tmp_path):
    points = GiftiDataArray(np.zeros((4, 3), dtype="float32"), intent="NIFTI_INTENT_POINTSET")
    nib.save(GiftiImage(darrays=[points]), tmp_path / "lh.surf.gii")
    with pytest.raises(ValueError, match=r"lh\.surf\.gii.*a mesh"):
        describe_map(tmp_path / "lh.surf.gii")


def test_a_surface_in_the_file_of_a_volume(tmp_path):
    data = np.ones((2562, 1, 1), dtype="float32")
    Nifti1Image(data, np.eye(4)).to_filename(tmp_path / "lh.sig.nii.gz")
    told = describe_map(tmp_path / "lh.sig.nii.gz")
    assert (told.kind, told.n_elements, told.shape) == ("surface", {"left": 2562}, None)
    assert told.statistic == "-log10 p with a sign"
    assert "SurfaceImage" in told.refusal


def test_a_cifti_image(tmp_path):
    path = tmp_path / "a.dscalar.nii"
    nib.save(_cifti([[0, 1, -np.inf, 3, np.nan], [1, 1, 1, 1, 1]]), path)
    told = describe_map(path)
    assert told.kind == "CIFTI image"
    assert told.n_elements == {"CORTEX_LEFT": 3, "THALAMUS_LEFT": 2}
    assert (told.n_maps, told.n_zero, told.n_nan, told.n_negative_infinite) == (2, 1, 1, 1)
    assert (told.minimum, told.maximum) == (0.0, 3.0)
    assert told.stat_type == "z"
    assert (told.file, told.shape) == (str(path), None)


def test_a_cifti_image_tells_by_its_name(tmp_path):
    path = tmp_path / "sub-1_stat-effect_statmap.dscalar.nii"
    nib.save(_cifti([0, 1, 2, 3, 4]), path)
    told = describe_map(path)
    assert told.statistic == "effect"
    assert "sub-1_stat-effect_statmap" in told.said_by


def test_cifti_labels_are_refused(tmp_path):
    axis = LabelAxis(["labels"], {0: ("?", (0, 0, 0, 0)), 1: ("a", (1, 0, 0, 1))})
    nib.save(_cifti([0, 1, 1, 1, 0], axis), tmp_path / "a.dlabel.nii")
    told = describe_map(tmp_path / "a.dlabel.nii")
    assert told.kind == "CIFTI image"
    assert "labels" in told.refusal


@pytest.mark.parametrize("how", ["missing", "folder", "text", "text in gzip", "truncated", "empty"])
def test_a_file_that_is_no_image_is_named(write, damage, how):
    path = write("tstat1.nii.gz", np.random.default_rng(0).random(SHAPE))
    damage(path, how)
    kind = {"missing": FileNotFoundError, "folder": IsADirectoryError}.get(how, ValueError)
    with pytest.raises(kind, match=r"The map .*tstat1\.nii\.gz"):
        describe_map(path)


def test_values_must_be_real_numbers():
    img = Nifti1Image(np.ones(SHAPE, dtype="complex64"), AFFINE)
    with pytest.raises(ValueError, match=r"real numbers\. Got complex64: an image in memory"):
        describe_map(img)


@pytest.mark.parametrize("given", [3, None, ["a.nii.gz"], np.zeros(SHAPE)])
def test_it_must_be_an_image_or_a_path(given):
    with pytest.raises(TypeError, match="must be an image or its path"):
        describe_map(given)


def test_a_description_does_not_change(write):
    with pytest.raises(FrozenInstanceError):
        describe_map(write("a.nii.gz")).kind = "surface"


# What each file of the shared data is: kind, statistic, and what the estimators take it for.
SHARED = {
    "auditory_z/zstat.nii.gz": ("volume", "z", "z"),
    "auditory_z/pvalue.nii.gz": ("volume", "p", "p"),
    "auditory_z/mask.nii.gz": ("volume", None, "z"),
    "whole_brain_z/z.nii.gz": ("volume", None, "z"),
    "whole_brain_z/mask.nii.gz": ("volume", None, "z"),
    "emotion_regulation/sub-01_contrast-reappraise_effect.nii.gz": ("volume", "effect", None),
    "emotion_regulation/sub-30_contrast-reappraise_effect.nii.gz": ("volume", "effect", None),
    "genuine/fsl_cope1.nii.gz": ("volume", "effect", None),
    "genuine/fsl_tstat1.nii.gz": ("volume", "t", None),
    "genuine/freesurfer_lh.sig.nii.gz": ("surface", "-log10 p with a sign", None),
    "genuine/lh.Yeo2011.mgz": ("surface", None, None),
}


@pytest.mark.parametrize("name", SHARED)
def test_real_files(shared_path, name):
    told = describe_map(shared_path("data", *Path(name).parts))
    assert (told.kind, told.statistic, told.stat_type) == SHARED[name]
    assert (told.refusal is None) == (told.stat_type is not None)


def test_counts_of_a_real_file(shared_path):
    told = describe_map(shared_path("data", "whole_brain_z", "z.nii.gz"))
    # 257,659 voxels are in its mask; p is 1 in two of them.
    assert told.n_zero == 91 * 109 * 91 - 257_659
    assert (told.n_negative_infinite, told.n_positive_infinite, told.n_nan) == (2, 0, 0)


def test_every_real_file_is_described(shared_path):
    folder = shared_path("data")
    files = [path for path in folder.rglob("*") if path.name.endswith((".nii.gz", ".mgz"))]
    assert files
    for path in files:
        told = describe_map(path)
        assert sum(told.n_elements.values()) > 0, path
        assert told.minimum <= told.maximum, path
