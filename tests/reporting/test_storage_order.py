"""How a file stores its axes is of no importance: what is found is the same, row by row."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage

from ari_estimator import AdaptiveTDPTransformer, ClusterTDPTransformer, RegionTDPTransformer
from ari_estimator.reporting import get_tdp_table

# Voxels of 1.1 mm: places in mm are rounded, and not the same in the last digit for all storages.
_AFFINE = np.array([[1.1, 0, 0, -7.3], [0, 1.7, 0, -3.9], [0, 0, 2.3, 5.7], [0, 0, 0, 1]])
_OBLIQUE = _AFFINE.copy()
_OBLIQUE[:3, :3] = [[1.05, -0.3, 0.1], [0.3, 1.6, 0.2], [-0.1, -0.2, 2.2]]

# All 48 ways to store three axes.
_STORAGES = [
    np.column_stack([axes, signs])
    for axes in permutations(range(3))
    for signs in product((1, -1), repeat=3)
]


def _volumes():
    """Return values with many ties, in clusters of one size, and an atlas that overlaps."""
    rng = np.random.default_rng(4)
    z = np.clip(np.round(rng.standard_normal((13, 12, 11)), 1), -2.5, 2.5)
    for i, j, k in product((1, 6, 10), (1, 8), (2, 7)):
        z[i : i + 2, j : j + 2, k : k + 2] = 5 * (-1) ** (i + j)
    maps = np.zeros((*z.shape, 2))
    maps[:8, ..., 0] = maps[4:, :6, :, 1] = 1
    return z, maps


def _stored(data, affine, storage):
    return Nifti1Image(data, affine).as_reoriented(storage)


_MAKERS = {
    "clusters": lambda _: ClusterTDPTransformer([2.4, 4], two_sided=True),
    "one side": lambda _: ClusterTDPTransformer(2.4),
    "adaptive": lambda _: AdaptiveTDPTransformer([0.3, 0.9], two_sided=True),
    "adaptive, one side": lambda _: AdaptiveTDPTransformer([0.3, 0.9], connectivity=26),
    "regions": lambda atlas: RegionTDPTransformer(atlas, probability_threshold=0.5),
}


@pytest.mark.parametrize("affine", [_AFFINE, _OBLIQUE], ids=["straight", "oblique"])
@pytest.mark.parametrize("maker", _MAKERS)
def test_tables_of_all_storages_are_one(maker, affine):
    z, maps = _volumes()
    tables = []
    # The first is RAS+, the last runs down all axes; some between, in this order or another.
    for storage in [*_STORAGES[:8], *_STORAGES[8::7], _STORAGES[-1]]:
        mask_img = _stored(np.ones(z.shape, np.uint8), affine, storage)
        made = _MAKERS[maker](_stored(maps, affine, storage)).set_params(mask_img=mask_img)
        made.fit_transform(_stored(z, affine, storage))
        tables.append((made.table_, get_tdp_table(made, min_distance=3.4, max_peaks=3)))
    first, for_reading = tables[0]
    assert first["n_voxels"].duplicated().sum() >= (maker != "regions")
    for table, of_other in tables[1:]:
        pd.testing.assert_frame_equal(table, first, rtol=1e-12)
        pd.testing.assert_frame_equal(of_other, for_reading)


def test_of_tied_voxels_the_first_in_mm_is_the_peak():
    z = np.random.default_rng(0).uniform(-1, 1, (9, 9, 9))
    # No voxel is first along two axes.
    for voxel in ((2, 6, 6), (4, 3, 5), (6, 5, 2), (2, 6, 7), (2, 7, 3)):
        z[voxel] = 6
    for storage in _STORAGES:
        made = RegionTDPTransformer(_stored(np.ones(z.shape, np.uint8), _AFFINE, storage))
        made.fit_transform(_stored(z, _AFFINE, storage))
        found = made.table_.loc[0, ["peak_x", "peak_y", "peak_z"]].astype(float)
        np.testing.assert_allclose(found, (_AFFINE @ [2, 6, 6, 1])[:3])


def test_of_tied_vertices_the_left_hemisphere_and_the_lowest_number_is_the_peak():
    # A strip of triangles whose x falls with the number of the vertex.
    k = np.arange(12)
    points = np.column_stack([-k, k % 2, 0 * k]).astype(float)
    faces = np.column_stack([k[:-2], k[1:-1], k[2:]])
    z = np.zeros(12)
    z[[3, 4, 5, 8]] = 5
    mesh = PolyMesh(
        left=InMemoryMesh(points, faces), right=InMemoryMesh(points - [50, 0, 0], faces)
    )
    made = RegionTDPTransformer(SurfaceImage(mesh, dict.fromkeys(mesh.parts, np.ones(12, int))))
    made.fit_transform(SurfaceImage(mesh, dict.fromkeys(mesh.parts, z)))
    row = made.table_.iloc[0]
    assert (row["peak_hemisphere"], row["peak_vertex"]) == ("left", 3)
    assert get_tdp_table(made)["peak_vertex"].iloc[0] == 3
