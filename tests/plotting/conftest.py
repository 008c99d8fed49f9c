"""Fitted estimators to draw, and figures that are closed after each test."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from nilearn.datasets import load_sample_motor_activation_image
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage

from ari_estimator import (
    AdaptiveTDPTransformer,
    ClusterTDPTransformer,
    PermutationCalibration,
)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="session")
def stat_img():
    return load_sample_motor_activation_image()


@pytest.fixture(scope="session")
def clusters(stat_img):
    """Return a transformer of clusters of both signs, fitted to a real map."""
    transformer = ClusterTDPTransformer(two_sided=True, cluster_threshold=10)
    transformer.fit_transform(stat_img)
    return transformer


@pytest.fixture(scope="session")
def adaptive(stat_img):
    transformer = AdaptiveTDPTransformer([0.5, 0.8], cluster_threshold=20)
    transformer.fit_transform(stat_img)
    return transformer


@pytest.fixture(scope="session")
def calibration():
    """Return a calibration of data with an effect."""
    data = np.random.default_rng(0).standard_normal((15, 300))
    data[:, :30] += 2
    return PermutationCalibration(n_permutations=100, random_state=0).fit(data)


def _ball(n_rows, n_columns, radius):
    """Return a closed mesh around the origin."""
    grid = np.arange(n_rows * n_columns).reshape(n_rows, n_columns)
    around = np.roll(grid, -1, axis=1)
    a, b, c, d = grid[:-1], around[:-1], grid[1:], around[1:]
    faces = np.concatenate([np.stack(f, -1).reshape(-1, 3) for f in [(a, c, b), (b, c, d)]])
    theta = np.linspace(0.05, np.pi - 0.05, n_rows)[:, np.newaxis]
    phi = np.linspace(0, 2 * np.pi, n_columns, endpoint=False)[np.newaxis]
    x, y, z = np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta) + 0 * phi
    return InMemoryMesh(radius * np.stack([x, y, z], -1).reshape(-1, 3), faces)


@pytest.fixture(scope="session")
def ball():
    """Return a function that makes a closed mesh around the origin."""
    return _ball


@pytest.fixture(scope="session")
def surface_maps():
    """Return a statistic and a TDP on two balls, the latter of 0.5 at the most."""
    mesh = PolyMesh(left=_ball(9, 10, 40.0), right=_ball(8, 9, 40.0))
    rng = np.random.default_rng(0)
    stat = {name: rng.standard_normal(part.n_vertices) for name, part in mesh.parts.items()}
    tdp = {name: np.where(values > 1, 0.5, 0.0) for name, values in stat.items()}
    return SurfaceImage(mesh, stat), SurfaceImage(mesh, tdp)
