"""Maps that were thresholded before, and so have lost the voxels that are to be tested."""

from __future__ import annotations

import numpy as np
from scipy.special import log_ndtr

# Fewer than one in a million maps of pure noise may look thresholded by chance.
_LOG_IMPLAUSIBLE = np.log(1e-6)

# So few voxels are no map, and chance says nothing of them.
_FEW = 10


def check_not_thresholded(z: np.ndarray) -> None:
    """Refuse a family of which only supra-threshold voxels are left.

    As a family they hold no noise any more, and pure noise would get true discoveries.
    Noise that is not thresholded comes close to zero, and takes both signs. The chance that
    standard normal noise would show so wide a gap around zero, or the same sign throughout,
    decides; fewer than ten voxels are refused.

    Parameters
    ----------
    z : ndarray of shape (n,)
        z values that would be the family, where others of the map are missing.

    Raises
    ------
    ValueError
        If the map looks thresholded.
    """
    if z.size == 0:
        return
    smallest = float(np.abs(z).min())
    one_signed = z.min() > 0 or z.max() < 0
    log_gap = z.size * (np.log(2) + log_ndtr(-smallest))
    log_sign = z.size * np.log(0.5) if one_signed else 0.0
    if z.size >= _FEW and min(log_gap, log_sign) > _LOG_IMPLAUSIBLE:
        return
    raise ValueError(
        f"The map looks thresholded already: {z.size} voxels are left, with absolute values of "
        f"{smallest:.3g} and more{', all of one sign' if one_signed else ''}; the others are "
        "zero or NaN. They belong to the family that is tested, and without them the bounds "
        "are void. Pass the map as it was before thresholding. If these are all voxels that "
        "were tested, pass a mask of them as mask_img."
    )


def check_family_from_map(volume: np.ndarray, mask: np.ndarray) -> None:
    """Refuse a map whose mask was computed from it after it had been thresholded.

    Parameters
    ----------
    volume : ndarray of shape (nx, ny, nz)
        z values.

    mask : ndarray of bool of shape (nx, ny, nz)
        The mask computed from them.

    Raises
    ------
    ValueError
        If the map looks thresholded.
    """
    is_missing = (volume == 0) | np.isnan(volume)
    if is_missing[~mask].any():
        check_not_thresholded(volume[mask & ~is_missing])
