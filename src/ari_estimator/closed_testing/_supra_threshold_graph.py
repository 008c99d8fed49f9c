"""The supra-threshold elements of a map with their neighbours, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ari_estimator.files._stored_array import stored_array

# A place for elements that are on no grid.
NOWHERE = -1

# Grids are smaller than this on each axis, so that places have numbers below 2**63.
_LONGEST_AXIS = 2**20

# How the number of a step on a grid follows from its three parts, each -1, 0 or 1: 0 to 26, and 13
# for no step.
_WEIGHTS, _NO_STEP = np.array([9, 3, 1]), 13


@dataclass(frozen=True, eq=False, repr=False)
class SupraThresholdGraph:
    """The elements that pass a height threshold, and which of them are neighbours.

    Elements of opposite signs are never neighbours, so every component has one sign.

    Parameters
    ----------
    n_elements : int
        Number of tested elements, ``m``.

    elements : ndarray of int of shape (n_above,)
        The elements that pass the threshold, in ascending order.

    edges : ndarray of int of shape (n_edges, 2)
        Pairs of neighbours, each pair once, as positions in ``elements``.

    places : ndarray of int of shape (n_above, 3), or None
        Voxel indices of the elements, if **all 26 neighbours** of a voxel are its neighbours.
        Isoperimetric bounds need them. -1 for elements that are not voxels. None if no element has
        26 neighbours.

    height : float
        The height threshold as a p-value: elements pass if their p-value is smaller.

    neighbours : str
        A clause that says which elements are neighbours.

    Raises
    ------
    ValueError
        If elements, edges or places are malformed, or if ``places`` are given and voxels of a
        component that share a corner are not neighbours.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.closed_testing import SupraThresholdGraph
    >>> SupraThresholdGraph(
    ...     n_elements=6,
    ...     elements=np.array([1, 2, 3]),
    ...     edges=np.array([[0, 1], [1, 2]]),
    ...     places=None,
    ...     height=0.001,
    ...     neighbours="sensors were connected to the next ones",
    ... )
    SupraThresholdGraph(n_elements=6, n_above=3, height=0.001)
    """

    n_elements: int
    elements: np.ndarray
    edges: np.ndarray
    places: np.ndarray | None
    height: float
    neighbours: str

    def __post_init__(self) -> None:
        _check_elements(self.elements, self.n_elements)
        _check_edges(self.edges, self.n_above)
        if not 0 < self.height <= 1:
            raise ValueError(f"height must be a p-value in (0, 1]. Got {self.height!r}.")
        if self.places is not None:
            _check_places(self.places, self.n_above)
            self._check_all_26_are_neighbours(self.places)

    def __repr__(self) -> str:
        return (
            f"SupraThresholdGraph(n_elements={self.n_elements}, n_above={self.n_above}, "
            f"height={self.height:g})"
        )

    @property
    def n_above(self) -> int:
        """Number of elements that pass the threshold."""
        return self.elements.size

    @cached_property
    def positions(self) -> np.ndarray:
        """Position of each tested element in ``elements``; -1 if it does not pass."""
        positions = np.full(self.n_elements, -1, dtype=np.int32)
        positions[self.elements] = np.arange(self.n_above, dtype=np.int32)
        return positions

    @cached_property
    def components(self) -> np.ndarray:
        """Connected component of each position, an array of int32 of shape (n_above,)."""
        first, second = self.edges.T
        ones = np.ones(first.size)
        links = coo_array((ones, (first, second)), shape=(self.n_above, self.n_above))
        return np.asarray(connected_components(links.tocsr(), directed=False)[1])

    @cached_property
    def adjacency(self) -> tuple[np.ndarray, np.ndarray]:
        """Neighbours of position ``i``: ``neighbours[starts[i] : starts[i + 1]]``, ascending."""
        first, second = self.edges.T.astype(np.int64)
        keys = np.sort(np.r_[first * self.n_above + second, second * self.n_above + first])
        owners, neighbours = np.divmod(keys, max(self.n_above, 1))
        starts = np.zeros(self.n_above + 1, dtype=np.int64)
        np.cumsum(np.bincount(owners, minlength=self.n_above), out=starts[1:])
        return starts, neighbours.astype(np.int32)

    @cached_property
    def grid_neighbours(self) -> np.ndarray:
        """Neighbour of each position by the number of the step to it; -1 where there is none.

        An array of int32 of shape (n_above, 27), or (0, 27) if no element is on a grid. A step has
        the number ``9 (dx + 1) + 3 (dy + 1) + (dz + 1)``.
        """
        if self.places is None:
            return np.empty((0, 27), dtype=np.int32)
        table = np.full((self.n_above, 27), -1, dtype=np.int32)
        first, second = self.edges[(self.places[self.edges[:, 0]] != NOWHERE).all(axis=1)].T
        steps = self.places[second] - self.places[first]
        if steps.size and np.abs(steps).max() > 1:
            raise ValueError("edges must join voxels that share a corner. Got others.")
        numbers = steps @ _WEIGHTS
        table[first, _NO_STEP + numbers] = second
        table[second, _NO_STEP - numbers] = first
        return table

    def _check_all_26_are_neighbours(self, places: np.ndarray) -> None:
        """Refuse places if the graph lacks an edge: isoperimetric bounds would be too large."""
        on_grid = np.flatnonzero((places != NOWHERE).all(axis=1))
        places = places[on_grid].astype(np.int64)
        if places.size == 0:
            return
        places -= places.min(axis=0) - 1
        shape = places.max(axis=0) + 2
        strides = np.array([shape[1] * shape[2], shape[2], 1])
        keys = places @ strides
        order = np.argsort(keys)
        ascending = keys[order]
        if (np.diff(ascending) == 0).any():
            raise ValueError("places must differ from each other. Got the same place twice.")
        for number in range(_NO_STEP + 1, 27):
            step = np.array(np.unravel_index(number, (3, 3, 3))) - 1
            wanted = ascending + step @ strides
            found = np.minimum(np.searchsorted(ascending, wanted), wanted.size - 1)
            first = np.flatnonzero(ascending[found] == wanted)
            near, far = on_grid[order[first]], on_grid[order[found[first]]]
            lacks = self.grid_neighbours[near, number] < 0
            if (self.components[near[lacks]] == self.components[far[lacks]]).any():
                raise ValueError(
                    "places must be None unless all 26 neighbours of a voxel are joined by edges: "
                    "isoperimetric bounds are too large for 6 or 18 neighbours. Got voxels of a "
                    "component that share a corner without an edge."
                )

    def to_arrays(self) -> dict[str, Any]:
        """Return the graph as arrays. It can be restored from them.

        Returns
        -------
        arrays : dict
            Arrays, numbers and strings, by name.
        """
        arrays: dict[str, Any] = {
            "elements": self.elements,
            "edges": self.edges,
            "height": self.height,
            "neighbours": self.neighbours,
        }
        return arrays if self.places is None else {**arrays, "places": self.places}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], n_elements: int) -> SupraThresholdGraph:
        """Restore the graph from arrays, perhaps of an untrusted file.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            The result of :meth:`to_arrays`.

        n_elements : int
            Number of tested elements.

        Returns
        -------
        graph : SupraThresholdGraph
            The graph.
        """
        elements = stored_array(arrays, "elements", "iu", (None,))
        places = None
        if "places" in arrays:
            places = stored_array(arrays, "places", "iu", (elements.size, 3))
        return cls(
            n_elements,
            elements,
            stored_array(arrays, "edges", "iu", (None, 2)),
            places,
            height=stored_array(arrays, "height", "f").item(),
            neighbours=stored_array(arrays, "neighbours", "U").item(),
        )


def _check_elements(elements: np.ndarray, n_elements: int) -> None:
    is_list = elements.ndim == 1 and elements.dtype.kind in "iu"
    if not is_list or (np.diff(elements.astype(np.int64)) <= 0).any():
        raise ValueError("elements must be integers in ascending order, none of them twice.")
    if elements.size and (elements[0] < 0 or elements[-1] >= n_elements):
        raise ValueError(
            f"elements must lie in 0, ..., {n_elements - 1}. Got {elements[0]} to {elements[-1]}."
        )


def _check_edges(edges: np.ndarray, n_above: int) -> None:
    if edges.ndim != 2 or edges.shape[1] != 2 or edges.dtype.kind not in "iu":
        raise ValueError(f"edges must be pairs of integers. Got shape {edges.shape}.")
    if edges.size and (edges.min() < 0 or edges.max() >= n_above):
        raise ValueError(
            f"edges must lie in 0, ..., {n_above - 1}. Got {edges.min()} to {edges.max()}."
        )
    low, high = np.sort(edges.astype(np.int64), axis=1).T
    keys = np.sort(low * n_above + high)
    if (low == high).any() or (np.diff(keys) == 0).any():
        raise ValueError("edges must join two different elements, each pair once.")


def _check_places(places: np.ndarray, n_above: int) -> None:
    if places.shape != (n_above, 3) or places.dtype.kind not in "iu":
        raise ValueError(f"places must be integers of shape ({n_above}, 3). Got {places.shape}.")
    on_grid = (places != NOWHERE).all(axis=1)
    given = places[on_grid]
    if (places[~on_grid] != NOWHERE).any() or (
        given.size and (given.min() < 0 or given.max() >= _LONGEST_AXIS)
    ):
        raise ValueError(
            f"places must lie in 0, ..., {_LONGEST_AXIS - 1}, or be {NOWHERE} on all axes."
        )
