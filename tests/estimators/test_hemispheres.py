"""Hemispheres: the files tell their sides, not their order or the keys that they are given for."""

import re
import warnings

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nibabel.cifti2 import BrainModelAxis, Cifti2Image, ScalarAxis
from nibabel.gifti import GiftiDataArray, GiftiImage
from nilearn.datasets import load_fsaverage
from nilearn.surface import FileMesh, InMemoryMesh, PolyMesh, SurfaceImage
from numpy.testing import assert_array_equal

from ari_estimator import (
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
    RegionTDPTransformer,
    explore,
)

from ._kinds import sheet

STRUCTURES = {"left": "CortexLeft", "right": "CortexRight"}
MESHES = {"left": sheet(6, 7, -20.0), "right": sheet(6, 7, 20.0)}
INTERCEPT = pd.DataFrame({"intercept": np.ones(8)})


def write_mesh(path, side, structure=None):
    """Write a mesh, which names a structure if one is given."""
    mesh = MESHES[side]
    meta = {} if structure is None else {"AnatomicalStructurePrimary": structure}
    arrays = [
        GiftiDataArray(mesh.coordinates.astype("float32"), "NIFTI_INTENT_POINTSET", meta=meta),
        GiftiDataArray(mesh.faces.astype("int32"), "NIFTI_INTENT_TRIANGLE"),
    ]
    nib.save(GiftiImage(darrays=arrays), path)
    return path


def z_values(seed=0):
    rng = np.random.default_rng(seed)
    data = {side: rng.standard_normal(42) for side in STRUCTURES}
    data["right"][10:24] += 5
    return data


def of_files(mesh):
    """Return a mesh that knows its files: nilearn forgets the files of a dictionary."""
    return PolyMesh(**{side: FileMesh(path) for side, path in mesh.items()})


def z_image(mesh, seed=0):
    mesh = mesh if isinstance(mesh, PolyMesh) else of_files(mesh)
    return SurfaceImage(mesh, z_values(seed))


NAMES = pytest.mark.parametrize(
    ("left", "right"),
    [
        ("lh.pial.gii", "rh.pial.gii"),
        ("sub-1_hemi-L_pial.surf.gii", "sub-1_hemi-R_pial.surf.gii"),
        ("hemi-left.surf.gii", "hemi-right.surf.gii"),
        ("S1.L.pial.32k_fs_LR.surf.gii", "S1.R.pial.32k_fs_LR.surf.gii"),
        ("pial_left.surf.gii", "pial_right.surf.gii"),
        # A surer sign than the word is there.
        ("right_hand_lh.surf.gii", "right_hand_rh.surf.gii"),
        ("contrast-right_hemi-L.surf.gii", "contrast-right_hemi-R.surf.gii"),
    ],
)


@pytest.fixture
def files(tmp_path):
    """Return a function from names to the files of both meshes."""

    def write(left, right, structures=(None, None)):
        return {
            side: write_mesh(tmp_path / name, side, structure)
            for side, name, structure in zip(STRUCTURES, (left, right), structures, strict=True)
        }

    return write


def exchanged(mesh):
    return {"left": mesh["right"], "right": mesh["left"]}


class TestMeshOfAnImage:
    """The mesh of a map, mask or atlas."""

    @NAMES
    def test_each_on_its_side_is_taken_without_a_word(self, files, left, right):
        mesh = files(left, right)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ari = ClusterTDPTransformer(3).fit(z_image(mesh))
        assert set(ari.table_["peak_hemisphere"][:-1]) == {"right"}

    @NAMES
    def test_exchanged_meshes_are_refused(self, files, left, right):
        mesh = exchanged(files(left, right))
        match = rf"The mesh of a surface image must have the left .*{re.escape(right)}.*named right"
        with pytest.raises(ValueError, match=match):
            ClusterTDPTransformer(3).fit(z_image(mesh))

    def test_the_file_tells_its_side_whatever_its_name(self, files):
        mesh = files("one.surf.gii", "other.surf.gii", STRUCTURES.values())
        ClusterTDPTransformer(3).fit(z_image(mesh))
        match = "AnatomicalStructurePrimary says right"
        for of in ("map", "mask", "atlas"):
            right, wrong = z_image(mesh), z_image(exchanged(mesh))
            ones = {side: np.ones(42, int) for side in STRUCTURES}
            mask_img = SurfaceImage(of_files(exchanged(mesh) if of == "mask" else mesh), ones)
            labels_img = SurfaceImage(of_files(exchanged(mesh) if of == "atlas" else mesh), ones)
            regions = RegionTDPTransformer(labels_img, mask_img=mask_img)
            with pytest.raises(ValueError, match=match):
                regions.fit(wrong if of == "map" else right)

    def test_a_left_map_on_a_right_mesh_is_refused(self, files):
        mesh = files("lh.pial.gii", "rh.pial.gii")
        img = SurfaceImage(of_files({"left": mesh["right"]}), {"left": z_values()["right"]})
        with pytest.raises(ValueError, match=r"must have the left hemisphere as .left.*rh\.pial"):
            ClusterTDPTransformer(3).fit(img)
        ari = ClusterTDPTransformer(3)
        ari.fit(SurfaceImage(of_files({"right": mesh["right"]}), {"right": z_values()["right"]}))
        assert len(ari.table_) > 1

    def test_one_file_for_both_is_refused(self, files):
        mesh = files("lh.pial.gii", "rh.pial.gii")
        twice = {"left": mesh["left"], "right": mesh["left"]}
        with pytest.raises(ValueError, match=r"a file for each hemisphere.*lh\.pial.* for both"):
            ClusterTDPTransformer(3).fit(z_image(twice))

    def test_name_and_file_that_differ_are_refused(self, files):
        mesh = files("lh.pial.gii", "rh.pial.gii", ("CortexRight", "CortexLeft"))
        match = r"lh\.pial.* is not certain: its name says left.*in it says right"
        with pytest.raises(ValueError, match=match):
            ClusterTDPTransformer(3).fit(z_image(mesh))

    @pytest.mark.parametrize(
        "names",
        [
            ("a.surf.gii", "b.surf.gii"),
            ("right_hand_1.surf.gii", "right_hand_2.surf.gii"),
            ("left_vs_right_1.surf.gii", "left_vs_right_2.surf.gii"),
            ("rightmost.surf.gii", "leftover.surf.gii"),
        ],
    )
    def test_names_that_tell_nothing_are_believed_to_be_in_order(self, files, names):
        ari = ClusterTDPTransformer(3).fit(z_image(files(*names)))
        assert set(ari.table_["peak_hemisphere"][:-1]) == {"right"}

    def test_a_word_in_the_name_is_no_argument_against_the_file(self, files):
        mesh = files("right_hand_1.gii", "right_hand_2.gii", STRUCTURES.values())
        ClusterTDPTransformer(3).fit(z_image(mesh))

    def test_meshes_of_nilearn_are_on_their_sides(self):
        mesh = load_fsaverage("fsaverage5")["pial"]
        rng = np.random.default_rng(0)
        data = {side: rng.standard_normal(10242) for side in STRUCTURES}
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ClusterTDPTransformer(3).fit(SurfaceImage(mesh, data))
        parts = exchanged(mesh.parts)
        with pytest.raises(ValueError, match="pial_right"):
            ClusterTDPTransformer(3).fit(SurfaceImage(PolyMesh(**parts), data))

    def test_maps_of_subjects(self, files):
        mesh = files("lh.pial.gii", "rh.pial.gii")
        good, bad = ([z_image(m, k) for k in range(8)] for m in (mesh, exchanged(mesh)))
        model = ARISecondLevelModel().fit(good, design_matrix=INTERCEPT)
        match = "The mesh of the map of a subject must have the left .*rh.pial"
        with pytest.raises(ValueError, match=match):
            ARISecondLevelModel().fit(bad, design_matrix=INTERCEPT)
        with pytest.raises(ValueError, match=match):
            PermutationCalibration(n_permutations=20).fit(bad, masker=model.masker_, alpha=0.1)


class TestMeshInMemory:
    """Meshes whose files are not known."""

    def test_exchanged_meshes_are_warned_of_by_where_they_lie(self):
        with pytest.warns(UserWarning, match=r"left hemisphere on the right \(x > 0\)"):
            ClusterTDPTransformer(3).fit(z_image(PolyMesh(**exchanged(MESHES))))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ClusterTDPTransformer(3).fit(z_image(PolyMesh(**MESHES)))

    def test_one_mesh_for_both_is_refused(self):
        mesh = PolyMesh(left=MESHES["left"], right=MESHES["left"])
        with pytest.raises(ValueError, match="must have a mesh for each hemisphere"):
            ClusterTDPTransformer(3).fit(z_image(mesh))

    def test_both_may_lie_on_one_sphere(self):
        parts = load_fsaverage("fsaverage5")["sphere"].parts.items()
        mesh = {side: InMemoryMesh(part.coordinates, part.faces) for side, part in parts}
        rng = np.random.default_rng(0)
        data = {side: rng.standard_normal(10242) for side in STRUCTURES}
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ClusterTDPTransformer(3).fit(SurfaceImage(PolyMesh(**mesh), data))

    @pytest.mark.parametrize("kind", ["pial", "white_matter", "inflated", "sphere", "flat"])
    def test_meshes_of_nilearn_in_memory(self, kind):
        parts = load_fsaverage("fsaverage5")[kind].parts.items()
        mesh = {side: InMemoryMesh(part.coordinates, part.faces) for side, part in parts}
        data = {
            side: np.random.default_rng(len(side)).standard_normal(part.n_vertices)
            for side, part in mesh.items()
        }
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ClusterTDPTransformer(3).fit(SurfaceImage(PolyMesh(**mesh), data))


def test_the_same_values_on_both_sides_are_warned_of():
    mesh = PolyMesh(**MESHES)
    values = z_values()["right"]
    img = SurfaceImage(mesh, {"left": values, "right": values.copy()})
    with pytest.warns(UserWarning, match="the same values in both hemispheres. If one file was"):
        ClusterTDPTransformer(3).fit(img)
    ones = {side: np.ones(42, int) for side in STRUCTURES}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        RegionTDPTransformer(SurfaceImage(mesh, ones), mask_img=SurfaceImage(mesh, ones)).fit(
            z_image(mesh)
        )


class TestMeshesAlone:
    """Meshes that go with no values, for CIFTI files and to draw on."""

    @staticmethod
    def cifti():
        structures = [f"CIFTI_STRUCTURE_CORTEX_{side.upper()}" for side in STRUCTURES]
        left, right = (BrainModelAxis.from_surface(np.arange(42), 42, s) for s in structures)
        values = np.concatenate(list(z_values().values()))[np.newaxis]
        return Cifti2Image(values, (ScalarAxis(["z"]), left + right))

    @pytest.mark.parametrize("form", [dict, of_files], ids=["dict", "mesh"])
    def test_exchanged_ones_are_put_right(self, files, form):
        mesh = files("a.surf.gii", "b.surf.gii", STRUCTURES.values())
        given = form(exchanged(mesh))
        ari = ClusterTDPTransformer(3, mesh=given)
        with pytest.warns(UserWarning, match="mesh has the right hemisphere first: .*b.surf.gii"):
            ari.fit(self.cifti())
        expected = ClusterTDPTransformer(3, mesh=form(mesh))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            expected.fit(self.cifti())
        assert (expected.table_["peak_x"][:-1] > 0).all()
        pd.testing.assert_frame_equal(ari.table_, expected.table_)

    def test_uncertain_ones_are_refused(self, files):
        known = files("lh.gii", "rh.gii")
        unknown = files("a.gii", "b.gii")
        for left, right in (
            (known["right"], unknown["right"]),
            (unknown["left"], known["left"]),
            (known["right"], known["right"]),
            (known["left"], known["left"]),
        ):
            ari = ClusterTDPTransformer(3, mesh={"left": left, "right": right})
            with pytest.raises(ValueError, match="mesh must be a file of each hemisphere"):
                ari.fit(self.cifti())
        ari = ClusterTDPTransformer(3, mesh={"left": known["left"], "right": unknown["right"]})
        ari.fit(self.cifti())

    def test_meshes_to_draw_on_are_put_right(self, files):
        mesh = files("lh.inflated.gii", "rh.inflated.gii")
        img = z_image(PolyMesh(**MESHES))
        with pytest.warns(UserWarning, match="surf_mesh has the right hemisphere first"):
            page = explore(img, surf_mesh=exchanged(mesh), title="x")
        assert page.html == explore(img, surf_mesh=mesh, title="x").html

    def test_meshes_in_memory_say_nothing(self):
        mesh = {side: InMemoryMesh(m.coordinates, m.faces) for side, m in MESHES.items()}
        ari = ClusterTDPTransformer(3, mesh=mesh).fit(self.cifti())
        tdp = ari.transform(self.cifti())
        assert_array_equal(np.asarray(tdp.dataobj)[0, :42], 0)
