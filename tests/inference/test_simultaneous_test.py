"""Tests of all sets at once: one contract, and maps that are tested by any of them."""

import json
import re
from html import unescape

import numpy as np
import pandas as pd
import pytest
from nilearn.image import get_data
from numpy.testing import assert_array_equal
from scipy import ndimage
from sklearn.utils._param_validation import StrOptions

from ari_estimator import (
    AdaptiveTDPTransformer,
    ClusterTDPTransformer,
    RegionTDPTransformer,
    confidence_curve,
    explore,
    load,
    save,
    set_bound,
)
from ari_estimator.closed_testing import (
    CalibratedTest,
    CriticalVector,
    CriticalVectorBounds,
    Hommel,
    LearnedTemplate,
    SimultaneousBounds,
    SimultaneousTest,
    calibrate,
)
from ari_estimator.inference._local_tests import LOCAL_TESTS, TESTS
from ari_estimator.reporting import get_region_composition, get_tdp_table

ALPHA = 0.1

M = 60


class Bonferroni(SimultaneousTest):
    """Bounds without a critical vector: the number of p-values up to alpha / m in a set."""

    kind = "bonferroni"

    def __init__(self, p_values):
        self.p_values = p_values

    def bounds(self, alpha=0.05):
        return BonferroniBounds(self.p_values, alpha)

    def describe(self, alpha=0.05):
        return {
            "kind": self.kind,
            "name": "Bonferroni's bounds",
            "sentence": "The bounds count p-values that Bonferroni (1936) rejects.",
            "assumption": "The bounds assume valid p-values. They make no assumption about the "
            "dependence between elements.",
            "references": ["Bonferroni CE (1936). Teoria statistica delle classi."],
            "values": {"Level": alpha / self.n_elements},
        }

    def to_arrays(self):
        return {}

    @classmethod
    def from_arrays(cls, arrays, p_values):
        return cls(p_values)

    def set_p_value(self, subset, tdp=0.0):
        p = np.sort(self.p_values[subset])
        rank = int(tdp * p.size)
        return min(1.0, p[rank] * self.n_elements) if rank < p.size else 1.0

    def set_p_values_by_label(self, labels, n_labels=None, *, subset=None, tdp=0.0):
        return by_label(lambda s: self.set_p_value(s, tdp), self, labels, n_labels, subset, np.nan)


class BonferroniBounds(SimultaneousBounds):
    def __init__(self, p_values, alpha):
        self.p_values = p_values
        self.level = alpha / p_values.size

    def of_set(self, subset=None):
        p = self.p_values if subset is None else self.p_values[subset]
        return int((p <= self.level).sum())

    def by_label(self, labels, n_labels=None, *, subset=None):
        return by_label(self.of_set, self, labels, n_labels, subset, 0)


class OwnPValues(Bonferroni):
    """A test with p-values of its own, and more thresholds than matter for them."""

    thresholds = np.sqrt(np.arange(1, 200)) / 14 * 0.2

    def bounds(self, alpha=0.05):
        return CriticalVectorBounds(self.p_values, CriticalVector(self.thresholds))


def by_label(ask, of, labels, n_labels, subset, of_none):
    """Ask one by one for the sets that labels give."""
    labels = np.asarray(labels)
    subset = np.arange(of.p_values.size) if subset is None else np.asarray(subset)
    n_labels = labels.max() + 1 if n_labels is None else n_labels
    sets = [subset[labels == k] for k in range(n_labels)]
    return np.array([ask(members) if members.size else of_none for members in sets])


def bound(p, thresholds):
    """Return the true discoveries of a set, maximised over all u in turn."""
    return max([0, *(1 - u + np.sum(p <= t) for u, t in enumerate(thresholds, start=1))])


def p_values_of_permutations(seed):
    p = np.random.default_rng(seed).random((80, M))
    p[0, :20] **= 6
    return p


def calibrated(template="simes", *, step_down=False, known=(), **parameters):
    p = p_values_of_permutations(0)
    if template == "learned":
        template = LearnedTemplate.from_p_values(p_values_of_permutations(1)[1:] ** 1.2, 40)
    calibration = calibrate(p, ALPHA, template=template, step_down=step_down, **parameters)
    return CalibratedTest(p[0], calibration, **dict(known))


MAKERS = {
    "simes": lambda: Hommel(p_values_of_permutations(0)[0]),
    "hommel": lambda: Hommel(p_values_of_permutations(0)[0] ** 3, "hommel"),
    "calibrated": calibrated,
    "calibrated, scheme": lambda: calibrated("beta", delta=2, known={"scheme": "sign-flipping"}),
    "calibrated, seed": lambda: calibrated("higher_criticism", k_max=9, known={"seed": 3}),
    "calibrated, both": lambda: calibrated("power", known={"scheme": "flips", "seed": 0}),
    "calibrated, learned": lambda: calibrated("learned"),
    "calibrated, step-down": lambda: calibrated("aorc", step_down=True),
    "without a critical vector": lambda: Bonferroni(p_values_of_permutations(0)[0]),
}


@pytest.fixture(params=MAKERS)
def a_test(request):
    return MAKERS[request.param]()


def draw_sets(seed=0, n_sets=30):
    rng = np.random.default_rng(seed)
    return [rng.permutation(M)[: rng.integers(1, M + 1)] for _ in range(n_sets)]


def vector_of(a_test):
    """Return the critical vector of a test, None if it has none."""
    return a_test.critical_vector(ALPHA) if hasattr(a_test, "critical_vector") else None


class TestContract:
    """What every test can be asked for, and that the answers go together."""

    def test_bounds_of_a_set(self, a_test):
        bounds = a_test.bounds(ALPHA)
        assert_array_equal(bounds.p_values, a_test.p_values)
        assert bounds.of_set() == bounds.of_set(np.arange(a_test.n_elements)) > 2
        vector = vector_of(a_test)
        thresholds = np.repeat(ALPHA / M, M) if vector is None else vector.thresholds
        for members in draw_sets():
            p, found = a_test.p_values[members], bounds.of_set(members)
            assert type(found) is int
            assert found == bounds.of_set(np.isin(np.arange(M), members))
            if vector is None:
                assert bounds.critical_vector is None
                assert found == (p <= ALPHA / M).sum()
            else:
                assert found == bound(p, thresholds) == vector.true_discoveries(p)
                assert found == bounds.critical_vector.true_discoveries(p)

    def test_bounds_by_label_equal_the_bound_of_each_set(self, a_test):
        bounds, rng = a_test.bounds(ALPHA), np.random.default_rng(0)
        labels = rng.choice([0, 1, 2, 4], M)
        expected = [bounds.of_set(np.flatnonzero(labels == k)) for k in range(4)]
        assert_array_equal(bounds.by_label(labels)[:4], expected)
        assert bounds.by_label(labels, 7).shape == (7,)
        assert (bounds.by_label(labels, 7)[[3, 5, 6]] == 0).all()
        sets = draw_sets(1)
        of_sets = np.repeat(np.arange(len(sets)), list(map(len, sets)))
        found = bounds.by_label(of_sets, len(sets), subset=np.concatenate(sets))
        assert_array_equal(found, [bounds.of_set(members) for members in sets])

    def test_bounds_along_an_order_and_of_nested_sets_equal_the_bound_of_each_set(self, a_test):
        bounds, vector = a_test.bounds(ALPHA), vector_of(a_test)
        for order in draw_sets(2, 5):
            found = bounds.along(order)
            assert_array_equal(found, [bounds.of_set(order[: k + 1]) for k in range(order.size)])
            if vector is not None:
                assert_array_equal(found, vector.confidence_curve(a_test.p_values, order))
        order = np.random.default_rng(0).permutation(M)
        starts = np.arange(M) & np.arange(1, M + 1)  # pairs, pairs of pairs, and so on
        if vector is None:
            with pytest.raises(TypeError, match="BonferroniBounds cannot bound all clusters"):
                bounds.of_nested(order, starts)
            return
        expected = [bounds.of_set(order[start : i + 1]) for i, start in enumerate(starts)]
        assert_array_equal(bounds.of_nested(order, starts), expected)

    def test_elements_that_contribute_are_all_that_bounds_come_from(self, a_test):
        bounds = a_test.bounds(ALPHA)
        if vector_of(a_test) is None:
            with pytest.raises(TypeError, match="BonferroniBounds has no concentration"):
                bounds.contributing()
            return
        counts = bounds.contributing()
        assert 0 < counts.sum() < M
        for members in draw_sets(3):
            kept = members[counts[members]]
            assert bounds.of_set(members) == (bounds.of_set(kept) if kept.size else 0)
        weakest = np.flatnonzero(counts)[np.argmax(a_test.p_values[counts])]
        assert bounds.of_set(np.setdiff1d(np.arange(M), weakest)) < bounds.of_set()

    @pytest.mark.parametrize("tdp", [0, 0.3, 1])
    def test_p_values_of_sets_go_with_each_other_and_with_the_bounds(self, a_test, tdp):
        sets = draw_sets(4)
        labels = np.repeat(np.arange(len(sets)), list(map(len, sets)))
        by_label = a_test.set_p_values_by_label(
            labels, len(sets) + 1, subset=np.concatenate(sets), tdp=tdp
        )
        one_by_one = [a_test.set_p_value(members, tdp) for members in sets]
        assert_array_equal(by_label, [*one_by_one, np.nan])
        assert ((by_label[:-1] >= 0) & (by_label[:-1] <= 1)).all()
        is_stepped = a_test.calibration is not None and a_test.calibration.n_steps > 1
        for alpha in (ALPHA,) if is_stepped else (0.03, ALPHA, 0.4):
            bounds = a_test.bounds(alpha)
            exceeds = np.array([bounds.of_set(members) > tdp * members.size for members in sets])
            # Step-down takes its first step for p-values, which may be larger.
            agrees = exceeds >= (by_label[:-1] <= alpha) if is_stepped else (
                exceeds == (by_label[:-1] <= alpha)
            )  # fmt: skip
            assert agrees.all()

    def test_description_is_of_plain_data_and_cites_what_it_says(self, a_test):
        described = a_test.describe(ALPHA)
        assert json.loads(json.dumps(described, allow_nan=False)) == described
        words = {"kind", "name", "sentence", "assumption", "references"}
        assert set(described) == {*words, "values"}
        assert re.fullmatch(r"The bounds assume .*\.", described["assumption"])
        is_free = "no assumption about the dependence" in described["assumption"]
        assert is_free is (described["values"].get("LocalTest") != "simes")
        assert described["kind"] == a_test.kind
        assert described["name"]
        assert re.fullmatch(r"[A-Z].*\.", described["sentence"])
        assert described["references"]
        for reference in described["references"]:
            author, year = re.match(r"(\w+) .*?\((\d{4})\)\. .*\.$", reference).groups()
            assert re.search(rf"{author}( et al\.,)? \(?{year}", described["sentence"])
        for known in filter(None, (getattr(a_test, name, None) for name in ("scheme", "seed"))):
            assert known in described["values"].values()
        if getattr(a_test, "scheme", None):
            assert a_test.scheme in described["sentence"]

    def test_arrays_in_a_file_give_the_test_again(self, a_test, tmp_path):
        with (tmp_path / "test.npz").open("wb") as file:
            np.savez(file, **a_test.to_arrays())
        with np.load(tmp_path / "test.npz", allow_pickle=False) as arrays:
            again = type(a_test).from_arrays(dict(arrays), a_test.p_values)
        assert type(again) is type(a_test)
        assert again.describe(ALPHA) == a_test.describe(ALPHA)
        assert_array_equal(again.p_values, a_test.p_values)
        sets = draw_sets(5)
        one, other = a_test.bounds(ALPHA), again.bounds(ALPHA)
        assert [one.of_set(s) for s in sets] == [other.of_set(s) for s in sets]
        assert [a_test.set_p_value(s) for s in sets] == [again.set_p_value(s) for s in sets]


def rounded(p):
    """Return p-values with many ties that the map tells apart."""
    return np.ceil(p * 100) / 100


def jittered(p):
    """Return p-values that differ in the last bit, and are in another order where they tied."""
    rng = np.random.default_rng(1)
    return np.clip(p + rng.integers(-1, 2, p.size) * np.spacing(p), 0, 1)


def disordered(p):
    """Return p-values in roughly the order of the map."""
    return np.clip(p * np.random.default_rng(2).uniform(0.2, 3, p.size), 0, 1)


each_own = pytest.mark.parametrize("own", [rounded, jittered, disordered])

each_side = pytest.mark.parametrize("two_sided", [False, True], ids=["one-sided", "two-sided"])


@pytest.fixture
def known(monkeypatch):
    """Return a function that makes tests known by a name, as one's own local test."""

    def know(make_test, *kinds):
        monkeypatch.setitem(LOCAL_TESTS, "own", lambda family: make_test(family.p_values))
        for cls in (ClusterTDPTransformer, AdaptiveTDPTransformer, RegionTDPTransformer):
            constraints = cls._parameter_constraints
            monkeypatch.setitem(constraints, "local_test", [StrOptions(set(LOCAL_TESTS))])
        for kind in kinds:
            monkeypatch.setitem(TESTS, kind.kind, kind)

    return know


@pytest.fixture
def fit(known, volume):
    """Return a function that fits a transformer, with a test of p-values made of the map's."""

    def fit(cls, *arguments, own=None, **parameters):
        if own is not None:
            known(lambda p: OwnPValues(own(p)))
            parameters["local_test"] = "own"
        return cls(*arguments, mask_img=volume.mask_img, **parameters).fit(volume.img)

    return fit


class TestSetsOfTheMap:
    """Sets come from the map, and bounds from the p-values of the test."""

    @each_own
    @each_side
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
    def test_clusters(self, volume, fit, own, two_sided, parameters):
        parameters = {"two_sided": two_sided, **parameters}
        ari = fit(ClusterTDPTransformer, own=own, **parameters)
        parametric = fit(ClusterTDPTransformer, **parameters)
        assert_array_equal(get_data(ari.labels_img_), get_data(parametric.labels_img_))
        assert_array_equal(ari.table_["threshold"], parametric.table_["threshold"])
        p = ari.maps_.test.p_values
        # Each cluster, as the map of its own threshold has it.
        for threshold, rows in ari.table_[:-1].groupby("threshold"):
            of_one = {"threshold": threshold, "threshold_scale": "stat", "cluster_threshold": 0}
            single = fit(ClusterTDPTransformer, **parameters | of_one)
            labels = get_data(single.labels_img_)[volume.mask]
            ids = single.table_["cluster_id"][:-1]
            bounds = np.array([bound(p[labels == i], OwnPValues.thresholds) for i in ids])
            kept = single.table_["n_voxels"][:-1] >= ari.cluster_threshold
            assert_array_equal(rows["true_discoveries"], bounds[kept])
        assert ari.true_discoveries_ == bound(p, OwnPValues.thresholds) > 0

    @each_own
    @each_side
    def test_concentration_threshold_is_the_most_lenient_that_matters(
        self, volume, fit, own, two_sided
    ):
        ari = fit(ClusterTDPTransformer, "concentration", two_sided=two_sided, own=own)
        z = volume.z[volume.mask]
        evidence = np.abs(z) if two_sided else z
        inside = get_data(ari.labels_img_)[volume.mask] > 0
        (height,) = ari.table_["threshold"][:-1].unique()
        assert_array_equal(inside, evidence > height)
        # Whatever adds to a bound is inside, the weakest of it at the threshold.
        p = ari.maps_.test.p_values
        gains = [1 - u + np.sum(p <= t) for u, t in enumerate(OwnPValues.thresholds, start=1)]
        adds = p <= OwnPValues.thresholds[np.argmax(gains)]
        assert inside[adds].all()
        assert evidence[inside].min() == evidence[adds].min()
        assert ari.maps_.bounds.critical_vector.thresholds.size == 1 + np.argmax(gains)
        if own is not disordered:
            assert_array_equal(inside, evidence >= evidence[adds].min())

    def test_without_any_discovery_there_is_no_concentration_threshold(self, fit):
        ari = fit(ClusterTDPTransformer, "concentration", own=np.ones_like)
        assert len(ari.table_) == 1
        assert ari.true_discoveries_ == 0

    @each_own
    @each_side
    def test_forest(self, fit, own, two_sided):
        ari = fit(AdaptiveTDPTransformer, two_sided=two_sided, own=own)
        parametric = fit(AdaptiveTDPTransformer, two_sided=two_sided)
        forest, p = ari.forest_, ari.maps_.test.p_values
        for name in ("elements", "starts", "parents", "is_cluster"):
            assert_array_equal(getattr(forest, name), getattr(parametric.forest_, name))
        assert_array_equal(p, own(parametric.maps_.test.p_values))
        members = (forest.elements[start : i + 1] for i, start in enumerate(forest.starts))
        bounds = [bound(p[of_one], OwnPValues.thresholds) for of_one in members]
        assert_array_equal(forest.true_discoveries, bounds)

    @each_own
    @each_side
    @pytest.mark.parametrize("tdp_threshold", [[0.3, 0.6, 0.9], None])
    def test_threshold_in_the_table_forms_the_adaptive_cluster(
        self, volume, fit, own, two_sided, tdp_threshold
    ):
        ari = fit(AdaptiveTDPTransformer, tdp_threshold, two_sided=two_sided, own=own)
        labels = get_data(ari.labels_img_)
        rows = ari.table_[:-1]
        shown = rows[rows["cluster_id"].isin(np.unique(labels))]
        assert len(shown) > (0 if tdp_threshold is None else 1)
        for row in shown.itertuples():
            sign = -1 if row.direction == "negative" else 1
            components, _ = ndimage.label(volume.mask & (sign * volume.z > row.threshold))
            peak = np.argwhere(volume.mask & (labels == row.cluster_id))[0]
            component = components == components[tuple(peak)]
            assert component.sum() == row.n_voxels
            assert component[labels == row.cluster_id].all()


def assert_answers(ari, volume, bound):
    """Compare answers on the clusters of a map to a bound, and to p-values of the test."""
    p, labels = ari.maps_.test.p_values, get_data(ari.labels_img_)[volume.mask]
    ids = ari.table_["cluster_id"]
    found = np.array([bound(p[labels == i]) for i in ids])
    assert_array_equal(ari.table_["true_discoveries"], found)
    assert found.max() > 2
    tdp = np.zeros(p.size)
    for row in ari.table_[:-1].itertuples():
        tdp[labels == row.cluster_id] = row.true_discoveries / row.n_voxels
    assert_array_equal(get_data(ari.transform(volume.img))[volume.mask], tdp)
    of_40 = set_bound(ari, indices=np.argwhere(volume.mask)[:40])
    p_value = ari.maps_.test.set_p_value(np.arange(40))
    assert of_40 == (40, bound(p[:40]), bound(p[:40]) / 40, p_value)
    curve = confidence_curve(ari)
    assert_array_equal(curve["p_value"], np.sort(p))
    for k in (1, 5, 50, p.size):
        assert curve["true_discoveries"][k - 1] == bound(np.sort(p)[:k])
    p_values = [ari.maps_.test.set_p_value(np.flatnonzero(labels == i)) for i in ids]
    table = get_tdp_table(ari, max_peaks=1)
    assert table["p_value"].tolist() == [f"{p_value:.2g}" for p_value in p_values]
    regions = volume.labels[volume.mask]
    pieces = get_region_composition(ari, volume.labels_img, labels=["1", "2", "3"])
    assert len(pieces) > 2
    for row in pieces.itertuples():
        piece = (labels == row.cluster_id) & (regions == int(row.region))
        assert row.true_discoveries == bound(p[piece])


def assert_regions(ari, volume, bound):
    p, regions = ari.maps_.test.p_values, volume.labels[volume.mask]
    expected = [bound(p[regions == i]) for i in (1, 2, 3, 0)]
    assert_array_equal(ari.table_["true_discoveries"], expected)
    assert max(expected) > 2


class TestQuestions:
    """The test of a map answers all questions on it."""

    @each_own
    def test_of_a_test_with_p_values_of_its_own(self, volume, fit, own):
        def bound_of(p):
            return bound(p, OwnPValues.thresholds)

        assert_answers(fit(ClusterTDPTransformer, 2, own=own), volume, bound_of)
        assert_regions(fit(RegionTDPTransformer, volume.labels_img, own=own), volume, bound_of)

    def test_line_that_is_printed(self, fit, capsys):
        ari = fit(ClusterTDPTransformer, 2, verbose=2, own=rounded)
        assert f"at least {ari.true_discoveries_} true discoveries" in capsys.readouterr().out

    @pytest.mark.parametrize("local_test", ["simes", "hommel"])
    def test_without_another_test_it_is_closed_testing_of_the_map(self, fit, local_test):
        fitted_map = fit(ClusterTDPTransformer, 2, local_test=local_test).maps_
        assert isinstance(fitted_map.test, Hommel)
        assert fitted_map.test.local_test == local_test
        assert fitted_map.test.p_values is fitted_map.family.p_values


class TestWithoutCriticalVector:
    """Bounds that come from something else do for all but what needs a critical vector."""

    @pytest.fixture
    def clusters(self, known, fit):
        known(Bonferroni, Bonferroni)
        return fit(ClusterTDPTransformer, 2, two_sided=True, local_test="own")

    def test_answers(self, volume, fit, clusters):
        level = 0.05 / volume.mask.sum()
        assert_answers(clusters, volume, lambda p: (p <= level).sum())
        regions = fit(RegionTDPTransformer, volume.labels_img, local_test="own")
        assert_regions(regions, volume, lambda p: (p <= level).sum())

    def test_report_sidecar_and_archive(self, volume, clusters, tmp_path):
        described = clusters.maps_.describe()["test"]
        assert described["values"] == {"Level": 0.05 / volume.mask.sum()}
        report = unescape(str(clusters.generate_report()))
        for text in (described["sentence"], *described["references"]):
            assert text in report
        files = save(clusters, tmp_path)
        sidecar = json.loads(files["sidecar"].read_text())
        assert sidecar["Test"] == described["name"]
        assert sidecar["Level"] == described["values"]["Level"]
        again = load(tmp_path)
        assert isinstance(again.maps_.test, Bonferroni)
        pd.testing.assert_frame_equal(again.table_, clusters.table_)

    def test_what_needs_a_critical_vector_is_refused(self, fit, clusters):
        forest = "BonferroniBounds cannot bound all clusters of a forest"
        with pytest.raises(TypeError, match=forest):
            fit(AdaptiveTDPTransformer, local_test="own")
        with pytest.raises(TypeError, match=forest):
            explore(clusters)
        with pytest.raises(TypeError, match="BonferroniBounds has no concentration threshold"):
            fit(ClusterTDPTransformer, "concentration", local_test="own")
