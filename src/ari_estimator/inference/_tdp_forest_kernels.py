"""Compiled loop behind :class:`ari_estimator.TDPForest`.

It relies on the checks of the class. This module imports numba, which takes noticeable time, so it
is imported only when needed.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def highest_above(tdps: np.ndarray, parents: np.ndarray, above: np.ndarray) -> None:
    """Fill in the highest TDP of the larger clusters around each cluster.

    The value is -1 for a cluster without a parent. A parent comes after its children.
    """
    for i in range(tdps.size - 1, -1, -1):
        parent = parents[i]
        if parent < 0:
            above[i] = -1.0
        else:
            # Without max(), which numba would compile too.
            above[i] = above[parent] if above[parent] > tdps[parent] else tdps[parent]
