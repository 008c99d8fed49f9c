"""How large a map may be, for a page that browsers can open."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ari_estimator.images._kinds import fit_frame, kind_of

# Browsers take half a gigabyte or so for as many voxels as this.
_MOST_ELEMENTS = 4_000_000


def check_size(n_tested: int, element_names: str) -> None:
    """Raise a ValueError if the page of so many tested elements is too large for browsers.

    Parameters
    ----------
    n_tested : int
        Number of tested elements.

    element_names : str
        What they are called, such as ``"voxels"``.
    """
    if n_tested > _MOST_ELEMENTS:
        raise ValueError(
            f"stat_img must have at most {_MOST_ELEMENTS:,} tested {element_names}, for a page "
            f"that browsers can open. Got {n_tested:,}. Test a part of the map with a smaller "
            "mask_img, or resample it to larger voxels with nilearn.image.resample_img. For the "
            "whole map without a page, use AdaptiveTDPTransformer."
        )


def check_size_of_map(stat_img: Any, mask_img: Any, mesh: Any) -> None:
    """Raise a ValueError if the page of a map is too large, before the map is tested.

    Parameters
    ----------
    stat_img : image
        The map.

    mask_img : image, masker or None
        All elements that are tested.

    mesh : PolyMesh, dict or None
        Meshes, for CIFTI images.
    """
    # Most maps are small whatever their mask: nothing is read twice.
    if prod(getattr(stat_img, "shape", ())) <= _MOST_ELEMENTS:
        return
    frame = fit_frame(mask_img, [stat_img], kind_of(stat_img), geometry={"mesh": mesh}, verbose=0)
    frame.check(stat_img, "stat_img")
    values = next(iter(frame.arrays(stat_img)))
    check_size(int(np.count_nonzero(~np.isnan(values))), frame.space.element_name[1])
