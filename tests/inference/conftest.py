"""A small map with effects of both signs, its mask, and an atlas of three regions."""

from types import SimpleNamespace

import numpy as np
import pytest
from nibabel import Nifti1Image
from scipy import ndimage

AFFINE = np.array([[-3.0, 0, 0, 12], [0, 2, 0, -7], [0, 0, 4, 5], [0, 0, 0, 1]])


@pytest.fixture(scope="session")
def volume():
    """Return z values, mask and labels of regions as arrays, and the image of each."""
    rng = np.random.default_rng(0)
    z = ndimage.gaussian_filter(rng.standard_normal((8, 9, 10)), 0.7)
    z /= z.std()
    z[1:4, 1:5, 1:6] += 3
    z[4:7, 1:5, 2:6] -= 3
    z[5:7, 7:8, 8:9] += 4
    mask = rng.random(z.shape) >= 0.05
    mask[[0, -1]] = False
    labels = np.zeros(z.shape, dtype="int32")
    labels[1:5, :5], labels[1:5, 5:], labels[5:] = 1, 2, 3
    images = (Nifti1Image(a, AFFINE) for a in (z, mask.astype("uint8"), labels))
    names = ("z", "mask", "labels", "img", "mask_img", "labels_img")
    return SimpleNamespace(**dict(zip(names, (z, mask, labels, *images), strict=True)))
