"""Size of the largest connected component beyond a cutoff, for many maps at a time."""

from __future__ import annotations

import numpy as np

from ari_estimator.graphs._graph import Graph


class LargestComponent:
    """Find the size of the largest component beyond a cutoff in each of many maps.

    Maps of noise have few nodes beyond a cutoff. The search visits only these and their neighbours,
    so it takes little longer than one comparison of each value.

    Parameters
    ----------
    graph : Graph
        The neighbours.

    Attributes
    ----------
    n_nodes : int
        Number of nodes.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.graphs import VoxelGrid
    >>> from ari_estimator.graphs._largest_component import LargestComponent
    >>> largest = LargestComponent(VoxelGrid(np.ones((1, 1, 6), dtype=bool)))
    >>> maps = np.array([[4, 5, 0, 4, 0, 0], [4, 5, 4, -4, -4, 0]], dtype=np.float32)
    >>> largest(maps, 3.0).tolist(), largest(maps, 3.0, is_absolute=True).tolist()
    ([2, 3], [2, 5])
    """

    def __init__(self, graph: Graph) -> None:
        self.n_nodes = graph.n_nodes
        self._parts: list[tuple[int, list[np.ndarray]]] = []
        for part in graph.neighbourhoods():
            nodes = np.full(part.n_slots, -1, dtype=np.int32)
            nodes[part.slots] = np.arange(part.slots.size, dtype=np.int32)
            of_nodes = (part.bases, part.starts, part.stops, part.offsets)
            # All arrays have one layout, so that the kernel is compiled once for all graphs.
            arrays = [np.array(array, dtype=np.int32) for array in of_nodes]
            self._parts.append((part.slots.size, [*arrays, nodes]))

    def __call__(
        self,
        values: np.ndarray,
        cutoff: float,
        *,
        is_absolute: bool = False,
        by_sign: bool = False,
    ) -> np.ndarray:
        """Return the size of the largest component of each map.

        Parameters
        ----------
        values : ndarray of float of shape (n_maps, n_nodes)
            The maps, without NaN.

        cutoff : float
            Nodes with a value of at least the cutoff are selected.

        is_absolute : bool, default=False
            Whether to compare absolute values.

        by_sign : bool, default=False
            Whether nodes of a component must have the same sign.

        Returns
        -------
        sizes : ndarray of int64 of shape (n_maps,)
            Number of nodes of the largest component; 0 if no node is selected.

        Raises
        ------
        ValueError
            If a map does not have a value for each node.
        """
        if values.shape[1] != self.n_nodes:
            raise ValueError(
                f"A map must have a value for each of {self.n_nodes} nodes of the graph. "
                f"Got {values.shape[1]} values."
            )
        from ari_estimator.graphs._largest_component_kernels import largest_of_rows

        sizes = np.zeros(len(values), dtype=np.int64)
        cutoff, first = float(cutoff), 0
        for n_nodes, (bases, starts, stops, offsets, node_of_slot) in self._parts:
            of_part = np.ascontiguousarray(values[:, first : first + n_nodes])
            largest_of_rows(
                of_part,
                cutoff,
                is_absolute,
                by_sign,
                bases,
                starts,
                stops,
                offsets,
                node_of_slot,
                sizes,
            )
            first += n_nodes
        return sizes
