"""Graphs as arrays, to be stored."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from scipy.sparse import coo_array

from ari_estimator.files._stored_array import stored_array
from ari_estimator.graphs._adjacency_graph import AdjacencyGraph
from ari_estimator.graphs._edges_of import edges_of_ends, ends_of
from ari_estimator.graphs._graph import Graph
from ari_estimator.graphs._product import factors_of, product

# Kinds of factors.
_CHAIN, _MATRIX, _NETWORK = "chain", "matrix", "network"


def graph_to_arrays(graph: Graph) -> dict[str, np.ndarray]:
    """Return a graph as arrays.

    Parameters
    ----------
    graph : Graph
        Any graph.

    Returns
    -------
    arrays : dict of str to ndarray
        The kind and the number of nodes of each factor of a product and, unless it is a chain, its
        pairs of neighbours. The edges of a network have their ends instead, which are far fewer:
        where the edges of each first end start, and the second ends. Other graphs are a product of
        one factor.
    """
    arrays: dict[str, np.ndarray] = {}
    kinds, sizes = [], []
    for number, factor in enumerate(factors_of(graph)):
        if isinstance(factor, int):
            kinds.append(_CHAIN)
            sizes.append(factor)
            continue
        sizes.append(factor.n_nodes)
        ends = ends_of(factor)
        if ends is None:
            kinds.append(_MATRIX)
            pairs = factor.edges(np.ones(factor.n_nodes, dtype=bool))
            arrays[f"{number}_edges"] = pairs.astype(np.int32)
        else:
            kinds.append(_NETWORK)
            first, second, n_ends = ends
            starts = np.searchsorted(first, np.arange(n_ends + 1)).astype(np.int32)
            arrays |= {f"{number}_starts": starts, f"{number}_second": second}
    return {"kinds": np.array(kinds), "n_nodes": np.array(sizes, dtype=np.int64), **arrays}


def graph_from_arrays(arrays: Mapping[str, np.ndarray], n_nodes: int) -> Graph:
    """Return the graph of arrays that :func:`graph_to_arrays` has made.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        The arrays, of a file that may be damaged.

    n_nodes : int
        The number of nodes that the graph must have. It is checked first, so the graph takes no
        more memory than a graph of so many nodes.

    Returns
    -------
    graph : Graph
        The graph.

    Raises
    ------
    ValueError
        If the arrays are not of a graph of ``n_nodes`` nodes.
    """
    sizes = stored_array(arrays, "n_nodes", "iu", (None,)).tolist()
    kinds = stored_array(arrays, "kinds", "U", (len(sizes),)).tolist()
    if not sizes or min(sizes) < 1 or math.prod(sizes) != n_nodes:
        raise ValueError(f"a graph of {n_nodes} elements has factors of {sizes[:32]} nodes")
    factors = [
        _factor(arrays, number, kind, size)
        for number, (kind, size) in enumerate(zip(kinds, sizes, strict=True))
    ]
    only = factors[0]
    return product(*factors) if len(factors) > 1 or isinstance(only, int) else only


def _factor(arrays: Mapping[str, np.ndarray], number: int, kind: str, n_nodes: int) -> Graph | int:
    """Return one factor of a product: a graph, or the number of nodes of a chain."""
    if kind == _CHAIN:
        return n_nodes
    if kind == _NETWORK:
        starts = stored_array(arrays, f"{number}_starts", "iu", (None,))
        return _network(starts, stored_array(arrays, f"{number}_second", "iu", (n_nodes,)))
    if kind != _MATRIX:
        raise ValueError(f"a graph of the kind {kind[:20]!r} is unknown")
    edges = stored_array(arrays, f"{number}_edges", "iu", (None, 2))
    if edges.size and not (edges.min() >= 0 and edges.max() < n_nodes):
        raise ValueError("edges of a graph must join its nodes")
    ones = np.ones(len(edges), dtype=bool)
    half = coo_array((ones, (edges[:, 0], edges[:, 1])), shape=(n_nodes, n_nodes))
    return AdjacencyGraph(half + half.T)


def _network(starts: np.ndarray, second: np.ndarray) -> Graph:
    """Return the graph of the edges of a network, whose ends are checked."""
    starts, second = starts.astype(np.int64), second.astype(np.int64)
    n_edges = np.diff(starts)
    if not starts.size or starts[0] != 0 or starts[-1] != second.size or (n_edges < 0).any():
        raise ValueError("the edges of each end must follow each other")
    first = np.repeat(np.arange(n_edges.size), n_edges)
    is_sorted = (np.diff(first * n_edges.size + second) > 0).all()
    if not (is_sorted and (second > first).all() and (second < n_edges.size).all()):
        raise ValueError("ends of edges must be ascending pairs of nodes")
    return edges_of_ends(first, second, n_edges.size)
