"""Lower bounds on the smallest k-separators of sets."""

from __future__ import annotations

import numpy as np

from ari_estimator.closed_testing._supra_threshold_graph import SupraThresholdGraph


class Separators:
    """Lower bounds on the smallest k-separators of the supra-threshold parts of sets.

    Parameters
    ----------
    graph : SupraThresholdGraph
        The elements that pass the height threshold, with their neighbours.

    labels : ndarray of int of shape (n,)
        The set of each member, from 0 to ``n_labels - 1``.

    n_labels : int
        Number of sets.

    members : ndarray of int of shape (n,), or None
        The tested element of each label, none twice with one label. None for all elements in
        order.
    """

    def __init__(
        self,
        graph: SupraThresholdGraph,
        labels: np.ndarray,
        n_labels: int,
        members: np.ndarray | None,
    ) -> None:
        self._graph = graph
        if members is None:
            positions, of_members = np.arange(graph.n_above), labels[graph.elements]
        else:
            positions = graph.positions[members]
            is_above = positions >= 0
            positions, of_members = positions[is_above], labels[is_above]
        keys = np.sort(of_members.astype(np.int64) * graph.n_above + positions)
        numbers, self._members = np.divmod(keys, max(graph.n_above, 1))
        self._starts = np.searchsorted(numbers, np.arange(n_labels + 1))

    def largest_components(self) -> np.ndarray:
        """Return the size of the largest component of each set.

        Returns
        -------
        sizes : ndarray of int64 of shape (n_labels,)
            0 for a set without supra-threshold elements.
        """
        from ari_estimator.closed_testing._separator_kernels import largest_components

        return largest_components(
            self._members, self._starts, self._graph.n_above, *self._graph.adjacency
        )

    def bounds(self, k: int | np.ndarray) -> np.ndarray:
        """Return the lower bounds.

        Parameters
        ----------
        k : int, or ndarray of int of shape (n_labels,)
            Largest size of a component that remains, for all sets or for each set. At least 0.

        Returns
        -------
        bounds : ndarray of int64 of shape (n_labels,)
            A bound on the size of the smallest set of elements without which no component of the
            supra-threshold part has more than ``k`` elements.
        """
        from ari_estimator.closed_testing._isoperimetric_kernels import densest_components
        from ari_estimator.closed_testing._separator_kernels import separator_bounds

        n_above = self._graph.n_above
        # A component cannot have more than all elements.
        ks = np.minimum(k, n_above).astype(np.int64)
        ks = np.ascontiguousarray(np.broadcast_to(ks, self._starts.size - 1))
        grid = self._graph.grid_neighbours
        densest = densest_components(int(ks.max(initial=0)) if len(grid) else 0)
        return separator_bounds(
            self._members, self._starts, n_above, ks, *self._graph.adjacency, grid, densest
        )
