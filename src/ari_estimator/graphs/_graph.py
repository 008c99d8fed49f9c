"""The protocol of graphs, and shared functions."""

from __future__ import annotations

from typing import NoReturn, Protocol

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from ari_estimator.graphs._neighbourhood import Neighbourhood


class Graph(Protocol):
    """Nodes with neighbours.

    This is a protocol: any class with these methods works, also for :class:`ClusterForest`.

    See Also
    --------
    VoxelGrid : Graph of the voxels of a mask. MeshGraph : Graph of the vertices of a mesh.
    GraphUnion : Union of several graphs.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.graphs import Graph, VoxelGrid
    >>> def n_components(graph: Graph) -> int:
    ...     return graph.components(np.ones(graph.n_nodes, dtype=bool))[1]
    >>> n_components(VoxelGrid(np.array([[[True, True, False, True]]])))
    2
    """

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""

    def components(self, selected: ArrayLike) -> tuple[np.ndarray, int]:
        """Return the connected components of the selected nodes.

        Parameters
        ----------
        selected : array-like of bool of shape (n_nodes,)
            Whether each node is selected.

        Returns
        -------
        labels : ndarray of int32 of shape (n_nodes,)
            1, 2, ... for the components, in the order of their first nodes; 0 for nodes
            that are not selected.

        n_components : int
            Number of components.

        Raises
        ------
        ValueError
            If the length of the selection is not the number of nodes.
        """

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

    def neighbourhoods(self) -> list[Neighbourhood]:
        """Return the neighbours of all nodes.

        Returns
        -------
        neighbourhoods : list of Neighbourhood
            One for each part of the graph, in the order of the nodes.
        """


def refuse_selected(selected: np.ndarray, n_nodes: int, node: str) -> NoReturn:
    """Raise the error for a selection of the wrong length.

    Parameters
    ----------
    selected : ndarray
        The selection.

    n_nodes : int
        Number of nodes.

    node : str
        Name of a node, for the message.

    Raises
    ------
    ValueError
        Always.
    """
    raise ValueError(
        f"selected must have shape ({n_nodes},), one for each {node}. Got shape {selected.shape}."
    )


def link(first: np.ndarray, second: np.ndarray, n_nodes: int) -> csr_array:
    """Return links between pairs of nodes as a matrix.

    Parameters
    ----------
    first, second : ndarray of int32 of shape (n_links,)
        The two ends of each link. Links may be repeated, in either direction, and may join a
        node to itself.

    n_nodes : int
        Number of nodes.

    Returns
    -------
    links : csr_array of int8 of shape (n_nodes, n_nodes)
        1 from the first to the second end of each link. Repeated links are repeated entries.
    """
    ones = np.ones(first.size, dtype=np.int8)
    matrix = coo_array((ones, (first, second)), shape=(n_nodes, n_nodes))
    # Repeated links do not change components. Without this flag, scipy would search for them, which
    # takes longer than everything else.
    matrix.has_canonical_format = True
    return matrix.tocsr()


def components_of(links: csr_array) -> tuple[np.ndarray, np.ndarray]:
    """Return the connected components of nodes that are linked.

    Parameters
    ----------
    links : csr_array of shape (n_nodes, n_nodes)
        Links between at least one node, in either direction or in both.

    Returns
    -------
    components : ndarray of int32 of shape (n_nodes,)
        Component of each node, starting at 0, in arbitrary order.

    first_nodes : ndarray of intp of shape (n_components,)
        The first node of each component.
    """
    if links.dtype != np.float64:
        # scipy would convert any other type to doubles and copy the whole matrix.
        links = csr_array((np.ones(links.nnz), links.indices, links.indptr), shape=links.shape)
    n_components, components = connected_components(links, directed=False)
    first_nodes = np.empty(n_components, dtype=np.intp)
    # The last write to a position stays. Going backwards, that is the first node.
    first_nodes[components[::-1]] = np.arange(components.size)[::-1]
    return components, first_nodes
