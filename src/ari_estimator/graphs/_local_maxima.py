"""Find local maxima on a graph."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.graphs._graph import Graph, components_of, link


def local_maxima(
    graph: Graph, values: ArrayLike, labels: ArrayLike, ranks: ArrayLike | None = None
) -> np.ndarray:
    """Return the local maxima of each set of nodes.

    A node is a local maximum if no neighbour in its set has a larger value. Neighbours in a set
    with the same value form a plateau. A plateau has one local maximum, its node with the lowest
    rank, if no node of the plateau has a neighbour in the set with a larger value.

    Parameters
    ----------
    graph : Graph
        The graph of the nodes.

    values : array-like of shape (n_nodes,)
        Values to compare. They may be infinite.

    labels : array-like of int of shape (n_nodes,)
        Set of each node: 1, 2, .... Nodes with a label of 0 or less are in no set. Neighbours with
        different labels are not compared.

    ranks : array-like of int of shape (n_nodes,) or None, default=None
        Distinct ranks. The node with the lowest rank represents a plateau. None for the order of
        the nodes.

    Returns
    -------
    is_maximum : ndarray of bool of shape (n_nodes,)
        Whether each node is a local maximum of its set. Nodes without neighbours in their set are
        local maxima.

    Raises
    ------
    ValueError
        If the length of values, labels or ranks is not the number of nodes, if labels or ranks are
        not integers, or if values are not real numbers or contain NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.graphs import VoxelGrid, local_maxima
    >>> row = VoxelGrid(np.ones((1, 1, 7), dtype=bool))
    >>> local_maxima(row, [3, 1, 2, 2, 0, 5, 9], [1, 1, 1, 1, 1, 1, 0]).astype(int).tolist()
    [1, 0, 1, 0, 0, 1, 0]
    """
    values = np.asarray(values)
    labels = np.asarray(labels)
    ranks = np.arange(graph.n_nodes) if ranks is None else np.asarray(ranks)
    for name, array, kinds, what in (
        ("values", values, "fiu", "real numbers"),
        ("labels", labels, "iu", "integers"),
        ("ranks", ranks, "iu", "integers"),
    ):
        if array.shape != (graph.n_nodes,):
            raise ValueError(
                f"{name} must have shape ({graph.n_nodes},), one for each node of the graph. "
                f"Got shape {array.shape}."
            )
        # numpy converts an empty list to an array of floats.
        if array.size and array.dtype.kind not in kinds:
            raise ValueError(f"{name} must hold {what}. Got an array of {array.dtype}.")
    if (n_nan := int(np.isnan(values).sum())) > 0:
        raise ValueError(f"values must not hold NaN. Got {n_nan} of {values.size}.")

    is_maximum = labels > 0
    first, second = graph.edges(is_maximum).T
    in_one_set = labels[first] == labels[second]
    first, second = first[in_one_set], second[in_one_set]
    is_maximum[first[values[first] < values[second]]] = False
    is_maximum[second[values[second] < values[first]]] = False

    # Each node has been checked alone. All nodes of a plateau must pass together.
    level = values[first] == values[second]
    on_plateau = np.zeros(graph.n_nodes, dtype=bool)
    on_plateau[first[level]] = on_plateau[second[level]] = True
    nodes = np.flatnonzero(on_plateau)
    nodes = nodes[np.argsort(ranks[nodes])]  # so that the first of them has the lowest rank
    if nodes.size:
        numbers = np.empty(graph.n_nodes, dtype=np.int32)
        numbers[nodes] = np.arange(nodes.size)
        links = link(numbers[first[level]], numbers[second[level]], nodes.size)
        plateaus, first_nodes = components_of(links)
        is_highest = np.ones(first_nodes.size, dtype=bool)
        is_highest[plateaus[~is_maximum[nodes]]] = False
        is_maximum[nodes] = False
        is_maximum[nodes[first_nodes[is_highest]]] = True
    return is_maximum
