"""Which voxels are the family, and where they lie: masks and grids."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from joblib import Memory
from nibabel import Nifti1Image
from nilearn.image import get_data
from nilearn.maskers import NiftiMasker
from nilearn.surface import SurfaceImage
from scipy.special import log_ndtr
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

# A gap around zero, or a missing sign, counts as the trace of a threshold when fewer
# than one in a million unthresholded maps of pure noise would show it.
_LOG_IMPLAUSIBLE = np.log(1e-6)


def fit_masker(
    mask_img: Any, imgs: Any, *, memory: Memory, memory_level: int, verbose: int
) -> NiftiMasker:
    """Return a fitted masker for what the user gave as mask.

    Parameters
    ----------
    mask_img : Niimg-like object, NiftiMasker or None
        A mask, a masker (fitted or not), or None for nilearn's background mask.

    imgs : Niimg-like object, list of these, or None
        Images to compute the mask from, where it is not given.

    memory : joblib.Memory
        Cache for the computation of a mask.

    memory_level : int
        Cache level of the masker.

    verbose : int
        Verbosity of the masker.

    Returns
    -------
    masker : NiftiMasker
        Fitted. A masker that was fitted already is returned itself.

    Raises
    ------
    TypeError
        If the mask is for surfaces.
    ValueError
        If the mask is empty or not binary, or must be computed and there is no image.
    """
    if isinstance(mask_img, SurfaceImage) or "Surface" in type(mask_img).__name__:
        raise TypeError(
            "mask_img must be a volume, a path to one, a NiftiMasker or None. "
            f"Got {type(mask_img).__name__}: surfaces are not supported."
        )
    if isinstance(mask_img, NiftiMasker):
        if _is_fitted(mask_img):
            return mask_img
        masker = clone(mask_img)
    else:
        masker = NiftiMasker(
            mask_img=mask_img,
            mask_strategy="background",
            standardize=None,
            memory=memory,
            memory_level=memory_level,
            verbose=verbose,
            reports=False,
        )
    if masker.mask_img is not None:
        return masker.fit()
    if imgs is None:
        raise ValueError(
            "mask_img must be a mask or a fitted masker where there are no images to compute a "
            f"mask from (arrays, for example). Got {mask_img!r}."
        )
    return masker.fit(imgs)


def _is_fitted(masker: NiftiMasker) -> bool:
    try:
        check_is_fitted(masker)
    except ValueError:
        return False
    return True


def mask_of(masker: NiftiMasker) -> np.ndarray:
    """Return the mask of a fitted masker as an array of bool of shape (nx, ny, nz)."""
    return get_data(masker.mask_img_).astype(bool)


def warn_unused_preprocessing(masker: NiftiMasker) -> None:
    """Warn if the masker would change images: of statistical maps only the mask is taken."""
    unused = [
        f"{name}={value!r}"
        for name in ("smoothing_fwhm", "standardize", "detrend", "high_pass", "low_pass")
        if (value := getattr(masker, name, None)) not in (None, False)
    ]
    if unused:
        warnings.warn(
            f"The masker given as mask_img has {', '.join(unused)}. Only its mask is used: "
            "a statistical map is neither smoothed nor standardized.",
            UserWarning,
            stacklevel=2,
        )


def check_grid(img: Nifti1Image, mask_img: Nifti1Image) -> None:
    """Raise a ValueError unless an image lies on the grid of the mask."""
    if img.shape[:3] != mask_img.shape or not np.allclose(img.affine, mask_img.affine):
        raise ValueError(
            "mask_img must be on the grid of the map. Got a mask of shape "
            f"{mask_img.shape} with affine\n{mask_img.affine}\nand a map of shape "
            f"{img.shape[:3]} with affine\n{img.affine}\n"
            "nilearn.image.resample_to_img(mask_img, map, interpolation='nearest') "
            "puts the mask on the grid of the map."
        )


def check_not_thresholded(volume: np.ndarray, mask: np.ndarray) -> None:
    """Refuse a map that was thresholded before its mask was computed from it.

    The computed mask is then the supra-threshold voxels alone. As a family they hold no
    noise any more, and pure noise would get true discoveries. Noise that is not thresholded
    takes values close to zero, and of both signs, by the thousand; a map that was
    thresholded has zeros (or NaN) instead.

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
    outside = volume[~mask]
    if not ((outside == 0) | np.isnan(outside)).any():
        return
    values = volume[mask]
    values = values[~np.isnan(values) & (values != 0)]
    if values.size == 0:
        return
    smallest = float(np.abs(values).min())
    # Chance that no value of standard normal noise lies closer to zero, or that all have
    # the same sign.
    log_gap = values.size * (np.log(2) + log_ndtr(-smallest))
    one_signed = values.min() > 0 or values.max() < 0
    log_sign = values.size * np.log(0.5) if one_signed else 0.0
    if min(log_gap, log_sign) > _LOG_IMPLAUSIBLE:
        return
    raise ValueError(
        "The map looks thresholded already: it has zeros, and the "
        f"{values.size} other values in the mask computed from it have absolute values of "
        f"{smallest:.3g} and more{', all of one sign' if one_signed else ''}. The voxels "
        "below the threshold belong to the family that is tested, and without them the "
        "bounds are void. Pass the map before thresholding, or the mask of all voxels that "
        "were tested as mask_img."
    )
