"""Compiled loops behind isoperimetric bounds, for voxels with 26 neighbours.

``V+`` is V shifted by each of the 8 steps of {0, 1}^3, on a grid without a border. Two voxels whose
``+`` overlap are neighbours, so components have disjoint ``+``. The functions rely on the checks of
:class:`ari_estimator.closed_testing.SupraThresholdGraph`: voxels are numbered in C order.
"""

from __future__ import annotations

import numpy as np
from numba import njit

# The number of no step, and of a step to the next voxel on each axis.
_NO_STEP = 13
_NEXT = (9, 3, 1)


@njit(cache=True)
def _smallest_plus(count: int, n_axes: int) -> int:
    """Return ``f_D(c)``: no set of c voxels on a grid with D axes has a smaller ``+``."""
    total = 0
    for axes in range(n_axes, 0, -1):
        if count == 0:
            break
        side = int(count ** (1.0 / axes))
        while side**axes > count:
            side -= 1
        while (side + 1) ** axes <= count:
            side += 1
        n_longer = 0
        block = side**axes
        while block // side * (side + 1) <= count and n_longer < axes:
            block = block // side * (side + 1)
            n_longer += 1
        total += (side + 1) ** (axes - n_longer) * (side + 2) ** n_longer
        count -= block
    return total


@njit(cache=True)
def densest_components(k_max: int) -> np.ndarray:
    """Return the component of at most k voxels with the largest ratio of size and ``+``.

    Row k holds its size c and ``f_3(c)``, for k = 0, 1, ..., k_max. No set of components of at
    most k voxels fills more than the share ``c / f_3(c)`` of its ``+``.
    """
    densest = np.zeros((k_max + 1, 2), dtype=np.int64)
    densest[0, 1] = 1
    for size in range(1, k_max + 1):
        plus = _smallest_plus(size, 3)
        if size * densest[size - 1, 1] > densest[size - 1, 0] * plus:
            densest[size, 0], densest[size, 1] = size, plus
        else:
            densest[size] = densest[size - 1]
    return densest


@njit(cache=True)
def _root(up: np.ndarray, node: int) -> int:
    while up[node] != node:
        up[node] = up[up[node]]
        node = up[node]
    return node


@njit(cache=True)
def _neighbour(grid: np.ndarray, mark: np.ndarray, voxel: int, step: int) -> int:
    """Return the neighbour of a voxel in the same set; -1 if there is none."""
    other = grid[voxel, step]
    return other if other >= 0 and mark[other] == mark[voxel] else -1


@njit(cache=True)
def _find_openings(
    voxels: np.ndarray,
    mark: np.ndarray,
    grid: np.ndarray,
    largest_side: int,
    side: np.ndarray,
    opening: np.ndarray,
    reach: np.ndarray,
) -> int:
    """Find the side of the largest cube inside of the set that each voxel lies in.

    Sides above ``largest_side`` count as that. ``opening`` receives the sides. ``side`` and
    ``reach`` are room for work. Returns the largest side.
    """
    highest = 1
    for i in range(voxels.size - 1, -1, -1):
        # The largest cube that has this voxel as its first corner.
        voxel = voxels[i]
        least = largest_side
        for step in range(_NO_STEP + 1, 27):
            dx, dy, dz = step // 9 - 1, step // 3 % 3 - 1, step % 3 - 1
            if dx >= 0 and dy >= 0 and dz >= 0:
                other = _neighbour(grid, mark, voxel, step)
                least = min(least, side[other] if other >= 0 else 0)
        side[voxel] = min(least + 1, largest_side)
        highest = max(highest, side[voxel])
        opening[voxel] = 1
    for length in range(2, highest + 1):
        # Fill cubes from their first corners, one axis after the other.
        for voxel in voxels:
            reach[voxel] = length if side[voxel] >= length else 0
        for axis in range(3):
            for voxel in voxels:
                if axis > 0 and reach[voxel] > 0:
                    reach[voxel] = length
                before = _neighbour(grid, mark, voxel, _NO_STEP - _NEXT[axis])
                if before >= 0:
                    reach[voxel] = max(reach[voxel], reach[before] - 1)
        for voxel in voxels:
            if reach[voxel] > 0:
                opening[voxel] = length
    return highest


@njit(cache=True)
def _n_owned(mark: np.ndarray, grid: np.ndarray, opening: np.ndarray, voxel: int) -> int:
    """Return how many voxels of its own ``+`` a voxel owns.

    A voxel of ``V+`` has up to 8 voxels of V before it, all of them neighbours. The one in the
    largest opening owns it, and the first of several.
    """
    n_owned = 0
    for corner in range(8):
        cx, cy, cz = corner // 4, corner // 2 % 2, corner % 2
        owns = True
        for other_corner in range(8):
            if other_corner == corner:
                continue
            dx = cx - other_corner // 4
            dy = cy - other_corner // 2 % 2
            dz = cz - other_corner % 2
            other = _neighbour(grid, mark, voxel, _NO_STEP + 9 * dx + 3 * dy + dz)
            if other >= 0 and (
                opening[other] > opening[voxel]
                or (opening[other] == opening[voxel] and other < voxel)
            ):
                owns = False
                break
        if owns:
            n_owned += 1
    return n_owned


@njit(cache=True)
def isoperimetric_bounds(
    voxels: np.ndarray,
    mark: np.ndarray,
    grid: np.ndarray,
    densest: np.ndarray,
    side: np.ndarray,
    opening: np.ndarray,
    reach: np.ndarray,
    up: np.ndarray,
    best: np.ndarray,
) -> None:
    """Find the isoperimetric bounds of the components of a set of voxels.

    ``voxels`` ascend and have the same ``mark``, which no other voxel has. ``densest`` is the row
    of :func:`densest_components` for k. ``best[root]`` receives the bound of the component with
    this root, where ``root`` is the end of the way ``up`` from any of its voxels. The other arrays
    are room for work, of shape (n_above,).

    Openings by cubes of falling side contain each other. So the components of an opening join as
    the side falls. The bound of a component is its own, or the sum of the bounds of the components
    of the next opening that lie in it.
    """
    size, plus = densest[0], densest[1]
    # A cube with a longer side than this has room for a component of k voxels with its border.
    # Nothing is gained by removing larger cubes.
    largest_side = 3
    while (largest_side - 2) ** 3 < size:
        largest_side += 1
    highest = _find_openings(voxels, mark, grid, largest_side, side, opening, reach)
    # By falling opening: a counting sort.
    ends = np.zeros(highest + 2, dtype=np.int64)
    for voxel in voxels:
        ends[highest - opening[voxel] + 1] += 1
    ends = np.cumsum(ends)
    starts = ends.copy()
    order = np.empty_like(voxels)
    for voxel in voxels:
        level = highest - opening[voxel]
        order[starts[level]] = voxel
        starts[level] += 1
        up[voxel] = voxel
        best[voxel] = 0
    n_voxels, n_plus = side, reach  # from here on, of components, at their roots
    for voxel in voxels:
        n_voxels[voxel] = 1
        n_plus[voxel] = _n_owned(mark, grid, opening, voxel)
    for level in range(highest):
        joining = order[ends[level] : ends[level + 1]]
        for voxel in joining:
            for step in range(27):
                other = _neighbour(grid, mark, voxel, step)
                if other < 0 or opening[other] < opening[voxel]:
                    continue
                one, two = _root(up, voxel), _root(up, other)
                if one != two:
                    if n_voxels[one] < n_voxels[two]:
                        one, two = two, one
                    up[two] = one
                    n_voxels[one] += n_voxels[two]
                    n_plus[one] += n_plus[two]
                    best[one] += best[two]
        for voxel in joining:
            root = _root(up, voxel)
            # ceil((1 - size / plus) n_plus) - (n_plus - n_voxels), in integers
            own = n_voxels[root] - size * n_plus[root] // plus
            best[root] = max(best[root], own)
