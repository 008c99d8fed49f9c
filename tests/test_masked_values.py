"""Masked values of numpy are refused at each door, and never read as values."""

import numpy as np
import pytest
from scipy import stats

from ari_estimator import (
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
    RegionTDPTransformer,
    all_resolutions_inference,
    set_bound,
    spatio_temporal_cluster_1samp_test,
)
from ari_estimator.closed_testing import CriticalVector, Hommel, calibrate

SHAPE = (20, 6)
LEFT_OUT = np.arange(120).reshape(SHAPE) < 60
RNG = np.random.default_rng(0)
SUBJECTS = RNG.standard_normal((12, *SHAPE))
MASKED_SUBJECTS = np.ma.masked_array(SUBJECTS, mask=np.broadcast_to(LEFT_OUT, SUBJECTS.shape))
MAPS = RNG.standard_normal((1, *SHAPE))
FLAT = SUBJECTS.reshape(12, -1)
P = [1e-9, 1e-9, 0.5]


def masked(values):
    """Return an array whose first item is masked."""
    array = np.asarray(values)
    mask = np.zeros(array.shape, dtype=bool)
    mask.flat[0] = True
    return np.ma.masked_array(array, mask=mask)


def transformer(**parameters):
    """Return a transformer of arrays."""
    return ClusterTDPTransformer(2, **{"adjacency": "lattice", "verbose": 0} | parameters)


DOORS = {
    "X": (
        "X",
        lambda: all_resolutions_inference(MASKED_SUBJECTS),
        lambda: all_resolutions_inference(MASKED_SUBJECTS, ari_type="permutation", seed=0),
        lambda: all_resolutions_inference([SUBJECTS, MASKED_SUBJECTS]),
        lambda: spatio_temporal_cluster_1samp_test(MASKED_SUBJECTS, 3, seed=0, verbose=False),
    ),
    "p-values of a function": (
        "The p-values of statfun",
        lambda: all_resolutions_inference(
            SUBJECTS, statfun=lambda X: masked(stats.ttest_1samp(X, 0).pvalue)
        ),
    ),
    "vertices": (
        "spatial_exclude",
        lambda: spatio_temporal_cluster_1samp_test(SUBJECTS, 3, spatial_exclude=masked([1, 2])),
    ),
    "p-values": (
        "p_values",
        lambda: Hommel(masked(P)),
        lambda: CriticalVector([0.01, 0.1]).true_discoveries(masked(P)),
        lambda: CriticalVector([0.01, 0.1]).true_discoveries([0.5, np.ma.masked]),
        lambda: calibrate(masked(np.full((100, 5), 0.5))),
    ),
    "thresholds": ("thresholds", lambda: CriticalVector(masked([0.01, 0.1]))),
    "a subset": (
        "subset",
        lambda: Hommel(P).bounds(0.05).of_set(masked([0, 1])),
        lambda: Hommel(P).set_p_value(masked([True, True, False])),
    ),
    "labels": (
        "labels",
        lambda: Hommel(P).bounds(0.05).by_label(masked([1, 1, 0])),
    ),
    "a mask": (
        "mask_img",
        lambda: transformer(mask_img=np.ma.masked_array(~LEFT_OUT, mask=LEFT_OUT)).fit(MAPS),
        lambda: ARISecondLevelModel(mask_img=masked(np.ones(SHAPE, dtype=bool))).fit(SUBJECTS),
    ),
    "degrees of freedom": (
        "df",
        lambda: transformer(stat_type="t", df=masked(np.full(SHAPE, 9.0))).fit(MAPS),
        lambda: transformer(stat_type="t", df=masked([9.0])).fit(MAPS),
    ),
    "maps, sets and regions": (
        "Arrays",
        lambda: transformer().fit([masked(MAPS[0])] * 2),
        lambda: transformer(adjacency=None, mask_img=np.ones(SHAPE)).fit(masked(MAPS)),
        lambda: RegionTDPTransformer(masked(np.ones(SHAPE, dtype=int))).fit(MAPS),
        lambda: set_bound(transformer().fit(MAPS), mask_img=masked(np.ones(SHAPE)), map_index=0),
    ),
    "coordinates": (
        r"coordinates\['time'\]",
        lambda: transformer(coordinates={"time": masked(np.arange(20))}).fit(MAPS),
    ),
    "data": (
        "data",
        lambda: PermutationCalibration().fit(masked(FLAT)),
        lambda: PermutationCalibration().fit([*map(masked, FLAT)]),
    ),
    "streamed data": (
        "data of subject 0",
        lambda: PermutationCalibration().fit(map(masked, FLAT)),
    ),
    "a design": (
        "design",
        lambda: PermutationCalibration().fit(FLAT, masked(np.ones((12, 1))), [1]),
    ),
    "a contrast": (
        "contrast",
        lambda: PermutationCalibration().fit(FLAT, np.ones((12, 1)), masked([1.0])),
    ),
    "blocks": (
        "blocks",
        lambda: PermutationCalibration(blocks=masked(np.arange(12))).fit(FLAT),
        lambda: PermutationCalibration(blocks=masked(np.ones((12, 2), dtype=int))).fit(FLAT),
    ),
}


@pytest.mark.parametrize("door", DOORS)
def test_masked_values_are_refused(door):
    name, *calls = DOORS[door]
    for call in calls:
        with pytest.raises(ValueError, match=rf"^{name} must not be masked\. Got \d+ masked value"):
            call()


def test_a_masked_array_without_masked_values_is_an_array():
    whole = np.ma.masked_array(SUBJECTS, mask=False)
    for one, other in zip(
        all_resolutions_inference(whole), all_resolutions_inference(SUBJECTS), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    assert Hommel(np.ma.masked_array(P)).true_discoveries() == Hommel(P).true_discoveries()
