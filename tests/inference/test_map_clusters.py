"""Clusters of a forest as maps: images, masks and tables of any query."""

from __future__ import annotations

import numpy as np
import pytest
from nilearn.image import get_data
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal

from ari_estimator import AdaptiveTDPTransformer, ClusterTDPTransformer, save
from ari_estimator.plotting import plot_cluster_dots
from ari_estimator.reporting import get_region_composition, get_tdp_table, make_report

SEED = (39, -22, 58)


@pytest.fixture(scope="module", params=[False, True], ids=["one-sided", "two-sided"])
def adaptive(request, motor_img):
    return AdaptiveTDPTransformer(0.7, two_sided=request.param, cluster_threshold=5).fit(motor_img)


def test_another_tdp_gives_what_another_fit_gives(adaptive, motor_img):
    other = adaptive.maps_.with_tdp(0.9, cluster_threshold=20)
    params = {"tdp_threshold": 0.9, "cluster_threshold": 20}
    again = AdaptiveTDPTransformer(**(adaptive.get_params() | params))
    tdp_img = again.fit_transform(motor_img)
    assert_frame_equal(other.table, again.table_)
    assert_array_equal(get_data(other.tdp_img), get_data(tdp_img))
    assert_array_equal(get_data(other.labels_img), get_data(again.labels_img_))
    assert_frame_equal(get_tdp_table(other), get_tdp_table(again))
    assert other.describe()["sets"] == again.maps_.describe()["sets"]
    assert other.describe()["parameters"] == again.maps_.describe()["parameters"]
    # The map itself stays.
    assert_frame_equal(adaptive.maps_.table, adaptive.table_)


def test_a_place_in_mm_gives_its_cluster(adaptive):
    found = adaptive.maps_.cluster_at(0.5, seed=SEED)
    element = adaptive.maps_.element_at(seed=SEED)
    cluster = adaptive.forest_.cluster_of(element, 0.5)
    members = adaptive.forest_.members(cluster)
    assert found.n_sets == 1
    row = found.table.iloc[0]
    assert row["n_voxels"] == members.size
    assert row["true_discoveries"] == adaptive.forest_.true_discoveries[cluster]
    assert (
        row["true_discoveries"] == adaptive.maps_.bound(mask_img=found.mask_of(1)).true_discoveries
    )
    mask = get_data(found.mask_of(1))
    assert mask.dtype == np.uint8
    assert mask.sum() == members.size
    assert_array_equal(mask, get_data(found.labels_img) > 0)
    assert get_tdp_table(found, max_peaks=1)["n_voxels"].iloc[0] == members.size


def test_a_place_without_a_cluster_gives_no_cluster(adaptive):
    family = adaptive.maps_.family
    seed = tuple(family.space.coordinates()[np.abs(family.stat).argmin()])
    found = adaptive.maps_.cluster_at(1.0, seed=seed)
    assert found.n_sets == 0
    assert not get_data(found.tdp_img).any()


def test_grown_and_shrunk_clusters_are_maps(adaptive, tmp_path):
    forest = adaptive.forest_
    clusters = forest.query(0.7)
    changed = forest.change(clusters, int(clusters[0]), 0.1)
    chosen = adaptive.maps_.with_clusters(changed)
    table = chosen.table.iloc[:-1]
    assert_array_equal(table["n_voxels"], forest.sizes[changed])
    assert_array_equal(table["true_discoveries"], forest.true_discoveries[changed])
    for number, cluster in enumerate(changed[:3], start=1):
        inside = get_data(chosen.mask_of(number)) > 0
        assert inside.sum() == forest.sizes[cluster]
    assert "Clusters were chosen among all" in str(make_report(chosen))
    plot_cluster_dots(chosen)
    # Parameters would give other clusters, so the map cannot be saved as if they did not.
    with pytest.raises(ValueError, match="other maps cannot be loaded again"):
        save(chosen, tmp_path)


def test_regions_of_a_query(adaptive, motor_img):
    from nilearn.image import new_img_like

    halves = np.ones(motor_img.shape, dtype=np.int32)
    halves[27:] = 2
    pieces = get_region_composition(
        adaptive.maps_.with_tdp(0.9), new_img_like(motor_img, halves), labels=["right", "left"]
    )
    assert set(pieces["region"]) <= {"right", "left"}


def test_mask_of_a_cluster_of_any_map(motor_img):
    ari = ClusterTDPTransformer([3, 4]).fit(motor_img)
    for cluster_id in (1, int(ari.table_["cluster_id"].iloc[-2])):
        row = ari.table_.set_index("cluster_id").loc[cluster_id]
        assert get_data(ari.maps_.mask_of(cluster_id)).sum() == row["n_voxels"]
    with pytest.raises(ValueError, match=r"set_id must be an id of the table \(1, 2,.* Got 9999"):
        ari.maps_.mask_of(9999)


def test_refuses_what_are_no_clusters(adaptive, motor_img):
    forest, fitted_map = adaptive.forest_, adaptive.maps_
    root = int(np.flatnonzero(forest.parents == -1)[-1])
    inner = int(forest.query(0.9)[0])
    outer = forest.grow(inner, 0.5)
    with pytest.raises(ValueError, match="clusters must not overlap"):
        fitted_map.with_clusters([inner, outer])
    with pytest.raises(ValueError, match="clusters must be positions"):
        fitted_map.with_clusters([root + 10**7])
    with pytest.raises(ValueError, match="clusters must be positions"):
        fitted_map.with_clusters([0.5])
    with pytest.raises(ValueError, match="cluster_threshold must be an integer"):
        fitted_map.with_tdp(0.7, cluster_threshold=-1)
    with pytest.raises(ValueError, match="tdp must"):
        fitted_map.with_tdp(1.5)
    with pytest.raises(TypeError, match=r"must have adaptive clusters.* Got supra-threshold"):
        ClusterTDPTransformer(4).fit(motor_img).maps_.with_tdp(0.5)
    for ask in (get_tdp_table, make_report):
        with pytest.raises(TypeError, match=r"Got a TDPForest.* maps_.with_tdp"):
            ask(forest)
