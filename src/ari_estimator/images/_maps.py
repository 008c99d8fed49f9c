"""What may be passed as maps: one image, a 4D image, a list of images, or an array.

Whatever the form, masked values come out of it, and results go back into it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from nibabel import Nifti1Image, Nifti1Pair
from nibabel.spatialimages import SpatialImage
from nilearn.image import check_niimg, check_niimg_3d, get_data
from nilearn.surface import SurfaceImage

from ari_estimator.estimators._masking import check_grid


class ImageMaps:
    """Maps as images.

    Parameters
    ----------
    maps : Niimg-like object or sequence of these
        One image (3D or 4D) or several 3D images. Data on disk are not read yet.

    Attributes
    ----------
    images : list of SpatialImage
        One 4D image, or 3D images.

    is_single : bool
        Whether one 3D image was given.

    Raises
    ------
    TypeError
        If something else is given.
    nilearn.exceptions.DimensionError
        If an image of a sequence is not 3D, or one image is neither 3D nor 4D.
    ValueError
        If the sequence is empty.
    """

    def __init__(self, maps: Any) -> None:
        if isinstance(maps, pd.Series):
            maps = maps.tolist()
        self._is_sequence = isinstance(maps, Sequence) and not isinstance(maps, str)
        if self._is_sequence:
            if not maps:
                raise ValueError("Maps must hold at least one image. Got an empty list.")
            self.images = [check_niimg_3d(img) for img in maps]
        elif isinstance(maps, (str, Path, SpatialImage)):
            img = check_niimg(maps)
            self.images = [img if img.ndim == 4 else check_niimg_3d(img)]
        else:
            raise TypeError(
                "Maps must be a 3D or 4D Niimg-like object, a list of 3D Niimg-like objects, or "
                f"an array of shape (n_maps, n_voxels). Got {type(maps).__name__}."
                + (" Surfaces are not supported." if isinstance(maps, SurfaceImage) else "")
            )
        self.is_single = not self._is_sequence and self.images[0].ndim == 3

    def check(self, mask_img: Nifti1Image, n_voxels: int) -> None:
        """Raise a ValueError unless the maps lie on the grid of the mask."""
        for img in self.images:
            check_grid(img, mask_img)

    def volumes(self) -> Iterator[np.ndarray]:
        """Yield each map as an array of float of shape (nx, ny, nz)."""
        for img in self.images:
            data = get_data(img)
            for volume in [data] if data.ndim == 3 else np.moveaxis(data, -1, 0):
                yield as_real(volume)

    def values(self, mask: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the masked values of each map, a float64 array of shape (n_voxels,)."""
        for volume in self.volumes():
            yield volume[mask].astype(np.float64, copy=False)

    def restore(self, results: Iterable[np.ndarray], mask: np.ndarray, description: str) -> Any:
        """Return masked results, one for each map, in the form of the maps."""
        volumes = (unmask(values, mask) for values in results)
        if self._is_sequence:
            return [
                _on_grid_of(img, volume, description)
                for img, volume in zip(self.images, volumes, strict=True)
            ]
        img = self.images[0]
        if self.is_single:
            return _on_grid_of(img, next(volumes), description)
        first = next(volumes)
        data = np.empty(img.shape, dtype=first.dtype)
        for k, volume in enumerate(chain([first], volumes)):
            data[..., k] = volume
        return _on_grid_of(img, data, description)


class ArrayMaps:
    """Maps as the masked values that a masker gives.

    Parameters
    ----------
    maps : array-like of shape (n_maps, n_voxels) or (n_voxels,)
        z values.

    Attributes
    ----------
    is_single : bool
        Whether a one-dimensional array was given.

    index : pandas.Index or None
        Names of the maps, of a DataFrame.

    Raises
    ------
    ValueError
        If the array is not one- or two-dimensional, not real, or has no rows.
    """

    def __init__(self, maps: Any) -> None:
        array = as_real(np.asarray(maps))
        self.is_single = array.ndim == 1
        self.index = maps.index if isinstance(maps, pd.DataFrame) else None
        self._array = np.atleast_2d(array).astype(np.float64, copy=False)
        self._shape = array.shape

    def check(self, mask_img: Nifti1Image, n_voxels: int) -> None:
        """Raise a ValueError unless there is a column for each voxel of the mask."""
        shape = self._array.shape
        if len(shape) != 2 or shape[0] == 0 or shape[1] != n_voxels:
            raise ValueError(
                f"An array of maps must have shape (n_maps, {n_voxels}), with a row for each map, "
                f"at least one, and a column for each voxel of mask_img, or shape ({n_voxels},). "
                f"Got shape {self._shape}."
            )

    def values(self, mask: np.ndarray) -> Iterator[np.ndarray]:
        """Yield each map, a float64 array of shape (n_voxels,)."""
        yield from self._array

    def restore(self, results: Iterable[np.ndarray], mask: np.ndarray, description: str) -> Any:
        """Return results, one for each map, in the form of the maps."""
        rows = list(results)
        return rows[0] if self.is_single else np.stack(rows)


def as_maps(maps: Any) -> ImageMaps | ArrayMaps:
    """Return maps of whatever form."""
    is_array = isinstance(maps, (np.ndarray, pd.DataFrame))
    return ArrayMaps(maps) if is_array else ImageMaps(maps)


def as_map(stat_img: Any) -> SpatialImage:
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


def as_real(values: np.ndarray) -> np.ndarray:
    """Return values as floating-point numbers, whatever real type they are stored in."""
    if values.dtype.kind not in "fiu":
        raise ValueError(f"A statistical map must hold real numbers. Got {values.dtype}.")
    return values if values.dtype.kind == "f" else values.astype(np.float64)


def unmask(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return an array of the shape of the mask, with values in it and 0 elsewhere."""
    volume = np.zeros(mask.shape, dtype=values.dtype)
    volume[mask] = values
    return volume


def _on_grid_of(img: SpatialImage, data: np.ndarray, description: str) -> Nifti1Image:
    # The header keeps the units and the codes of the affine, where there are any. What it
    # says of the values of the map does not hold for the new ones.
    result = Nifti1Image(data, img.affine, img.header if isinstance(img, Nifti1Pair) else None)
    result.set_data_dtype(data.dtype)
    result.header.set_intent("none")
    result.header["cal_min"] = result.header["cal_max"] = 0
    result.header["descrip"] = description
    return result
