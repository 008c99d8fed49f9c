"""Studies with smooth noise and an effect in balls, whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from nibabel import Nifti1Image
from scipy.ndimage import gaussian_filter

from ari_estimator import ARISecondLevelModel

SIDE = 32
N_VOXELS = SIDE**3

# Full width at half maximum of a Gaussian kernel, in standard deviations.
_FWHM = np.sqrt(8 * np.log(2))


def distances(centre: Sequence[int]) -> np.ndarray:
    """Return the distance of each voxel of the cube from a voxel."""
    steps = np.indices((SIDE,) * 3) - np.reshape(centre, (3, 1, 1, 1))
    return np.sqrt((steps**2).sum(axis=0))


def ball(n_voxels: int, centre: Sequence[int] = (SIDE // 2,) * 3) -> np.ndarray:
    """Return the voxels of a ball, as an array of bool with the shape of the cube."""
    nearest = np.argsort(distances(centre), axis=None, kind="stable")[:n_voxels]
    inside = np.zeros(N_VOXELS, dtype=bool)
    inside[nearest] = True
    return inside.reshape((SIDE,) * 3)


def study(
    effect: np.ndarray, n_subjects: int, fwhm: float, rng: np.random.Generator, df: float = np.inf
) -> np.ndarray:
    """Return maps of subjects, of shape (n_subjects, SIDE, SIDE, SIDE).

    The noise has variance 1 and a smoothness (FWHM) in voxels. With ``df``, each map of noise is
    divided by the root of a chi-squared variable over its degrees of freedom, as for t: few degrees
    of freedom make subjects with much more noise than others.
    """
    noise = rng.standard_normal((n_subjects, *effect.shape))
    if fwhm:
        sigma = fwhm / _FWHM
        single = np.zeros(effect.shape)
        single[0, 0, 0] = 1
        scale = np.sqrt((gaussian_filter(single, sigma, mode="wrap") ** 2).sum())
        noise = np.stack([gaussian_filter(one, sigma, mode="wrap") for one in noise]) / scale
    if np.isfinite(df):
        spread = np.sqrt(rng.chisquare(df, n_subjects) / (df - 2))
        noise /= spread.reshape(-1, 1, 1, 1)
    return effect + noise


def fitted(model: ARISecondLevelModel, maps: np.ndarray) -> ARISecondLevelModel:
    """Return a model of the mean, fitted to the maps."""
    images = [Nifti1Image(one.astype("float32"), np.eye(4)) for one in maps]
    return model.fit(images, design_matrix=pd.DataFrame({"mean": np.ones(len(images))}))


def mask_img() -> Nifti1Image:
    """Return a mask of the whole cube."""
    return Nifti1Image(np.ones((SIDE,) * 3, dtype="uint8"), np.eye(4))
