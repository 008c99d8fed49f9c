"""Error of calibrated bounds for designs: ``python benchmarks/design_error.py --page PAGE``.

The simulation takes some minutes. ``python benchmarks`` does not run it. Nothing is active, so
any discovery is an error. Errors are normal, and 60 voxels are independent.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from _error_rate import KEY, error_rate
from _page import add_page_argument, publish, table

from ari_estimator.calibration._subject_data import resample_subjects
from ari_estimator.closed_testing import LearnedTemplate, make_template
from ari_estimator.closed_testing._lambda import lambda_at
from ari_estimator.resampling import (
    Exchangeability,
    PartialCorrelation,
    SignFlipping,
    WelchStatistic,
    find_contrast,
    variance_groups_of,
)

ALPHAS = (0.05, 0.1)
N_VOXELS = 60
MANY_VOXELS = 1000
N_PERMUTATIONS = 200

# Studies with the same permutations.
IN_BATCH = 100


class Study(NamedTuple):
    """How data are drawn, and how they are tested."""

    draw: Callable[[np.random.Generator], np.ndarray]
    design: np.ndarray
    contrast: np.ndarray
    options: dict[str, object]
    n_voxels: int = N_VOXELS


def groups_of(sizes: tuple[int, ...]) -> np.ndarray:
    """Return a design of a column for each group."""
    return np.eye(len(sizes))[np.repeat(np.arange(len(sizes)), sizes)]


def normal(
    scales: np.ndarray, n_voxels: int = N_VOXELS
) -> Callable[[np.random.Generator], np.ndarray]:
    """Return a function that draws independent normal errors, each row with its SD."""
    return lambda rng: scales[:, np.newaxis] * rng.standard_normal((scales.size, n_voxels))


def in_blocks(
    blocks: np.ndarray, scales: np.ndarray | float = 1.0
) -> Callable[[np.random.Generator], np.ndarray]:
    """Return a function that draws errors that rows of a block partly share."""

    def draw(rng: np.random.Generator) -> np.ndarray:
        shared = rng.standard_normal((blocks.max() + 1, N_VOXELS))[blocks]
        own = rng.standard_normal((blocks.size, N_VOXELS))
        return np.reshape(scales, (-1, 1)) * (shared + own)

    return draw


def unequal_groups() -> Iterator[tuple[list[str], Study]]:
    """Yield studies of two groups, the smaller one with the larger standard deviation."""
    for sizes in ((10, 30), (6, 18), (5, 15), (15, 15)):
        for ratio in (2, 3):
            design = groups_of(sizes)
            scales = np.repeat([float(ratio), 1.0], sizes)
            for groups in (None, "auto"):
                for scheme in ("sign_flip", "permutation", "bootstrap", "parametric"):
                    options = {"scheme": scheme, "variance_groups": groups}
                    name = [f"{sizes[0]} and {sizes[1]}", f"{ratio} : 1"]
                    name += ["t" if groups is None else "v", scheme]
                    yield name, Study(normal(scales), design, np.array([1.0, -1]), options)


def many_voxels() -> Iterator[tuple[list[str], Study]]:
    """Yield studies of more voxels, where the far tails count."""
    for sizes, ratio in (((10, 30), 2), ((6, 18), 3), ((5, 15), 3)):
        scales = np.repeat([float(ratio), 1.0], sizes)
        for scheme in ("sign_flip", "parametric"):
            options = {"scheme": scheme, "variance_groups": "auto"}
            draw = normal(scales, MANY_VOXELS)
            name = [f"{sizes[0]} and {sizes[1]}", f"{ratio} : 1", "v", scheme]
            yield name, Study(draw, groups_of(sizes), np.array([1.0, -1]), options, MANY_VOXELS)


def other_designs() -> Iterator[tuple[list[str], Study]]:
    """Yield studies of several groups, of blocks, and of the bootstrap."""
    three = groups_of((8, 8, 8))
    rows = np.array([[1.0, -1, 0], [0, 1, -1]])
    equal, unequal = np.ones(24), np.repeat([3.0, 1.0, 1.0], 8)
    for scheme in ("permutation", "sign_flip"):
        yield (
            ["three groups of 8, F", scheme],
            Study(normal(equal), three, rows, {"scheme": scheme}),
        )
    for scheme in ("permutation", "sign_flip"):
        options = {"scheme": scheme, "variance_groups": "auto"}
        yield (
            ["three groups of 8, G, standard deviations 3 : 1 : 1", scheme],
            Study(normal(unequal), three, rows, options),
        )
    subjects = np.repeat(np.arange(16), 2)
    between = groups_of((16, 16))
    for blocks, told in ((subjects, "whole blocks"), (None, "without blocks (wrong)")):
        yield (
            ["8 and 8 subjects measured twice, difference of groups", f"permutation, {told}"],
            Study(in_blocks(subjects), between, np.array([1.0, -1]), {"blocks": blocks}),
        )
    yield (
        ["8 and 8 subjects measured twice, difference of groups", "sign_flip, whole blocks"],
        Study(
            in_blocks(subjects),
            between,
            np.array([1.0, -1]),
            {"blocks": subjects, "scheme": "sign_flip"},
        ),
    )
    within = np.column_stack([np.tile([0.0, 1], 16), np.eye(16)[subjects]])
    yield (
        ["16 subjects measured twice, difference of sessions", "permutation, within blocks"],
        Study(in_blocks(subjects), within, np.eye(17)[0], {"blocks": subjects}),
    )
    sites = np.repeat([1, 2, 3], 8)
    members = np.repeat(np.arange(12), 2)
    nested = np.column_stack([np.full(24, -1), sites, -(members + 1)])
    design = np.column_stack([np.repeat(np.tile([0.0, 1], 6), 2), np.eye(3)[sites - 1]])
    yield (
        ["12 subjects measured twice at 3 sites, difference of groups", "nested blocks"],
        Study(in_blocks(members), design, np.eye(4)[0], {"blocks": nested}),
    )
    for n in (12, 20, 40):
        halves = groups_of((n // 2, n // 2))
        covariates = np.random.default_rng(n).standard_normal((n, 3))
        with_mean = np.column_stack([covariates, np.ones(n)])
        draw = normal(np.ones(n))
        bootstrap = {"scheme": "bootstrap"}
        yield (
            [f"one sample of {n}", "bootstrap"],
            Study(draw, np.ones((n, 1)), np.ones(1), bootstrap),
        )
        yield (
            [f"groups of {n // 2}", "bootstrap"],
            Study(draw, halves, np.array([1.0, -1]), bootstrap),
        )
        yield (
            [f"a covariate with 2 others and an intercept, {n} rows", "bootstrap"],
            Study(draw, with_mean, np.eye(4)[0], bootstrap),
        )
        yield (
            [
                f"a covariate with 2 others and an intercept, {n} rows",
                "permutation (Freedman-Lane)",
            ],
            Study(draw, with_mean, np.eye(4)[0], {}),
        )


def templates() -> Iterator[tuple[list[str], Study]]:
    """Yield studies of one sample, with each template."""
    for template in ("simes", "aorc", "beta", "higher_criticism", "power", "learned"):
        for n in (12, 20):
            options = {"template": template}
            yield (
                [template, str(n)],
                Study(normal(np.ones(n)), np.ones((n, 1)), np.ones(1), options),
            )


def n_errors(study: Study, number: int, n_studies: int) -> np.ndarray:
    """Return in how many studies of a kind anything is found, at each level.

    Studies of a batch have the same permutations. Each has voxels of its own.
    """
    counts = np.zeros(len(ALPHAS), dtype=int)
    in_batch = IN_BATCH * N_VOXELS // study.n_voxels
    for first in range(0, n_studies, in_batch):
        rng = np.random.default_rng([number, first])
        n_now = min(in_batch, n_studies - first)
        data = np.hstack([study.draw(rng) for _ in range(n_now)])
        if study.options.get("scheme") == "parametric":
            # Simes' test of all voxels decides whether anything is found.
            p = np.sort(parametric_p(data, study).reshape(n_now, study.n_voxels), axis=1)
            smallest = (p * study.n_voxels / np.arange(1, study.n_voxels + 1)).min(axis=1)
            counts += [(smallest <= alpha).sum() for alpha in ALPHAS]
            continue
        pivots = pivots_of(data, study, rng)
        for i, alpha in enumerate(ALPHAS):
            lambdas = [lambda_at(of_study, alpha) for of_study in pivots.T]
            counts[i] += (pivots[0] < lambdas).sum()
    return counts


def pivots_of(data: np.ndarray, study: Study, rng: np.random.Generator) -> np.ndarray:
    """Return the pivotal statistics of all studies, of shape (n_permutations, n_studies)."""
    options = {"variance_groups": None, **study.options}
    template = options.pop("template", "simes")
    is_f = study.contrast.ndim == 2
    options |= {"two_sided": not is_f, "n_permutations": N_PERMUTATIONS}
    null = resample_subjects(data, study.design, study.contrast, rng=rng, **options).null
    p_values = null.tail(null.exact(np.arange(null.n_permutations)))
    p_values = np.sort(p_values.reshape(null.n_permutations, -1, study.n_voxels), axis=2)
    in_batch = p_values.shape[1]
    if template == "learned":
        training = np.hstack([study.draw(rng) for _ in range(in_batch)])
        curves = resample_subjects(training, study.design, study.contrast, rng=rng, **options).null
        of_curves = np.sort(
            curves.tail(curves.exact(np.arange(curves.n_permutations))).reshape(
                curves.n_permutations, -1, study.n_voxels
            ),
            axis=2,
        )
        made = [LearnedTemplate.from_smallest(c, study.n_voxels) for c in of_curves.swapaxes(0, 1)]
    else:
        made = [make_template(template, study.n_voxels)] * in_batch
    return np.stack(
        [
            one.inverse(np.arange(1, one.k_max + 1), p_values[:, i, : one.k_max]).min(axis=1)
            for i, one in enumerate(made)
        ],
        axis=1,
    )


def parametric_p(data: np.ndarray, study: Study) -> np.ndarray:
    """Return p-values of Student's or Welch's t."""
    contrast = find_contrast(study.design, study.contrast)
    groups = variance_groups_of(study.options["variance_groups"], study.design)
    if groups is None:
        scheme = SignFlipping(Exchangeability.of(None, len(data)))
        statistic = PartialCorrelation(contrast, scheme, two_sided=True)
    else:
        statistic = WelchStatistic(contrast, groups, True, two_sided=True)
    return statistic.p_values(statistic.of_data(data))


def rates(study: Study, number: int, n_studies: int) -> list[str]:
    """Return the rate of errors at each level, as texts."""
    counts = n_errors(study, number, n_studies)
    return [error_rate(int(n), n_studies, alpha) for n, alpha in zip(counts, ALPHAS, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--studies", type=int, default=2000)
    add_page_argument(parser)
    given = parser.parse_args()
    parts = {
        "Two groups of unequal size and variance": (
            ["rows", "standard deviations", "statistic", "scheme"],
            unequal_groups(),
        ),
        f"The same over {MANY_VOXELS:,} voxels": (
            ["rows", "standard deviations", "statistic", "scheme"],
            many_voxels(),
        ),
        "Other designs": (["design", "scheme"], other_designs()),
        "Templates, one sample": (["template", "rows"], templates()),
    }
    texts = [
        f"{given.studies:,} studies of each kind, {N_VOXELS} independent voxels, {N_PERMUTATIONS} "
        f"permutations, two-sided (F and G have no sides), normal errors, fixed seeds. {KEY}"
    ]
    number = 0
    for title, (header, studies) in parts.items():
        rows = []
        for name, study in studies:
            number += 1
            rows.append([*name, *rates(study, number, given.studies)])
            print(rows[-1], flush=True)
        columns = [*header, *(f"error at {alpha}" for alpha in ALPHAS)]
        texts.append(f"**{title}**\n\n{table(columns, rows)}")
    publish("design_error", "\n\n".join(texts), given.page)


if __name__ == "__main__":
    main()
