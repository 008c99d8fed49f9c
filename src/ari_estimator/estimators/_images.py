"""What may be passed as maps: one image, a 4D image, a list of images, or an array."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from nibabel import Nifti1Image, Nifti1Pair
from nibabel.spatialimages import SpatialImage
from nilearn.image import check_niimg, check_niimg_3d, get_data
from nilearn.surface import SurfaceImage


def is_array(maps: Any) -> bool:
    """Tell whether maps are given as an array of masked values."""
    return isinstance(maps, (np.ndarray, pd.DataFrame))


def check_maps_array(maps: Any, n_voxels: int) -> np.ndarray:
    """Return masked maps as an array of shape (n_maps, n_voxels).

    Raises
    ------
    ValueError
        If the array is not two-dimensional, not real, has no rows, or has another number of
        voxels than the mask.
    """
    array = np.asarray(maps)
    if array.ndim != 2 or array.shape[1] != n_voxels or array.shape[0] == 0:
        raise ValueError(
            f"An array of maps must have shape (n_maps, {n_voxels}), with a row for each map, "
            f"at least one, and a column for each voxel of mask_img. Got shape {array.shape}."
        )
    return as_real(array)


def as_real(values: np.ndarray) -> np.ndarray:
    """Return values as float64, whatever real type they are stored in."""
    if values.dtype.kind not in "fiu":
        raise ValueError(f"A statistical map must hold real numbers. Got {values.dtype}.")
    return values.astype(np.float64, copy=False)


def load_maps(maps: Any) -> Nifti1Image | list[Nifti1Image]:
    """Return maps as one image, or as a list of 3D images.

    Data on disk are not read yet.

    Parameters
    ----------
    maps : Niimg-like object or sequence of these
        One image (3D or 4D) or several 3D images.

    Returns
    -------
    images : Nifti1Image or list of Nifti1Image
        A list if a sequence was given.

    Raises
    ------
    TypeError
        If something else is given.
    nilearn.exceptions.DimensionError
        If an image of a sequence is not 3D, or one image is neither 3D nor 4D.
    ValueError
        If the sequence is empty.
    """
    if isinstance(maps, (str, Path, SpatialImage)):
        img = check_niimg(maps)
        return img if img.ndim == 4 else check_niimg_3d(img)
    if isinstance(maps, pd.Series):
        maps = maps.tolist()
    if not isinstance(maps, Sequence):
        raise TypeError(
            "Maps must be a 3D or 4D Niimg-like object, a list of 3D Niimg-like objects, or an "
            f"array of shape (n_maps, n_voxels). Got {type(maps).__name__}."
            + (" Surfaces are not supported." if isinstance(maps, SurfaceImage) else "")
        )
    if not maps:
        raise ValueError("Maps must hold at least one image. Got an empty list.")
    return [check_niimg_3d(img) for img in maps]


def load_map(stat_img: Any) -> Nifti1Image:
    """Return one map as a 3D image.

    Raises
    ------
    TypeError
        If it is no image, or a surface.
    nilearn.exceptions.DimensionError
        If it is not 3D.
    """
    if isinstance(stat_img, SurfaceImage):
        raise TypeError("stat_img must be a volume. Got SurfaceImage: surfaces are not supported.")
    return check_niimg_3d(stat_img)


def volumes(images: Nifti1Image | list[Nifti1Image]) -> Iterator[np.ndarray]:
    """Yield the array of shape (nx, ny, nz) of each map, as it is stored."""
    if isinstance(images, list):
        yield from (get_data(img) for img in images)
    else:
        data = get_data(images)
        yield from [data] if data.ndim == 3 else np.moveaxis(data, -1, 0)


def unmask(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return an array of the shape of the mask, with values in it and 0 elsewhere."""
    volume = np.zeros(mask.shape, dtype=values.dtype)
    volume[mask] = values
    return volume


def like(
    images: Nifti1Image | list[Nifti1Image], results: list[np.ndarray], *, description: str
) -> Nifti1Image | list[Nifti1Image]:
    """Return one volume for each map in the form, and on the grid, of the maps."""
    if isinstance(images, list):
        return [
            _on_grid_of(img, result, description)
            for img, result in zip(images, results, strict=True)
        ]
    data = results[0] if images.ndim == 3 else np.stack(results, axis=-1)
    return _on_grid_of(images, data, description)


def _on_grid_of(img: SpatialImage, data: np.ndarray, description: str) -> Nifti1Image:
    # The header keeps the units and the codes of the affine, where there are any. What it
    # says of the values of the map does not hold for the new ones.
    result = Nifti1Image(data, img.affine, img.header if isinstance(img, Nifti1Pair) else None)
    result.set_data_dtype(data.dtype)
    result.header.set_intent("none")
    result.header["cal_min"] = result.header["cal_max"] = 0
    result.header["descrip"] = description
    return result
