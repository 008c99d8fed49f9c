"""The nodes that no neighbour exceeds."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.graphs._graph import Graph, components_of, link


def local_maxima(
    graph: Graph, values: ArrayLike, labels: ArrayLike, ranks: ArrayLike | None = None
) -> np.ndarray:
    """Return the local maxima of each set of nodes.

    A node is a local maximum if no neighbour in its set has a larger value. Neighbours in a set
    that have the same value form a plateau: it has one local maximum, its node of the lowest rank,
    if none of its nodes has a neighbour in the set with a larger value.

    Parameters
    ----------
    graph : Graph
        Who is whose neighbour.

    values : array-like of shape (n_nodes,)
        Numbers to compare. They may be infinite.

    labels : array-like of int of shape (n_nodes,)
        The set that each node is in: 1, 2, ...; nodes of 0 or less are in none. Neighbours with
        different labels are not compared.

    ranks : array-like of int of shape (n_nodes,) or None, default=None
        Which node of a plateau stands for it; no two are equal. None for the order of the nodes.

    Returns
    -------
    is_maximum : ndarray of bool of shape (n_nodes,)
        Whether each node is a local maximum of its set. One that has no neighbour in its set is.

    Raises
    ------
    ValueError
        If values, labels or ranks have another length than the graph has nodes, labels or ranks
        are not integers, or values are not real numbers or hold NaN.

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
        # An empty list is an array of floats, for numpy.
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

    # So far each node stands for itself. Those of a plateau stand or fall together.
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
