"""CIFTI images: vertices and voxels in one family, against the definition and the files."""

import itertools

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nibabel.cifti2 import (
    BrainModelAxis,
    Cifti2Image,
    LabelAxis,
    ParcelsAxis,
    ScalarAxis,
    SeriesAxis,
)
from nilearn.datasets import load_fsaverage
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from scipy import stats

from ari_estimator import ClusterTDPTransformer, RegionTDPTransformer

from ._kinds import KINDS, components

KIND = KINDS["CIFTI image"]


@pytest.fixture(scope="module")
def mesh():
    return KIND.mesh


@pytest.fixture(scope="module")
def axis():
    return KIND.axis


@pytest.fixture
def x(axis):
    """Return z values with many small clusters of voxels."""
    return KIND.z() + 1.3 * axis.volume_mask


@pytest.fixture
def img(x):
    """Return a dscalar image of one map."""
    return KIND.image(x)


def as_img(rows, axis):
    return KIND.image(rows, axis)


def data_of(img):
    """Return the one row of an image."""
    (row,) = KIND.values(img)
    return row


def surface_axis(side, n_vertices, vertices):
    return BrainModelAxis.from_surface(vertices, n_vertices, name=f"Cortex{side.title()}")


def as_dlabel(values, axis, table, n_maps=1):
    table = {key: (name, (1, 0, 0, 1)) for key, name in table.items()}
    rows = np.tile(np.asarray(values, dtype="int32"), (n_maps, 1))
    return Cifti2Image(rows, (LabelAxis([f"parcels {i}" for i in range(n_maps)], table), axis))


class TestFamily:
    """Vertices and voxels are tested together."""

    def test_maps_may_be_p_values(self, axis, x, img, mesh):
        z = ClusterTDPTransformer(2, mesh=mesh).fit_transform(img)
        of_p = ClusterTDPTransformer(stats.norm.sf(2), stat_type="p", mesh=mesh)
        p = of_p.fit_transform(as_img(stats.norm.sf(x), axis))
        assert_array_equal(data_of(p), data_of(z))


class TestClusters:
    """Along the edges of a mesh, and of the grid."""

    def test_connectivities_differ_in_the_volume_alone(self, axis, img, mesh):
        def table(connectivity):
            transformer = ClusterTDPTransformer(2, connectivity=connectivity, mesh=mesh).fit(img)
            return transformer.table_[:-1]

        tables = [table(connectivity) for connectivity in (6, 18, 26)]
        on_cortex = [t[t["peak_vertex"].notna()].drop(columns="cluster_id") for t in tables]
        for other in on_cortex[1:]:
            assert_frame_equal(on_cortex[0].reset_index(drop=True), other.reset_index(drop=True))
        n_in_volume = [int(t["peak_vertex"].isna().sum()) for t in tables]
        assert n_in_volume[0] > n_in_volume[1] >= n_in_volume[2] > 0

    def test_no_cluster_reaches_across_but_between_structures_of_the_volume(self, axis, x, mesh):
        everywhere = as_img(x + 50, axis)
        transformer = ClusterTDPTransformer(2, mesh=mesh).fit(everywhere)
        labels = data_of(transformer.labels_img_)
        assert (labels > 0).all()
        assert labels.max() == len(components(x > -np.inf, KIND.neighbours()))
        assert len(np.unique(labels[axis.volume_mask])) == 1
        for label in np.unique(labels):
            structures = {name for name in axis.name[labels == label] if "CORTEX" in name}
            assert len(structures) == (not axis.volume_mask[labels == label].all())

    def test_vertices_that_are_not_in_the_file_join_nothing(self):
        # Three triangles in a row, whose vertex in the middle is not there.
        faces = np.array([[0, 1, 2], [1, 2, 3], [2, 3, 4]])
        mesh = PolyMesh(left=InMemoryMesh(np.random.default_rng(0).random((5, 3)), faces))
        axis = surface_axis("left", 5, [0, 3, 4])
        transformer = ClusterTDPTransformer(1, mesh=mesh).fit(as_img([4.0, 5.0, 6.0], axis))
        assert data_of(transformer.labels_img_).tolist() == [2, 1, 1]
        assert transformer.table_["peak_vertex"].tolist() == [4, 0, pd.NA]

    def test_order_in_the_file_makes_no_difference(self, x, axis, mesh):
        results = []
        in_order = np.argsort(KIND.order)
        for values, of_file in ((x, axis), (x[in_order], KIND.ordered_axis)):
            transformer = ClusterTDPTransformer(1, two_sided=True, mesh=mesh)
            tdp = data_of(transformer.fit_transform(KIND.image(values, of_file)))
            table = transformer.table_.drop(columns="cluster_id").sort_values("peak_stat")
            results.append((tdp, table.reset_index(drop=True)))
        assert axis != KIND.ordered_axis
        assert len(results[0][1]) > 8
        assert_array_equal(results[0][0][in_order], results[1][0])
        assert_frame_equal(results[0][1], results[1][1])


class TestOutput:
    """CIFTI in, CIFTI out."""

    def test_tdp_is_a_dscalar_image_on_the_same_grayordinates(self, axis, img, mesh):
        transformer = ClusterTDPTransformer(2, mesh=mesh)
        for result in (transformer.fit_transform(img), transformer.transform(img)):
            assert isinstance(result, Cifti2Image)
            assert result.shape == (1, len(axis))
            assert result.header.get_axis(1) == axis
            assert result.header.get_axis(0).name.tolist() == ["map 0 true discovery proportion"]
            assert result.get_data_dtype() == np.float64
        labels = transformer.labels_img_
        assert labels.shape == (1, len(axis))
        assert labels.header.get_axis(1) == axis
        assert labels.get_data_dtype().kind == "i"
        assert "clusters" in labels.header.get_axis(0).name[0]

    @pytest.mark.filterwarnings("ignore:The map is exactly 0 in")  # rounded to integers
    @pytest.mark.parametrize("dtype", ["float32", "int16", ">f8"])
    def test_files_hold_what_images_do(self, axis, x, mesh, tmp_path, dtype):
        transformer = ClusterTDPTransformer(0, mesh=mesh)
        results = {"tdp": transformer.fit_transform(as_img(np.round(x).astype(dtype), axis))}
        results["labels"] = transformer.labels_img_
        for name, result in results.items():
            result.to_filename(tmp_path / f"{name}.dscalar.nii")
            saved = nib.load(tmp_path / f"{name}.dscalar.nii")
            assert isinstance(saved, Cifti2Image)
            assert saved.nifti_header.get_intent()[0] == "ConnDenseScalar"
            assert saved.header.get_axis(1) == axis
            assert saved.get_data_dtype() == result.get_data_dtype()
            assert_array_equal(np.asarray(saved.dataobj), np.asarray(result.dataobj))
        tdp = data_of(results["tdp"])
        assert ((tdp > 0) & (tdp < 1)).any()

    @pytest.mark.parametrize(
        "of_maps",
        [ScalarAxis(["a", "b", "c"]), SeriesAxis(0, 2, 3)],
        ids=["dscalar", "dtseries"],
    )
    def test_image_of_several_maps_gives_several(self, axis, mesh, of_maps):
        rows = np.stack([KIND.z(seed) for seed in range(3)])
        transformer = ClusterTDPTransformer(2, mesh=mesh)
        tdp = transformer.fit_transform(Cifti2Image(rows, (of_maps, axis)))
        assert tdp.shape == transformer.labels_img_.shape == (3, len(axis))
        names = tdp.header.get_axis(0).name
        assert all(name.endswith("true discovery proportion") for name in names)
        if isinstance(of_maps, ScalarAxis):
            assert [name[0] for name in names] == ["a", "b", "c"]
        for i, row in enumerate(rows):
            single = ClusterTDPTransformer(2, mesh=mesh)
            assert_array_equal(
                np.asarray(tdp.dataobj)[i], data_of(single.fit_transform(as_img(row, axis)))
            )
            assert_array_equal(
                np.asarray(transformer.labels_img_.dataobj)[i], data_of(single.labels_img_)
            )
            assert_frame_equal(transformer.table_[i], single.table_)
            assert transformer.true_discoveries_[i] == single.true_discoveries_


class TestFiles:
    """Paths in place of images."""

    def test_dtseries_of_one_map_is_a_single_map(self, axis, x, img, mesh, tmp_path):
        Cifti2Image(x[None], (SeriesAxis(0, 1, 1), axis)).to_filename(tmp_path / "z.dtseries.nii")
        transformer = ClusterTDPTransformer(2, mesh=mesh)
        tdp = transformer.fit_transform(str(tmp_path / "z.dtseries.nii"))
        assert isinstance(transformer.table_, pd.DataFrame)
        expected = ClusterTDPTransformer(2, mesh=mesh).fit_transform(img)
        assert_array_equal(data_of(tdp), data_of(expected))


class TestMasks:
    """Masks are CIFTI images too."""

    @pytest.fixture
    def kept(self, axis):
        return np.random.default_rng(4).random(len(axis)) < 0.8

    def test_mask_is_as_good_as_a_file_of_what_is_in_it(self, axis, x, img, mesh, kept):
        mask_img = as_img(kept.astype("uint8"), axis)
        transformer = ClusterTDPTransformer(2, mesh=mesh, mask_img=mask_img)
        tdp = data_of(transformer.fit_transform(img))
        smaller = ClusterTDPTransformer(2, mesh=mesh)
        expected = data_of(smaller.fit_transform(as_img(x[kept], axis[np.flatnonzero(kept)])))
        assert expected.any()
        assert_array_equal(tdp[kept], expected)
        assert not tdp[~kept].any()
        assert_frame_equal(transformer.table_, smaller.table_)
        assert transformer.n_tested_ == kept.sum()
        assert_array_equal(data_of(transformer.mask_img_) != 0, kept)
        assert transformer.masker_ is None

    @pytest.mark.parametrize("structure", ["THALAMUS_LEFT", "CORTEX_RIGHT"])
    def test_mask_may_be_one_structure(self, axis, x, img, mesh, definition, structure):
        kept = axis.name == f"CIFTI_STRUCTURE_{structure}"
        transformer = ClusterTDPTransformer(
            1, mesh=mesh, mask_img=as_img(kept.astype("uint8"), axis)
        )
        tdp = data_of(transformer.fit_transform(img))
        assert not tdp[~kept].any()
        assert transformer.table_.columns.tolist() == KIND.columns
        assert set(transformer.table_["peak_structure"]) == {structure}
        assert transformer.maps_.test.value(0.05) == definition.hommel_value(stats.norm.sf(x[kept]))

    def test_without_a_mask_all_grayordinates_are_tested(self, axis, img, mesh):
        transformer = ClusterTDPTransformer(2, mesh=mesh).fit(img)
        assert data_of(transformer.mask_img_).all()
        assert transformer.n_features_in_ == len(axis)


class TestMeshes:
    """The forms that the mesh may have."""

    @pytest.fixture
    def files(self, mesh, tmp_path):
        paths = {side: tmp_path / f"{side}.surf.gii" for side in mesh.parts}
        for side, part in mesh.parts.items():
            part.to_gifti(paths[side])
        return paths

    @pytest.mark.parametrize("form", ["meshes", "str", "Path", "mixed", "PolyMesh of files"])
    def test_forms_of_one_mesh_give_one_result(self, img, mesh, files, form):
        given = {
            "meshes": dict(mesh.parts),
            "str": {side: str(path) for side, path in files.items()},
            "Path": files,
            "mixed": {"left": mesh.parts["left"], "right": files["right"]},
            "PolyMesh of files": PolyMesh(**files),
        }[form]
        transformer = ClusterTDPTransformer(2, mesh=given)
        expected = ClusterTDPTransformer(2, mesh=mesh)
        assert_array_equal(
            data_of(transformer.fit_transform(img)), data_of(expected.fit_transform(img))
        )
        # GIFTI files hold single precision.
        assert_frame_equal(transformer.table_, expected.table_, rtol=1e-5)

    def test_hemisphere_that_is_not_in_the_file_needs_no_mesh(self, axis, x, mesh):
        kept = np.flatnonzero(axis.name != "CIFTI_STRUCTURE_CORTEX_RIGHT")
        one_sided = as_img(x[kept], axis[kept])
        transformer = ClusterTDPTransformer(2, mesh={"left": mesh.parts["left"]})
        tdp = data_of(transformer.fit_transform(one_sided))
        expected = ClusterTDPTransformer(2, mesh=mesh).fit_transform(one_sided)
        assert_array_equal(tdp, data_of(expected))

    def test_voxels_alone_need_no_mesh(self, axis, x, definition):
        kept = np.flatnonzero(axis.volume_mask)
        tdp = data_of(ClusterTDPTransformer(1).fit_transform(as_img(x[kept], axis[kept])))
        p = stats.norm.sf(x[kept])
        h = definition.hommel_value(p)
        joined = KIND.neighbours()[np.ix_(kept, kept)]
        expected = np.zeros(kept.size)
        for cluster in components(x[kept] > 1, joined):
            expected[cluster] = definition.true_discoveries(p[cluster], h) / cluster.size
        assert expected.max() > 0
        assert_allclose(tdp, expected, rtol=1e-14)


@pytest.fixture(scope="module")
def fsaverage_case():
    """Return a surface map of 20,484 vertices, and the vertices of a file of it."""
    rng = np.random.default_rng(0)
    mesh = load_fsaverage("fsaverage5")["white_matter"]
    data, vertices = {}, {}
    for side, part in mesh.parts.items():
        # Smooth on the mesh, with an effect in the front.
        z = rng.standard_normal(part.n_vertices)
        y = part.coordinates[:, 1]
        data[side] = 0.5 * z + 3 * (y > np.quantile(y, 0.85)) + np.sin(y / 7)
        vertices[side] = np.sort(rng.permutation(part.n_vertices)[:9000])
    return mesh, data, vertices


@pytest.fixture(scope="module")
def as_surface(fsaverage_case):
    """Return the results of the same vertices as a SurfaceImage."""
    mesh, data, vertices = fsaverage_case
    mask = {side: np.isin(np.arange(10242), v).astype(float) for side, v in vertices.items()}
    transformer = ClusterTDPTransformer(2, mask_img=SurfaceImage(mesh, mask))
    tdp = transformer.fit_transform(SurfaceImage(mesh, data))
    return tdp, transformer.table_


class TestFsaverage5:
    """10,242 vertices: the mesh that nilearn brings along."""

    @pytest.mark.parametrize("given", [False, True], ids=["None", "PolyMesh"])
    def test_equals_the_surface_image(self, fsaverage_case, as_surface, given):
        mesh, data, vertices = fsaverage_case
        axis = surface_axis("left", 10242, vertices["left"]) + surface_axis(
            "right", 10242, vertices["right"]
        )
        x = np.concatenate([data[side][vertices[side]] for side in ("left", "right")])
        transformer = ClusterTDPTransformer(2, mesh=mesh if given else None)
        tdp = data_of(transformer.fit_transform(as_img(x, axis)))
        expected, table = as_surface
        parts = expected.data.parts
        assert_array_equal(
            tdp, np.concatenate([parts[side][vertices[side]] for side in ("left", "right")])
        )
        assert ((tdp > 0) & (tdp < 1)).any()
        table = table.assign(
            peak_hemisphere=[f"CORTEX_{side.upper()}" for side in table["peak_hemisphere"]]
        ).rename(columns={"peak_hemisphere": "peak_structure", "n_vertices": "n_grayordinates"})
        assert_frame_equal(transformer.table_, table, check_dtype=False)


class TestRegions:
    """Regions and given clusters as dlabel or dscalar files."""

    NAMES = {0: "???", 2: "Area A", 5: "Area B", 9: "Area C", 11: "not there"}

    @pytest.fixture
    def labels(self, axis):
        """Return labels that do not follow the structures."""
        return np.random.default_rng(1).choice([0, 2, 5, 9], len(axis))

    def expected(self, x, labels, definition):
        p = stats.norm.sf(x)
        h = definition.hommel_value(p)
        return [
            definition.true_discoveries(p[labels == i], h) / (labels == i).sum() for i in (2, 5, 9)
        ]

    @pytest.mark.parametrize("as_path", [str, lambda path: path], ids=["str", "Path"])
    def test_dlabel_file_brings_its_names(
        self, axis, x, img, mesh, labels, tmp_path, definition, as_path
    ):
        as_dlabel(labels, axis, self.NAMES).to_filename(tmp_path / "areas.dlabel.nii")
        transformer = RegionTDPTransformer(as_path(tmp_path / "areas.dlabel.nii"), mesh=mesh)
        tdp = transformer.fit_transform(img)
        assert_allclose(tdp, [self.expected(x, labels, definition)], rtol=1e-14)
        assert tdp.max() > 0
        assert transformer.region_names_ == ["Area A", "Area B", "Area C"]
        assert transformer.region_ids_.tolist() == [2, 5, 9]
        table = transformer.table_
        assert table.columns.tolist() == ["region_id", "region", *KIND.columns[3:]]
        assert table["region"].tolist() == ["Area A", "Area B", "Area C", "rest"]
        assert table["n_grayordinates"].tolist() == [(labels == i).sum() for i in (2, 5, 9, 0)]

    def test_names_that_are_given_count_more(self, axis, img, mesh, labels):
        dlabel = as_dlabel(labels, axis, self.NAMES)
        lut = pd.DataFrame({"index": [9, 5, 2], "name": ["z", "y", "x"]})
        for given in ({"labels": ["x", "y", "z"]}, {"lut": lut}):
            transformer = RegionTDPTransformer(dlabel, mesh=mesh, **given).fit(img)
            assert transformer.region_names_ == ["x", "y", "z"]

    def test_label_without_a_name_is_refused(self, axis, img, mesh, labels):
        dlabel = as_dlabel(labels, axis, {0: "???", 2: "Area A"})
        with pytest.raises(ValueError, match=r"label table .* no name for \[5, 9\]"):
            RegionTDPTransformer(dlabel, mesh=mesh).fit(img)

    def test_given_clusters_keep_their_labels(self, axis, x, img, mesh, labels, definition):
        transformer = ClusterTDPTransformer(
            labels_img=as_dlabel(labels, axis, self.NAMES), mesh=mesh
        )
        tdp = data_of(transformer.fit_transform(img))
        expected = dict(zip((2, 5, 9), self.expected(x, labels, definition), strict=True))
        assert_allclose(tdp, [expected.get(label, 0) for label in labels], rtol=1e-14)
        assert_array_equal(data_of(transformer.labels_img_), labels)
        assert transformer.table_.columns.tolist() == KIND.columns
        assert transformer.table_["cluster_id"].tolist() == [2, 5, 9, 0]

    def test_dlabel_image_of_several_maps_is_refused(self, axis, img, mesh, labels):
        dlabel = as_dlabel(labels, axis, self.NAMES, n_maps=2)
        for transformer in (
            RegionTDPTransformer(dlabel, mesh=mesh),
            ClusterTDPTransformer(labels_img=dlabel, mesh=mesh),
        ):
            with pytest.raises(ValueError, match=r"labels_img must be .*single map"):
                transformer.fit(img)

    def test_regions_on_another_mesh_are_refused(self, axis, img, mesh, labels):
        """Vertices of the same number are other places on another mesh."""
        left = surface_axis("left", 162, KIND.left_out)
        nothing = surface_axis("left", axis.nvertices["CIFTI_STRUCTURE_CORTEX_LEFT"], [0, 1])
        outside = axis[np.flatnonzero(axis.volume_mask)]
        kept = np.flatnonzero(axis.name == "CIFTI_STRUCTURE_CORTEX_RIGHT")
        right = as_img(KIND.z()[kept], axis[kept])
        for dlabel, of_map, match in (
            (as_dlabel(np.ones(len(left)), left, {1: "a"}), img, "Got 162 vertices of CORTEX_LEFT"),
            (as_dlabel([1, 1], nothing, {1: "a"}), right, "it has CORTEX_LEFT, the map CORTEX_RIG"),
            (as_dlabel(np.ones(len(outside)), outside, {1: "a"}), right, "Got none: it has THAL"),
        ):
            for transformer in (
                RegionTDPTransformer(dlabel, mesh=mesh),
                ClusterTDPTransformer(labels_img=dlabel, mesh=mesh),
            ):
                with pytest.raises(ValueError, match=match):
                    transformer.fit(of_map)

    def test_regions_on_the_same_grayordinates_stay_as_they_are(self, axis, img, mesh, labels):
        dlabel = as_dlabel(labels, axis, self.NAMES)
        plain, matched = (
            RegionTDPTransformer(dlabel, mesh=mesh, resampling_target=target)
            for target in (None, "data")
        )
        assert_array_equal(matched.fit_transform(img), plain.fit_transform(img))
        assert_frame_equal(matched.table_, plain.table_)

    @pytest.mark.parametrize("missing", ["none", "some", "voxels", "left"])
    @pytest.mark.parametrize("target", [None, "data"])
    def test_regions_are_matched_by_structure_and_place(
        self, axis, img, mesh, labels, missing, target
    ):
        kept = {
            "none": np.ones(len(axis), dtype=bool),
            "some": np.random.default_rng(4).random(len(axis)) < 0.7,
            "voxels": ~axis.volume_mask,
            "left": axis.name != "CIFTI_STRUCTURE_CORTEX_LEFT",
        }[missing]
        # In another order, and with grayordinates that the map does not have.
        order = np.random.default_rng(5).permutation(np.flatnonzero(kept))
        medial = surface_axis("left", 72, KIND.left_out)
        dlabel = as_dlabel(
            np.concatenate([np.full(len(medial), 11), labels[order]]),
            medial + axis[order],
            self.NAMES,
        )
        expected_labels = np.where(kept, labels, 0)
        expected = ClusterTDPTransformer(
            labels_img=as_dlabel(expected_labels, axis, self.NAMES), mesh=mesh
        )
        matched = ClusterTDPTransformer(labels_img=dlabel, mesh=mesh, resampling_target=target)
        expected_tdp = data_of(expected.fit_transform(img))
        with pytest.warns(UserWarning, match=r"\(labels 11\)"):
            tdp = data_of(matched.fit_transform(img))
        assert_array_equal(tdp, expected_tdp)
        assert_array_equal(data_of(matched.labels_img_), expected_labels)
        table = matched.table_.query("cluster_id != 11").reset_index(drop=True)
        assert_frame_equal(table, expected.table_)

    def test_regions_of_another_grid_of_voxels_are_matched_in_mm(self, axis, img, mesh, labels):
        # The same places, counted from another corner.
        shift = np.array([2, 1, 3])
        affine = KIND.affine.copy()
        affine[:3, 3] -= KIND.affine[:3, :3] @ shift
        voxels = np.where(axis.volume_mask[:, np.newaxis], axis.voxel + shift, axis.voxel)
        other = BrainModelAxis(
            axis.name,
            voxel=voxels,
            vertex=axis.vertex,
            affine=affine,
            volume_shape=tuple(np.add(KIND.shape, shift).tolist()),
            nvertices=axis.nvertices,
        )
        matched = ClusterTDPTransformer(
            labels_img=as_dlabel(labels, other, self.NAMES), mesh=mesh, resampling_target="data"
        ).fit(img)
        assert_array_equal(data_of(matched.labels_img_), labels)

    @pytest.mark.parametrize("off", [0, 0.001, -0.19, 0.19, 0.21, -0.21, 0.9, 1.1])
    def test_voxels_that_differ_by_less_than_a_tenth_of_their_size_are_one(self, off):
        def axis_at(origin):
            affine = np.diag([2.0, 2, 2, 1])
            affine[:3, 3] = origin, -2, -2
            voxels = list(itertools.product(range(3), repeat=3))
            name = np.full(27, "CIFTI_STRUCTURE_THALAMUS_LEFT")
            return BrainModelAxis(name, voxel=voxels, affine=affine, volume_shape=(3, 3, 3))

        labels = 1 + np.arange(27) % 3
        matched = ClusterTDPTransformer(
            labels_img=as_img(labels, axis_at(-2 + off)), resampling_target="data"
        )
        img = as_img(np.random.default_rng(0).standard_normal(27), axis_at(-2))
        if abs(off) < 0.2:
            matched.fit(img)
            assert_array_equal(data_of(matched.labels_img_), labels)
        else:
            with pytest.raises(ValueError, match="Got 27 of 27 voxels between the voxels"):
                matched.fit(img)

    def test_background_of_what_is_missing_is_the_background_label(self, axis, img, mesh, labels):
        cortex = ~axis.volume_mask
        dscalar = as_img(np.where(labels == 0, 7, labels)[cortex], axis[np.flatnonzero(cortex)])
        transformer = RegionTDPTransformer(
            dscalar, mesh=mesh, resampling_target="data", background_label=7
        ).fit(img)
        rest = transformer.table_.iloc[-1]
        assert rest["region_id"] == 7
        assert rest["n_grayordinates"] == (~cortex).sum() + (labels[cortex] == 0).sum()


class TestZeros:
    """Grayordinates that are exactly 0 are tested where there is no mask."""

    def test_map_with_many_zeros_is_warned_of(self, axis, x, mesh):
        zeros = np.random.default_rng(6).random(len(axis)) < 0.3
        padded = as_img(np.where(zeros, 0, x), axis)
        match = rf"exactly 0 in {zeros.sum()} of {len(axis)} grayordinates\. All of them are tested"
        transformer = ClusterTDPTransformer(mesh=mesh)
        with pytest.warns(UserWarning, match=match):
            transformer.fit_transform(padded)
        assert transformer.maps_.test.p_values.size == len(axis)

    @pytest.mark.filterwarnings("error")
    def test_mask_and_few_zeros_do_not_warn(self, axis, x, mesh):
        zeros = np.random.default_rng(6).random(len(axis)) < 0.3
        padded = as_img(np.where(zeros, 0, x), axis)
        mask_img = as_img((~zeros).astype("uint8"), axis)
        ClusterTDPTransformer(mesh=mesh, mask_img=mask_img).fit_transform(padded)
        one = x.copy()
        one[3] = 0
        ClusterTDPTransformer(mesh=mesh).fit_transform(as_img(one, axis))


class TestBadInput:
    """Input that must be refused, with words that say why."""

    def test_parcellated_image_is_refused(self, axis, mesh, tmp_path):
        parcels = ParcelsAxis.from_brain_models([("a", axis[:5]), ("b", axis[5:9])])
        pscalar = Cifti2Image(np.array([[1.0, 2.0]]), (ScalarAxis(["z"]), parcels))
        pscalar.to_filename(tmp_path / "z.pscalar.nii")
        for given in (pscalar, tmp_path / "z.pscalar.nii", str(tmp_path / "z.pscalar.nii")):
            with pytest.raises(TypeError, match=r"must be dense.*of 2 parcels: .*labels_img"):
                ClusterTDPTransformer(mesh=mesh).fit(given)

    @pytest.mark.parametrize(("n_maps", "n_images"), [(1, None), (2, None), (1, 1), (1, 2)])
    def test_labels_are_no_maps(self, axis, mesh, n_maps, n_images):
        labels = np.random.default_rng(1).choice([0, 2, 5], len(axis))
        dlabel = as_dlabel(labels, axis, {0: "???", 2: "A", 5: "B"}, n_maps)
        maps = dlabel if n_images is None else [dlabel] * n_images
        mask_img = as_img(np.ones(len(axis), dtype="uint8"), axis)
        for mask in (None, mask_img):
            with pytest.raises(TypeError, match=r"Maps must hold statistics\. Got labels"):
                ClusterTDPTransformer(mesh=mesh, mask_img=mask).fit_transform(maps)

    def test_dense_connectome_is_refused(self, axis, mesh):
        dconn = Cifti2Image(np.eye(len(axis)), (axis, axis))
        with pytest.raises(TypeError, match=r"must be dense .*BrainModelAxis', 'BrainModelAxis"):
            ClusterTDPTransformer(mesh=mesh).fit_transform(dconn)

    def test_other_brain_models_are_refused(self, axis, x, img, mesh):
        transformer = ClusterTDPTransformer(2, mesh=mesh).fit(img)
        fewer = as_img(x[:-1], axis[np.arange(len(axis) - 1)])
        reordered = np.r_[1, 0, np.arange(2, len(axis))]
        for other in (fewer, as_img(x[reordered], axis[reordered])):
            match = "map and mask_img must have the same grayordinates, in the same order"
            with pytest.raises(ValueError, match=match):
                transformer.transform(other)
            with pytest.raises(ValueError, match=match):
                ClusterTDPTransformer(2, mesh=mesh).fit_transform([img, other])
            mask_img = as_img(
                np.ones(len(other.header.get_axis(1)), "uint8"), other.header.get_axis(1)
            )
            with pytest.raises(ValueError, match=match):
                ClusterTDPTransformer(2, mesh=mesh, mask_img=mask_img).fit(img)

    def test_missing_mesh_is_asked_for(self, img):
        with pytest.raises(
            ValueError, match=r"mesh must have the mesh of CORTEX_RIGHT, 56 vertices"
        ):
            ClusterTDPTransformer().fit(img)

    def test_mesh_without_a_hemisphere_is_refused(self, img, mesh):
        for given in ({"left": mesh.parts["left"]}, PolyMesh(left=mesh.parts["left"])):
            with pytest.raises(ValueError, match=r"mesh of CORTEX_RIGHT, 56.* Got \['left'\]"):
                ClusterTDPTransformer(mesh=given).fit(img)

    def test_mesh_of_another_size_is_refused(self, img, mesh):
        swapped = {"left": mesh.parts["right"], "right": mesh.parts["left"]}
        for given in (swapped, load_fsaverage("fsaverage5")["pial"]):
            with pytest.raises(
                ValueError, match=r"mesh must have 56 vertices in the right hemisphere.* Got"
            ):
                ClusterTDPTransformer(mesh=given).fit(img)

    @pytest.mark.parametrize(
        ("make", "got"),
        [
            (lambda mesh: "fsaverage5", "str"),
            (lambda mesh: mesh.parts["left"], "InMemoryMesh"),
            (lambda mesh: list(mesh.parts.values()), "list"),
            (lambda mesh: {}, "dictionary"),
            (lambda mesh: {"lh": mesh.parts["left"]}, "'lh': InMemoryMesh"),
            (lambda mesh: {"left": mesh.parts["left"], "right": 3}, "'right': int"),
            (lambda mesh: {"left": None, "right": None}, "'left': NoneType"),
        ],
        ids=["str", "one mesh", "list", "empty", "other keys", "number", "None"],
    )
    def test_mesh_of_another_type_is_refused(self, img, mesh, make, got):
        with pytest.raises(TypeError, match=f"mesh must be a nilearn PolyMesh, or .* Got .*{got}"):
            ClusterTDPTransformer(mesh=make(mesh)).fit(img)

    def test_mesh_file_that_is_not_there_is_named(self, img, tmp_path):
        missing = {side: tmp_path / f"{side}.surf.gii" for side in ("left", "right")}
        with pytest.raises((ValueError, FileNotFoundError), match=r"left\.surf\.gii"):
            ClusterTDPTransformer(mesh=missing).fit(img)

    def test_cortex_that_no_mesh_is_for_is_refused(self, mesh):
        axis = BrainModelAxis.from_surface(np.arange(4), 30, name="CIFTI_STRUCTURE_CEREBELLUM")
        with pytest.raises(ValueError, match="mesh of CEREBELLUM, 30 vertices"):
            ClusterTDPTransformer(mesh=mesh).fit(as_img(np.arange(4.0), axis))
