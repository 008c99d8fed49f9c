"""Several contrasts as one family, compared with one contrast: time and memory."""

from __future__ import annotations

import time

import numpy as np
from _measure import peak_memory, report, side_by_side
from designs import N_VOXELS, data_of, design_of

from ari_estimator import PermutationCalibration
from ari_estimator.calibration import Workers
from ari_estimator.calibration._calibrate_contrasts import calibrate_contrasts
from ari_estimator.calibration._subject_contrasts import ContrastOfFamily
from ari_estimator.resampling._null_statistics import draws_per_block

N_PERMUTATIONS = 500

# Five groups, so that four contrasts of them can be tested.
N_GROUPS = 5


def differences(design: np.ndarray, n: int) -> np.ndarray:
    """Return contrasts of neighbouring groups."""
    rows = np.eye(design.shape[1])
    return rows[:n] - rows[1 : n + 1]


def one(data: np.ndarray, design: np.ndarray, n_rows: int = 1) -> float:
    """Calibrate one contrast: t for a single row, F for several."""
    calibration = PermutationCalibration(n_permutations=N_PERMUTATIONS, random_state=0)
    rows = differences(design, n_rows)
    weights = rows[0] if n_rows == 1 else rows
    return calibration.fit(data, design, weights, two_sided=n_rows == 1).lambda_


def several(data: np.ndarray, design: np.ndarray, n_contrasts: int, n_rows_f: int = 0) -> float:
    """Calibrate differences of neighbouring groups as one family, perhaps with an F of some."""
    contrasts = {
        str(i): ContrastOfFamily(row, "t", True, np.arange(data.shape[1]))
        for i, row in enumerate(differences(design, n_contrasts))
    }
    if n_rows_f:
        rows = differences(design, n_rows_f)
        contrasts["F"] = ContrastOfFamily(rows, "F", False, np.arange(data.shape[1]))
    options = PermutationCalibration(n_permutations=N_PERMUTATIONS).get_params()
    for name in ("n_groups", "random_state", "chunk_size", "n_jobs", "memory", "verbose"):
        del options[name]
    return calibrate_contrasts(
        data,
        design,
        contrasts,
        alpha=0.05,
        rng=np.random.default_rng(0),
        version="",
        workers=Workers(),
        **options,
    ).calibration.lambda_


def block_of(n_elements: int) -> int:
    """Return the bytes of a block of statistics."""
    return draws_per_block(n_elements) * n_elements * np.dtype(np.float32).itemsize


def beside_one(n_subjects: int, n_voxels: int) -> None:
    """Report the time and memory of several contrasts, relative to one contrast."""
    data, design = data_of(n_subjects, n_voxels), design_of(n_subjects, 1, N_GROUPS)
    sizes = f"{N_PERMUTATIONS} draws of {n_subjects} subjects, {n_voxels:,} voxels"
    works = {
        "1": lambda: one(data, design),
        "2": lambda: several(data, design, 2),
        "4": lambda: several(data, design, 4),
        "F": lambda: one(data, design, 2),
        "t and F": lambda: several(data, design, 1, 2),
    }
    times = side_by_side(works, 3, time.process_time)
    memory = {name: peak_memory(works[name]) for name in ("1", "2", "4")}
    for name in ("2", "4"):
        n = int(name)
        report(
            f"{sizes}: {n} contrasts / {n} times one",
            times[name] / times["1"] / n,
            1.2,
            row=(f"{n} contrasts as one family: {sizes}", f"{n} times one contrast"),
        )
        statistics = block_of(n * n_voxels) - block_of(n_voxels)
        report(
            "  the same, memory / one contrast and blocks of statistics of the others",
            memory[name] / (memory["1"] + statistics),
            1.2,
            row=(
                f"memory of {n} contrasts as one family: {sizes}",
                "one contrast, and a block of statistics for each other one",
            ),
        )
    report(
        f"{sizes}: a t and an F contrast / each alone",
        times["t and F"] / (times["1"] + times["F"]),
        1.2,
        row=(f"a t and an F contrast as one family: {sizes}", "each of them alone"),
    )


def main() -> None:
    beside_one(30, N_VOXELS)
    beside_one(200, 40_000)


if __name__ == "__main__":
    main()
