"""Power of each bound in simulated studies: ``python benchmarks/power.py --page docs/power.md``.

The simulation takes some minutes. ``python benchmarks`` does not run it. A ball of voxels is
active. One factor varies at a time: effect size, number of subjects, size of the ball, smoothness.
"""

from __future__ import annotations

import argparse
import warnings
from typing import NamedTuple

import numpy as np
from _ball_study import N_VOXELS, SIDE, ball, study
from _page import add_page_argument, publish, table
from scipy.special import ndtri, stdtr
from scipy.stats import false_discovery_control

from ari_estimator import PermutationCalibration
from ari_estimator.closed_testing import CriticalVectorBounds, Hommel, SimultaneousBounds
from ari_estimator.graphs import VoxelGrid
from ari_estimator.inference import TDPForest

ALPHA = 0.05
THRESHOLD = 3.1
TDP = 0.7

# Bounds by sign-flipping, and their parameters.
CALIBRATED = {
    "Simes": {},
    "beta": {"template": "beta"},
    "higher criticism": {"template": "higher_criticism"},
    "Simes and beta": {"template": ["simes", "beta"]},
    "joint": {"template": "joint"},
}


class Setting(NamedTuple):
    """How studies are drawn."""

    effect: float
    n_subjects: int
    n_active: int
    fwhm: float


BASE = Setting(0.8, 30, 500, 4.0)

FACTORS = {
    "effect": (0.4, 0.6, 0.8, 1.2),
    "n_subjects": (15, 20, 30, 60),
    "n_active": (30, 120, 500, 2000),
    "fwhm": (0.0, 2.0, 4.0, 7.0),
}


def settings() -> list[Setting]:
    """Return the rows of the tables, without those that an earlier factor has."""
    rows = [BASE._replace(**{name: v}) for name, values in FACTORS.items() for v in values]
    return list(dict.fromkeys(rows))


def bounds_of(data: np.ndarray, n_permutations: int, seed: int) -> dict[str, SimultaneousBounds]:
    """Return each kind of bounds for the mean of the data."""
    n = len(data)
    t = data.mean(axis=0) / data.std(axis=0, ddof=1) * np.sqrt(n)
    p_values = stdtr(n - 1, -t)
    bounds: dict[str, SimultaneousBounds] = {
        "Simes, parametric": Hommel(p_values, "simes").bounds(ALPHA),
        "Hommel, parametric": Hommel(p_values, "hommel").bounds(ALPHA),
    }
    for name, parameters in CALIBRATED.items():
        calibration = PermutationCalibration(
            n_permutations=n_permutations, random_state=seed, verbose=0, **parameters
        ).fit(data, alpha=ALPHA)
        bounds[f"{name}, permutations"] = CriticalVectorBounds(
            calibration.p_values_, calibration.critical_vector_
        )
    return bounds


def adaptive_share(grid: VoxelGrid, bounds: SimultaneousBounds, active: np.ndarray) -> float:
    """Return the share of active voxels in the largest clusters with at least some TDP."""
    forest = TDPForest.from_bounds(grid, bounds)
    labels = forest.labels(forest.query(TDP))
    return float((labels[active] > 0).mean())


def one_study(setting: Setting, number: int, n_permutations: int) -> dict[str, dict[str, float]]:
    """Return what each method finds in one study, by table."""
    rng = np.random.default_rng([number, *np.frombuffer(repr(setting).encode(), dtype=np.uint8)])
    in_ball = ball(setting.n_active)
    maps = study(setting.effect * in_ball, setting.n_subjects, setting.fwhm, rng)
    active = np.flatnonzero(in_ball)
    bounds = bounds_of(maps.reshape(len(maps), -1), n_permutations, number)
    p_values = bounds["Simes, parametric"].p_values

    grid = VoxelGrid(np.ones(in_ball.shape, dtype=bool), connectivity=6)
    labels, _ = grid.components(-ndtri(p_values) > THRESHOLD)
    counts = np.bincount(labels[active])
    counts[0] = 0
    cluster = np.flatnonzero(labels == counts.argmax()) if counts.any() else np.empty(0, int)
    of_cluster = {
        name: bound.of_set(cluster) / cluster.size if cluster.size else np.nan
        for name, bound in bounds.items()
    }
    of_cluster["truth"] = np.mean(in_ball.ravel()[cluster]) if cluster.size else np.nan
    of_cluster["size"] = cluster.size
    reported = {
        "FWE, Bonferroni": np.mean(p_values[active] <= ALPHA / N_VOXELS),
        "FDR": np.mean(false_discovery_control(p_values)[active] <= ALPHA),
    }
    for name in ("Simes, parametric", "joint, permutations"):
        reported[f"adaptive clusters, {name}"] = adaptive_share(grid, bounds[name], active)
    return {
        "ball": {name: bound.of_set(active) / active.size for name, bound in bounds.items()},
        "cluster": of_cluster,
        "reported": reported,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--studies", type=int, default=24)
    parser.add_argument("--permutations", type=int, default=500)
    add_page_argument(parser)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    tables: dict[str, list[list[str]]] = {"ball": [], "cluster": [], "reported": []}
    headers: dict[str, list[str]] = {}
    for setting in settings():
        found = [one_study(setting, i, given.permutations) for i in range(given.studies)]
        for name, rows in tables.items():
            headers[name] = list(found[0][name])
            row = [f"{value:g}" for value in setting]
            for column in headers[name]:
                # A study without a cluster has no TDP of it.
                mean = np.nanmean([one[name][column] for one in found])
                row.append(f"{mean:.0f}" if column == "size" else f"{mean:.2f}")
            rows.append(row)
            print(name, row, flush=True)
    for name, rows in tables.items():
        header = ["effect", "subjects", "ball", "FWHM", *headers[name]]
        text = (
            f"{given.studies} studies in each row, {SIDE**3:,} voxels, alpha = {ALPHA}, "
            f"{given.permutations} sign flips. The ball is in voxels, and so is the smoothness."
        )
        publish(f"power {name}", f"{text}\n\n{table(header, rows)}", given.page)


if __name__ == "__main__":
    main()
