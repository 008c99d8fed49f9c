"""Graph of a product, such as sensors and time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.graphs._graph import Graph, link, refuse_selected
from ari_estimator.graphs._linked_nodes import label_linked
from ari_estimator.graphs._neighbourhood import Neighbourhood

# As many axes as numpy's arrays have in all its versions.
_MOST_FACTORS = 32

# Pairs of nodes at a time.
_MOST_PAIRS = 2**22


def product(*factors: Graph | int) -> Graph:
    """Return the graph of a product, such as sensors and time.

    Two nodes are neighbours if they are neighbours in one factor and equal in all others. MNE's
    ``combine_adjacency`` makes the same graph, as a matrix. Here neighbours are computed and not
    stored, except within the factors.

    Parameters
    ----------
    *factors : Graph or int
        The factors, in the order of the axes of an array. An int is a chain of so many nodes, each
        a neighbour of the next: times, or frequencies.

    Returns
    -------
    graph : Graph
        The graph. Its nodes are the elements of an array with an axis for each factor, in C order.

    Raises
    ------
    TypeError
        If a factor is neither a graph nor an int.
    ValueError
        If there is no factor or more than 32, a chain has no nodes, or the product has 2^30 nodes
        or more, or too many neighbours. An empty place behind each row of a chain counts as a node.

    See Also
    --------
    AdjacencyGraph : Graph of any nodes, from a matrix.

    Examples
    --------
    Three sensors in a row, at four times:

    >>> import numpy as np
    >>> from ari_estimator.graphs import AdjacencyGraph, product
    >>> sensors = AdjacencyGraph(np.eye(3, k=1) + np.eye(3, k=-1))
    >>> graph = product(sensors, 4)
    >>> is_high = np.array([[1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]], dtype=bool)
    >>> labels, n_components = graph.components(is_high.ravel())
    >>> labels.reshape(3, 4).tolist()
    [[1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 2]]
    """
    if not factors:
        raise ValueError("product must have factors: graphs, or numbers of nodes in a row.")
    if len(factors) > _MOST_FACTORS:
        raise ValueError(
            f"product must have at most {_MOST_FACTORS} factors. Got {len(factors)}. A product may "
            "be a factor of another one."
        )
    for number, factor in enumerate(factors):
        if isinstance(factor, (int, np.integer)) and not isinstance(factor, bool):
            if factor < 1:
                raise ValueError(
                    f"Factor {number} of a product must have a node or more. Got {factor}."
                )
        elif isinstance(factor, type) or not hasattr(factor, "neighbourhoods"):
            raise TypeError(
                f"Factor {number} of a product must be a graph or an int. Got "
                f"{type(factor).__name__}. AdjacencyGraph makes a graph from a matrix."
            )
    return _ProductGraph(
        [int(factor) if isinstance(factor, np.integer) else factor for factor in factors]
    )


class _ProductGraph:
    """Graph of a product, see :func:`product`."""

    def __init__(self, factors: Sequence[Graph | int]) -> None:
        self.factors = tuple(factors)
        self._is_chain = [isinstance(factor, int) for factor in factors]
        self._shape = tuple(
            factor if isinstance(factor, int) else factor.n_nodes for factor in factors
        )
        self.n_nodes = math.prod(self._shape)
        # Chains have an empty place behind each row, see `neighbourhoods`.
        n_slots = math.prod(n + c for n, c in zip(self._shape, self._is_chain, strict=True))
        if n_slots >= 2**30:
            raise ValueError(
                f"A product must have fewer than 2^30 nodes. Got {self.n_nodes}, of shape "
                f"{self._shape}, and {n_slots} with an empty place behind each row of a chain."
            )
        self._pairs = [_pairs_of(factor) for factor in factors]
        others = [axis for axis, is_chain in enumerate(self._is_chain) if not is_chain]
        n_outer = math.prod(self._shape[axis] for axis in others)
        n_offsets = 2 * n_outer * (len(factors) - len(others)) + sum(
            2 * self._pairs[axis][0].size * (n_outer // max(self._shape[axis], 1))
            for axis in others
        )
        if n_offsets >= 2**31:
            raise ValueError(
                "A product must have fewer than 2^31 neighbours in its factors that are not "
                f"chains. Got {n_offsets}, for the shape {self._shape}. An int is a chain, which "
                "stores no neighbours."
            )

    def components(self, selected: ArrayLike) -> tuple[np.ndarray, int]:
        """Return the connected components of the selected nodes, see :class:`Graph`."""
        chosen = self._checked(selected)
        nodes = np.flatnonzero(chosen)
        places = np.cumsum(chosen, dtype=np.int32) - np.int32(1)
        pairs = [places[low_high] for low_high in self._selected_pairs(chosen)]
        low, high = np.concatenate([np.empty((2, 0), dtype=np.int32), *pairs], axis=1)
        return label_linked(link(low, high, nodes.size), nodes, self.n_nodes)

    def edges(self, selected: ArrayLike) -> np.ndarray:
        """Return the pairs of neighbours among the selected nodes, see :class:`Graph`."""
        pairs = [*self._selected_pairs(self._checked(selected))]
        low, high = np.concatenate([np.empty((2, 0), dtype=np.intp), *pairs], axis=1)
        return np.column_stack([low, high])[np.argsort(low * self.n_nodes + high)]

    def neighbourhoods(self) -> list[Neighbourhood]:
        """Return the neighbours of all nodes, see :class:`Graph`.

        Returns
        -------
        neighbourhoods : list of one Neighbourhood
            Slots are the nodes, in another order. There is an empty slot behind each row of a
            chain, so that a step along a chain never leads to another row. Nodes that differ only
            in their places on chains share their offsets.
        """
        axes = range(len(self._shape))
        chains = {axis: self._shape[axis] + 1 for axis in axes if self._is_chain[axis]}
        others = {axis: self._shape[axis] for axis in axes if not self._is_chain[axis]}
        steps, n_inner = _strides(chains)
        strides, n_outer = _strides(others)
        offsets, starts = self._offsets(strides, n_outer, [*steps.values()], n_inner)
        # A step back from the first place of a row leads to the empty slot of the row before, and
        # in the first row to this margin.
        margin = max(steps.values(), default=0)
        base = np.int32(margin) + self._numbers(steps)
        outer = self._numbers(strides)
        arrays = (base + outer * np.int32(n_inner), base, starts[outer], starts[outer + 1])
        slots, bases, firsts, stops = (
            np.broadcast_to(array, self._shape).reshape(-1) for array in arrays
        )
        n_slots = margin + n_outer * n_inner
        return [Neighbourhood(slots, n_slots, bases, firsts, stops, offsets)]

    def _offsets(
        self, strides: dict[int, int], n_outer: int, steps: list[int], n_inner: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the offsets of each node of the factors that are not chains, and their starts."""
        numbers = np.arange(n_outer, dtype=np.int32)
        nodes, offsets = [numbers[:0]], [numbers[:0]]
        for step in steps:
            nodes += [numbers, numbers]
            offsets += [numbers * np.int32(n_inner) + np.int32(way) for way in (-step, step)]
        shape = [self._shape[axis] for axis in strides]
        for place, axis in enumerate(strides):
            low, high = self._pairs[axis]
            along = np.moveaxis(numbers.reshape(shape), place, 0)
            one_end, other_end = along[low].reshape(-1), along[high].reshape(-1)
            nodes += [one_end, other_end]
            offsets += [other_end * np.int32(n_inner), one_end * np.int32(n_inner)]
        of_node = np.concatenate(nodes)
        order = np.argsort(of_node, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(of_node, minlength=n_outer))])
        return np.concatenate(offsets)[order], starts.astype(np.int32)

    def _numbers(self, strides: dict[int, int]) -> np.ndarray:
        """Return the number of each node that some axes give, of a shape that broadcasts."""
        numbers = np.zeros((1,) * len(self._shape), dtype=np.int32)
        for axis, stride in strides.items():
            places = np.arange(self._shape[axis], dtype=np.int32) * np.int32(stride)
            shape = [1] * len(self._shape)
            shape[axis] = -1
            numbers = numbers + places.reshape(shape)
        return numbers

    def _selected_pairs(self, chosen: np.ndarray) -> Iterator[np.ndarray]:
        """Yield pairs of selected neighbours, of shape (2, n_pairs), with the lower node first."""
        numbers = np.arange(self.n_nodes).reshape(self._shape)
        for axis, (first, second) in enumerate(self._pairs):
            is_chosen = np.moveaxis(chosen.reshape(self._shape), axis, 0)
            nodes = np.moveaxis(numbers, axis, 0)
            n_rows = max(1, _MOST_PAIRS // max(1, is_chosen[:1].size))
            for start in range(0, first.size, n_rows):
                low, high = first[start : start + n_rows], second[start : start + n_rows]
                both = is_chosen[low] & is_chosen[high]
                yield np.stack([nodes[low][both], nodes[high][both]])

    def _checked(self, selected: ArrayLike) -> np.ndarray:
        chosen = np.asarray(selected, dtype=bool)
        if chosen.shape != (self.n_nodes,):
            refuse_selected(chosen, self.n_nodes, "node of the product")
        return chosen


def factors_of(graph: Graph) -> tuple[Graph | int, ...]:
    """Return the factors of a product, or the graph itself if it is none."""
    return graph.factors if isinstance(graph, _ProductGraph) else (graph,)


def _pairs_of(factor: Graph | int) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs of neighbours of a factor, the lower nodes and the higher ones."""
    if isinstance(factor, int):
        return np.arange(factor - 1), np.arange(1, factor)
    pairs = factor.edges(np.ones(factor.n_nodes, dtype=bool))
    return pairs[:, 0], pairs[:, 1]


def _strides(sizes: dict[int, int]) -> tuple[dict[int, int], int]:
    """Return the strides of some axes in C order, and the size of all of them."""
    strides, size = {}, 1
    for axis in reversed(sizes):
        strides[axis] = size
        size *= sizes[axis]
    return dict(reversed(strides.items())), size
