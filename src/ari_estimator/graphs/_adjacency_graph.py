"""Graph of any nodes whose neighbours a matrix tells."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import coo_array, csr_array, issparse

from ari_estimator.graphs._graph import link, refuse_selected
from ari_estimator.graphs._linked_nodes import label_linked, pairs_of_linked, stored_neighbourhood
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
        return label_linked(self._links[nodes][:, nodes], nodes, self.n_nodes)

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
        return pairs_of_linked(self._links[nodes][:, nodes], nodes)

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
    given = adjacency if issparse(adjacency) else np.asarray(adjacency)
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
    matrix = csr_array(given)  # adds up repeated entries
    matrix.sum_duplicates()
    if not np.isfinite(matrix.data).all() or (matrix.data < 0).any():
        row, column, value = _first(matrix, ~(np.isfinite(matrix.data) & (matrix.data >= 0)))
        raise ValueError(
            f"{called} must not hold NaN, infinite or negative values: an entry that is not 0 "
            f"makes two nodes neighbours. Got {value} in row {row} and column {column}. Keep the "
            "entries that mean neighbours, for example as matrix > threshold."
        )
    matrix.eliminate_zeros()
    is_neighbour = csr_array(
        (np.ones(matrix.nnz, dtype=np.int8), matrix.indices, matrix.indptr), shape=matrix.shape
    )
    one_way = is_neighbour - is_neighbour.T
    one_way.eliminate_zeros()
    if one_way.nnz:
        row, column, _ = _first(one_way, one_way.data > 0)
        raise ValueError(
            f"{called} must be symmetric: neighbours are neighbours of each other. Got an entry in "
            f"row {row} and column {column}, and none in row {column} and column {row}. "
            "matrix + matrix.T is symmetric."
        )
    found = is_neighbour.tocoo()
    off_diagonal = found.row != found.col
    coords = (found.row[off_diagonal].astype(np.int32), found.col[off_diagonal].astype(np.int32))
    return coo_array((found.data[off_diagonal], coords), shape=found.shape)


def _first(matrix: csr_array, where: np.ndarray) -> tuple[int, int, float]:
    """Return row, column and value of the first entry that a mask of the entries chooses."""
    entries = matrix.tocoo()
    place = int(np.flatnonzero(where)[0])
    return int(entries.row[place]), int(entries.col[place]), entries.data[place]
