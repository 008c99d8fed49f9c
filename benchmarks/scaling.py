"""How the cost of each job grows with the size of its input: slopes of log time on log size.

Sizes take turns, so that a slow moment of the machine affects all of them. The least processor time
of several rounds counts. Each job runs in one thread and waits for nothing. A slope of 1 means that
cost is proportional to size. Sizes that no cache holds have larger slopes. So jobs on maps have the
slope of the unavoidable work beside them: one sort (or argsort) and the connected components of the
supra-threshold elements.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from _measure import report
from _surface_maps import adjacency, icosphere, smoother
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from scipy.ndimage import gaussian_filter, label
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.special import ndtr

from ari_estimator import PermutationCalibration, TDPForest
from ari_estimator.closed_testing import Hommel
from ari_estimator.graphs import Graph, MeshGraph, VoxelGrid

N_ROUNDS = 5

# Threshold of clusters on the z scale.
THRESHOLD = 2.0

# 13,824 to 15 million voxels, and 2,562 to 655,362 vertices.
SIDES = (24, 42, 76, 137, 247)
SUBDIVISIONS = (4, 5, 6, 7, 8)

FOREST = "all clusters of all thresholds"


class Growth(NamedTuple):
    """A job in several sizes, and the unavoidable work of each size if it is known."""

    job: str
    of: str
    runs: dict[int, Callable[[], object]]
    floors: dict[int, Callable[[], object]] | None = None


def z_map(side: int, smoothing: float = 1.5) -> np.ndarray:
    """Return a cube of smooth noise with some activation."""
    rng = np.random.default_rng(0)
    noise = gaussian_filter(rng.standard_normal((side,) * 3), smoothing, mode="wrap")
    z = noise / noise.std()
    z[: side // 4, : side // 2, : side // 2] += 3
    return z


def bounds_of_clusters(make_graph: Callable[[], Graph], z: np.ndarray) -> np.ndarray:
    """Return the bounds of all clusters of a threshold, from z values."""
    p_values = ndtr(-z)
    labels, n_clusters = make_graph().components(z > THRESHOLD)
    vector = Hommel(p_values).critical_vector(0.05)
    return vector.true_discoveries_by_label(p_values, labels, n_clusters + 1)


def forest(make_graph: Callable[[], Graph], z: np.ndarray) -> TDPForest:
    """Return all clusters of all thresholds, with bounds, from z values."""
    return TDPForest.from_bounds(make_graph(), Hommel(ndtr(-z)).bounds(0.05))


def floor_on_grid(sort: Callable[[np.ndarray], object], z: np.ndarray) -> object:
    """Do what any implementation has to do for voxels."""
    return sort(z.ravel()), label(z > THRESHOLD)


def floor_on_mesh(
    sort: Callable[[np.ndarray], object], z: np.ndarray, neighbours: csr_array
) -> object:
    """Do what any implementation has to do for vertices."""
    above = np.flatnonzero(z > THRESHOLD)
    return sort(z), connected_components(neighbours[above][:, above], directed=False)


def on_grids() -> list[Growth]:
    """Return the jobs on volumes of more and more voxels."""
    maps = {side**3: z_map(side) for side in SIDES}
    grids = {n: np.ones(z.shape, dtype=bool) for n, z in maps.items()}

    def runs(job: Callable[..., object], connectivity: int) -> dict[int, Callable[[], object]]:
        return {
            n: partial(job, partial(VoxelGrid, grids[n], connectivity), z.ravel())
            for n, z in maps.items()
        }

    def floors(sort: Callable[[np.ndarray], object]) -> dict[int, Callable[[], object]]:
        return {n: partial(floor_on_grid, sort, z) for n, z in maps.items()}

    return [
        Growth("bounds of clusters", "voxels", runs(bounds_of_clusters, 6), floors(np.sort)),
        Growth(FOREST, "voxels", runs(forest, 26), floors(np.argsort)),
    ]


def on_meshes() -> list[Growth]:
    """Return the jobs on meshes of more and more vertices, whose edges were found before."""
    clusters, clusters_floor, forests, forests_floor = {}, {}, {}, {}
    for n_subdivisions in SUBDIVISIONS:
        mesh = icosphere(n_subdivisions)
        neighbours = adjacency(mesh)
        smooth = smoother(neighbours)
        z = np.random.default_rng(0).standard_normal(mesh.n_vertices)
        for _ in range(5):
            z = smooth @ z
        z /= z.std()
        z[: z.size // 20] += 3
        graph = MeshGraph(mesh.faces, np.ones(z.size, dtype=bool))
        clusters[z.size] = partial(bounds_of_clusters, lambda graph=graph: graph, z)
        forests[z.size] = partial(forest, lambda graph=graph: graph, z)
        clusters_floor[z.size] = partial(floor_on_mesh, np.sort, z, neighbours)
        forests_floor[z.size] = partial(floor_on_mesh, np.argsort, z, neighbours)
    return [
        Growth("bounds of clusters", "vertices", clusters, clusters_floor),
        Growth(FOREST, "vertices", forests, forests_floor),
    ]


def calibrated(data: np.ndarray, n_permutations: int = 200) -> float:
    """Return what calibration gives."""
    calibration = PermutationCalibration(n_permutations=n_permutations, random_state=0)
    return calibration.fit(data).lambda_


def of_clusters() -> dict[int, Callable[[], object]]:
    """Return maps of one size with more and more clusters."""
    runs = {}
    for smoothing in (6.0, 4.0, 2.5, 1.5, 0.8):
        z = z_map(64, smoothing)
        make_grid = partial(VoxelGrid, np.ones(z.shape, dtype=bool))
        n_clusters = make_grid().components(z.ravel() > THRESHOLD)[1]
        runs[n_clusters] = partial(bounds_of_clusters, make_grid, z.ravel())
    return runs


def growths() -> list[Growth]:
    """Return the jobs."""
    rng = np.random.default_rng(0)
    subjects = rng.standard_normal((320, 20_000)).astype(np.float32)
    return [
        *on_grids(),
        *on_meshes(),
        Growth("bounds of clusters", "clusters", of_clusters()),
        Growth(
            "calibration",
            "voxels",
            {
                n: partial(calibrated, np.tile(subjects[:20], 16)[:, :n])
                for n in (10_000, 20_000, 40_000, 80_000, 160_000, 320_000)
            },
        ),
        Growth(
            "calibration",
            "subjects",
            {n: partial(calibrated, subjects[:n]) for n in (10, 20, 40, 80, 160, 320)},
        ),
        Growth(
            "calibration",
            "permutations",
            {
                n: partial(calibrated, subjects[:20], n)
                for n in (200, 500, 1000, 2000, 5000, 10_000)
            },
        ),
    ]


def fastest(runs: dict[int, Callable[[], object]]) -> dict[int, float]:
    """Return the least processor time of each size, in seconds."""
    times = dict.fromkeys(runs, np.inf)
    for i in range(N_ROUNDS + 1):
        for size, run in runs.items():
            start = time.process_time()
            run()
            if i:  # the first round compiles, and fills caches
                times[size] = min(times[size], time.process_time() - start)
    return times


def slope(times: dict[int, float]) -> float:
    """Return the slope of log time on log size, by least squares."""
    return float(np.polyfit(np.log(list(times)), np.log(list(times.values())), 1)[0])


def draw(axes: Axes, growth: Growth, times: dict[int, float]) -> None:
    """Draw times relative to the time of the smallest size, the fitted line, and a slope of 1."""
    sizes = np.array(list(times))
    seconds = np.array(list(times.values()))
    intercept = np.mean(np.log(seconds) - slope(times) * np.log(sizes))
    fitted = np.exp(intercept + slope(times) * np.log(sizes))
    axes.loglog(sizes, sizes / sizes[0], color="0.75", linestyle=":", linewidth=1)
    axes.loglog(sizes, fitted / seconds[0], color="0.5", linewidth=1)
    axes.loglog(sizes, seconds / seconds[0], "o", markersize=5)
    # As many decades either way: a slope of 1 is at 45 degrees, and a flat line looks flat.
    margin = 1.3
    axes.set(
        xlim=(sizes.min() / margin, sizes.max() * margin),
        ylim=(1 / margin**2, 2 * sizes.max() / sizes.min()),
        xlabel=growth.of,
    )
    axes.set_title(f"{growth.job}\nslope {slope(times):.2f}", fontsize=10)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_formatter(NullFormatter())
        axis.set_major_locator(LogLocator(numticks=5))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(True, color="0.92", linewidth=0.8)


def draw_floor(axes: Axes, times: dict[int, float]) -> None:
    """Draw the times of the unavoidable work, relative to that of the smallest size."""
    sizes, seconds = np.array(list(times)), np.array(list(times.values()))
    axes.loglog(sizes, seconds / seconds[0], "x", color="0.5", markersize=5)


def main() -> Figure:
    print("Growth of cost: slope of log time on log size")
    figure, grid = plt.subplots(2, 4, figsize=(12, 5.4), layout="constrained")
    for axes, growth in zip(grid.flat, growths(), strict=True):
        times = fastest(growth.runs)
        draw(axes, growth, times)
        sizes = f"{min(times):,} to {max(times):,} {growth.of}"
        name = f"slope of log time on log size, {growth.job}"
        report(f"{growth.job}, {sizes}", slope(times), row=(name, sizes))
        if growth.floors is not None:
            of_floor = fastest(growth.floors)
            draw_floor(axes, of_floor)
            name = f"the same of the unavoidable work of {growth.job}"
            report(f"{name}, {sizes}", slope(of_floor), row=(name, sizes))
    for axes in grid[:, 0]:
        axes.set_ylabel("time, smallest size = 1")
    return figure


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("figure", type=Path, nargs="?", help="file to draw the figure to")
    file = parser.parse_args().figure
    drawn = main()
    if file is not None:
        drawn.savefig(file, dpi=110)
