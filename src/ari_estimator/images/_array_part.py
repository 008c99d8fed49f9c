"""Elements of an array, with the neighbours that a user gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ari_estimator._masked_values import refuse_masked
from ari_estimator.graphs import Graph
from ari_estimator.graphs._graph_part import GraphPart
from ari_estimator.graphs._voxel_grid import Connectivity
from ari_estimator.images._mask_array import restricted

# Tables have these as peak_stat and peak_region already.
_TAKEN = frozenset({"stat", "region"})


@dataclass(frozen=True)
class ArrayPart:
    """Elements of an array, such as sensors and times.

    Attributes
    ----------
    mask : ndarray of bool
        The elements there are, in the shape of one map; arrays hold them in C order.

    whole_graph : Graph or None
        Neighbours of all elements of the shape, those outside of the mask included. None if they
        are not known. Regions do not need them.

    positions : mapping of str to ndarray
        Names of columns, and values that broadcast to the shape of one map.

    why_no_graph : str
        The error for those who need neighbours that are not known.
    """

    mask: np.ndarray
    whole_graph: Graph | None
    positions: Mapping[str, np.ndarray]
    why_no_graph: str = (
        "adjacency must say which elements of the arrays are neighbours. Got None. Pass a matrix, "
        "a graph of ari_estimator.graphs, or 'lattice' for neighbours along each axis."
    )

    size_unit = None

    @cached_property
    def n_elements(self) -> int:
        """Number of elements."""
        return int(np.count_nonzero(self.mask))

    @property
    def element_name(self) -> tuple[str, str]:
        """What an element is called, and what several are."""
        return "element", "elements"

    def restrict(self, kept: np.ndarray) -> ArrayPart:
        """Return the part of some of its elements."""
        return replace(self, mask=restricted(self.mask, kept))

    def turned(self) -> tuple[ArrayPart, np.ndarray]:
        """Return the part as it is, see :meth:`Space.turned`: axes of arrays have no direction."""
        return self, np.arange(self.n_elements, dtype=np.int32)

    def ranks_of(self, elements: np.ndarray) -> np.ndarray:
        """Return where elements come in their order, see :meth:`Space.ranks_of`."""
        return elements

    def graph(self, connectivity: Connectivity) -> Graph:
        """Return who is whose neighbour, by the adjacency that the user gave."""
        if self.whole_graph is None:
            raise ValueError(self.why_no_graph)
        if self.mask.all():
            return self.whole_graph
        return GraphPart(self.whole_graph, self.mask.ravel())

    @cached_property
    def places(self) -> dict[str, np.ndarray]:
        """What tables tell about a place: the index of axes without coordinates, then coordinates.

        The values have as many axes as a map, and broadcast to its shape.
        """
        shape = self.mask.shape
        named = {
            axis
            for values in self.positions.values()
            for axis, length in enumerate(values.shape)
            if length == shape[axis]
        }
        along: list[np.ndarray] = [*np.indices(shape, sparse=True)]
        unnamed = {
            self.index_name(axis): indices
            for axis, indices in enumerate(along)
            if axis not in named
        }
        return {**unnamed, **self.positions}

    def index_name(self, axis: int) -> str:
        """Return what the index along an axis is called."""
        return "index" if self.mask.ndim == 1 else f"index_{axis}"

    def locate(self, elements: np.ndarray) -> dict[str, np.ndarray]:
        """Say where elements are: the coordinates given, and the index along all other axes."""
        indices = np.unravel_index(np.flatnonzero(self.mask)[elements], self.mask.shape)
        return {
            name: np.broadcast_to(values, self.mask.shape)[indices]
            for name, values in self.places.items()
        }


def positions_of(coordinates: object, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Return the coordinates of a user, each in a shape that broadcasts to the shape of a map.

    Parameters
    ----------
    coordinates : mapping of str to array-like, or None
        Names of columns and their values. Arrays of one dimension belong to the axes of a map in
        turn. Others must broadcast to the shape of a map, with as many axes.

    shape : tuple of int
        Shape of a map.

    Returns
    -------
    positions : dict of str to ndarray
        The values, with as many axes as a map.

    Raises
    ------
    TypeError
        If they are not a mapping of str.
    ValueError
        If a name is taken or the values do not fit the shape.
    """
    if coordinates is None:
        return {}
    if not isinstance(coordinates, Mapping) or not all(isinstance(n, str) for n in coordinates):
        raise TypeError(
            "coordinates must be a dictionary of names and values, such as "
            "{'channel': names, 'time': seconds}. "
            f"Got {type(coordinates).__name__}."
        )
    positions = {}
    axis = 0
    for name, given in coordinates.items():
        if not name or name in _TAKEN:
            raise ValueError(
                f"coordinates must have names other than {', '.join(sorted(_TAKEN))} and ''. "
                f"Got {name!r}."
            )
        refuse_masked(given, f"coordinates[{name!r}]", "Give each place a value.")
        values = np.array(given)  # a copy, because the user may change the array later
        if values.ndim == 1 and len(shape) > 1:
            if axis == len(shape) or values.size != shape[axis]:
                what = "no axis is left" if axis == len(shape) else f"axis {axis} has {shape[axis]}"
                raise ValueError(
                    f"coordinates[{name!r}] has one dimension, so it belongs to the next axis of a "
                    f"map: {what}. Got {values.size} values. One-dimensional values name the axes "
                    f"of a map of shape {shape} in turn. Other values need {len(shape)} axes that "
                    "broadcast to this shape, such as values[:, np.newaxis]."
                )
            values = values.reshape([-1 if k == axis else 1 for k in range(len(shape))])
            axis += 1
        if values.ndim != len(shape) or any(
            n not in (1, m) for n, m in zip(values.shape, shape, strict=True)
        ):
            raise ValueError(
                f"coordinates[{name!r}] must have a value for each place along an axis, or a shape "
                f"that broadcasts to the shape of a map, {shape}. Got shape {np.shape(given)}."
            )
        positions[name] = values
    return positions
