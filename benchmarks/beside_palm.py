"""Designs, compared with PALM in Octave: ``PALM=FOLDER python benchmarks beside_palm``.

PALM (Winkler et al. 2014) gives p-values of voxels by the largest statistic. It has no bounds on
true discoveries. Both get the same data, design and number of permutations, and both start from
files on disk or arrays in memory. The start-up time of Octave is measured and subtracted.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from _measure import report, side_by_side
from designs import calibrate, design_of

N_VOXELS = 20_000
N_PERMUTATIONS = 500


def palm_seconds(folder: Path, arguments: str) -> float:
    """Return how long PALM takes in Octave, without the start of Octave."""
    took = []
    for command in ("1;", f"palm {arguments}"):
        program = f"addpath('{os.environ['PALM']}'); {command}"
        start = time.perf_counter()
        subprocess.run(
            ["octave-cli", "--no-gui", "--quiet", "--eval", program],
            cwd=folder,
            check=True,
            capture_output=True,
        )
        took.append(time.perf_counter() - start)
    return took[1] - took[0]


def main() -> None:
    if shutil.which("octave-cli") is None or "PALM" not in os.environ:
        print("  octave-cli or the folder of PALM (environment variable PALM) is not there")
        return
    groups = design_of(30, 0)
    with_covariates = design_of(30, 3)
    labels = np.repeat([1, 2], 15)
    # Ten subjects in one group and five in the other, each measured twice.
    subjects = np.arange(30) // 2 + 1
    of_subjects = np.eye(2)[np.repeat([0, 1], [20, 10])]
    difference, beside = np.array([1.0, -1]), np.r_[1.0, -1, 0, 0, 0]
    cases = {
        "one sample, signs": (np.ones((30, 1)), np.ones(1), {}, "-ise"),
        "two groups": (groups, difference, {}, "-ee"),
        "two groups with three covariates": (with_covariates, beside, {}, "-ee"),
        "two groups, variance groups, signs": (
            groups,
            difference,
            {"variance_groups": labels, "scheme": "sign_flip"},
            "-ise -vg vg.csv",
        ),
        "whole blocks": (of_subjects, difference, {"blocks": subjects}, "-ee -eb eb.csv -whole"),
    }
    data = np.random.default_rng(0).standard_normal((30, N_VOXELS)).astype(np.float32)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savetxt(folder / "data.csv", data, delimiter=",", fmt="%.6g")
        np.savetxt(folder / "vg.csv", labels, fmt="%d")
        np.savetxt(folder / "eb.csv", subjects, fmt="%d")
        for what, (design, contrast, options, flags) in cases.items():
            np.savetxt(folder / "design.csv", design, delimiter=",", fmt="%.17g")
            np.savetxt(folder / "contrast.csv", contrast[np.newaxis], delimiter=",", fmt="%g")
            arguments = f"-i data.csv -d design.csv -t contrast.csv -n {N_PERMUTATIONS} {flags}"
            theirs = palm_seconds(folder, f"{arguments} -twotail -o out -quiet")

            def ours(design=design, contrast=contrast, options=options):
                return calibrate(data, N_PERMUTATIONS, design, contrast, **options)

            mine = side_by_side({"ours": ours}, 3)["ours"]
            report(
                f"{what}: PALM / ours",
                theirs / mine,
                at_least=True,
                row=(
                    f"{what}: 30 rows, {N_VOXELS:,} voxels, {N_PERMUTATIONS} draws",
                    "PALM in Octave (p-values of voxels, no bounds)",
                ),
            )


if __name__ == "__main__":
    main()
