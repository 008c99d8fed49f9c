"""Results against closed testing in exact arithmetic: ``python benchmarks/exactness.py``.

The script draws small families of p-values with a fixed seed. The reference tests all intersections
in fractions, by the definition of closed testing; the tests of the package use it, too. Integers
and sets must be equal. p-values of sets are doubles here and must agree in 12 digits.

In most families, rounding decides: p-values lie on the grid of permutation p-values near a level,
on the thresholds of the level, or on few values that tie.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
from _page import add_page_argument, publish, table

from ari_estimator import TDPForest
from ari_estimator.closed_testing import Hommel
from ari_estimator.graphs import Graph, GraphUnion, MeshGraph, VoxelGrid

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from closed_testing._brute_force import ClosedTest, members, simes_factor
from inference._brute_force import ClusterSearch

LOCAL_TESTS = ("simes", "hommel")
LEVELS = [Fraction(1, n) for n in (2, 5, 10, 20, 40, 60, 100)]
TDPS = [Fraction(k, 10) for k in (0, 3, 5, 7, 9)]
LARGEST = 8

Family = list[Fraction]


def on_a_grid(rng: np.random.Generator, n: int, alpha: Fraction) -> Family:
    """Return p-values k / B of permutations, half of them near the level."""
    n_permutations = int(rng.choice([20, 100, 200, 1000, 5000]))
    largest = [max(1, int(2 * alpha * n_permutations)), n_permutations]
    return [
        Fraction(int(rng.integers(min(largest[i], n_permutations) + 1)), n_permutations)
        for i in rng.integers(2, size=n)
    ]


def on_thresholds(rng: np.random.Generator, n: int, alpha: Fraction) -> Family:
    """Return p-values on the thresholds of some h, and h of them that are just not rejected."""
    h = int(rng.integers(1, n + 1))
    step = alpha / simes_factor(h, str(rng.choice(LOCAL_TESTS)))
    excess = [Fraction(int(k), 100) for k in rng.integers(1, 101, size=h)]
    unrejected = [min((j + more) * step, Fraction(1)) for j, more in enumerate(excess, start=1)]
    return unrejected + [int(u) * step for u in rng.integers(h + 1, size=n - h)]


def of_few_values(rng: np.random.Generator, n: int, alpha: Fraction) -> Family:
    """Return p-values that tie with each other, the level, 0 and 1."""
    values = [Fraction(0), Fraction(1), alpha, alpha / n, Fraction(int(rng.integers(101)), 100)]
    few = rng.choice(len(values), size=3, replace=False)
    return [values[i] for i in rng.choice(few, size=n)]


def anywhere(rng: np.random.Generator, n: int, alpha: Fraction) -> Family:
    """Return p-values of six decimals, many of them small."""
    return [Fraction(int(10**6 * u**3), 10**6) for u in rng.random(n)]


KINDS: dict[str, Callable[..., Family]] = {
    "permutation p-values k / B near the level": on_a_grid,
    "p-values equal to the thresholds of a Hommel value": on_thresholds,
    "few distinct values, including 0, 1 and the level": of_few_values,
    "any values": anywhere,
}


def random_graph(rng: np.random.Generator) -> Graph:
    """Return a small grid, a small mesh, or both."""
    while True:
        grid = VoxelGrid(rng.random(rng.integers(1, 4, 3)) < 0.8, int(rng.choice([6, 18, 26])))
        mesh = MeshGraph(rng.integers(0, 8, (int(rng.integers(0, 8)), 3)), rng.random(8) < 0.8)
        graph = [grid, mesh, GraphUnion([mesh, grid])][rng.integers(3)]
        if 1 <= graph.n_nodes <= LARGEST:
            return graph


def count(counts: Counter, what: str, local_test: str, are_equal: list[bool]) -> None:
    """Count comparisons, and disagreements."""
    counts[what, local_test, "compared"] += len(are_equal)
    counts[what, local_test, "different"] += len(are_equal) - sum(are_equal)


def compare_sets(counts: Counter, exact: ClosedTest, p: np.ndarray, alpha: Fraction,
                 local_test: str) -> None:  # fmt: skip
    """Compare all results for a family."""
    hommel = Hommel(p, local_test)
    level = float(alpha)
    vector = hommel.critical_vector(level)
    bounds = exact.bounds(alpha)
    sets = {mask: members(mask) for mask in range(1, exact.everything + 1)}

    def tally(what: str, are_equal: list[bool]) -> None:
        count(counts, what, local_test, are_equal)

    tally("Hommel value", [hommel.value(level) == exact.hommel_value(alpha)])
    tally(
        "bounds of all subsets",
        [vector.true_discoveries(p[s]) == bounds[mask] for mask, s in sets.items()],
    )
    order = np.argsort(p, kind="stable")
    along = np.cumsum([1 << int(i) for i in order])
    tally(
        "bounds along the ordered p-values",
        (vector.confidence_curve(p) == [bounds[mask] for mask in along]).tolist(),
    )
    size, threshold = hommel.concentration_set(level)
    inside = sum(1 << i for i in np.flatnonzero(p <= threshold)) if size else 0
    keeps_all = all(bounds[mask] == bounds[mask & inside] for mask in sets)
    smallest = next(
        (k for k, mask in enumerate([0, *along]) if bounds[mask] == bounds[exact.everything])
    )
    tally("concentration set", [keeps_all and size == smallest])

    def are_close(values: object, fractions: list[Fraction]) -> list[bool]:
        return np.isclose(values, [float(f) for f in fractions], rtol=1e-12, atol=0).tolist()

    adjusted = [exact.adjusted_p_value(1 << i) for i in range(p.size)]
    tally("adjusted p-values", are_close(hommel.adjusted_p_values, adjusted))
    tdp = TDPS[exact.hommel_value(alpha) % len(TDPS)]
    tally(
        "p-values of all subsets, for some TDP",
        are_close(
            [hommel.set_p_value(s, float(tdp)) for s in sets.values()],
            [exact.set_p_value(mask, tdp) for mask in sets],
        ),
    )


def compare_forest(counts: Counter, exact: ClosedTest, p: np.ndarray, alpha: Fraction,
                   local_test: str, graph: Graph) -> None:  # fmt: skip
    """Compare all clusters of a map, and all queries about them."""
    forest = TDPForest.from_bounds(graph, Hommel(p, local_test).bounds(float(alpha)))
    bounds = exact.bounds(alpha)
    search = ClusterSearch(graph, p, lambda members: bounds[sum(1 << i for i in members)])

    def sets(clusters: np.ndarray) -> set[frozenset[int]]:
        return {frozenset(forest.members(cluster).tolist()) for cluster in clusters}

    def tally(what: str, are_equal: list[bool]) -> None:
        count(counts, what, local_test, are_equal)

    positions = {
        frozenset(forest.members(i).tolist()): i for i in np.flatnonzero(forest.is_cluster)
    }
    tally(
        "clusters at all thresholds, with bounds",
        [
            cluster in positions and forest.true_discoveries[positions[cluster]] == bound
            for cluster, bound in search.bounds.items()
        ]
        + [cluster in search.bounds for cluster in positions],
    )
    gammas = search.gammas()
    tally(
        "TDP queries, at all TDPs of clusters and between them",
        [sets(forest.query(gamma)) == search.query(gamma) for gamma in gammas],
    )
    highest = [
        max(tdp for cluster, tdp in search.tdps.items() if node in cluster)
        for node in range(graph.n_nodes)
    ]
    tally("threshold-free TDP map", (forest.threshold_free_map() == highest).tolist())
    tally(
        "clusters grown and shrunk",
        [
            sets([forest.grow(position, gamma)]) == {search.grow(cluster, gamma)}
            and sets(forest.shrink(position, gamma)) == search.shrink(cluster, gamma)
            for cluster, position in positions.items()
            for gamma in gammas
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--families", type=int, default=2500, help="number of each kind")
    add_page_argument(parser)
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    counts: Counter = Counter()
    for i in range(given.families):
        for draw in KINDS.values():
            graph = random_graph(rng) if i % 2 else None
            n = graph.n_nodes if graph is not None else int(rng.integers(1, LARGEST + 1))
            alpha = LEVELS[rng.integers(len(LEVELS))]
            fractions = draw(rng, n, alpha)
            p = np.array([float(f) for f in fractions])
            for local_test in LOCAL_TESTS:
                exact = ClosedTest(fractions, local_test)
                compare_sets(counts, exact, p, alpha, local_test)
                if graph is not None:
                    compare_forest(counts, exact, p, alpha, local_test, graph)
    columns = [(test, kind) for test in LOCAL_TESTS for kind in ("compared", "different")]
    rows = [
        [what, *(f"{counts[(what, *column)]:,}" for column in columns)]
        for what in dict.fromkeys(key[0] for key in counts)
    ]
    totals = [sum(n for key, n in counts.items() if key[1:] == column) for column in columns]
    rows.append(["all", *(f"{total:,}" for total in totals)])
    text = (
        f"{given.families * len(KINDS):,} families of 1 to {LARGEST} p-values, at levels from 0.01 "
        f"to 0.5. {given.families:,} are of each kind: {'; '.join(KINDS)}. Half of them are on a "
        "small grid or mesh.\n\n"
    )
    header = ["", *(f"{test.capitalize()}, {kind}" for test, kind in columns)]
    publish("exactness", text + table(header, rows), given.page)


if __name__ == "__main__":
    main()
