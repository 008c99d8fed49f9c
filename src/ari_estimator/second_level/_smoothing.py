"""Check the width of smoothing before any work is done."""

from __future__ import annotations

from numbers import Real
from typing import Any

# No brain is larger, and larger kernels do not fit into memory.
_WIDEST = 1000.0


def check_smoothing(smoothing_fwhm: Any) -> None:
    """Raise a ValueError unless maps can be smoothed by a width.

    Parameters
    ----------
    smoothing_fwhm : float or None
        Full width at half maximum in mm; None for no smoothing.
    """
    if smoothing_fwhm is None:
        return
    is_number = isinstance(smoothing_fwhm, Real) and not isinstance(smoothing_fwhm, bool)
    if not (is_number and 0 <= smoothing_fwhm <= _WIDEST):
        raise ValueError(
            f"smoothing_fwhm must be one width in mm from 0 to {_WIDEST:g}, or None. Got "
            f"{smoothing_fwhm!r}."
        )
