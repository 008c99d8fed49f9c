"""Calibration that is read from a cache, compared with the first one, which is computed."""

from __future__ import annotations

import tempfile

from _measure import report, side_by_side
from permutation import N_SUBJECTS, subjects

from ari_estimator import PermutationCalibration


def main() -> None:
    data = subjects(2.0)
    print(f"1,000 sign flips of {N_SUBJECTS} x {data.shape[1]:,} voxels, with memory")
    with tempfile.TemporaryDirectory() as folder:
        seeds = iter(range(1, 100))

        def fit(seed: int) -> float:
            calibration = PermutationCalibration(random_state=seed, memory=folder)
            return calibration.fit(data).lambda_

        times = side_by_side({"first": lambda: fit(next(seeds)), "again": lambda: fit(0)}, 5)
    report(
        "second fit, from the cache / first fit, into it",
        times["again"] / times["first"],
        0.5,
        row=(
            f"1,000 sign flips of {N_SUBJECTS} subjects, 2 mm brain, repeated with `memory`",
            "the first time",
        ),
    )


if __name__ == "__main__":
    main()
