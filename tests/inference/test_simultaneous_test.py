"""Sets come from the map, bounds from the test of all sets, whatever that is."""

import numpy as np
import pytest
from ari_estimator.estimators._test_makers import GivenTest, HommelTestMaker
from nilearn.image import get_data
from numpy.testing import assert_array_equal
from scipy import ndimage

from ari_estimator import (
    AdaptiveTDPTransformer,
    ClusterTDPTransformer,
    RegionTDPTransformer,
    confidence_curve,
    set_bound,
)
from ari_estimator.closed_testing import CriticalVector, Hommel
from ari_estimator.reporting import get_region_composition, get_tdp_table


class MadeUpTest:
    """A test with p-values of its own, and more thresholds than matter for them."""

    def __init__(self, p_values):
        self.p_values = p_values

    @property
    def n_elements(self):
        return self.p_values.size

    def critical_vector(self, alpha=0.05):
        return CriticalVector(np.sqrt(np.arange(1, 200)) / 14 * alpha * 4)

    def set_p_value(self, subset, tdp=0.0):
        return float(self.p_values[subset].max())

    def set_p_values_by_label(self, labels, n_labels=None, *, subset=None, tdp=0.0):
        p = self.p_values if subset is None else self.p_values[subset]
        largest = np.zeros(n_labels)
        np.maximum.at(largest, labels, p)
        return largest


def rounded(p):
    """Return p-values of which many are tied that the map tells apart."""
    return np.ceil(p * 100) / 100


def jittered(p):
    """Return p-values that differ in the last bit, and are in another order where they tied."""
    rng = np.random.default_rng(1)
    return np.clip(p + rng.integers(-1, 2, p.size) * np.spacing(p), 0, 1)


def disordered(p):
    """Return p-values in an order that is only roughly that of the map."""
    return np.clip(p * np.random.default_rng(2).uniform(0.2, 3, p.size), 0, 1)


MAKERS = pytest.mark.parametrize("own", [rounded, jittered, disordered])

TWO_SIDED = pytest.mark.parametrize("two_sided", [False, True], ids=["one-sided", "two-sided"])


def fit_with(transformer, img, own):
    """Fit a transformer to a map, with a test of p-values that are made of the map's."""
    maps = transformer._fit(img)
    transformer._transform_and_keep(maps, lambda p, is_tested: MadeUpTest(own(p)))
    return transformer


def bound(p, thresholds):
    """Return the true discoveries of a set, maximised over all u in turn."""
    return max(0, *(1 - u + np.sum(p <= t) for u, t in enumerate(thresholds, start=1)))


@pytest.fixture
def thresholds():
    return MadeUpTest(None).critical_vector(0.05).thresholds


@pytest.fixture(scope="session")
def atlas_img(make_img, mask):
    labels = np.zeros(mask.shape, dtype="int32")
    labels[1:5, :5], labels[1:5, 5:], labels[5:] = 1, 2, 3
    return make_img(labels)


class TestClusters:
    """Of thresholds of the map."""

    @MAKERS
    @TWO_SIDED
    @pytest.mark.parametrize(
        "parameters",
        [
            {"threshold": 2},
            {"threshold": [1, 2, 3], "connectivity": 18, "cluster_threshold": 3},
            {"threshold": [0.05, 0.001], "threshold_scale": "p"},
            {},
        ],
        ids=["z", "levels", "p", "default"],
    )
    def test_clusters_are_those_of_the_map_and_bounds_those_of_the_test(
        self, z_img, mask_img, mask, own, two_sided, parameters, thresholds
    ):
        parameters = {"mask_img": mask_img, "two_sided": two_sided, **parameters}
        ari = fit_with(ClusterTDPTransformer(**parameters), z_img, own)
        parametric = ClusterTDPTransformer(**parameters)
        parametric.fit_transform(z_img)
        assert_array_equal(get_data(ari.labels_img_), get_data(parametric.labels_img_))
        assert_array_equal(ari.table_["threshold"], parametric.table_["threshold"])
        p = ari.maps_.test.p_values
        # Each cluster, as the map of its own threshold has it.
        for threshold, rows in ari.table_[:-1].groupby("threshold"):
            single = ClusterTDPTransformer(
                **parameters
                | {"threshold": threshold, "threshold_scale": "stat", "cluster_threshold": 0}
            )
            single.fit_transform(z_img)
            labels = get_data(single.labels_img_)[mask]
            bounds = [bound(p[labels == i], thresholds) for i in single.table_["cluster_id"][:-1]]
            kept = single.table_["n_voxels"][:-1] >= ari.cluster_threshold
            assert_array_equal(rows["true_discoveries"], np.array(bounds)[kept])
        assert ari.true_discoveries_ == bound(p, thresholds) > 0

    @MAKERS
    @TWO_SIDED
    def test_concentration_threshold_is_the_most_lenient_that_matters(
        self, z_img, z, mask_img, mask, own, two_sided, thresholds
    ):
        ari = ClusterTDPTransformer("concentration", mask_img=mask_img, two_sided=two_sided)
        fit_with(ari, z_img, own)
        evidence = np.abs(z[mask]) if two_sided else z[mask]
        inside = get_data(ari.labels_img_)[mask] > 0
        (height,) = ari.table_["threshold"][:-1].unique()
        assert_array_equal(inside, evidence > height)
        # Whatever adds to a bound is inside, the weakest of it at the threshold.
        p = ari.maps_.test.p_values
        gains = [1 - u + np.sum(p <= t) for u, t in enumerate(thresholds, start=1)]
        adds = p <= thresholds[np.argmax(gains)]
        assert inside[adds].all()
        assert evidence[inside].min() == evidence[adds].min()
        assert ari.maps_.bounds.critical_vector.thresholds.size == 1 + np.argmax(gains)
        if own is not disordered:
            assert_array_equal(inside, evidence >= evidence[adds].min())

    def test_without_any_discovery_there_is_no_concentration_threshold(self, z_img, mask_img):
        ari = ClusterTDPTransformer("concentration", mask_img=mask_img)
        fit_with(ari, z_img, lambda p: np.ones_like(p))
        assert len(ari.table_) == 1
        assert ari.true_discoveries_ == 0


class TestAdaptiveClusters:
    """The forest is that of the map."""

    @MAKERS
    @TWO_SIDED
    def test_forest_is_that_of_the_map_and_bounds_those_of_the_test(
        self, z_img, mask_img, own, two_sided, thresholds
    ):
        parameters = {"mask_img": mask_img, "two_sided": two_sided}
        forest = fit_with(AdaptiveTDPTransformer(**parameters), z_img, own).forest_
        parametric = AdaptiveTDPTransformer(**parameters)
        parametric.fit_transform(z_img)
        for name in ("elements", "starts", "parents", "is_cluster"):
            assert_array_equal(getattr(forest, name), getattr(parametric.forest_, name))
        p = own(parametric.maps_.test.p_values)
        bounds = [
            bound(p[forest.elements[start : i + 1]], thresholds)
            for i, start in enumerate(forest.starts)
        ]
        assert_array_equal(forest.true_discoveries, bounds)

    @MAKERS
    @TWO_SIDED
    @pytest.mark.parametrize("tdp_threshold", [[0.3, 0.6, 0.9], None])
    def test_threshold_in_the_table_forms_the_cluster(
        self, z_img, z, mask_img, mask, own, two_sided, tdp_threshold
    ):
        ari = AdaptiveTDPTransformer(tdp_threshold, mask_img=mask_img, two_sided=two_sided)
        fit_with(ari, z_img, own)
        labels = get_data(ari.labels_img_)
        rows = ari.table_[:-1]
        shown = rows[rows["cluster_id"].isin(np.unique(labels))]
        assert len(shown) > (0 if tdp_threshold is None else 1)
        for row in shown.itertuples():
            sign = -1 if row.direction == "negative" else 1
            components, _ = ndimage.label(mask & (sign * z > row.threshold))
            peak = np.argwhere(mask & (labels == row.cluster_id))[0]
            component = components == components[tuple(peak)]
            assert component.sum() == row.n_voxels
            assert component[labels == row.cluster_id].all()


class TestQuestions:
    """What is asked of a map is answered by its test."""

    @MAKERS
    def test_bounds_and_p_values_of_sets(self, z_img, mask_img, mask, own, thresholds):
        ari = fit_with(ClusterTDPTransformer(2, mask_img=mask_img), z_img, own)
        p = ari.maps_.test.p_values
        found = set_bound(ari, indices=np.argwhere(mask)[:40])
        assert found.n_tested == 40
        assert found.true_discoveries == bound(p[:40], thresholds)
        assert found.p_value == p[:40].max()
        curve = confidence_curve(ari)
        assert_array_equal(curve["p_value"], np.sort(p))
        for k in (1, 5, 50, p.size):
            assert curve["true_discoveries"][k - 1] == bound(np.sort(p)[:k], thresholds)

    @MAKERS
    def test_tables(self, z_img, mask_img, mask, atlas_img, own, thresholds):
        ari = fit_with(ClusterTDPTransformer(2, mask_img=mask_img), z_img, own)
        p, labels = ari.maps_.test.p_values, get_data(ari.labels_img_)[mask]
        table = get_tdp_table(ari, max_peaks=1)
        expected = [f"{p[labels == i].max():.2g}" for i in table["cluster_id"]]
        assert table["p_value"].tolist() == expected
        regions = get_data(atlas_img)[mask]
        pieces = get_region_composition(ari, atlas_img, labels=["1", "2", "3"])
        assert len(pieces) > 2
        for row in pieces.itertuples():
            piece = (labels == row.cluster_id) & (regions == int(row.region))
            assert row.true_discoveries == bound(p[piece], thresholds)

    @MAKERS
    def test_regions(self, z_img, mask_img, mask, atlas_img, own, thresholds):
        ari = fit_with(RegionTDPTransformer(atlas_img, mask_img=mask_img), z_img, own)
        p, regions = ari.maps_.test.p_values, get_data(atlas_img)[mask]
        expected = [bound(p[regions == i], thresholds) for i in (1, 2, 3, 0)]
        assert_array_equal(ari.table_["true_discoveries"], expected)

    def test_line_that_is_printed_is_of_the_test(self, z_img, mask_img, capsys):
        ari = fit_with(ClusterTDPTransformer(2, mask_img=mask_img, verbose=1), z_img, rounded)
        assert f"at least {ari.true_discoveries_} true discoveries" in capsys.readouterr().out


class TestMakers:
    """What makes the test of a family."""

    def test_without_another_test_it_is_closed_testing_of_the_map(self, z_img, mask_img):
        ari = ClusterTDPTransformer(2, mask_img=mask_img, local_test="hommel")
        ari.fit_transform(z_img)
        assert isinstance(ari.maps_.test, Hommel)
        assert ari.maps_.test.local_test == "hommel"
        assert ari.maps_.test is ari.maps_.test
        assert ari.maps_.family.p_values is ari.maps_.test.p_values

    def test_another_test_is_no_hommel(self, z_img, mask_img):
        ari = fit_with(ClusterTDPTransformer(2, mask_img=mask_img), z_img, rounded)
        assert ari.maps_.test is None
        assert isinstance(ari.maps_.test, MadeUpTest)
        # Another map is tested by the local test.
        ari.fit_transform(z_img)
        assert isinstance(ari.maps_.test, Hommel)

    def test_given_test_is_of_its_own_elements_alone(self):
        is_tested = np.array([True, False, True])
        test = MadeUpTest(np.array([0.1, 0.2]))
        make_test = GivenTest(test, is_tested)
        assert make_test(test.p_values, is_tested) is test
        for others in ([True, True, False], [True, True, True]):
            with pytest.raises(ValueError, match="test is of 2 elements, and not of the"):
                make_test(np.zeros(np.sum(others)), np.array(others))

    def test_cached_result_is_of_the_same_test(self, z_img, mask_img, tmp_path, thresholds):
        ari = ClusterTDPTransformer(2, mask_img=mask_img, memory=str(tmp_path))
        maps = ari._fit(z_img)
        is_tested = np.ones(ari.n_features_in_, dtype=bool)
        p = ari._statistic().p_values(next(maps.values(ari._frame)))
        for own in (rounded, disordered, rounded):
            ari._transform_and_keep(maps, GivenTest(MadeUpTest(own(p)), is_tested))
            assert ari.true_discoveries_ == bound(own(p), thresholds)
        ari._transform_and_keep(maps)
        assert ari.true_discoveries_ == Hommel(p).true_discoveries()

    def test_makers_are_hashed_by_value(self):
        assert HommelTestMaker("hommel") == HommelTestMaker("hommel")
        assert HommelTestMaker() != HommelTestMaker("hommel")
