"""Graph of the voxels of a mask."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from ari_estimator.graphs._graph import components_of, link, refuse_selected
from ari_estimator.graphs._grid_patterns import grid_patterns
from ari_estimator.graphs._neighbourhood import Neighbourhood

Connectivity = Literal[6, 18, 26]

CONNECTIVITIES: tuple[int, ...] = get_args(Connectivity)

# Smallest number of voxels in a slab, and largest number of slabs. Between two slabs, neighbours
# are searched for in the two planes that meet.
_SMALLEST_SLAB = 2**18
_MOST_SLABS = 16

# Places of a volume that are searched at a time.
_PLACES_AT_A_TIME = 2**17


class VoxelGrid:
    """Graph of the voxels of a mask.

    Parameters
    ----------
    mask : array-like of bool of shape (nx, ny, nz)
        Whether each voxel is a node.

    connectivity : {6, 18, 26}, default=6
        Neighbours share a face (6), a face or an edge (18), or a face, an edge or a
        corner (26).

    Attributes
    ----------
    mask : ndarray of bool of shape (nx, ny, nz)
        Whether each voxel is a node. Arrays of voxels hold them in the C order of the mask.

    connectivity : int
        The number of neighbours of a voxel.

    n_nodes : int
        Number of voxels in the mask.

    box : tuple of slice
        The box around all voxels of the mask.

    Raises
    ------
    ValueError
        If the mask is not a three-dimensional array of booleans, or the connectivity is not 6, 18
        or 26.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.graphs import VoxelGrid
    >>> grid = VoxelGrid(np.ones((1, 2, 2), dtype=bool), connectivity=6)
    >>> labels, n_components = grid.components([True, False, False, True])
    >>> labels.tolist(), n_components
    ([1, 0, 0, 2], 2)
    >>> grid.edges([True, True, False, True]).tolist()
    [[0, 1], [1, 3]]
    """

    def __init__(self, mask: ArrayLike, connectivity: Connectivity = 6) -> None:
        self.mask = np.asarray(mask)
        if self.mask.ndim != 3 or self.mask.dtype != bool:
            raise ValueError(
                "mask must be a three-dimensional array of booleans. "
                f"Got shape {self.mask.shape} of {self.mask.dtype}."
            )
        if connectivity not in CONNECTIVITIES:
            raise ValueError(f"connectivity must be 6, 18 or 26. Got {connectivity!r}.")
        self.connectivity = connectivity
        # Number of coordinates that may differ by one between neighbours.
        self._n_changes = 1 + CONNECTIVITIES.index(connectivity)
        self.n_nodes = int(np.count_nonzero(self.mask))
        has_voxels = (np.flatnonzero(self.mask.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1)))
        self.box = tuple(slice(n[0], n[-1] + 1) if n.size else slice(0, 0) for n in has_voxels)

    def components(self, selected: ArrayLike) -> tuple[np.ndarray, int]:
        """Return the connected components of the selected voxels.

        Parameters
        ----------
        selected : array-like of bool of shape (n_voxels,)
            Whether each voxel of the mask is selected.

        Returns
        -------
        labels : ndarray of int32 of shape (n_voxels,)
            1, 2, ... for the components, in the order of their first voxels; 0 for voxels
            that are not selected.

        n_components : int
            Number of components.

        Raises
        ------
        ValueError
            If the length of the selection is not the number of voxels in the mask.
        """
        selected = np.asarray(selected, dtype=bool)
        if selected.shape != (self.n_nodes,):
            refuse_selected(selected, self.n_nodes, "voxel of the mask")
        # Only the box around all voxels, because most of the image is outside it. Slabs of the box
        # follow each other, because scipy's labels have four bytes for each voxel of a volume.
        mask = self.mask[self.box]
        n_slabs = max(1, min(_MOST_SLABS, mask.size // _SMALLEST_SLAB))
        n_planes = 1 + len(mask) // n_slabs
        structure = ndimage.generate_binary_structure(3, self._n_changes)
        labels = np.zeros(self.n_nodes, dtype=np.int32)
        # The slabs with selected voxels, each with the number of labels before it.
        slabs: list[tuple[slice, int]] = []
        pairs: list[np.ndarray] = []
        last: np.ndarray | None = None
        n_labels = stop = 0
        for first in range(0, len(mask), n_planes):
            in_slab = mask[first : first + n_planes]
            start, stop = stop, stop + np.count_nonzero(in_slab)
            chosen = selected[start:stop]
            if not chosen.any():
                last = None
                continue
            volume = np.zeros(in_slab.shape, dtype=bool)
            volume[in_slab] = chosen
            numbers, n_more = ndimage.label(volume, structure=structure)
            labels[start:stop] = numbers[in_slab]
            slabs.append((slice(start, stop), n_labels))
            numbers[[0, -1]] += volume[[0, -1]] * np.int32(n_labels)
            if last is not None:
                pairs += _touching(last, numbers[0], structure[0])
            last = numbers[-1]
            n_labels += n_more
        if len(slabs) < 2:
            return labels, n_labels
        numbers = _united(n_labels, pairs)
        for slab, n_before in slabs:
            of_slab = numbers[n_before:].copy()
            of_slab[0] = 0
            labels[slab] = of_slab[labels[slab]]
        return labels, int(numbers.max())

    def edges(self, selected: ArrayLike) -> np.ndarray:
        """Return the pairs of neighbours among the selected voxels.

        Parameters
        ----------
        selected : array-like of bool of shape (n_voxels,)
            Whether each voxel of the mask is selected.

        Returns
        -------
        edges : ndarray of intp of shape (n_edges, 2)
            Each pair once, as positions in arrays of voxels, with the lower voxel first, in
            ascending order.

        Raises
        ------
        ValueError
            If the length of the selection is not the number of voxels in the mask.
        """
        selected = np.asarray(selected, dtype=bool)
        if selected.shape != (self.n_nodes,):
            refuse_selected(selected, self.n_nodes, "voxel of the mask")
        nodes = np.flatnonzero(selected)
        if nodes.size == 0:
            return np.empty((0, 2), dtype=np.intp)
        # The box around the selected voxels holds their positions. It has a margin on all sides,
        # so that a step from one of them stays inside.
        voxels = np.stack(np.unravel_index(places_of(self.mask, nodes), self.mask.shape))
        voxels -= voxels.min(axis=1, keepdims=True) - 1
        box = np.full(voxels.max(axis=1) + 2, -1, dtype=np.intp)
        places = np.ravel_multi_index(tuple(voxels), box.shape)
        box.flat[places] = nodes
        # A neighbour either comes later in C order, or has this voxel as a later neighbour.
        steps = [step for step in self._steps() if step > (0, 0, 0)]
        neighbours = box.ravel()[places[:, None] + _distances(steps, box.shape)]
        is_edge = neighbours >= 0
        return np.column_stack([np.repeat(nodes, is_edge.sum(axis=1)), neighbours[is_edge]])

    def neighbourhoods(self) -> list[Neighbourhood]:
        """Return the neighbours of all voxels, which are computed and not stored.

        Returns
        -------
        neighbourhoods : list of one Neighbourhood
            Slots are the voxels of the box around the mask, with a margin of one voxel on all
            sides.
        """
        mask = np.pad(self.mask[self.box], 1)
        plane, row = mask[0].size, mask.shape[2]
        # Some planes at a time, because numpy returns eight bytes for each place.
        n_planes = max(1, _PLACES_AT_A_TIME // plane)
        slots = np.concatenate(
            [
                (np.flatnonzero(mask[first : first + n_planes]) + first * plane).astype(np.int32)
                for first in range(0, len(mask), n_planes)
            ]
        )
        offsets = _distances(self._steps(), mask.shape).astype(np.int32)
        # A broadcast number for all voxels, which takes no memory.
        starts, stops = (np.broadcast_to(np.int32(n), slots.shape) for n in (0, offsets.size))
        # Voxels that share a face with a voxel do not touch each other.
        n_changes = self._n_changes
        patterns = None if n_changes == 1 else grid_patterns(n_changes, plane, row)
        return [Neighbourhood(slots, mask.size, slots, starts, stops, offsets, patterns)]

    def _steps(self) -> list[tuple[int, ...]]:
        """Return the steps from a voxel to its neighbours, in ascending order."""
        steps = product((-1, 0, 1), repeat=3)
        return [step for step in steps if 0 < np.abs(step).sum() <= self._n_changes]


def places_of(mask: np.ndarray, elements: np.ndarray) -> np.ndarray:
    """Return the positions of some elements of a mask in the C order of its grid.

    The result equals ``numpy.flatnonzero(mask)[elements]``. It needs no array of the positions of
    all elements, which would have eight bytes for each element.

    Parameters
    ----------
    mask : ndarray of bool of shape (nx, ny, nz)
        The mask. Its elements are numbered in C order.

    elements : ndarray of int of shape (n,)
        Elements, from 0.

    Returns
    -------
    places : ndarray of int of shape (n,)
        Their positions.
    """
    ends = np.cumsum([np.count_nonzero(plane) for plane in mask])
    order = np.argsort(elements, kind="stable")
    stops = np.searchsorted(elements, ends, sorter=order)
    places = np.empty(elements.size, dtype=np.intp)
    start = 0
    for plane in np.flatnonzero(np.diff(stops, prepend=0)):
        here = order[start : stops[plane]]
        # Counted from the end of the plane, so below 0.
        within = elements[here] - ends[plane]
        places[here] = np.flatnonzero(mask[plane])[within] + plane * mask[plane].size
        start = stops[plane]
    return places


def _touching(
    before: np.ndarray, after: np.ndarray, is_neighbour: np.ndarray
) -> Iterator[np.ndarray]:
    """Yield pairs of labels in neighbouring planes that touch, each of shape (2, n_pairs).

    ``is_neighbour`` tells which of the 3 x 3 voxels of the first plane touch a voxel of the second.
    """
    padded = np.pad(before, 1)
    for i, j in np.argwhere(is_neighbour):
        shifted = padded[i : i + after.shape[0], j : j + after.shape[1]]
        both = (shifted > 0) & (after > 0)
        pairs = np.array([shifted[both], after[both]])
        # Most pairs come again in the next voxel.
        yield pairs[:, (np.diff(pairs, prepend=0) != 0).any(axis=0)]


def _united(n_labels: int, pairs: list[np.ndarray]) -> np.ndarray:
    """Return new labels for 0, ..., ``n_labels``: pairs get one label, and no number is left out.

    They are in the order of the lowest labels that they replace.
    """
    if not pairs:
        return np.arange(n_labels + 1, dtype=np.int32)
    one_end, other_end = np.concatenate(pairs, axis=1)
    components, first_labels = components_of(link(one_end, other_end, n_labels + 1))
    numbers = np.empty(first_labels.size, dtype=np.int32)
    numbers[np.argsort(first_labels)] = np.arange(first_labels.size)
    return numbers[components]


def _distances(steps: list[tuple[int, ...]], shape: tuple[int, ...]) -> np.ndarray:
    """Return the offsets of steps in the C order of a grid."""
    return np.array(steps) @ np.array([shape[1] * shape[2], shape[2], 1])
