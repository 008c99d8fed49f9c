"""The neighbours of all nodes, for compiled loops."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ari_estimator.graphs._grid_patterns import GridPatterns


class Neighbourhood(NamedTuple):
    """The neighbours of all nodes, stored (for a mesh) or computed (for a grid).

    Each node has a slot. Its neighbours are the nodes in the slots ``base + offsets[start:stop]``.
    For a grid, slots are the voxels of a padded volume, and all nodes share one range of offsets.
    For a mesh, slots are vertices, the bases are 0, and the offsets are the rows of a sparse
    matrix. One loop works for both.

    Attributes
    ----------
    slots : ndarray of int32 of shape (n_nodes,)
        The slot of each node.

    n_slots : int
        Number of slots.

    bases : ndarray of int32 of shape (n_nodes,)
        Base of the offsets of each node.

    starts, stops : ndarray of int32 of shape (n_nodes,)
        The range of offsets of each node.

    offsets : ndarray of int32
        Offsets of all neighbours.

    patterns : GridPatterns or None
        For a grid whose neighbours of a voxel often touch each other, which of them to visit.
    """

    slots: np.ndarray
    n_slots: int
    bases: np.ndarray
    starts: np.ndarray
    stops: np.ndarray
    offsets: np.ndarray
    patterns: GridPatterns | None = None

    @property
    def are_stored(self) -> bool:
        """Whether there is an offset for each neighbour of each node, as for a mesh."""
        return int((self.stops - self.starts).sum(dtype=np.int64)) <= self.offsets.size
