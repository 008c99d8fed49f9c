"""Some nodes of a graph, as a graph of their own."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.graphs._graph import Graph, refuse_selected
from ari_estimator.graphs._neighbourhood import Neighbourhood


class GraphPart:
    """Some nodes of a graph, with the neighbours that they have among themselves.

    Parameters
    ----------
    graph : Graph
        The whole graph.

    kept : ndarray of bool of shape (graph.n_nodes,)
        Which nodes belong to the part. They keep their order.
    """

    def __init__(self, graph: Graph, kept: np.ndarray) -> None:
        self._graph = graph
        self._kept = kept
        self.n_nodes = int(np.count_nonzero(kept))

    def components(self, selected: ArrayLike) -> tuple[np.ndarray, int]:
        """Return the connected components of the selected nodes, see :class:`Graph`."""
        labels, n_components = self._graph.components(self._of_whole(selected))
        return labels[self._kept], n_components

    def edges(self, selected: ArrayLike) -> np.ndarray:
        """Return the pairs of neighbours among the selected nodes, see :class:`Graph`."""
        numbers = np.cumsum(self._kept) - 1
        return numbers[self._graph.edges(self._of_whole(selected))]

    def neighbourhoods(self) -> list[Neighbourhood]:
        """Return the neighbours of all nodes, see :class:`Graph`.

        Returns
        -------
        neighbourhoods : list of Neighbourhood
            The neighbourhoods of the whole graph, without the nodes outside the part. The slots of
            these nodes stay empty.
        """
        parts = []
        start = 0
        for whole in self._graph.neighbourhoods():
            kept = self._kept[start : start + whole.slots.size]
            start += whole.slots.size
            parts.append(
                whole._replace(
                    slots=whole.slots[kept],
                    bases=whole.bases[kept],
                    starts=whole.starts[kept],
                    stops=whole.stops[kept],
                )
            )
        return parts

    def _of_whole(self, selected: ArrayLike) -> np.ndarray:
        """Return which nodes of the whole graph are selected."""
        chosen = np.asarray(selected, dtype=bool)
        if chosen.shape != (self.n_nodes,):
            refuse_selected(chosen, self.n_nodes, "node of the part")
        of_whole = self._kept.copy()
        of_whole[self._kept] = chosen
        return of_whole
