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
        else Hommel.of_valid(family, "simes")
    ),
    "hommel": lambda family: (
        _of_each_sign(family, "hommel")
        if family.statistic.two_sided == DIRECTIONAL
        else Hommel.of_valid(family, "hommel")
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


def local_test_in_words(local_test: LocalTest | ExtentTest) -> str:
    """Return what a local test is called in a sentence.

    Parameters
    ----------
    local_test : {"simes", "hommel"} or ExtentTest
        The local test.

    Returns
    -------
    words : str
        Such as "Simes local test".
    """
    if isinstance(local_test, ExtentTest):
        return "cluster extents"
    return f"{local_test.capitalize()} local test"


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
