"""Compiled loops behind :class:`ari_estimator.closed_testing.Hommel`.

The public class checks the arguments. Importing numba takes a noticeable time, so this module is
imported when first needed.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def smallest_slopes(sorted_p: np.ndarray) -> np.ndarray:
    """Return ``min_{j <= i} p_(m-i+j) / j`` for i = 1, ..., m, in linear time.

    This is the smallest slope of a line from the point (m - i, 0) to one of the points
    (k, p_(k)) to its right. This line lies below all points, also to its left, where it
    is negative. So it touches their lower convex hull, and the touching point only moves
    left as i grows.
    """
    m = sorted_p.size
    hull = np.empty(m, dtype=np.int64)  # ranks k of the vertices, from left to right
    n_hull = 0
    for rank in range(1, m + 1):
        while n_hull >= 2:
            left, middle = hull[n_hull - 2], hull[n_hull - 1]
            rise_left = sorted_p[middle - 1] - sorted_p[left - 1]
            rise_right = sorted_p[rank - 1] - sorted_p[middle - 1]
            if rise_left * (rank - middle) < rise_right * (middle - left):
                break
            n_hull -= 1
        hull[n_hull] = rank
        n_hull += 1

    slopes = np.empty(m)
    touching = n_hull - 1
    for size in range(1, m + 1):
        start = m - size
        slope = sorted_p[hull[touching] - 1] / (hull[touching] - start)
        while touching > 0 and hull[touching - 1] > start:
            candidate = sorted_p[hull[touching - 1] - 1] / (hull[touching - 1] - start)
            if candidate > slope:
                break
            slope = candidate
            touching -= 1
        slopes[size - 1] = slope
    return slopes


@njit(cache=True)
def adjusted_sorted(
    sorted_statistics: np.ndarray, jumps: np.ndarray, factors: np.ndarray
) -> np.ndarray:
    """Return the smallest alpha with ``s_h(alpha) * q <= alpha`` for each q, ascending.

    For alpha in [a_(i+1), a_i) the Hommel value is i, so the answer is the minimum over
    i of ``max(s_i * q, a_(i+1))``. The first grows with i and the second falls: the
    minimum is where they cross, and the crossing moves left as q grows.
    """
    m = jumps.size
    adjusted = np.empty(sorted_statistics.size)
    size = m  # largest i considered: s_i * q >= a_(i+1), with a_(m+1) = 0
    for rank in range(sorted_statistics.size):
        q = sorted_statistics[rank]
        while size > 0 and (factors[size - 2] * q if size >= 2 else 0.0) >= jumps[size - 1]:
            size -= 1
        # Now s_size * q >= a_(size+1), and s_(size-1) * q < a_size.
        value = factors[size - 1] * q if size >= 1 else jumps[0]
        if size >= 1 and jumps[size - 1] < value:
            value = jumps[size - 1]
        adjusted[rank] = min(value, 1.0)
    return adjusted
