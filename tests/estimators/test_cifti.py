"""CIFTI images: vertices and voxels in one family, against the definition and the files."""

import itertools
import pickle

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nibabel.affines import apply_affine
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
from scipy.sparse.csgraph import connected_components

from ari_estimator import ClusterTDPTransformer, RegionTDPTransformer
from ari_estimator.closed_testing import Hommel

COLUMNS = [
    "cluster_id",
    "threshold",
    "direction",
    "n_grayordinates",
    "size_mm2",
    "size_mm3",
    "true_discoveries",
    "tdp",
    "peak_stat",
    "peak_structure",
    "peak_vertex",
    "peak_x",
    "peak_y",
    "peak_z",
]

N_CHANGES = {6: 1, 18: 2, 26: 3}

VOLUME_SHAPE = (4, 5, 4)

# Rotated axes, voxels of 2 x 2.5 x 3 mm, the first axis from right to left.
AFFINE = np.array(
    [[-1.92, 0.7, 0, 12], [0.56, 2.4, 0, -9], [0, 0, 3, 4], [0, 0, 0, 1]], dtype=float
)

# Not in the file: the vertices that are left out cut the meshes, as the medial wall does.
LEFT_OUT = {"left": [8, 14, 15, 20], "right": [0, 1, 17]}


def sheet(n_rows, n_columns, x):
    """Return a bumpy mesh of two triangles in each square of a grid."""
    i, j = np.indices((n_rows, n_columns)).reshape(2, -1)
    points = np.column_stack([x + 3.0 * i + 0.1 * j, 2.0 * j, np.sin(i * 2 + j)])
    corner = (np.arange(n_rows - 1)[:, None] * n_columns + np.arange(n_columns - 1)).ravel()
    right, below = corner + 1, corner + n_columns
    faces = np.vstack(
        [np.column_stack([corner, right, below]), np.column_stack([right, below + 1, below])]
    )
    return InMemoryMesh(points, faces)


@pytest.fixture(scope="module")
def mesh():
    """Return a mesh of 30 vertices on the left and of 28 on the right."""
    return PolyMesh(left=sheet(5, 6, -40), right=sheet(4, 7, 30))


def surface_axis(side, n_vertices, vertices):
    return BrainModelAxis.from_surface(vertices, n_vertices, name=f"Cortex{side.title()}")


def volume_axis(name, voxels):
    return BrainModelAxis(
        np.full(len(voxels), f"CIFTI_STRUCTURE_{name}"),
        voxel=voxels,
        affine=AFFINE,
        volume_shape=VOLUME_SHAPE,
    )


def make_axis(shuffled=False):
    """Return a part of both cortices, and two structures side by side in a grid."""
    rng = np.random.default_rng(3)
    order = rng.permutation if shuffled else np.asarray
    left, right = (
        surface_axis(side, n, order(np.setdiff1d(np.arange(n), LEFT_OUT[side])))
        for side, n in (("left", 30), ("right", 28))
    )
    voxels = np.array(list(itertools.product(*map(range, VOLUME_SHAPE))))
    voxels = voxels[np.abs(voxels - [1.5, 2, 1.5]).sum(axis=1) < 4.4]
    is_first = voxels[:, 0] < 2
    first = volume_axis("THALAMUS_LEFT", order(voxels[is_first]))
    second = volume_axis("THALAMUS_RIGHT", order(voxels[~is_first]))
    return right + second + left + first if shuffled else left + right + first + second


@pytest.fixture(scope="module", params=[False, True], ids=["in order", "shuffled"])
def axis(request):
    """Return the grayordinates of a file, in the usual order and in another one."""
    return make_axis(request.param)


def values_on(axis, seed=0):
    """Return z values that belong to the grayordinates, whatever their order in the file."""
    rng = np.random.default_rng(seed)
    left, right, volume = (
        rng.standard_normal(30),
        rng.standard_normal(28),
        rng.standard_normal(VOLUME_SHAPE),
    )
    left[:14] += 3
    right[18:] += 3.5
    volume[:, :, 1:] += 1.2
    volume[0, 2:4] -= 4
    values = np.empty(len(axis))
    values[axis.volume_mask] = volume[tuple(axis.voxel[axis.volume_mask].T)]
    for name, of_vertices in (("LEFT", left), ("RIGHT", right)):
        inside = axis.name == f"CIFTI_STRUCTURE_CORTEX_{name}"
        values[inside] = of_vertices[axis.vertex[inside]]
    return values


def as_img(rows, axis, names=None):
    rows = np.atleast_2d(rows)
    names = [f"map {i}" for i in range(len(rows))] if names is None else names
    return Cifti2Image(rows, (ScalarAxis(names), axis))


def as_dlabel(values, axis, table, n_maps=1):
    table = {key: (name, (1, 0, 0, 1)) for key, name in table.items()}
    rows = np.tile(np.asarray(values, dtype="int32"), (n_maps, 1))
    return Cifti2Image(rows, (LabelAxis([f"parcels {i}" for i in range(n_maps)], table), axis))


@pytest.fixture
def x(axis):
    return values_on(axis)


@pytest.fixture
def img(x, axis):
    """Return a dscalar image of one map."""
    return as_img(x, axis)


def data_of(img):
    """Return the one row of an image."""
    data = np.asarray(img.dataobj)
    assert len(data) == 1
    return data[0]


def in_mesh(name):
    """Return the key of the mesh of a structure, None for voxels."""
    return {"CORTEX_LEFT": "left", "CORTEX_RIGHT": "right"}.get(
        name.removeprefix("CIFTI_STRUCTURE_")
    )


def neighbours(axis, mesh, n_changes):
    """Return which columns are neighbours, a matrix of bool: pair by pair, and slow."""
    place = [in_mesh(name) for name in axis.name]
    joined = {side: np.zeros((part.n_vertices,) * 2, bool) for side, part in mesh.parts.items()}
    for side, part in mesh.parts.items():
        for one, other in itertools.permutations(range(3), 2):
            joined[side][part.faces[:, one], part.faces[:, other]] = True
    result = np.zeros((len(axis), len(axis)), dtype=bool)
    for i, j in itertools.permutations(range(len(axis)), 2):
        if place[i] != place[j]:
            continue
        if place[i] is None:
            steps = np.abs(axis.voxel[i] - axis.voxel[j])
            result[i, j] = steps.max() <= 1 and steps.sum() <= n_changes
        else:
            result[i, j] = joined[place[i]][axis.vertex[i], axis.vertex[j]]
    return result


@pytest.fixture(scope="module")
def are_neighbours(axis, mesh):
    return {connectivity: neighbours(axis, mesh, n) for connectivity, n in N_CHANGES.items()}


def components(selected, are_neighbours):
    """Return the columns of each connected component."""
    columns = np.flatnonzero(selected)
    n_components, labels = connected_components(are_neighbours[np.ix_(columns, columns)])
    return [columns[labels == i] for i in range(n_components)]


class TestFamily:
    """Vertices and voxels are tested together."""

    def test_one_hommel_value_of_all_grayordinates(self, axis, x, img, mesh, definition):
        transformer = ClusterTDPTransformer(2, mesh=mesh)
        transformer.fit_transform(img)
        h = definition.hommel_value(stats.norm.sf(x))
        assert 0 < h < x.size
        assert transformer.maps_.test.value(0.05) == Hommel(stats.norm.sf(x)).value(0.05) == h
        assert transformer.n_tested_ == transformer.n_features_in_ == len(axis)
        bound = definition.true_discoveries(stats.norm.sf(x), h)
        assert transformer.true_discoveries_ == bound > 5
        assert_allclose(
            np.sort(transformer.maps_.test.p_values), np.sort(stats.norm.sf(x)), rtol=1e-13
        )

    def test_maps_may_be_p_values(self, axis, x, img, mesh):
        z = ClusterTDPTransformer(2, mesh=mesh).fit_transform(img)
        of_p = ClusterTDPTransformer(stats.norm.sf(2), stat_type="p", mesh=mesh)
        p = of_p.fit_transform(as_img(stats.norm.sf(x), axis))
        assert_array_equal(data_of(p), data_of(z))


class TestClusters:
    """Along the edges of a mesh, and of the grid."""

    @pytest.mark.parametrize("connectivity", [6, 18, 26])
    @pytest.mark.parametrize("two_sided", [False, True], ids=["one-sided", "two-sided"])
    @pytest.mark.parametrize("threshold", [0, 1, 2.5])
    def test_tdp_and_labels_equal_the_definition(
        self, x, img, mesh, are_neighbours, definition, one_to_one,
        threshold, two_sided, connectivity,
    ):  # fmt: skip
        p = 2 * stats.norm.sf(np.abs(x)) if two_sided else stats.norm.sf(x)
        h = definition.hommel_value(p)
        tdp, labels = np.zeros(x.size), np.zeros(x.size)
        for sign in (1, -1) if two_sided else (1,):
            for cluster in components(sign * x > threshold, are_neighbours[connectivity]):
                tdp[cluster] = definition.true_discoveries(p[cluster], h) / cluster.size
                labels[cluster] = labels.max() + 1
        assert labels.max() > 3
        assert tdp.max() > 0
        transformer = ClusterTDPTransformer(
            threshold, two_sided=two_sided, connectivity=connectivity, mesh=mesh
        )
        assert_allclose(data_of(transformer.fit_transform(img)), tdp, rtol=1e-14)
        shown = data_of(transformer.labels_img_)
        assert one_to_one(shown, labels)
        assert_array_equal(shown == 0, labels == 0)

    def test_connectivities_differ_in_the_volume_alone(self, axis, img, mesh):
        def table(connectivity):
            transformer = ClusterTDPTransformer(2, connectivity=connectivity, mesh=mesh)
            transformer.fit_transform(img)
            return transformer.table_[:-1]

        tables = [table(connectivity) for connectivity in (6, 18, 26)]
        on_cortex = [t[t["peak_vertex"].notna()].drop(columns="cluster_id") for t in tables]
        for other in on_cortex[1:]:
            assert_frame_equal(on_cortex[0].reset_index(drop=True), other.reset_index(drop=True))
        n_in_volume = [int(t["peak_vertex"].isna().sum()) for t in tables]
        assert n_in_volume[0] > n_in_volume[1] >= n_in_volume[2] > 0

    def test_no_cluster_reaches_across_but_between_structures_of_the_volume(
        self, axis, x, mesh, are_neighbours
    ):
        everywhere = as_img(x + 50, axis)
        transformer = ClusterTDPTransformer(2, mesh=mesh)
        transformer.fit_transform(everywhere)
        labels = data_of(transformer.labels_img_)
        assert (labels > 0).all()
        assert labels.max() == len(components(x > -np.inf, are_neighbours[6]))
        assert len(np.unique(labels[axis.volume_mask])) == 1
        for label in np.unique(labels):
            assert len({in_mesh(name) for name in axis.name[labels == label]}) == 1

    def test_vertices_that_are_not_in_the_file_join_nothing(self):
        # Three triangles in a row, whose vertex in the middle is not there.
        faces = np.array([[0, 1, 2], [1, 2, 3], [2, 3, 4]])
        mesh = PolyMesh(left=InMemoryMesh(np.random.default_rng(0).random((5, 3)), faces))
        axis = surface_axis("left", 5, [0, 3, 4])
        transformer = ClusterTDPTransformer(1, mesh=mesh)
        transformer.fit_transform(as_img([4.0, 5.0, 6.0], axis))
        assert data_of(transformer.labels_img_).tolist() == [2, 1, 1]
        assert transformer.table_["peak_vertex"].tolist() == [4, 0, pd.NA]

    def test_several_thresholds_show_the_strictest(self, x, img, mesh):
        transformer = ClusterTDPTransformer([1, 2], mesh=mesh)
        tdp = data_of(transformer.fit_transform(img))
        single = [data_of(ClusterTDPTransformer(t, mesh=mesh).fit_transform(img)) for t in (1, 2)]
        assert_array_equal(tdp, np.where(x > 2, single[1], single[0]))

    def test_small_clusters_belong_to_the_rest(self, img, mesh):
        transformer = ClusterTDPTransformer(2, cluster_threshold=3, mesh=mesh)
        transformer.fit_transform(img)
        everything = ClusterTDPTransformer(2, mesh=mesh)
        everything.fit_transform(img)
        assert (everything.table_["n_grayordinates"][:-1] < 3).any()
        assert (transformer.table_["n_grayordinates"] >= 3).all()
        assert transformer.table_["n_grayordinates"].sum() == transformer.n_tested_

    def test_order_in_the_file_makes_no_difference(self, mesh):
        results = []
        for shuffled in (False, True):
            axis = make_axis(shuffled)
            transformer = ClusterTDPTransformer(1, two_sided=True, mesh=mesh)
            tdp = data_of(transformer.fit_transform(as_img(values_on(axis), axis)))
            keys = [
                (name, vertex, *voxel)
                for name, vertex, voxel in zip(axis.name, axis.vertex, axis.voxel, strict=True)
            ]
            table = transformer.table_.drop(columns="cluster_id").sort_values("peak_stat")
            results.append((dict(zip(keys, tdp, strict=True)), table.reset_index(drop=True)))
        assert results[0][0] == results[1][0]
        assert_frame_equal(results[0][1], results[1][1])


class TestTable:
    """Rows of clusters on meshes and in the grid."""

    @pytest.fixture
    def fitted(self, img, mesh):
        transformer = ClusterTDPTransformer(1.5, mesh=mesh)
        transformer.fit_transform(img)
        return transformer

    def test_columns(self, fitted):
        assert fitted.table_.columns.tolist() == COLUMNS
        assert fitted.table_["peak_vertex"].dtype == "Int64"

    def test_counts_sizes_and_bounds(self, axis, x, mesh, fitted, definition):
        labels = data_of(fitted.labels_img_)
        areas = {}
        for side, part in mesh.parts.items():
            areas[side] = np.zeros(part.n_vertices)
            for face in part.faces:
                a, b, c = part.coordinates[face]
                areas[side][face] += np.linalg.norm(np.cross(b - a, c - a)) / 2 / 3
        place = [in_mesh(name) for name in axis.name]
        mm2 = np.array([areas[s][v] if s else 0 for s, v in zip(place, axis.vertex, strict=True)])
        mm3 = axis.volume_mask * abs(np.linalg.det(AFFINE[:3, :3]))
        assert len(fitted.table_) == labels.max() + 1 > 5
        p = stats.norm.sf(x)
        h = definition.hommel_value(p)
        for _, row in fitted.table_.iterrows():
            members = labels == row["cluster_id"]
            assert row["n_grayordinates"] == members.sum()
            assert_allclose(row["size_mm2"], mm2[members].sum(), rtol=1e-12)
            assert_allclose(row["size_mm3"], mm3[members].sum(), rtol=1e-12)
            assert row["true_discoveries"] == definition.true_discoveries(p[members], h)
            assert row["tdp"] == row["true_discoveries"] / members.sum()
        clusters, rest = fitted.table_[:-1], fitted.table_.iloc[-1]
        assert ((clusters["size_mm2"] == 0) != (clusters["size_mm3"] == 0)).all()
        assert rest["size_mm2"] > 0
        assert rest["size_mm3"] > 0

    def test_peaks_are_the_strongest_grayordinates(self, axis, x, mesh, fitted):
        labels = data_of(fitted.labels_img_)
        on_cortex = set()
        for _, row in fitted.table_.iterrows():
            members = np.flatnonzero(labels == row["cluster_id"])
            peak = members[x[members].argmax()]
            assert row["peak_stat"] == x[peak]
            assert f"CIFTI_STRUCTURE_{row['peak_structure']}" == axis.name[peak]
            side = in_mesh(axis.name[peak])
            if side is None:
                assert row["peak_vertex"] is pd.NA
                expected = apply_affine(AFFINE, axis.voxel[peak])
            else:
                assert row["peak_vertex"] == axis.vertex[peak]
                expected = mesh.parts[side].coordinates[axis.vertex[peak]]
            on_cortex.add(side)
            assert_allclose(row[["peak_x", "peak_y", "peak_z"]].astype(float), expected)
        assert on_cortex == {"left", "right", None}

    def test_largest_cluster_comes_first(self, fitted):
        sizes = fitted.table_["n_grayordinates"][:-1]
        assert (np.diff(sizes) <= 0).all()
        assert fitted.table_["cluster_id"].tolist() == [*range(1, len(sizes) + 1), 0]

    def test_no_cluster_leaves_the_rest(self, axis, img, mesh):
        transformer = ClusterTDPTransformer(100, mesh=mesh)
        tdp = transformer.fit_transform(img)
        assert not data_of(tdp).any()
        assert transformer.table_.columns.tolist() == COLUMNS
        assert transformer.table_["n_grayordinates"].tolist() == [len(axis)]


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
        rows = np.stack([values_on(axis, seed) for seed in range(3)])
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

    def test_list_gives_a_list(self, axis, mesh):
        images = [as_img(values_on(axis, seed), axis) for seed in range(2)]
        transformer = ClusterTDPTransformer(2, mesh=mesh)
        results = transformer.fit_transform(images)
        assert isinstance(results, list)
        assert isinstance(transformer.labels_img_, list)
        for i, image in enumerate(images):
            single = ClusterTDPTransformer(2, mesh=mesh)
            assert_array_equal(data_of(results[i]), data_of(single.fit_transform(image)))
            assert_frame_equal(transformer.table_[i], single.table_)
        assert len(transformer.fit_transform(images[:1])) == len(transformer.table_) == 1

    def test_maps_are_left_as_they_were(self, img, x, mesh):
        before = x.copy()
        ClusterTDPTransformer(2, two_sided=True, mesh=mesh).fit_transform(img)
        assert_array_equal(data_of(img), before)
        assert img.header.get_axis(0).name.tolist() == ["map 0"]

    def test_pickled_estimator_gives_the_same_results(self, img, mesh):
        transformer = ClusterTDPTransformer(2, mesh=mesh)
        tdp = transformer.fit_transform(img)
        restored = pickle.loads(pickle.dumps(transformer))
        assert_array_equal(data_of(restored.transform(img)), data_of(tdp))


class TestFiles:
    """Paths in place of images."""

    @pytest.mark.parametrize("as_path", [str, lambda path: path], ids=["str", "Path"])
    def test_paths_stand_for_images(self, axis, img, mesh, tmp_path, as_path):
        img.to_filename(tmp_path / "z.dscalar.nii")
        path = as_path(tmp_path / "z.dscalar.nii")
        expected = data_of(ClusterTDPTransformer(2, mesh=mesh).fit_transform(img))
        transformer = ClusterTDPTransformer(2, mesh=mesh)
        assert_array_equal(data_of(transformer.fit_transform(path)), expected)
        assert_array_equal(data_of(transformer.transform(path)), expected)
        for paths in ([path, path], pd.Series([path, path])):
            results = transformer.fit_transform(paths)
            assert_array_equal([data_of(result) for result in results], [expected] * 2)

    def test_dtseries_of_one_map_is_a_single_map(self, axis, x, img, mesh, tmp_path):
        Cifti2Image(x[None], (SeriesAxis(0, 1, 1), axis)).to_filename(tmp_path / "z.dtseries.nii")
        transformer = ClusterTDPTransformer(2, mesh=mesh)
        tdp = transformer.fit_transform(str(tmp_path / "z.dtseries.nii"))
        assert isinstance(transformer.table_, pd.DataFrame)
        expected = ClusterTDPTransformer(2, mesh=mesh).fit_transform(img)
        assert_array_equal(data_of(tdp), data_of(expected))


class TestArrays:
    """Rows of values, in the order of the columns of the file."""

    @pytest.fixture
    def mask_img(self, axis):
        mask = np.random.default_rng(4).random(len(axis)) < 0.8
        return as_img(mask.astype("uint8"), axis)

    def test_array_gives_array_in_the_order_of_the_file(self, axis, mesh, mask_img):
        kept = data_of(mask_img) == 1
        rows = np.stack([values_on(axis, seed) for seed in range(2)])
        transformer = ClusterTDPTransformer(2, mask_img=mask_img, mesh=mesh)
        expected = np.asarray(transformer.fit_transform(as_img(rows, axis)).dataobj)[:, kept]
        labels = np.asarray(transformer.labels_img_.dataobj)[:, kept]
        tables = transformer.table_
        result = transformer.fit_transform(rows[:, kept])
        assert isinstance(result, np.ndarray)
        assert_array_equal(result, expected)
        assert_array_equal(transformer.labels_img_, labels)
        for table, other in zip(transformer.table_, tables, strict=True):
            assert_frame_equal(table, other)
        single = transformer.fit_transform(rows[1, kept])
        assert_array_equal(single, expected[1])
        assert_frame_equal(transformer.table_, tables[1])

    def test_columns_of_data_frames_are_grayordinates(self, axis, x, mesh, mask_img):
        kept = data_of(mask_img) == 1
        transformer = ClusterTDPTransformer(2, mask_img=mask_img, mesh=mesh)
        transformer.set_output(transform="pandas")
        tdp = transformer.fit_transform(pd.DataFrame(x[None, kept], index=["sub-1"]))
        assert tdp.columns.tolist() == [f"grayordinate_{i}" for i in range(kept.sum())]
        assert tdp.index.tolist() == ["sub-1"]

    def test_array_without_a_mask_is_refused(self, x, mesh):
        with pytest.raises(ValueError, match="mask_img must be a mask"):
            ClusterTDPTransformer(2).fit_transform(x[None])
        with pytest.raises(ValueError, match=r"mask_img|mesh"):
            ClusterTDPTransformer(2, mesh=mesh).fit_transform(x[None])

    def test_array_of_another_width_is_refused(self, x, mesh, mask_img):
        n = int(data_of(mask_img).sum())
        transformer = ClusterTDPTransformer(2, mesh=mesh, mask_img=mask_img)
        with pytest.raises(ValueError, match=rf"\(n_maps, {n}\).*column for each grayordinate"):
            transformer.fit_transform(x[None])


class TestMasks:
    """Masks are CIFTI images too."""

    @pytest.fixture
    def kept(self, axis):
        return np.random.default_rng(4).random(len(axis)) < 0.8

    @pytest.mark.parametrize("as_mask", ["image", "float image", "str", "Path"])
    def test_mask_is_as_good_as_a_file_of_what_is_in_it(
        self, axis, x, img, mesh, kept, tmp_path, as_mask
    ):
        mask_img = as_img(kept.astype("float32" if as_mask == "float image" else "uint8"), axis)
        mask_img.to_filename(tmp_path / "mask.dscalar.nii")
        if as_mask in ("str", "Path"):
            mask_img = tmp_path / "mask.dscalar.nii"
        transformer = ClusterTDPTransformer(
            2, mesh=mesh, mask_img=str(mask_img) if as_mask == "str" else mask_img
        )
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
        assert transformer.table_.columns.tolist() == COLUMNS
        assert set(transformer.table_["peak_structure"]) == {structure}
        assert transformer.maps_.test.value(0.05) == definition.hommel_value(stats.norm.sf(x[kept]))

    def test_fit_needs_no_map_where_there_is_a_mask(self, axis, img, mesh, kept):
        mask_img = as_img(kept.astype("uint8"), axis)
        transformer = ClusterTDPTransformer(2, mesh=mesh, mask_img=mask_img).fit()
        expected = ClusterTDPTransformer(2, mesh=mesh, mask_img=mask_img).fit_transform(img)
        assert_array_equal(data_of(transformer.transform(img)), data_of(expected))

    def test_without_a_mask_all_grayordinates_are_tested(self, axis, img, mesh):
        transformer = ClusterTDPTransformer(2, mesh=mesh).fit(img)
        assert data_of(transformer.mask_img_).all()
        assert transformer.n_features_in_ == len(axis)

    @pytest.mark.parametrize("masked", [False, True])
    def test_nan_grayordinates_are_left_out_as_if_masked_out(
        self, axis, x, img, mesh, kept, masked
    ):
        is_nan = np.random.default_rng(9).random(len(axis)) < 0.15
        family = kept if masked else np.ones(len(axis), dtype=bool)
        mask_img = as_img(kept.astype("uint8"), axis) if masked else None
        n_nan = (is_nan & family).sum()
        transformer = ClusterTDPTransformer(1, mesh=mesh, mask_img=mask_img, two_sided=True)
        with pytest.warns(UserWarning, match="NaN") as record:
            tdp = transformer.fit_transform(as_img(np.where(is_nan, np.nan, x), axis))
        assert len(record) == 1
        message = f"NaN in {n_nan} of the {family.sum()} grayordinates"
        assert message in str(record[0].message)
        smaller = ClusterTDPTransformer(
            1, mesh=mesh, mask_img=as_img((family & ~is_nan).astype("uint8"), axis), two_sided=True
        )
        assert_array_equal(data_of(tdp), data_of(smaller.fit_transform(img)))
        assert_array_equal(data_of(transformer.labels_img_), data_of(smaller.labels_img_))
        assert_frame_equal(transformer.table_, smaller.table_)


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

    def test_voxels_alone_need_no_mesh(self, axis, x, are_neighbours, definition):
        kept = np.flatnonzero(axis.volume_mask)
        tdp = data_of(ClusterTDPTransformer(1).fit_transform(as_img(x[kept], axis[kept])))
        p = stats.norm.sf(x[kept])
        h = definition.hommel_value(p)
        joined = are_neighbours[6][np.ix_(kept, kept)]
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
        assert table.columns.tolist() == ["region_id", "region", *COLUMNS[3:]]
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

    def test_dscalar_of_labels_has_numbers_for_names(self, axis, x, img, mesh, labels, definition):
        transformer = RegionTDPTransformer(as_img(labels.astype("float32"), axis), mesh=mesh)
        tdp = transformer.fit_transform(img)
        assert_allclose(tdp, [self.expected(x, labels, definition)], rtol=1e-14)
        assert transformer.region_names_ == ["2", "5", "9"]

    def test_regions_of_arrays_are_in_the_order_of_the_file(
        self, axis, x, mesh, labels, definition
    ):
        mask_img = as_img(np.ones(len(axis), dtype="uint8"), axis)
        transformer = RegionTDPTransformer(
            as_dlabel(labels, axis, self.NAMES), mask_img=mask_img, mesh=mesh
        )
        tdp = transformer.fit_transform(np.stack([x, x]))
        assert_allclose(tdp, [self.expected(x, labels, definition)] * 2, rtol=1e-14)

    def test_maps_of_a_dscalar_image_are_regions_that_may_overlap(self, axis, x, img, mesh):
        rng = np.random.default_rng(2)
        rows = rng.random((3, len(axis)))
        overlapping = RegionTDPTransformer(
            as_img(rows, axis), probability_threshold=0.6, labels=["a", "b", "c"], mesh=mesh
        )
        tdp = overlapping.fit_transform(img)
        alone = [
            RegionTDPTransformer(as_img((row > 0.6).astype("uint8"), axis), mesh=mesh)
            .fit_transform(img)
            .item()
            for row in rows
        ]
        assert tdp.tolist() == [alone]
        rest = overlapping.table_.iloc[-1]
        assert rest["n_grayordinates"] == (rows <= 0.6).all(axis=0).sum()

    def test_nan_and_masked_grayordinates_are_in_no_region(
        self, axis, x, img, mesh, labels, definition
    ):
        is_nan = np.random.default_rng(3).random(len(axis)) < 0.2
        dlabel = as_dlabel(labels, axis, self.NAMES)
        of_nan = RegionTDPTransformer(dlabel, mesh=mesh)
        with pytest.warns(UserWarning, match="NaN in"):
            tdp = of_nan.fit_transform(as_img(np.where(is_nan, np.nan, x), axis))
        masked = RegionTDPTransformer(
            dlabel, mesh=mesh, mask_img=as_img((~is_nan).astype("uint8"), axis)
        )
        assert_array_equal(tdp, masked.fit_transform(img))
        assert_frame_equal(of_nan.table_, masked.table_)
        expected = self.expected(x[~is_nan], labels[~is_nan], definition)
        assert_allclose(tdp, [expected], rtol=1e-14)

    def test_inverse_transform_paints_regions(self, axis, img, mesh, labels):
        transformer = RegionTDPTransformer(as_dlabel(labels, axis, self.NAMES), mesh=mesh).fit(img)
        painted = transformer.inverse_transform([[0.2, 0.5, 0.9], [1, 2, 3]])
        assert isinstance(painted, Cifti2Image)
        assert painted.shape == (2, len(axis))
        assert painted.header.get_axis(1) == axis
        for row, values in zip(
            np.asarray(painted.dataobj), ([0.2, 0.5, 0.9], [1, 2, 3]), strict=True
        ):
            for label, value in zip((2, 5, 9), values, strict=True):
                assert (row[labels == label] == value).all()
            assert (row[labels == 0] == 0).all()
        assert transformer.inverse_transform([1, 2, 3]).shape == (1, len(axis))

    def test_given_clusters_keep_their_labels(self, axis, x, img, mesh, labels, definition):
        transformer = ClusterTDPTransformer(
            labels_img=as_dlabel(labels, axis, self.NAMES), mesh=mesh
        )
        tdp = data_of(transformer.fit_transform(img))
        expected = dict(zip((2, 5, 9), self.expected(x, labels, definition), strict=True))
        assert_allclose(tdp, [expected.get(label, 0) for label in labels], rtol=1e-14)
        assert_array_equal(data_of(transformer.labels_img_), labels)
        assert transformer.table_.columns.tolist() == COLUMNS
        assert transformer.table_["cluster_id"].tolist() == [2, 5, 9, 0]

    def test_dlabel_image_of_several_maps_is_refused(self, axis, img, mesh, labels):
        dlabel = as_dlabel(labels, axis, self.NAMES, n_maps=2)
        for transformer in (
            RegionTDPTransformer(dlabel, mesh=mesh),
            ClusterTDPTransformer(labels_img=dlabel, mesh=mesh),
        ):
            with pytest.raises(ValueError, match=r"labels_img must be .*single map"):
                transformer.fit(img)

    def test_regions_on_other_grayordinates_are_refused(self, axis, img, mesh, labels):
        dlabel = as_dlabel(labels[1:], axis[np.arange(1, len(axis))], self.NAMES)
        match = r"labels_img and mask_img must have the same grayord[^$]*resampling_target='data'"
        for transformer in (
            RegionTDPTransformer(dlabel, mesh=mesh),
            ClusterTDPTransformer(labels_img=dlabel, mesh=mesh),
        ):
            with pytest.raises(ValueError, match=match):
                transformer.fit(img)

    def test_regions_on_the_same_grayordinates_stay_as_they_are(self, axis, img, mesh, labels):
        dlabel = as_dlabel(labels, axis, self.NAMES)
        plain, matched = (
            RegionTDPTransformer(dlabel, mesh=mesh, resampling_target=target)
            for target in (None, "data")
        )
        assert_array_equal(matched.fit_transform(img), plain.fit_transform(img))
        assert_frame_equal(matched.table_, plain.table_)

    @pytest.mark.parametrize("missing", ["none", "some", "voxels", "left"])
    def test_regions_are_matched_by_structure_and_place(self, axis, img, mesh, labels, missing):
        kept = {
            "none": np.ones(len(axis), dtype=bool),
            "some": np.random.default_rng(4).random(len(axis)) < 0.7,
            "voxels": ~axis.volume_mask,
            "left": axis.name != "CIFTI_STRUCTURE_CORTEX_LEFT",
        }[missing]
        # In another order, and with grayordinates that the map does not have.
        order = np.random.default_rng(5).permutation(np.flatnonzero(kept))
        medial = surface_axis("left", 30, LEFT_OUT["left"])
        dlabel = as_dlabel(
            np.concatenate([np.full(len(medial), 11), labels[order]]),
            medial + axis[order],
            self.NAMES,
        )
        expected_labels = np.where(kept, labels, 0)
        expected = ClusterTDPTransformer(
            labels_img=as_dlabel(expected_labels, axis, self.NAMES), mesh=mesh
        )
        matched = ClusterTDPTransformer(labels_img=dlabel, mesh=mesh, resampling_target="data")
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
        affine = AFFINE.copy()
        affine[:3, 3] -= AFFINE[:3, :3] @ shift
        voxels = np.where(axis.volume_mask[:, np.newaxis], axis.voxel + shift, axis.voxel)
        other = BrainModelAxis(
            axis.name,
            voxel=voxels,
            vertex=axis.vertex,
            affine=affine,
            volume_shape=tuple(np.add(VOLUME_SHAPE, shift).tolist()),
            nvertices=axis.nvertices,
        )
        matched = ClusterTDPTransformer(
            labels_img=as_dlabel(labels, other, self.NAMES), mesh=mesh, resampling_target="data"
        )
        matched.fit_transform(img)
        assert_array_equal(data_of(matched.labels_img_), labels)

    @pytest.mark.parametrize("off", [0, 0.001, -0.001])
    def test_places_that_differ_by_less_than_rounding_are_one(self, off):
        def axis_at(origin):
            affine = np.diag([2.0, 2, 2, 1])
            affine[:3, 3] = origin
            voxels = list(itertools.product(range(3), repeat=3))
            name = np.full(27, "CIFTI_STRUCTURE_THALAMUS_LEFT")
            return BrainModelAxis(name, voxel=voxels, affine=affine, volume_shape=(3, 3, 3))

        labels = np.arange(27) % 3
        matched = ClusterTDPTransformer(
            labels_img=as_img(labels, axis_at(-2 + off)), resampling_target="data"
        )
        x = np.random.default_rng(0).standard_normal(27)
        matched.fit_transform(as_img(x, axis_at(-2)))
        assert_array_equal(data_of(matched.labels_img_), labels)

    def test_background_of_what_is_missing_is_the_background_label(self, axis, img, mesh, labels):
        cortex = ~axis.volume_mask
        dscalar = as_img(np.where(labels == 0, 7, labels)[cortex], axis[np.flatnonzero(cortex)])
        transformer = RegionTDPTransformer(
            dscalar, mesh=mesh, resampling_target="data", background_label=7
        )
        transformer.fit_transform(img)
        rest = transformer.table_.iloc[-1]
        assert rest["region_id"] == 7
        assert rest["n_grayordinates"] == (~cortex).sum() + (labels[cortex] == 0).sum()


class TestZeros:
    """Grayordinates that are exactly 0 are tested where there is no mask."""

    def test_map_with_many_zeros_is_warned_of(self, axis, x, mesh):
        zeros = np.random.default_rng(6).random(len(axis)) < 0.3
        padded = as_img(np.where(zeros, 0, x), axis)
        match = f"exactly 0 in {zeros.sum()} of {len(axis)} grayordinates, all of which are tested"
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
            with pytest.raises(TypeError, match=r"must be dense.*\(1, 2\).*ParcelsAxis"):
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
            ValueError, match=r"mesh must have the mesh of CORTEX_(LEFT|RIGHT), (30|28) vertices"
        ):
            ClusterTDPTransformer().fit(img)

    def test_mesh_without_a_hemisphere_is_refused(self, img, mesh):
        for given in ({"left": mesh.parts["left"]}, PolyMesh(left=mesh.parts["left"])):
            with pytest.raises(ValueError, match=r"mesh of CORTEX_RIGHT, 28.* Got \['left'\]"):
                ClusterTDPTransformer(mesh=given).fit(img)

    def test_mesh_of_another_size_is_refused(self, img, mesh):
        swapped = {"left": mesh.parts["right"], "right": mesh.parts["left"]}
        for given in (swapped, load_fsaverage("fsaverage5")["pial"]):
            with pytest.raises(
                ValueError, match=r"mesh must have (30|28) vertices in the .* hemisphere.* Got"
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

    def test_mesh_of_other_kinds_of_images_is_refused(self, z_img, mask_img, mesh):
        with pytest.raises(ValueError, match=r"mesh is for CIFTI images only.* volume"):
            ClusterTDPTransformer(mask_img=mask_img, mesh=mesh).fit(z_img)
        surface = SurfaceImage(mesh, {"left": np.arange(30.0), "right": np.arange(28.0)})
        with pytest.raises(ValueError, match=r"mesh is for CIFTI images only.* surface"):
            ClusterTDPTransformer(mesh=mesh).fit(surface)

    def test_mask_that_is_not_binary_is_refused(self, axis, x, img, mesh):
        some_nan = np.where(x > 0, np.nan, 1.0)
        for values in (x, some_nan):
            with pytest.raises(ValueError, match="mask_img must be binary"):
                ClusterTDPTransformer(mesh=mesh, mask_img=as_img(values, axis)).fit(img)

    def test_empty_mask_is_refused(self, axis, img, mesh):
        empty = as_img(np.zeros(len(axis), "uint8"), axis)
        with pytest.raises(ValueError, match="mask that is empty"):
            ClusterTDPTransformer(mesh=mesh, mask_img=empty).fit(img)

    def test_mask_of_several_maps_is_refused(self, axis, img, mesh):
        several = as_img(np.ones((2, len(axis)), "uint8"), axis)
        with pytest.raises(ValueError, match=r"must hold one map here. Got 2"):
            ClusterTDPTransformer(mesh=mesh, mask_img=several).fit(img)

    def test_images_of_several_maps_in_a_list_are_refused(self, axis, x, img, mesh):
        with pytest.raises(ValueError, match=r"must hold one map here. Got 2"):
            ClusterTDPTransformer(mesh=mesh).fit([img, as_img([x, x], axis)])

    def test_kinds_are_not_mixed(self, axis, img, z_img, mask_img, mesh):
        surface = SurfaceImage(mesh, {"left": np.arange(30.0), "right": np.arange(28.0)})
        cifti_mask = as_img(np.ones(len(axis), "uint8"), axis)
        of_cifti = ClusterTDPTransformer(mesh=mesh)
        for other in (z_img, surface):
            name = type(other).__name__
            with pytest.raises(TypeError, match=f"of one kind, .* Got a {name}"):
                of_cifti.fit([img, other])
            with pytest.raises(TypeError, match="mask_img must be of the same kind"):
                ClusterTDPTransformer(mask_img=cifti_mask, mesh=mesh).fit(other)
            with pytest.raises(TypeError, match="Got a mask of a CIFTI image"):
                ClusterTDPTransformer(mask_img=cifti_mask, mesh=mesh).fit().transform(other)
        with pytest.raises(TypeError, match="Cifti2Image"):
            ClusterTDPTransformer(mask_img=mask_img).fit([z_img, img])
        with pytest.raises(TypeError, match="Cifti2Image"):
            ClusterTDPTransformer().fit([surface, img])
        with pytest.raises(TypeError, match=r"same kind.*a CIFTI image.*Nifti1Image"):
            ClusterTDPTransformer(mask_img=mask_img, mesh=mesh).fit(img)
        with pytest.raises(TypeError, match=r"same kind.*a CIFTI image.*Nifti1Image"):
            RegionTDPTransformer(mask_img, mesh=mesh).fit(img)
        with pytest.raises(TypeError, match=r"same kind.*a volume.*Cifti2Image"):
            RegionTDPTransformer(img, mask_img=mask_img).fit(z_img)

    @pytest.mark.parametrize("content", ["constant", "all NaN"])
    def test_map_without_anything_to_test_is_refused(self, axis, mesh, content):
        values = np.full(len(axis), np.nan if content == "all NaN" else 2.0)
        with pytest.raises(ValueError, match=f"{content.split()[-1]}.*grayordinates of the mask"):
            ClusterTDPTransformer(mesh=mesh).fit_transform(as_img(values, axis))
