"""A test at a share of the error level: several tests that share the level hold together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ari_estimator.closed_testing._critical_vector_test import CriticalVectorTest
from ari_estimator.closed_testing._derived_test import DerivedTest
from ari_estimator.closed_testing._rational import check_alpha
from ari_estimator.closed_testing._stored_test import arrays_of, restored_test
from ari_estimator.files._stored_array import stored_array


def level_share(alpha: float, n_shares: int) -> float:
    """Return an equal share of an error level, rounded down.

    Parameters
    ----------
    alpha : float
        Error level.

    n_shares : int
        Number of shares.

    Returns
    -------
    share : float
        The level of each test: ``alpha / n_shares``.
    """
    exact = check_alpha(alpha) / n_shares
    share = float(exact)
    return share if check_alpha(share) <= exact else float(np.nextafter(share, 0))


class LevelShare(DerivedTest):
    """A test of all sets of elements at an equal share of the error level.

    Each of L tests has the level ``alpha / L``. By the union bound, the bounds of all tests hold
    at once with probability at least ``1 - alpha``, for any dependence between the tests.

    Parameters
    ----------
    own : CriticalVectorTest
        The test.

    names : sequence of str
        Names of the tests that share the level, this one included.

    Attributes
    ----------
    p_values : ndarray of shape (n_elements,)
        P-values of the test.

    own : CriticalVectorTest
        The test.

    names : list of str
        Names of the tests that share the level.

    Examples
    --------
    >>> from ari_estimator.closed_testing import Hommel, LevelShare
    >>> own = Hommel([0.001, 0.03, 0.6])
    >>> LevelShare(own, ["a", "b"]).bounds(0.1).of_set() == own.bounds(0.05).of_set()
    True
    """

    kind = "level share"

    def __init__(self, own: CriticalVectorTest, names: Sequence[str]) -> None:
        super().__init__(own, own.p_values)
        self.own = own
        self.names = list(names)

    def __repr__(self) -> str:
        return f"LevelShare({self.own!r}, n_shares={len(self.names)})"

    def _level(self, alpha: float) -> float:
        return level_share(alpha, len(self.names))

    def _p_values_of(self, significances: np.ndarray) -> np.ndarray:
        return np.minimum(len(self.names) * super()._p_values_of(significances), 1.0)

    def describe(self, alpha: float = 0.05) -> dict[str, Any]:
        """Return what the test is, see :meth:`SimultaneousTest.describe`."""
        share = self._level(alpha)
        described = self.own.describe(share)
        names = ", ".join(f"“{name}”" for name in self.names)
        described["sentence"] = (
            f"The error level of {alpha:g} was split equally between {len(self.names)} contrasts "
            f"({names}), {share:.3g} each: the bounds of all contrasts hold at once. "
            f"{described['sentence']}"
        )
        described["values"] = {
            **described["values"],
            "LevelShare": share,
            "SharedBy": self.names,
        }
        return described

    def to_arrays(self) -> dict[str, Any]:
        """Return the test and the names as arrays."""
        return {**arrays_of(self.own, "own"), "names": np.array(self.names)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], p_values: np.ndarray) -> LevelShare:
        """Restore the test, see :meth:`SimultaneousTest.from_arrays`."""
        own = restored_test(arrays, "own", p_values)
        names = stored_array(arrays, "names", "U", (None,)).tolist()
        if not names:
            raise ValueError("the names of the tests that share the level are missing")
        return cls(own, names)
