"""Clusters that an image of labels gives, in place of a threshold."""

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from nibabel import Nifti1Image
from nilearn.image import get_data, math_img, resample_to_img
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from scipy import stats
from sklearn.exceptions import NotFittedError

from ari_estimator import ClusterTDPTransformer, RegionTDPTransformer
from ari_estimator.closed_testing import Hommel

# The map of most tests has a negative effect, in cluster 7; one-sided tests say so.
_NEGATIVE = "negative values and none above 0"
pytestmark = pytest.mark.filterwarnings(f"ignore:.*{_NEGATIVE}")

CASES = [
    (case, alpha)
    for case in ("z1.0", "z2.0", "z2.5", "z3.0", "z3.2", "z4.0", "z5.0", "file32")
    for alpha in ("0.05", "0.10")
]

# Every real type of NIfTI that holds the labels below, in both byte orders.
DTYPES = ["int8", "uint8", "int16", ">i2", "uint16", "int32", ">i4", "uint32", "int64", "uint64"]
FLOATS = ["float32", ">f4", "float64", ">f8"]


@pytest.fixture
def labels():
    """Return labels that are neither consecutive nor ordered along an axis, 0 in between."""
    labels = np.zeros((8, 9, 10), dtype="int32")
    labels[1:4, 1:5, 1:6] = 40
    labels[4:7, 1:5, 2:6] = 7
    labels[5:8, 6:9, 6:] = 100
    labels[0:3, 7:, :4] = 3
    return labels


@pytest.fixture
def labels_img(labels, make_img):
    return make_img(labels)


@pytest.fixture
def expected(z, mask, definition):
    """Return a function from a label volume to the bounds of its labels in the mask."""
    p = stats.norm.sf(z)
    h = definition.hommel_value(p[mask])

    def bounds(labels):
        present = np.unique(labels[mask])
        members = {label: mask & (labels == label) for label in present}
        return {
            int(label): (definition.true_discoveries(p[inside], h), int(inside.sum()))
            for label, inside in members.items()
        }

    return bounds


@pytest.fixture(scope="module")
def surfaces():
    """Return a map and labels on two small meshes, as surface images."""
    rng = np.random.default_rng(0)
    faces = np.array([[i, i + 1, i + 2] for i in range(28)])
    mesh = PolyMesh(
        left=InMemoryMesh(rng.random((30, 3)), faces),
        right=InMemoryMesh(rng.random((30, 3)) + 5, faces),
    )
    labels = {side: rng.choice([0, 4, 9], 30) for side in ("left", "right")}
    values = {side: rng.standard_normal(30) + (labels[side] == 9) * 3 for side in labels}
    return SurfaceImage(mesh, values), SurfaceImage(mesh, labels)


@pytest.fixture(scope="module")
def auditory(shared_path):
    """Return the p map, its mask, the rows of ARIbrain and the clusters it was given."""
    folder = shared_path("data", "auditory_z")
    with np.load(shared_path("reference", "ari_auditory_labels.npz")) as archive:
        labels = dict(archive)
    return (
        nib.load(folder / "pvalue.nii.gz"),
        math_img("img != 0", img=nib.load(folder / "mask.nii.gz")),
        pd.read_csv(shared_path("reference", "ari_auditory.tsv"), sep="\t"),
        {**labels, "file32": folder / "cluster_th_3.2.nii.gz"},
    )


class TestAuditory:
    """The clusters that were given to the R package ARIbrain, row by row."""

    @pytest.mark.parametrize(("case", "alpha"), CASES)
    def test_bounds_equal_the_bounds_of_aribrain(self, auditory, case, alpha):
        p_img, mask_img, rows, clusters = auditory
        given = clusters[case]
        if case != "file32":
            given = Nifti1Image(given, p_img.affine)
        transformer = ClusterTDPTransformer(
            labels_img=given, stat_type="p", alpha=float(alpha), mask_img=mask_img
        )
        tdp = get_data(transformer.fit_transform(p_img))
        rows = rows[rows["case"] == f"ext_{case}_alpha{alpha}"].copy()
        rows["cluster_id"] = [int(name.removeprefix("cl")) for name in rows["cluster"]]
        # By ascending label, the rest last.
        rows = rows.sort_values("cluster_id", key=lambda ids: ids.where(ids > 0, np.inf))
        table = transformer.table_
        assert len(table) == len(rows) > 4
        assert table["cluster_id"].tolist() == rows["cluster_id"].tolist()
        assert table["n_voxels"].tolist() == rows["Size"].tolist()
        assert table["true_discoveries"].tolist() == rows["FalseNull"].tolist()
        assert_allclose(table["tdp"], rows["ActiveProp"], rtol=1e-12)

        labels = get_data(nib.load(given) if case == "file32" else given)
        of_label = np.zeros(labels.max() + 1)
        of_label[table["cluster_id"][:-1]] = table["tdp"][:-1]
        assert_array_equal(tdp, of_label[labels.astype(int)])
        assert_array_equal(get_data(transformer.labels_img_), labels)
        # The peak of ARIbrain is one of the smallest p-values here.
        peaks = tuple((rows[["dim1", "dim2", "dim3"]].to_numpy() - 1).T)
        assert_array_equal(table["peak_stat"], get_data(p_img)[peaks])


class TestLabels:
    """Labels are kept as they are."""

    @pytest.mark.parametrize("dtype", DTYPES + FLOATS)
    def test_labels_of_any_type_keep_their_numbers(
        self, z_img, mask, mask_img, labels, expected, dtype
    ):
        img = Nifti1Image(labels.astype(dtype), z_img.affine, dtype=dtype)
        transformer = ClusterTDPTransformer(labels_img=img, mask_img=mask_img)
        tdp = get_data(transformer.fit_transform(z_img))
        bounds = expected(labels)
        assert bounds.keys() == {0, 3, 7, 40, 100}
        of_label = {label: bound / n for label, (bound, n) in bounds.items()}
        of_label[0] = 0
        assert max(of_label.values()) > 0
        volume = np.vectorize(of_label.get, otypes=[float])(labels) * mask
        assert_allclose(tdp, volume, rtol=1e-14)
        assert tdp.dtype == np.float64
        shown = transformer.labels_img_
        assert_array_equal(get_data(shown), labels * mask)
        assert get_data(shown).dtype.kind == "i"

    @pytest.mark.parametrize("largest", [1000, 70_000, 2**24 + 1, 2**31 - 1])
    def test_large_labels_are_exact(self, z_img, mask, mask_img, make_img, labels, largest):
        labels = np.where(labels == 100, largest, labels).astype("int32")
        transformer = ClusterTDPTransformer(labels_img=make_img(labels), mask_img=mask_img)
        transformer.fit_transform(z_img)
        assert_array_equal(get_data(transformer.labels_img_), labels * mask)
        assert transformer.table_["cluster_id"].tolist() == [3, 7, 40, largest, 0]

    def test_rows_are_by_ascending_label_and_the_rest_is_last(
        self, z, z_img, mask, mask_img, labels, labels_img, expected
    ):
        transformer = ClusterTDPTransformer(labels_img=labels_img, mask_img=mask_img).fit(z_img)
        table = transformer.table_
        bounds = expected(labels)
        assert table["cluster_id"].tolist() == [3, 7, 40, 100, 0]
        assert table["threshold"].isna().all()
        assert table["direction"].tolist() == ["positive"] * 4 + ["rest"]
        for _, row in table.iterrows():
            inside = mask & (labels == row["cluster_id"])
            assert (row["true_discoveries"], row["n_voxels"]) == bounds[row["cluster_id"]]
            assert row["tdp"] == row["true_discoveries"] / row["n_voxels"]
            assert_allclose(row["size_mm3"], row["n_voxels"] * 24)
            assert row["peak_stat"] == z[inside].max()
        assert transformer.n_tested_ == mask.sum()

    def test_labels_on_disk_are_those_given(self, z_img, mask_img, labels_img, tmp_path):
        paths = [tmp_path / "labels.nii.gz", tmp_path / "tdp.nii.gz", tmp_path / "shown.nii.gz"]
        labels_img.to_filename(paths[0])
        images = ClusterTDPTransformer(labels_img=labels_img, mask_img=mask_img)
        tdp = images.fit_transform(z_img)
        for given_path in (paths[0], str(paths[0])):
            transformer = ClusterTDPTransformer(labels_img=given_path, mask_img=mask_img)
            assert_array_equal(get_data(transformer.fit_transform(z_img)), get_data(tdp))
        transformer.labels_img_.to_filename(paths[2])
        saved = nib.load(paths[2])
        assert saved.get_data_dtype().kind in "iu"
        assert_array_equal(get_data(saved), get_data(images.labels_img_))

    def test_found_clusters_given_again_have_the_same_bounds(self, z_img, mask_img):
        found = ClusterTDPTransformer(1, connectivity=26, mask_img=mask_img)
        tdp = found.fit_transform(z_img)
        again = ClusterTDPTransformer(labels_img=found.labels_img_, mask_img=mask_img)
        assert_array_equal(get_data(again.fit_transform(z_img)), get_data(tdp))
        unnamed = ["threshold"]
        assert len(again.table_) > 3
        assert_frame_equal(again.table_.drop(columns=unnamed), found.table_.drop(columns=unnamed))

    @pytest.mark.parametrize("local_test", ["simes", "hommel"])
    @pytest.mark.parametrize("alpha", [0.01, 0.3])
    def test_level_and_local_test_count(
        self, z, z_img, mask, mask_img, labels, labels_img, definition, alpha, local_test
    ):
        transformer = ClusterTDPTransformer(
            labels_img=labels_img, mask_img=mask_img, alpha=alpha, local_test=local_test
        ).fit(z_img)
        p = stats.norm.sf(z)
        h = definition.hommel_value(p[mask], alpha, local_test)
        assert transformer.table_["true_discoveries"].tolist() == [
            definition.true_discoveries(p[mask & (labels == i)], h, alpha, local_test)
            for i in (3, 7, 40, 100, 0)
        ]

    def test_two_sided_clusters_are_of_both_directions(
        self, z, z_img, mask, mask_img, labels, labels_img, definition
    ):
        transformer = ClusterTDPTransformer(
            labels_img=labels_img, mask_img=mask_img, two_sided=True
        ).fit(z_img)
        p = 2 * stats.norm.sf(np.abs(z))
        h = definition.hommel_value(p[mask])
        table = transformer.table_
        assert table["direction"].tolist() == ["both"] * 4 + ["rest"]
        for _, row in table.iterrows():
            inside = mask & (labels == row["cluster_id"])
            assert row["true_discoveries"] == definition.true_discoveries(p[inside], h)
            assert row["peak_stat"] == z[inside][np.abs(z[inside]).argmax()]
        # The second has the negative effect.
        assert table["peak_stat"][1] < 0 < table["peak_stat"][2]

    def test_a_one_sided_test_warns_of_negative_clusters(self, z, mask_img, labels, make_img):
        # Cluster 7 is below 0; cluster 40 has values of both signs.
        z = np.where(labels == 7, -np.abs(z) - 2, z)
        z[labels == 40] = np.where(np.arange((labels == 40).sum()) % 2, -3, 1)
        z[labels == 100] = np.abs(z[labels == 100])
        z[labels == 3] = np.abs(z[labels == 3])
        ari = ClusterTDPTransformer(labels_img=make_img(labels), mask_img=mask_img)
        match = r"^1 of the 4 given clusters have negative.*says nothing about.* two_sided=True"
        with pytest.warns(UserWarning, match=match) as record:
            ari.fit(make_img(z))
        assert len(record) == 1
        row = ari.table_.set_index("cluster_id").loc[7]
        assert row["direction"] == "positive"
        assert row["true_discoveries"] == 0

    @pytest.mark.filterwarnings("error")
    @pytest.mark.parametrize("two_sided", [True, "directional"])
    def test_a_two_sided_test_does_not_warn_of_negative_clusters(
        self, z, mask_img, labels, make_img, two_sided
    ):
        z_img = make_img(np.where(labels == 7, -np.abs(z) - 2, z))
        ari = ClusterTDPTransformer(
            labels_img=make_img(labels), mask_img=mask_img, two_sided=two_sided
        ).fit(z_img)
        assert ari.table_["true_discoveries"].iloc[1] > 0

    @pytest.mark.filterwarnings("error")
    def test_regions_of_an_atlas_may_have_negative_values(self, z, mask_img, labels, make_img):
        z_img = make_img(np.where(labels == 7, -np.abs(z), z))
        RegionTDPTransformer(make_img(labels), mask_img=mask_img).fit(z_img)

    def test_labels_may_fill_the_mask(self, z_img, mask_img, make_img, mask):
        transformer = ClusterTDPTransformer(
            labels_img=make_img(mask.astype("uint8") * 5), mask_img=mask_img
        ).fit(z_img)
        cluster, rest = transformer.table_.iloc[0], transformer.table_.iloc[1]
        assert cluster["true_discoveries"] == transformer.true_discoveries_
        assert cluster["n_voxels"] == mask.sum()
        assert rest["n_voxels"] == rest["true_discoveries"] == rest["size_mm3"] == 0
        assert rest[["tdp", "peak_stat", "peak_x", "peak_y", "peak_z"]].isna().all()

    @given(
        arrays(float, (3, 3, 2), elements=st.floats(-3, 8)),
        arrays("int16", (3, 3, 2), elements=st.sampled_from([0, 0, 1, 2, 30, 500])),
        st.sampled_from(["simes", "hommel"]),
    )
    @settings(max_examples=40)
    def test_bounds_of_a_partition_are_the_bounds_of_its_sets_one_by_one(
        self, z, labels, local_test
    ):
        z.flat[0], labels.flat[0] = -4, 1
        whole = Nifti1Image(np.ones(z.shape, dtype="uint8"), np.eye(4))
        transformer = ClusterTDPTransformer(
            labels_img=Nifti1Image(labels, np.eye(4)), mask_img=whole, local_test=local_test
        )
        tdp = get_data(transformer.fit_transform(Nifti1Image(z, np.eye(4))))
        hommel = Hommel(stats.norm.sf(z.ravel()), local_test)
        vector = hommel.critical_vector(0.05)
        table = transformer.table_.set_index("cluster_id")
        assert set(table.index) == {0, *np.unique(labels)}
        for label in np.unique(labels):
            inside = labels == label
            bound = vector.true_discoveries(stats.norm.sf(z[inside]))
            assert table.loc[label, "true_discoveries"] == bound
            assert table.loc[label, "n_voxels"] == inside.sum()
            assert (tdp[inside] == (bound / inside.sum() if label else 0)).all()
        assert table["true_discoveries"].sum() <= transformer.true_discoveries_


class TestMaps:
    """All that is a map elsewhere is a map here."""

    def test_surfaces(self, surfaces, definition):
        img, labels_img = surfaces
        transformer = ClusterTDPTransformer(labels_img=labels_img)
        tdp = transformer.fit_transform(img)
        z, labels, shown, back = (
            np.concatenate([image.data.parts[side] for side in ("left", "right")])
            for image in (img, labels_img, tdp, transformer.labels_img_)
        )
        p = stats.norm.sf(z)
        h = definition.hommel_value(p)
        table = transformer.table_
        assert table["cluster_id"].tolist() == [4, 9, 0]
        # A label may be on both meshes: that is for who gives it to say.
        assert table["n_vertices"].tolist() == [(labels == i).sum() for i in (4, 9, 0)]
        bounds = [definition.true_discoveries(p[labels == i], h) for i in (4, 9, 0)]
        assert table["true_discoveries"].tolist() == bounds
        assert bounds[1] > 0
        assert_array_equal(back, labels)
        assert_array_equal(shown, np.select([labels == 4, labels == 9], table["tdp"][:2]))

    def test_surface_labels_may_be_a_column(self, surfaces):
        img, labels_img = surfaces
        column = {side: values[:, None] for side, values in labels_img.data.parts.items()}
        transformer = ClusterTDPTransformer(labels_img=SurfaceImage(labels_img.mesh, column))
        transformer.fit_transform(img)
        flat = ClusterTDPTransformer(labels_img=labels_img).fit(img)
        assert_frame_equal(transformer.table_, flat.table_)

    def test_one_cluster_of_bool_vertices(self, surfaces):
        img, labels_img = surfaces
        parts = labels_img.data.parts
        as_bool, as_int = (
            ClusterTDPTransformer(
                labels_img=SurfaceImage(
                    img.mesh, {side: (values == 9).astype(dtype) for side, values in parts.items()}
                )
            )
            for dtype in (bool, int)
        )
        as_bool.fit_transform(img)
        as_int.fit_transform(img)
        assert_frame_equal(as_bool.table_, as_int.table_)


class TestOutsideTheMask:
    """Labels, and voxels of labels, that are not tested."""

    def test_label_outside_the_mask_has_an_empty_row(
        self, z_img, mask, mask_img, labels, make_img, expected
    ):
        assert not mask[0].any()
        outside = np.where(labels == 3, 0, labels)
        outside[0, :3], outside[0, 4:6] = 55, 8
        transformer = ClusterTDPTransformer(labels_img=make_img(outside), mask_img=mask_img)
        match = r"2 of the 5 regions of labels_img have no voxels in the mask \(labels 8, 55\)"
        with pytest.warns(UserWarning, match=match) as record:
            tdp = transformer.fit_transform(z_img)
        assert sum(_NEGATIVE not in str(warning.message) for warning in record) == 1
        table = transformer.table_.set_index("cluster_id")
        assert table.index.tolist() == [7, 8, 40, 55, 100, 0]
        empty = table.loc[[8, 55]]
        assert (empty[["n_voxels", "size_mm3", "true_discoveries"]] == 0).all(axis=None)
        assert empty[["tdp", "peak_stat", "peak_x", "peak_y", "peak_z"]].isna().all(axis=None)
        bounds = expected(outside)
        for label in (7, 40, 100, 0):
            row = table.loc[label]
            assert (row["true_discoveries"], row["n_voxels"]) == bounds[label]
        assert_array_equal(get_data(transformer.labels_img_), outside * mask)
        assert np.isfinite(get_data(tdp)).all()

    def test_many_labels_outside_are_not_all_named(self, z_img, mask_img, make_img, labels):
        many = labels.copy()
        many[0, 0] = np.arange(201, 211)
        many[0, 1] = np.arange(301, 311)
        transformer = ClusterTDPTransformer(labels_img=make_img(many), mask_img=mask_img)
        with pytest.warns(UserWarning, match=r"20 of the 24 regions.*201, .* 210, \.\.\.\)"):
            transformer.fit(z_img)

    @pytest.mark.filterwarnings("error")
    def test_voxels_of_labels_outside_the_mask_do_not_count(
        self, z_img, mask, mask_img, labels, make_img
    ):
        rest = np.where(mask, labels, 7)
        tables = []
        for given_labels in (rest, labels * mask):
            transformer = ClusterTDPTransformer(
                labels_img=make_img(given_labels), mask_img=mask_img
            ).fit(z_img)
            tables.append(transformer.table_)
        assert_frame_equal(*tables)

    def test_label_that_is_all_nan_has_an_empty_row(
        self, z, mask, mask_img, labels, labels_img, make_img
    ):
        transformer = ClusterTDPTransformer(labels_img=labels_img, mask_img=mask_img)
        with pytest.warns(UserWarning, match="NaN in"):
            tdp = transformer.fit_transform(make_img(np.where(labels == 7, np.nan, z)))
        row = transformer.table_.iloc[1]
        assert row["cluster_id"] == 7
        assert row["n_voxels"] == row["true_discoveries"] == 0
        assert np.isnan(row["tdp"])
        assert (get_data(tdp)[labels == 7] == 0).all()
        assert transformer.n_tested_ == (mask & (labels != 7)).sum()


class TestResampling:
    """Labels on another grid."""

    @pytest.fixture
    def coarse(self):
        """Return labels on a coarser, shifted grid, which covers a part of the map's."""
        affine = np.array([[-5.0, 0, 0, 11], [0, 5, 0, -8], [0, 0, 5, 4], [0, 0, 0, 1]])
        labels = np.random.default_rng(0).choice(np.array([0, 3, 8], dtype="int16"), (4, 4, 6))
        return Nifti1Image(labels, affine)

    @pytest.mark.filterwarnings("error")
    @pytest.mark.parametrize("dtype", ["uint8", "int32", "float32", ">i2"])
    def test_nilearn_resamples_alike_by_the_nearest_neighbour(self, z_img, mask_img, coarse, dtype):
        img = Nifti1Image(get_data(coarse).astype(dtype), coarse.affine, dtype=dtype)
        transformer = ClusterTDPTransformer(
            labels_img=img, mask_img=mask_img, resampling_target="data"
        )
        tdp = transformer.fit_transform(z_img)
        on_grid = resample_to_img(
            img, z_img, interpolation="nearest", copy_header=True, force_resample=True
        )
        assert set(np.unique(get_data(on_grid))) == {0, 3, 8}
        before = ClusterTDPTransformer(labels_img=on_grid, mask_img=mask_img)
        assert_array_equal(get_data(tdp), get_data(before.fit_transform(z_img)))
        assert_array_equal(get_data(transformer.labels_img_), get_data(before.labels_img_))
        assert_frame_equal(transformer.table_, before.table_)
        of_regions, expected = (
            RegionTDPTransformer(labels_img, mask_img=mask_img, resampling_target=target)
            for labels_img, target in ((img, "data"), (on_grid, None))
        )
        assert_array_equal(of_regions.fit_transform(z_img), expected.fit_transform(z_img))
        assert_frame_equal(of_regions.table_, expected.table_)

    def test_same_grid_stays_as_it_is(self, z_img, mask_img, labels_img):
        tables = []
        for target in (None, "data"):
            transformer = ClusterTDPTransformer(
                labels_img=labels_img, mask_img=mask_img, resampling_target=target
            ).fit(z_img)
            tables.append(transformer.table_)
        assert_frame_equal(*tables)

    def test_target_without_labels_is_refused(self, z_img, mask_img):
        with pytest.raises(
            ValueError, match="resampling_target must be left at the default without a labels_img"
        ):
            ClusterTDPTransformer(3, mask_img=mask_img, resampling_target="data").fit(z_img)


class TestBadLabels:
    """Images that are no labels of the map."""

    @pytest.mark.parametrize(
        ("change", "match"),
        [
            (lambda labels: np.where(labels == 7, -7, labels), "not hold negative .* Got -7"),
            (lambda labels: labels * 0.35, r"hold integers. Got 1\.\d+.*'nearest'"),
            (lambda labels: np.where(labels == 7, np.nan, labels), "integers. Got NaN"),
            (lambda labels: np.where(labels == 7, np.inf, labels), "integers. Got .*infinite"),
            (lambda labels: labels * 0, "at least one region. Got nothing but the background, 0"),
            (lambda labels: labels.astype("int64") * 10**8, "up to 2147483647. Got 10000000000"),
            (lambda labels: labels * 1e8, r"up to 2147483647. Got 1(0000000000\.0|e\+10)"),
        ],
        ids=["negative", "not integer", "NaN", "infinite", "background", "int64", "large float"],
    )
    def test_values_that_are_no_labels_are_refused(self, z_img, mask_img, labels, change, match):
        changed = change(labels)
        img = Nifti1Image(changed, z_img.affine, dtype=changed.dtype)
        for transformer in (ClusterTDPTransformer(labels_img=img), RegionTDPTransformer(img)):
            with pytest.raises(ValueError, match=f"labels_img must .*{match}"):
                transformer.set_params(mask_img=mask_img).fit(z_img)

    def test_statistical_map_is_refused(self, z_img, mask_img):
        with pytest.raises(ValueError, match="labels_img must hold integers"):
            ClusterTDPTransformer(labels_img=z_img, mask_img=mask_img).fit(z_img)

    def test_several_maps_are_refused(self, z_img, mask_img, labels, make_img, surfaces):
        four_d = make_img(np.stack([labels > 0, labels == 3], axis=-1).astype("uint8"))
        with pytest.raises(ValueError, match=r"a single map.*RegionTDPTransformer"):
            ClusterTDPTransformer(labels_img=four_d, mask_img=mask_img).fit(z_img)
        img, of_surface = surfaces
        several = {
            side: np.stack([v > 0, v > 0], axis=1) for side, v in of_surface.data.parts.items()
        }
        with pytest.raises(ValueError, match=r"a single map.*RegionTDPTransformer"):
            ClusterTDPTransformer(labels_img=SurfaceImage(img.mesh, several)).fit(img)

    def test_labels_on_another_mesh_are_refused(self, surfaces):
        img, labels_img = surfaces
        left, right = labels_img.mesh.parts["left"], labels_img.mesh.parts["right"]
        fewer = SurfaceImage(
            PolyMesh(left=InMemoryMesh(left.coordinates[:20], left.faces[:18]), right=right),
            {"left": np.ones(20), "right": np.ones(30)},
        )
        other_faces = SurfaceImage(
            PolyMesh(left=InMemoryMesh(left.coordinates, left.faces[::-1]), right=right),
            dict(labels_img.data.parts),
        )
        for other in (fewer, other_faces):
            with pytest.raises(ValueError, match=r"labels_img .*must lie on the"):
                ClusterTDPTransformer(labels_img=other).fit(img)

    def test_arrays_are_no_labels(self, z_img, mask_img, labels):
        with pytest.raises(TypeError, match=r"of the same kind as the maps, a volume. Got ndarray"):
            ClusterTDPTransformer(labels_img=labels, mask_img=mask_img).fit(z_img)

    def test_missing_file_is_named(self, z_img, mask_img, tmp_path):
        for path in (tmp_path / "none.nii.gz", str(tmp_path / "none.nii.gz")):
            with pytest.raises((ValueError, FileNotFoundError), match=r"none\.nii\.gz"):
                ClusterTDPTransformer(labels_img=path, mask_img=mask_img).fit(z_img)


class TestParameters:
    """What makes clusters is not given together with clusters."""

    def test_labels_that_are_set_after_fit_are_refused(self, z_img, mask_img, labels_img):
        transformer = ClusterTDPTransformer(mask_img=mask_img).fit()
        transformer.set_params(labels_img=labels_img)
        with pytest.raises(NotFittedError, match=r"labels_img was set after fit.*Call fit again"):
            transformer.transform(z_img)
        transformer.fit().set_params(labels_img=None)
        with pytest.raises(NotFittedError, match="labels_img was set after fit"):
            transformer.transform(z_img)

    @pytest.mark.parametrize(
        "parameters",
        [
            {"threshold": 3},
            {"threshold": [2, 3]},
            {"threshold": np.array([2.0, 3.0])},
            {"threshold": "concentration"},
            {"connectivity": 18},
            {"cluster_threshold": 10},
            {"threshold_scale": "p"},
            {"threshold": 0.01, "threshold_scale": "p"},
            {"threshold": 2.5, "connectivity": 26, "cluster_threshold": 1},
        ],
        ids=str,
    )
    def test_parameters_of_clusters_are_refused(self, z_img, mask_img, labels_img, parameters):
        transformer = ClusterTDPTransformer(labels_img=labels_img, mask_img=mask_img, **parameters)
        with pytest.raises(ValueError, match="default with labels_img") as info:
            transformer.fit(z_img)
        for name, value in parameters.items():
            assert f"{name}={value!r}" in str(info.value)

    @pytest.mark.parametrize(
        "parameters",
        [
            {"threshold": 3},
            {"threshold_scale": "p"},
            {"cluster_threshold": 2},
            {"connectivity": 26},
        ],
        ids=str,
    )
    def test_parameters_that_are_set_after_fit_are_refused(
        self, z_img, mask_img, labels_img, parameters
    ):
        transformer = ClusterTDPTransformer(labels_img=labels_img, mask_img=mask_img).fit(z_img)
        with pytest.raises(ValueError, match="default with labels_img"):
            transformer.set_params(**parameters).transform(z_img)

    def test_threshold_that_is_the_default_may_be_given(self, z_img, mask_img, labels_img):
        ClusterTDPTransformer(
            None,
            labels_img=labels_img,
            mask_img=mask_img,
            threshold_scale="stat",
            connectivity=None,
            cluster_threshold=0,
        ).fit(z_img)

    def test_fit_without_labels_forgets_them(self, z_img, mask_img, labels_img):
        transformer = ClusterTDPTransformer(labels_img=labels_img, mask_img=mask_img).fit(z_img)
        transformer.set_params(labels_img=None, threshold=2)
        expected = ClusterTDPTransformer(2, mask_img=mask_img).fit_transform(z_img)
        assert_array_equal(get_data(transformer.fit_transform(z_img)), get_data(expected))

    def test_labels_are_left_as_they_were(self, z_img, mask_img, labels, labels_img):
        before = labels.copy()
        transformer = ClusterTDPTransformer(labels_img=labels_img, mask_img=mask_img).fit(z_img)
        assert_array_equal(get_data(labels_img), before)
        assert transformer.labels_img is labels_img
