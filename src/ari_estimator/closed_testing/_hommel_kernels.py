"""Compiled loops behind :class:`ari_estimator.closed_testing.Hommel`.

The public class checks the arguments. Importing numba takes a noticeable time, so this module is
imported when first needed.
"""

from __future__ import annotations

import numpy as np
from numba import njit

# The bits of a double in [0, 1], shifted by so many, are its exponent and the first six bits after
# it. They are the number of the edge at or below it.
SHIFT = 46
EDGES = (np.arange((1023 << 6) + 2) << SHIFT).view(np.float64)


@njit(cache=True)
def find_jumps(
    sorted_p: np.ndarray, factors: np.ndarray, hull: np.ndarray, jumps: np.ndarray
) -> None:
    """Fill in the smallest alpha with ``h(alpha) < i`` for i = 1, ..., m, in linear time.

    It is ``s_i * min_{j <= i} p_(m-i+j) / j``. The minimum is the smallest slope of a line from the
    point (m - i, 0) to one of the points (k, p_(k)) to its right. This line lies below all points,
    also to its left, where it is negative. So it touches their lower convex hull, and the touching
    point only moves left as i grows.

    A larger set may have a larger value: s_i / i grows for Hommel's test, and for Simes' test by
    rounding. h is the size of the largest set with a value above alpha.

    ``hull`` holds the ranks k of the vertices, from left to right.
    """
    m = sorted_p.size
    n_hull = 0
    left = middle = 0  # the last two vertices
    p_left = p_middle = 0.0
    for rank in range(1, m + 1):
        p = sorted_p[rank - 1]
        while n_hull >= 2:
            if (p_middle - p_left) * (rank - middle) < (p - p_middle) * (middle - left):
                break
            n_hull -= 1
            middle, p_middle = left, p_left
            if n_hull >= 2:
                left = hull[n_hull - 2]
                p_left = sorted_p[left - 1]
        left, p_left = middle, p_middle
        middle, p_middle = rank, p
        hull[n_hull] = rank
        n_hull += 1

    n_hull -= 1
    touching, p_touching = middle, p_middle
    left = hull[n_hull - 1] if n_hull > 0 else 0
    for size in range(1, m + 1):
        start = m - size
        slope = p_touching / (touching - start)
        while left > start:
            p_left = sorted_p[left - 1]
            candidate = p_left / (left - start)
            if candidate > slope:
                break
            slope = candidate
            touching, p_touching = left, p_left
            n_hull -= 1
            left = hull[n_hull - 1] if n_hull > 0 else 0
        jumps[size - 1] = min(factors[size - 1] * slope, 1.0)
    for i in range(m - 2, -1, -1):
        if jumps[i] < jumps[i + 1]:
            jumps[i] = jumps[i + 1]


@njit(cache=True)
def adjust(
    q: np.ndarray, jumps: np.ndarray, factors: np.ndarray, edges: np.ndarray, found: np.ndarray
) -> None:
    """Fill in the smallest alpha with ``s_h(alpha) * q <= alpha`` for each q, in any order.

    For alpha in [a_(i+1), a_i) the Hommel value is i, so the answer is the minimum over
    i of ``max(s_i * q, a_(i+1))``. The first grows with i and the second falls: the
    minimum is where they cross, and the crossing moves left as q grows.

    The answer never falls as q grows, not even by rounding. So a q between two edges with the same
    answer has that answer, as most have. Bisection finds the other crossings.
    """
    n_edges = edges.size
    crossings = np.empty(n_edges, dtype=np.int64)
    answers = np.empty(n_edges)
    size = jumps.size  # largest i considered: s_i * q >= a_(i+1), with a_(m+1) = 0
    for k in range(n_edges):
        while size > 0 and (factors[size - 2] * edges[k] if size >= 2 else 0.0) >= jumps[size - 1]:
            size -= 1
        crossings[k] = size
        answers[k] = min(factors[size - 1] * edges[k], jumps[size - 1]) if size > 0 else jumps[0]
    bits = q.view(np.int64)
    for k in range(q.size):
        edge = max(bits[k] >> SHIFT, 0)  # -0.0 has the sign bit
        if answers[edge] == answers[edge + 1]:
            found[k] = answers[edge]
            continue
        lowest, size = crossings[edge + 1], crossings[edge]
        while lowest < size:
            middle = (lowest + size + 1) >> 1
            if (factors[middle - 2] * q[k] if middle >= 2 else 0.0) >= jumps[middle - 1]:
                size = middle - 1
            else:
                lowest = middle
        # Now s_size * q >= a_(size+1), and s_(size-1) * q < a_size. No jump is above 1.
        found[k] = min(factors[size - 1] * q[k], jumps[size - 1]) if size > 0 else jumps[0]
