"""Graph of any nodes whose neighbours a matrix tells."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import coo_array, csr_array, issparse

from ari_estimator._masked_values import refuse_masked
from ari_estimator.graphs._graph import link, refuse_selected
from ari_estimator.graphs._linked_nodes import (
    label_linked,
    links_among,
    pairs_of_linked,
    stored_neighbourhood,
)
from ari_estimator.graphs._neighbourhood import Neighbourhood


class AdjacencyGraph:
    """Graph of any nodes, with their neighbours in a matrix.

    Parameters
    ----------
    adjacency : sparse matrix or array-like of shape (n_nodes, n_nodes)
        Two nodes are neighbours if their entry is not 0. Only this matters, so weights may have any
        positive value. The diagonal is ignored. A node without neighbours is a component of its
        own.

    Attributes
    ----------
    n_nodes : int
        Number of nodes.

    Raises
    ------
    TypeError
        If the matrix does not hold real numbers or booleans.
    ValueError
        If the matrix is not square, holds NaN, infinite or negative values, or is not symmetric.

    See Also
    --------
    product : Graph of sensors and time, and of other products.
    edges_of : Graph of the edges of a network.

    Examples
    --------
    Four sensors in a row:

    >>> import numpy as np
    >>> from ari_estimator.graphs import AdjacencyGraph
    >>> row = AdjacencyGraph(np.eye(4, k=1) + np.eye(4, k=-1))
    >>> labels, n_components = row.components([True, True, False, True])
    >>> labels.tolist(), n_components
    ([1, 1, 0, 2], 2)
    >>> row.edges([True, True, True, False]).tolist()
    [[0, 1], [1, 2]]
    """

    def __init__(self, adjacency: Any) -> None:
        matrix = check_adjacency(adjacency, "adjacency")
        self.n_nodes: int = matrix.shape[0]
        self._links = link(matrix.row, matrix.col, self.n_nodes)

    def components(self, selected: ArrayLike) -> tuple[np.ndarray, int]:
        """Return the connected components of the selected nodes.

        Parameters
        ----------
        selected : array-like of bool of shape (n_nodes,)
            Whether each node is selected.

        Returns
        -------
        labels : ndarray of int32 of shape (n_nodes,)
            1, 2, ... for the components, in the order of their first nodes; 0 for nodes that are
            not selected.

        n_components : int
            Number of components.

        Raises
        ------
        ValueError
            If the length of the selection is not the number of nodes.
        """
        nodes = self._nodes(selected)
        return label_linked(links_among(self._links, nodes), nodes, self.n_nodes)

    def edges(self, selected: ArrayLike) -> np.ndarray:
        """Return the pairs of neighbours among the selected nodes.

        Parameters
        ----------
        selected : array-like of bool of shape (n_nodes,)
            Whether each node is selected.

        Returns
        -------
        edges : ndarray of intp of shape (n_edges, 2)
            Each pair once, with the lower node first, in ascending order.

        Raises
        ------
        ValueError
            If the length of the selection is not the number of nodes.
        """
        nodes = self._nodes(selected)
        return pairs_of_linked(links_among(self._links, nodes), nodes)

    def neighbourhoods(self) -> list[Neighbourhood]:
        """Return the neighbours of all nodes.

        Returns
        -------
        neighbourhoods : list of one Neighbourhood
            Slots are the nodes.
        """
        return [stored_neighbourhood(self._links, np.arange(self.n_nodes, dtype=np.int32))]

    def _nodes(self, selected: ArrayLike) -> np.ndarray:
        selected = np.asarray(selected, dtype=bool)
        if selected.shape != (self.n_nodes,):
            refuse_selected(selected, self.n_nodes, "node")
        return np.flatnonzero(selected)


def check_adjacency(adjacency: Any, called: str) -> coo_array:
    """Return a matrix of neighbours, without its diagonal, after a look at its values.

    Parameters
    ----------
    adjacency : sparse matrix or array-like of shape (n_nodes, n_nodes)
        The matrix.

    called : str
        Name of the argument, for messages.

    Returns
    -------
    matrix : coo_array of shape (n_nodes, n_nodes)
        Its entries that are not 0, each once, sorted by row and column, with indices of int32.

    Raises
    ------
    TypeError
        If the matrix does not hold real numbers or booleans.
    ValueError
        If the matrix is not square, holds NaN, infinite or negative values, or is not symmetric.
    """
    given: Any = adjacency if issparse(adjacency) else _as_array(adjacency, called)
    if given.dtype.kind not in "biuf":
        raise TypeError(
            f"{called} must hold real numbers or booleans, not 0 for neighbours. "
            f"Got values of {given.dtype}."
        )
    if given.ndim != 2 or given.shape[0] != given.shape[1]:
        raise ValueError(
            f"{called} must be square, with a row and a column for each node. "
            f"Got shape {given.shape}."
        )
    # New arrays, because the caller keeps the matrix. Repeated entries are not added up, because a
    # sum of small integers can be 0.
    if issparse(given):
        entries = given.tocoo()
        row, column, values = entries.row, entries.col, entries.data
    else:
        row, column = np.nonzero(given)
        values = given[row, column]
    if not np.isfinite(values).all() or (values < 0).any():
        place = int(np.flatnonzero(~(np.isfinite(values) & (values >= 0)))[0])
        raise ValueError(
            f"{called} must not hold NaN, infinite or negative values: an entry that is not 0 "
            f"makes two nodes neighbours. Got {values[place]} in row {row[place]} and column "
            f"{column[place]}. Keep the entries that mean neighbours, for example as "
            "matrix > threshold."
        )
    is_met = values != 0
    ones = np.ones(int(is_met.sum()), dtype=bool)
    merged = csr_array((ones, (row[is_met], column[is_met])), shape=given.shape)
    is_neighbour = csr_array(
        (np.ones(merged.nnz, dtype=np.int8), merged.indices, merged.indptr), shape=merged.shape
    )
    one_way = is_neighbour - is_neighbour.T
    one_way.eliminate_zeros()
    if one_way.nnz:
        there = one_way.tocoo()
        place = int(np.flatnonzero(there.data > 0)[0])
        i, j = there.row[place], there.col[place]
        raise ValueError(
            f"{called} must be symmetric: neighbours are neighbours of each other. Got an entry in "
            f"row {i} and column {j}, and none in row {j} and column {i}. "
            "matrix + matrix.T is symmetric."
        )
    found = is_neighbour.tocoo()
    off_diagonal = found.row != found.col
    coords = (found.row[off_diagonal].astype(np.int32), found.col[off_diagonal].astype(np.int32))
    return coo_array((found.data[off_diagonal], coords), shape=found.shape)


def _as_array(adjacency: Any, called: str) -> np.ndarray:
    """Return a matrix that is not sparse as an array."""
    refuse_masked(adjacency, called, "adjacency.filled(0) makes them no neighbours.")
    if isinstance(adjacency, tuple) and adjacency and issparse(adjacency[0]):
        raise ValueError(
            f"{called} must be a matrix. Got a tuple that holds one. Functions such as "
            "mne.channels.find_ch_adjacency return a matrix and the names of its rows: pass the "
            "matrix, after a look at the order of the names."
        )
    try:
        return np.asarray(adjacency)
    except ValueError as error:
        raise ValueError(f"{called} must have rows of the same length: {error}") from error
