"""Error of bounds from cluster extents: ``python benchmarks/extent_error.py --page PAGE``.

The simulation takes some minutes. ``python benchmarks`` does not run it. An error is a set whose
bound exceeds its number of active elements. For bounds from cluster extents, there is one if and
only if the bound of all inactive elements is above 0; the same holds for bounds from p-values, and
so for the larger of both.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from _error_rate import KEY, error_rate
from _page import add_page_argument, publish, table
from scipy.ndimage import gaussian_filter
from scipy.sparse import coo_array

from ari_estimator import ClusterExtentCalibration, JointCalibration, PermutationCalibration
from ari_estimator.graphs import AdjacencyGraph, Graph, VoxelGrid

ALPHAS = (0.05, 0.1)
SIDE, N_SUBJECTS, N_PERMUTATIONS = 14, 20, 200
SHAPE = (SIDE,) * 3

# A third of the voxels, in one slab.
ACTIVE = np.arange(SIDE**3) < SIDE**3 // 3


# Studies that are repeated with signal.
WITH_SIGNAL = (
    "one sample, sign flips",
    "the same, two-sided",
    "two groups, permutation",
    "a covariate with another one, permutation",
)


class Study(NamedTuple):
    """How data are tested."""

    design: np.ndarray
    contrast: np.ndarray
    options: dict[str, object]
    height: float = 0.01
    two_sided: bool = False
    connectivity: int = 26
    is_ring: bool = False
    scales: np.ndarray | float = 1.0


def studies() -> Iterator[tuple[str, Study]]:
    """Yield the kinds of studies."""
    mean = np.ones((N_SUBJECTS, 1)), np.ones(1)
    groups = np.eye(2)[np.repeat([0, 1], N_SUBJECTS // 2)], np.array([1.0, -1])
    rng = np.random.default_rng(1)
    columns = [rng.standard_normal((N_SUBJECTS, 2)), np.ones(N_SUBJECTS)]
    covariate = np.column_stack(columns), np.eye(3)[0]
    three = np.eye(3)[np.arange(N_SUBJECTS) % 3], np.array([[1.0, -1, 0], [0, 1, -1]])
    yield "one sample, sign flips", Study(*mean, {})
    yield "the same, p < 0.001", Study(*mean, {}, height=0.001)
    yield "the same, two-sided", Study(*mean, {}, two_sided=True)
    yield "the same, 6 neighbours", Study(*mean, {}, connectivity=6)
    yield "the same, nodes of a ring", Study(*mean, {}, is_ring=True)
    yield "two groups, permutation", Study(*groups, {})
    yield "three groups, F, permutation", Study(*three, {})
    yield "a covariate with another one, permutation", Study(*covariate, {})
    scales = np.repeat([2.0, 1.0], N_SUBJECTS // 2)[:, np.newaxis]
    unequal = {"variance_groups": "auto", "scheme": "sign_flip"}
    yield "two groups, standard deviations 2 : 1, v", Study(*groups, unequal, scales=scales)


def ring() -> AdjacencyGraph:
    """Return a graph of nodes in a ring."""
    n = SIDE**3
    pairs = np.arange(n), (np.arange(n) + 1) % n
    links = coo_array((np.ones(n), pairs), shape=(n, n)).tocsr()
    return AdjacencyGraph(links + links.T)


def noise(study: Study, rng: np.random.Generator) -> np.ndarray:
    """Return smooth errors with variance 1, of shape (n_subjects, n_elements)."""
    maps = rng.standard_normal((N_SUBJECTS, *SHAPE))
    if study.is_ring:
        maps = maps.reshape(N_SUBJECTS, -1)
        smooth = gaussian_filter(maps, (0, 1.5), mode="wrap")
    else:
        smooth = gaussian_filter(maps, (0, 1, 1, 1), mode="wrap").reshape(N_SUBJECTS, -1)
    return study.scales * smooth / smooth.std()


def effect(study: Study) -> np.ndarray:
    """Return an effect that is strong enough to find, on each subject."""
    rows = study.design @ np.atleast_2d(study.contrast).T
    return 1.2 * rows[:, :1] / np.sqrt((rows[:, 0] ** 2).mean())


def n_errors(study: Study, graph: Graph, has_signal: bool, n_studies: int) -> np.ndarray:
    """Return in how many studies a bound is wrong, by (kind of bound, level)."""
    counts = np.zeros((3, len(ALPHAS)), dtype=int)
    shared = {"n_permutations": N_PERMUTATIONS, "verbose": 0, **study.options}
    null = ~ACTIVE if has_signal else np.ones(ACTIVE.size, dtype=bool)
    for number in range(n_studies):
        rng = np.random.default_rng([number, has_signal])
        data = noise(study, rng)
        if has_signal:
            data[:, ACTIVE] += effect(study)
        calibration = JointCalibration(
            [
                PermutationCalibration(**shared, random_state=number),
                ClusterExtentCalibration(study.height, **shared, random_state=number),
            ]
        ).fit(data, study.design, study.contrast, adjacency=graph, two_sided=study.two_sided)
        voxels, extents = calibration.calibrations_
        tests = voxels._test, extents._test, calibration._test
        for i, test in enumerate(tests):
            counts[i] += [test(alpha).bounds(alpha).of_set(null) > 0 for alpha in ALPHAS]
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--studies", type=int, default=2000)
    add_page_argument(parser)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    texts = [
        f"{given.studies:,} studies of each kind, {N_SUBJECTS} subjects, {SIDE**3:,} voxels of a "
        f"cube with smooth normal errors, {N_PERMUTATIONS} permutations, clusters of p < 0.01 with "
        "26 neighbours unless it says otherwise, fixed seeds. With signal, a third of the voxels "
        f"is active. Joint: p-values and extents at half the level each. {KEY}"
    ]
    for title, has_signal in (("Nothing active", False), ("A third of the voxels active", True)):
        rows = []
        for name, study in studies():
            if has_signal and name not in WITH_SIGNAL:
                continue
            graph = ring() if study.is_ring else VoxelGrid(np.ones(SHAPE, bool), study.connectivity)
            counts = n_errors(study, graph, has_signal, given.studies)
            shown = [
                error_rate(int(counts[kind, level]), given.studies, ALPHAS[level])
                for kind in (1, 2)
                for level in range(len(ALPHAS))
            ]
            rows.append([name, *shown])
            print(rows[-1], flush=True)
        columns = [f"{kind}, error at {a}" for kind in ("extents", "joint") for a in ALPHAS]
        texts.append(f"**{title}**\n\n{table(['study', *columns], rows)}")
    publish("extent_error", "\n\n".join(texts), given.page)


if __name__ == "__main__":
    main()
