"""The table of local tests: how each is made from the tested elements of a map."""

from __future__ import annotations

from functools import partial
from typing import Any

from ari_estimator.closed_testing import CalibratedTest, Hommel, SimultaneousTest
from ari_estimator.inference._map_family import MapFamily


def _closed_testing(family: MapFamily, local_test: Any) -> SimultaneousTest:
    return Hommel(family.p_values, local_test, copy=False)


LOCAL_TESTS = {
    "simes": partial(_closed_testing, local_test="simes"),
    "hommel": partial(_closed_testing, local_test="hommel"),
}

# By the kind that a test bears in an archive.
TESTS: dict[str, type[SimultaneousTest]] = {test.kind: test for test in (Hommel, CalibratedTest)}
