"""Maskers that are given as masks."""

from __future__ import annotations

import warnings
from typing import Any

from sklearn.utils.validation import check_is_fitted


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
