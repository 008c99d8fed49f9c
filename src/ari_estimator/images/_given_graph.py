"""The graph that a user gives as adjacency."""

from __future__ import annotations

from typing import Any, cast

from ari_estimator.graphs import AdjacencyGraph, Graph

LATTICE = "lattice"


def is_lattice(adjacency: Any) -> bool:
    """Tell whether neighbours are those along each axis."""
    return isinstance(adjacency, str) and adjacency == LATTICE


def as_graph(adjacency: Any) -> Graph:
    """Return the graph that a user means.

    Parameters
    ----------
    adjacency : sparse matrix, ndarray or graph
        A matrix of neighbours or a graph.

    Returns
    -------
    graph : Graph
        The graph.

    Raises
    ------
    TypeError, ValueError
        If the matrix is malformed, or a text is given.
    """
    if not isinstance(adjacency, type) and hasattr(adjacency, "neighbourhoods"):
        return cast("Graph", adjacency)
    if isinstance(adjacency, str):
        raise ValueError(
            "adjacency must be a matrix, a graph of ari_estimator.graphs, or 'lattice' for "
            f"neighbours along each axis. Got {adjacency!r}."
        )
    return AdjacencyGraph(adjacency)
