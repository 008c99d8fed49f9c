"""TDP of the clusters of two hemispheres of fsaverage size, compared with the unavoidable work.

The floor is a sort of all values, and the connected components of the supra-threshold vertices.
The adjacency matrix of the meshes and the fitted transformer exist before the clock starts. Inside
the clock, the floor extracts the rows and columns of the supra-threshold vertices, which depend on
the map. ``fit_transform`` includes the table. Areas and edges belong to the mesh. They are found in
the first call, which is not counted, and each call compares the mesh with them.

Three comparisons have no limit: a floor that extracts rows and columns before the clock starts, a
floor that computes p-values too, as the floors of volumes do, and nilearn, whose clusters are runs
of vertex numbers and not connected on the mesh.

The ratio depends on how fast numpy sorts. With AVX-512 instructions it is slow on some AMD
processors. There, ``NPY_DISABLE_CPU_FEATURES="X86_V4 AVX512_ICL" python benchmarks`` sorts without
them, several times faster. That is the stricter comparison.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from _measure import report, side_by_side
from _surface_maps import adjacency, icosphere, z_map
from nilearn.glm import cluster_level_inference as nilearn_inference
from nilearn.surface import PolyMesh, SurfaceImage
from scipy.sparse import block_diag, csr_array
from scipy.sparse.csgraph import connected_components
from scipy.special import ndtr

from ari_estimator import ClusterTDPTransformer, cluster_level_inference

THRESHOLDS = (1.0, 2.0, 2.5)

# Added to a threshold, for a table of four.
STEPS = (0.0, 0.5, 1.0, 1.5)

FLOOR = "one sort, connected components of the supra-threshold vertices"


def floor(z: np.ndarray, neighbours: csr_array, threshold: float) -> Callable[[], object]:
    """Return the least that any implementation has to do."""

    def run() -> object:
        np.sort(z)
        above = np.flatnonzero(z > threshold)
        return connected_components(neighbours[above][:, above], directed=False)

    return run


def floor_with_p_values(
    z: np.ndarray, neighbours: csr_array, threshold: float
) -> Callable[[], object]:
    """Return the same with p-values, which the floors of volumes have too."""
    of_clusters = floor(z, neighbours, threshold)
    return lambda: (ndtr(-z), of_clusters())


def floor_of_graph(z: np.ndarray, graph: csr_array) -> Callable[[], object]:
    """Return the same, with the graph of the supra-threshold vertices at hand."""

    def run() -> object:
        np.sort(z)
        return connected_components(graph, directed=False)

    return run


def main() -> None:
    hemisphere = icosphere(7)
    mesh = PolyMesh(left=hemisphere, right=hemisphere)
    everywhere = np.ones(hemisphere.n_vertices, dtype=bool)
    mask_img = SurfaceImage(mesh, {"left": everywhere, "right": everywhere})
    neighbours = block_diag([adjacency(hemisphere)] * 2, format="csr")
    for kind, smoothing in (("smooth", 10), ("unsmoothed", 0)):
        img = z_map(mesh, smoothing)
        z = np.concatenate([img.data.parts["left"], img.data.parts["right"]])
        print(f"Cluster TDP on surfaces, {kind} map, {z.size:,} vertices")
        for threshold in THRESHOLDS:
            above = np.flatnonzero(z > threshold)
            graph = neighbours[above][:, above]
            ari = ClusterTDPTransformer(threshold, mask_img=mask_img)
            four = ClusterTDPTransformer([threshold + s for s in STEPS], mask_img=mask_img)
            fitted = ClusterTDPTransformer(threshold, mask_img=mask_img).fit(img)
            functions = {
                "floor": floor(z, neighbours, threshold),
                "floor of graph": floor_of_graph(z, graph),
                "floor with p-values": floor_with_p_values(z, neighbours, threshold),
                "transform": partial(fitted.transform, img),
                "fit_transform": partial(ari.fit_transform, img),
                "four thresholds": partial(four.fit_transform, img),
            }
            times = side_by_side(functions, n_rounds=31)
            n_clusters = connected_components(graph, directed=False)[0]
            share = above.size / z.size
            print(f" z > {threshold}: {share:.1%} of the vertices, {n_clusters:,} clusters")
            report(
                "transform / floor",
                times["transform"] / times["floor"],
                2,
                row=(f"TDP of clusters, surfaces of {z.size:,} vertices", FLOOR),
            )
            report(
                "transform / floor, its graph given", times["transform"] / times["floor of graph"]
            )
            for name in ("transform", "fit_transform", "four thresholds"):
                report(f"{name} / floor with p-values", times[name] / times["floor with p-values"])
            report(
                "fit_transform, with table / floor",
                times["fit_transform"] / times["floor"],
                3,
                row=("the same with the fit and the table", FLOOR),
            )
            report(
                "fit_transform, four thresholds / floor",
                times["four thresholds"] / times["floor"],
                6,
                row=("the same with four thresholds", FLOOR),
            )
            if kind == "unsmoothed":
                continue  # nilearn takes minutes
            functions = {
                "ours": partial(cluster_level_inference, img, mask_img, threshold),
                "nilearn": partial(nilearn_inference, img, mask_img, threshold),
            }
            times = side_by_side(functions, n_rounds=3)
            report(
                "nilearn / cluster_level_inference",
                times["nilearn"] / times["ours"],
                1,
                at_least=True,
                row=("the same", "nilearn, whose clusters are runs of vertex numbers"),
            )


if __name__ == "__main__":
    main()
