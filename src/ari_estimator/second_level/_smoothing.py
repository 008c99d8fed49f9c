"""Check the width of smoothing before any work is done."""

from __future__ import annotations

from typing import Any

import numpy as np

# No brain is larger, and larger kernels do not fit into memory.
_WIDEST = 1000.0


def check_smoothing(smoothing_fwhm: Any) -> None:
    """Raise a ValueError unless maps can be smoothed by a width.

    Parameters
    ----------
    smoothing_fwhm : float, sequence of float or None
        Full width at half maximum in mm, or one along each axis; None for no smoothing. nilearn
        checks values that are not numbers.
    """
    if smoothing_fwhm is None or isinstance(smoothing_fwhm, str):
        return
    widths = np.asarray(smoothing_fwhm)
    is_number = widths.dtype.kind in "iuf" or isinstance(smoothing_fwhm, int)
    if is_number and not ((widths >= 0) & (widths <= _WIDEST)).all():
        raise ValueError(
            f"smoothing_fwhm must be a width in mm from 0 to {_WIDEST:g}. Got {smoothing_fwhm!r}."
        )
