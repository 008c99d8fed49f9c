"""Graph of the voxels of a mask."""

from __future__ import annotations

from functools import cached_property
from itertools import product
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from ari_estimator.graphs._graph import refuse_selected
from ari_estimator.graphs._neighbourhood import Neighbourhood

Connectivity = Literal[6, 18, 26]

CONNECTIVITIES: tuple[int, ...] = get_args(Connectivity)


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
        self.n_nodes = int(self.mask.sum())

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
        # Only the box around all voxels, because most of the image is outside it.
        mask = self.mask[self.box]
        volume = np.zeros(mask.shape, dtype=bool)
        volume[mask] = selected
        structure = ndimage.generate_binary_structure(
            3, 1 + CONNECTIVITIES.index(self.connectivity)
        )
        labels, n_components = ndimage.label(volume, structure=structure)
        return labels[mask], n_components

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
        voxels = np.stack(np.unravel_index(self._places[nodes], self.mask.shape))
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
        mask = self.mask[self.box]
        shape = tuple(n + 2 for n in mask.shape)
        slots = np.flatnonzero(np.pad(mask, 1)).astype(np.int32)
        offsets = _distances(self._steps(), shape).astype(np.int32)
        # A broadcast number for all voxels, which takes no memory.
        starts, stops = (np.broadcast_to(np.int32(n), slots.shape) for n in (0, offsets.size))
        return [Neighbourhood(slots, int(np.prod(shape)), slots, starts, stops, offsets)]

    def _steps(self) -> list[tuple[int, ...]]:
        """Return the steps from a voxel to its neighbours, in ascending order."""
        n_changes = 1 + CONNECTIVITIES.index(self.connectivity)
        steps = product((-1, 0, 1), repeat=3)
        return [step for step in steps if 0 < np.abs(step).sum() <= n_changes]

    @cached_property
    def box(self) -> tuple[slice, ...]:
        """The box around all voxels of the mask."""
        has_voxels = (np.flatnonzero(self.mask.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1)))
        return tuple(slice(n[0], n[-1] + 1) if n.size else slice(0, 0) for n in has_voxels)

    @cached_property
    def _places(self) -> np.ndarray:
        """Positions of the voxels in the C order of the whole grid, of shape (n_voxels,)."""
        return np.flatnonzero(self.mask)


def _distances(steps: list[tuple[int, ...]], shape: tuple[int, ...]) -> np.ndarray:
    """Return the offsets of steps in the C order of a grid."""
    return np.array(steps) @ np.array([shape[1] * shape[2], shape[2], 1])
