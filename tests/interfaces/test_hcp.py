"""Task analyses of the HCP pipelines: which files are read, and what is refused."""

import numpy as np
import pytest
from nibabel.cifti2 import BrainModelAxis, Cifti2Image, SeriesAxis
from nilearn.surface import InMemoryMesh

from ari_estimator import ClusterTDPTransformer
from ari_estimator.files._absent_content import AbsentContentError
from ari_estimator.interfaces import read_hcp

N = 12
AXIS = BrainModelAxis.from_surface(np.arange(N), N, name="CortexLeft")


def write_map(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    Cifti2Image(np.atleast_2d(values), (SeriesAxis(0, 1, 1), AXIS)).to_filename(path)


def write_meshes(folder, name, n_vertices=N):
    folder.mkdir(parents=True, exist_ok=True)
    for side, x in (("L", -9.0), ("R", 1.0)):
        points = np.random.default_rng(1).random((n_vertices, 3)).astype(np.float32)
        points[:, 0] += x
        faces = np.column_stack([np.arange(n_vertices - 2) + k for k in range(3)])
        InMemoryMesh(points, faces).to_gifti(folder / name.format(side=side))


@pytest.fixture
def subject(tmp_path):
    """Return the folder of a subject with meshes of two densities."""
    structural = tmp_path / "MNINonLinear"
    for density, n_vertices in (("32k", N), ("59k", N + 3)):
        folder, end = structural / f"fsaverage_LR{density}", f"{density}_fs_LR.surf.gii"
        write_meshes(folder, f"01.{{side}}.midthickness.{end}", n_vertices)
        write_meshes(folder, f"01.{{side}}.midthickness_MSMAll.{end}", n_vertices)
        write_meshes(folder, f"01.{{side}}.inflated.{end}", n_vertices)
    return tmp_path


def analysis(subject, name="tfMRI_MOTOR_hp200_s2_level2.feat", contrasts=("LH", "2", "AVG")):
    folder = subject / "MNINonLinear" / "Results" / "tfMRI_MOTOR" / name
    for number in range(1, len(contrasts) + 1):
        of_cope = folder / "GrayordinatesStats" / f"cope{number}.feat"
        write_map(of_cope / "zstat1.dtseries.nii", np.linspace(number, -4, N))
        write_map(of_cope / "cope1.dtseries.nii", np.ones(N))
    (folder / "Contrasts.txt").write_text("\n".join(contrasts) + "\n")
    return folder


@pytest.mark.parametrize(("contrast", "number"), [("LH", 1), (3, 3), ("AVG", 3), ("2", 2), (2, 2)])
def test_the_map_of_a_contrast(subject, contrast, number):
    folder = analysis(subject)
    for place in (folder, folder / "GrayordinatesStats"):
        stat_map = read_hcp(place, contrast)
        values = np.asarray(stat_map.stat_img.dataobj)
        np.testing.assert_allclose(values, [np.linspace(number, -4, N)])
        assert stat_map.name == ("LH", "2", "AVG")[number - 1]
        assert (stat_map.stat_type, stat_map.mask_img) == ("z", None)
        assert "zstat1.dtseries.nii" in stat_map.said_by
    ClusterTDPTransformer(0.5, **stat_map.parameters()).fit(stat_map.stat_img)


def test_names_with_spaces_and_empty_lines(subject):
    """Each line is a contrast, so that no name gets the number of another one."""
    folder = analysis(subject, contrasts=("LEFT HAND", "", "AVG"))
    assert read_hcp(folder, "LEFT HAND").name == "LEFT HAND"
    assert (read_hcp(folder, 2).name, read_hcp(folder, 3).name) == ("contrast 2", "AVG")


@pytest.mark.parametrize(
    ("name", "mesh"),
    [
        ("tfMRI_MOTOR_hp200_s2_level2.feat", "01.L.midthickness.32k_fs_LR.surf.gii"),
        ("tfMRI_MOTOR_hp200_s2_level2_MSMAll.feat", "01.L.midthickness_MSMAll.32k_fs_LR.surf.gii"),
    ],
)
def test_the_meshes_are_of_the_analysis(subject, name, mesh):
    """Those whose registration and number of vertices fit."""
    stat_map = read_hcp(analysis(subject, name), "LH")
    assert stat_map.mesh["left"].endswith(f"fsaverage_LR32k/{mesh}")
    assert stat_map.mesh["right"] == stat_map.mesh["left"].replace(".L.", ".R.")
    given = {"left": stat_map.mesh["left"]}
    assert read_hcp(analysis(subject, name), "LH", mesh=given).mesh == given


def test_meshes_that_are_not_there_or_several(subject, tmp_path):
    folder = analysis(subject)
    write_meshes(subject / "MNINonLinear" / "fsaverage_LR32k", "02.{side}.midthickness.surf.gii")
    with pytest.raises(ValueError, match=r"mesh must name the surfaces, .*01\.L.*02\.L"):
        read_hcp(folder, "LH")
    alone = analysis(tmp_path / "alone")
    assert read_hcp(alone, "LH").mesh is None
    assert "mesh" not in read_hcp(alone, "LH").parameters()


def test_a_mask_beside_the_map(subject):
    folder = analysis(subject)
    write_map(
        folder / "GrayordinatesStats/cope1.feat/mask.dtseries.nii",
        (np.arange(N) > 2).astype(np.float32),
    )
    stat_map = read_hcp(folder, "LH")
    fitted = ClusterTDPTransformer(0.5, **stat_map.parameters()).fit(stat_map.stat_img)
    assert fitted.n_tested_ == N - 3


def test_the_first_level(subject):
    folder = subject / "tfMRI_MOTOR_LR_hp200_s2_level1.feat"
    for number in (1, 2):
        write_map(folder / f"GrayordinatesStats/zstat{number}.dtseries.nii", np.arange(N))
    stat_map = read_hcp(folder, 2)
    assert (stat_map.name, stat_map.stat_type) == ("contrast 2", "z")


def test_refusals(subject, tmp_path):
    folder = analysis(subject)
    match = r"Got None: there are 1 'LH', 2 '2', 3 'AVG' in"
    with pytest.raises(ValueError, match=match):
        read_hcp(folder)
    for wrong in ("RH", 4, 0):
        with pytest.raises(ValueError, match=rf"Got {wrong!r}: there are 1 'LH'"):
            read_hcp(folder, wrong)
    with pytest.raises(FileNotFoundError, match="must have z maps of grayordinates"):
        read_hcp(tmp_path, 1)
    with pytest.raises(FileNotFoundError, match="The HCP analysis does not exist"):
        read_hcp(tmp_path / "none", 1)
    map_ = folder / "GrayordinatesStats/cope1.feat/zstat1.dtseries.nii"
    map_.unlink()
    map_.symlink_to(".git/annex/objects/aa/bb/key/key")
    with pytest.raises(AbsentContentError, match="git annex get"):
        read_hcp(folder, 1)
