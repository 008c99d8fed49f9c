"""Components, pairs and neighbourhoods of nodes whose links are stored in a matrix."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from ari_estimator.graphs._graph import components_of
from ari_estimator.graphs._neighbourhood import Neighbourhood


def links_among(links: csr_array, nodes: np.ndarray) -> csr_array:
    """Return the links among some nodes, by their positions in ``nodes``.

    scipy's ``links[nodes][:, nodes]`` goes through all columns, even for few nodes.

    Parameters
    ----------
    links : csr_array of shape (n_nodes, n_nodes)
        Links among all nodes.

    nodes : ndarray of intp of shape (n_selected,)
        The selected nodes, in ascending order.

    Returns
    -------
    links : csr_array of float64 of shape (n_selected, n_selected)
        1 for each link, in the order of ``links``.
    """
    first = links.indptr[nodes]
    lengths = links.indptr[nodes + 1] - first
    ends = np.cumsum(lengths)
    places = np.repeat(first - (ends - lengths), lengths)
    places += np.arange(places.size, dtype=places.dtype)
    positions = np.full(links.shape[0], -1, dtype=np.int32)
    positions[nodes] = np.arange(nodes.size, dtype=np.int32)
    columns = positions.take(links.indices.take(places))
    kept = np.flatnonzero(columns >= 0)
    # The number of links that stay before each place.
    before = np.zeros(columns.size + 1, dtype=links.indptr.dtype)
    np.cumsum(columns >= 0, out=before[1:])
    starts = before.take(np.concatenate([[0], ends]))
    return csr_array((np.ones(kept.size), columns.take(kept), starts), shape=(nodes.size,) * 2)


def label_linked(links: csr_array, nodes: np.ndarray, n_nodes: int) -> tuple[np.ndarray, int]:
    """Return the connected components of some nodes.

    Parameters
    ----------
    links : csr_array of shape (n_selected, n_selected)
        Links among the selected nodes, in either direction or in both.

    nodes : ndarray of int of shape (n_selected,)
        The selected nodes, in ascending order.

    n_nodes : int
        Number of all nodes.

    Returns
    -------
    labels : ndarray of int32 of shape (n_nodes,)
        1, 2, ... for the components, in the order of their first nodes; 0 for other nodes.

    n_components : int
        Number of components.
    """
    labels = np.zeros(n_nodes, dtype=np.int32)
    if nodes.size == 0:
        return labels, 0
    components, first_nodes = components_of(links)
    numbers = np.empty(first_nodes.size, dtype=np.int32)
    numbers[np.argsort(first_nodes)] = np.arange(1, first_nodes.size + 1)
    labels[nodes] = numbers[components]
    return labels, first_nodes.size


def pairs_of_linked(links: csr_array, nodes: np.ndarray) -> np.ndarray:
    """Return the pairs of neighbours among some nodes.

    Parameters
    ----------
    links, nodes
        As for :func:`label_linked`. Links may be repeated.

    Returns
    -------
    pairs : ndarray of intp of shape (n_pairs, 2)
        Each pair once, with the lower node first, in ascending order.
    """
    if nodes.size == 0:
        return np.empty((0, 2), dtype=np.intp)
    one_end, other_end = links.nonzero()
    low, high = np.minimum(one_end, other_end), np.maximum(one_end, other_end)
    low, high = low[low < high], high[low < high]
    # This matrix merges and sorts repeated pairs faster than np.unique.
    matrix = csr_array((np.ones(low.size, dtype=bool), (low, high)), shape=(nodes.size,) * 2)
    return nodes[np.column_stack(matrix.nonzero())]


def stored_neighbourhood(links: csr_array, slots: np.ndarray) -> Neighbourhood:
    """Return a neighbourhood whose slots are the rows of a matrix.

    Parameters
    ----------
    links : csr_array of shape (n_slots, n_slots)
        Links between slots, in both directions.

    slots : ndarray of int32 of shape (n_nodes,)
        The slot of each node. Other slots are empty.

    Returns
    -------
    neighbourhood : Neighbourhood
        The neighbours of the nodes.
    """
    return Neighbourhood(
        slots,
        links.shape[0],
        np.broadcast_to(np.int32(0), slots.shape),
        links.indptr[slots].astype(np.int32),
        links.indptr[slots + 1].astype(np.int32),
        links.indices.astype(np.int32, copy=False),
    )
