"""The mean of volumes, with one volume at a time in memory."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from nibabel.spatialimages import SpatialImage
from nilearn.image import get_data, new_img_like

from ari_estimator.images._grid import same_grid


def mean_volume(imgs: Iterable[SpatialImage]) -> SpatialImage:
    """Return the mean of all volumes of images.

    Parameters
    ----------
    imgs : iterable of nibabel images
        3D or 4D images on one grid.

    Returns
    -------
    mean : nibabel image
        A 3D image in memory. Its numbers equal nilearn's, which has all volumes in memory.

    Raises
    ------
    ValueError
        If the images are on different grids.
    """
    first, total, n_volumes = None, np.empty(0), 0
    for img in imgs:
        data = get_data(img)
        for volume in [data] if data.ndim == 3 else np.moveaxis(data, -1, 0):
            n_volumes += 1
            if first is None:
                total = volume.astype(float if volume.dtype.kind in "iub" else volume.dtype)
                first = new_img_like(img, total)
                continue
            if not same_grid(img.shape, img.affine, first.shape, first.affine):
                raise ValueError(
                    "Maps must be on one grid. Got a map of shape "
                    f"{first.shape} with affine\n{first.affine}\nand one of shape "
                    f"{img.shape[:3]} with affine\n{img.affine}\nnilearn.image.resample_to_img "
                    "puts one map on the grid of another."
                )
            total += volume
    total /= n_volumes
    return new_img_like(first, total)
