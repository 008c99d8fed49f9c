"""Table of local tests: how to make each from the tested elements of a map."""

from __future__ import annotations

from collections.abc import Callable

from ari_estimator.closed_testing import (
    CalibratedTest,
    FamilyPart,
    Hommel,
    LevelShare,
    SimultaneousTest,
)
from ari_estimator.inference._map_family import MapFamily

LOCAL_TESTS: dict[str, Callable[[MapFamily], SimultaneousTest]] = {
    "simes": lambda family: Hommel.of_valid(family.p_values, "simes"),
    "hommel": lambda family: Hommel.of_valid(family.p_values, "hommel"),
}

# By the kind of the test in an archive.
TESTS: dict[str, type[SimultaneousTest]] = {
    test.kind: test for test in (Hommel, CalibratedTest, FamilyPart, LevelShare)
}
