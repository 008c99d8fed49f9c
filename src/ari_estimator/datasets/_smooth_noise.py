"""Smooth Gaussian noise of variance 1."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

_FWHM_PER_SIGMA = np.sqrt(8 * np.log(2))


class SmoothNoise:
    """White noise, smoothed by a Gaussian and scaled to variance 1.

    The edges of the grid wrap around, so that all voxels have the same variance.

    Parameters
    ----------
    shape : tuple of int
        Shape of the grid.

    voxel_size : array-like of float
        Edges of a voxel, in mm.

    fwhm : float
        Full width at half maximum of the Gaussian, in mm.
    """

    def __init__(self, shape: tuple[int, ...], voxel_size: Any, fwhm: float) -> None:
        self._shape = shape
        self._sigma = fwhm / _FWHM_PER_SIGMA / np.asarray(voxel_size)
        impulse = np.zeros(shape)
        impulse[tuple(size // 2 for size in shape)] = 1
        self._scale = 1 / float(np.linalg.norm(self._smoothed(impulse)))

    def draw(self, rng: np.random.RandomState) -> np.ndarray:
        """Return noise, an array of the shape of the grid."""
        return self._scale * self._smoothed(rng.standard_normal(self._shape))

    def _smoothed(self, values: np.ndarray) -> np.ndarray:
        return gaussian_filter(values, self._sigma, mode="wrap")
