"""Graphs as arrays, to be stored."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import count, takewhile

import numpy as np
from scipy.sparse import coo_array

from ari_estimator.graphs._adjacency_graph import AdjacencyGraph
from ari_estimator.graphs._edges_of import edges_of_ends, ends_of
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
        pairs of neighbours. The edges of a network have their ends instead, which are far fewer:
        where the edges of each first end start, and the second ends. Other graphs are a product of
        one factor.
    """
    arrays = {}
    for number, factor in enumerate(factors_of(graph)):
        if isinstance(factor, int):
            arrays[f"{number}_n_nodes"] = np.array(factor)
            continue
        arrays[f"{number}_n_nodes"] = np.array(factor.n_nodes)
        ends = ends_of(factor)
        if ends is not None:
            first, second, n_ends = ends
            starts = np.searchsorted(first, np.arange(n_ends + 1)).astype(np.int32)
            arrays |= {f"{number}_starts": starts, f"{number}_second": second}
            continue
        pairs = factor.edges(np.ones(factor.n_nodes, dtype=bool))
        arrays[f"{number}_edges"] = pairs.astype(np.int32)
    return arrays


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
    sizes = [
        _size(arrays[f"{number}_n_nodes"])
        for number in takewhile(lambda k: f"{k}_n_nodes" in arrays, count())
    ]
    if not sizes:
        raise ValueError("a graph must have nodes")
    if math.prod(sizes) != n_nodes:
        raise ValueError(f"a graph of {n_nodes} elements has factors of {sizes[:32]} nodes")
    factors = [_factor(arrays, number, size) for number, size in enumerate(sizes)]
    only = factors[0]
    return product(*factors) if len(factors) > 1 or isinstance(only, int) else only


def _size(stored: np.ndarray) -> int:
    if stored.shape or stored.dtype.kind not in "iu" or stored < 1:
        raise ValueError("the number of nodes of a graph must be a positive integer")
    return int(stored)


def _factor(arrays: Mapping[str, np.ndarray], number: int, n_nodes: int) -> Graph | int:
    """Return one factor of a product: a graph, or the number of nodes of a chain."""
    edges, starts = arrays.get(f"{number}_edges"), arrays.get(f"{number}_starts")
    if starts is not None:
        network = _network(starts, arrays.get(f"{number}_second"))
        if network.n_nodes != n_nodes:
            raise ValueError(f"a network of {n_nodes} edges has the ends of {network.n_nodes}")
        return network
    if edges is None:
        return n_nodes
    if edges.ndim != 2 or edges.shape[1] != 2 or edges.dtype.kind not in "iu":
        raise ValueError("edges of a graph must be pairs of integers")
    if edges.size and not (edges.min() >= 0 and edges.max() < n_nodes):
        raise ValueError("edges of a graph must join its nodes")
    ones = np.ones(len(edges), dtype=bool)
    half = coo_array((ones, (edges[:, 0], edges[:, 1])), shape=(n_nodes, n_nodes))
    return AdjacencyGraph(half + half.T)


def _network(starts: np.ndarray, second: np.ndarray | None) -> Graph:
    """Return the graph of the edges of a network, whose ends are checked."""
    if second is None or any(a.ndim != 1 or a.dtype.kind not in "iu" for a in (starts, second)):
        raise ValueError("ends of edges must be integers")
    starts, second = starts.astype(np.int64), second.astype(np.int64)
    n_edges = np.diff(starts)
    if not starts.size or starts[0] != 0 or starts[-1] != second.size or (n_edges < 0).any():
        raise ValueError("the edges of each end must follow each other")
    first = np.repeat(np.arange(n_edges.size), n_edges)
    is_sorted = (np.diff(first * n_edges.size + second) > 0).all()
    if not (is_sorted and (second > first).all() and (second < n_edges.size).all()):
        raise ValueError("ends of edges must be ascending pairs of nodes")
    return edges_of_ends(first, second, n_edges.size)
