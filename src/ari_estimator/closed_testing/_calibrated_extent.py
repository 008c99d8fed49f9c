"""A critical extent that is calibrated by permutations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ari_estimator.closed_testing._critical_extent import CriticalExtent
from ari_estimator.closed_testing._lambda import lambda_at, lambda_interval
from ari_estimator.closed_testing._scheme_assumption import assumption_of_scheme
from ari_estimator.files._stored_array import stored_array

# Relative rounding error of p-values of maps in single precision, from the far tail.
_FEWER_DIGITS = 1e-4


@dataclass(frozen=True, eq=False, repr=False)
class CalibratedExtent(CriticalExtent):
    """The critical extent by the largest cluster of each permutation.

    Attributes
    ----------
    largest_clusters : ndarray of int64 of shape (n_permutations,)
        Size of the largest cluster of each permutation. The first one is of the data as observed.

    smallest_p_values : ndarray of float64 of shape (n_permutations,)
        Smallest p-value of each permutation.

    n_elements : int
        Number of tested elements.

    is_exhaustive : bool
        Whether all possible permutations were taken. The extent then has no Monte Carlo error.

    scheme : str or None
        How the data were permuted, in words, where that is known.

    seed : int or None
        Seed of the permutations, where that is known.

    Notes
    -----
    With B permutations, the critical extent is the ``floor(alpha B) + 1``-th largest of the B
    largest clusters. The largest cluster of the true nulls is at most the largest cluster of the
    map. So it exceeds the critical extent with probability at most alpha, if the statistics of the
    true nulls have the same joint distribution under each permutation.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.closed_testing._calibrated_extent import CalibratedExtent
    >>> rng = np.random.default_rng(0)
    >>> largest = np.append(60, rng.integers(1, 50, size=99))
    >>> extent = CalibratedExtent(largest, rng.random(100), n_elements=1000)
    >>> extent.at(0.05), extent.interval(0.05)
    (46, (43, 60))
    >>> extent.p_values(np.array([60, 47, 3]))
    array([0.01, 0.05, 0.93])
    """

    largest_clusters: np.ndarray
    smallest_p_values: np.ndarray
    n_elements: int
    is_exhaustive: bool = False
    scheme: str | None = None
    seed: int | None = None

    kind = "calibrated"

    def __repr__(self) -> str:
        return f"CalibratedExtent(n_permutations={self.n_permutations})"

    @property
    def n_permutations(self) -> int:
        """Number of permutations, including the data as observed."""
        return self.largest_clusters.size

    @cached_property
    def _reversed(self) -> np.ndarray:
        """Sizes with a minus sign, so that large clusters are small numbers, as p-values are."""
        return -self.largest_clusters.astype(float)

    def at(self, alpha: float) -> int:
        """Return the critical extent, see :meth:`CriticalExtent.at`."""
        return -int(lambda_at(self._reversed, alpha))

    def interval(self, alpha: float) -> tuple[int, int] | None:
        """Return a 95 % Monte Carlo interval, see :meth:`CriticalExtent.interval`.

        The upper end is the number of elements if there are too few permutations.
        """
        if self.is_exhaustive:
            return None
        low, high = lambda_interval(self._reversed, alpha)
        return -int(high), self.n_elements if np.isinf(low) else -int(low)

    def p_values(self, sizes: np.ndarray) -> np.ndarray:
        """Return the adjusted p-values of clusters, see :meth:`CriticalExtent.p_values`.

        They are the share of permutations whose largest cluster is at least as large.
        """
        ordered = np.sort(self.largest_clusters)
        n_as_large = ordered.size - np.searchsorted(ordered, sizes, side="left")
        # The data as observed are among them.
        return np.where(sizes > 0, np.maximum(n_as_large, 1) / ordered.size, 1.0)

    def peak_p_values(self, p_values: np.ndarray) -> np.ndarray:
        """Return the adjusted p-values of peaks, see :meth:`CriticalExtent.peak_p_values`.

        They are the share of permutations with a p-value that is at least as small.
        """
        ordered = np.sort(self.smallest_p_values)
        # The map may hold the p-value of the data as observed with fewer digits.
        n_as_small = np.searchsorted(ordered, p_values * (1 + _FEWER_DIGITS), side="right")
        return np.asarray(np.maximum(n_as_small, 1) / ordered.size)

    def describe(self, alpha: float) -> dict[str, Any]:
        """Return where the extent comes from, see :meth:`CriticalExtent.describe`."""
        by = "" if self.scheme is None else f" ({self.scheme})"
        between = self.interval(alpha)
        certainty = "These are all permutations, so that the size has no Monte Carlo error."
        if between is not None:
            certainty = (
                "Another seed would give another size: the 95 % Monte Carlo interval is "
                f"{between[0] + 1:,} to {between[1] + 1:,}."
            )
        return {
            "sentence": (
                f"The smallest significant size of a cluster was {self.at(alpha) + 1:,}. It was "
                f"calibrated by {self.n_permutations:,} permutations of the subjects{by}, "
                f"including the data as observed. {certainty}"
            ),
            "assumption": assumption_of_scheme(self.scheme),
            "references": [],
            "values": {
                "SmallestSignificantExtentInterval": None
                if between is None
                else [between[0] + 1, between[1] + 1],
                "NumberOfPermutations": self.n_permutations,
                "Scheme": self.scheme,
                "Seed": self.seed,
            },
        }

    def to_arrays(self) -> dict[str, Any]:
        """Return the extent as arrays."""
        arrays = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value for name, value in arrays.items() if value is not None}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> CalibratedExtent:
        """Restore the extent, see :meth:`CriticalExtent.from_arrays`."""
        largest = stored_array(arrays, "largest_clusters", "i", (None,))
        smallest = stored_array(arrays, "smallest_p_values", "f", largest.shape)
        n_elements = stored_array(arrays, "n_elements", "i").item()
        if largest.size == 0 or largest.min() < 0 or largest.max() > n_elements:
            raise ValueError(f"largest_clusters must be sizes from 0 to {n_elements}")
        if not ((smallest >= 0) & (smallest <= 1)).all():
            raise ValueError("smallest_p_values must be in [0, 1]")
        return cls(
            largest,
            smallest,
            n_elements,
            stored_array(arrays, "is_exhaustive", "b").item(),
            scheme=stored_array(arrays, "scheme", "U").item() if "scheme" in arrays else None,
            seed=stored_array(arrays, "seed", "iu").item() if "seed" in arrays else None,
        )
