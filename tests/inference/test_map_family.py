"""The family of a map: p-values are computed where they count, and nothing else changes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from ari_estimator import ClusterTDPTransformer, RegionTDPTransformer
from ari_estimator.closed_testing import Hommel
from ari_estimator.graphs import ClusterForest, VoxelGrid
from ari_estimator.inference import make_statistic
from ari_estimator.inference._map_family import MapFamily
from ari_estimator.inference._z_and_t import ZStatistic

STATISTICS = {
    "z": ("z", None, False),
    "two-sided z": ("z", None, True),
    "t": ("t", 7, False),
    "F": ("F", (2, 9), False),
    "p": ("p", None, False),
    "-log10 p": ("neg_log10_p", None, False),
}


def family_of(name, p_values):
    """Return a family whose p-values are about the given ones."""
    stat_type, df, two_sided = STATISTICS[name]
    statistic = make_statistic(stat_type, df, two_sided=two_sided)
    stat = np.array([statistic.at_p(p) for p in p_values])
    return MapFamily(stat, statistic, None, np.ones(stat.size, dtype=bool))


@pytest.mark.parametrize("name", STATISTICS)
@settings(max_examples=40)
@given(
    p_values=st.lists(st.floats(1e-9, 1) | st.floats(1e-9, 0.06), min_size=1, max_size=30),
    alphas=st.lists(st.sampled_from([0.01, 0.05, 0.2, 0.7]), min_size=1, max_size=4),
    local_test=st.sampled_from(["simes", "hommel"]),
    seed=st.integers(0, 99),
)
def test_bounds_are_those_of_all_p_values(name, p_values, alphas, local_test, seed):
    family = family_of(name, p_values)
    all_p = family.statistic.p_values(family.stat)
    expected_test, test = Hommel(all_p, local_test), Hommel.of_valid(family, local_test)
    rng = np.random.default_rng(seed)
    labels, order = rng.integers(0, 4, all_p.size), rng.permutation(all_p.size)
    subset = order[: 1 + all_p.size // 2]
    forest = ClusterForest(VoxelGrid(np.ones((1, 1, all_p.size), dtype=bool), 6), all_p)
    for alpha in alphas:
        assert test.value(alpha) == expected_test.value(alpha)
        assert str(test.concentration_set(alpha)) == str(expected_test.concentration_set(alpha))
        expected, bounds = expected_test.bounds(alpha), test.bounds(alpha)
        assert bounds.of_set() == expected.of_set()
        assert bounds.of_set(subset) == expected.of_set(subset)
        assert_array_equal(bounds.by_label(labels, 4), expected.by_label(labels, 4))
        assert_array_equal(bounds.contributing(), expected.contributing())
        assert_array_equal(bounds.along(order), expected.along(order))
        nested = forest.elements, forest.starts
        assert_array_equal(bounds.of_nested(*nested), expected.of_nested(*nested))
    assert_array_equal(test.adjusted_p_values, expected_test.adjusted_p_values)
    assert test.set_p_value(subset) == expected_test.set_p_value(subset)
    assert_array_equal(family.p_values, all_p)


def test_most_p_values_of_a_map_are_not_computed(volume, monkeypatch):
    n_computed = []
    whole = ZStatistic.p_values

    def p_values(self, values):
        n_computed.append(values.size)
        return whole(self, values)

    monkeypatch.setattr(ZStatistic, "p_values", p_values)
    clusters = ClusterTDPTransformer(2.5, mask_img=volume.mask_img).fit(volume.img)
    regions = RegionTDPTransformer(volume.labels_img, mask_img=volume.mask_img).fit(volume.img)
    for transformer in (clusters, regions):
        n_computed.clear()
        transformer.transform(volume.img)
        n_positive = int((volume.z[volume.mask] > 1.6).sum())
        assert 0 < sum(n_computed) <= n_positive + 1
    found = clusters.fit(volume.img).maps_
    assert_array_equal(found.test.p_values, whole(found.family.statistic, found.family.stat))


def test_a_threshold_of_p_values_selects_as_if_all_were_known(volume):
    masked = volume.z[volume.mask]
    for p in (0.001, 0.05, 0.6):
        ari = ClusterTDPTransformer(
            p, threshold_scale="p", mask_img=volume.mask_img, two_sided=True
        ).fit(volume.img)
        known = ari.maps_.family.p_values < p
        assert_array_equal(ari.maps_.labels > 0, known)
        assert known.sum() < masked.size
