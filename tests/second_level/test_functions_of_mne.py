"""Functions with the signatures of MNE-Python and mne-ari."""

import inspect

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from scipy.sparse import coo_array

from ari_estimator import (
    AdaptiveTDPTransformer,
    PermutationCalibration,
    all_resolutions_inference,
    spatio_temporal_cluster_1samp_test,
)
from ari_estimator.graphs import AdjacencyGraph, product

N_TIMES, N_VERTICES = 20, 6
RING = np.roll(np.eye(N_VERTICES), 1, axis=0) + np.roll(np.eye(N_VERTICES), -1, axis=0)


@pytest.fixture(name="X")
def data_of_subjects():
    """Return data of ten subjects, with a positive and a negative effect."""
    data = np.random.default_rng(0).standard_normal((10, N_TIMES, N_VERTICES))
    data[:, 3:10, :2] += 2.5
    data[:, 12:17, 3:5] -= 2.5
    return data


class TestSpatioTemporalClusters:
    @pytest.mark.parametrize("tail", [0, 1, -1])
    @pytest.mark.parametrize("adjacency", [RING, None])
    def test_clusters_are_those_of_mne(self, X, tail, adjacency):
        mne = pytest.importorskip("mne")
        given = adjacency
        if adjacency is RING:
            given = coo_array(RING)
        ours = spatio_temporal_cluster_1samp_test(
            X,
            2.5 if tail >= 0 else -2.5,
            1000,
            tail,
            adjacency=adjacency,
            seed=0,
            out_type="mask",
            verbose=False,
        )
        theirs = mne.stats.spatio_temporal_cluster_1samp_test(
            X,
            2.5 if tail >= 0 else -2.5,
            10,
            tail,
            adjacency=given,
            seed=0,
            out_type="mask",
            verbose="error",
        )
        assert_allclose(ours[0], theirs[0])
        assert {one.tobytes() for one in ours[1]} == {
            np.asarray(one, dtype=bool).tobytes() for one in theirs[1]
        }
        assert len(ours) == len(theirs) == 4

    def test_a_decrease_has_its_sign(self, X):
        options = {"adjacency": RING, "seed": 0, "n_permutations": 1000, "verbose": False}
        down = spatio_temporal_cluster_1samp_test(X, -3, tail=-1, **options)
        up = spatio_temporal_cluster_1samp_test(-X, 3, tail=1, **options)
        assert set(down.table["direction"]) == {"negative", "rest"}
        for name in ("threshold", "peak_stat"):
            assert_array_equal(down.table[name], -up.table[name])
        others = [name for name in up.table if name not in ("threshold", "peak_stat", "direction")]
        assert down.table[others].equals(up.table[others])
        # The peaks are those of t_obs, which every tail returns with one sign.
        both = spatio_temporal_cluster_1samp_test(X, 3, **options)
        assert_array_equal(down[0], both[0])
        peak = down.table.loc[0]
        assert down[0][peak["peak_index_0"], peak["peak_index_1"]] == peak["peak_stat"] < -3
        in_both = both.table[both.table["direction"] == "negative"].iloc[0]
        assert in_both["peak_stat"] == peak["peak_stat"]

    def test_without_neighbours(self, X):
        found = spatio_temporal_cluster_1samp_test(X, 3, 1000, adjacency=False, seed=0)
        assert {one[0].size for one in found[1]} == {1}

    def test_the_bounds(self, X):
        found = spatio_temporal_cluster_1samp_test(X, 3, 1000, adjacency=RING, seed=0)
        t_obs, clusters, p_values, _ = found
        assert_allclose(t_obs, stats.ttest_1samp(X, 0).statistic)
        assert len(clusters) == len(p_values) == len(found.cluster_tdp) == len(found.table) - 1
        for cluster, tdp in zip(clusters, found.cluster_tdp, strict=True):
            assert_array_equal(found.tdp[cluster], tdp)
        labels = np.zeros(t_obs.shape, dtype=int)
        for number, cluster in enumerate(clusters, 1):
            labels[cluster] = number
        assert_array_equal(labels > 0, np.abs(t_obs) > 3)
        assert found.table["n_elements"].tolist()[:-1] == [one[0].size for one in clusters]
        # A cluster has a true discovery at alpha if its adjusted p-value is at most alpha.
        assert_array_equal(p_values <= 0.05, found.cluster_tdp > 0)
        assert (found.cluster_tdp[:2] > 0.5).all()

    def test_vertices_to_leave_out(self, X):
        found = spatio_temporal_cluster_1samp_test(
            X, 3, 1000, adjacency=RING, spatial_exclude=[0, 4], seed=0
        )
        assert found.map.n_tested == N_TIMES * (N_VERTICES - 2)
        assert not found.tdp[:, [0, 4]].any()
        assert not found[0][:, [0, 4]].any()

    def test_steps_in_time(self, X):
        X[:, 5:8] = 0.1 * np.random.default_rng(1).standard_normal((10, 3, N_VERTICES))
        n_clusters = [
            len(
                spatio_temporal_cluster_1samp_test(
                    X, 3, 1000, 1, adjacency=RING, max_step=step, seed=0
                )[1]
            )
            for step in (1, 4)
        ]
        assert n_clusters[1] < n_clusters[0]

    @pytest.mark.parametrize(
        ("change", "match"),
        [
            ({"stat_fun": np.mean}, "stat_fun must be None"),
            ({"threshold": {"start": 0, "step": 0.2}}, "no TDP"),
            ({"step_down_p": 0.05}, "step_down_p"),
            ({"t_power": 0}, "t_power"),
            ({"tail": 2}, "tail must be 0, 1 or -1"),
            ({"threshold": 2, "tail": -1}, "threshold must be at most 0 with tail=-1"),
            ({"threshold": -2, "tail": 1}, "threshold must be at least 0 with tail=1"),
            ({"threshold": -2}, "threshold must be at least 0 with tail=0"),
            ({"threshold": [1, 2]}, "threshold must be a t value or None"),
            ({"out_type": "array"}, "out_type must be"),
            ({"max_step": 2}, "max_step must be 1 for a lattice"),
            ({"max_step": 0, "adjacency": RING}, "max_step must be an integer"),
            ({"adjacency": np.eye(4)}, "row for each vertex, 6"),
            ({"spatial_exclude": [6]}, "from 0 to 5"),
            ({"spatial_exclude": range(6)}, "must leave vertices"),
            ({"X": np.ones((4, 3))}, "must have shape"),
            (
                {"X": np.ones((4, 0, 3))},
                r"X must have subjects and elements\. Got shape \(4, 0, 3\)",
            ),
            ({"tail": [1]}, r"tail must be 0, 1 or -1\. Got \[1\]"),
        ],
    )
    def test_refused(self, X, change, match):
        with pytest.raises(ValueError, match=match):
            spatio_temporal_cluster_1samp_test(**{"X": X, **change})

    def test_the_parameters_are_those_of_mne(self):
        mne = pytest.importorskip("mne")
        theirs = list(inspect.signature(mne.stats.spatio_temporal_cluster_1samp_test).parameters)
        ours = list(inspect.signature(spatio_temporal_cluster_1samp_test).parameters)
        assert ours[: theirs.index("verbose") + 1] == theirs[: theirs.index("verbose") + 1]
        assert "seed" in ours


class TestAllResolutions:
    @pytest.mark.parametrize("tail", ["two-sided", "greater", "less"])
    def test_p_values_of_one_and_two_samples(self, X, tail):
        p, _, _ = all_resolutions_inference(X, tail=tail)
        assert_allclose(p, stats.ttest_1samp(X, 0, alternative=tail).pvalue)
        p, _, _ = all_resolutions_inference([X[:4], X[4:]], tail=tail)
        assert_allclose(p, stats.ttest_ind(X[:4], X[4:], alternative=tail).pvalue)

    @pytest.mark.parametrize("ari_type", ["parametric", "permutation"])
    @pytest.mark.parametrize("tail", [0, 1, -1])
    def test_clusters_and_bounds(self, X, ari_type, tail):
        seed = {"seed": 0, "n_permutations": 1000} if ari_type == "permutation" else {}
        _, tdp, clusters = all_resolutions_inference(X, 0.2, tail, ari_type, adjacency=RING, **seed)
        t = stats.ttest_1samp(X, 0).statistic * (-1 if tail == -1 else 1)
        calibration = None
        if ari_type == "permutation":
            calibration = PermutationCalibration(n_permutations=1000, random_state=0).fit(
                X * (-1 if tail == -1 else 1), alpha=0.2, two_sided=tail == 0
            )
        options = {
            "stat_type": "t",
            "df": 9,
            "two_sided": tail == 0,
            "alpha": 0.2,
            "adjacency": product(N_TIMES, AdjacencyGraph(RING)),
        }
        ari = AdaptiveTDPTransformer(0.8, **options)
        ari.fit(t[np.newaxis], calibration=calibration)
        labels = ari.labels_img_[0]
        expected = {(labels == n).tobytes() for n in range(1, int(labels.max()) + 1)}
        assert {one.tobytes() for one in clusters} == expected
        assert len(clusters) == (2 if tail == 0 else 1)
        assert tdp.max() <= 1

    @pytest.mark.parametrize("ari_type", ["parametric", "permutation"])
    @pytest.mark.parametrize("tail", [0, 1, -1])
    @pytest.mark.parametrize("n_samples", [1, 2])
    def test_elements_without_residual_variance(self, X, ari_type, tail, n_samples):
        # 0.1 is no sum of powers of 2: rounding leaves residuals.
        X[:, :, 5] = 0.1
        given = X if n_samples == 1 else [X[:6], X[6:]]
        if n_samples == 2:
            X[6:, :, 5] = 0.3
        seed = {"seed": 0, "n_permutations": 200} if ari_type == "permutation" else {}
        for adjacency in (RING, False):  # with their neighbours, and alone
            with pytest.warns(UserWarning, match="no residual variance in 20 of 120 elements"):
                p, tdp, clusters = all_resolutions_inference(
                    given, 0.2, tail=tail, ari_type=ari_type, adjacency=adjacency, **seed
                )
            assert (p[:, 5] == 1).all()
            assert not any(cluster[:, 5].any() for cluster in clusters)
        assert not tdp[:, 5].any()

    def test_one_threshold(self, X):
        for one in (0.01, iter([0.01]), np.array(0.01)):
            found = all_resolutions_inference(X, adjacency=RING, thresholds=one)[1]
            expected = all_resolutions_inference(X, adjacency=RING, thresholds=[0.01])[1]
            assert_array_equal(found, expected)

    def test_thresholds_give_no_more(self, X):
        _, whole, _ = all_resolutions_inference(X, adjacency=RING)
        _, some, _ = all_resolutions_inference(X, adjacency=RING, thresholds=[0.01, 0.001])
        assert (some <= whole).all()
        assert some.any()

    def test_other_p_values(self, X):
        p, tdp, _ = all_resolutions_inference(
            X, adjacency=RING, statfun=lambda flat: stats.ttest_1samp(flat, 0).pvalue
        )
        own_p, _, _ = all_resolutions_inference(X, adjacency=RING)
        assert_allclose(p, own_p)
        assert tdp.max() > 0.3

    def test_more_power_than_mne_ari(self):
        data = np.random.default_rng(0).standard_normal((20, 10, 6)) + 3
        _, tdp, _ = all_resolutions_inference(
            data, ari_type="permutation", n_permutations=1000, seed=0
        )
        assert tdp.min() == 1

    @pytest.mark.parametrize(
        ("change", "match"),
        [
            ({"tail": "both"}, "tail must be one of"),
            ({"tail": [1]}, r"tail must be one of .* Got \[1\]"),
            ({"thresholds": [0.01, 2]}, r"thresholds must hold p-values in \(0, 1\]"),
            ({"thresholds": True}, r"thresholds must hold p-values in \(0, 1\]"),
            ({"X": np.ones((4, 0, 2))}, r"X must have subjects and elements.* \(4, 0, 2\)"),
            ({"X": np.ones((0, 3, 2))}, "X must have more subjects than samples"),
            ({"X": np.ones((1, 3, 2))}, "X must have more subjects than samples"),
            ({"X": []}, "X must be an array"),
            ({"X": np.full((4, 3, 2), 0.1)}, "X must vary"),
            ({"statfun": lambda X: X[0, :5]}, r"statfun must return .* 120 elements.* \(5,\)"),
            ({"ari_type": "pARI"}, "ari_type must be"),
            ({"seed": 1}, "seed"),
            ({"shift": 3}, "shift"),
            ({"statfun": np.mean, "ari_type": "permutation"}, "statfun must be None"),
            ({"statfun": np.mean, "tail": 1}, "tail"),
            ({"thresholds": []}, "thresholds must hold at least one number"),
            ({"X": [np.ones((4, 3, 2)), np.ones((4, 2, 2))]}, "maps of one shape"),
            ({"X": np.ones(4)}, "must be an array"),
            ({"alpha": 2}, "alpha"),
        ],
    )
    def test_refused(self, X, change, match):
        with pytest.raises(ValueError, match=match):
            all_resolutions_inference(**{"X": X, **change})

    @pytest.mark.parametrize(
        ("change", "match"),
        [
            ({"X": np.ones((4, 3, 2)) * 1j}, "X must hold real numbers"),
            ({"thresholds": "all"}, "thresholds must be a number, or a sequence of numbers"),
        ],
    )
    def test_of_another_type(self, X, change, match):
        with pytest.raises(TypeError, match=match):
            all_resolutions_inference(**{"X": X, **change})
