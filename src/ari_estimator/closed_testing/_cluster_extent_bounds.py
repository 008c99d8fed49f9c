"""Bounds from the sizes of supra-threshold components."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.closed_testing._checks import check_labels, check_subset
from ari_estimator.closed_testing._separators import Separators
from ari_estimator.closed_testing._simultaneous_bounds import SimultaneousBounds
from ari_estimator.closed_testing._supra_threshold_graph import SupraThresholdGraph

# Numbers of elements along an order for which bounds are computed.
_MOST_STEPS = 500


class ClusterExtentBounds(SimultaneousBounds):
    """Bounds from the sizes of supra-threshold components.

    Parameters
    ----------
    p_values : ndarray of shape (n_elements,)
        P-values of the elements, which put them in order.

    graph : SupraThresholdGraph
        The elements that pass the height threshold, with their neighbours.

    k : int
        No set of true nulls holds a supra-threshold component of more than ``k`` elements. At
        least 0.

    Attributes
    ----------
    graph, k
        The same.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.closed_testing import ClusterExtentBounds, SupraThresholdGraph
    >>> chain = np.column_stack([np.arange(9), np.arange(1, 10)])
    >>> graph = SupraThresholdGraph(12, np.arange(10), chain, None, 0.001, "a chain")
    >>> bounds = ClusterExtentBounds(np.linspace(0, 1, 12) ** 9, graph, k=3)
    >>> bounds.of_set(), bounds.of_set([0, 1, 2, 3]), bounds.of_set([0, 1, 2, 4])
    (2, 1, 0)
    """

    def __init__(self, p_values: np.ndarray, graph: SupraThresholdGraph, k: int) -> None:
        self.p_values = p_values
        self.graph = graph
        self.k = k

    def of_set(self, subset: ArrayLike | None = None) -> int:
        """Return the bound of one set, see :meth:`SimultaneousBounds.of_set`."""
        n_elements = self.p_values.size
        members = None
        if subset is not None:
            members = check_subset(subset, n_elements, name="subset")
        labels = np.zeros(n_elements if members is None else members.size, dtype=np.uint8)
        return int(Separators(self.graph, labels, 1, members).bounds(self.k)[0])

    def by_label(
        self,
        labels: ArrayLike,
        n_labels: int | None = None,
        *,
        subset: ArrayLike | None = None,
    ) -> np.ndarray:
        """Return the bounds of all sets, see :meth:`SimultaneousBounds.by_label`."""
        members, checked, n_labels = checked_sets(self.p_values.size, labels, n_labels, subset)
        return Separators(self.graph, checked, n_labels, members).bounds(self.k)

    def contributing(self) -> np.ndarray:
        """Return which elements can add to a bound: components of more than k elements."""
        components = self.graph.components
        is_large = np.bincount(components) > self.k if components.size else np.empty(0, bool)
        contributing = np.zeros(self.p_values.size, dtype=bool)
        contributing[self.graph.elements] = is_large[components]
        return contributing

    def along(self, order: np.ndarray) -> np.ndarray:
        """Return the bounds along an order, see :meth:`SimultaneousBounds.along`.

        Bounds are computed for each of the first 500 supra-threshold elements of the order, or for
        500 numbers of them at equal steps if there are more. The bound of a larger set is at least
        the bound of a smaller set in it. So each of the other sets has the last bound before it.
        """
        above = np.flatnonzero(self.graph.positions[order] >= 0)
        n_steps = min(above.size, _MOST_STEPS)
        ends = above[np.linspace(0, above.size, n_steps + 1).astype(np.intp)[1:] - 1]
        found = np.zeros(order.size, dtype=np.int64)
        for end in ends:
            found[end] = self.of_set(order[: end + 1])
        return np.maximum.accumulate(found)

    def of_nested(self, order: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Refuse bounds of a forest, see :meth:`SimultaneousBounds.of_nested`.

        Raises
        ------
        TypeError
            Always.
        """
        raise TypeError(
            "Cluster extents cannot bound all clusters of a forest, which adaptive clusters and "
            "the pages of explore need. Use ClusterTDPTransformer or RegionTDPTransformer and "
            "their tables, or local_test='simes'."
        )


def checked_sets(
    n_elements: int, labels: ArrayLike, n_labels: int | None, subset: ArrayLike | None
) -> tuple[np.ndarray | None, np.ndarray, int]:
    """Return the members, labels and number of sets, checked.

    Parameters
    ----------
    n_elements : int
        Number of tested elements.

    labels, n_labels, subset
        As for :meth:`SimultaneousBounds.by_label`.

    Returns
    -------
    members : ndarray of int of shape (n,), or None
        The element of each label; None for all elements in order.

    labels : ndarray of int of shape (n,)
        The labels.

    n_labels : int
        Number of labels.
    """
    members = None
    if subset is not None:
        members = check_subset(subset, n_elements, name="subset", repeated=True)
    n_entries = n_elements if members is None else members.size
    each = "element" if subset is None else "entry of subset"
    checked, n_labels = check_labels(labels, n_entries, n_labels, each=each)
    if members is not None:
        keys = np.sort(checked.astype(np.intp) * n_elements + members)
        if (keys[1:] == keys[:-1]).any():
            raise ValueError("subset must not name an element twice with the same label.")
    return members, checked, n_labels
