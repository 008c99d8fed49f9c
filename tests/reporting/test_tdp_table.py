"""Tables for reading, against the table to compute with, against nilearn, and by definition."""

import math

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from nibabel.affines import apply_affine
from nibabel.cifti2.cifti2 import Cifti2Image
from nibabel.cifti2.cifti2_axes import BrainModelAxis, ScalarAxis
from nilearn.image import get_data, new_img_like
from nilearn.reporting import get_clusters_table
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage, stats
from sklearn.exceptions import NotFittedError

from ari_estimator import ARISecondLevelModel, ClusterTDPTransformer, RegionTDPTransformer
from ari_estimator.reporting import get_region_composition, get_tdp_table

SHAPE = (16, 17, 14)

# Voxels that are not cubes, the first axis from right to left, and an origin of its own.
AFFINE = np.array([[-3.0, 0, 0, 12], [0, 2, 0, -7], [0, 0, 4, 5], [0, 0, 0, 1]])

PEAK_COLUMNS = ["peak_stat", "peak_x", "peak_y", "peak_z"]

CENTRE_COLUMNS = ["center_x", "center_y", "center_z"]

COLUMNS = [
    "cluster_id",
    "peak",
    "threshold",
    "direction",
    "n_voxels",
    "size_mm3",
    "true_discoveries",
    "tdp",
    "p_value",
    *CENTRE_COLUMNS,
    *PEAK_COLUMNS,
]

# Columns that sub-peaks have as well.
OF_ALL_PEAKS = {
    "cluster_id",
    "region_id",
    "region",
    "peak",
    *PEAK_COLUMNS,
    "peak_hemisphere",
    "peak_structure",
    "peak_vertex",
    "peak_region",
}


def make_img(data):
    return Nifti1Image(np.asarray(data), AFFINE)


def smooth_map(seed=0, effect=2.0):
    """Return smooth noise with one effect of each sign: no two values are equal."""
    z = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(SHAPE), 1.1)
    z /= z.std()
    z[2:9, 3:12, 2:9] += effect
    z[10:15, 3:12, 4:12] -= effect
    return z


@pytest.fixture(scope="module")
def mask():
    mask = np.zeros(SHAPE, dtype=bool)
    mask[1:-1, 1:, 1:-1] = True
    mask[np.random.default_rng(7).random(SHAPE) < 0.02] = False
    return mask


@pytest.fixture(scope="module")
def mask_img(mask):
    return make_img(mask.astype("uint8"))


@pytest.fixture(scope="module")
def fit(mask_img):
    """Return a function that fits a transformer to the smooth map of a seed."""

    def fit(threshold=2.0, seed=0, **parameters):
        transformer = ClusterTDPTransformer(threshold, mask_img=mask_img, **parameters)
        transformer.fit_transform(make_img(smooth_map(seed)))
        return transformer

    return fit


@pytest.fixture(scope="module")
def fitted(fit):
    return fit(cluster_threshold=3)


@pytest.fixture(scope="module")
def atlas_img():
    """Return an atlas of three regions, the last of which is far from the effects."""
    labels = np.zeros(SHAPE, dtype="int32")
    labels[:6, :10] = 2
    labels[6:11, :10] = 5
    labels[:6, 14:, :4] = 9
    return make_img(labels)


def rounded_down(n, of, digits):
    """Return a proportion rounded down, by integers."""
    return n * 10**digits // max(of, 1) / 10**digits


def as_text(n, of, digits):
    """Return a proportion rounded down, with the first digit that is not 0."""
    while n and not rounded_down(n, of, digits):
        digits += 1
    return f"{rounded_down(n, of, digits):.{digits}f}"


def main_rows(table):
    return table[table["peak"] == 1].reset_index(drop=True)


def peaks_of(table):
    """Return the peaks of each cluster as lists of statistic and coordinates."""
    id_column = table.columns[0]
    ids = table.loc[table[id_column] != 0, id_column]
    return [
        list(map(tuple, table.loc[table[id_column] == i, PEAK_COLUMNS].to_numpy().tolist()))
        for i in ids.drop_duplicates()
    ]


def apart(xyz, min_distance, max_peaks):
    """Return which of ordered points are far from all stronger ones that are kept."""
    kept = []
    for i, point in enumerate(xyz):
        if len(kept) < max_peaks and all(
            np.linalg.norm(point - xyz[j]) > min_distance for j in kept
        ):
            kept.append(i)
    return kept


def peaks_by_definition(evidence, stat, inside, min_distance=8.0, max_peaks=4):
    """Return the peaks of a set in a volume, rounded as in the table."""
    filled = np.where(inside, evidence, -np.inf)
    is_maximum = inside & (
        ndimage.maximum_filter(filled, 3, mode="constant", cval=-np.inf) == filled
    )
    order = np.argsort(-evidence[is_maximum])
    ijk = np.argwhere(is_maximum)[order]
    xyz = apply_affine(AFFINE, ijk)
    kept = apart(xyz, min_distance, max_peaks)
    return [(round(float(stat[tuple(ijk[i])]), 2), *np.round(xyz[i], 1).tolist()) for i in kept]


def assert_peaks_by_definition(transformer, stat, sets, **parameters):
    evidence = np.abs(stat) if transformer.two_sided else stat
    expected = [peaks_by_definition(evidence, stat, inside, **parameters) for inside in sets]
    assert peaks_of(get_tdp_table(transformer, **parameters)) == expected
    return expected


def test_rounding_keeps_no_peak_at_the_smallest_distance():
    affine = np.diag([2.4, 2.4, 2.4, 1]).astype("float32").astype("float64")
    z = np.random.default_rng(0).standard_normal((40, 9, 9)) / 4
    z[8:25] += 5
    z[12, 4, 4], z[20, 4, 4] = 9, 8
    mask_img = Nifti1Image(np.ones(z.shape, "uint8"), affine)
    transformer = ClusterTDPTransformer(3, mask_img=mask_img).fit(Nifti1Image(z, affine))
    # The second peak is 8 steps of 2.4 mm away from the first one.
    found = {d: get_tdp_table(transformer, min_distance=d)["peak_stat"] for d in (19.1, 19.2)}
    assert (8 in found[19.1].tolist(), 8 in found[19.2].tolist()) == (True, False)


def clusters_of(transformer):
    labels = get_data(transformer.labels_img_)
    return [labels == i for i in transformer.table_["cluster_id"][:-1]]


class TestRows:
    """The rows of clusters and of the rest."""

    def test_are_those_of_the_table_in_its_order(self, fit):
        for transformer in (fit(2.0), fit([1.5, 2.5, 3.5]), fit(2.0, two_sided=True)):
            table = get_tdp_table(transformer)
            of_rows = main_rows(table)
            assert of_rows["cluster_id"].tolist() == transformer.table_["cluster_id"].tolist()
            assert table.columns.tolist() == COLUMNS
            for column in ("direction", "n_voxels", "true_discoveries"):
                assert of_rows[column].tolist() == transformer.table_[column].tolist()

    def test_sub_peaks_follow_their_cluster(self, fitted):
        table = get_tdp_table(fitted)
        assert (table["peak"] > 1).any()
        # 1, 2, ... from one cluster to the next, each cluster in one piece.
        ids, peaks = table["cluster_id"].tolist(), table["peak"].tolist()
        for i in range(1, len(table)):
            if peaks[i] == 1:
                assert ids[i] not in ids[:i]
            else:
                assert (ids[i], peaks[i]) == (ids[i - 1], peaks[i - 1] + 1)

    def test_sub_peaks_have_the_columns_of_peaks_alone(self, fitted, atlas_img):
        table = get_tdp_table(fitted, labels_img=atlas_img)
        of_sub_peaks = table[table["peak"] > 1]
        for column in table.columns:
            if column in OF_ALL_PEAKS - {"peak_region"}:
                assert of_sub_peaks[column].notna().all()
            elif column != "peak_region":
                assert all(cell is None for cell in of_sub_peaks[column])

    def test_numbers_are_rounded_as_documented(self, fit):
        transformer = fit([1.234567, 2.345678])
        of_rows = main_rows(get_tdp_table(transformer))
        expected = transformer.table_
        for column, digits in {
            "threshold": 2, "size_mm3": 0, "peak_stat": 2,
            "peak_x": 1, "peak_y": 1, "peak_z": 1,
        }.items():  # fmt: skip
            for cell, value in zip(of_rows[column], expected[column], strict=True):
                assert cell is None if np.isnan(value) else cell == round(value, digits)
        assert of_rows["threshold"].tolist()[0] == 1.23
        for cell, row in zip(of_rows["tdp"], expected.itertuples(), strict=True):
            assert cell == float(as_text(row.true_discoveries, row.n_voxels, 3))
        whole = ["cluster_id", "peak", "n_voxels", "size_mm3", "true_discoveries"]
        decimal = ["threshold", "tdp", *CENTRE_COLUMNS, *PEAK_COLUMNS]
        for columns, kind in ((whole, int), (decimal, float), (["p_value", "direction"], str)):
            for column in columns:
                assert {type(cell) for cell in of_rows[column]} <= {kind, type(None)}

    @pytest.mark.parametrize(
        ("stat_type", "of_p", "cells"),
        [
            ("p", lambda p: p, ("0.001", "2.1e-06", "0.00087")),
            ("one_minus_p", lambda p: 1 - p, ("0.999", "0.9999979", "0.99913")),
            ("neg_log10_p", lambda p: -np.log10(p), ("3.0", "5.68", "3.06")),
        ],
    )
    def test_p_values_keep_two_digits(self, stat_type, of_p, cells):
        p = np.random.default_rng(0).uniform(0.1, 1, SHAPE)
        p[3:6, 3:6, 3:6] = 0.000871
        p[4, 4, 4] = 2.0971e-6
        p[8, 8, 8] = 0.000871
        ones = make_img(np.ones(SHAPE, dtype="uint8"))
        transformer = ClusterTDPTransformer(mask_img=ones, stat_type=stat_type)
        transformer.fit_transform(make_img(of_p(p)))
        of_rows = main_rows(get_tdp_table(transformer))
        assert str(of_rows["threshold"][0]) == cells[0]
        assert [str(cell) for cell in of_rows["peak_stat"][:2]] == list(cells[1:])

    @pytest.mark.parametrize(("stat_type", "value"), [("p", 0.0), ("one_minus_p", 1.0)])
    @pytest.mark.filterwarnings("ignore:The p map is exactly 0")
    def test_p_values_of_zero_are_zero(self, mask_img, stat_type, value):
        data = np.random.default_rng(0).uniform(0.1, 0.9, SHAPE)
        data[3:6, 3:6, 3:6] = value
        transformer = ClusterTDPTransformer(mask_img=mask_img, stat_type=stat_type)
        transformer.fit_transform(make_img(data))
        assert get_tdp_table(transformer)["peak_stat"][0] == value

    @pytest.mark.parametrize("two_sided", [False, True])
    def test_p_value_is_the_adjusted_one_of_the_cluster(self, fit, mask, two_sided):
        transformer = fit([1.0, 3.0], two_sided=two_sided)
        of_rows = main_rows(get_tdp_table(transformer))
        z = smooth_map()
        p = 2 * stats.norm.sf(np.abs(z)) if two_sided else stats.norm.sf(z)
        assert_allclose(transformer.maps_.test.p_values, p[mask], rtol=1e-12)
        labels = {}
        for threshold in (1.0, 3.0):
            beyond = mask & ((np.abs(z) if two_sided else z) > threshold)
            for sign in (1, -1):
                components, n = ndimage.label(beyond & (sign * z > 0))
                for i in range(1, n + 1):
                    members = components == i
                    strongest = round(sign * (sign * z[members]).max(), 2)
                    labels[threshold, members.sum(), strongest] = members[mask]
        beyond_any = mask & ((np.abs(z) if two_sided else z) > 1.0)
        for row in of_rows.itertuples():
            if row.cluster_id == 0:
                members = ~beyond_any[mask]
            else:
                members = labels[row.threshold, row.n_voxels, row.peak_stat]
            assert row.p_value == f"{transformer.maps_.test.set_p_value(members):.2g}"
            assert (float(row.p_value) <= 0.05) == (row.true_discoveries > 0)
        assert 0 < (of_rows["true_discoveries"] > 0).sum() < len(of_rows)

    def test_center_is_the_mean_of_the_voxels(self, fitted):
        of_rows = main_rows(get_tdp_table(fitted))
        labels = get_data(fitted.labels_img_)
        for row in of_rows.iloc[:-1].itertuples():
            xyz = apply_affine(AFFINE, np.argwhere(labels == row.cluster_id))
            assert_allclose(
                [row.center_x, row.center_y, row.center_z], xyz.mean(axis=0), atol=0.051
            )
        assert of_rows.iloc[-1][CENTRE_COLUMNS].tolist() == [None] * 3

    def test_zero_has_no_sign(self, mask_img):
        # Voxels around the origin, whose mean is -1e-16.
        affine = np.diag([0.1, 0.1, 0.1, 1])
        affine[:3, 3] = -0.8
        z = np.random.default_rng(0).standard_normal(SHAPE) / 3
        z[7:10, 7:10, 7:10] = 5 + z[7:10, 7:10, 7:10]
        transformer = ClusterTDPTransformer(
            mask_img=Nifti1Image(get_data(mask_img) * 0 + 1, affine)
        )
        transformer.fit_transform(Nifti1Image(z, affine))
        row = get_tdp_table(transformer).iloc[0]
        cells = [str(row[column]) for column in [*CENTRE_COLUMNS, *PEAK_COLUMNS[1:]]]
        assert cells[:3] == ["0.0"] * 3
        assert "-0.0" not in cells

    def test_rest_has_no_region(self, fitted):
        everywhere = make_img(np.ones(SHAPE, dtype="uint8"))
        table = get_tdp_table(fitted, labels_img=everywhere)
        assert table["peak_region"].tolist() == ["1"] * (len(table) - 1) + [None]
        assert table["composition"].iloc[-1] is None

    def test_rest_comes_last_with_its_peak(self, fitted, mask):
        table = get_tdp_table(fitted)
        assert table["cluster_id"].tolist().count(0) == 1
        rest = table.iloc[-1]
        assert (rest["cluster_id"], rest["direction"], rest["peak"]) == (0, "rest", 1)
        assert rest["threshold"] is None
        in_rest = mask & (get_data(fitted.labels_img_) == 0)
        assert rest["n_voxels"] == in_rest.sum()
        assert rest["p_value"] == f"{fitted.maps_.test.set_p_value(in_rest[mask]):.2g}"
        assert rest["peak_stat"] == round(smooth_map()[in_rest].max(), 2)

    def test_without_clusters_is_the_rest_alone(self, fit, mask, atlas_img):
        for threshold in (100.0, [100.0, 200.0]):
            transformer = fit(threshold)
            for parameters in ({}, {"labels_img": atlas_img}):
                table = get_tdp_table(transformer, **parameters)
                assert len(table) == 1
                assert table.columns.tolist()[: len(COLUMNS)] == COLUMNS
                assert table["n_voxels"][0] == mask.sum()
                assert (
                    table["p_value"][0] == f"{transformer.maps_.test.set_p_value(mask[mask]):.2g}"
                )

    def test_threshold_without_clusters_has_no_rows(self, fit):
        one, two = (get_tdp_table(fit(threshold)) for threshold in (2.0, [2.0, 100.0]))
        pd.testing.assert_frame_equal(one, two)

    @pytest.mark.parametrize("stat_type", ["z", "p"])
    def test_clusters_too_small_at_one_or_all_thresholds(
        self, mask, mask_img, atlas_img, stat_type
    ):
        z = smooth_map()
        img = make_img(z if stat_type == "z" else stats.norm.sf(z))
        direction = "positive" if stat_type == "z" else "unsigned"
        tables = []
        for thresholds, cluster_threshold in (
            ([0.02], 3),
            ([0.02, 1e-12], 3),
            ([0.02, 1e-12], 10**6),
        ):
            transformer = ClusterTDPTransformer(
                thresholds,
                threshold_scale="p",
                stat_type=stat_type,
                cluster_threshold=cluster_threshold,
                mask_img=mask_img,
            )
            transformer.fit_transform(img)
            tables.append(get_tdp_table(transformer, labels_img=atlas_img))
        pd.testing.assert_frame_equal(tables[0], tables[1])
        assert set(tables[0]["direction"].dropna()) == {direction, "rest"}
        assert tables[2]["direction"].tolist() == ["rest"]
        assert tables[2]["n_voxels"].tolist() == [mask.sum()]

    def test_rest_is_empty_where_clusters_fill_the_brain(self, fit, mask, atlas_img):
        transformer = fit(1.0, threshold_scale="p")
        table = get_tdp_table(transformer, labels_img=atlas_img)
        assert table["n_voxels"][0] == mask.sum()
        rest = table.iloc[-1]
        assert (rest["cluster_id"], rest["peak"], rest["direction"]) == (0, 1, "rest")
        assert (rest["n_voxels"], rest["size_mm3"], rest["true_discoveries"]) == (0, 0, 0)
        empty = ["tdp", "p_value", *CENTRE_COLUMNS, *PEAK_COLUMNS, "peak_region", "composition"]
        assert all(rest[column] is None for column in empty)

    def test_empty_cells_are_none(self, fit, atlas_img):
        for transformer in (fit(2.0), fit(100.0)):
            table = get_tdp_table(transformer, labels_img=atlas_img)
            assert all(dtype == np.dtype(object) for dtype in table.dtypes)
            cells = table.to_numpy().ravel()
            assert all(cell is None for cell in cells[pd.isna(cells)])

    def test_table_to_compute_with_stays_as_it_is(self, fitted, atlas_img):
        before = fitted.table_.copy()
        get_tdp_table(fitted, labels_img=atlas_img)
        pd.testing.assert_frame_equal(fitted.table_, before)


class TestPeaksOfNilearn:
    """In what nilearn can do both agree."""

    def nilearns(self, stat_img, threshold, two_sided, min_distance=8.0):
        """Return the peaks of each of nilearn's clusters, with the coordinates of all."""
        table = get_clusters_table(
            stat_img, threshold, two_sided=two_sided, min_distance=min_distance
        )
        of_cluster = table["Cluster ID"].astype(str).str.rstrip("abcdefghij")
        rows = table[["Peak Stat", "X", "Y", "Z"]].astype(float)
        return [rows[of_cluster == i].to_numpy() for i in of_cluster.drop_duplicates()]

    @pytest.mark.parametrize("two_sided", [False, True], ids=["one-sided", "two-sided"])
    @pytest.mark.parametrize("seed", range(6))
    @pytest.mark.parametrize("min_distance", [4.0, 8.0, 20.0])
    def test_peaks_are_the_same(self, fit, mask, seed, two_sided, min_distance):
        threshold = 1.2
        transformer = fit(threshold, seed, two_sided=two_sided)
        stat_img = make_img(np.where(mask, smooth_map(seed), 0))
        # Peaks tell which cluster it is.
        ours = {peaks[0]: peaks for peaks in peaks_of(
            get_tdp_table(transformer, min_distance=min_distance))}  # fmt: skip
        theirs = self.nilearns(stat_img, threshold, two_sided, min_distance)
        assert len(ours) == len(theirs) > 5
        n_sub_peaks = n_compared = 0
        for peaks in theirs:
            # nilearn takes a peak back that is close to a stronger one, if it is far from the
            # last one before it: min_distance does not hold there, and sub-peaks differ.
            if apart(peaks[:, 1:], min_distance, 4) != list(range(len(peaks))):
                continue
            expected = [(round(row[0], 2), *np.round(row[1:], 1).tolist()) for row in peaks]
            assert ours[expected[0]] == expected
            n_compared += 1
            n_sub_peaks += len(expected) - 1
        assert n_compared >= 0.8 * len(theirs)
        assert n_sub_peaks > 0 or min_distance == 20

    def test_peaks_of_the_motor_map_are_the_same(self, motor_img):
        transformer = ClusterTDPTransformer(2.0)
        transformer.fit_transform(motor_img)
        ours = {peaks[0]: peaks for peaks in peaks_of(get_tdp_table(transformer))}
        theirs = self.nilearns(motor_img, 2.0, two_sided=False)
        highest = get_data(motor_img).max()
        n_compared = 0
        for peaks in theirs:
            is_apart = apart(peaks[:, 1:], 8.0, 4) == list(range(len(peaks)))
            # Its highest values are all the same, and plateaus: nilearn takes their middle.
            if is_apart and peaks[0, 0] < highest:
                cells = [(round(row[0], 2), *np.round(row[1:], 1).tolist()) for row in peaks]
                assert ours[cells[0]] == cells
                n_compared += 1
        assert len(ours) == len(theirs)
        assert n_compared >= 0.6 * len(theirs) > 10


class TestPeaks:
    """Peaks and sub-peaks, by definition."""

    @pytest.mark.parametrize("two_sided", [False, True], ids=["one-sided", "two-sided"])
    @pytest.mark.parametrize("seed", [0, 1])
    def test_are_local_maxima_that_are_apart(self, fit, seed, two_sided):
        transformer = fit(1.0, seed, two_sided=two_sided)
        expected = assert_peaks_by_definition(
            transformer, smooth_map(seed), clusters_of(transformer)
        )
        assert max(map(len, expected)) == 4

    @pytest.mark.parametrize("min_distance", [0, 2, 5.0, 12, np.float32(30), np.inf])
    @pytest.mark.parametrize("max_peaks", [2, 3, np.int64(1000)])
    def test_keep_their_distance(self, fit, min_distance, max_peaks):
        transformer = fit(0.5)
        expected = assert_peaks_by_definition(
            transformer,
            smooth_map(),
            clusters_of(transformer),
            min_distance=min_distance,
            max_peaks=max_peaks,
        )
        assert max(map(len, expected)) <= max_peaks
        for peaks in expected:
            xyz = np.array(peaks)[:, 1:]
            distances = np.linalg.norm(xyz[:, None] - xyz, axis=-1)
            assert (distances[~np.eye(len(xyz), dtype=bool)] > min_distance).all()
        if min_distance == np.inf:
            assert max(map(len, expected)) == 1

    def test_only_the_main_peak_of_each_cluster_is_shown_for_max_peaks_1(self, fit):
        transformer = fit(0.5)
        expected = assert_peaks_by_definition(
            transformer, smooth_map(), clusters_of(transformer), max_peaks=1
        )
        assert {len(peaks) for peaks in expected} == {1}

    def test_peak_at_the_distance_is_too_close(self, mask_img):
        z = np.random.default_rng(0).uniform(-0.5, 0.5, SHAPE)
        z[3:6, 3:10, 5] += 5
        # Two peaks, 8 mm apart along y.
        z[4, 4, 5], z[4, 8, 5] = 9, 8
        transformer = ClusterTDPTransformer(mask_img=Nifti1Image(
            np.ones(SHAPE, dtype="uint8"), AFFINE))  # fmt: skip
        transformer.fit_transform(make_img(z))
        for min_distance, n_peaks in ((8, 1), (7.99, 2)):
            table = get_tdp_table(transformer, min_distance=min_distance)
            assert len(table[(table["cluster_id"] == 1) & (table["peak_stat"] >= 8)]) == n_peaks

    def test_one_peak_each_gives_no_sub_peaks(self, fitted):
        table = get_tdp_table(fitted, max_peaks=1)
        assert (table["peak"] == 1).all()
        pd.testing.assert_frame_equal(table, main_rows(get_tdp_table(fitted)))
        assert len(table) == len(fitted.table_)

    def test_default_is_four_peaks_eight_mm_apart(self, fitted):
        given = get_tdp_table(fitted, min_distance=8.0, max_peaks=4)
        pd.testing.assert_frame_equal(get_tdp_table(fitted), given)

    @pytest.mark.parametrize("connectivity", [18, 26])
    def test_of_clusters_of_any_connectivity(self, fit, connectivity):
        transformer = fit(0.8, connectivity=connectivity)
        clusters = clusters_of(transformer)
        # There are some that hang together by an edge or a corner.
        assert any(ndimage.label(cluster)[1] > 1 for cluster in clusters)
        assert_peaks_by_definition(transformer, smooth_map(), clusters)

    def test_of_several_thresholds(self, fit, mask):
        z = smooth_map()
        thresholds = [1.0, 2.0, 3.0]
        transformer = fit(thresholds)
        clusters = []
        for threshold in thresholds:
            # From left to right, as clusters of one size are ordered.
            labels, n = ndimage.label((mask & (z > threshold))[::-1])
            of_threshold = [labels[::-1] == i for i in range(1, n + 1)]
            clusters += sorted(of_threshold, key=lambda members: -members.sum())
        assert_peaks_by_definition(transformer, z, clusters)

    def test_of_given_clusters(self, mask, mask_img):
        labels = np.zeros(SHAPE, dtype="int16")
        labels[2:9, 3:12, 2:6] = 12
        labels[2:9, 3:12, 6:12] = 4
        labels[11:, 4:8] = 700
        transformer = ClusterTDPTransformer(labels_img=make_img(labels), mask_img=mask_img)
        transformer.fit_transform(make_img(smooth_map()))
        table = get_tdp_table(transformer)
        assert main_rows(table)["cluster_id"].tolist() == [4, 12, 700, 0]
        assert main_rows(table)["threshold"].tolist() == [None] * 4
        sets = [mask & (labels == i) for i in (4, 12, 700)]
        expected = assert_peaks_by_definition(transformer, smooth_map(), sets)
        assert min(map(len, expected)) > 1

    def test_of_regions_that_overlap(self, mask, mask_img):
        boxes = np.zeros((*SHAPE, 3), dtype="uint8")
        boxes[2:9, 3:12, 2:9, 0] = 1
        boxes[5:12, 3:12, 2:9, 1] = 1
        boxes[2:6, 2:6, 2:6, 2] = 1
        regions = RegionTDPTransformer(
            make_img(boxes), labels=["one", "two", "three"], mask_img=mask_img
        )
        regions.fit_transform(make_img(smooth_map()))
        table = get_tdp_table(regions)
        assert table.columns.tolist() == [
            "region_id", "region", "peak", *COLUMNS[4:],
        ]  # fmt: skip
        sets = [mask & (box > 0) for box in np.moveaxis(boxes, -1, 0)]
        assert_peaks_by_definition(regions, smooth_map(), sets)
        of_rows = main_rows(table)
        assert of_rows["region"].tolist() == ["one", "two", "three", "rest"]
        assert of_rows["n_voxels"].tolist()[:3] == [members.sum() for members in sets]
        for row, members in zip(of_rows.itertuples(), sets, strict=False):
            assert row.p_value == f"{regions.maps_.test.set_p_value(members[mask]):.2g}"
            xyz = apply_affine(AFFINE, np.argwhere(members)).mean(axis=0)
            assert_allclose([row.center_x, row.center_y, row.center_z], xyz, atol=0.051)
        sub_peaks = table[table["peak"] > 1]
        names = {1: "one", 2: "two", 3: "three"}
        assert sub_peaks["region"].tolist() == [names[i] for i in sub_peaks["region_id"]]

    def test_region_outside_of_the_mask_has_empty_cells(self, mask_img):
        labels = np.zeros(SHAPE, dtype="int16")
        labels[2:9, 3:12, 2:6] = 1
        labels[0, 0, 0] = 2
        regions = RegionTDPTransformer(make_img(labels), mask_img=mask_img)
        with pytest.warns(UserWarning, match="no voxels in the mask"):
            regions.fit_transform(make_img(smooth_map()))
        row = get_tdp_table(regions).set_index("region_id").loc[2]
        assert (row["peak"], row["n_voxels"], row["size_mm3"]) == (1, 0, 0)
        assert row[["tdp", "p_value", *CENTRE_COLUMNS, *PEAK_COLUMNS]].tolist() == [None] * 9

    def test_of_a_plateau_there_is_one(self, mask_img):
        z = np.random.default_rng(0).uniform(-0.5, 0.5, SHAPE)
        z[3:6, 3:6, 3:6] = 5
        transformer = ClusterTDPTransformer(mask_img=Nifti1Image(
            np.ones(SHAPE, dtype="uint8"), AFFINE))  # fmt: skip
        transformer.fit_transform(make_img(z))
        table = get_tdp_table(transformer, min_distance=0)
        assert len(table) == 2
        assert table.loc[0, PEAK_COLUMNS].tolist() == [5, *apply_affine(AFFINE, [5, 3, 3])]

    def test_voxels_that_are_nan_are_no_neighbours(self, mask, mask_img):
        z = smooth_map()
        holes = np.random.default_rng(1).random(SHAPE) < 0.1
        z[holes] = np.nan
        transformer = ClusterTDPTransformer(1.0, mask_img=mask_img)
        with pytest.warns(UserWarning, match="NaN"):
            transformer.fit_transform(make_img(z))
        assert_peaks_by_definition(transformer, z, clusters_of(transformer))

    def test_of_the_rest_is_one(self, fit):
        table = get_tdp_table(fit(3.0), min_distance=0, max_peaks=100)
        assert (table["cluster_id"] == 0).sum() == 1

    @pytest.mark.parametrize("stat_type", ["p", "one_minus_p", "neg_log10_p"])
    def test_of_p_values_are_where_those_of_z_are(self, fit, mask_img, stat_type):
        p = stats.norm.sf(smooth_map())
        values = {"p": p, "one_minus_p": 1 - p, "neg_log10_p": -np.log10(p)}[stat_type]
        transformer = ClusterTDPTransformer(
            stats.norm.sf(2.0), threshold_scale="p", mask_img=mask_img, stat_type=stat_type
        )
        transformer.fit_transform(make_img(values))
        columns = ["cluster_id", "peak", *PEAK_COLUMNS[1:], "p_value", "tdp"]
        pd.testing.assert_frame_equal(
            get_tdp_table(transformer)[columns], get_tdp_table(fit(2.0))[columns]
        )


def sheet(x, n_rows=14, n_columns=15):
    """Return a mesh of bent squares in triangles, at some x."""
    i, j = np.indices((n_rows, n_columns)).reshape(2, -1)
    points = np.column_stack([x + 0.1 * i * j, 2.0 * i + 0.05 * i**2, 1.5 * j])
    corner = np.arange(i.size).reshape(n_rows, n_columns)
    a, b, c, d = corner[:-1, :-1], corner[1:, :-1], corner[:-1, 1:], corner[1:, 1:]
    faces = np.concatenate([np.stack(t, axis=-1).reshape(-1, 3) for t in ((a, b, c), (d, c, b))])
    return InMemoryMesh(points, faces)


def on_sheet(seed, shape):
    z = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), 1)
    z /= z.std()
    z[:, 3:11] += 2
    return z.ravel()


def mesh_peaks(part, stat, members, min_distance, max_peaks=4):
    """Return the peaks of a set of vertices, as vertex numbers."""
    members = set(np.flatnonzero(members).tolist())
    is_maximum = dict.fromkeys(members, True)
    for face in np.asarray(part.faces).tolist():
        for one in face:
            for other in face:
                if {one, other} <= members and stat[one] < stat[other]:
                    is_maximum[one] = False
    found = sorted((v for v in members if is_maximum[v]), key=lambda v: -stat[v])
    return [found[i] for i in apart(part.coordinates[found], min_distance, max_peaks)]


def vertex_areas(part):
    areas = np.zeros(part.n_vertices)
    for face in np.asarray(part.faces).tolist():
        a, b, c = part.coordinates[face]
        areas[face] += np.linalg.norm(np.cross(b - a, c - a)) / 6
    return areas


class TestSurfaces:
    """Peaks on meshes."""

    @pytest.fixture
    def mesh(self):
        return PolyMesh(left=sheet(-60), right=sheet(60, 13, 16))

    @pytest.fixture
    def surface(self, mesh):
        return SurfaceImage(mesh, {"left": on_sheet(0, (14, 15)), "right": on_sheet(1, (13, 16))})

    @pytest.mark.parametrize("min_distance", [0, 4.0, 8.0])
    def test_are_local_maxima_along_the_edges(self, surface, mesh, min_distance):
        transformer = ClusterTDPTransformer(1.5)
        transformer.fit_transform(surface)
        table = get_tdp_table(transformer, min_distance=min_distance)
        assert table.columns.tolist() == [
            *COLUMNS[:4], "n_vertices", "size_mm2", *COLUMNS[6:12], "peak_stat",
            "peak_hemisphere", "peak_vertex", *COLUMNS[13:],
        ]  # fmt: skip
        n_sub_peaks = 0
        assert set(table["peak_hemisphere"]) == {"left", "right"}
        for cluster_id, rows in table[table["cluster_id"] > 0].groupby("cluster_id"):
            (hemisphere,) = set(rows["peak_hemisphere"])
            part = mesh.parts[hemisphere]
            stat = surface.data.parts[hemisphere]
            members = transformer.labels_img_.data.parts[hemisphere] == cluster_id
            expected = mesh_peaks(part, stat, members, min_distance)
            assert rows["peak_vertex"].tolist() == expected
            assert {type(cell) for cell in rows["peak_vertex"]} == {int}
            assert_allclose(rows["peak_stat"].astype(float), stat[expected], atol=0.0051)
            xyz = rows[PEAK_COLUMNS[1:]].astype(float)
            assert_allclose(xyz, part.coordinates[expected], atol=0.051)
            n_sub_peaks += len(rows) - 1
        assert n_sub_peaks > 2

    def test_center_is_weighted_by_area(self, surface, mesh):
        transformer = ClusterTDPTransformer(1.5)
        transformer.fit_transform(surface)
        of_rows = main_rows(get_tdp_table(transformer))
        for row in of_rows.iloc[:-1].itertuples():
            part = mesh.parts[row.peak_hemisphere]
            members = transformer.labels_img_.data.parts[row.peak_hemisphere] == row.cluster_id
            areas = vertex_areas(part)[members]
            expected = np.average(part.coordinates[members], axis=0, weights=areas)
            assert_allclose([row.center_x, row.center_y, row.center_z], expected, atol=0.051)
            assert row.n_vertices == members.sum()
            assert row.size_mm2 == round(areas.sum())

    def test_atlas_names_regions(self, surface, mesh):
        atlas = {h: np.ones(part.n_vertices, dtype=int) for h, part in mesh.parts.items()}
        atlas["right"][:] = 2
        atlas["right"][:100] = 0
        transformer = ClusterTDPTransformer(1.5)
        transformer.fit_transform(surface)
        table = get_tdp_table(
            transformer, labels_img=SurfaceImage(mesh, atlas), labels=["lh", "rh"]
        )
        for row in table.iloc[:-1].itertuples():
            region = atlas[row.peak_hemisphere][row.peak_vertex]
            assert row.peak_region == {0: None, 1: "lh", 2: "rh"}[region]
        assert set(table["peak_region"]) == {None, "lh", "rh"}
        one = main_rows(table)[main_rows(table)["peak_hemisphere"] == "left"].iloc[0]
        assert one["composition"] == f"lh 100% (TDP {math.floor(one['tdp'] * 100) / 100:.2f})"


class TestCifti:
    """Peaks of grayordinates."""

    @pytest.fixture
    def mesh(self):
        return PolyMesh(left=sheet(-60), right=sheet(60, 13, 16))

    @pytest.fixture
    def axis(self):
        affine = np.diag([2.0, 2, 2, 1])
        left = BrainModelAxis.from_surface(np.arange(5, 210), 210, "CIFTI_STRUCTURE_CORTEX_LEFT")
        voxels = BrainModelAxis.from_mask(
            np.ones((6, 7, 8)), affine=affine, name="CIFTI_STRUCTURE_THALAMUS_LEFT"
        )
        return left + voxels

    @pytest.fixture
    def values(self, axis):
        voxels = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((6, 7, 8)), 0.8)
        voxels /= voxels.std()
        voxels[1:5, 1:6] += 2
        return np.concatenate([on_sheet(0, (14, 15))[5:], voxels.ravel()])

    @pytest.fixture
    def fitted(self, axis, values, mesh):
        img = Cifti2Image(values[np.newaxis], (ScalarAxis(["z"]), axis))
        transformer = ClusterTDPTransformer(1.5, mesh=mesh)
        transformer.fit_transform(img)
        return transformer

    def test_are_local_maxima_of_voxels_and_vertices(self, fitted, axis, values, mesh):
        table = get_tdp_table(fitted)
        assert table.columns.tolist() == [
            *COLUMNS[:4], "n_grayordinates", "size_mm2", "size_mm3", *COLUMNS[6:12], "peak_stat",
            "peak_structure", "peak_vertex", *COLUMNS[13:],
        ]  # fmt: skip
        labels = np.asarray(fitted.labels_img_.dataobj)[0].astype(int)
        stat = np.full(210, np.nan)
        stat[5:] = values[:205]
        volume = values[205:].reshape(6, 7, 8)
        n_sub_peaks = {"CORTEX_LEFT": 0, "THALAMUS_LEFT": 0}
        for cluster_id, rows in table[table["cluster_id"] > 0].groupby("cluster_id"):
            (structure,) = set(rows["peak_structure"])
            n_sub_peaks[structure] += len(rows) - 1
            main = rows.iloc[0]
            if structure == "CORTEX_LEFT":
                members = np.zeros(210, dtype=bool)
                members[5:] = labels[:205] == cluster_id
                expected = mesh_peaks(mesh.parts["left"], stat, members, 8.0)
                assert rows["peak_vertex"].tolist() == expected
                assert_allclose(rows["peak_stat"].astype(float), stat[expected], atol=0.0051)
                assert main["size_mm3"] == 0
                areas = vertex_areas(mesh.parts["left"])[members]
                assert main["size_mm2"] == round(areas.sum())
                xyz = mesh.parts["left"].coordinates[members]
            else:
                inside = labels[205:].reshape(6, 7, 8) == cluster_id
                assert [cell is None for cell in rows["peak_vertex"]] == [True] * len(rows)
                ijk = (rows[PEAK_COLUMNS[1:]].astype(float) / 2).to_numpy().astype(int)
                filled = np.where(inside, volume, -np.inf)
                highest = ndimage.maximum_filter(filled, 3, mode="constant", cval=-np.inf)
                found = np.argwhere(inside & (highest == filled))
                found = found[np.argsort(-volume[tuple(found.T)])]
                assert_array_equal(ijk, found[apart(2.0 * found, 8.0, 4)])
                assert (main["size_mm2"], main["size_mm3"]) == (0, inside.sum() * 8)
                xyz, areas = 2.0 * np.argwhere(inside), np.ones(inside.sum())
            center = main[CENTRE_COLUMNS].astype(float)
            assert_allclose(center, np.average(xyz, axis=0, weights=areas), atol=0.051)
        assert min(n_sub_peaks.values()) > 0

    def test_atlas_names_regions(self, fitted, axis):
        labels = np.zeros((1, 205 + 336))
        labels[0, :100] = 4
        labels[0, 205:] = 6
        atlas = Cifti2Image(labels, (ScalarAxis(["atlas"]), axis))
        lut = pd.DataFrame({"index": [4, 6], "name": ["cortex", "thalamus"]})
        table = get_tdp_table(fitted, labels_img=atlas, lut=lut)
        for row in table.iloc[:-1].itertuples():
            if row.peak_structure == "THALAMUS_LEFT":
                assert row.peak_region == "thalamus"
            else:
                assert row.peak_region == ("cortex" if row.peak_vertex < 105 else None)
        assert set(table["peak_region"]) == {None, "cortex", "thalamus"}


class TestAtlas:
    """Regions at the peaks, and regions that clusters consist of."""

    def regions_at(self, table, atlas, names):
        """Return the names of the labels at the peaks, but for the rest."""
        found = []
        for row in table.iloc[:-1].itertuples():
            ijk = apply_affine(np.linalg.inv(AFFINE), [row.peak_x, row.peak_y, row.peak_z])
            found.append(names[int(atlas[tuple(np.round(ijk).astype(int))])])
        return [*found, None]

    @pytest.mark.parametrize(
        ("parameters", "names"),
        [
            ({}, {0: None, 2: "2", 5: "5", 9: "9"}),
            ({"labels": ["a", "b", "c"]}, {0: None, 2: "a", 5: "b", 9: "c"}),
            ({"labels": ["Background", "a", "b", "c"]}, {0: None, 2: "a", 5: "b", 9: "c"}),
            (
                {"lut": pd.DataFrame({"index": [9, 5, 2], "name": ["C c", "B", "A"]})},
                {0: None, 2: "A", 5: "B", 9: "C c"},
            ),
            ({"background_label": 5}, {0: "0", 2: "2", 5: None, 9: "9"}),
        ],
        ids=["none", "labels", "background", "lut", "other background"],
    )
    def test_names_the_region_at_each_peak(self, fit, atlas_img, parameters, names):
        transformer = fit(1.0)
        table = get_tdp_table(transformer, labels_img=atlas_img, **parameters)
        assert table.columns.tolist() == [*COLUMNS, "peak_region", "composition"]
        expected = self.regions_at(table, get_data(atlas_img), names)
        assert table["peak_region"].tolist() == expected
        assert set(expected) == set(names.values())

    def test_file_of_names_and_image_may_be_given(self, fitted, atlas_img, tmp_path):
        lut = pd.DataFrame({"index": [2, 5, 9], "name": ["A", "B", "C"]})
        lut.to_csv(tmp_path / "lut.tsv", sep="\t", index=False)
        atlas_img.to_filename(tmp_path / "atlas.nii.gz")
        table = get_tdp_table(
            fitted, labels_img=str(tmp_path / "atlas.nii.gz"), lut=tmp_path / "lut.tsv"
        )
        expected = get_tdp_table(fitted, labels_img=atlas_img, lut=lut)
        pd.testing.assert_frame_equal(table, expected)

    @pytest.mark.parametrize("threshold", [1.5, [1.5, 3.0]], ids=["one", "two"])
    def test_composition_is_in_words(self, fit, atlas_img, threshold):
        transformer = fit(threshold)
        labels = ["a", "b", "c"]
        table = get_tdp_table(transformer, labels_img=atlas_img, labels=labels)
        pieces = get_region_composition(transformer, atlas_img, labels=labels)
        n_without = 0
        for row in main_rows(table).iloc[:-1].itertuples():
            of_cluster = pieces[pieces["cluster_id"] == row.cluster_id]
            words = [
                f"{piece.region} {100 * piece.share:.0f}% "
                f"(TDP {as_text(piece.true_discoveries, piece.n_voxels, 2)})"
                for piece in of_cluster.itertuples()
            ]
            assert row.composition == ("; ".join(words) or None)
            n_without += not words
        assert table["composition"][0].count("; ") == 1
        assert n_without > 0
        # The rest surrounds the clusters: it is not composed.
        assert table["composition"].iloc[-1] is None

    def test_composition_by_hand(self, mask_img):
        z = np.random.default_rng(0).uniform(-0.5, 0.5, SHAPE)
        z[3:7, 3:6, 3:8] = 9 + z[3:7, 3:6, 3:8]
        transformer = ClusterTDPTransformer(mask_img=Nifti1Image(
            np.ones(SHAPE, dtype="uint8"), AFFINE))  # fmt: skip
        transformer.fit_transform(make_img(z))
        labels = np.zeros(SHAPE, dtype="uint8")
        labels[3, 3:6, 3:8] = 1
        labels[4:6, 3:6, 3:8] = 2
        table = get_tdp_table(transformer, labels_img=make_img(labels), labels=["few", "many"])
        # All of 60 voxels are active: 15 in one region, 30 in the other, 15 in none.
        assert table["composition"][0] == "many 50% (TDP 1.00); few 25% (TDP 1.00)"
        assert (table["n_voxels"][0], table["tdp"][0]) == (60, 1.0)

    def test_regions_that_overlap(self, fitted, atlas_img):
        labels = get_data(atlas_img)
        maps = np.stack([labels == 2, labels > 0, labels == 5], axis=-1).astype("float32")
        maps *= [0.9, 0.5, 0.2]
        table = get_tdp_table(
            fitted, labels_img=make_img(maps), labels=["a", "b", "c"], probability_threshold=0.3
        )
        expected = self.regions_at(table, labels, {0: None, 2: "a; b", 5: "b", 9: "b"})
        assert table["peak_region"].tolist() == expected
        assert set(expected) == {None, "a; b", "b"}
        table = get_tdp_table(fitted, labels_img=make_img(maps))
        expected = self.regions_at(table, labels, {0: None, 2: "1; 2", 5: "2; 3", 9: "2"})
        assert table["peak_region"].tolist() == expected

    def test_atlas_on_another_grid_is_resampled_if_wished(self, fitted, atlas_img):
        # The same regions, with margins and voxels of half the size.
        fine = np.kron(get_data(atlas_img), np.ones((2, 2, 2), dtype="int32"))
        affine = AFFINE @ np.array(
            [[0.5, 0, 0, -0.25], [0, 0.5, 0, -0.25], [0, 0, 0.5, -0.25], [0, 0, 0, 1]]
        )
        # nearest neighbour: the centres of voxels lie between those of the fine grid.
        fine_img = Nifti1Image(fine, affine)
        table = get_tdp_table(fitted, labels_img=fine_img, resampling_target="data")
        expected = get_tdp_table(fitted, labels_img=atlas_img)
        pd.testing.assert_frame_equal(table, expected)
        with pytest.raises(ValueError, match="must be on the grid"):
            get_tdp_table(fitted, labels_img=fine_img)
        same = get_tdp_table(fitted, labels_img=atlas_img, resampling_target="data")
        pd.testing.assert_frame_equal(same, expected)

    def test_of_regions_of_another_atlas(self, mask_img, atlas_img):
        boxes = np.zeros(SHAPE, dtype="uint8")
        boxes[2:9, 3:12, 2:9] = 1
        boxes[11:, 3:12, 2:9] = 2
        regions = RegionTDPTransformer(make_img(boxes), labels=["x", "y"], mask_img=mask_img)
        regions.fit_transform(make_img(smooth_map()))
        table = get_tdp_table(regions, labels_img=atlas_img, labels=["a", "b", "c"])
        expected = self.regions_at(table, get_data(atlas_img), {0: None, 2: "a", 5: "b", 9: "c"})
        assert table["peak_region"].tolist() == expected
        composition = main_rows(table)["composition"]
        assert composition[0].count("%") == 2
        assert composition[1] is composition[2] is None

    def test_region_with_label_zero_is_not_the_rest(self, mask_img, atlas_img):
        regions = RegionTDPTransformer(atlas_img, background_label=2, mask_img=mask_img)
        regions.fit_transform(make_img(smooth_map()))
        table = main_rows(get_tdp_table(regions, labels_img=atlas_img, background_label=2))
        assert table["region_id"].tolist() == [0, 5, 9, 2]
        assert table["region"].tolist() == ["0", "5", "9", "rest"]
        assert [cell and cell.split("%")[0] for cell in table["composition"]] == [
            "0 100", "5 100", "9 100", None,
        ]  # fmt: skip
        assert table["peak_region"].tolist() == ["0", "5", "9", None]

    def test_nan_voxels_have_no_part(self, mask_img, atlas_img):
        z = smooth_map()
        z[3:6, 4:8, 3:6] = np.nan
        transformer = ClusterTDPTransformer(1.5, mask_img=mask_img)
        with pytest.warns(UserWarning, match="NaN"):
            transformer.fit_transform(make_img(z))
        table = get_tdp_table(transformer, labels_img=atlas_img)
        expected = self.regions_at(table, get_data(atlas_img), {0: None, 2: "2", 5: "5", 9: "9"})
        assert table["peak_region"].tolist() == expected


class TestFiles:
    """The table as text."""

    @pytest.fixture
    def table(self, fit, atlas_img):
        return get_tdp_table(
            fit([1.5, 2.5], cluster_threshold=3), labels_img=atlas_img, labels=["a", "b", "c d"]
        )

    @staticmethod
    def assert_same(read, table):
        assert read.columns.tolist() == table.columns.tolist()
        for column in table:
            for cell, expected in zip(read[column], table[column], strict=True):
                if expected is None:
                    assert pd.isna(cell)
                elif column == "p_value":
                    assert cell == float(expected)
                else:
                    assert cell == expected

    def test_comma_separated_and_back(self, table, tmp_path):
        table.to_csv(tmp_path / "table.csv", index=False)
        self.assert_same(pd.read_csv(tmp_path / "table.csv"), table)
        text = (tmp_path / "table.csv").read_text()
        assert "nan" not in text.lower()
        assert "None" not in text

    def test_tab_separated_for_bids_and_back(self, table, tmp_path):
        table.to_csv(tmp_path / "table.tsv", sep="\t", na_rep="n/a", index=False)
        lines = (tmp_path / "table.tsv").read_text().splitlines()
        assert all(len(line.split("\t")) == len(table.columns) for line in lines)
        assert "" not in {cell for line in lines for cell in line.split("\t")}
        self.assert_same(pd.read_csv(tmp_path / "table.tsv", sep="\t", na_values="n/a"), table)

    def test_markdown_has_empty_cells(self, table):
        pytest.importorskip("tabulate")
        lines = table.to_markdown(index=False).splitlines()
        assert len(lines) == len(table) + 2
        cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
        assert cells[0] == table.columns.tolist()
        sub_peak = next(row for row in cells[2:] if row[1] == "2")
        assert sub_peak[2:12] == [""] * 10
        assert not any(cell in ("None", "nan") for row in cells for cell in row)


class TestEstimators:
    """Whatever has seen a map has a table."""

    def test_of_one_of_several_maps(self, fit, mask_img):
        several = ClusterTDPTransformer(2.0, mask_img=mask_img)
        several.fit_transform([make_img(smooth_map(seed)) for seed in range(3)])
        for i in range(3):
            expected = get_tdp_table(fit(2.0, seed=i))
            pd.testing.assert_frame_equal(get_tdp_table(several, map_index=i), expected)
        with pytest.raises(ValueError, match="one of the 3 maps, from 0 to 2"):
            get_tdp_table(several)
        with pytest.raises(ValueError, match="map_index must be an integer from 0 to 2"):
            get_tdp_table(several, map_index=3)

    def test_of_an_array(self, fit, mask, mask_img):
        transformer = ClusterTDPTransformer(2.0, mask_img=mask_img)
        transformer.fit_transform(smooth_map()[mask])
        pd.testing.assert_frame_equal(get_tdp_table(transformer), get_tdp_table(fit(2.0)))

    @pytest.mark.parametrize("of_regions", [False, True])
    def test_of_a_second_level_model(self, mask_img, atlas_img, of_regions):
        transformer = RegionTDPTransformer(atlas_img) if of_regions else None
        model = ARISecondLevelModel(mask_img=mask_img, transformer=transformer)
        images = [make_img(smooth_map(seed, 1.0)) for seed in range(6)]
        model.fit(images, design_matrix=pd.DataFrame({"intercept": np.ones(6)}))
        with pytest.raises(NotFittedError, match="has not computed the TDP of a contrast yet"):
            get_tdp_table(model)
        model.compute_contrast(output_type="tdp")
        table = get_tdp_table(model, labels_img=atlas_img)
        pd.testing.assert_frame_equal(
            table, get_tdp_table(model.transformer_, labels_img=atlas_img)
        )
        assert len(main_rows(table)) == len(model.table_)

    def test_of_a_fitted_map(self, fitted, atlas_img):
        expected = get_tdp_table(fitted, labels_img=atlas_img)
        pd.testing.assert_frame_equal(get_tdp_table(fitted.maps_, labels_img=atlas_img), expected)
        with pytest.raises(ValueError, match="map_index must be left at the default"):
            get_tdp_table(fitted.maps_, map_index=0)

    def test_before_a_map_was_seen_is_refused(self, mask_img):
        transformer = ClusterTDPTransformer(mask_img=mask_img)
        for unfitted in (transformer, transformer.fit()):
            with pytest.raises(NotFittedError, match="Call fit or fit_transform with a map"):
                get_tdp_table(unfitted)

    @pytest.mark.parametrize("value", [None, "table", pd.DataFrame()], ids=repr)
    def test_of_something_else_is_refused(self, value):
        with pytest.raises(TypeError, match=f"or a FittedMap. Got {type(value).__name__}"):
            get_tdp_table(value)


class TestBadParameters:
    """What must be refused, by an error that says why."""

    @pytest.mark.parametrize("value", [-1, -0.1, np.nan, "8", None, [8.0], 8j], ids=repr)
    def test_min_distance(self, fitted, value):
        with pytest.raises(
            ValueError, match=r"min_distance must be a number of mm, at least 0. Got"
        ):
            get_tdp_table(fitted, min_distance=value)

    @pytest.mark.parametrize("value", [0, -1, 1.5, 2.0, "4", None, [4]], ids=repr)
    def test_max_peaks(self, fitted, value):
        with pytest.raises(ValueError, match=r"max_peaks must be an integer, at least 1. Got"):
            get_tdp_table(fitted, max_peaks=value)

    @pytest.mark.parametrize("value", ["labels", "mask", True, 1], ids=repr)
    def test_resampling_target(self, fitted, atlas_img, value):
        with pytest.raises(ValueError, match=r"resampling_target must be 'data' or None. Got"):
            get_tdp_table(fitted, labels_img=atlas_img, resampling_target=value)

    @pytest.mark.parametrize(
        "parameters",
        [
            {"labels": ["a", "b"]},
            {"lut": pd.DataFrame({"index": [1], "name": ["a"]})},
            {"background_label": 3},
            {"probability_threshold": 0.0},
            {"resampling_target": "data"},
            {"labels": ["a"], "probability_threshold": 0.3},
        ],
        ids=lambda parameters: ", ".join(parameters),
    )
    def test_parameters_of_an_atlas_without_one(self, fitted, parameters):
        match = f"{', '.join(parameters)} must be left at the default without a labels_img. Got "
        with pytest.raises(ValueError, match=match):
            get_tdp_table(fitted, **parameters)

    def test_a_distance_between_peaks_for_clusters_of_one_peak(self, fitted):
        match = "min_distance must be left at the default with max_peaks=1, .*Got min_distance=3.0"
        with pytest.raises(ValueError, match=match):
            get_tdp_table(fitted, max_peaks=1, min_distance=3.0)

    @pytest.mark.parametrize(
        ("parameters", "match"),
        [
            ({"labels": ["a"]}, "a name for each of the 3 regions"),
            ({"labels": ["a", "b", "c"], "lut": "lut.tsv"}, "give one of them. Got both"),
            ({"probability_threshold": 0.5}, "probability_threshold is for .* several maps"),
        ],
        ids=["labels", "both", "probability_threshold"],
    )
    def test_names_that_do_not_fit(self, fitted, atlas_img, parameters, match):
        with pytest.raises(ValueError, match=match):
            get_tdp_table(fitted, labels_img=atlas_img, **parameters)

    def test_atlas_that_is_none(self, fitted, mask_img):
        with pytest.raises(ValueError, match="at least one region"):
            get_tdp_table(fitted, labels_img=new_img_like(mask_img, np.zeros(SHAPE)))
        with pytest.raises(ValueError, match=r"must hold integers. Got 0\.5"):
            get_tdp_table(fitted, labels_img=make_img(np.full(SHAPE, 0.5)))

    def test_atlas_of_another_kind(self, fitted):
        mesh = PolyMesh(left=sheet(0), right=sheet(9))
        atlas = SurfaceImage(mesh, {h: np.ones(p.n_vertices) for h, p in mesh.parts.items()})
        with pytest.raises(TypeError, match="of the same kind as the maps"):
            get_tdp_table(fitted, labels_img=atlas)

    def test_parameters_must_be_named(self, fitted):
        with pytest.raises(TypeError, match="positional"):
            get_tdp_table(fitted, 8.0)
