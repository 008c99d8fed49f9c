"""TDP images, label images and tables of ClusterTDPTransformer, against the definition."""

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from nibabel import Nifti1Image
from nibabel.affines import apply_affine
from nilearn.image import get_data
from nilearn.maskers import NiftiMasker
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from scipy import stats

from ari_estimator import ClusterTDPTransformer
from ari_estimator.closed_testing import Hommel

from ._kinds import KINDS, N_CHANGES, components

COLUMNS = KINDS["volume"].columns

EVERY_KIND = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())

TWO_SIDED = pytest.mark.parametrize("two_sided", [False, True], ids=["one-sided", "two-sided"])


def table_row(table, cluster_id):
    """Return the only row of a cluster."""
    rows = table[table["cluster_id"] == cluster_id]
    assert len(rows) == 1
    return rows.iloc[0]


class TestTDPImage:
    """The values of the image."""

    @pytest.mark.parametrize("local_test", ["simes", "hommel"])
    @pytest.mark.parametrize("connectivity", [6, 18, 26])
    @TWO_SIDED
    @pytest.mark.parametrize("threshold", [0, 1.0, 2.0, 3.0, 4.0])
    def test_equals_definition(
        self, definition, make_img, make_map, mask, mask_img,
        threshold, two_sided, connectivity, local_test,
    ):  # fmt: skip
        transformer = ClusterTDPTransformer(
            threshold,
            mask_img=mask_img,
            two_sided=two_sided,
            connectivity=connectivity,
            local_test=local_test,
        )
        for seed in (0, 1):
            z = make_map(seed)
            expected = definition.tdp_volume(
                z,
                mask,
                threshold,
                two_sided=two_sided,
                n_changes=N_CHANGES[connectivity],
                local_test=local_test,
            )
            assert expected.max() > 0
            tdp = get_data(transformer.fit_transform(make_img(z)))
            assert_allclose(tdp, expected, rtol=1e-14)

    @pytest.mark.parametrize("alpha", [0.001, 0.01, 0.1, 0.5])
    def test_equals_definition_at_other_levels(self, definition, z, z_img, mask, mask_img, alpha):
        tdp = ClusterTDPTransformer(2, alpha=alpha, mask_img=mask_img).fit_transform(z_img)
        expected = definition.tdp_volume(z, mask, 2, alpha=alpha)
        assert_allclose(get_data(tdp), expected, rtol=1e-14)
        assert (expected != definition.tdp_volume(z, mask, 2, alpha=0.05)).any()

    @pytest.mark.parametrize("shape", [(1, 9, 10), (8, 1, 10), (8, 9, 1)])
    def test_equals_definition_in_a_single_slice(self, definition, shape):
        z = np.random.default_rng(0).standard_normal(shape) + 1.5
        mask = np.ones(shape, dtype=bool)
        tdp = ClusterTDPTransformer(
            2, mask_img=Nifti1Image(mask.astype("uint8"), np.eye(4))
        ).fit_transform(Nifti1Image(z, np.eye(4)))
        expected = definition.tdp_volume(z, mask, 2)
        assert expected.max() > 0
        assert_allclose(get_data(tdp), expected, rtol=1e-14)

    @pytest.mark.parametrize("threshold", [2.0, 3.0, "concentration", [1, 2, 3]])
    def test_hommel_bounds_are_at_most_simes_bounds(self, z_img, mask_img, threshold):
        simes, hommel = (
            get_data(
                ClusterTDPTransformer(
                    threshold, mask_img=mask_img, local_test=local_test
                ).fit_transform(z_img)
            )
            for local_test in ("simes", "hommel")
        )
        assert (hommel <= simes).all()
        assert (hommel < simes).any()

    def test_default_is_one_sided_p_of_one_in_a_thousand(self, z_img, mask_img):
        transformer = ClusterTDPTransformer(mask_img=mask_img)
        tdp = transformer.fit_transform(z_img)
        threshold = transformer.table_["threshold"][0]
        assert_allclose(stats.norm.sf(threshold), 0.001, rtol=1e-12)
        explicit = ClusterTDPTransformer(
            threshold,
            alpha=0.05,
            mask_img=mask_img,
            two_sided=False,
            connectivity=6,
            cluster_threshold=0,
            local_test="simes",
        ).fit_transform(z_img)
        assert_array_equal(get_data(tdp), get_data(explicit))

    def test_voxel_at_the_threshold_is_in_no_cluster(self, z, mask, mask_img, make_img):
        threshold = np.sort(z[mask])[-20]
        tdp = get_data(
            ClusterTDPTransformer(threshold, mask_img=mask_img).fit_transform(make_img(z))
        )
        assert tdp[z == threshold] == 0
        lower = np.nextafter(threshold, -np.inf)
        tdp = get_data(ClusterTDPTransformer(lower, mask_img=mask_img).fit_transform(make_img(z)))
        assert tdp[z == threshold] > 0

    @TWO_SIDED
    @pytest.mark.parametrize("axis", [0, 1, 2])
    def test_does_not_depend_on_the_order_of_voxels(
        self, make_img, make_map, mask, axis, two_sided
    ):
        z = make_map(3)
        tdp, flipped = (
            get_data(
                ClusterTDPTransformer(
                    [2, 3], two_sided=two_sided, mask_img=make_img(m.astype("uint8"))
                ).fit_transform(make_img(data))
            )
            for data, m in ((z, mask), (np.flip(z, axis), np.flip(mask, axis)))
        )
        assert tdp.max() > 0
        assert_array_equal(np.flip(flipped, axis), tdp)

    def test_does_not_depend_on_the_memory_layout(self, z, z_img, mask_img, make_img):
        fortran = np.asfortranarray(z)
        assert_array_equal(
            *(
                get_data(ClusterTDPTransformer(2, mask_img=mask_img).fit_transform(img))
                for img in (z_img, make_img(fortran))
            )
        )

    @given(
        arrays(
            float,
            (3, 3, 2),
            elements=st.floats(-50, 50) | st.sampled_from([-np.inf, np.inf, 0.0, 1.6448, 38.0]),
        ),
        st.sampled_from([0, 1.5, 3, 10, [1, 2, 3], "concentration"]),
        st.booleans(),
        st.sampled_from(["simes", "hommel"]),
    )
    @settings(max_examples=100)
    def test_is_a_proportion_whatever_the_map(self, z, threshold, two_sided, local_test):
        assume(z.min() < z.max())
        transformer = ClusterTDPTransformer(
            threshold,
            mask_img=Nifti1Image(np.ones(z.shape, dtype="uint8"), np.eye(4)),
            two_sided=two_sided,
            local_test=local_test,
        )
        tdp = get_data(transformer.fit_transform(Nifti1Image(z, np.eye(4))))
        assert ((tdp >= 0) & (tdp <= 1)).all()
        table = transformer.table_
        assert (table["true_discoveries"] <= table["n_voxels"]).all()
        assert (table["true_discoveries"] >= 0).all()
        # Disjoint sets: their bounds add up to no more than the bound of their union.
        lowest = table["threshold"].min()
        disjoint = table[table["threshold"].isna() | (table["threshold"] == lowest)]
        assert disjoint["n_voxels"].sum() == z.size
        assert disjoint["true_discoveries"].sum() <= transformer.true_discoveries_


class TestEveryKind:
    """Clusters along the edges of a grid or mesh, in one family."""

    @EVERY_KIND
    @TWO_SIDED
    @pytest.mark.parametrize("thresholds", [[0], [1.0], [2.5], [3, 1, 2]], ids=str)
    @pytest.mark.parametrize("cluster_threshold", [0, 3])
    def test_tdp_and_labels_equal_the_definition(
        self, definition, one_to_one, kind, thresholds, two_sided, cluster_threshold
    ):
        z, mask = kind.z(), kind.mask
        p = 2 * stats.norm.sf(np.abs(z)) if two_sided else stats.norm.sf(z)
        h = definition.hommel_value(p[mask])
        for connectivity in (None,) if kind.name == "surface" else (6, 18, 26):
            neighbours = kind.neighbours(connectivity or 6)
            tdp, labels = np.zeros(kind.n), np.zeros(kind.n)
            for threshold in sorted(thresholds):
                for sign in (1, -1) if two_sided else (1,):
                    for cluster in components(mask & (sign * z > threshold), neighbours):
                        if cluster.size >= cluster_threshold:
                            bound = definition.true_discoveries(p[cluster], h)
                            tdp[cluster] = bound / cluster.size
                            labels[cluster] = labels.max() + 1
            assert ((tdp > 0) & (tdp < 1)).any()
            transformer = ClusterTDPTransformer(
                thresholds,
                mask_img=kind.mask_img,
                two_sided=two_sided,
                connectivity=connectivity,
                cluster_threshold=cluster_threshold,
                **kind.parameters,
            )
            shown = kind.rows(transformer.fit_transform(kind.image(z)))[0]
            assert_allclose(shown, tdp[mask], rtol=1e-14)
            ids = kind.rows(transformer.labels_img_)[0]
            assert one_to_one(ids, labels[mask])
            assert_array_equal(ids == 0, labels[mask] == 0)


class TestImageForm:
    """Grid and type of the image."""

    @pytest.mark.parametrize("threshold", [2, 100], ids=["clusters", "no clusters"])
    def test_is_a_float_image_on_the_grid_of_the_map(self, z_img, mask, mask_img, threshold):
        tdp = ClusterTDPTransformer(threshold, mask_img=mask_img).fit_transform(z_img)
        assert isinstance(tdp, Nifti1Image)
        assert tdp.shape == z_img.shape
        assert_array_equal(tdp.affine, z_img.affine)
        assert get_data(tdp).dtype == np.float64
        assert tdp.get_data_dtype() == np.float64
        assert (get_data(tdp)[~mask] == 0).all()

    @pytest.mark.parametrize("dtype", ["int16", "uint8", "float32", ">f4", ">f8", ">i2", "int64"])
    def test_is_not_truncated_to_the_type_of_the_map(
        self, z, mask, mask_img, make_img, tmp_path, definition, dtype
    ):
        # A uint8 map has no negative values.
        stored = np.clip(np.round(z), 0, None).astype(dtype)
        img = Nifti1Image(stored, make_img(z).affine, dtype=dtype)
        tdp = ClusterTDPTransformer(2, mask_img=mask_img).fit_transform(img)
        expected = definition.tdp_volume(stored.astype(float), mask, 2)
        assert ((expected > 0) & (expected < 1)).any()
        assert_allclose(get_data(tdp), expected, rtol=1e-14)
        tdp.to_filename(tmp_path / "tdp.nii.gz")
        saved = nib.load(tmp_path / "tdp.nii.gz")
        assert saved.get_data_dtype().kind == "f"
        assert_allclose(saved.get_fdata(), expected, rtol=1e-6)

    @pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
    def test_labels_on_disk_are_whole_numbers_whatever_the_type_of_the_map(
        self, make_img, tmp_path, dtype
    ):
        # Every other voxel is a cluster of its own: more than a uint8 can count.
        odd = np.indices((9, 9, 9)).sum(axis=0) % 2
        img = Nifti1Image((odd * 4 + np.arange(9) % 3).astype(dtype), np.eye(4), dtype=dtype)
        ones = Nifti1Image(np.ones(odd.shape, dtype="uint8"), np.eye(4))
        transformer = ClusterTDPTransformer(3, mask_img=ones).fit(img)
        transformer.labels_img_.to_filename(tmp_path / "labels.nii.gz")
        saved = nib.load(tmp_path / "labels.nii.gz")
        assert saved.get_data_dtype().kind in "iu"
        assert_array_equal(np.unique(get_data(saved)), np.arange(odd.sum() + 1))
        assert_array_equal(get_data(saved), get_data(transformer.labels_img_))

    def test_float32_map_is_tested_in_double_precision(
        self, z, mask_img, make_img, definition, mask
    ):
        single = z.astype("float32")
        transformer = ClusterTDPTransformer(2, mask_img=mask_img).fit(make_img(single))
        assert_allclose(
            transformer.maps_.test.p_values, stats.norm.sf(single[mask].astype(float)), rtol=1e-13
        )

    def test_scaled_integers_on_disk_are_scaled(self, z, mask_img, make_img, tmp_path):
        img = make_img(z)
        img.set_data_dtype("int16")
        img.to_filename(tmp_path / "z.nii.gz")
        scaled = nib.load(tmp_path / "z.nii.gz")
        assert scaled.dataobj.slope != 1
        assert_array_equal(
            *(
                get_data(ClusterTDPTransformer(2, mask_img=mask_img).fit_transform(img))
                for img in (scaled, make_img(scaled.get_fdata()))
            )
        )

    @pytest.mark.parametrize(
        "image_type",
        [nib.Nifti1Image, nib.Nifti2Image, nib.Nifti1Pair, nib.MGHImage],
        ids=lambda image_type: image_type.__name__,
    )
    def test_map_may_be_an_image_of_another_format(
        self, z, z_img, mask, mask_img, definition, image_type
    ):
        single = z.astype("float32")
        img = image_type(single, z_img.affine)
        tdp = ClusterTDPTransformer(2, mask_img=mask_img).fit_transform(img)
        expected = definition.tdp_volume(single.astype(float), mask, 2)
        # The formats that have doubles keep them.
        assert_allclose(get_data(tdp), expected, rtol=1e-6)
        assert_allclose(tdp.affine, z_img.affine)

    def test_header_says_nothing_of_the_map_any_more(self, z_img, mask_img):
        z_img.header.set_intent("z score")
        z_img.header.set_xyzt_units("mm")
        z_img.header["descrip"] = "some z map"
        z_img.header["cal_min"], z_img.header["cal_max"] = 2, 8
        transformer = ClusterTDPTransformer(2, mask_img=mask_img)
        tdp = transformer.fit_transform(z_img)
        for img in (tdp, transformer.labels_img_):
            assert img.header.get_intent()[0] == "none"
            assert "z map" not in img.header["descrip"].item().decode()
            assert img.header["cal_max"] != 8
            # What it says of the grid still holds.
            assert img.header.get_xyzt_units()[0] == "mm"
        assert z_img.header.get_intent()[0] == "z score"


class TestThresholds:
    """One threshold, several, and the concentration threshold."""

    @pytest.mark.parametrize(
        "thresholds",
        [
            [1, 2, 3],
            (1.0, 2.0, 3.0),
            np.array([1, 2, 3]),
            [3, 1, 2],
            [1, 2, 2, 3, 1.0],
            range(1, 4),
            pd.Series([1, 2, 3]),
        ],
        ids=["list", "tuple", "ndarray", "unsorted", "repeated", "range", "Series"],
    )
    @TWO_SIDED
    def test_voxel_shows_its_cluster_at_the_highest_threshold_it_passes(
        self, definition, z, z_img, mask, mask_img, thresholds, two_sided
    ):
        transformer = ClusterTDPTransformer(thresholds, mask_img=mask_img, two_sided=two_sided)
        tdp = get_data(transformer.fit_transform(z_img))
        evidence = np.abs(z) if two_sided else z
        expected = np.zeros(z.shape)
        for threshold in (1, 2, 3):
            above = evidence > threshold
            single = definition.tdp_volume(z, mask, threshold, two_sided=two_sided)
            expected[above] = single[above]
        assert len(np.unique(expected)) > 4
        assert_allclose(tdp, expected, rtol=1e-14)

    def test_label_image_names_the_cluster_that_is_shown(self, z, z_img, mask, mask_img):
        transformer = ClusterTDPTransformer([1, 2, 3], mask_img=mask_img)
        tdp = get_data(transformer.fit_transform(z_img))
        labels = get_data(transformer.labels_img_)
        assert_array_equal(labels > 0, mask & (z > 1))
        for label in np.unique(labels[labels > 0]):
            row = table_row(transformer.table_, label)
            shown = labels == label
            assert (tdp[shown] == row["tdp"]).all()
            assert row["threshold"] == max(t for t in (1, 2, 3) if z[shown].min() > t)

    def test_table_of_several_thresholds_has_the_rows_of_each_and_one_rest(self, z_img, mask_img):
        def table(threshold):
            transformer = ClusterTDPTransformer(threshold, mask_img=mask_img).fit(z_img)
            return transformer.table_

        single = [table(threshold) for threshold in (1, 2, 3)]
        expected = pd.concat(
            [*(one.iloc[:-1] for one in single), single[0].iloc[-1:]], ignore_index=True
        )
        expected["cluster_id"] = [*range(1, len(expected)), 0]
        assert_frame_equal(table([3, 1, 2]), expected)

    def test_numpy_and_python_numbers_are_one(self, z_img, mask_img):
        images = [
            get_data(ClusterTDPTransformer(threshold, mask_img=mask_img).fit_transform(z_img))
            for threshold in (3, 3.0, np.float64(3), np.int64(3), np.array(3.0), [3])
        ]
        for image in images:
            assert_array_equal(image, images[0])

    @TWO_SIDED
    @pytest.mark.parametrize("local_test", ["simes", "hommel"])
    def test_concentration_threshold_keeps_all_that_adds_to_bounds(
        self, z, z_img, mask, mask_img, two_sided, local_test
    ):
        transformer = ClusterTDPTransformer(
            "concentration", mask_img=mask_img, two_sided=two_sided, local_test=local_test
        )
        tdp = get_data(transformer.fit_transform(z_img))
        labels = get_data(transformer.labels_img_)[mask]
        hommel = transformer.maps_.test
        size, p_threshold = hommel.concentration_set(0.05)
        assert size > 0
        assert_array_equal(labels > 0, hommel.p_values <= p_threshold)
        # All discoveries of the brain are in the clusters, and none outside.
        vector = hommel.critical_vector(0.05)
        bound = vector.true_discoveries(hommel.p_values[labels > 0])
        assert bound == transformer.true_discoveries_ > 0
        assert table_row(transformer.table_, 0)["true_discoveries"] == 0
        # The threshold of the table is just below the weakest voxel that is in.
        evidence = np.abs(z[mask]) if two_sided else z[mask]
        lowest = evidence[labels > 0].min()
        assert (transformer.table_["threshold"][:-1] == np.nextafter(lowest, 0)).all()
        assert evidence[labels == 0].max() < lowest
        below = ClusterTDPTransformer(
            np.nextafter(lowest, 0),
            mask_img=mask_img,
            two_sided=two_sided,
            local_test=local_test,
        )
        assert_array_equal(tdp, get_data(below.fit_transform(z_img)))

    def test_concentration_set_equals_its_definition(self, z, z_img, mask, mask_img, definition):
        transformer = ClusterTDPTransformer("concentration", mask_img=mask_img).fit(z_img)
        p = np.sort(stats.norm.sf(z[mask]))
        h, m = definition.hommel_value(p), p.size
        sizes = np.arange(m - h, m + 1)
        size = sizes[h * p[sizes - 1] <= (sizes - m + h + 1) * 0.05][0]
        assert (get_data(transformer.labels_img_) > 0).sum() == size

    def test_concentration_threshold_without_discoveries_has_no_clusters(
        self, mask, mask_img, make_img
    ):
        z = np.zeros(mask.shape)
        z[mask] = np.linspace(-2, 2, mask.sum())
        transformer = ClusterTDPTransformer("concentration", mask_img=mask_img)
        assert not get_data(transformer.fit_transform(make_img(z))).any()
        assert len(transformer.table_) == 1
        assert transformer.true_discoveries_ == 0

    @pytest.mark.parametrize("threshold", [1e3, [50, 60], "concentration"])
    def test_no_voxel_above_the_threshold_gives_zeros_and_the_rest(
        self, mask, mask_img, make_img, threshold
    ):
        z = np.random.default_rng(2).uniform(-2, 2, mask.shape)
        transformer = ClusterTDPTransformer(threshold, mask_img=mask_img)
        assert not get_data(transformer.fit_transform(make_img(z))).any()
        assert not get_data(transformer.labels_img_).any()
        assert list(transformer.table_.columns) == COLUMNS
        assert transformer.table_["cluster_id"].tolist() == [0]
        rest = table_row(transformer.table_, 0)
        assert rest["n_voxels"] == mask.sum()
        assert rest["true_discoveries"] == 0
        assert rest["peak_stat"] == z[mask].max()


class TestTwoSided:
    """Positive and negative clusters."""

    @pytest.fixture
    def touching_img(self, mask, make_img):
        z = np.zeros(mask.shape)
        z[mask] = np.random.default_rng(4).uniform(-1, 1, mask.sum())
        z[2:4, 3:6, 3:6] = 5
        z[4:6, 3:6, 3:5] = -6
        return make_img(z)

    @pytest.mark.parametrize("connectivity", [6, 18, 26])
    def test_positive_and_negative_clusters_that_touch_stay_apart(
        self, touching_img, mask, mask_img, connectivity
    ):
        transformer = ClusterTDPTransformer(
            3, two_sided=True, mask_img=mask_img, connectivity=connectivity
        ).fit(touching_img)
        labels, z = get_data(transformer.labels_img_), get_data(touching_img)
        assert transformer.table_["direction"].tolist() == ["positive", "negative", "rest"]
        assert_array_equal(labels == 1, mask & (z == 5))
        assert_array_equal(labels == 2, mask & (z == -6))
        assert transformer.table_["peak_stat"][:2].tolist() == [5, -6]

    def test_one_sided_clusters_are_positive(self, touching_img, mask_img):
        transformer = ClusterTDPTransformer(3, mask_img=mask_img).fit(touching_img)
        assert transformer.table_["direction"].tolist() == ["positive", "rest"]

    def test_sign_of_the_map_changes_the_direction_alone(self, z, mask_img, make_img):
        transformers = [ClusterTDPTransformer(2, two_sided=True, mask_img=mask_img) for _ in "+-"]
        images = [
            get_data(t.fit_transform(make_img(data)))
            for t, data in zip(transformers, (z, -z), strict=True)
        ]
        assert_array_equal(*images)
        counts, flipped = (
            t.table_.groupby("direction")["true_discoveries"].agg(["size", "sum"])
            for t in transformers
        )
        assert (counts.loc["positive"] != counts.loc["negative"]).any()
        assert (counts.loc["positive"] == flipped.loc["negative"]).all()
        assert (counts.loc["negative"] == flipped.loc["positive"]).all()

    def test_p_values_are_two_sided(self, z, z_img, mask, mask_img):
        transformer = ClusterTDPTransformer(2, two_sided=True, mask_img=mask_img).fit(z_img)
        assert_allclose(
            transformer.maps_.test.p_values, 2 * stats.norm.sf(np.abs(z[mask])), rtol=1e-13
        )


class TestClusters:
    """Which voxels make a cluster."""

    @pytest.mark.parametrize(
        ("other", "n_clusters"),
        [((3, 3, 4), [1, 1, 1]), ((3, 4, 4), [2, 1, 1]), ((4, 4, 4), [2, 2, 1])],
        ids=["face", "edge", "corner"],
    )
    def test_connectivity_decides_which_voxels_touch(
        self, mask, mask_img, make_img, other, n_clusters
    ):
        z = np.random.default_rng(0).uniform(-1, 1, mask.shape)
        z[3, 3, 3] = z[other] = 9
        assert mask[3, 3, 3]
        assert mask[other]
        found = []
        for connectivity in (6, 18, 26):
            transformer = ClusterTDPTransformer(3, connectivity=connectivity, mask_img=mask_img)
            transformer.fit_transform(make_img(z))
            found.append(len(transformer.table_) - 1)
        assert found == n_clusters

    @TWO_SIDED
    @pytest.mark.parametrize("cluster_threshold", [0, 1, 2, 5, 20, 1000])
    def test_clusters_below_cluster_threshold_belong_to_the_rest(
        self, definition, z, z_img, mask, mask_img, cluster_threshold, two_sided
    ):
        transformer = ClusterTDPTransformer(
            1.5, cluster_threshold=cluster_threshold, mask_img=mask_img, two_sided=two_sided
        )
        tdp = get_data(transformer.fit_transform(z_img))
        expected = definition.tdp_volume(
            z, mask, 1.5, cluster_threshold=cluster_threshold, two_sided=two_sided
        )
        assert_allclose(tdp, expected, rtol=1e-14)
        everything = ClusterTDPTransformer(1.5, mask_img=mask_img, two_sided=two_sided).fit(z_img)
        table = everything.table_
        kept = table[(table["n_voxels"] >= cluster_threshold) & (table["cluster_id"] > 0)]
        assert_frame_equal(transformer.table_[:-1], kept)
        # The rest counts what was dropped.
        labels = get_data(transformer.labels_img_)
        rest = table_row(transformer.table_, 0)
        in_rest = mask & (labels == 0)
        assert rest["n_voxels"] == in_rest.sum()
        p = stats.norm.sf(np.abs(z)) * 2 if two_sided else stats.norm.sf(z)
        h = definition.hommel_value(p[mask])
        assert rest["true_discoveries"] == definition.true_discoveries(p[in_rest], h)

    def test_cluster_too_small_at_a_high_threshold_shows_the_lower_one(self, z, z_img, mask_img):
        transformer = ClusterTDPTransformer([1, 2, 3], cluster_threshold=12, mask_img=mask_img)
        tdp = get_data(transformer.fit_transform(z_img))
        labels = get_data(transformer.labels_img_)
        dropped = np.zeros(z.shape, dtype=bool)
        for label in np.unique(labels[labels > 0]):
            row = table_row(transformer.table_, label)
            assert row["n_voxels"] >= 12
            assert (tdp[labels == label] == row["tdp"]).all()
            dropped |= (labels == label) & (z > row["threshold"] + 1)
        assert dropped.any()


class TestTable:
    """Rows and columns of the table."""

    @EVERY_KIND
    @TWO_SIDED
    def test_row_describes_its_cluster(self, definition, kind, two_sided):
        z, mask = kind.z(), kind.mask
        transformer = ClusterTDPTransformer(
            1, mask_img=kind.mask_img, two_sided=two_sided, **kind.parameters
        )
        tdp = kind.values(transformer.fit_transform(kind.image(z)))[0]
        labels = kind.values(transformer.labels_img_)[0]
        p = stats.norm.sf(np.abs(z)) * 2 if two_sided else stats.norm.sf(z)
        h = definition.hommel_value(p[mask])
        table = transformer.table_
        assert table.columns.tolist() == kind.columns
        assert table["cluster_id"].tolist() == [*range(1, len(table)), 0]
        assert len(table) > 4
        peaks = set()
        for row in table.to_dict("records"):
            members = mask & (labels == row["cluster_id"])
            assert row[kind.columns[3]] == members.sum()
            for name, sizes in kind.sizes.items():
                assert_allclose(row[name], sizes[members].sum(), rtol=1e-12)
            assert row["true_discoveries"] == definition.true_discoveries(p[members], h)
            assert row["tdp"] == row["true_discoveries"] / members.sum()
            peak = np.where(members, np.abs(z) if two_sided else z, -np.inf).argmax()
            assert row["peak_stat"] == z[peak]
            xyz = [row[f"peak_{axis}"] for axis in "xyz"]
            assert_allclose(xyz, kind.coordinates[peak], rtol=1e-12, atol=1e-12)
            for name, place in kind.place(peak).items():
                assert pd.isna(row[name]) if place is None else row[name] == place
            if row["cluster_id"] == 0:
                assert np.isnan(row["threshold"])
                assert row["direction"] == "rest"
                assert (tdp[members] == 0).all()
            else:
                assert row["threshold"] == 1
                assert row["direction"] == ("positive" if z[peak] > 0 else "negative")
                assert (tdp[members] == row["tdp"]).all()
            peaks.add(next(iter(kind.place(peak).values()), None))
        assert len(peaks) == {"voxel": 1, "vertex": 2, "grayordinate": 4}[kind.element]

    @EVERY_KIND
    def test_rest_is_all_or_nothing(self, kind):
        shared = {"mask_img": kind.mask_img, **kind.parameters}
        of_members = ["tdp", *kind.columns[kind.columns.index("peak_stat") :]]
        transformer = ClusterTDPTransformer(100, **shared).fit(kind.image(kind.z()))
        nothing = transformer.table_
        assert nothing.columns.tolist() == kind.columns
        assert nothing["cluster_id"].tolist() == [0]
        assert nothing.iloc[0, 3] == kind.mask.sum()
        assert nothing["true_discoveries"].tolist() == [transformer.true_discoveries_]
        everything = ClusterTDPTransformer(0, **shared)
        table = everything.fit(kind.image(np.abs(kind.z()) + 0.01)).table_
        assert table.dtypes.tolist() == nothing.dtypes.tolist()
        rest = table.iloc[-1]
        assert rest["cluster_id"] == rest.iloc[3] == rest["true_discoveries"] == 0
        assert (rest[list(kind.sizes)] == 0).all()
        assert rest[of_members].isna().all()
        assert table.iloc[:, 3].sum() == everything.n_tested_ == kind.mask.sum()
        assert table[:-1][["tdp", "peak_stat", "peak_x", "peak_y", "peak_z"]].notna().all(axis=None)

    @pytest.mark.parametrize("threshold", [0.5, 2, [1, 2], "concentration"])
    def test_columns_and_their_types(self, z_img, mask_img, threshold):
        transformer = ClusterTDPTransformer(threshold, mask_img=mask_img).fit(z_img)
        table = transformer.table_
        assert list(table.columns) == COLUMNS
        assert list(table.index) == list(range(len(table)))
        for name in ("cluster_id", "n_voxels", "true_discoveries"):
            assert table[name].dtype.kind == "i", name
        for name in COLUMNS[4:5] + COLUMNS[6:] + ["threshold"]:
            assert table[name].dtype == np.float64, name

    @TWO_SIDED
    def test_rows_go_from_low_to_high_thresholds_and_from_large_to_small_clusters(
        self, z_img, mask_img, two_sided
    ):
        transformer = ClusterTDPTransformer([2, 1], mask_img=mask_img, two_sided=two_sided)
        transformer.fit_transform(z_img)
        table = transformer.table_
        assert table["cluster_id"].tolist() == [*range(1, len(table)), 0]
        clusters = table[:-1]
        order = clusters.sort_values(["threshold", "n_voxels"], ascending=[True, False]).index
        assert clusters.loc[order, ["threshold", "n_voxels"]].equals(
            clusters[["threshold", "n_voxels"]].set_axis(order)
        )
        assert clusters["threshold"].is_monotonic_increasing
        assert len(clusters["n_voxels"].unique()) > 3

    def test_of_equal_peaks_the_first_voxel_is_given(self, mask, mask_img, make_img):
        z = np.random.default_rng(0).uniform(-1, 1, mask.shape)
        z[2:5, 3:6, 3:6] = 6
        transformer = ClusterTDPTransformer(3, mask_img=mask_img).fit(make_img(z))
        tied = apply_affine(mask_img.affine, np.argwhere(mask & (z == 6)))
        first = tied[np.lexsort(tied.T[::-1])[0]]
        row = table_row(transformer.table_, 1)
        assert row["peak_stat"] == 6
        assert_allclose(row[["peak_x", "peak_y", "peak_z"]].astype(float), first)

    @TWO_SIDED
    def test_whole_brain_bound_is_the_bound_of_all_voxels(
        self, definition, z, z_img, mask, mask_img, two_sided
    ):
        transformer = ClusterTDPTransformer(2, mask_img=mask_img, two_sided=two_sided).fit(z_img)
        p = stats.norm.sf(np.abs(z)) * 2 if two_sided else stats.norm.sf(z)
        h = definition.hommel_value(p[mask])
        assert isinstance(transformer.maps_.test, Hommel)
        assert transformer.maps_.test.value(0.05) == h
        assert transformer.true_discoveries_ == mask.sum() - h > 0


class TestMask:
    """The forms that the mask may have."""

    @pytest.mark.filterwarnings("error")
    def test_without_a_mask_nilearns_background_mask_is_taken(self, motor_img, capfd):
        transformer = ClusterTDPTransformer(3).fit(motor_img)
        masker = NiftiMasker(mask_strategy="background", standardize=None).fit(motor_img)
        assert_array_equal(get_data(transformer.mask_img_), get_data(masker.mask_img_))
        assert transformer.n_tested_ == 45448
        assert capfd.readouterr() == ("", "")

    def test_unfitted_masker_without_a_mask_computes_it_from_the_map(self, motor_img):
        masker = NiftiMasker(mask_strategy="background", standardize=None)
        transformer = ClusterTDPTransformer(3, mask_img=masker).fit(motor_img)
        assert transformer.n_tested_ == 45448

    def test_mask_of_one_voxel(self, z, make_img):
        data = np.zeros(z.shape, dtype="uint8")
        data[3, 3, 3] = 1
        for value, threshold, expected in ((5.0, 3, 1), (2.0, 3, 0), (1.0, 0.5, 0)):
            z[3, 3, 3] = value
            transformer = ClusterTDPTransformer(threshold, mask_img=make_img(data))
            tdp = get_data(transformer.fit_transform(make_img(z)))
            assert tdp[3, 3, 3] == tdp.sum() == expected
            assert transformer.n_tested_ == 1
            assert transformer.true_discoveries_ == (stats.norm.sf(value) <= 0.05)


class TestExtremeValues:
    """NaN, infinities, p-values that underflow, brains in which everything is active."""

    def test_nan_background_is_as_good_as_a_zero_background(self, motor_img):
        data = get_data(motor_img)
        nan_background = Nifti1Image(np.where(data == 0, np.nan, data), motor_img.affine)
        tdp = ClusterTDPTransformer(3).fit_transform(nan_background)
        assert_array_equal(
            get_data(tdp), get_data(ClusterTDPTransformer(3).fit_transform(motor_img))
        )

    @TWO_SIDED
    def test_infinities_have_p_values_zero_and_one(
        self, definition, z, mask, mask_img, make_img, two_sided
    ):
        z = z.copy()
        z[2, 2, 3], z[2, 2, 2], z[5, 8, 3] = np.inf, np.inf, -np.inf
        assert mask[[2, 2, 5], [2, 2, 8], [3, 2, 3]].all()
        transformer = ClusterTDPTransformer(2, mask_img=mask_img, two_sided=two_sided)
        with pytest.warns(UserWarning, match=r"infinite in 3 voxels: \+inf in 2, -inf in 1"):
            tdp = get_data(transformer.fit_transform(make_img(z)))
        expected = definition.tdp_volume(z, mask, 2, two_sided=two_sided)
        assert_allclose(tdp, expected, rtol=1e-14)
        assert transformer.n_tested_ == mask.sum()
        assert transformer.maps_.test.p_values[np.isposinf(z[mask])].tolist() == [0, 0]
        assert transformer.maps_.test.p_values[np.isneginf(z[mask])] == (0 if two_sided else 1)
        labels = get_data(transformer.labels_img_)
        in_cluster = labels == labels[2, 2, 3]
        finite = z[in_cluster & np.isfinite(z)]
        peak = np.inf if finite.size == 0 else finite[np.argmax(np.abs(finite))]
        assert table_row(transformer.table_, labels[2, 2, 3])["peak_stat"] == peak
        if two_sided:
            # Nothing else is in its cluster.
            negative = table_row(transformer.table_, labels[5, 8, 3])
            assert negative["peak_stat"] == -np.inf
            assert negative["direction"] == "negative"

    @pytest.mark.parametrize("value", [np.inf, -np.inf])
    def test_infinite_voxels_stay_in_the_family_without_a_mask_too(self, motor_img, value):
        data = get_data(motor_img).astype(float)
        z = data.copy()
        z[24, 17, 39] = value
        assert data[24, 17, 39] != 0
        transformer = ClusterTDPTransformer(3).fit(Nifti1Image(z, motor_img.affine))
        assert transformer.n_tested_ == 45448

    @pytest.mark.parametrize("height", [37.5, 38.5, 40.0, 1e6])
    @TWO_SIDED
    def test_p_values_that_underflow_are_discoveries_but_only_once(
        self, definition, z, mask, mask_img, make_img, height, two_sided
    ):
        z = z.copy()
        z[2:4, 2:5, 2:5] = height
        transformer = ClusterTDPTransformer([3, 30], mask_img=mask_img, two_sided=two_sided)
        tdp = get_data(transformer.fit_transform(make_img(z)))
        assert tdp.max() == 1
        assert (tdp[mask & (z == height)] == 1).all()
        expected = definition.tdp_volume(z, mask, 3, two_sided=two_sided)
        shown_at_3 = np.abs(z) < 30
        assert_allclose(tdp[shown_at_3], expected[shown_at_3], rtol=1e-14)

    @pytest.mark.parametrize("local_test", ["simes", "hommel"])
    @pytest.mark.parametrize("threshold", [0, 3, [2, 3, 4], "concentration"])
    def test_tdp_is_one_where_every_voxel_is_active(
        self, mask, mask_img, make_img, threshold, local_test
    ):
        z = np.random.default_rng(0).uniform(6, 9, mask.shape)
        z[tuple(np.argwhere(mask)[0])] = 2.5
        transformer = ClusterTDPTransformer(threshold, mask_img=mask_img, local_test=local_test)
        tdp = get_data(transformer.fit_transform(make_img(z)))
        assert transformer.maps_.test.value(0.05) == 0
        assert transformer.true_discoveries_ == mask.sum()
        lowest = threshold if isinstance(threshold, int) else 2 if threshold[0] == 2 else 0
        assert_array_equal(tdp, mask & (z > lowest))
        clusters = transformer.table_[:-1]
        assert (clusters["true_discoveries"] == clusters["n_voxels"]).all()

    def test_pure_noise_has_no_discoveries(self, mask, mask_img, make_img):
        # At the median of its p-values a family of true nulls has none.
        z = np.zeros(mask.shape)
        p = (np.arange(mask.sum()) + 0.5) / mask.sum()
        z[mask] = stats.norm.isf(np.random.default_rng(0).permutation(p))
        transformer = ClusterTDPTransformer([0, 1, 2], mask_img=mask_img)
        assert not get_data(transformer.fit_transform(make_img(z))).any()
        assert (transformer.table_["true_discoveries"] == 0).all()
        assert len(transformer.table_) > 3
