"""A small study: a map with effects, its mask, and clusters as other programs find them."""

import gzip
from types import SimpleNamespace

import numpy as np
import pytest
from nibabel import Nifti1Image
from scipy import ndimage, stats

from ._files import AFFINE

SHAPE = (12, 11, 10)
DF = 29.0
HEIGHT = 2.3


@pytest.fixture(scope="session")
def study():
    """Return arrays of t and z values with the same p-values, their mask, and clusters of z.

    Outside of the mask there are zeros. Clusters are numbered as FSL does it, the largest last.
    """
    rng = np.random.default_rng(3)
    mask = np.zeros(SHAPE, dtype=bool)
    mask[1:-1, 1:-1, 1:-1] = True
    t = rng.standard_t(DF, SHAPE)
    t[2:6, 2:6, 2:6] += 5
    t[7:10, 6:9, 5:8] += 4
    t[2:4, 7:9, 6:9] -= 5
    t = np.where(mask, t, 0)
    z = np.where(mask, stats.norm.isf(stats.t.sf(t, DF)), 0)
    labels, n_found = ndimage.label(z > HEIGHT, np.ones((3, 3, 3)))
    sizes = np.bincount(labels.ravel())[1:]
    numbers = np.zeros(n_found + 1, dtype=int)
    kept = [k + 1 for k in np.argsort(sizes, kind="stable") if sizes[k] >= 4]
    numbers[kept] = np.arange(1, len(kept) + 1)
    clusters = numbers[labels]
    assert clusters.max() >= 2
    return SimpleNamespace(t=t, z=z, mask=mask, clusters=clusters, df=DF)


@pytest.fixture(scope="session")
def img_of():
    """Return a function that puts data on the grid of the study."""

    def make(data, affine=AFFINE):
        return Nifti1Image(np.asarray(data), affine)

    return make


@pytest.fixture(scope="session")
def damage():
    """Return a function that puts a damaged image in the place of another, by kind."""

    def put(path, kind):
        if kind == "missing":
            path.unlink()
        elif kind == "text":
            path.write_text("This is no image.\n")
        elif kind == "text in gzip":
            path.write_bytes(gzip.compress(b"This is no image.\n"))
        elif kind == "truncated":
            content = path.read_bytes()
            path.write_bytes(content[: len(content) // 2])
        elif kind == "empty":
            path.write_bytes(b"")
        else:
            assert kind == "folder"
            path.unlink()
            path.mkdir()

    return put
