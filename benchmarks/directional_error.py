"""Error of bounds on positive and negative effects: ``python benchmarks/directional_error.py``.

The simulation takes some minutes. ``python benchmarks`` does not run it. A bound on positive
effects is wrong if it exceeds the number of voxels of its set whose effect is positive. Some bound
is wrong if and only if the set of all voxels without a positive effect has a bound above 0. The
same holds for negative effects. An error is a study with a wrong bound on either side.

The last kind of study has weak negative effects nearly everywhere. It asks whether a calibration,
which takes all effects as 0, also holds for effects below 0.
"""

from __future__ import annotations

import argparse
from collections import Counter
from typing import NamedTuple

import numpy as np
from _error_rate import KEY, error_rate
from _page import add_page_argument, publish, table
from scipy.ndimage import gaussian_filter1d

from ari_estimator.calibration._subject_data import resample_subjects
from ari_estimator.closed_testing import DirectionalTest, Hommel, make_template
from ari_estimator.closed_testing._lambda import lambda_at
from ari_estimator.closed_testing._level_share import level_share

ALPHAS = (0.05, 0.1)
N_VOXELS = 60
N_PERMUTATIONS = 200
IN_BATCH = 100

SIDES = {"positive": 1, "negative": -1}

# Templates with their number of thresholds.
TEMPLATES = {"simes": N_VOXELS, "beta": 20}


class Study(NamedTuple):
    """A kind of study: its number of subjects, its effects, and the smoothness of its noise."""

    n_subjects: int
    effects: np.ndarray
    sigma: float


def effects(positive: int = 0, negative: int = 0, others: float = 0.0) -> np.ndarray:
    """Return effects in standard deviations: strong ones of each sign, and all others."""
    found = np.full(N_VOXELS, others)
    found[:positive] = 1.0
    found[N_VOXELS - negative :] = -1.0
    return found


def studies() -> dict[tuple[str, str], Study]:
    """Return all kinds of studies, by their effects, and by their subjects and noise."""
    noises = {
        "20, independent": (20, 0.0),
        "20, smooth": (20, 2.0),
        "8, independent": (8, 0.0),
    }
    kinds = {
        "nothing active": (effects(), list(noises)),
        "12 positive": (effects(positive=12), ["20, independent", "20, smooth"]),
        "12 positive, 12 negative": (
            effects(positive=12, negative=12),
            ["20, independent", "20, smooth"],
        ),
        "3 positive, the others -0.05": (
            effects(positive=3, others=-0.05),
            ["20, independent", "8, independent"],
        ),
        "3 positive, the others -0.3": (effects(positive=3, others=-0.3), ["20, independent"]),
    }
    return {
        (kind, noise): Study(noises[noise][0], found, noises[noise][1])
        for kind, (found, names) in kinds.items()
        for noise in names
    }


def data_of(study: Study, rng: np.random.Generator, n_studies: int) -> np.ndarray:
    """Return the data of some studies beside each other."""
    shape = (study.n_subjects, n_studies, N_VOXELS)
    noise = rng.standard_normal(shape)
    if study.sigma:
        noise = gaussian_filter1d(noise, study.sigma, axis=2, mode="wrap")
        impulse = gaussian_filter1d(np.eye(N_VOXELS)[0], study.sigma, mode="wrap")
        noise /= np.linalg.norm(impulse)
    return (noise + study.effects).reshape(study.n_subjects, -1)


def parametric_errors(observed: np.ndarray, study: Study) -> Counter[tuple[str, float]]:
    """Return the errors of closed testing in one study, from its one-sided p-values."""
    test = DirectionalTest(Hommel(observed), Hommel(1 - observed))
    # What "positive" promises: one-sided p-values at the whole level.
    one_sided = Hommel(observed)
    found: Counter[tuple[str, float]] = Counter()
    for alpha in ALPHAS:
        sides = test.bounds(alpha).sides
        found["parametric", alpha] += any(
            sides[side].of_set(sign * study.effects <= 0) > 0 for side, sign in SIDES.items()
        )
        wrong = one_sided.bounds(alpha).of_set(study.effects <= 0) > 0
        found["positive only, parametric", alpha] += wrong
    return found


def calibrated_errors(p_values: np.ndarray, study: Study) -> Counter[tuple[str, float]]:
    """Return the errors of calibrated bounds in some studies.

    ``p_values`` are one-sided, of shape (n_draws, n_studies, n_voxels). The set of all voxels
    without an effect of the sign has a bound above 0 if and only if its own pivotal statistic is
    below lambda.
    """
    found: Counter[tuple[str, float]] = Counter()
    for name, k_max in TEMPLATES.items():
        template = make_template(name, N_VOXELS, k_max=k_max)
        ranks = np.arange(1, template.k_max + 1)
        is_wrong = np.zeros((len(ALPHAS), p_values.shape[1]), dtype=bool)
        for sign in SIDES.values():
            of_side = p_values if sign > 0 else 1 - p_values
            pivots = template.inverse(ranks, np.sort(of_side, axis=2)[:, :, : ranks.size]).min(2)
            # A voxel counts on the side of its observed effect only.
            observed = np.where(of_side[0] < 0.5, of_side[0], 1.0)
            inactive = np.sort(observed[:, sign * study.effects <= 0], axis=1)[:, : ranks.size]
            own = template.inverse(ranks[: inactive.shape[1]], inactive).min(axis=1)
            for wrong, alpha in zip(is_wrong, ALPHAS, strict=True):
                share = level_share(alpha, 2)
                wrong |= own < [lambda_at(of_study, share) for of_study in pivots.T]
        for wrong, alpha in zip(is_wrong, ALPHAS, strict=True):
            found[f"flips, {name}", alpha] += int(wrong.sum())
    return found


def errors_of(study: Study, number: int, n_studies: int) -> Counter[tuple[str, float]]:
    """Return in how many studies of a kind some bound is wrong, for each test and level.

    Studies of a batch have the same sign flips. Each has voxels of its own.
    """
    found: Counter[tuple[str, float]] = Counter()
    for first in range(0, n_studies, IN_BATCH):
        rng = np.random.default_rng([number, first])
        n_now = min(IN_BATCH, n_studies - first)
        null = resample_subjects(
            data_of(study, rng, n_now),
            None,
            None,
            two_sided=False,
            n_permutations=N_PERMUTATIONS,
            scheme="sign_flip",
            rng=rng,
        ).null
        p_values = null.tail(null.exact(np.arange(N_PERMUTATIONS)))
        p_values = p_values.reshape(N_PERMUTATIONS, n_now, N_VOXELS)
        for observed in p_values[0]:
            found.update(parametric_errors(observed, study))
        found.update(calibrated_errors(p_values, study))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--studies", type=int, default=2000)
    add_page_argument(parser)
    given = parser.parse_args()
    rows, columns = [], []
    for number, ((kind, noise), study) in enumerate(studies().items()):
        errors = errors_of(study, number, given.studies)
        columns = [
            (name, alpha) for name in dict.fromkeys(n for n, _ in errors) for alpha in ALPHAS
        ]
        rates = [error_rate(errors[name], given.studies, name[1]) for name in columns]
        rows.append([kind, noise, *rates])
        print(rows[-1], flush=True)
    text = (
        f"{given.studies:,} studies of each kind, one sample, {N_VOXELS} voxels, normal errors, "
        f"{N_PERMUTATIONS} sign flips, effects of 1 standard deviation unless the table says "
        f"otherwise, fixed seeds. Templates have {N_VOXELS} thresholds (Simes) or 20 (beta). "
        f"{KEY}\n\n"
    )
    header = ["effects", "subjects, noise", *(f"{name}, {alpha}" for name, alpha in columns)]
    publish("directional_error", text + table(header, rows), given.page)


if __name__ == "__main__":
    main()
