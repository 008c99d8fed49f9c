"""Small synthetic maps, and closed testing by its definition to compare with."""

import copy
import pickle
from types import SimpleNamespace

import cloudpickle
import joblib
import numpy as np
import pytest
from nibabel import Nifti1Image
from nilearn.image import get_data
from scipy import ndimage, stats

SHAPE = (8, 9, 10)

# Voxels that are not cubes, the first axis from right to left, and an origin of its own.
AFFINE = np.array([[-3.0, 0, 0, 12], [0, 2, 0, -7], [0, 0, 4, 5], [0, 0, 0, 1]])


@pytest.fixture(scope="session")
def make_img():
    """Return a function that puts data on the grid of the synthetic maps."""

    def make(data, affine=AFFINE):
        return Nifti1Image(np.asarray(data), affine)

    return make


@pytest.fixture(scope="session")
def make_map():
    """Return a function from a seed to z values: smooth noise and two overlapping effects.

    An effect of each sign, side by side, and a third, small one.
    """

    def make(seed=0, effect=3.0):
        rng = np.random.default_rng(seed)
        z = ndimage.gaussian_filter(rng.standard_normal(SHAPE), 0.7)
        z /= z.std()
        z[1:4, 1:5, 1:6] += effect
        z[4:7, 1:5, 2:6] -= effect
        z[5:7, 7:8, 8:9] += effect + 1
        return z

    return make


@pytest.fixture(scope="session")
def mask():
    """Return a mask with a rough surface and a hole, as an array of bool."""
    mask = np.zeros(SHAPE, dtype=bool)
    mask[1:7, 1:, 1:9] = True
    mask[np.random.default_rng(7).random(SHAPE) < 0.05] = False
    return mask


@pytest.fixture(scope="session")
def mask_img(mask, make_img):
    """Return the mask as an image."""
    return make_img(mask.astype("uint8"))


@pytest.fixture
def z(make_map):
    """Return the z values of one synthetic map."""
    return make_map()


@pytest.fixture
def z_img(z, make_img):
    """Return one synthetic map as an image."""
    return make_img(z)


@pytest.fixture(scope="session")
def one_to_one():
    """Return a function that tells whether two label volumes are the same partition."""

    def check(labels, others):
        pairs = set(zip(np.ravel(labels).tolist(), np.ravel(others).tolist(), strict=True))
        return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})

    return check


def local_test_factors(n, local_test):
    """Return ``s_1, ..., s_n``."""
    sizes = np.arange(1, n + 1)
    return sizes * (np.cumsum(1 / sizes) if local_test == "hommel" else 1.0)


def hommel_value(p, alpha=0.05, local_test="simes"):
    """Return the size of the largest set that the local test does not reject."""
    p = np.sort(p)
    factors = local_test_factors(p.size, local_test)
    for size in range(p.size, 0, -1):
        ranks = np.arange(1, size + 1)
        if not (factors[size - 1] * p[p.size - size :] <= ranks * alpha).any():
            return size
    return 0


def true_discoveries(p_of_set, h, alpha=0.05, local_test="simes"):
    """Return the bound of one set, maximised over all u in turn."""
    if h == 0:
        return p_of_set.size
    factor = local_test_factors(h, local_test)[-1]
    return max(
        0,
        *(1 - u + np.sum(p_of_set <= u * alpha / factor) for u in range(1, p_of_set.size + 1)),
    )


def tdp_volume(
    z,
    mask,
    threshold,
    *,
    alpha=0.05,
    two_sided=False,
    n_changes=1,
    cluster_threshold=0,
    local_test="simes",
):
    """Return the TDP image of one threshold as an array, cluster after cluster.

    ``n_changes`` says how many coordinates may differ between neighbours.
    """
    p = 2 * stats.norm.sf(np.abs(z)) if two_sided else stats.norm.sf(z)
    h = hommel_value(p[mask], alpha, local_test)
    structure = ndimage.generate_binary_structure(3, n_changes)
    tdp = np.zeros(z.shape)
    for sign in (1, -1) if two_sided else (1,):
        labels, n_clusters = ndimage.label(mask & (sign * z > threshold), structure)
        for label in range(1, n_clusters + 1):
            cluster = labels == label
            if cluster.sum() >= cluster_threshold:
                bound = true_discoveries(p[cluster], h, alpha, local_test)
                tdp[cluster] = bound / cluster.sum()
    return tdp


@pytest.fixture(scope="session")
def definition():
    """Return closed testing of clusters, straight from the formulas and slow."""
    return SimpleNamespace(
        hommel_value=hommel_value, true_discoveries=true_discoveries, tdp_volume=tdp_volume
    )


@pytest.fixture(scope="session")
def assert_same_images():
    """Return a function that compares two images, or lists of them: data and affine."""

    def check(image, other):
        if isinstance(image, list):
            assert isinstance(other, list)
            assert len(image) == len(other)
            for one, another in zip(image, other, strict=True):
                check(one, another)
            return
        np.testing.assert_array_equal(get_data(image), get_data(other))
        np.testing.assert_array_equal(image.affine, other.affine)

    return check


@pytest.fixture(params=["joblib", "pickle", "cloudpickle", "deepcopy"])
def copied(request, tmp_path):
    """Return a function from an object to a copy of it, by way of a file or of bytes."""

    def by_joblib(value):
        joblib.dump(value, tmp_path / "copy.joblib")
        return joblib.load(tmp_path / "copy.joblib")

    return {
        "joblib": by_joblib,
        "pickle": lambda value: pickle.loads(pickle.dumps(value)),
        "cloudpickle": lambda value: pickle.loads(cloudpickle.dumps(value)),
        "deepcopy": copy.deepcopy,
    }[request.param]
