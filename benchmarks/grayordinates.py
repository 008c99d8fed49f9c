"""TDP on a CIFTI file of 91,282 grayordinates, compared with the unavoidable work.

The floor of clusters takes the values of the map in the order of the space, computes p-values and
one sort, finds the connected components of the supra-threshold grayordinates on both meshes and in
the grid, and puts the result into an array. The floor of adaptive clusters has an argsort instead.
The floor of regions has a count of labels instead of components. Meshes, adjacency matrices and
images exist before the clock starts. All is measured in processor time.

``fit_transform`` is measured with an image and a mesh that it has seen before: what belongs to a
mesh or to the grayordinates of a file is found once. It includes the table.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np
from _measure import report, side_by_side
from _surface_maps import adjacency, icosphere
from grayordinate_groups import N_CORTEX, SHAPE, grayordinates, some_voxels
from nibabel.cifti2 import Cifti2Image, ScalarAxis
from nilearn.surface import InMemoryMesh, PolyMesh
from scipy.ndimage import label
from scipy.sparse import block_diag
from scipy.sparse.csgraph import connected_components
from scipy.special import ndtr

from ari_estimator import (
    AdaptiveTDPTransformer,
    ClusterTDPTransformer,
    RegionTDPTransformer,
)

N_REGIONS = 379

THRESHOLD = 3.1

# Of transform, by what is found. The tables of fit_transform have no limit.
LIMITS = {"clusters": 2, "adaptive clusters": 3, f"{N_REGIONS} regions": 1.5}

FLOORS = {
    "clusters": "p-values, one sort, connected components, result",
    "adaptive clusters": "p-values, one argsort, connected components, result",
    f"{N_REGIONS} regions": "p-values, one sort, one count of labels",
}


def main() -> None:
    hemisphere = icosphere(6)
    axis = grayordinates(hemisphere.n_vertices)
    n_vertices = 2 * N_CORTEX
    vertices = axis.vertex[:N_CORTEX]
    neighbours = block_diag([adjacency(hemisphere)[vertices][:, vertices]] * 2, format="csr")
    mask = np.zeros(SHAPE, dtype=bool)
    mask[tuple(some_voxels(len(axis) - n_vertices).T)] = True
    mesh = PolyMesh(
        **{
            name: InMemoryMesh(hemisphere.coordinates + np.float32([x, 0, 0]), hemisphere.faces)
            for name, x in (("left", -110), ("right", 110))
        }
    )
    rng = np.random.default_rng(0)
    z = rng.standard_normal(len(axis)).astype(np.float32)
    z[:3000] += 2
    z[-3000:] += 2
    img = Cifti2Image(z[np.newaxis], (ScalarAxis(["z"]), axis))
    labels = np.arange(len(axis)) * (N_REGIONS + 1) // len(axis)
    atlas = Cifti2Image(labels[np.newaxis].astype(np.float32), (ScalarAxis(["atlas"]), axis))
    columns = np.arange(len(axis))

    def floor_of_clusters(sort: Callable[[np.ndarray], object]) -> np.ndarray:
        values = z[columns].astype(np.float64)
        p_values = ndtr(-values)
        sort(p_values)
        selected = values > THRESHOLD
        above = np.flatnonzero(selected[:n_vertices])
        connected_components(neighbours[above][:, above], directed=False)
        volume = np.zeros(SHAPE, dtype=bool)
        volume[mask] = selected[n_vertices:]
        label(volume)
        result = np.zeros(len(axis))
        result[columns] = p_values
        return result

    def floor_of_regions() -> np.ndarray:
        p_values = ndtr(-z[columns].astype(np.float64))
        np.sort(p_values)
        return np.bincount(labels, minlength=N_REGIONS + 1)

    given = {"mesh": mesh, "verbose": 0}
    floors = (
        partial(floor_of_clusters, np.sort),
        partial(floor_of_clusters, np.argsort),
        floor_of_regions,
    )
    makers = (
        partial(ClusterTDPTransformer, THRESHOLD, **given),
        partial(AdaptiveTDPTransformer, 0.7, **given),
        partial(RegionTDPTransformer, atlas, **given),
    )
    print(f"TDP on CIFTI files, {len(axis):,} grayordinates")
    for (what, limit), floor, make in zip(LIMITS.items(), floors, makers, strict=True):
        functions = {
            "floor": floor,
            "transform": partial(make().fit(img).transform, img),
            "fit_transform": lambda make=make: make().fit_transform(img),
        }
        times = side_by_side(functions, n_rounds=31, clock=time.process_time)
        report(
            f"{what}: transform / floor",
            times["transform"] / times["floor"],
            limit,
            row=(f"TDP of {what}, {len(axis):,} grayordinates", FLOORS[what]),
        )
        report(
            f"{what}: fit_transform, with table / floor",
            times["fit_transform"] / times["floor"],
            row=("the same with the fit and the table", FLOORS[what]),
        )


if __name__ == "__main__":
    main()
