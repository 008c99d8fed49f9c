"""One of several maps, in Python."""

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from nibabel.cifti2 import BrainModelAxis, Cifti2Image, LabelAxis, ScalarAxis, SeriesAxis
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage
from numpy.testing import assert_allclose, assert_array_equal

from ari_estimator import ARISecondLevelModel
from ari_estimator.interfaces import describe_map, select_map

AXIS = BrainModelAxis.from_surface(np.arange(5), 9, name="CortexLeft")
DATA = np.arange(15.0).reshape(3, 5)


def dscalar(names=("a", "tstat1", "01_level2_faces_hp200_s2")):
    return Cifti2Image(DATA, (ScalarAxis(list(names)), AXIS))


@pytest.mark.parametrize("as_file", [False, True], ids=["image", "path"])
@pytest.mark.parametrize(
    ("map_", "number"), [("tstat1", 1), (2, 2), ("faces", 2), (np.int64(0), 0)]
)
def test_of_cifti(tmp_path, as_file, map_, number):
    img = dscalar()
    if as_file:
        img.to_filename(tmp_path / "sub.dscalar.nii")
        img = tmp_path / "sub.dscalar.nii"
    chosen = select_map(img, map_)
    assert_array_equal(np.asarray(chosen.dataobj), DATA[[number]])
    assert chosen.header.get_axis(0).name.tolist() == [
        ["a", "tstat1", "01_level2_faces_hp200_s2"][number]
    ]
    assert chosen.header.get_axis(1) == AXIS
    if as_file:
        assert chosen.get_filename() == str(img)
    assert describe_map(chosen).statistic == ("t" if number == 1 else None)


def test_of_series_and_labels():
    series = select_map(Cifti2Image(DATA, (SeriesAxis(1, 0.5, 3), AXIS)), 2)
    assert series.header.get_axis(0) == SeriesAxis(2, 0.5, 1)
    table = {0: ("???", (0, 0, 0, 0)), 1: ("one", (1, 0, 0, 1))}
    labels = LabelAxis(["x", "y", "z"], [table, table | {2: ("two", (0, 1, 0, 1))}, table])
    chosen = select_map(Cifti2Image(DATA.astype(np.int32), (labels, AXIS)), "y")
    assert chosen.header.get_axis(0).label[0][2][0] == "two"


def test_of_volumes():
    img = Nifti1Image(np.random.default_rng(0).standard_normal((3, 4, 5, 2)), np.diag([2, 2, 2, 1]))
    img.header.set_intent("t test", (9,))
    chosen = select_map(img, 1)
    assert_array_equal(chosen.get_fdata(), img.get_fdata()[..., 1])
    assert describe_map(chosen).df == (9,)
    single = Nifti1Image(np.zeros((3, 4, 5)), np.eye(4))
    assert select_map(single) is single


def test_of_surfaces():
    points = np.random.default_rng(0).random((4, 3))
    mesh = PolyMesh(left=InMemoryMesh(points, np.array([[0, 1, 2], [1, 2, 3]])))
    img = SurfaceImage(mesh, {"left": np.arange(8.0).reshape(4, 2)})
    assert_array_equal(select_map(img, 1).data.parts["left"].ravel(), [1, 3, 5, 7])
    with pytest.raises(ValueError, match="2 maps without a name"):
        select_map(img)


@pytest.mark.parametrize(
    ("map_", "error", "match"),
    [
        (
            None,
            ValueError,
            r"map must say which .* 3 maps .*: 0 'a', 1 'tstat1', 2 '01_level2_faces_hp200_s2'",
        ),
        ("b", ValueError, "Got 'b', which is the name of no map"),
        (3, ValueError, r"counted from 0\. Got 3: there are 3 maps"),
        (-1, ValueError, "Got -1"),
        (1.0, TypeError, "must be a name, a number or None. Got float"),
        (True, TypeError, "Got bool"),
    ],
)
def test_refusals(map_, error, match):
    with pytest.raises(error, match=match):
        select_map(dscalar(), map_)


def test_a_name_that_two_maps_have():
    with pytest.raises(ValueError, match="Got 'a', which is the name of 2 maps"):
        select_map(dscalar(("a", "a", "b")), "a")


def test_different_maps_in_one_image_are_not_tested_as_one():
    told = describe_map(dscalar(("zstat1", "tstat1", "cope1")))
    assert "different quantities in its maps" in told.refusal
    assert "select_map" in told.refusal
    assert describe_map(dscalar(("zstat1", "zstat2", "zstat3"))).stat_type == "z"


@pytest.mark.filterwarnings("ignore:The data have no residual variance")
def test_a_contrast_of_all_subjects(tmp_path):
    """Names of the HCP pipelines have the subject, so that only the contrast is the same."""
    files = []
    for subject in ("01", "02", "03"):
        names = [f"{subject}_tfMRI_level2_{name}_hp200_s2" for name in ("LH", "neg_LH", "AVG")]
        files.append(tmp_path / f"{subject}.dscalar.nii")
        dscalar(names).to_filename(files[-1])
    model = ARISecondLevelModel().fit(
        list(map(str, files)), design_matrix=pd.DataFrame({"intercept": [1, 1, 1]}), map="neg_LH"
    )
    effect = model.compute_contrast("intercept", output_type="effect_size")
    assert_allclose(np.asarray(effect.dataobj), DATA[[1]], rtol=1e-6)
