"""Checks of the values of a map: NaN, zeros that are no values, and earlier thresholds."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.special import log_ndtr

from ari_estimator.inference._statistic import Statistic

# One in five values of standard normal noise is as close to zero as this.
_SMALL = 0.25

# A map that is not thresholded has more values close to zero than this share, and more of
# either sign, even if it is active nearly everywhere.
_NEXT_TO_NONE = 0.005

# Fewer than one in a million maps of pure noise may look thresholded by chance.
_LOG_IMPLAUSIBLE = np.log(1e-6)

# So few voxels are no map.
_FEW = 10

# With fewer voxels missing than this share, the rest cannot be those above a threshold.
_FEWEST_MISSING = 0.2

# Of p-values that underflow to 0, others are close: with more zeros than this share, and none
# that is so small, the zeros are no p-values.
_MOST_ZEROS = 0.02
_TINY_P = 1e-6


def _looks_thresholded(z: np.ndarray) -> bool:
    """Tell whether z values close to zero, or of one sign, are missing.

    A share of next to none is what few voxels may show by chance: the chance that standard
    normal noise would show it decides then.
    """
    gap = float(np.quantile(np.abs(z), _NEXT_TO_NONE, method="lower"))
    lacks_small = gap >= _SMALL and z.size * (np.log(2) + log_ndtr(-gap)) < _LOG_IMPLAUSIBLE
    rarer = min(int((z >= 0).sum()), int((z <= 0).sum()))
    lacks_sign = rarer <= _NEXT_TO_NONE * z.size and z.size * np.log(0.5) < _LOG_IMPLAUSIBLE
    return lacks_small or lacks_sign


def check_computed_family(z: np.ndarray) -> None:
    """Refuse a map whose mask was computed from it after it had been thresholded.

    The mask is then the voxels above the threshold. As a family they hold no noise any
    more, and pure noise would get true discoveries.

    Parameters
    ----------
    z : ndarray of shape (n,)
        The map as z values, in the mask, without voxels that are missing.

    Raises
    ------
    ValueError
        If the map looks thresholded, or if fewer than ten voxels are in the mask.
    """
    if z.size >= _FEW and not _looks_thresholded(z):
        return
    raise ValueError(
        f"The map looks thresholded already: the mask computed from it has {z.size} voxels, "
        "next to none of them close to zero, or next to none of one sign. The others belong to "
        "the family that is tested, and without them the bounds are void. Pass the map as it "
        "was before thresholding, or the mask of all voxels that were tested as mask_img."
    )


def check_rest_of_nan(z: np.ndarray, n_nan: int, element_names: str) -> None:
    """Refuse a map that is NaN where it was below a threshold.

    Parameters
    ----------
    z : ndarray of shape (n,)
        The map as z values, in the mask, where it is not NaN.

    n_nan : int
        Number of elements of the mask that are.

    element_names : str
        What they are called.

    Raises
    ------
    ValueError
        If the map looks thresholded.
    """
    if n_nan < _FEWEST_MISSING * (z.size + n_nan) or not _looks_thresholded(z):
        return
    raise ValueError(
        f"The map looks thresholded already: it is NaN in {n_nan} {element_names} of the mask, "
        f"and next to none of the {z.size} others are close to zero, or next to none of one "
        "sign. NaN leave the family that is tested, and without them the bounds are void. Pass "
        "the map as it was before thresholding; or, if the others are all that were tested, a "
        "mask of them as mask_img."
    )


def warn_of_nan(n_nan: int, n_elements: int, element_names: str) -> None:
    """Warn that elements of a map are NaN, and so not in the family."""
    warnings.warn(
        f"The map is NaN in {n_nan} of the {n_elements} {element_names} of the mask. They are left "
        f"out of the family, which has {n_elements - n_nan} {element_names}.",
        UserWarning,
        stacklevel=2,
    )


def check_zeros(values: np.ndarray, element_names: str) -> None:
    """Refuse a p map that is 0 where it has no values, or warn if that may be so."""
    n_zero = int((values == 0).sum())
    if n_zero > _MOST_ZEROS * values.size and not (values[values > 0] < _TINY_P).any():
        raise ValueError(
            f"The p map is exactly 0 in {n_zero} of the {values.size} {element_names} of the "
            "mask, and next to 0 nowhere: it looks padded. A p-value of 0 is the strongest "
            "evidence there is. Leave the background out of mask_img; of a map that was "
            "thresholded, pass what it was before."
        )
    if n_zero:
        warnings.warn(
            f"The p map is exactly 0 in {n_zero} {element_names} of the mask. They count as "
            "discoveries. If they are background, leave them out of mask_img.",
            UserWarning,
            stacklevel=2,
        )


def warn_of_untested_zeros(values: np.ndarray, statistic: Statistic, element_names: str) -> None:
    """Warn if a map whose elements are all tested is exactly 0 where it may have no values."""
    n_zero = int((values == 0).sum())
    if not statistic.is_p and n_zero > _MOST_ZEROS * values.size:
        warnings.warn(
            f"The map is exactly 0 in {n_zero} of {values.size} {element_names}, all of which are "
            "tested, since there is no mask_img. If these have no data (the medial wall, for "
            "example), the bounds are smaller than they need be: give a mask without them.",
            UserWarning,
            stacklevel=2,
        )
