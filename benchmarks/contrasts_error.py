"""Error of bounds of several contrasts: ``python benchmarks/contrasts_error.py --page PAGE``.

The simulation takes some minutes. ``python benchmarks`` does not run it. An error is a set in any
contrast whose bound exceeds its number of active voxels. There is one if and only if the bound of
all inactive voxels of all contrasts is above 0. Errors are normal, and 60 voxels are independent.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from _error_rate import KEY, error_rate
from _page import add_page_argument, publish, table

from ari_estimator.calibration._subject_contrasts import ContrastOfFamily, resample_contrasts
from ari_estimator.calibration._subject_data import resample_subjects
from ari_estimator.closed_testing import Hommel, make_template
from ari_estimator.closed_testing._lambda import lambda_at

ALPHAS = (0.05, 0.1)
N_VOXELS = 60
N_ACTIVE = 20
N_PERMUTATIONS = 200

# Studies with the same permutations.
IN_BATCH = 50

# Standardised effect of a column of the design in active voxels.
EFFECT = 1.5


class Study(NamedTuple):
    """A design with several contrasts, and the column with an effect."""

    design: np.ndarray
    contrasts: np.ndarray
    active: int
    blocks: np.ndarray | None = None

    def is_null(self, has_signal: bool) -> np.ndarray:
        """Return which voxels have no effect, of shape (n_contrasts, N_VOXELS)."""
        null = np.ones((len(self.contrasts), N_VOXELS), dtype=bool)
        if has_signal:
            null[:, :N_ACTIVE] = (self.contrasts[:, self.active] == 0)[:, np.newaxis]
        return null

    def draw(self, rng: np.random.Generator, has_signal: bool) -> np.ndarray:
        """Return the data of one study, of shape (n_rows, N_VOXELS)."""
        data = rng.standard_normal((len(self.design), N_VOXELS))
        if self.blocks is not None:
            data += rng.standard_normal((self.blocks.max() + 1, N_VOXELS))[self.blocks]
        if has_signal:
            data[:, :N_ACTIVE] += EFFECT * self.design[:, [self.active]]
        return data


def studies() -> Iterator[tuple[list[str], Study]]:
    """Yield studies with their names."""
    for n_contrasts, n_rows in ((2, 16), (6, 24)):
        columns = np.random.default_rng(n_rows).standard_normal((n_rows, n_contrasts + 1))
        columns[:, -1] = 1
        # Orthogonal covariates, so contrasts are not correlated.
        basis = np.linalg.qr(columns[:, ::-1])[0][:, ::-1] * np.sqrt(n_rows)
        basis[:, -1] = 1
        yield (
            [str(n_contrasts), "orthogonal covariates", "0"],
            Study(basis, np.eye(n_contrasts + 1)[:-1], 0),
        )
    for n_groups in (3, 4):
        pairs = list(combinations(range(n_groups), 2))
        weights = np.array([np.eye(n_groups)[a] - np.eye(n_groups)[b] for a, b in pairs])
        if n_groups == 3:
            weights = weights[:2]
        design = np.eye(n_groups)[np.repeat(np.arange(n_groups), 6)]
        yield (
            [str(len(weights)), f"pairs of {n_groups} groups of 6", "0.5"],
            Study(design, weights, 0),
        )
    design = np.column_stack([np.repeat([-0.5, 0.5], 8), np.ones(16)])
    yield (
        ["2", "mean, and difference of groups of 8", "0"],
        Study(design, np.eye(2), 0),
    )
    subjects = np.repeat(np.arange(10), 3)
    conditions = np.eye(3)[np.tile(np.arange(3), 10)]
    design = np.column_stack([conditions[:, :2], np.eye(10)[subjects]])
    weights = np.zeros((2, 12))
    weights[0, :2], weights[1, :2] = (1, -1), (1, 0)
    yield (
        ["2", "three conditions of 10 subjects, within blocks", "0.5"],
        Study(design, weights, 0, subjects),
    )


METHODS = ("permutation", "sign_flip", "parametric", "split")


def found(
    study: Study, method: str, has_signal: bool, rng: np.random.Generator, n_studies: int
) -> np.ndarray | None:
    """Return whether each study has an error, of shape (n_alphas, n_studies); None if no scheme."""
    data = np.hstack([study.draw(rng, has_signal) for _ in range(n_studies)])
    null = study.is_null(has_signal)
    n_contrasts = len(study.contrasts)
    shape = (n_contrasts, n_studies, N_VOXELS)
    options: dict[str, Any] = {"n_permutations": N_PERMUTATIONS, "rng": rng}
    if study.blocks is not None:
        options["blocks"] = study.blocks
    if method == "parametric":
        p = np.array([p_of(data, study, weights, options) for weights in study.contrasts])
        p = p.reshape(shape).swapaxes(0, 1)
        return np.array(
            [
                [Hommel(one.ravel()).bounds(alpha).of_set(null.ravel()) > 0 for one in p]
                for alpha in ALPHAS
            ]
        )
    if method == "split":
        errors = np.zeros((len(ALPHAS), n_studies), dtype=bool)
        for weights, own in zip(study.contrasts, null, strict=True):
            if not own.any():
                continue
            resampled = resample_subjects(
                data, study.design, weights, two_sided=True, **options
            ).null
            p = resampled.tail(resampled.exact(np.arange(resampled.n_permutations)))
            p = p.reshape(-1, n_studies, N_VOXELS)
            errors |= has_error(p, own, [alpha / n_contrasts for alpha in ALPHAS])
        return errors
    contrasts = {
        str(i): ContrastOfFamily(weights, "t", True, np.arange(data.shape[1]))
        for i, weights in enumerate(study.contrasts)
    }
    try:
        family = resample_contrasts(data, study.design, contrasts, scheme=method, **options)
    except ValueError:
        return None
    p = family.null.tail(family.null.exact(np.arange(family.null.n_permutations)))
    p = p.reshape(len(p), *shape).swapaxes(1, 2).reshape(len(p), n_studies, -1)
    return has_error(p, null.ravel(), ALPHAS)


def p_of(
    data: np.ndarray, study: Study, weights: np.ndarray, options: dict[str, Any]
) -> np.ndarray:
    """Return two-sided p-values of Student's t."""
    few = {**options, "n_permutations": 2}
    return resample_subjects(
        data, study.design, weights, two_sided=True, **few
    ).null.observed_p_values


def has_error(p: np.ndarray, null: np.ndarray, alphas: Any) -> np.ndarray:
    """Return whether the observed null p-values of each study reach below the calibrated vector.

    ``p`` has the shape (n_permutations, n_studies, n), ``null`` the shape (n,).
    """
    template = make_template("simes", p.shape[2])
    ranks = np.arange(1, p.shape[2] + 1)
    pivots = template.inverse(ranks, np.sort(p, axis=2)).min(axis=2)
    observed = np.sort(p[0][:, null], axis=1)
    of_null = template.inverse(ranks[: null.sum()], observed).min(axis=1)
    return np.array(
        [of_null < np.array([lambda_at(one, alpha) for one in pivots.T]) for alpha in alphas]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--studies", type=int, default=2000)
    add_page_argument(parser)
    given = parser.parse_args()
    rows = []
    for number, (name, study) in enumerate(studies()):
        for has_signal in (False, True):
            for place, method in enumerate(METHODS):
                counts, n_done = np.zeros(len(ALPHAS), dtype=int), 0
                for first in range(0, given.studies, IN_BATCH):
                    rng = np.random.default_rng([number, has_signal, place, first])
                    n_now = min(IN_BATCH, given.studies - first)
                    errors = found(study, method, has_signal, rng, n_now)
                    if errors is None:
                        break
                    counts += errors.sum(axis=1)
                    n_done += n_now
                if not n_done:
                    continue
                cells = [
                    error_rate(int(n), n_done, alpha)
                    for n, alpha in zip(counts, ALPHAS, strict=True)
                ]
                rows.append([*name, "in one" if has_signal else "none", method, *cells])
                print(rows[-1], flush=True)
    header = ["contrasts", "what they are", "correlation", "signal", "method"]
    header += [f"error at {alpha}" for alpha in ALPHAS]
    text = (
        f"{given.studies:,} studies of each kind, {N_VOXELS} independent voxels, {N_PERMUTATIONS} "
        f"permutations, two-sided t tests, normal errors, fixed seeds. With signal, {N_ACTIVE} "
        f"voxels have an effect in one column of the design. {KEY}"
    )
    publish("contrasts_error", f"{text}\n\n{table(header, rows)}", given.page)


if __name__ == "__main__":
    main()
