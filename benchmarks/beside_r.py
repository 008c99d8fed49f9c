"""Jobs of R packages that were measured once, elsewhere: ``python benchmarks beside_r``.

Their seconds, in ``measured_elsewhere.tsv``, come from another machine. So these ratios show the
order of magnitude only. Ratios of memory do not depend on the machine. The number of voxels is the
same as there; p-values are synthetic.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from _measure import report, side_by_side
from scipy.special import ndtr
from tdp_forest import ask_all, build, p_map, peak_per_voxel

from ari_estimator import PermutationCalibration, TDPForest
from ari_estimator.closed_testing import Hommel, SimultaneousBounds
from ari_estimator.graphs import VoxelGrid

FIGURES = Path(__file__).with_name("measured_elsewhere.tsv")


def of_clusters(mask: np.ndarray, p_values: np.ndarray) -> np.ndarray:
    """Return the bounds of the clusters at p < 0.0007, which are z > 3.2."""
    labels, n_clusters = VoxelGrid(mask, 26).components(p_values < 0.0007)
    vector = Hommel(p_values).critical_vector(0.05)
    return vector.true_discoveries_by_label(p_values, labels, n_clusters + 1)


def of_labels(p_values: np.ndarray, labels: np.ndarray, n_clusters: int) -> np.ndarray:
    """Return the bounds of given clusters."""
    vector = Hommel(p_values).critical_vector(0.05)
    return vector.true_discoveries_by_label(p_values, labels, n_clusters + 1)


def forest_and_queries(grid: Callable[[], VoxelGrid], bounds: SimultaneousBounds) -> object:
    """Return what ari-core was timed for: all clusters, their bounds, and 101 queries."""
    return ask_all(TDPForest.from_bounds(grid(), bounds))


def of_permutations(n_voxels: int, n_subjects: int) -> float:
    """Return what 200 sign flips calibrate Simes' template to."""
    data = np.random.default_rng(0).standard_normal((n_subjects, n_voxels)).astype(np.float32)
    return PermutationCalibration(n_permutations=200, random_state=0).fit(data).lambda_


def jobs() -> dict[str, Callable[[], object]]:
    """Return our way to do each job, by its name in the file."""
    mask, p_values = p_map(2.0)
    # As many voxels as the map that ARIbrain was timed on.
    part = mask & (np.cumsum(mask).reshape(mask.shape) <= 145_872)
    p_part = p_values[: part.sum()]
    labels, n_clusters = VoxelGrid(part, 26).components(p_part < 0.0007)
    grid, part_grid = partial(VoxelGrid, mask, 26), partial(VoxelGrid, part, 26)
    forest = build(part_grid, p_part)
    million = ndtr(-np.random.default_rng(0).standard_normal(1_000_000))
    bounds = Hommel(p_values).bounds(0.05)
    return {
        "Hommel value and jumps": lambda: Hommel(million).jumps,
        "18 clusters of a label map": partial(of_labels, p_part, labels, n_clusters),
        "forming clusters at a threshold": partial(of_clusters, part, p_part),
        "forest of clusters, 26 neighbours": partial(build, part_grid, p_part),
        "one TDP query": lambda: forest.labels(forest.query(0.7)),
        "forest, bounds and 101 TDP queries": partial(forest_and_queries, grid, bounds),
        "200 sign flips of 20 subjects, Simes template": partial(of_permutations, 200_000, 20),
    }


def main() -> None:
    figures = pd.read_csv(FIGURES, sep="\t", comment="#").set_index("job")
    functions = jobs()
    print("Jobs of R packages, measured elsewhere")
    times = side_by_side(functions, n_rounds=5)
    for job, figure in figures.iterrows():
        report(
            f"{figure['package']}, there / ours, here: {job}",
            figure["seconds"] / times[job],
            at_least=True,
            row=(f"{job}, {figure['n_voxels']:,} voxels", f"{figure['package']}, elsewhere"),
        )
        if figure["megabytes"] > 0:
            there = 1e6 * figure["megabytes"] / figure["n_voxels"]
            report(
                "its memory per voxel, there / ours",
                there / peak_per_voxel(2.0),
                at_least=True,
                row=("memory of all clusters", f"{figure['package']}, elsewhere"),
            )


if __name__ == "__main__":
    main()
