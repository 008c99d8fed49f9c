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
            ({"ari_type": "pARI"}, "ari_type must be"),
            ({"seed": 1}, "seed"),
            ({"shift": 3}, "shift"),
            ({"statfun": np.mean, "ari_type": "permutation"}, "statfun must be None"),
            ({"statfun": np.mean, "tail": 1}, "tail"),
            ({"thresholds": []}, "thresholds must hold"),
            ({"X": [np.ones((4, 3, 2)), np.ones((4, 2, 2))]}, "maps of one shape"),
            ({"X": np.ones(4)}, "must be an array"),
            ({"alpha": 2}, "alpha"),
        ],
    )
    def test_refused(self, X, change, match):
        with pytest.raises(ValueError, match=match):
            all_resolutions_inference(**{"X": X, **change})
