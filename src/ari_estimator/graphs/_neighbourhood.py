"""Who is whose neighbour, in the form that compiled loops read."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Neighbourhood(NamedTuple):
    """The neighbours of all nodes, stored (of a mesh) or computed (of a grid).

    Each node has a slot. Its neighbours are in the slots ``base + offsets[start:stop]``, as
    far as there are nodes in these. For a grid, the slots are those of a padded volume, and all
    nodes share one range of offsets; for a mesh, slots are vertices, the bases are 0, and the
    offsets are the rows of a sparse matrix. One loop serves both.

    Attributes
    ----------
    slots : ndarray of int32 of shape (n_nodes,)
        The slot of each node.

    n_slots : int
        Number of slots.

    bases : ndarray of int32 of shape (n_nodes,)
        What the offsets of each node count from.

    starts, stops : ndarray of int32 of shape (n_nodes,)
        The range of offsets of each node.

    offsets : ndarray of int32
        Offsets of all neighbours.
    """

    slots: np.ndarray
    n_slots: int
    bases: np.ndarray
    starts: np.ndarray
    stops: np.ndarray
    offsets: np.ndarray
