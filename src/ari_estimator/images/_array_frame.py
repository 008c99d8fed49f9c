"""Arrays: values of sensors and times, edges of a network, points of a curve."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, cast

import numpy as np

from ari_estimator._masked_values import refuse_masked
from ari_estimator.files._stored_array import stored_array
from ari_estimator.graphs import Graph, product
from ari_estimator.graphs._stored_graph import graph_from_arrays, graph_to_arrays
from ari_estimator.images._array_part import ArrayPart, positions_of
from ari_estimator.images._frame import GIVEN, Frame, check_binary, select
from ari_estimator.images._given_graph import as_graph, is_lattice
from ari_estimator.images._mask_array import mask_values
from ari_estimator.images._painted_values import Values
from ari_estimator.images._single_array import SingleArray
from ari_estimator.images._space import Space

# What to do with masked values of maps.
FILL_WITH_NAN = "Fill them with NaN, which leaves them out: array.filled(np.nan)."


class ArrayFrame(Frame):
    """The family of arrays: all elements of one map, or the elements of a mask.

    The first axis of an array is always the maps, also if there is one map.
    """

    kind = "numpy array"
    geometry_names: ClassVar[tuple[str, ...]] = ("adjacency", "coordinates")

    @staticmethod
    def read(img: Any, *, single: bool) -> np.ndarray | SingleArray:
        """Return an array of maps, or of one, checked."""
        if isinstance(img, SingleArray):
            return img
        refuse_masked(img, "Arrays", FILL_WITH_NAN)
        array = np.asarray(img)
        if array.dtype.kind not in "biuf":
            raise TypeError(
                f"Arrays must hold real numbers. Got values of {array.dtype}. For complex values, "
                "test their modulus or another real statistic."
            )
        return array

    def read_single(self, img: Any) -> SingleArray:
        """Return an array in the shape of a map."""
        array = self.read(img, single=True)
        return array if isinstance(array, SingleArray) else SingleArray(array)

    def read_labels(self, img: Any) -> np.ndarray | SingleArray:
        """Return an array of labels in the shape of a map, or of several maps."""
        array = self.read(img, single=False)
        is_one = isinstance(array, np.ndarray) and array.ndim == self.mask_img.ndim
        return SingleArray(np.asarray(array)) if is_one else array

    @staticmethod
    def n_maps(img: np.ndarray | SingleArray) -> int:
        """Return the number of maps in an array."""
        return 1 if isinstance(img, SingleArray) else len(img)

    @classmethod
    def is_single(cls, img: Any) -> bool:
        """Tell whether an array is a single map. The arrays of a user never are."""
        return isinstance(img, SingleArray)

    @classmethod
    def fit(
        cls,
        mask_img: Any,
        imgs: Sequence[np.ndarray] | None,
        *,
        geometry: Mapping[str, Any],
        verbose: int,
    ) -> ArrayFrame:
        """Return the frame of a mask, or of all elements of a map.

        Raises
        ------
        ValueError
            If there is no map, no mask and no adjacency, or they differ in shape.
        """
        adjacency, coordinates = geometry.get("adjacency"), geometry.get("coordinates")
        graph = None if adjacency is None or is_lattice(adjacency) else as_graph(adjacency)
        shape = _shape_of(mask_img, imgs, graph)
        if is_lattice(adjacency):
            graph = product(*shape)
        if graph is not None and graph.n_nodes != math.prod(shape):
            raise ValueError(
                "adjacency must have a row for each element of a map, in C order. Got "
                f"{graph.n_nodes} rows for maps of shape {shape}, which have {math.prod(shape)} "
                f"elements.{_help_with_product(graph, shape)}"
            )
        called = "all elements of the maps, since there is no mask"
        mask = np.ones(shape, dtype=bool)
        if mask_img is not None:
            given = mask_values(mask_img)
            check_binary(given)
            mask = np.nan_to_num(given).astype(bool)
            called = getattr(mask_img, "mask_called", GIVEN)
            if not mask.any():
                raise ValueError("mask_img must have elements. Got a mask that is empty.")
        part = ArrayPart(mask, graph, positions_of(coordinates, shape))
        return cls(mask, None, Space((part,)), mask_called=called)

    @property
    def _part(self) -> ArrayPart:
        return cast("ArrayPart", self.space.parts[0])

    @property
    def fills_grid(self) -> bool:
        """Whether nothing is outside of the mask."""
        return bool(self.mask_img.all())

    def check(self, img: np.ndarray, name: str) -> None:
        """Raise a ValueError unless there is a value for each element of a map."""
        shape = self.mask_img.shape
        of_one = isinstance(img, SingleArray)
        array = img.values[np.newaxis] if isinstance(img, SingleArray) else img
        if array.shape[1:] == shape and array.ndim == len(shape) + 1 and len(array) > 0:
            return
        of_maps = f"({', '.join(map(str, ('n_maps', *shape)))})"
        if name != "map":
            raise ValueError(
                f"{name} must have the shape of a map, {shape}, or {of_maps}. Got shape "
                f"{array.shape[1:] if of_one else array.shape}."
            )
        hint = ""
        if array.shape == shape:
            hint = " A single map has a first axis of length 1: pass X[np.newaxis]."
        raise ValueError(
            f"An array of maps must have shape {of_maps}. Got shape {array.shape}.{hint}"
        )

    def arrays(self, img: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the values of each map, arrays of shape (n_elements,)."""
        for one in [img.values] if isinstance(img, SingleArray) else img:
            yield one.ravel() if self.fills_grid else one[self.mask_img]

    def image(
        self, rows: Iterable[Values], n_maps: int | None, description: str, like: Any = None
    ) -> np.ndarray:
        """Return results as an array of one map, or of ``n_maps`` maps, 0 outside of the mask."""
        wholes = [self._whole(row) for row in rows]
        return wholes[0] if n_maps is None else np.stack(wholes)

    def _whole(self, row: Values) -> np.ndarray:
        values = np.asarray(row)
        if self.fills_grid:
            return values.reshape(self.mask_img.shape)
        whole = np.zeros(self.mask_img.shape, dtype=values.dtype)
        whole[self.mask_img] = values
        return whole

    def of_array(self, values: np.ndarray) -> np.ndarray | None:
        """Return a value for each element; None if the array has another shape."""
        has_shape = values.shape == self.mask_img.shape
        return values[self.mask_img] if has_shape else super().of_array(values)

    @staticmethod
    def form(img: np.ndarray | SingleArray) -> np.ndarray | SingleArray:
        """Return the array itself."""
        return img

    def restore(self, form: Any, rows: Iterable[Values], description: str) -> np.ndarray:
        """Return results in an array of the shape of the maps."""
        return self.image(rows, None if self.is_single(form) else len(form), description)

    @staticmethod
    def single(img: np.ndarray) -> SingleArray:
        """Return an array without an axis of maps as a single map."""
        return SingleArray(img)

    def all_values(self, img: np.ndarray) -> np.ndarray:
        """Return all values of a map, those outside of the mask included."""
        return np.ravel(img.values if isinstance(img, SingleArray) else img)

    def at(self, indices: Any) -> np.ndarray:
        """Return which elements are named: by indices of shape (n, n_axes), or (n,) for one."""
        shape = self.mask_img.shape
        return select(shape, self.mask_img, indices, "elements", self.mask_called)[self.mask_img]

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the mask, the graph and the coordinates."""
        part = self._part
        arrays = {"mask": part.mask}
        if part.whole_graph is not None:
            arrays |= {f"graph_{n}": a for n, a in graph_to_arrays(part.whole_graph).items()}
        if part.positions:
            arrays["names"] = np.array([*part.positions])
        for number, values in enumerate(part.positions.values()):
            kept = values.astype(str) if values.dtype.kind not in "biuf" else values
            arrays[f"position_{number}"] = kept
        return arrays

    @staticmethod
    def mask_from_arrays(arrays: Mapping[str, np.ndarray]) -> tuple[np.ndarray, dict[str, Any]]:
        """Return the mask, the graph and the coordinates."""
        mask = stored_array(arrays, "mask", "b", None)
        geometry: dict[str, Any] = {}
        of_graph = {
            name.removeprefix("graph_"): array
            for name, array in arrays.items()
            if name.startswith("graph_")
        }
        if of_graph:
            geometry["adjacency"] = graph_from_arrays(of_graph, mask.size)
        if any(name == "names" or name.startswith("position_") for name in arrays):
            geometry["coordinates"] = {
                name: stored_array(arrays, f"position_{number}", "biufU", None)
                for number, name in enumerate(stored_array(arrays, "names", "U", (None,)).tolist())
            }
        return mask, geometry


def refuse_ambiguous_labels(labels_img: Any, array: Any) -> None:
    """Refuse labels in the shape of several maps, which are regions that may overlap.

    Who forgets the first axis of a single map passes labels in its shape.

    Parameters
    ----------
    labels_img : object
        The labels as given.

    array : ndarray or SingleArray
        The maps.

    Raises
    ------
    ValueError
        If both are arrays of one shape.
    """
    if isinstance(array, np.ndarray) and np.shape(labels_img) == array.shape:
        raise ValueError(
            f"labels_img must have the shape of one map, {array.shape[1:]}. Got {array.shape}, the "
            "shape of X, whose first axis is the maps. For one map, pass X[np.newaxis]. For "
            "regions that may overlap, set probability_threshold."
        )


def _shape_of(
    mask_img: Any, imgs: Sequence[np.ndarray] | None, graph: Graph | None
) -> tuple[int, ...]:
    """Return the shape of one map: of the maps, of the mask, or a number of nodes."""
    shape = None if mask_img is None else np.shape(getattr(mask_img, "mask_img_", mask_img))
    if imgs is not None:
        first = imgs[0].values[np.newaxis] if isinstance(imgs[0], SingleArray) else imgs[0]
        if first.ndim < 2:
            raise ValueError(
                "An array of maps must have shape (n_maps, ...), with the maps along its first "
                f"axis. Got shape {first.shape}. A single map of one axis is X[np.newaxis]."
            )
        of_maps = first.shape[1:]
        if shape is not None and shape != of_maps:
            raise ValueError(
                f"mask_img must have the shape of one map, {of_maps}. Got shape {shape}."
            )
        shape = of_maps
    if shape is None and graph is not None:
        shape = (graph.n_nodes,)
    if shape is None:
        raise ValueError("There must be maps, or a mask_img in the shape of one map. Got neither.")
    if 0 in shape or not shape:
        raise ValueError(f"A map must have elements. Got maps of shape {shape}.")
    return shape


def _help_with_product(graph: Graph, shape: tuple[int, ...]) -> str:
    """Say how to make the graph of all axes, where the adjacency belongs to one axis."""
    if len(shape) < 2 or shape.count(graph.n_nodes) != 1:
        return ""
    axis = shape.index(graph.n_nodes)
    factors = ["AdjacencyGraph(adjacency)" if k == axis else str(n) for k, n in enumerate(shape)]
    return (
        f" It fits axis {axis}. With neighbours along the other axes too, pass "
        f"graphs.product({', '.join(factors)})."
    )
