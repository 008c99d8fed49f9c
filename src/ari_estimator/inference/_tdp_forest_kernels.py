"""Compiled loop behind :class:`ari_estimator.TDPForest`.

It assumes what the class has checked. This module imports numba, which takes a noticeable
time, so it is itself imported when first needed.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def highest_above(tdps: np.ndarray, parents: np.ndarray) -> np.ndarray:
    """Return the highest TDP of the clusters that each cluster is a part of.

    -1 for a cluster that is a part of none. A parent comes after its children.
    """
    above = np.empty(tdps.size)
    for i in range(tdps.size - 1, -1, -1):
        parent = parents[i]
        above[i] = -1.0 if parent < 0 else max(above[parent], tdps[parent])
    return above
