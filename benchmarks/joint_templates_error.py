"""Error of templates together: ``python benchmarks/joint_templates_error.py --page PAGE``.

The simulation takes some minutes. ``python benchmarks`` does not run it. An error is a set whose
bound exceeds its number of active voxels. There is one if and only if the bound of all inactive
voxels is above 0. Studies have one sample and sign flips, one-sided.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
from _error_rate import KEY, error_rate
from _page import add_page_argument, publish, table
from scipy.special import stdtr

from ari_estimator.closed_testing import JointTemplate, Template, make_template
from ari_estimator.closed_testing._calibrate import pivotal_statistics
from ari_estimator.closed_testing._lambda import lambda_at
from ari_estimator.closed_testing._level_weights import weighted_levels

ALPHAS = (0.05, 0.1)
N_VOXELS, N_ACTIVE, N_SUBJECTS, N_PERMUTATIONS = 60, 20, 20, 200

SIMES = make_template("simes", N_VOXELS)
SMALLEST = make_template("simes", N_VOXELS, k_max=1)  # the smallest p-value only
LATE = make_template("simes", N_VOXELS, k_max=16, delta=15)  # the 16th smallest only
BETA = make_template("beta", N_VOXELS, k_max=30)
SHIFTED = make_template("simes", N_VOXELS, delta=3)


def smooth(rng: np.random.Generator, n_voxels: int = N_VOXELS) -> np.ndarray:
    """Return errors of voxels in a line that depend on their neighbours."""
    white = rng.standard_normal((N_SUBJECTS, n_voxels + 10))
    kernel = np.exp(-0.5 * (np.arange(-5, 6) / 2) ** 2)
    rows = [np.convolve(row, kernel, mode="valid") for row in white]
    return np.array(rows) / np.linalg.norm(kernel)


def nothing(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return data without an effect, and which voxels are active."""
    return smooth(rng), np.zeros(N_VOXELS, dtype=bool)


def ordinary(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return data with an effect of 4 standard errors in a third of the voxels."""
    active = np.arange(N_VOXELS) < N_ACTIVE
    return smooth(rng) + 4 / np.sqrt(N_SUBJECTS) * active, active


def adversarial(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return data whose active voxels choose the point between two templates by ranks.

    Eight subjects have all 256 flips, in the order of :func:`all_flips`. The inactive voxels are
    two single ones, by which the smallest p-value errs, and a patch of 16 equal ones, by which
    both templates err. Data of active voxels may be anything. They make the templates agree on
    the flips with small pivotal statistics, without a change for the template that errs now: by
    copies of the single voxels, or by a voxel for each flip in which the patch is strongest.
    """
    signs = all_flips()
    n = signs.shape[1]
    single, patch = rng.standard_normal((n, 2)), rng.standard_normal((n, 1))
    inactive = np.hstack([single, np.repeat(patch, 16, axis=1)])
    # The rank of the observed data among the flips, by the smallest p-value and by the patch.
    p_patch = tails(patch, signs)[:, 0]
    p_smallest = np.minimum(tails(single, signs).min(axis=1), p_patch)
    ranks = [(one <= one[0]).sum() for one in (p_smallest, p_patch)]
    if ranks[0] < ranks[1]:
        active = np.repeat(single, 15, axis=1)
    else:
        strongest = np.argsort(p_patch)[: len(signs) // 20]
        # The smaller the spread, the stronger the voxel in its flip.
        spread = 1e-4 * 1.3 ** np.arange(strongest.size)
        active = signs[strongest].T * (1 + spread * rng.standard_normal((n, strongest.size)))
    # The others have an outlier, so that their t is about 1 or -1 in each flip.
    n_quiet = N_VOXELS - inactive.shape[1] - active.shape[1]
    quiet = 0.01 * rng.standard_normal((n, n_quiet))
    quiet[0] = 10
    data = np.hstack([inactive, active, quiet])
    return data, np.arange(N_VOXELS) >= inactive.shape[1]


SIGNALS: dict[str, Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray]]] = {
    "nothing active": nothing,
    "ordinary signal": ordinary,
    "adversarial signal": adversarial,
}


def all_flips(n_subjects: int = 8) -> np.ndarray:
    """Return all sign vectors; the first row leaves the data as observed."""
    return np.array(list(product([1.0, -1.0], repeat=n_subjects)))


def tails(data: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Return one-sided p-values of sign flips, of shape (n_flips, n_voxels)."""
    n = len(data)
    mean = signs @ data / n
    variance = ((data**2).sum(axis=0) - n * mean**2) / (n - 1)
    return stdtr(n - 1, -mean / np.sqrt(variance / n))


def flipped(data: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return one-sided p-values of sign flips; the first row is the data as observed."""
    if len(data) < N_SUBJECTS:
        return tails(data, all_flips(len(data)))
    signs = rng.choice([-1.0, 1.0], size=(N_PERMUTATIONS, N_SUBJECTS))
    signs[0] = 1
    return tails(data, signs)


def learned(templates: list[Template]) -> JointTemplate:
    """Return templates that cross where they do in other subjects."""
    rng = np.random.default_rng(12345)
    p_values = flipped(smooth(rng), rng)
    lambdas = [lambda_at(pivotal_statistics(p_values, one).values, 0.05) for one in templates]
    return JointTemplate.from_lambdas(templates, lambdas)


# Each way has templates, and weights or None; by ranks is for comparison.
WAYS: dict[str, tuple[list[Template], list[float] | None]] = {
    "Simes alone": ([SIMES], None),
    "beta alone": ([BETA], None),
    "fixed relation: Simes, shifted Simes (joint)": ([JointTemplate([SIMES, SHIFTED])], None),
    "fixed relation: Simes, beta": ([JointTemplate([SIMES, BETA])], None),
    "relation from other subjects: Simes, beta": ([learned([SIMES, BETA])], None),
    "level split: smallest and 16th smallest p-value": ([SMALLEST, LATE], [0.5, 0.5]),
    "level split: Simes, beta": ([SIMES, BETA], [0.5, 0.5]),
    "level split 0.8 and 0.2: Simes, beta": ([SIMES, BETA], [0.8, 0.2]),
}
BY_RANKS = "by ranks: smallest and 16th smallest p-value (not offered)"
STEPPED = (
    "fixed relation: Simes, shifted Simes (joint)",
    "fixed relation: Simes, beta",
    "level split: Simes, beta",
)


def by_ranks(statistics: list[np.ndarray], alpha: float) -> list[float]:
    """Return parameters of templates by the ranks of their pivotal statistics."""
    ordered = [np.sort(one) for one in statistics]
    pairs = zip(ordered, statistics, strict=True)
    ranks = [np.searchsorted(in_order, one, side="right") for in_order, one in pairs]
    rank = int(lambda_at(np.min(ranks, axis=0).astype(float), alpha))
    return [one[rank - 1] for one in ordered]


def parameters(
    p_values: np.ndarray,
    templates: list[Template],
    weights: list[float] | None,
    alpha: float,
    known: list[np.ndarray],
    *,
    step_down: bool,
) -> list[float]:
    """Return the calibrated parameter of each template."""
    levels = [alpha] if weights is None else weighted_levels(alpha, weights)
    lambdas = list(map(lambda_at, known, levels))
    keep = np.ones(N_VOXELS, dtype=bool)
    while step_down:
        pairs = zip(templates, lambdas, strict=True)
        at_first = [one.inverse(np.array(1), p_values[0]) >= lambda_ for one, lambda_ in pairs]
        still = keep & np.all(at_first, axis=0)
        if still.sum() in (0, keep.sum()):
            break
        keep = still
        found = [pivotal_statistics(p_values, one, keep).values for one in templates]
        lambdas = list(map(max, lambdas, map(lambda_at, found, levels)))
    return lambdas


def errors_of(p_values: np.ndarray, active: np.ndarray) -> Iterator[tuple[str, float, bool]]:
    """Yield each way and level, and whether the bound of the inactive voxels is above 0."""
    inactive = p_values[:1, ~active]
    pivots = {}
    for one in {id(one): one for templates, _ in WAYS.values() for one in templates}.values():
        pivots[id(one)] = (
            pivotal_statistics(p_values, one).values,
            pivotal_statistics(inactive, one).values[0],
        )
    for alpha in ALPHAS:
        for name, (templates, weights) in WAYS.items():
            known = [pivots[id(one)][0] for one in templates]
            for step_down in (False, True) if name in STEPPED else (False,):
                lambdas = parameters(
                    p_values, templates, weights, alpha, known, step_down=step_down
                )
                pairs = zip(templates, lambdas, strict=True)
                is_error = any(pivots[id(one)][1] < lambda_ for one, lambda_ in pairs)
                yield name + ", step-down" * step_down, alpha, is_error
        lambdas = by_ranks([pivots[id(one)][0] for one in (SMALLEST, LATE)], alpha)
        pairs = zip((SMALLEST, LATE), lambdas, strict=True)
        yield BY_RANKS, alpha, any(pivots[id(one)][1] < lambda_ for one, lambda_ in pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--studies", type=int, default=2000)
    add_page_argument(parser)
    given = parser.parse_args()
    total: Counter = Counter()
    for i, (signal, draw) in enumerate(SIGNALS.items()):
        for seed in range(given.studies):
            rng = np.random.default_rng([i, seed])
            data, active = draw(rng)
            for name, alpha, is_error in errors_of(flipped(data, rng), active):
                total[(name, signal, alpha)] += is_error
    columns = [(signal, alpha) for signal in SIGNALS for alpha in ALPHAS]
    rows = [
        [name, *(error_rate(total[(name, *one)], given.studies, one[1]) for one in columns)]
        for name in dict.fromkeys(name for name, _, _ in total)
    ]
    header = ["way: templates", *(f"{signal}, {alpha}" for signal, alpha in columns)]
    text = (
        f"{given.studies:,} studies of {N_SUBJECTS} subjects and {N_VOXELS} voxels for each "
        f"signal, {N_PERMUTATIONS} sign flips (adversarial signal: 8 subjects, all 256 flips), "
        f"fixed seed. {KEY}\n\n"
    )
    publish("joint_templates_error", text + table(header, rows), given.page)


if __name__ == "__main__":
    main()
