"""AdaptiveTDPTransformer: the largest clusters with a TDP, against the clusters at all heights."""

import functools

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from nilearn.image import get_data
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from scipy import ndimage, stats

from ari_estimator import (
    AdaptiveTDPTransformer,
    ClusterTDPTransformer,
    set_bound,
)
from ari_estimator.closed_testing import Hommel
from ari_estimator.reporting import get_region_composition, get_tdp_table

from ._kinds import KINDS, N_CHANGES, components

COLUMNS = KINDS["volume"].columns[:]
COLUMNS.insert(1, "tdp_threshold")

# What a cluster is, whatever it is called.
OF_CLUSTER = [name for name in COLUMNS if name not in ("cluster_id", "tdp_threshold", "threshold")]


CONNECTIVITIES = pytest.mark.parametrize("connectivity", [6, 18, 26])

TWO_SIDED = pytest.mark.parametrize("two_sided", [False, True], ids=["one-sided", "two-sided"])

TDPS = [0, 0.01, 0.5, 0.7, 0.9, 1]


class BruteForce:
    """All clusters of a map by trying every height, and the bound of each.

    ``label`` returns the number of the component of each selected element, from 1, and 0 for
    the others. ``sides`` tells positive from negative elements; None if there is one side.
    """

    def __init__(self, evidence, p, label, sides=None, local_test="simes", alpha=0.05):
        vector = Hommel(p, local_test).critical_vector(alpha)
        self.n = p.size
        self.bounds = {}
        sides = np.zeros(p.size) if sides is None else sides
        for side in np.unique(sides):
            for height in np.unique(evidence[sides == side]):
                labels = label((sides == side) & (evidence >= height))
                # A cluster that has no element at this height is one of a greater height.
                for i in np.unique(labels[(sides == side) & (evidence == height)]):
                    cluster = frozenset(np.flatnonzero(labels == i).tolist())
                    if cluster not in self.bounds:
                        members = np.array(sorted(cluster))
                        self.bounds[cluster] = int(vector.true_discoveries(p[members]))

    def largest(self, tdp, cluster_threshold=0):
        """Return the largest clusters with a TDP, from the largest to the smallest."""
        found = []
        for cluster in sorted(self.bounds, key=len, reverse=True):
            is_within = any(cluster <= other for other in found)
            if self.bounds[cluster] / len(cluster) >= tdp and not is_within:
                assert all(cluster.isdisjoint(other) for other in found)
                found.append(cluster)
        return [cluster for cluster in found if len(cluster) >= cluster_threshold]

    def tdp(self, tdps, cluster_threshold=0):
        """Return the TDP of the cluster of each element for the highest TDP it has one for."""
        shown = np.zeros(self.n)
        for tdp in sorted(tdps):
            for cluster in self.largest(tdp, cluster_threshold):
                shown[list(cluster)] = self.bounds[cluster] / len(cluster)
        return shown

    def highest(self, cluster_threshold=0):
        """Return the highest TDP of all clusters around each element."""
        shown = np.zeros(self.n)
        for cluster, bound in self.bounds.items():
            if len(cluster) >= cluster_threshold:
                members = list(cluster)
                shown[members] = np.maximum(shown[members], bound / len(cluster))
        return shown


def label_of_volume(mask, connectivity):
    """Return a function that labels voxels of a mask."""
    structure = ndimage.generate_binary_structure(3, N_CHANGES[connectivity])

    def label(selected):
        volume = np.zeros(mask.shape, dtype=bool)
        volume[mask] = selected
        return ndimage.label(volume, structure)[0][mask]

    return label


def label_of_matrix(are_neighbours):
    """Return a function that labels elements. A matrix says which are neighbours."""

    def label(selected):
        labels = np.zeros(selected.size, dtype=int)
        for i, members in enumerate(components(selected, are_neighbours), 1):
            labels[members] = i
        return labels

    return label


def brute_force_of(z, mask, connectivity=6, *, two_sided=False, **parameters):
    """Return all clusters of z values."""
    values = z[mask]
    p = 2 * stats.norm.sf(abs(values)) if two_sided else stats.norm.sf(values)
    return BruteForce(
        abs(values) if two_sided else values,
        p,
        label_of_volume(mask, connectivity),
        np.sign(values) if two_sided else None,
        **parameters,
    )


@pytest.fixture(scope="module")
def brute_force(make_map, mask):
    """Return a function from a seed, and more, to all clusters of a synthetic map."""

    @functools.cache
    def make(seed=0, connectivity=6, **parameters):
        return brute_force_of(make_map(seed), mask, connectivity, **parameters)

    return make


def clusters_of(labels, ids):
    """Return the sets of elements with each label."""
    return [frozenset(np.flatnonzero(labels == i).tolist()) for i in ids]


def assert_is_largest(transformer, shown, labels, expected, tdp, cluster_threshold=0):
    """Assert that image, label image and table show the expected clusters."""
    clusters = expected.largest(tdp, cluster_threshold)
    table = transformer.table_
    size = next(name for name in table if name.startswith("n_"))
    assert table[size].tolist()[:-1] == [len(cluster) for cluster in clusters]
    found = clusters_of(labels, table["cluster_id"][:-1])
    assert set(found) == set(clusters)
    assert table["true_discoveries"].tolist()[:-1] == [expected.bounds[c] for c in found]
    assert table[size].sum() == expected.n
    assert_array_equal(shown, expected.tdp([tdp], cluster_threshold))


def assert_thresholds_form_the_clusters(transformer, labels, form_clusters):
    """Assert that a threshold of the table forms the same cluster."""
    n_formed = 0
    for row in transformer.table_[:-1].itertuples():
        if not row.threshold >= 0:
            continue  # no threshold that ClusterTDPTransformer takes
        of_clusters, labels_there = form_clusters(row.threshold)
        here = labels == row.cluster_id
        (cluster_id,) = np.unique(labels_there[here])
        assert cluster_id > 0
        assert_array_equal(labels_there == cluster_id, here)
        other = of_clusters.table_
        columns = [name for name in OF_CLUSTER if name in other]
        assert_frame_equal(
            other.loc[other["cluster_id"] == cluster_id, columns].reset_index(drop=True),
            transformer.table_.loc[[row.Index], columns].reset_index(drop=True),
        )
        n_formed += 1
    return n_formed


def noise_without_discoveries(mask):
    """Return z values whose p-values are evenly spread: there are no discoveries."""
    z = np.zeros(mask.shape)
    p = (np.arange(mask.sum()) + 0.5) / mask.sum()
    z[mask] = stats.norm.isf(np.random.default_rng(0).permutation(p))
    return z


class TestLargestClusters:
    """The clusters are the largest of all heights that have the TDP."""

    @pytest.mark.parametrize("tdp", TDPS)
    @TWO_SIDED
    @CONNECTIVITIES
    def test_trying_every_height_finds_the_same(
        self, brute_force, make_map, make_img, mask, mask_img, connectivity, two_sided, tdp
    ):
        transformer = AdaptiveTDPTransformer(
            tdp, mask_img=mask_img, two_sided=two_sided, connectivity=connectivity
        )
        for seed in (0, 1):
            shown = get_data(transformer.fit_transform(make_img(make_map(seed))))
            assert transformer.table_["true_discoveries"][0] > 0
            assert not shown[~mask].any()
            labels = get_data(transformer.labels_img_)[mask]
            expected = brute_force(seed, connectivity, two_sided=two_sided)
            assert_is_largest(transformer, shown[mask], labels, expected, tdp)

    @pytest.mark.parametrize("parameters", [{"local_test": "hommel"}, {"alpha": 0.3}], ids=str)
    def test_other_bounds_give_other_clusters(self, brute_force, z_img, mask, mask_img, parameters):
        transformer = AdaptiveTDPTransformer(0.8, mask_img=mask_img, **parameters)
        shown = get_data(transformer.fit_transform(z_img))[mask]
        labels = get_data(transformer.labels_img_)[mask]
        assert_is_largest(transformer, shown, labels, brute_force(**parameters), 0.8)
        default = get_data(AdaptiveTDPTransformer(0.8, mask_img=mask_img).fit_transform(z_img))
        n_default, n_other = (default > 0).sum(), (shown > 0).sum()
        assert n_other < n_default if "local_test" in parameters else n_other > n_default

    @TWO_SIDED
    @pytest.mark.parametrize("tdp", [0, 0.5, 0.7, 1])
    def test_ties_are_in_a_cluster_together(
        self, make_map, make_img, mask, mask_img, two_sided, tdp
    ):
        z = np.round(make_map(4))
        assert (z[mask] == 0).any()
        transformer = AdaptiveTDPTransformer(tdp, mask_img=mask_img, two_sided=two_sided)
        shown = get_data(transformer.fit_transform(make_img(z)))[mask]
        labels = get_data(transformer.labels_img_)[mask]
        expected = brute_force_of(z, mask, two_sided=two_sided)
        assert_is_largest(transformer, shown, labels, expected, tdp)

    def test_default_is_seven_tenths(self, z_img, mask_img, assert_same_images):
        shown = AdaptiveTDPTransformer(mask_img=mask_img).fit_transform(z_img)
        explicit = AdaptiveTDPTransformer(
            0.7,
            alpha=0.05,
            mask_img=mask_img,
            two_sided=False,
            connectivity=6,
            cluster_threshold=0,
            local_test="simes",
        ).fit_transform(z_img)
        assert_same_images(shown, explicit)

    @pytest.mark.parametrize("tdp", [0.5, 2 / 3, 0.75, 1])
    def test_tdp_itself_is_enough_and_a_little_more_is_not(self, mask_img, z_img, tdp):
        transformer = AdaptiveTDPTransformer(tdp, mask_img=mask_img).fit(z_img)
        exact = transformer.table_["tdp"][0]
        transformer.set_params(tdp_threshold=exact).fit_transform(z_img)
        same = transformer.table_
        assert exact in same["tdp"].tolist()
        if exact < 1:
            transformer.set_params(tdp_threshold=np.nextafter(exact, 1)).fit_transform(z_img)
            assert exact not in transformer.table_["tdp"].tolist()[:-1]

    def test_tdp_0_gives_whole_components(self, make_img, make_map, mask):
        mask = mask.copy()
        mask[4] = False
        transformer = AdaptiveTDPTransformer(0, mask_img=make_img(mask.astype("uint8")))
        shown = get_data(transformer.fit_transform(make_img(make_map())))
        labels, n_components = ndimage.label(mask)
        sizes = np.sort(np.bincount(labels.ravel())[1:])[::-1]
        assert n_components > 1
        assert_array_equal(transformer.table_["n_voxels"], [*sizes, 0])
        assert transformer.table_["tdp"].isna().tolist() == [False] * n_components + [True]
        found = get_data(transformer.labels_img_)
        assert_array_equal(found > 0, mask)
        for label in range(1, n_components + 1):
            assert np.unique(shown[labels == label]).size == 1

    def test_tdp_1_gives_clusters_in_which_all_is_active(self, z_img, mask_img):
        transformer = AdaptiveTDPTransformer(1, mask_img=mask_img)
        shown = get_data(transformer.fit_transform(z_img))
        assert set(np.unique(shown)) == {0, 1}
        clusters = transformer.table_[:-1]
        assert (clusters["n_voxels"] == clusters["true_discoveries"]).all()
        assert (shown == 1).sum() == clusters["n_voxels"].sum() > 5

    def test_where_all_is_active_the_whole_brain_is_found(self, mask, mask_img, make_img):
        z = np.random.default_rng(0).uniform(6, 9, mask.shape)
        for tdp in (None, 0.5, 1):
            transformer = AdaptiveTDPTransformer(tdp, mask_img=mask_img, connectivity=26)
            shown = get_data(transformer.fit_transform(make_img(z)))
            assert_array_equal(shown, mask)
            assert transformer.table_["n_voxels"].tolist()[-1] == 0

    @pytest.mark.parametrize("cluster_threshold", [0, 1, 2, 5, 30, 10_000])
    @TWO_SIDED
    def test_smaller_ones_belong_to_the_rest(
        self, brute_force, z_img, mask, mask_img, cluster_threshold, two_sided
    ):
        transformer = AdaptiveTDPTransformer(
            0.5, mask_img=mask_img, cluster_threshold=cluster_threshold, two_sided=two_sided
        )
        shown = get_data(transformer.fit_transform(z_img))[mask]
        labels = get_data(transformer.labels_img_)[mask]
        expected = brute_force(two_sided=two_sided)
        assert_is_largest(transformer, shown, labels, expected, 0.5, cluster_threshold)


class TestHeights:
    """ClusterTDPTransformer finds each cluster at the threshold in its row."""

    @CONNECTIVITIES
    @TWO_SIDED
    def test_threshold_forms_the_cluster_of_z_values(
        self, z_img, mask_img, connectivity, two_sided
    ):
        shared = {"mask_img": mask_img, "connectivity": connectivity, "two_sided": two_sided}
        self.check(z_img, shared, [0.4, 0.9], at_least=4)

    @CONNECTIVITIES
    def test_threshold_forms_the_cluster_of_p_values(self, z, make_img, mask_img, connectivity):
        shared = {"mask_img": mask_img, "connectivity": connectivity, "stat_type": "p"}
        transformer = self.check(make_img(stats.norm.sf(z)), shared, [0.4, 0.9], at_least=4)
        of_clusters = transformer.table_[:-1]
        assert (of_clusters["peak_stat"] < of_clusters["threshold"]).all()

    @pytest.mark.parametrize(
        ("stat_type", "df", "two_sided", "from_z"),
        [
            ("t", 15, False, lambda z: stats.t(15).isf(stats.norm.sf(z))),
            ("t", 15, True, lambda z: stats.t(15).isf(stats.norm.sf(z))),
            ("F", (2, 20), False, lambda z: stats.f(2, 20).isf(stats.norm.sf(z))),
            ("chi2", 3, False, lambda z: stats.chi2(3).isf(stats.norm.sf(z))),
            ("neg_log10_p", None, False, lambda z: -np.log10(stats.norm.sf(z))),
            (
                "neg_log10_p",
                None,
                True,
                lambda z: -np.sign(z) * np.log10(2 * stats.norm.sf(abs(z))),
            ),
            ("one_minus_p", None, False, stats.norm.cdf),
        ],
    )
    def test_threshold_forms_the_cluster_of_other_statistics(
        self, make_map, make_img, mask_img, stat_type, df, two_sided, from_z, one_to_one
    ):
        z = make_map(2)
        shared = {"mask_img": mask_img, "two_sided": two_sided}
        of_stat = {"stat_type": stat_type, "df": df}
        transformer = self.check(make_img(from_z(z)), {**shared, **of_stat}, [0.5, 0.9], 2)
        of_z = AdaptiveTDPTransformer([0.5, 0.9], **shared).fit(make_img(z))
        assert one_to_one(get_data(transformer.labels_img_), get_data(of_z.labels_img_))
        columns = ["tdp_threshold", "n_voxels", "true_discoveries", "tdp"]
        assert_frame_equal(transformer.table_[columns], of_z.table_[columns])

    def test_threshold_forms_the_cluster_of_ties(self, make_map, make_img, mask_img):
        img = make_img(np.round(make_map(1)))
        self.check(img, {"mask_img": mask_img}, [0.3, 0.6, 0.9], at_least=3)

    @pytest.mark.parametrize("order", [1, -1])
    @TWO_SIDED
    def test_weakest_of_p_values_that_underflow_gives_the_threshold(
        self, z, make_img, order, two_sided
    ):
        mask_img = make_img(np.ones(z.shape, dtype="uint8"))
        # Their p-values are all 0: what tells them apart is the map alone.
        z[2, 2, 2:6] = np.array([39, 41, 45, 50])[::order]
        z[3, 2, 2:6] = -4.0
        z[1, 2, 2:6] = z[2, 3, 2:6] = z[2, 1, 2:6] = z[2, 2, [1, 6]] = 0.5
        transformer = self.check(make_img(z), {"mask_img": mask_img, "two_sided": two_sided}, 1, 1)
        labels = get_data(transformer.labels_img_)
        row = transformer.table_.set_index("cluster_id").loc[labels[2, 2, 2]]
        assert row["n_voxels"] == 4
        assert row["threshold"] == np.nextafter(39, 0)

    def test_threshold_is_just_below_the_weakest_voxel(self, z, z_img, mask_img):
        transformer = AdaptiveTDPTransformer(0.7, mask_img=mask_img).fit(z_img)
        labels = get_data(transformer.labels_img_)
        for row in transformer.table_[:-1].itertuples():
            weakest = z[labels == row.cluster_id].min()
            assert row.threshold == np.nextafter(weakest, -np.inf)

    @staticmethod
    def check(img, shared, tdps, at_least):
        n_formed = 0

        def form_clusters(threshold):
            of_clusters = ClusterTDPTransformer(threshold, **shared).fit(img)
            return of_clusters, get_data(of_clusters.labels_img_)

        for tdp in np.atleast_1d(tdps):
            transformer = AdaptiveTDPTransformer(tdp, **shared).fit(img)
            labels = get_data(transformer.labels_img_)
            n_formed += assert_thresholds_form_the_clusters(transformer, labels, form_clusters)
        assert n_formed >= at_least
        transformer = AdaptiveTDPTransformer(tdps, **shared).fit(img)
        return transformer


class TestTable:
    """Columns, order and the rest."""

    def test_columns(self, z_img, mask_img):
        transformer = AdaptiveTDPTransformer(0.7, mask_img=mask_img).fit(z_img)
        assert transformer.table_.columns.tolist() == COLUMNS

    def test_columns_without_a_tdp(self, z_img, mask_img):
        transformer = AdaptiveTDPTransformer(None, mask_img=mask_img).fit(z_img)
        expected = [name for name in COLUMNS if name != "tdp_threshold"]
        assert transformer.table_.columns.tolist() == expected

    @TWO_SIDED
    def test_tdp_ascends_and_within_it_sizes_descend(self, z_img, mask_img, two_sided):
        transformer = AdaptiveTDPTransformer(
            [0.9, 0.2, 0.6], mask_img=mask_img, two_sided=two_sided
        ).fit(z_img)
        clusters = transformer.table_[:-1]
        assert clusters["cluster_id"].tolist() == list(range(1, len(clusters) + 1))
        assert clusters["tdp_threshold"].is_monotonic_increasing
        assert clusters["tdp_threshold"].unique().tolist() == [0.2, 0.6, 0.9]
        assert (clusters["tdp"] >= clusters["tdp_threshold"]).all()
        for _, of_one in clusters.groupby("tdp_threshold"):
            assert of_one["n_voxels"].is_monotonic_decreasing

    def test_last_row_is_the_rest_of_the_lowest_tdp(self, brute_force, z, z_img, mask, mask_img):
        transformer = AdaptiveTDPTransformer([0.5, 0.9], mask_img=mask_img).fit(z_img)
        rest = transformer.table_.iloc[-1]
        outside = ~np.isin(
            np.arange(mask.sum()), [i for c in brute_force().largest(0.5) for i in c]
        )
        assert rest["cluster_id"] == 0
        assert rest["direction"] == "rest"
        assert np.isnan(rest["threshold"])
        assert np.isnan(rest["tdp_threshold"])
        assert rest["n_voxels"] == outside.sum()
        assert rest["peak_stat"] == z[mask][outside].max()
        p = stats.norm.sf(z[mask])
        bound = Hommel(p).critical_vector(0.05).true_discoveries(p[outside])
        assert rest["true_discoveries"] == bound

    def test_rows_of_one_tdp_are_as_if_it_were_alone(self, z_img, mask_img):
        tdps = [0.3, 0.6, 0.9]
        several = AdaptiveTDPTransformer(tdps, mask_img=mask_img).fit(z_img)
        rows = []
        for tdp in tdps:
            alone = AdaptiveTDPTransformer(tdp, mask_img=mask_img).fit(z_img)
            rows.append(alone.table_[:-1])
        expected = pd.concat(rows, ignore_index=True)
        expected["cluster_id"] = np.arange(1, len(expected) + 1)
        assert_frame_equal(several.table_[:-1], expected)


class TestSeveralTDPs:
    """Clusters of a higher TDP are within clusters of a lower one."""

    @pytest.mark.parametrize(
        "tdps",
        [
            [0.3, 0.6, 0.9],
            (0.9, 0.3, 0.6),
            np.array([0.3, 0.6, 0.9, 0.3]),
            pd.Series([0.3, 0.6, 0.9]),
            {0.3, 0.6, 0.9},
        ],
        ids=["list", "unsorted tuple", "repeated", "Series", "set"],
    )
    @TWO_SIDED
    def test_voxel_shows_its_cluster_of_the_highest(
        self, brute_force, z_img, mask, mask_img, tdps, two_sided
    ):
        transformer = AdaptiveTDPTransformer(tdps, mask_img=mask_img, two_sided=two_sided)
        shown = get_data(transformer.fit_transform(z_img))[mask]
        expected = brute_force(two_sided=two_sided)
        assert_array_equal(shown, expected.tdp([0.3, 0.6, 0.9]))
        labels = get_data(transformer.labels_img_)[mask]
        tdp_of = transformer.table_.set_index("cluster_id")["tdp"].drop(0)
        tdp_of[0] = 0
        assert_array_equal(shown, tdp_of.loc[labels])
        asked = transformer.table_.set_index("cluster_id")["tdp_threshold"]
        for tdp in (0.3, 0.6, 0.9):
            inside = np.isin(labels, asked.index[asked >= tdp])
            assert set(np.flatnonzero(inside)) == set().union(*expected.largest(tdp))

    def test_small_cluster_of_a_higher_tdp_shows_the_lower_one(
        self, brute_force, z_img, mask, mask_img
    ):
        transformer = AdaptiveTDPTransformer([0.3, 0.95], mask_img=mask_img, cluster_threshold=8)
        shown = get_data(transformer.fit_transform(z_img))[mask]
        assert_array_equal(shown, brute_force().tdp([0.3, 0.95], 8))
        assert (brute_force().tdp([0.3, 0.95]) != shown).any()

    def test_list_of_one_is_that_one(self, z_img, mask_img, assert_same_images):
        one, other = (AdaptiveTDPTransformer(tdp, mask_img=mask_img) for tdp in (0.7, [0.7]))
        assert_same_images(one.fit_transform(z_img), other.fit_transform(z_img))
        assert_frame_equal(one.table_, other.table_)


class TestThresholdFreeMap:
    """Without a TDP, each voxel shows the highest of all clusters around it."""

    @CONNECTIVITIES
    @TWO_SIDED
    @pytest.mark.parametrize("cluster_threshold", [0, 6])
    def test_is_the_highest_tdp_of_all_clusters(
        self, brute_force, z_img, mask, mask_img, connectivity, two_sided, cluster_threshold
    ):
        shared = {"mask_img": mask_img, "connectivity": connectivity, "two_sided": two_sided}
        transformer = AdaptiveTDPTransformer(None, cluster_threshold=cluster_threshold, **shared)
        shown = get_data(transformer.fit_transform(z_img))[mask]
        expected = brute_force(connectivity=connectivity, two_sided=two_sided)
        assert_array_equal(shown, expected.highest(cluster_threshold))

    @pytest.mark.parametrize("cluster_threshold", [0, 2, 6, 20])
    @TWO_SIDED
    def test_is_at_least_a_tdp_exactly_in_the_clusters_for_it(
        self, make_map, make_img, mask_img, two_sided, cluster_threshold
    ):
        shared = {
            "mask_img": mask_img,
            "two_sided": two_sided,
            "cluster_threshold": cluster_threshold,
        }
        img = make_img(make_map(2))
        highest = get_data(AdaptiveTDPTransformer(None, **shared).fit_transform(img))
        n_voxels = []
        for tdp in (1e-6, 0.2, 0.5, 0.7, 0.8, 0.9, 1):
            transformer = AdaptiveTDPTransformer(tdp, **shared).fit(img)
            assert_array_equal(highest >= tdp, get_data(transformer.labels_img_) > 0)
            n_voxels.append((highest >= tdp).sum())
        assert len(set(n_voxels)) > 2

    @pytest.mark.parametrize("cluster_threshold", [0, 6])
    def test_table_has_the_largest_clusters_with_any_discovery(
        self, z_img, mask_img, cluster_threshold, assert_same_images
    ):
        shared = {"mask_img": mask_img, "cluster_threshold": cluster_threshold}
        transformer = AdaptiveTDPTransformer(None, **shared).fit(z_img)
        any_discovery = AdaptiveTDPTransformer(1e-9, **shared).fit(z_img)
        expected = any_discovery.table_.drop(columns="tdp_threshold")
        assert_frame_equal(transformer.table_, expected)
        assert (expected["true_discoveries"][:-1] > 0).all()
        assert expected["true_discoveries"].tolist()[-1] == 0 or cluster_threshold
        assert_same_images(transformer.labels_img_, any_discovery.labels_img_)

    def test_forest_gives_the_same_map(self, z_img, mask, mask_img):
        transformer = AdaptiveTDPTransformer(None, mask_img=mask_img)
        shown = get_data(transformer.fit_transform(z_img))[mask]
        assert_array_equal(shown, transformer.forest_.threshold_free_map())


class TestNothingFound:
    """Maps without discoveries, and TDPs that nothing has."""

    @pytest.mark.parametrize("tdp", [0.1, 0.7, 1, [0.2, 0.5], None])
    @TWO_SIDED
    def test_only_the_rest_is_left(self, mask, mask_img, make_img, tdp, two_sided):
        img = make_img(noise_without_discoveries(mask))
        transformer = AdaptiveTDPTransformer(tdp, mask_img=mask_img, two_sided=two_sided)
        with pytest.warns(UserWarning, match=r"no cluster with .* at least 0 true") as warned:
            shown = transformer.fit_transform(img)
        assert len(warned) == 1
        assert not get_data(shown).any()
        assert get_data(shown).dtype == np.float64
        assert not get_data(transformer.labels_img_).any()
        table = transformer.table_
        assert table["cluster_id"].tolist() == [0]
        assert table["n_voxels"].tolist() == [mask.sum()]
        assert table[["true_discoveries", "tdp"]].to_numpy().tolist() == [[0, 0]]
        assert ("tdp_threshold" in table) == (tdp is not None)
        assert transformer.true_discoveries_ == 0
        assert transformer.forest_.query(0.1).size == 0
        assert len(get_tdp_table(transformer)) >= 1

    def test_table_has_the_types_that_it_has_with_clusters(self, mask, mask_img, make_img, z_img):
        transformer = AdaptiveTDPTransformer([0.5, 0.7], mask_img=mask_img).fit(z_img)
        expected = transformer.table_.dtypes
        transformer.fit_transform(make_img(noise_without_discoveries(mask)))
        assert transformer.table_.dtypes.to_dict() == expected.to_dict()

    def test_tdp_0_gives_components_all_the_same(self, mask, mask_img, make_img):
        transformer = AdaptiveTDPTransformer(0, mask_img=mask_img)
        shown = transformer.fit_transform(make_img(noise_without_discoveries(mask)))
        assert not get_data(shown).any()
        assert_array_equal(get_data(transformer.labels_img_) > 0, mask)
        assert (transformer.table_["true_discoveries"] == 0).all()

    @pytest.mark.parametrize("height", [5.0, -1.0])
    @TWO_SIDED
    def test_mask_of_one_voxel(self, z, make_img, height, two_sided):
        data = np.zeros(z.shape, dtype="uint8")
        data[3, 3, 3], z[3, 3, 3] = 1, height
        transformer = AdaptiveTDPTransformer(mask_img=make_img(data), two_sided=two_sided)
        shown = get_data(transformer.fit_transform(make_img(z)))
        assert shown[3, 3, 3] == shown.sum() == (height > 0)
        assert len(transformer.table_) == 1 + (height > 0)


class TestTwoSided:
    """Positive and negative clusters are formed apart."""

    @CONNECTIVITIES
    @pytest.mark.parametrize("tdp", [0, 0.5, 0.8, None])
    def test_no_cluster_has_both_signs(self, z, z_img, mask_img, connectivity, tdp):
        transformer = AdaptiveTDPTransformer(
            tdp, mask_img=mask_img, two_sided=True, connectivity=connectivity
        ).fit(z_img)
        labels = get_data(transformer.labels_img_)
        directions = transformer.table_[:-1].set_index("cluster_id")["direction"]
        assert set(directions) == {"positive", "negative"}
        for cluster_id, direction in directions.items():
            signs = np.sign(z[labels == cluster_id])
            assert (signs == (1 if direction == "positive" else -1)).all()
        peaks = np.sign(transformer.table_["peak_stat"][:-1])
        assert_array_equal(peaks, np.where(directions == "positive", 1, -1))

    def test_neighbours_of_opposite_sign_are_two_clusters(self, make_img, mask_img, z):
        z = np.clip(z, -1, 1)
        z[2, 2:5, 2:5], z[3, 2:5, 2:5] = 6, -6
        transformer = AdaptiveTDPTransformer(0.9, mask_img=mask_img, two_sided=True)
        transformer.fit_transform(make_img(z))
        labels = get_data(transformer.labels_img_)
        inside = get_data(mask_img) > 0
        of_positive = set(labels[2, 2:5, 2:5][inside[2, 2:5, 2:5]])
        of_negative = set(labels[3, 2:5, 2:5][inside[3, 2:5, 2:5]])
        assert not of_positive & of_negative
        assert 0 not in of_positive | of_negative

    @pytest.mark.parametrize("tdp", [0, 0.5, None])
    def test_sign_is_of_no_importance(self, z, make_img, mask_img, tdp, one_to_one):
        one, other = (
            AdaptiveTDPTransformer(tdp, mask_img=mask_img, two_sided=True) for _ in range(2)
        )
        shown, of_negated = one.fit_transform(make_img(z)), other.fit_transform(make_img(-z))
        assert_array_equal(get_data(shown), get_data(of_negated))
        assert one_to_one(get_data(one.labels_img_), get_data(other.labels_img_))

    @pytest.mark.parametrize("sign", [1, -1])
    def test_map_of_one_sign(self, z, make_img, mask, mask_img, sign):
        z = sign * (abs(z) + 0.1)
        transformer = AdaptiveTDPTransformer([0, 0.8], mask_img=mask_img, two_sided=True)
        shown = get_data(transformer.fit_transform(make_img(z)))[mask]
        assert_array_equal(shown, brute_force_of(z, mask, two_sided=True).tdp([0, 0.8]))
        directions = set(transformer.table_["direction"][:-1])
        assert directions == {"positive" if sign > 0 else "negative"}

    @pytest.mark.parametrize("zero", [0.0, -0.0])
    def test_zeros_are_no_evidence_and_join_no_cluster_of_active_voxels(
        self, z, make_img, mask, mask_img, zero
    ):
        z = np.where(abs(z) < 1, zero, z)
        transformer = AdaptiveTDPTransformer([0.6, 0.9], mask_img=mask_img, two_sided=True)
        shown = get_data(transformer.fit_transform(make_img(z)))[mask]
        assert_array_equal(shown, brute_force_of(z, mask, two_sided=True).tdp([0.6, 0.9]))
        labels = get_data(transformer.labels_img_)[mask]
        assert labels.any()
        assert not labels[z[mask] == 0].any()


class TestExtremeValues:
    """NaN, infinities and what underflows."""

    @TWO_SIDED
    @pytest.mark.parametrize("tdp", [0, 0.5, 0.9, 1])
    def test_infinities_are_the_strongest_and_the_weakest(
        self, z, mask, mask_img, make_img, two_sided, tdp
    ):
        z[2, 2, 2:4], z[5, 8, 3] = np.inf, -np.inf
        assert mask[[2, 2, 5], [2, 2, 8], [2, 3, 3]].all()
        transformer = AdaptiveTDPTransformer(tdp, mask_img=mask_img, two_sided=two_sided)
        shown = get_data(transformer.fit_transform(make_img(z)))[mask]
        labels = get_data(transformer.labels_img_)[mask]
        expected = brute_force_of(z, mask, two_sided=two_sided)
        assert_is_largest(transformer, shown, labels, expected, tdp)
        assert transformer.n_tested_ == mask.sum()
        assert shown[np.flatnonzero(z[mask] == np.inf)].all()
        assert bool(shown[np.flatnonzero(z[mask] == -np.inf)]) == two_sided or tdp == 0

    @TWO_SIDED
    def test_map_of_infinities_alone(self, mask, mask_img, make_img, two_sided):
        z = np.where(np.random.default_rng(0).random(mask.shape) < 0.3, np.inf, -np.inf)
        transformer = AdaptiveTDPTransformer([0, 1], mask_img=mask_img, two_sided=two_sided)
        shown = get_data(transformer.fit_transform(make_img(z)))
        # Voxels with p = 1 are active in no bound, voxels with p = 0 in all.
        assert_array_equal(shown[mask] == 1, two_sided | (z[mask] == np.inf))

    @pytest.mark.parametrize("tdp", [0.5, 0.9, 1])
    def test_p_values_that_are_0_and_1(self, z, mask, mask_img, make_img, tdp):
        p = stats.norm.sf(z)
        p[2, 2, 2:4], p[5, 8, 3] = 0, 1
        transformer = AdaptiveTDPTransformer(tdp, mask_img=mask_img, stat_type="p")
        with pytest.warns(UserWarning, match="exactly 0 in 2 voxels"):
            shown = get_data(transformer.fit_transform(make_img(p)))[mask]
        expected = BruteForce(-p[mask], p[mask], label_of_volume(mask, 6))
        labels = get_data(transformer.labels_img_)[mask]
        assert_is_largest(transformer, shown, labels, expected, tdp)


class TestOrderOfVoxels:
    """Numbers of voxels are of no importance."""

    @TWO_SIDED
    @pytest.mark.parametrize("rounded", [False, True], ids=["as it is", "tied"])
    @pytest.mark.parametrize("tdp", [[0.4, 0.7], None])
    def test_flipped_and_transposed_images_give_the_flipped_result(
        self, make_map, mask, two_sided, rounded, tdp, one_to_one
    ):
        z = make_map(3)
        z = np.round(z, 1) if rounded else z

        def run(data, mask):
            transformer = AdaptiveTDPTransformer(
                tdp,
                mask_img=Nifti1Image(mask.astype("uint8"), np.eye(4)),
                two_sided=two_sided,
                connectivity=18,
            )
            shown = get_data(transformer.fit_transform(Nifti1Image(data, np.eye(4))))
            return shown, get_data(transformer.labels_img_), transformer.table_

        shown, labels, table = run(z, mask)
        assert np.unique(shown).size > 2
        columns = ["threshold", "direction", "n_voxels", "true_discoveries", "tdp", "peak_stat"]
        for change, back in (
            *((lambda a, i=i: np.flip(a, i), lambda a, i=i: np.flip(a, i)) for i in range(3)),
            (lambda a: a.transpose(2, 0, 1), lambda a: a.transpose(1, 2, 0)),
        ):
            shown_there, labels_there, table_there = run(change(z), change(mask))
            assert_array_equal(back(shown_there), shown)
            assert one_to_one(back(labels_there), labels)
            one, other = (
                t[columns].sort_values(columns, ignore_index=True) for t in (table, table_there)
            )
            assert_frame_equal(one, other)


class TestForest:
    """The forest that is kept gives the clusters, and others."""

    @TWO_SIDED
    @CONNECTIVITIES
    def test_query_gives_the_clusters_of_the_table(
        self, z_img, mask, mask_img, two_sided, connectivity
    ):
        parameters = {"mask_img": mask_img, "two_sided": two_sided, "connectivity": connectivity}
        forest = _forest_of(AdaptiveTDPTransformer(0.9, **parameters), z_img)
        for tdp in TDPS:
            transformer = AdaptiveTDPTransformer(tdp, **parameters).fit(z_img)
            labels = get_data(transformer.labels_img_)[mask]
            clusters = forest.query(tdp)
            assert_array_equal(forest.labels(clusters), labels)
            expected = transformer.table_[:-1]
            assert_array_equal(forest.sizes[clusters], expected["n_voxels"])
            assert_array_equal(forest.true_discoveries[clusters], expected["true_discoveries"])
            assert_array_equal(forest.tdps[clusters], expected["tdp"])
            for i, cluster in enumerate(clusters, 1):
                assert_array_equal(forest.members(cluster), np.flatnonzero(labels == i))

    def test_two_sided_forest_knows_elements_by_their_number_in_the_map(
        self, z, z_img, mask, mask_img
    ):
        forest = _forest_of(AdaptiveTDPTransformer(mask_img=mask_img, two_sided=True), z_img)
        assert_array_equal(np.sort(forest.elements), np.arange(mask.sum()))
        values = z[mask]
        for element in (int(values.argmax()), int(values.argmin())):
            cluster = forest.cluster_of(element, 0.8)
            members = forest.members(cluster)
            assert element in members
            assert (np.sign(values[members]) == np.sign(values[element])).all()
        minima = forest.local_minima()
        assert {values.argmax(), values.argmin()} <= set(minima)

    def test_changed_clusters_have_the_bounds_of_closed_testing(self, z_img, mask_img):
        transformer = AdaptiveTDPTransformer(0.5, mask_img=mask_img)
        forest = _forest_of(transformer, z_img)
        clusters = forest.query(0.5)
        changed = forest.change(clusters, clusters[0], 0.2)
        assert set(changed) != set(clusters)
        p = transformer.maps_.test.p_values
        vector = transformer.maps_.test.critical_vector(0.05)
        for cluster in changed:
            bound = vector.true_discoveries(p[forest.members(cluster)])
            assert bound == forest.true_discoveries[cluster]


def _forest_of(transformer, img):
    transformer.fit_transform(img)
    return transformer.forest_


class TestReporting:
    """The bound of any set, tables for reading, and atlas regions."""

    @pytest.fixture(params=[0.7, [0.5, 0.9], None], ids=str)
    def fitted(self, request, z_img, mask_img):
        transformer = AdaptiveTDPTransformer(request.param, mask_img=mask_img, two_sided=True)
        transformer.fit_transform(z_img)
        return transformer

    def test_set_bound_of_a_cluster_equals_its_row(self, fitted, make_img):
        labels = get_data(fitted.labels_img_)
        for row in fitted.table_[:-1].itertuples():
            inside = labels == row.cluster_id
            if inside.sum() != row.n_voxels:
                continue  # partly hidden by a cluster of a higher TDP
            bound = set_bound(fitted, mask_img=make_img(inside.astype("uint8")))
            assert bound.n_tested == row.n_voxels
            assert bound.true_discoveries == row.true_discoveries
            assert bound.tdp == row.tdp

    def test_table_for_reading_has_a_row_for_each_cluster(self, fitted):
        table = get_tdp_table(fitted, max_peaks=1)
        assert_array_equal(table["cluster_id"], fitted.table_["cluster_id"])
        assert_array_equal(table["n_voxels"].astype(int), fitted.table_["n_voxels"])
        assert_array_equal(table["true_discoveries"].astype(int), fitted.table_["true_discoveries"])
        for column in ("threshold", "tdp_threshold"):
            assert (column in table) == (column in fitted.table_)

    def test_region_composition_has_all_voxels_of_each_cluster(self, fitted, make_img, mask):
        atlas = make_img(1 + (np.indices(mask.shape)[0] > 3).astype("int32"))
        pieces = get_region_composition(fitted, atlas)
        of_cluster = pieces.groupby("cluster_id")["n_voxels"].sum()
        sizes = fitted.table_.set_index("cluster_id")["n_voxels"]
        assert len(of_cluster) >= len(sizes) - 1
        assert_array_equal(of_cluster, sizes[of_cluster.index])


class TestMeshes:
    """Clusters along the edges of meshes, and in the grid of a CIFTI image."""

    @TWO_SIDED
    @pytest.mark.parametrize(
        ("name", "connectivity"),
        [("surface", None), *(("CIFTI image", number) for number in (None, 6, 18, 26))],
    )
    def test_trying_every_height_finds_the_same(self, name, connectivity, two_sided):
        kind = KINDS[name]
        z = kind.z()[kind.mask]
        joined = kind.neighbours(connectivity or 6)[np.ix_(kind.mask, kind.mask)]
        expected = BruteForce(
            abs(z) if two_sided else z,
            2 * stats.norm.sf(abs(z)) if two_sided else stats.norm.sf(z),
            label_of_matrix(joined),
            np.sign(z) if two_sided else None,
        )
        for tdp in (*TDPS, None):
            transformer = AdaptiveTDPTransformer(
                tdp,
                mask_img=kind.mask_img,
                two_sided=two_sided,
                connectivity=connectivity,
                **kind.parameters,
            )
            shown = kind.rows(transformer.fit_transform(kind.image(kind.z())))[0]
            if tdp is None:
                assert_array_equal(shown, expected.highest())
            else:
                labels = kind.rows(transformer.labels_img_)[0]
                assert_is_largest(transformer, shown, labels, expected, tdp)

    @pytest.mark.parametrize("name", ["surface", "CIFTI image"])
    def test_threshold_forms_the_cluster(self, name):
        kind = KINDS[name]
        img, shared = kind.image(kind.z()), {"two_sided": True, **kind.parameters}
        transformer = AdaptiveTDPTransformer(0.8, **shared).fit(img)

        def form_clusters(threshold):
            of_clusters = ClusterTDPTransformer(threshold, **shared).fit(img)
            return of_clusters, kind.values(of_clusters.labels_img_)[0]

        labels = kind.values(transformer.labels_img_)[0]
        assert assert_thresholds_form_the_clusters(transformer, labels, form_clusters) >= 4


BAD_TDPS = [
    *((value, ValueError) for value in (-0.1, 1.1, 70, np.nan, np.inf, -np.inf, -1e-300)),
    *((value, ValueError) for value in ([0.5, 1.1], [0.5, np.nan], np.array([-1.0, 0.5]))),
    *((value, ValueError) for value in ([], (), np.array([]), set())),
    *((value, ValueError) for value in (True, False, [True], [0.5, None], ["0.5"], [[0.5]])),
    *((value, ValueError) for value in (np.array([[0.5]]), np.array([True]), [0.5j])),
    *((value, TypeError) for value in ("0.7", "", b"0.7", 0.5j, AdaptiveTDPTransformer)),
    *((value, TypeError) for value in ({0.5: 0.7}, np.bool_(True))),
    (iter([0.5, 0.7]), TypeError),
    ((tdp for tdp in (0.5, 0.7)), TypeError),
    (map(float, [0.5]), TypeError),
]


class TestBadInput:
    """Errors say which argument is wrong and what it got."""

    @pytest.mark.parametrize(
        ("tdp", "error"), BAD_TDPS, ids=lambda value: repr(value).split(" at 0x")[0][:40]
    )
    def test_bad_tdp_is_refused_and_named(self, z_img, mask_img, tdp, error):
        transformer = AdaptiveTDPTransformer(tdp, mask_img=mask_img)
        for method in (transformer.fit, transformer.fit_transform):
            with pytest.raises(error, match=r"^tdp_threshold .*Got ") as info:
                method(z_img)
        values = np.ravel(tdp).tolist() if isinstance(tdp, np.ndarray) else [tdp]
        if isinstance(tdp, (list, tuple, set)):
            values += list(tdp)
        got = str(info.value).partition("Got ")[2]
        assert got == "none." or any(repr(value) in got for value in values)

    @pytest.mark.parametrize("tdp", [2, [0.5, -1], "high", []])
    def test_transform_refuses_what_was_set_after_fit(self, z_img, mask_img, tdp):
        transformer = AdaptiveTDPTransformer(mask_img=mask_img).fit(z_img)
        with pytest.raises((TypeError, ValueError), match="tdp_threshold"):
            transformer.set_params(tdp_threshold=tdp).transform(z_img)

    @pytest.mark.parametrize(
        "tdp",
        [1, 0, np.float32(0.5), np.int64(1), np.float64(0.7), np.array(0.7), range(2), [0, 1]],
        ids=repr,
    )
    def test_numbers_of_any_type_are_taken(self, z_img, mask_img, tdp):
        transformer = AdaptiveTDPTransformer(tdp, mask_img=mask_img).fit(z_img)
        expected = np.unique(np.asarray(tdp, dtype=float))
        asked = transformer.table_["tdp_threshold"][:-1].unique()
        assert_array_equal(asked, expected)


class TestRealMaps:
    """Maps of real brains."""

    def test_auditory_map_has_two_clusters(self, shared_path):
        transformer = AdaptiveTDPTransformer(
            0.7,
            mask_img=shared_path("data", "auditory_z", "mask.nii.gz"),
            stat_type="p",
            connectivity=18,
        )
        shown = transformer.fit_transform(shared_path("data", "auditory_z", "pvalue.nii.gz"))
        clusters = transformer.table_[:-1]
        assert clusters["n_voxels"].tolist() == [7398, 4870]
        assert clusters["true_discoveries"].tolist() == [5179, 3409]
        assert_allclose(np.unique(get_data(shown)), [0, 3409 / 4870, 5179 / 7398], rtol=1e-6)

    @pytest.mark.parametrize("tdp", [0.7, 0.95])
    @TWO_SIDED
    def test_motor_map_has_the_clusters_of_the_thresholds_of_its_table(
        self, motor_img, tdp, two_sided
    ):
        transformer = AdaptiveTDPTransformer(tdp, two_sided=two_sided, cluster_threshold=20)
        shown = get_data(transformer.fit_transform(motor_img))

        def form_clusters(threshold):
            of_clusters = ClusterTDPTransformer(threshold, two_sided=two_sided).fit(motor_img)
            return of_clusters, get_data(of_clusters.labels_img_)

        labels = get_data(transformer.labels_img_)
        n_formed = assert_thresholds_form_the_clusters(transformer, labels, form_clusters)
        assert n_formed == len(transformer.table_) - 1 >= 2
        assert (shown[shown > 0] >= tdp).all()

    def test_motor_map_without_a_threshold(self, motor_img):
        highest = get_data(AdaptiveTDPTransformer(None).fit_transform(motor_img))
        for tdp in (0.3, 0.9):
            shown = get_data(AdaptiveTDPTransformer(tdp).fit_transform(motor_img))
            assert_array_equal(highest >= tdp, shown > 0)
