"""Maps of subjects for tests of reports and texts."""

from __future__ import annotations

import numpy as np
import pytest
from nibabel import Nifti1Image


@pytest.fixture(scope="session")
def subjects():
    """Return maps of 12 subjects with an effect, and their mask."""
    rng = np.random.default_rng(3)
    mask = np.zeros((10, 11, 12), dtype=np.uint8)
    mask[1:9, 1:10, 1:11] = 1
    affine = np.diag([4.0, 4, 4, 1])
    data = rng.standard_normal((12, *mask.shape))
    data[:, 3:6, 3:7, 3:7] += 2
    return [Nifti1Image(one, affine) for one in data], Nifti1Image(mask, affine)
