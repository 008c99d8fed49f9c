"""The larger of several bounds, each at its share of the error level."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ari_estimator.closed_testing import (
    ClusterExtentTest,
    Hommel,
    KnownExtent,
    LargerBoundsTest,
    SupraThresholdGraph,
)
from ari_estimator.closed_testing._calibrated_extent import CalibratedExtent
from ari_estimator.closed_testing._level_weights import weighted_levels

RNG = np.random.default_rng(0)
N = 60
P = np.sort(RNG.random(N) ** 4)
CHAIN = np.column_stack([np.arange(29), np.arange(1, 30)])
GRAPH = SupraThresholdGraph(N, np.arange(30), CHAIN, None, 0.05, "a chain")
EXTENTS = ClusterExtentTest(P, GRAPH, KnownExtent(5, alpha=0.02))
TEST = LargerBoundsTest({"p-values": Hommel(P), "extents": EXTENTS}, [0.5, 0.5])
LABELS = np.arange(N) // 12


def test_bounds_are_the_larger_ones_at_half_the_level():
    bounds = TEST.bounds(0.05)
    each = [one.bounds(0.025) for one in (Hommel(P), EXTENTS)]
    assert_array_equal(bounds.by_label(LABELS), np.max([b.by_label(LABELS) for b in each], axis=0))
    assert bounds.of_set() == max(b.of_set() for b in each)
    along = bounds.along(np.arange(N))
    assert_array_equal(along, np.max([b.along(np.arange(N)) for b in each], axis=0))
    assert along[-1] == bounds.of_set()
    assert_array_equal(bounds.contributing(), each[0].contributing())
    assert list(bounds.parts) == ["p-values", "extents"]
    assert bounds.critical_vector is None
    assert TEST.levels(0.05) == {"p-values": 0.025, "extents": 0.025}


@pytest.mark.parametrize("tdp", [0, 0.2, 0.5])
def test_p_values_of_sets_agree_with_the_bounds(tdp):
    p_values = TEST.set_p_values_by_label(LABELS, tdp=tdp)
    assert_array_equal(
        p_values, [TEST.set_p_value(np.flatnonzero(i == LABELS), tdp) for i in range(5)]
    )
    for alpha in (0.04, 0.05, 0.2):
        found = TEST.bounds(alpha).by_label(LABELS)
        is_above = np.array([n > np.floor(tdp * 12 + 1e-9) for n in found])
        assert (is_above <= (p_values <= alpha)).all()


def test_extents_alone_have_no_concentration_threshold():
    alone = LargerBoundsTest({"extents": EXTENTS}, [1.0]).bounds(0.05)
    with pytest.raises(TypeError, match="Add a PermutationCalibration"):
        alone.contributing()
    order = np.arange(N)
    assert_array_equal(alone.along(order), EXTENTS.bounds(0.05).along(order))


def test_arrays_restore_the_test():
    arrays = {name: np.asarray(array) for name, array in TEST.to_arrays().items()}
    again = LargerBoundsTest.from_arrays(arrays, P)
    assert again.describe(0.05) == TEST.describe(0.05)
    assert_array_equal(again.bounds(0.05).by_label(LABELS), TEST.bounds(0.05).by_label(LABELS))
    for name, value, said in (
        ("names", np.array(["extents", "extents"]), "must differ"),
        ("weights", np.array([0.7, 0.7]), "sum 1"),
        ("test1_kind", np.array("voodoo"), "must be one of"),
    ):
        with pytest.raises(ValueError, match=said):
            LargerBoundsTest.from_arrays({**arrays, name: value}, P)


def test_tests_must_fit_together():
    with pytest.raises(ValueError, match="same elements"):
        LargerBoundsTest({"a": Hommel(P), "b": Hommel(P[:9])}, [0.5, 0.5])
    with pytest.raises(ValueError, match="at least one"):
        LargerBoundsTest({}, [])


@pytest.mark.parametrize(
    ("weights", "shares"),
    [
        ([1 / 3, 2 / 3], [0.1 / 3, 0.2 / 3]),
        ([1 - 0.9, 0.9], [0.01, 0.09]),
        ([0.333333] * 3, [0.1 / 3] * 3),
    ],
)
def test_weights_are_the_short_fractions_that_they_stand_for(weights, shares):
    """Otherwise a third of 0.1 is just below 10 of 300 permutations."""
    assert weighted_levels(0.1, weights) == shares


@pytest.mark.parametrize("weights", [[0.7, 0.3], [1 / 3, 2 / 3], [0.1, 0.9]])
@pytest.mark.parametrize("alpha", [0.1, 0.2])
def test_p_values_at_a_level_are_not_above_it_by_rounding(weights, alpha):
    """A share of 300 permutations is exact: 0.06 / 0.3 is 0.2, and not a bit more."""
    p_values = np.full(10, 0.001)
    chain = np.column_stack([np.arange(9), np.arange(1, 10)])
    graph = SupraThresholdGraph(10, np.arange(10), chain, None, 0.01, "a chain")
    levels = weighted_levels(alpha, weights)
    for number, level in enumerate(levels):
        # Just significant in one of the tests, never in the other one.
        largest = [np.full(300, 10), np.full(300, 10)]
        largest[number][round(level * 300) :] = 0
        tests = [
            ClusterExtentTest(p_values, graph, CalibratedExtent(own, np.full(300, 0.5), 10))
            for own in largest
        ]
        test = LargerBoundsTest(dict(zip("ab", tests, strict=True)), weights)
        assert test.bounds(alpha).of_set() > 0
        assert test.set_p_value(np.arange(10)) == alpha
        assert test.set_p_values_by_label(np.zeros(10, dtype=int)).tolist() == [alpha]
