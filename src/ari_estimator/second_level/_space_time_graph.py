"""Neighbours of times and vertices, as mne.stats gives them."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array, diags_array

from ari_estimator.graphs import AdjacencyGraph, Graph, product
from ari_estimator.images._given_graph import as_graph


def space_time_graph(adjacency: Any, shape: tuple[int, ...], max_step: int = 1) -> Graph:
    """Return the graph of an array of times and vertices.

    Parameters
    ----------
    adjacency : sparse matrix, ndarray, graph, False or None
        Neighbours along the last axis of the array, or of all elements in C order. None for
        neighbours along each axis of a lattice. False for none at all.

    shape : tuple of int
        Shape of the array: (n_times, n_vertices), or with frequencies between them.

    max_step : int, default=1
        Largest distance of neighbours along the first axis.

    Returns
    -------
    graph : Graph
        The graph.

    Raises
    ------
    ValueError
        If the adjacency has another size, or ``max_step`` would have no effect.
    """
    n_elements = int(np.prod(shape))
    if adjacency is False:
        _check_step(max_step, "without neighbours")
        return AdjacencyGraph(csr_array((n_elements, n_elements), dtype=bool))
    if adjacency is None:
        _check_step(max_step, "for a lattice")
        return product(*shape)
    graph = as_graph(adjacency)
    if graph.n_nodes == shape[-1]:
        return product(_steps(shape[0], max_step), *shape[1:-1], graph) if shape[1:] else graph
    if graph.n_nodes != n_elements:
        raise ValueError(
            f"adjacency must have a row for each vertex, {shape[-1]}, or for each element of a map "
            f"in C order, {n_elements}. Got {graph.n_nodes} rows."
        )
    _check_step(max_step, "with the neighbours of all elements")
    return graph


def _check_step(max_step: int, why: str) -> None:
    if max_step != 1:
        raise ValueError(f"max_step must be 1 {why}. Got {max_step!r}.")


def _steps(n_times: int, max_step: int) -> Graph | int:
    """Return the graph of times whose distance is at most ``max_step``."""
    if isinstance(max_step, bool) or not isinstance(max_step, (int, np.integer)) or max_step < 1:
        raise ValueError(f"max_step must be an integer of at least 1. Got {max_step!r}.")
    if max_step == 1:
        return n_times
    steps = range(1, min(int(max_step), n_times - 1) + 1)
    offsets = [*steps, *(-step for step in steps)]
    bands = [np.ones(n_times - abs(offset)) for offset in offsets]
    return AdjacencyGraph(diags_array(bands, offsets=offsets, shape=(n_times, n_times)))
