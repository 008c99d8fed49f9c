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
    assert_array_equal(bounds.along(np.arange(9)), each[0].along(np.arange(9)))
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


def test_extents_alone_have_no_curve():
    alone = LargerBoundsTest({"extents": EXTENTS}, [1.0]).bounds(0.05)
    for ask in (alone.contributing, lambda: alone.along(np.arange(3))):
        with pytest.raises(TypeError, match="Add a PermutationCalibration"):
            ask()


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
