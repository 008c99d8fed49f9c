"""A test of all sets from the sizes of supra-threshold components."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.closed_testing._checks import check_p_values
from ari_estimator.closed_testing._cluster_extent_bounds import ClusterExtentBounds, checked_sets
from ari_estimator.closed_testing._critical_extent import CriticalExtent
from ari_estimator.closed_testing._ordered_sets import passed_over
from ari_estimator.closed_testing._separators import Separators
from ari_estimator.closed_testing._simultaneous_test import SimultaneousTest
from ari_estimator.closed_testing._stored_extent import extent_from_arrays, extent_to_arrays
from ari_estimator.closed_testing._supra_threshold_graph import SupraThresholdGraph

GOEMAN = (
    "Goeman JJ, Górecki P, Monajemi R, Chen X, Nichols TE, Weeda W (2023). Cluster extent "
    "inference revisited: quantification and localisation of brain activity. Journal of the Royal "
    "Statistical Society Series B 85, 1128-1153. https://doi.org/10.1093/jrsssb/qkad067"
)


class ClusterExtentTest(SimultaneousTest):
    """Bounds on the true discoveries of all sets, from the sizes of supra-threshold components.

    Parameters
    ----------
    p_values : array-like of shape (n_elements,)
        P-values of the elements. They put the elements in order; no bound depends on them.

    graph : SupraThresholdGraph
        The elements that pass the height threshold, with their neighbours.

    extent : CriticalExtent
        The size that no supra-threshold component of true nulls exceeds.

    Attributes
    ----------
    p_values : ndarray of shape (n_elements,)
        The p-values.

    graph : SupraThresholdGraph
        The same.

    extent : CriticalExtent
        The same.

    Raises
    ------
    ValueError
        If the p-values are malformed, or are not as many as the graph has elements.

    See Also
    --------
    Hommel : Closed testing from the p-values of single elements.

    Notes
    -----
    With probability at least ``1 - alpha``, no set of true nulls holds a connected supra-threshold
    component of more than ``k`` elements. So the true nulls in the supra-threshold part V of a set
    leave components of at most ``k`` elements. The active elements of V are a *k-separator*: a set
    whose removal leaves no component of more than ``k`` elements. The set has at least as many
    true discoveries as the smallest k-separator has elements [1]_.

    The smallest one is hard to find, and any lower bound on its size is valid. Bounds of the
    components of V add up. Each component has the largest of these bounds:

    - *packing*: the number of disjoint connected pieces of ``k + 1`` elements, which are found
      along a spanning tree. A separator has an element in each piece.
    - *isoperimetric* [1]_, if all 26 neighbours of a voxel count: components of at most ``k``
      voxels have a large surface, so only few of them have room in V. The bound is the largest one
      over V and its openings by cubes.
    - *exact*, by a search, for components of at most 12 elements. Components of up to 62 elements
      are searched for a short time.

    References
    ----------
    .. [1] Goeman JJ, Górecki P, Monajemi R, Chen X, Nichols TE, Weeda W (2023). Cluster extent
       inference revisited: quantification and localisation of brain activity. Journal of the
       Royal Statistical Society Series B 85, 1128-1153.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.closed_testing import (
    ...     ClusterExtentTest, KnownExtent, SupraThresholdGraph,
    ... )
    >>> chain = np.column_stack([np.arange(9), np.arange(1, 10)])
    >>> graph = SupraThresholdGraph(12, np.arange(10), chain, None, 0.001, "a chain")
    >>> test = ClusterExtentTest(np.linspace(0, 1, 12) ** 9, graph, KnownExtent(4))
    >>> test.bounds(alpha=0.05).of_set(), test.set_p_value([0, 1, 2, 3]), test.set_p_value([0, 1])
    (2, 0.05, 1.0)
    """

    kind = "cluster extent"
    has_familywise_p_values = True

    def __init__(
        self, p_values: ArrayLike, graph: SupraThresholdGraph, extent: CriticalExtent
    ) -> None:
        self.p_values = check_p_values(p_values)
        self.graph = graph
        self.extent = extent
        if self.p_values.size != graph.n_elements:
            raise ValueError(
                f"p_values must be {graph.n_elements} numbers, as many as there are elements in "
                f"the graph. Got {self.p_values.size}."
            )

    def __repr__(self) -> str:
        return f"ClusterExtentTest({self.graph!r}, {self.extent!r})"

    def bounds(self, alpha: float = 0.05) -> ClusterExtentBounds:
        """Return the bounds of all sets at one error level.

        Parameters
        ----------
        alpha : float, default=0.05
            Error level, strictly between 0 and 1.

        Returns
        -------
        bounds : ClusterExtentBounds
            The bounds.

        Raises
        ------
        ValueError
            If the critical extent is not known at this level.
        """
        return self._bounds(self.extent.at(alpha))

    def _bounds(self, k: int) -> ClusterExtentBounds:
        return ClusterExtentBounds(self.p_values, self.graph, k)

    def monte_carlo_bounds(
        self, alpha: float = 0.05
    ) -> tuple[ClusterExtentBounds, ClusterExtentBounds] | None:
        """Return the bounds at the ends of the interval of the critical extent."""
        ends = self.extent.interval(alpha)
        return None if ends is None else (self._bounds(ends[1]), self._bounds(ends[0]))

    def set_p_values_by_label(
        self,
        labels: ArrayLike,
        n_labels: int | None = None,
        *,
        subset: ArrayLike | None = None,
        tdp: float = 0.0,
    ) -> np.ndarray:
        """Return the p-values of all sets of a labelling.

        With ``tdp=0`` the p-value of a set is the p-value of its largest supra-threshold component.
        With a larger ``tdp``, the p-value belongs to the largest critical extent at which the bound
        is found to be large enough. See :meth:`SimultaneousTest.set_p_values_by_label`.
        """
        members, checked, n_labels = checked_sets(self.n_elements, labels, n_labels, subset)
        sizes = np.bincount(checked.astype(np.intp, copy=False), minlength=n_labels)
        allowed = passed_over(sizes, tdp)
        separators = Separators(self.graph, checked, n_labels, members)
        # Bounds fall as the extent grows. At an extent of low - 1, the bound of the set is above
        # the number that is allowed. At an extent of high, it may not be.
        low, high = np.zeros(n_labels, dtype=np.int64), separators.largest_components()
        if allowed.any():
            while (low < high).any():
                middle = (low + high) // 2
                exceeds = separators.bounds(middle) > allowed
                low = np.where(exceeds & (low < high), middle + 1, low)
                high = np.where(exceeds, high, middle)
        else:
            low = high
        return np.where(sizes > 0, self.extent.p_values(low), np.nan)

    def describe(self, alpha: float = 0.05) -> dict[str, Any]:
        """Return what the test is, see :meth:`SimultaneousTest.describe`."""
        k = self.extent.at(alpha)
        described = self.extent.describe(alpha)
        ways = "disjoint pieces of more elements than that"
        if self.graph.places is not None:
            ways += " and their isoperimetric bound over openings by cubes"
        return {
            "kind": self.kind,
            "name": "cluster extents",
            "sentence": (
                "Lower bounds on the number of true discoveries were computed from cluster extents "
                f"by closed testing (Goeman et al., 2023). Elements with p < {self.graph.height:g} "
                f"formed components; {self.graph.neighbours}. {described['sentence']} So true "
                f"nulls form no component of more than {k:,} elements. The bound of a set adds up "
                f"the bounds of its components, from {ways}."
            ),
            "assumption": described["assumption"],
            "references": [GOEMAN, *described["references"]],
            "values": {
                "HeightThreshold": float(self.graph.height),
                "SmallestSignificantExtent": k + 1,
                **described["values"],
            },
        }

    def familywise_p_values(
        self, labels: ArrayLike, n_labels: int | None = None, *, subset: ArrayLike | None = None
    ) -> dict[str, np.ndarray]:
        """Return p-values of clusters and peaks, see :meth:`SimultaneousTest.familywise_p_values`.

        They are empty if sizes are not known at every level. Without p-values of peaks, only the
        clusters are there.
        """
        if not self.extent.knows_every_level:
            return {}
        found = {"p_fwe_cluster": self.set_p_values_by_label(labels, n_labels, subset=subset)}
        members, checked, n_labels = checked_sets(self.n_elements, labels, n_labels, subset)
        strongest = np.full(n_labels, np.inf)
        p_values = self.p_values if members is None else self.p_values[members]
        np.minimum.at(strongest, checked, p_values)
        peaks = self.extent.peak_p_values(strongest)
        if peaks is not None:
            found["p_fwe_peak"] = np.where(np.isinf(strongest), np.nan, peaks)
        return found

    def to_arrays(self) -> dict[str, Any]:
        """Return the graph and the critical extent as arrays. The map stores the p-values."""
        return {**self.graph.to_arrays(), **extent_to_arrays(self.extent)}

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, np.ndarray], p_values: np.ndarray
    ) -> ClusterExtentTest:
        """Restore the test, see :meth:`SimultaneousTest.from_arrays`."""
        graph = SupraThresholdGraph.from_arrays(arrays, p_values.size)
        return cls(p_values, graph, extent_from_arrays(arrays))
