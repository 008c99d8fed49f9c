"""Meshes, values and regions in the files of FreeSurfer."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest
from nibabel import Nifti1Image
from nibabel.freesurfer.io import read_annot
from nibabel.gifti.gifti import GiftiDataArray, GiftiImage
from nilearn.surface import InMemoryMesh, PolyMesh, load_surf_mesh
from numpy.testing import assert_array_equal

from ari_estimator import ClusterTDPTransformer, RegionTDPTransformer
from ari_estimator.interfaces import describe_map, read_surface, read_surface_atlas

from ._freesurfer_files import (
    annotation_bytes,
    sphere,
    write_annotation,
    write_label,
    write_surface,
    write_values,
)

N = 162
RNG = np.random.default_rng(3)
Z = {side: RNG.standard_normal(N).astype(np.float32) + 2 for side in ("left", "right")}


@pytest.fixture
def surf(tmp_path):
    """Return the folder of surfaces of a subject."""
    for seed, hemi in enumerate(("lh", "rh")):
        points, faces = sphere(N, seed)
        offset = np.array([-60, 0, 0]) if hemi == "lh" else np.array([60, 0, 0])
        write_surface(tmp_path / f"{hemi}.white", points + offset, faces, cras=(1, -2, 3))
    return tmp_path


@pytest.fixture
def mesh(surf):
    return {"left": surf / "lh.white", "right": surf / "rh.white"}


@pytest.mark.parametrize("name", ["lh.white", "lh.pial.T1", "lh.sphere.reg", "lh.smoothwm"])
def test_geometry_is_read_under_any_name(surf, name):
    write_values(surf / "lh.z.mgh", Z["left"])
    (surf / "lh.white").rename(surf / name)
    img = read_surface(surf / "lh.z.mgh", mesh={"left": surf / name})
    (surf / name).rename(surf / "lh.white")
    expected = load_surf_mesh(surf / "lh.white")
    assert_array_equal(img.mesh.parts["left"].coordinates, expected.coordinates)
    assert_array_equal(img.mesh.parts["left"].faces, expected.faces)


def test_quadrangles_of_old_files(tmp_path):
    # A pyramid: four corners and a tip, which closes two quadrangles.
    points = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    quads = [(0, 1, 2, 3), (3, 2, 1, 0)]
    three = [b"\xff\xff\xff", len(points).to_bytes(3, "big"), len(quads).to_bytes(3, "big")]
    coordinates = (points * 100).astype(">i2").tobytes()
    corners = b"".join(corner.to_bytes(3, "big") for quad in quads for corner in quad)
    (tmp_path / "lh.orig").write_bytes(b"".join([*three, coordinates, corners]))
    write_values(tmp_path / "lh.z.mgh", np.ones(4))
    img = read_surface(tmp_path / "lh.z.mgh", mesh={"left": tmp_path / "lh.orig"})
    assert_array_equal(img.mesh.parts["left"].coordinates, points)
    assert img.mesh.parts["left"].faces.shape == (4, 3)


def _geometry(n_vertices, n_faces, rest=b""):
    return b"\xff\xff\xfecreated\n\n" + struct.pack(">ii", n_vertices, n_faces) + rest


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"not a mesh at all", "neither GIfTI nor a binary surface"),
        (b"", "neither GIfTI nor a binary surface"),
        (_geometry(10**9, 10**9), "says that it holds 24,000,000,0"),
        (_geometry(-1, 5), "-1 vertices"),
        (_geometry(3, 1, struct.pack(">9f3i", *range(9), 0, 1, 7)), "not of its 3 vertices"),
        (_geometry(3, 1, struct.pack(">9f3i", *[np.nan] * 9, 0, 1, 2)), "not finite"),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff", "says that it holds"),
    ],
)
def test_a_mesh_that_lies_is_refused_by_name(surf, content, why):
    write_values(surf / "lh.z.mgh", Z["left"])
    (surf / "lh.bad").write_bytes(content)
    with pytest.raises(ValueError, match=rf"lh\.bad.*{why}"):
        read_surface(surf / "lh.z.mgh", mesh={"left": surf / "lh.bad"})


@pytest.mark.parametrize("ending", [".mgh", ".mgz", ".nii", ".nii.gz", ".thickness"])
def test_values_in_a_row(surf, mesh, ending):
    for hemi, side in (("lh", "left"), ("rh", "right")):
        write_values(surf / f"{hemi}.z{ending}", Z[side])
    img = read_surface(surf / f"lh.z{ending}", surf / f"rh.z{ending}", mesh=mesh)
    for side, values in Z.items():
        assert_array_equal(img.data.parts[side], values)
    ari = ClusterTDPTransformer(2, stat_type="z").fit(img)
    assert ari.table_["n_vertices"].sum() == 2 * N


def test_several_maps_are_columns(surf, mesh):
    write_values(surf / "lh.all.mgz", np.stack([Z["left"], Z["right"]], axis=1))
    img = read_surface(surf / "lh.all.mgz", mesh={"left": mesh["left"]})
    assert_array_equal(img.data.parts["left"], np.stack([Z["left"], Z["right"]], axis=1))


def test_a_row_that_freesurfer_has_cut(tmp_path):
    n = 40962  # of fsaverage6, which is no axis of NIfTI-1
    values = np.arange(n, dtype=np.float32)
    Nifti1Image(values.reshape((6827, 1, 6), order="F"), np.eye(4)).to_filename(
        tmp_path / "lh.z.nii.gz"
    )
    points = np.random.default_rng(0).standard_normal((n, 3))
    faces = np.arange(n).reshape(-1, 3)
    img = read_surface(tmp_path / "lh.z.nii.gz", mesh=PolyMesh(left=InMemoryMesh(points, faces)))
    assert_array_equal(img.data.parts["left"], values)


def test_a_label_is_a_mask(surf, mesh):
    write_label(surf / "lh.cortex.label", [3, 4, 9])
    img = read_surface(surf / "lh.cortex.label", mesh=mesh)
    assert list(img.mesh.parts) == ["left"]
    assert_array_equal(np.flatnonzero(img.data.parts["left"]), [3, 4, 9])
    z_img = read_surface(_values(surf), mesh=mesh)
    ari = ClusterTDPTransformer(mask_img=img).fit(z_img)
    assert ari.table_["n_vertices"].sum() == 3


def _values(surf):
    write_values(surf / "lh.z.mgh", Z["left"])
    return surf / "lh.z.mgh"


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: path.write_bytes(gzip.compress(bytes(284))), "lh.bad.mgz.*version 0"),
        (
            lambda path: path.write_bytes(
                gzip.compress(struct.pack(">7i", 1, 10**9, 1, 1, 1, 3, 0) + bytes(256))
            ),
            "lh.bad.mgz.*says that it holds",
        ),
        (
            lambda path: (write_values(path, Z["left"]),
                          path.write_bytes(path.read_bytes()[:-200])),
            "lh.bad.mgz",
        ),
        (lambda path: write_values(path, Z["left"][:100]), "100 values in .*lh.bad.mgz"),
        (lambda path: path.write_bytes(b"xyz"), "lh.bad.mgz"),
    ],
    ids=["version", "size", "end of gzip", "other mesh", "nothing"],
)  # fmt: skip
def test_values_that_lie_are_refused_by_name(surf, mesh, make, why):
    path = surf / "lh.bad.mgz"
    make(path)
    with pytest.raises(ValueError, match=why):
        read_surface(path, mesh=mesh)


def test_a_volume_is_no_surface(surf, mesh):
    Nifti1Image(np.zeros((5, 5, 5), dtype=np.float32), np.eye(4)).to_filename(surf / "lh.nii.gz")
    with pytest.raises(ValueError, match=r"in one row.*shape \(5, 5, 5\)"):
        read_surface(surf / "lh.nii.gz", mesh=mesh)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda surf, mesh: read_surface(mesh=mesh), "left or right must be"),
        (lambda surf, mesh: read_surface(right=_values(surf), mesh=mesh), "right hemisphere as"),
        (
            lambda surf, mesh: read_surface(_values(surf), mesh={"right": mesh["right"]}),
            "for the left hemisphere, which .*Got none",
        ),
        (
            lambda surf, mesh: read_surface(_values(surf), mesh={"left": mesh["right"]}),
            "must have the left hemisphere",
        ),
    ],
)
def test_hemispheres_must_go_together(surf, mesh, call, error):
    with pytest.raises(ValueError, match=error):
        call(surf, mesh)


def _write_gifti(path, values, intent):
    array = GiftiDataArray(values.astype(np.float32), intent)
    GiftiImage(darrays=[array]).to_filename(path)


def test_what_files_declare_is_used(surf, mesh):
    intent = "NIFTI_INTENT_LOG10PVAL"
    _write_gifti(surf / "lh.map.gii", np.abs(Z["left"]), intent)
    told = describe_map(read_surface(surf / "lh.map.gii", mesh=mesh))
    assert (told.stat_type, told.stat_type_said_by) == (
        "neg_log10_p", "the intent code 'log10 p value' of the arrays"
    )  # fmt: skip
    write_values(surf / "lh.sig.mgh", Z["left"])
    img = read_surface(surf / "lh.sig.mgh", mesh=mesh)
    assert describe_map(img).statistic == "-log10 p with a sign"
    write_values(surf / "rh.gamma.mgh", Z["right"])
    with pytest.raises(ValueError, match=r"same statistic.*lh.sig.mgh.*effect in .*rh.gamma.mgh"):
        read_surface(surf / "lh.sig.mgh", surf / "rh.gamma.mgh", mesh=mesh)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("cache.th13.abs.sig.masked", "thresholded values"),
        ("perm.th30.pos.sig.cluster", "corrected p-values"),
        ("mc-z.abs.sig.voxel", "corrected p-values"),
        ("cache.th13.abs.sig.ocn", "labels of clusters"),
        ("lh.gamma", "effects"),
        ("rvar", "variances"),
    ],
)
def test_maps_that_are_no_statistics_are_refused(surf, mesh, name, what):
    write_values(surf / f"{name}.mgh", np.abs(Z["left"]))
    img = read_surface(surf / f"{name}.mgh", mesh={"left": mesh["left"]})
    with pytest.raises(ValueError, match=f"holds {what}"):
        ClusterTDPTransformer().fit(img)


def test_the_f_map_of_mri_glmfit_has_its_degrees_of_freedom(surf, mesh):
    folder = surf / "glm" / "group"
    folder.mkdir(parents=True)
    (surf / "glm" / "dof.dat").write_text("20\n")
    (folder / "C.dat").write_text(" 1 -1 0\n 0 1 -1\n")
    write_values(folder / "F.mgh", Z["left"] ** 2)
    img = read_surface(folder / "F.mgh", mesh={"left": mesh["left"]})
    told = describe_map(img)
    assert (told.stat_type, told.df) == ("F", (2, 20))
    ari = ClusterTDPTransformer(0.01, threshold_scale="p").fit(img)
    assert ari.table_["direction"].iloc[0] == "unsigned"


class TestAnnotations:
    def test_names_and_colours(self, surf, mesh):
        entries = np.repeat([0, 1, 2], N // 3)
        for hemi in ("lh", "rh"):
            write_annotation(surf / f"{hemi}.aparc.annot", entries, ["unknown", "cuneus", "insula"])
        atlas = read_surface_atlas(surf / "lh.aparc.annot", surf / "rh.aparc.annot", mesh=mesh)
        assert atlas.lut["index"].tolist() == [1001, 1002, 2001, 2002]
        assert atlas.lut["name"].tolist() == ["lh.cuneus", "lh.insula", "rh.cuneus", "rh.insula"]
        assert atlas.lut["color"].tolist() == ["#0f15c7", "#1929c6"] * 2
        expected = np.where(entries > 0, 1000 + entries, 0)
        assert_array_equal(atlas.labels_img.data.parts["left"], expected)
        z_img = read_surface(_values(surf), mesh=mesh)
        one = read_surface_atlas(surf / "lh.aparc.annot", mesh=mesh)
        assert one.lut["name"].tolist() == ["cuneus", "insula"]
        ari = RegionTDPTransformer(labels_img=one.labels_img, lut=one.lut).fit(z_img)
        assert ari.table_["region"].tolist() == ["cuneus", "insula", "rest"]
        assert ari.table_["n_vertices"].tolist() == [N // 3] * 3

    def test_a_table_with_gaps(self, surf, mesh):
        table = [
            (0, "???", 1, 1, 1),
            (7, "a", 2, 0, 0),
            (9, "Medial_wall", 3, 0, 0),
            (20, "b", 4, 0, 0),
        ]
        labels = [0, 2, 3, 4, 65793] + [2] * (N - 5)
        (surf / "lh.x.annot").write_bytes(annotation_bytes(labels, table))
        atlas = read_surface_atlas(surf / "lh.x.annot", mesh=mesh)
        assert dict(zip(atlas.lut["index"], atlas.lut["name"], strict=True)) == {
            1007: "a", 1020: "b",
        }  # fmt: skip
        assert atlas.labels_img.data.parts["left"][:6].tolist() == [0, 1007, 0, 1020, 0, 1007]

    def test_the_older_version_of_tables(self, surf, mesh):
        labels = [2 if k < 5 else 0 for k in range(N)]
        parts = [struct.pack(">i", N)]
        parts += [struct.pack(">ii", vertex, label) for vertex, label in enumerate(labels)]
        parts += [struct.pack(">iii", 1, 2, 5), b"ctab\0"]
        for name, red in ((b"unknown\0", 1), (b"cuneus\0", 2)):
            parts += [struct.pack(">i", len(name)), name, struct.pack(">4i", red, 0, 0, 0)]
        path = surf / "lh.old.annot"
        path.write_bytes(b"".join(parts))
        assert read_annot(path)[2] == [b"unknown", b"cuneus"]
        atlas = read_surface_atlas(path, mesh=mesh)
        assert atlas.lut["name"].tolist() == ["cuneus"]
        assert np.flatnonzero(atlas.labels_img.data.parts["left"]).tolist() == [0, 1, 2, 3, 4]

    def test_a_colour_beyond_255(self, surf, mesh):
        table = [(1, "a", 256, 0, 0), (2, "b", 3, 0, 0)]
        (surf / "lh.x.annot").write_bytes(annotation_bytes([256] + [3] * (N - 1), table))
        atlas = read_surface_atlas(surf / "lh.x.annot", mesh=mesh)
        assert atlas.lut["color"].tolist() == ["#ff0000", "#030000"]
        assert atlas.labels_img.data.parts["left"][:2].tolist() == [1001, 1002]

    def test_labels_that_the_table_does_not_have(self, surf, mesh):
        content = annotation_bytes([2, 99] + [0] * (N - 2), [(1, "a", 2, 0, 0)])
        (surf / "lh.x.annot").write_bytes(content)
        with pytest.warns(UserWarning, match=r"1 vertices of .*lh\.x\.annot"):
            atlas = read_surface_atlas(surf / "lh.x.annot", mesh=mesh)
        assert np.count_nonzero(atlas.labels_img.data.parts["left"]) == 1

    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (
                annotation_bytes([2] * N, [(1, "a", 2, 0, 0)], n_vertices=10**9),
                "declares 1,000,000",
            ),
            (annotation_bytes([2] * N, [(1, "a", 2, 0, 0)], n_entries=500), "ends after"),
            (annotation_bytes([2] * N, [(1, "a", 2, 0, 0)], max_entry=2**30), "declares"),
            (annotation_bytes([2] * N, [(1, "a", 2, 0, 0)])[:-3], "ends after"),
            (
                annotation_bytes([2] * N, [(1, "a", 2, 0, 0), (1, "b", 3, 0, 0)]),
                "has entry 1 twice",
            ),
            (
                annotation_bytes([2] * N, [(1, "a", 2, 0, 0)])[: 4 + 8 * N]
                + (1).to_bytes(4, "big")
                + (2_500_000).to_bytes(4, "big"),
                "declares 2,500,000",
            ),
            (annotation_bytes([2] * N, [(1, "a", 2, 0, 0)])[: 4 + 8 * N], "no colour table"),
            (annotation_bytes([2] * 9, [(1, "a", 2, 0, 0)]), "9 vertices in .*mesh of 162"),
            (annotation_bytes([0] * N, [(1, "a", 2, 0, 0)]), "must have regions"),
            (b"\0\0", "lh.bad.annot"),
            (b"text, and more of it", "lh.bad.annot"),
        ],
    )
    def test_files_that_lie_are_refused_by_name(self, surf, mesh, content, why):
        (surf / "lh.bad.annot").write_bytes(content)
        with pytest.raises(ValueError, match=why):
            read_surface_atlas(surf / "lh.bad.annot", mesh=mesh)


class TestLabels:
    def test_a_region_for_each_file(self, surf, mesh):
        write_label(surf / "lh.BA1_exvivo.label", [1, 2])
        write_label(surf / "lh.BA2_exvivo.label", [3])
        write_label(surf / "rh.BA1_exvivo.label", [7])
        paths = [surf / "lh.BA1_exvivo.label", surf / "lh.BA2_exvivo.label"]
        atlas = read_surface_atlas(paths, surf / "rh.BA1_exvivo.label", mesh=mesh)
        names = ["lh.BA1_exvivo", "lh.BA2_exvivo", "rh.BA1_exvivo"]
        assert atlas.lut["name"].tolist() == names
        assert atlas.labels_img.data.parts["left"][:5].tolist() == [0, 1, 1, 2, 0]
        assert atlas.labels_img.data.parts["right"][7] == 3

    def test_regions_may_overlap(self, surf, mesh):
        write_label(surf / "lh.a.label", [1, 2])
        write_label(surf / "lh.b.label", [2, 3])
        atlas = read_surface_atlas([surf / "lh.a.label", surf / "lh.b.label"], mesh=mesh)
        z_img = read_surface(_values(surf), mesh=mesh)
        ari = RegionTDPTransformer(labels_img=atlas.labels_img, lut=atlas.lut).fit(z_img)
        assert ari.table_.set_index("region")["n_vertices"].to_dict() == {
            "a": 2, "b": 2, "rest": N - 3,
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("vertices", "text", "why"),
        [
            ([N], None, "lists vertex 162, and the mesh has 162"),
            ([-1], None, "places without a vertex"),
            ([1], lambda text: text.replace("\n1\n", "\n5\n"), "must list 5 vertices"),
            ([1], lambda text: "#!ascii\nnothing\n", "lh.bad.label"),
            ([1], lambda text: "", "lh.bad.label"),
        ],
    )
    def test_files_that_lie_are_refused_by_name(self, surf, mesh, vertices, text, why):
        path = surf / "lh.bad.label"
        write_label(path, vertices)
        if text is not None:
            path.write_text(text(path.read_text()))
        with pytest.raises(ValueError, match=why):
            read_surface_atlas(path, mesh=mesh)

    def test_annotations_and_labels_are_not_mixed(self, surf, mesh):
        write_label(surf / "lh.a.label", [1])
        write_annotation(surf / "lh.x.annot", np.zeros(N, dtype=int), ["a"])
        with pytest.raises(ValueError, match=r"one \.annot .* or \.label"):
            read_surface_atlas([surf / "lh.a.label", surf / "lh.x.annot"], mesh=mesh)
