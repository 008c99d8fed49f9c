"""Compiled loop behind :meth:`ari_estimator.closed_testing.CriticalVector.confidence_curve`.

The public method checks the arguments. Importing numba takes a noticeable time, so this module is
imported when first needed.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def running_true_discoveries(surplus: np.ndarray, k_max: int) -> np.ndarray:
    """Return the bound of every prefix of a sequence of elements.

    ``surplus[i]`` counts the thresholds below p-value i (its category less one). At most
    ``u`` true nulls may have a surplus of at most ``u``, for every ``u`` below
    ``k_max``. A largest set of possible nulls is found greedily, as in scheduling
    with deadlines: each element takes the last free slot among 1, ..., surplus, and is
    a discovery if there is none. Disjoint sets give that slot in almost constant time.
    """
    free = np.arange(k_max)  # a slot's parent; its root is the last free slot
    bounds = np.empty(surplus.size, dtype=np.int64)
    n_discoveries = 0
    for i in range(surplus.size):
        slot = surplus[i]
        if slot < k_max:
            while free[slot] != slot:
                free[slot] = free[free[slot]]
                slot = free[slot]
            if slot == 0:
                n_discoveries += 1
            else:
                free[slot] = slot - 1
        bounds[i] = n_discoveries
    return bounds


@njit(cache=True)
def nested_true_discoveries(
    surplus: np.ndarray,
    starts: np.ndarray,
    longest: np.ndarray,
    counting: np.ndarray,
    free: np.ndarray,
    taken: np.ndarray,
    bounds: np.ndarray,
) -> None:
    """Fill in the bound of every range ``starts[i], ..., i`` of a sequence of elements.

    Ranges are disjoint or within each other. Ranges with the same start are prefixes of the
    longest one. One pass over it bounds them all, as in ``running_true_discoveries``. Most ranges
    have no element with a surplus below ``k_max``, so their bounds are 0.

    Before, ``longest`` is -1, ``free`` holds the numbers from 0 to ``k_max - 1``, and ``bounds`` is
    0. ``counting`` holds how many elements up to each have this surplus. numpy makes the arrays,
    since numba would compile each function that makes one.
    """
    n, k_max = surplus.size, free.size
    for i in range(n):
        longest[starts[i]] = i
    for start in range(n):
        stop = longest[start] + 1
        if stop == 0 or (counting[stop - 1] == counting[start] and surplus[start] >= k_max):
            continue
        n_discoveries = 0
        n_taken = 0
        for i in range(start, stop):
            slot = surplus[i]
            if slot < k_max:
                while free[slot] != slot:
                    free[slot] = free[free[slot]]
                    slot = free[slot]
                if slot == 0:
                    n_discoveries += 1
                else:
                    free[slot] = slot - 1
                    taken[n_taken] = slot
                    n_taken += 1
            if starts[i] == start:
                bounds[i] = n_discoveries
        for k in range(n_taken):
            free[taken[k]] = taken[k]
