"""Graphs as arrays, to be stored."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.sparse import coo_array

from ari_estimator.graphs._adjacency_graph import AdjacencyGraph
from ari_estimator.graphs._graph import Graph
from ari_estimator.graphs._product import factors_of, product


def graph_to_arrays(graph: Graph) -> dict[str, np.ndarray]:
    """Return a graph as arrays.

    Parameters
    ----------
    graph : Graph
        Any graph.

    Returns
    -------
    arrays : dict of str to ndarray
        For each factor of a product, in order, the number of nodes and, unless it is a chain, the
        pairs of neighbours. Other graphs are a product of one factor.
    """
    arrays = {}
    for number, factor in enumerate(factors_of(graph)):
        if isinstance(factor, int):
            arrays[f"{number}_n_nodes"] = np.array(factor)
            continue
        arrays[f"{number}_n_nodes"] = np.array(factor.n_nodes)
        pairs = factor.edges(np.ones(factor.n_nodes, dtype=bool))
        arrays[f"{number}_edges"] = pairs.astype(np.int32)
    return arrays


def graph_from_arrays(arrays: Mapping[str, np.ndarray]) -> Graph:
    """Return the graph of arrays that :func:`graph_to_arrays` has made.

    Raises
    ------
    ValueError
        If the arrays are not of a graph.
    """
    factors: list[Graph | int] = []
    while f"{len(factors)}_n_nodes" in arrays:
        number = len(factors)
        n_nodes = np.asarray(arrays[f"{number}_n_nodes"])
        if n_nodes.shape or n_nodes.dtype.kind not in "iu" or not 0 < n_nodes < 2**30:
            raise ValueError("the number of nodes of a graph must be an integer from 1 to 2^30")
        edges = arrays.get(f"{number}_edges")
        if edges is None:
            factors.append(int(n_nodes))
            continue
        if edges.ndim != 2 or edges.shape[1] != 2 or edges.dtype.kind not in "iu":
            raise ValueError("edges of a graph must be pairs of integers")
        if edges.size and not (edges.min() >= 0 and edges.max() < n_nodes):
            raise ValueError("edges of a graph must join its nodes")
        ones = np.ones(len(edges), dtype=bool)
        half = coo_array((ones, (edges[:, 0], edges[:, 1])), shape=(int(n_nodes),) * 2)
        factors.append(AdjacencyGraph(half + half.T))
    if not factors:
        raise ValueError("a graph must have nodes")
    only = factors[0]
    return product(*factors) if len(factors) > 1 or isinstance(only, int) else only
