"""Error of bounds if subjects lack voxels: ``python benchmarks/missing_error.py --page PAGE``.

The simulation takes some minutes. ``python benchmarks`` does not run it. A voxel that a subject
lacks is NaN, and ``missing="omit"`` leaves the subject out of it. Any bound above the number of
active voxels is an error, which is so if the set of all inactive voxels has a bound above 0.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from _error_rate import KEY, error_rate
from _page import add_page_argument, publish, table

from ari_estimator.calibration._subject_data import resample_subjects
from ari_estimator.closed_testing import Hommel, make_template
from ari_estimator.closed_testing._lambda import lambda_at

ALPHAS = (0.05, 0.1)
N_VOXELS = 60
N_ACTIVE = 12
N_PERMUTATIONS = 200
IN_BATCH = 100

Draw = Callable[[np.random.Generator, int], np.ndarray]
Gaps = Callable[[np.random.Generator, np.ndarray], np.ndarray]


class Design(NamedTuple):
    """A design, what is tested in it, and the effect of active voxels on each row."""

    columns: np.ndarray
    contrast: np.ndarray
    effect: np.ndarray
    options: dict[str, object]


class Study(NamedTuple):
    """How data are drawn, which of them are missing, and how they are tested."""

    design: Design
    draw: Draw
    gaps: Gaps


def one_sample(n: int, scheme: str) -> Design:
    """Return a design that tests the mean."""
    ones = np.ones(n)
    return Design(ones[:, np.newaxis], np.ones(1), ones, {"scheme": scheme})


def two_groups(n: int, other: int, scheme: str) -> Design:
    """Return a design that tests the difference of two groups."""
    group = np.repeat([1.0, 0.0], [n, other])
    columns = np.column_stack([group, 1 - group])
    return Design(columns, np.array([1.0, -1.0]), 1.5 * group, {"scheme": scheme})


def covariate(n: int) -> Design:
    """Return a design that tests a covariate, with two others and an intercept."""
    columns = np.random.default_rng(n).standard_normal((n, 3))
    with_mean = np.column_stack([columns, np.ones(n)])
    return Design(with_mean, np.eye(4)[0], columns[:, 0], {"scheme": "permutation"})


def sessions(n: int) -> Design:
    """Return a design that tests the difference of two sessions of each subject."""
    session, subjects = np.tile([0.0, 1.0], n), np.repeat(np.arange(n), 2)
    columns = np.column_stack([session, np.eye(n)[subjects]])
    options = {"scheme": "permutation", "blocks": subjects}
    return Design(columns, np.eye(n + 1)[0], 1.5 * session, options)


def normal(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return independent normal errors."""
    return rng.standard_normal((n, N_VOXELS))


def exponential(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return independent errors with a long tail above."""
    return rng.exponential(size=(n, N_VOXELS)) - 1


def no_gaps(rng: np.random.Generator, errors: np.ndarray) -> np.ndarray:
    """Return that no voxel is missing."""
    return np.zeros(errors.shape, dtype=bool)


def random_gaps(share: float | np.ndarray) -> Gaps:
    """Return gaps that are independent, with a share for all rows or for each row."""
    return lambda rng, errors: rng.random(errors.shape) < np.reshape(share, (-1, 1))


def fields_of_view(share: float) -> Gaps:
    """Return gaps of neighbouring voxels, which begin at a random place in each row."""

    def draw(rng: np.random.Generator, errors: np.ndarray) -> np.ndarray:
        n_missing = round(share * N_VOXELS)
        starts = rng.integers(0, N_VOXELS, size=(len(errors), 1))
        return (np.arange(N_VOXELS) - starts) % N_VOXELS < n_missing

    return draw


def low_values(share: float) -> Gaps:
    """Return gaps where errors are lowest."""
    return lambda rng, errors: errors < np.quantile(errors, share)


def studies() -> Iterator[tuple[list[str], Study]]:
    """Yield the studies of the table, with their names."""
    independent = {
        "none": no_gaps,
        "5 %": random_gaps(0.05),
        "30 %": random_gaps(0.3),
        "30 %, neighbouring voxels": fields_of_view(0.3),
    }
    designs = {
        ("one sample of 20", "sign_flip"): one_sample(20, "sign_flip"),
        ("one sample of 20", "parametric"): one_sample(20, "parametric"),
        ("groups of 12 and 12", "permutation"): two_groups(12, 12, "permutation"),
        ("groups of 12 and 12", "sign_flip"): two_groups(12, 12, "sign_flip"),
        ("groups of 12 and 12", "parametric"): two_groups(12, 12, "parametric"),
        ("groups of 10 and 20", "permutation"): two_groups(10, 20, "permutation"),
        ("a covariate with 2 others, 24 rows", "Freedman-Lane"): covariate(24),
        ("12 subjects in two sessions", "within blocks"): sessions(12),
    }
    for (name, scheme), design in designs.items():
        for gap, gaps in independent.items():
            yield [name, "normal", scheme, gap], Study(design, normal, gaps)
    groups = two_groups(12, 12, "permutation")
    for gap, gaps in independent.items():
        yield (
            ["groups of 12 and 12", "exponential", "permutation", gap],
            Study(groups, exponential, gaps),
        )
    in_one = np.repeat([0.6, 0.0], 12)
    for errors, draw, scheme in (
        ("normal", normal, "permutation"),
        ("normal", normal, "sign_flip"),
        ("exponential", exponential, "permutation"),
    ):
        yield (
            ["groups of 12 and 12", errors, scheme, "60 % of one group, depends on the design"],
            Study(two_groups(12, 12, scheme), draw, random_gaps(in_one)),
        )
    lowest = "lowest 30 %, depends on the errors"
    yield (
        ["one sample of 20", "normal", "sign_flip", lowest],
        Study(one_sample(20, "sign_flip"), normal, low_values(0.3)),
    )
    yield (
        ["groups of 12 and 12", "normal", "permutation", lowest],
        Study(two_groups(12, 12, "permutation"), normal, low_values(0.3)),
    )


def data_of(study: Study, rng: np.random.Generator, n_studies: int, n_active: int) -> np.ndarray:
    """Return the data of some studies beside each other, NaN where missing."""
    found = []
    for _ in range(n_studies):
        errors = study.draw(rng, len(study.design.columns))
        data = errors.copy()
        data[:, :n_active] += study.design.effect[:, np.newaxis]
        data[study.gaps(rng, errors)] = np.nan
        found.append(data)
    return np.hstack(found)


def n_errors(study: Study, number: int, n_studies: int, n_active: int) -> np.ndarray:
    """Return in how many studies of a kind a bound is above the truth, at each level.

    Studies of a batch have the same permutations. Each has voxels of its own.
    """
    counts = np.zeros(len(ALPHAS), dtype=int)
    options = dict(study.design.options)
    is_parametric = options["scheme"] == "parametric"
    if is_parametric:
        options["scheme"] = "sign_flip"
    template = make_template("simes", N_VOXELS)
    for first in range(0, n_studies, IN_BATCH):
        rng = np.random.default_rng([number, first])
        n_now = min(IN_BATCH, n_studies - first)
        data = data_of(study, rng, n_now, n_active)
        null = resample_subjects(
            data,
            study.design.columns,
            study.design.contrast,
            two_sided=True,
            n_permutations=2 if is_parametric else N_PERMUTATIONS,
            missing="omit",
            rng=rng,
            **options,
        ).null
        if is_parametric:
            for p in null.observed_p_values.reshape(n_now, N_VOXELS):
                for i, alpha in enumerate(ALPHAS):
                    vector = Hommel(p).critical_vector(alpha)
                    counts[i] += vector.true_discoveries(p[n_active:]) > 0
            continue
        p_values = null.tail(null.exact(np.arange(null.n_permutations)))
        p_values[:, null.is_constant] = 1
        p_values = p_values.reshape(null.n_permutations, n_now, N_VOXELS)
        pivots, of_inactive = (
            template.inverse(np.arange(1, p.shape[2] + 1), np.sort(p, axis=2)).min(axis=2)
            for p in (p_values, p_values[:, :, n_active:])
        )
        for i, alpha in enumerate(ALPHAS):
            lambdas = [lambda_at(of_study, alpha) for of_study in pivots.T]
            counts[i] += (of_inactive[0] < lambdas).sum()
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--studies", type=int, default=2000)
    add_page_argument(parser)
    given = parser.parse_args()
    rows = []
    for number, (name, study) in enumerate(studies()):
        cells = {}
        for n_active in (0, N_ACTIVE):
            counts = n_errors(study, number, given.studies, n_active)
            for alpha, count in zip(ALPHAS, counts, strict=True):
                cells[alpha, n_active] = error_rate(int(count), given.studies, alpha)
        rows.append([*name, *(cells[key] for key in sorted(cells))])
        print(rows[-1], flush=True)
    header = ["design", "errors", "scheme", "missing"]
    header += [f"{said}, {alpha}" for alpha in ALPHAS for said in ("no signal", "with signal")]
    text = (
        f"{given.studies:,} studies of each kind, {N_VOXELS} independent voxels ({N_ACTIVE} active "
        f"in studies with signal), {N_PERMUTATIONS} permutations, two-sided, fixed seeds. {KEY}"
    )
    publish("missing_error", f"{text}\n\n{table(header, rows)}", given.page)


if __name__ == "__main__":
    main()
