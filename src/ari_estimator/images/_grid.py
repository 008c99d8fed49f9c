"""Whether two volumes lie on one grid."""

from __future__ import annotations

from itertools import product

import numpy as np
from nibabel.spatialimages import SpatialImage

from ari_estimator.images._reading_errors import name_of_image

# In voxels: affines of one grid differ by their rounding in single precision.
_TOLERANCE = 1e-3

# Shortest valid edge of a voxel, relative to its longest edge.
_FLAT = 1e-9

# Limits for the edges of a voxel, in millimetres.
_SMALLEST = 1e-12


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


def check_grid(img: SpatialImage) -> None:
    """Refuse a volume without voxels, or whose affine does not tell where they are.

    Parameters
    ----------
    img : nibabel image
        The volume.

    Raises
    ------
    ValueError
        If an axis has no voxel, or the affine is not finite or cannot be inverted.
    """
    if 0 in img.shape:
        raise ValueError(f"A volume must not be empty. Got shape {tuple(map(int, img.shape))}.")
    check_affine(img.affine, img)


def check_affine(affine: np.ndarray, img: SpatialImage | None = None) -> None:
    """Refuse an affine that does not tell where voxels are.

    Parameters
    ----------
    affine : ndarray of shape (4, 4)
        From voxel indices to millimetres.

    img : nibabel image or None, default=None
        The volume, for the message.

    Raises
    ------
    ValueError
        If it is not finite or cannot be inverted.
    """
    affine = np.asarray(affine, dtype=float)
    if np.isfinite(affine).all():
        scales = np.linalg.svd(affine[:3, :3], compute_uv=False)
        if scales.min() > _FLAT * scales.max() and _SMALLEST < scales.max() < 1 / _SMALLEST:
            return
    raise ValueError(
        "The affine of a volume must be finite, with a direction of its own for each axis: it "
        f"tells where voxels are. Got\n{affine}\nof {name_of_image(img)}."
    )
