"""Whole-brain z maps at 2 mm, made on the mask that nilearn bundles."""

from __future__ import annotations

import numpy as np
from nibabel import Nifti1Image
from nilearn.datasets import load_mni152_brain_mask
from scipy.ndimage import gaussian_filter


def brain_mask() -> Nifti1Image:
    """Return the MNI brain mask at 2 mm: 235,375 voxels."""
    return load_mni152_brain_mask(resolution=2)


def z_map(smoothing: float, seed: int = 0) -> Nifti1Image:
    """Return noise of unit variance, smoothed by so many voxels, with some activation."""
    mask_img = brain_mask()
    mask = mask_img.get_fdata() > 0
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal(mask.shape)
    if smoothing:
        noise = gaussian_filter(noise, smoothing)
        noise /= noise[mask].std()
    signal = gaussian_filter((rng.random(mask.shape) > 0.9997).astype(float), 3)
    z = noise + 5 * signal / signal.max()
    return Nifti1Image(z * mask, mask_img.affine)
