"""Whether two volumes lie on one grid."""

from __future__ import annotations

from itertools import product

import numpy as np

# In voxels: affines of one grid differ by their rounding in single precision.
_TOLERANCE = 1e-3


def same_grid(
    shape: tuple[int, ...], affine: np.ndarray, other_shape: tuple[int, ...], other: np.ndarray
) -> bool:
    """Tell whether two grids are one, but for rounding of their affines.

    Parameters
    ----------
    shape, other_shape : tuple of int
        Shapes; only the first three axes count.

    affine, other : ndarray of shape (4, 4)
        From voxel indices to millimetres.

    Returns
    -------
    is_same : bool
        Whether no voxel of one lies more than a thousandth of a voxel from its voxel of the other.
    """
    if tuple(shape[:3]) != tuple(other_shape[:3]):
        return False
    if np.array_equal(affine, other):
        return True
    try:
        between = np.linalg.solve(affine, other)
    except np.linalg.LinAlgError:
        return False
    # An affine map is farthest off in a corner.
    corners = np.array([(*corner, 1) for corner in product(*((0, n - 1) for n in shape[:3]))])
    return bool((np.abs(corners @ between.T - corners) <= _TOLERANCE).all())
