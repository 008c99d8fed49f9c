"""All clusters of a whole-brain map with their bounds, compared with the unavoidable work.

The floor is an argsort of the p-values, and the connected components at one threshold. The ratio
depends on how fast numpy sorts; see ``surface_tdp.py``.

higra, an optional library for hierarchical graphs in C++, makes the tree of components without
bounds. Its graph exists before the clock starts; ours is built inside the clock.

tracemalloc does not see what numba allocates. So memory is the rise of the peak of a separate
process. It has built a small forest before, which loads and compiles all code.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from functools import partial

import numpy as np
from _maps import brain_mask, z_map
from _measure import report, side_by_side
from _surface_maps import adjacency, icosphere
from _surface_maps import z_map as surface_z_map
from nilearn.surface import PolyMesh
from scipy.ndimage import generate_binary_structure, label
from scipy.sparse import block_diag
from scipy.sparse.csgraph import connected_components
from scipy.stats import norm

from ari_estimator import TDPForest
from ari_estimator.closed_testing import Hommel
from ari_estimator.graphs import ClusterForest, Graph, GraphUnion, MeshGraph, VoxelGrid

try:
    import higra
except ImportError:
    higra = None

TDPS = np.arange(101) / 100

WHAT = "all clusters of a 2 mm brain with their bounds, 26 neighbours"


def p_map(smoothing: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the mask of the brain, and p-values of noise with three active regions."""
    mask = brain_mask().get_fdata() > 0
    z = z_map(smoothing).get_fdata()
    voxels = np.indices(mask.shape).transpose(1, 2, 3, 0)
    middle = np.argwhere(mask).mean(axis=0)
    for shift in ([20, 5, 5], [-20, 5, 5], [0, -20, 10]):
        distances = np.linalg.norm(voxels - (middle + shift), axis=-1)
        z += 8 * np.exp(-((distances / 8) ** 2))
    return mask, norm.sf(z[mask])


def build(graph: Callable[[], Graph], p_values: np.ndarray) -> TDPForest:
    """Return the forest, from nothing but p-values and what the graph is made of."""
    return TDPForest.from_bounds(graph(), Hommel(p_values).bounds(0.05))


def floor(mask: np.ndarray, p_values: np.ndarray) -> object:
    """Do the least that any implementation has to do."""
    selected = np.zeros(mask.shape, dtype=bool)
    selected[mask] = p_values < 0.001
    return np.argsort(p_values), label(selected, generate_binary_structure(3, 3))


def ask_all(forest: TDPForest) -> list[np.ndarray]:
    """Return labels for each of 101 TDPs; what queries share is not kept from before."""
    fresh = TDPForest(
        forest.elements,
        forest.starts,
        forest.parents,
        forest.is_cluster,
        forest.true_discoveries,
    )
    return [fresh.labels(fresh.query(tdp)) for tdp in TDPS]


def memory(smoothing: float) -> None:
    """Print the rise of this process's peak, in bytes per voxel, while it builds a forest."""
    mask, p_values = p_map(smoothing)
    small = mask[30:50, 30:50, 30:50]
    build(partial(VoxelGrid, small, 26), p_values[: small.sum()])
    # The peak so far may be above the memory in use. Fill up to it, so that any more is a rise.
    filling = []
    at_most = peak() + (1 << 20)
    while peak() < at_most:
        filling.append(np.ones(1 << 18, dtype=np.uint8))
    before = peak()
    forest = build(partial(VoxelGrid, mask, 26), p_values)
    print((peak() - before) / forest.elements.size)


def peak() -> int:
    """Return the largest memory that this process has had, in bytes."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else 1024 * size


def peak_per_voxel(smoothing: float) -> float:
    command = [sys.executable, __file__, str(smoothing)]
    # Arrays that are freed are given back to the system, and not kept for others to come.
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"}
    run = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return float(run.stdout)


def beside_higra(mask: np.ndarray, p_values: np.ndarray) -> None:
    if higra is None:
        print("  higra is not installed: no comparison with its component tree")
        return
    graph = higra.UndirectedGraph(p_values.size)
    graph.add_edges(*VoxelGrid(mask, 26).edges(np.ones(p_values.size, dtype=bool)).T)
    functions = {
        "ours": lambda: ClusterForest(VoxelGrid(mask, 26), p_values),
        "higra": partial(higra.component_tree_min_tree, graph, p_values),
    }
    times = side_by_side(functions, n_rounds=5)
    report("higra's component tree / ClusterForest", times["higra"] / times["ours"], 8,
           at_least=True, row=(WHAT, "component tree of higra, without bounds"))  # fmt: skip


def volumes() -> None:
    for kind, smoothing in (("smooth", 2.0), ("unsmoothed", 0.0)):
        mask, p_values = p_map(smoothing)
        make_grid = partial(VoxelGrid, mask, 26)
        forest = build(make_grid, p_values)
        functions = {
            "floor": partial(floor, mask, p_values),
            "build": partial(build, make_grid, p_values),
            "queries": partial(ask_all, forest),
            "query": partial(forest.query, 0.7),
        }
        times = side_by_side(functions, n_rounds=15)
        active = forest.true_discoveries[forest.query(0)].sum()
        print(
            f"Forest of clusters, {kind} map, {p_values.size:,} voxels, {active:,} discoveries, "
            f"{forest.is_cluster.sum():,} clusters, {forest.local_minima().size:,} minima"
        )
        milliseconds = {name: f"{1000 * time:.2f}" for name, time in times.items()}
        print(f"  milliseconds: {milliseconds}")
        report(
            "p-values and mask to forest with bounds / floor",
            times["build"] / times["floor"],
            2.5,
            row=(WHAT, "one argsort, one labelling"),
        )
        report(
            "101 queries with labels / building",
            times["queries"] / times["build"],
            0.5,
            row=("101 queries for a TDP, with label arrays", "making all clusters"),
        )
        report("one query / building", times["query"] / times["build"])
        report(
            "peak of building, bytes per voxel",
            peak_per_voxel(smoothing),
            150,
            row=("memory of making all clusters, bytes per voxel", ""),
        )
        beside_higra(mask, p_values)


def surfaces() -> None:
    hemisphere = icosphere(7)
    mesh = PolyMesh(left=hemisphere, right=hemisphere)
    faces, everywhere = hemisphere.faces, np.ones(hemisphere.n_vertices, dtype=bool)
    neighbours = block_diag([adjacency(hemisphere)] * 2, format="csr")
    graph = GraphUnion([MeshGraph(faces, everywhere)] * 2)
    for kind, smoothing in (("smooth", 10), ("unsmoothed", 0)):
        parts = surface_z_map(mesh, smoothing).data.parts
        p_values = norm.sf(np.concatenate([parts["left"], parts["right"]]))

        def run_floor(p_values: np.ndarray = p_values) -> object:
            above = np.flatnonzero(p_values < 0.001)
            links = neighbours[above][:, above]
            return np.argsort(p_values), connected_components(links, directed=False)

        functions = {"floor": run_floor, "build": partial(build, lambda: graph, p_values)}
        times = side_by_side(functions, n_rounds=15)
        print(f"Forest of clusters on surfaces, {kind} map, {p_values.size:,} vertices")
        report(
            "p-values and meshes to forest / floor",
            times["build"] / times["floor"],
            4,
            row=(
                f"the same on surfaces of {p_values.size:,} vertices",
                "one argsort, connected components of the supra-threshold vertices",
            ),
        )


def main() -> None:
    volumes()
    surfaces()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        memory(float(sys.argv[1]))
    else:
        main()
