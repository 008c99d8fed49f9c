"""Which voxels are the family, and where they lie: masks and grids."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from joblib import Memory
from nibabel import Nifti1Image
from nilearn.image import check_niimg_3d, get_data
from nilearn.maskers import NiftiMasker, SurfaceMasker
from nilearn.surface import SurfaceImage
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted


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
        If the mask is for surfaces, or no image.
    nilearn.exceptions.DimensionError
        If the mask is not 3D.
    ValueError
        If the mask is empty or not binary, or must be computed and there is no image.
    """
    if isinstance(mask_img, (SurfaceImage, SurfaceMasker)):
        raise TypeError(
            "mask_img must be a volume, a path to one, a NiftiMasker or None. "
            f"Got {type(mask_img).__name__}: surfaces are not supported."
        )
    if isinstance(mask_img, NiftiMasker):
        if mask_img.mask_img is not None:
            _check_mask_img(mask_img.mask_img)
        if _is_fitted(mask_img):
            return mask_img
        masker = clone(mask_img)
    else:
        masker = NiftiMasker(
            mask_img=None if mask_img is None else _check_mask_img(mask_img),
            mask_strategy="background",
            standardize=None,
            memory=memory,
            memory_level=memory_level,
            verbose=verbose,
            reports=False,
        )
    if masker.mask_img is not None:
        return masker.fit()
    if masker.mask_strategy == "epi":
        raise ValueError(
            "The masker given as mask_img has mask_strategy='epi', which takes strong values "
            "for brain: of a statistical map, those to be tested would be chosen by their "
            "statistic. Use mask_strategy='background', or a mask."
        )
    if imgs is None:
        raise ValueError(
            "mask_img must be a mask, a fitted masker, or a masker with a mask_img, where there "
            f"are no images to compute a mask from (arrays, for example). Got {mask_img!r}; in "
            "a pipeline that was cloned, a masker is not fitted."
        )
    try:
        return masker.fit(imgs)
    except ValueError as error:
        raise ValueError(
            f"No mask could be computed from the map ({error}). Pass one as mask_img."
        ) from error


def _check_mask_img(mask_img: Any) -> Nifti1Image:
    """Return a mask as a 3D image, after a look at its values.

    nilearn's masker takes whatever is not 0. A statistical map that was thresholded, passed
    as mask by mistake, would make a family of its supra-threshold voxels.
    """
    mask_img = check_niimg_3d(mask_img)
    values = get_data(mask_img)
    inside = values[values != 0]
    # NaN is equal to nothing, itself included.
    if inside.size and not inside.min() == inside.max():
        raise ValueError(
            "mask_img must be binary, 0 and one other value. "
            f"Got values from {inside.min()} to {inside.max()} besides 0. "
            "nilearn.image.math_img('img != 0', img=mask_img) makes it so."
        )
    return mask_img


def _is_fitted(masker: NiftiMasker) -> bool:
    try:
        check_is_fitted(masker)
    except ValueError:
        return False
    return True


def mask_of(masker: NiftiMasker) -> np.ndarray:
    """Return the mask of a fitted masker as an array of bool of shape (nx, ny, nz)."""
    return get_data(masker.mask_img_).astype(bool)


def warn_of_preprocessing(masker: NiftiMasker, of_arrays: bool) -> None:
    """Warn if a masker changes values: a z map must stay as it is.

    Parameters
    ----------
    masker : NiftiMasker
        The masker that was given as mask.

    of_arrays : bool
        Whether maps are arrays, which have been through the masker.
    """
    changes = [
        f"{name}={value!r}"
        for name in ("smoothing_fwhm", "standardize", "detrend", "high_pass", "low_pass")
        if (value := getattr(masker, name, None)) not in (None, False)
    ]
    if changes:
        warnings.warn(
            f"The masker given as mask_img has {', '.join(changes)}. "
            + (
                "z values that it has changed are not standard normal under the null any more, "
                "and their bounds do not hold."
                if of_arrays
                else "Only its mask is used: a z map is neither smoothed nor standardized."
            ),
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
