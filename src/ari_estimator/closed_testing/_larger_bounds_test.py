"""Several tests that share the error level: the larger bound counts for each set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.closed_testing._calibrated_test import CalibratedTest
from ari_estimator.closed_testing._calibration import Calibration
from ari_estimator.closed_testing._cluster_extent_test import ClusterExtentTest
from ari_estimator.closed_testing._hommel import Hommel
from ari_estimator.closed_testing._larger_bounds import LargerBounds
from ari_estimator.closed_testing._level_weights import (
    check_level_weights,
    weighted_levels,
    whole_p_values,
)
from ari_estimator.closed_testing._simultaneous_test import SimultaneousTest
from ari_estimator.closed_testing._split_calibration import SplitCalibration
from ari_estimator.closed_testing._stored_test import arrays_of, restored_test
from ari_estimator.files._stored_array import stored_array

_KINDS: tuple[type[SimultaneousTest], ...] = (Hommel, CalibratedTest, ClusterExtentTest)


class LargerBoundsTest(SimultaneousTest):
    """Several tests that share the error level: the larger bound counts for each set.

    Parameters
    ----------
    tests : mapping of str to SimultaneousTest
        The tests by name, all of the same elements.

    weights : sequence of float
        The share of each test in the error level: positive numbers with sum 1. Choose them before
        you look at the bounds.

    Attributes
    ----------
    p_values : ndarray of shape (n_elements,)
        P-values of the first test.

    tests : dict of str to SimultaneousTest
        The tests.

    weights : tuple of float
        The shares.

    Raises
    ------
    TypeError
        If weights are not numbers.
    ValueError
        If weights do not fit the tests, or tests have different numbers of elements.

    Notes
    -----
    Test j fails with probability at most ``w_j alpha``. So the bounds of all tests hold at once
    with probability at least ``1 - alpha``, for any dependence between them, and so does the larger
    bound of each set.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.closed_testing import ClusterExtentTest, Hommel, KnownExtent
    >>> from ari_estimator.closed_testing import LargerBoundsTest, SupraThresholdGraph
    >>> p_values = np.repeat([1e-5, 0.03, 0.5], [2, 10, 8])
    >>> chain = np.column_stack([np.arange(9), np.arange(1, 10)])
    >>> graph = SupraThresholdGraph(20, np.arange(2, 12), chain, None, 0.05, "a chain")
    >>> extents = ClusterExtentTest(p_values, graph, KnownExtent(4, alpha=0.025))
    >>> test = LargerBoundsTest({"p-values": Hommel(p_values), "extents": extents}, [0.5, 0.5])
    >>> bounds = test.bounds(0.05)
    >>> bounds.by_label([0] * 2 + [1] * 18)
    array([2, 2])
    >>> bounds.parts["p-values"].by_label([0] * 2 + [1] * 18)
    array([2, 0])
    """

    kind = "larger bounds"
    has_familywise_p_values = True

    def __init__(self, tests: Mapping[str, SimultaneousTest], weights: Sequence[float]) -> None:
        self.tests = dict(tests)
        if not self.tests:
            raise ValueError("tests must be at least one. Got none.")
        self.weights = check_level_weights(weights, len(self.tests))
        first = next(iter(self.tests.values()))
        self.p_values = first.p_values
        sizes = [test.n_elements for test in self.tests.values()]
        if len(set(sizes)) > 1:
            raise ValueError(f"tests must have the same elements. Got {sizes} of them.")

    def __repr__(self) -> str:
        return f"LargerBoundsTest({self.tests!r}, weights={list(self.weights)})"

    @property
    def calibrations(self) -> dict[str, Calibration | SplitCalibration]:
        """The calibrations of the first test that has some, by sign."""
        return next((test.calibrations for test in self.tests.values() if test.calibrations), {})

    def levels(self, alpha: float) -> dict[str, float]:
        """Return the level of each test.

        Parameters
        ----------
        alpha : float
            Error level of all tests together.

        Returns
        -------
        levels : dict of str to float
            The levels by name.
        """
        return dict(zip(self.tests, weighted_levels(alpha, self.weights), strict=True))

    def bounds(self, alpha: float = 0.05) -> LargerBounds:
        """Return the bounds of all sets at one error level.

        Parameters
        ----------
        alpha : float, default=0.05
            Error level of all tests together.

        Returns
        -------
        bounds : LargerBounds
            The larger bound of each set, and the bounds of each test as ``parts``.

        Raises
        ------
        ValueError
            If the share of a test is too small for it.
        """
        levels = self.levels(alpha)
        parts = {name: test.bounds(levels[name]) for name, test in self.tests.items()}
        return LargerBounds(self.p_values, parts)

    def monte_carlo_bounds(self, alpha: float = 0.05) -> tuple[LargerBounds, LargerBounds] | None:
        """Return the bounds at the ends of the intervals of all tests, see the base class."""
        lows, highs = {}, {}
        is_random = False
        for name, level in self.levels(alpha).items():
            ends = self.tests[name].monte_carlo_bounds(level)
            is_random |= ends is not None
            lows[name], highs[name] = ends or (self.tests[name].bounds(level),) * 2
        if not is_random:
            return None
        return LargerBounds(self.p_values, lows), LargerBounds(self.p_values, highs)

    def set_p_value(self, subset: ArrayLike, tdp: float = 0.0) -> float:
        """Return the p-value of one set, see :meth:`SimultaneousTest.set_p_value`."""
        found = np.array([test.set_p_value(subset, tdp) for test in self.tests.values()])
        return float(self._smallest_level(found[:, np.newaxis])[0])

    def set_p_values_by_label(
        self,
        labels: ArrayLike,
        n_labels: int | None = None,
        *,
        subset: ArrayLike | None = None,
        tdp: float = 0.0,
    ) -> np.ndarray:
        """Return the p-values of all sets, see :meth:`SimultaneousTest.set_p_values_by_label`."""
        found = [
            test.set_p_values_by_label(labels, n_labels, subset=subset, tdp=tdp)
            for test in self.tests.values()
        ]
        return self._smallest_level(np.array(found))

    def _smallest_level(self, p_values: np.ndarray) -> np.ndarray:
        """Return the smallest whole level by p-values of each test, of shape (n_tests, n)."""
        whole = [whole_p_values(own, self.weights, i) for i, own in enumerate(p_values)]
        return np.asarray(np.min(whole, axis=0))

    def familywise_p_values(
        self, labels: ArrayLike, n_labels: int | None = None, *, subset: ArrayLike | None = None
    ) -> dict[str, np.ndarray]:
        """Return the familywise p-values of the first test that knows them.

        They are p-values at the whole error level, not at the share of a test.
        """
        for test in self.tests.values():
            found = test.familywise_p_values(labels, n_labels, subset=subset)
            if found:
                return found
        return {}

    def describe(self, alpha: float = 0.05) -> dict[str, Any]:
        """Return what the test is, see :meth:`SimultaneousTest.describe`."""
        levels = self.levels(alpha)
        each = {name: test.describe(levels[name]) for name, test in self.tests.items()}
        shares = " and ".join(f"{level:.3g} for bounds by {name}" for name, level in levels.items())
        sentences = " ".join(
            f"Bounds by {name}: {described['sentence']}" for name, described in each.items()
        )
        values = [described["values"] for described in each.values()]
        common = {
            name: values[0][name]
            for name in ("NumberOfPermutations", "Scheme", "Seed")
            if all(name in own and own[name] == values[0].get(name) for own in values)
        }
        references = [one for described in each.values() for one in described["references"]]
        return {
            "kind": self.kind,
            "name": "the larger of " + " and ".join(one["name"] for one in each.values()),
            "sentence": (
                f"The error level of {alpha:g} was split: {shares}. So all bounds hold at once, "
                f"and each set has the larger one. {sentences}"
            ),
            # All of the assumptions are needed.
            "assumption": " ".join(dict.fromkeys(one["assumption"] for one in each.values())),
            "references": list(dict.fromkeys(references)),
            "values": {
                **common,
                "Bounds": {
                    name: {"Test": one["name"], "Alpha": levels[name], **one["values"]}
                    for name, one in each.items()
                },
            },
        }

    def to_arrays(self) -> dict[str, Any]:
        """Return the tests, their names and their weights as arrays."""
        arrays: dict[str, Any] = {
            "names": np.array(list(self.tests)),
            "weights": np.array(self.weights),
        }
        for number, test in enumerate(self.tests.values()):
            arrays |= arrays_of(test, f"test{number}")
        return arrays

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, np.ndarray], p_values: np.ndarray
    ) -> LargerBoundsTest:
        """Restore the test, see :meth:`SimultaneousTest.from_arrays`."""
        names = stored_array(arrays, "names", "U", (None,)).tolist()
        weights = stored_array(arrays, "weights", "f", (len(names),)).tolist()
        if len(set(names)) < len(names):
            raise ValueError("the names of the tests that share the level must differ")
        return cls(
            {
                name: restored_test(arrays, f"test{number}", p_values, _KINDS)
                for number, name in enumerate(names)
            },
            weights,
        )
