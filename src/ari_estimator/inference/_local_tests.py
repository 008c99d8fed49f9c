"""Table of local tests: how to make each from the tested elements of a map."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from ari_estimator.closed_testing import (
    CalibratedTest,
    DirectionalTest,
    FamilyPart,
    Hommel,
    LevelShare,
    SimultaneousTest,
)
from ari_estimator.closed_testing._local_tests import LocalTest
from ari_estimator.closed_testing._two_sided import DIRECTIONAL
from ari_estimator.inference._map_family import MapFamily


def _of_each_sign(family: MapFamily, local_test: LocalTest) -> DirectionalTest:
    """Return closed testing of positive and of negative effects."""
    make_test = partial(Hommel.of_valid, local_test=local_test)
    return DirectionalTest.of_two_sided(family.p_values, np.sign(family.stat), make_test)


LOCAL_TESTS: dict[str, Callable[[MapFamily], SimultaneousTest]] = {
    "simes": lambda family: (
        _of_each_sign(family, "simes")
        if family.statistic.two_sided == DIRECTIONAL
        else Hommel.of_valid(family.p_values, "simes")
    ),
    "hommel": lambda family: (
        _of_each_sign(family, "hommel")
        if family.statistic.two_sided == DIRECTIONAL
        else Hommel.of_valid(family.p_values, "hommel")
    ),
}

# By the kind of the test in an archive.
TESTS: dict[str, type[SimultaneousTest]] = {
    test.kind: test for test in (Hommel, CalibratedTest, FamilyPart, LevelShare, DirectionalTest)
}
