"""Calibration of designs, compared with one product of signs with data and a sort."""

from __future__ import annotations

import time

import numpy as np
from _measure import report, side_by_side
from permutation import floor

from ari_estimator import PermutationCalibration

N_VOXELS = 235_375
FEW_VOXELS = 40_000

FLOOR = "signs times data, and one sort of each draw"


def data_of(n_subjects: int, n_voxels: int) -> np.ndarray:
    """Return independent normal data in float32."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((n_subjects, n_voxels), dtype=np.float32)


def design_of(n_subjects: int, n_nuisance: int, n_groups: int = 2) -> np.ndarray:
    """Return columns for groups and for covariates."""
    groups = np.eye(n_groups)[np.arange(n_subjects) * n_groups // n_subjects]
    covariates = np.random.default_rng(1).standard_normal((n_subjects, n_nuisance))
    return np.column_stack([groups, covariates])


def calibrate(
    data: np.ndarray,
    n_permutations: int,
    design: np.ndarray | None = None,
    contrast: np.ndarray | None = None,
    **params: object,
) -> float:
    calibration = PermutationCalibration(n_permutations=n_permutations, random_state=0, **params)
    is_f = np.ndim(contrast) == 2
    return calibration.fit(data, design, contrast, two_sided=not is_f).lambda_


def beside_the_floor(
    n_subjects: int, n_voxels: int, n_permutations: int, n_rounds: int, limits: tuple[float, ...]
) -> None:
    """Report sign flips and, if a limit is given, Freedman-Lane with four covariates."""
    data = data_of(n_subjects, n_voxels)
    design = design_of(n_subjects, 4)
    contrast = np.r_[1.0, -1, np.zeros(4)]
    works = {
        "flips": lambda: calibrate(data, n_permutations),
        "Freedman-Lane": lambda: calibrate(data, n_permutations, design, contrast),
    }
    chosen = dict(list(works.items())[: len(limits)])
    works = {"floor": lambda: floor(data, n_permutations), **chosen}
    times = side_by_side(works, n_rounds, time.process_time)
    sizes = f"{n_permutations:,} draws of {n_subjects:,} subjects, {n_voxels:,} voxels"
    names = ("one sample, sign flips", "two groups with four covariates, Freedman-Lane")
    for work, name, limit in zip(chosen, names, limits, strict=False):
        ratio = times[work] / times["floor"]
        report(f"{sizes}: {work} / floor", ratio, limit, row=(f"{name}: {sizes}", FLOOR))


def beside_one_variance(data: np.ndarray, n_groups: int, scheme: str) -> float:
    """Return the time of v or G, relative to the time of t or F."""
    design = design_of(len(data), 0, n_groups)
    rows = np.eye(n_groups)[:-1] - np.eye(n_groups)[1:]
    contrast = rows[0] if n_groups == 2 else rows

    def with_groups(groups: str | None) -> float:
        return calibrate(data, 300, design, contrast, scheme=scheme, variance_groups=groups)

    times = side_by_side(
        {"own": lambda: with_groups("auto"), "one": lambda: with_groups(None)},
        3,
        time.process_time,
    )
    return times["own"] / times["one"]


def statistics_of_groups() -> None:
    """Report v and G, compared with t and F."""
    data = data_of(30, N_VOXELS)
    for n_groups, name, beside in ((2, "v", "t"), (3, "G", "F")):
        for scheme in ("sign_flip", "permutation"):
            report(
                f"{name} / {beside}, {scheme}",
                beside_one_variance(data, n_groups, scheme),
                2,
                row=(f"{name} of 30 subjects, {N_VOXELS:,} voxels", beside),
            )


def nested_blocks() -> None:
    """Report permutations of nested blocks, compared with free ones."""
    data = data_of(32, N_VOXELS)
    design = design_of(32, 0)
    subjects = np.arange(32) // 2
    nested = np.column_stack([np.ones(32, dtype=int), -(subjects + 1)])
    times = side_by_side(
        {
            "free": lambda: calibrate(data, 1000, design, np.array([1.0, -1])),
            "nested": lambda: calibrate(data, 1000, design, np.array([1.0, -1]), blocks=nested),
        },
        3,
        time.process_time,
    )
    report(
        "nested blocks / free permutations",
        times["nested"] / times["free"],
        1.1,
        row=("permutations of nested blocks", "free permutations"),
    )


def main() -> None:
    beside_the_floor(30, N_VOXELS, 1000, 3, (1,))
    beside_the_floor(300, FEW_VOXELS, 500, 5, (1.5, 3))
    beside_the_floor(300, N_VOXELS, 1000, 1, (1.3, 3))
    beside_the_floor(1000, N_VOXELS, 1000, 1, (2,))
    statistics_of_groups()
    nested_blocks()


if __name__ == "__main__":
    main()
