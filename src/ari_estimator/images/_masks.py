"""Maskers that are given as masks."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from nibabel.spatialimages import SpatialImage
from nilearn.image import check_niimg, get_data
from nilearn.maskers import NiftiMasker, SurfaceMasker
from nilearn.surface import SurfaceImage
from sklearn.utils.validation import check_is_fitted

from ari_estimator.images._frame import check_binary

# With these parameters, the values of an image depend on all images that a masker transforms.
_OF_ALL_ROWS = (
    "standardize",
    "detrend",
    "high_variance_confounds",
    "low_pass",
    "high_pass",
    "runs",
    "clean_args",
)


def is_fitted(masker: Any) -> bool:
    """Tell whether a masker is fitted."""
    try:
        check_is_fitted(masker)
    except ValueError:
        return False
    return True


def warn_of_preprocessing(masker: Any, of_arrays: bool) -> None:
    """Warn if a masker changes values: a statistical map must stay as it is.

    Parameters
    ----------
    masker : NiftiMasker or SurfaceMasker
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
                "Values that it has changed do not follow their null distribution any more, "
                "and their bounds do not hold."
                if of_arrays
                else "Only its mask is used: a map is neither smoothed nor standardized."
            ),
            UserWarning,
            stacklevel=2,
        )


def mixes_rows(masker: Any) -> dict[str, Any]:
    """Return the parameters of a masker that make the values of an image depend on the others.

    Parameters
    ----------
    masker : NiftiMasker or SurfaceMasker
        The masker.

    Returns
    -------
    given : dict of str to object
        Those that are set, by name.
    """
    values = {name: getattr(masker, name, None) for name in _OF_ALL_ROWS}
    return {name: one for name, one in values.items() if one is not None and one is not False}


def refuse_mixing(masker: Any, called: str) -> None:
    """Refuse a masker that changes the map of a subject with the help of the others.

    Parameters
    ----------
    masker : NiftiMasker, SurfaceMasker or other masker
        The masker of maps of subjects.

    called : str
        Name of the argument, for messages.

    Raises
    ------
    ValueError
        If it does.
    """
    given = mixes_rows(masker)
    if given:
        got = ", ".join(f"{name}={value!r}" for name, value in given.items())
        raise ValueError(
            f"{called} must not be a masker that standardizes, detrends or filters: these are for "
            "the scans of one subject, and here the rows are subjects. Their effects would change "
            f"or vanish. Got {got}. Do it in the model of each subject."
        )


def check_model_mask(mask_img: Any) -> None:
    """Refuse a mask that a group model of volumes or surfaces cannot use as it is meant.

    Parameters
    ----------
    mask_img : Niimg-like object, SurfaceImage, NiftiMasker, SurfaceMasker or None
        The mask.

    Raises
    ------
    ValueError
        If it is not binary, or if it is a masker that changes the map of a subject with the help of
        the others.
    """
    if isinstance(mask_img, (NiftiMasker, SurfaceMasker)):
        refuse_mixing(mask_img, "mask_img")
        mask_img = mask_img.mask_img
    if isinstance(mask_img, SurfaceImage):
        check_binary(np.concatenate([np.ravel(part) for part in mask_img.data.parts.values()]))
    elif isinstance(mask_img, (SpatialImage, str, Path)):
        check_binary(get_data(check_niimg(mask_img)))
