"""How the cost of each job grows with the size of its input: slopes of log time on log size.

Sizes take turns, so that a slow moment of the machine affects all of them. The least processor time
of several rounds counts. Each job runs in one thread and waits for nothing. A slope of 1 means that
cost is proportional to size.
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
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from scipy.ndimage import gaussian_filter
from scipy.special import ndtr

from ari_estimator import PermutationCalibration, TDPForest
from ari_estimator.closed_testing import Hommel
from ari_estimator.graphs import VoxelGrid

N_ROUNDS = 5


class Growth(NamedTuple):
    """A job in several sizes."""

    job: str
    of: str
    runs: dict[int, Callable[[], object]]


def z_map(side: int, smoothing: float = 1.5) -> np.ndarray:
    """Return a cube of smooth noise with some activation."""
    rng = np.random.default_rng(0)
    noise = gaussian_filter(rng.standard_normal((side,) * 3), smoothing, mode="wrap")
    z = noise / noise.std()
    z[: side // 4, : side // 2, : side // 2] += 3
    return z


def bounds_of_clusters(z: np.ndarray, threshold: float) -> np.ndarray:
    """Return the bounds of all clusters of a threshold, from z values."""
    p_values = ndtr(-z.ravel())
    labels, n_clusters = VoxelGrid(np.ones(z.shape, dtype=bool)).components(z.ravel() > threshold)
    vector = Hommel(p_values).critical_vector(0.05)
    return vector.true_discoveries_by_label(p_values, labels, n_clusters + 1)


def forest(z: np.ndarray) -> TDPForest:
    """Return all clusters of all thresholds, with bounds, from z values."""
    p_values = ndtr(-z.ravel())
    grid = VoxelGrid(np.ones(z.shape, dtype=bool), 26)
    return TDPForest.from_bounds(grid, Hommel(p_values).bounds(0.05))


def calibrated(data: np.ndarray, n_permutations: int = 200) -> float:
    """Return what calibration gives."""
    calibration = PermutationCalibration(n_permutations=n_permutations, random_state=0)
    return calibration.fit(data).lambda_


def of_clusters() -> dict[int, Callable[[], object]]:
    """Return maps of one size with more and more clusters."""
    runs = {}
    for smoothing, threshold in ((4.0, 2.0), (2.5, 2.0), (1.5, 2.0), (1.0, 2.0), (0.5, 1.7)):
        z = z_map(64, smoothing)
        grid = VoxelGrid(np.ones(z.shape, dtype=bool))
        n_clusters = grid.components(z.ravel() > threshold)[1]
        runs[n_clusters] = partial(bounds_of_clusters, z, threshold)
    return runs


def growths() -> list[Growth]:
    """Return the jobs."""
    sides = (24, 35, 52, 76, 110)
    maps = {side**3: z_map(side) for side in sides}
    rng = np.random.default_rng(0)
    subjects = rng.standard_normal((320, 20_000)).astype(np.float32)
    return [
        Growth(
            "bounds of clusters",
            "voxels",
            {n: partial(bounds_of_clusters, z, 2.0) for n, z in maps.items()},
        ),
        Growth(
            "all clusters of all thresholds",
            "voxels",
            {n: partial(forest, z) for n, z in maps.items()},
        ),
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


def main() -> Figure:
    print("Growth of cost: slope of log time on log size")
    figure, grid = plt.subplots(2, 3, figsize=(9, 5.4), layout="constrained")
    for axes, growth in zip(grid.flat, growths(), strict=True):
        times = fastest(growth.runs)
        draw(axes, growth, times)
        sizes = f"{min(times):,} to {max(times):,} {growth.of}"
        name = f"slope of log time on log size, {growth.job}"
        report(f"{growth.job}, {sizes}", slope(times), row=(name, sizes))
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
