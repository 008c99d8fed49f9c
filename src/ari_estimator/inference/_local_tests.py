"""Local tests: how to make the test of the tested elements of a map."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from ari_estimator.closed_testing import (
    CalibratedTest,
    ClusterExtentTest,
    DirectionalTest,
    FamilyPart,
    Hommel,
    LargerBoundsTest,
    LevelShare,
    SimultaneousTest,
)
from ari_estimator.closed_testing._local_tests import LocalTest
from ari_estimator.closed_testing._two_sided import DIRECTIONAL
from ari_estimator.inference._extent_test import ExtentTest
from ari_estimator.inference._map_family import MapFamily
from ari_estimator.inference._statistic import Statistic

# Makes the test of the tested elements.
TestMaker = Callable[[MapFamily], SimultaneousTest]


def _of_each_sign(family: MapFamily, local_test: LocalTest) -> DirectionalTest:
    """Return closed testing of positive and of negative effects."""
    make_test = partial(Hommel.of_valid, local_test=local_test)
    return DirectionalTest.of_two_sided(family.p_values, np.sign(family.stat), make_test)


LOCAL_TESTS: dict[str, TestMaker] = {
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
    test.kind: test
    for test in (
        Hommel,
        CalibratedTest,
        ClusterExtentTest,
        FamilyPart,
        LevelShare,
        DirectionalTest,
        LargerBoundsTest,
    )
}


def test_maker(local_test: LocalTest | ExtentTest) -> TestMaker:
    """Return the function that makes the test.

    Parameters
    ----------
    local_test : {"simes", "hommel"} or ExtentTest
        The local test.

    Returns
    -------
    make_test : callable
        Makes the test from the tested elements.
    """
    return local_test if isinstance(local_test, ExtentTest) else LOCAL_TESTS[local_test]


def check_fits_statistic(local_test: LocalTest | ExtentTest, statistic: Statistic) -> None:
    """Refuse a local test that cannot be used with a statistic.

    Parameters
    ----------
    local_test : {"simes", "hommel"} or ExtentTest
        The local test.

    statistic : Statistic
        The statistic of the map.

    Raises
    ------
    ValueError
        If it is a test by cluster extents, and bounds for each sign are asked for.
    """
    if isinstance(local_test, ExtentTest):
        local_test.check_statistic(statistic)


def refuse_extents(local_test: LocalTest | ExtentTest, needed_for: str) -> None:
    """Refuse a test by cluster extents where bounds must come from single elements.

    Parameters
    ----------
    local_test : {"simes", "hommel"} or ExtentTest
        The local test.

    needed_for : str
        What needs another one, and why, as the end of a sentence.

    Raises
    ------
    ValueError
        If it is a test by cluster extents.
    """
    if isinstance(local_test, ExtentTest):
        raise ValueError(
            f"local_test must be one of {list(LOCAL_TESTS)} for {needed_for}. Got {local_test!r}."
        )
