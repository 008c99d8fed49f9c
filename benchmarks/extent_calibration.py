"""Calibration of cluster extents, compared with scipy's labels of each draw."""

from __future__ import annotations

import time
import warnings

import numpy as np
from _maps import brain_mask
from _measure import peak_memory, report, side_by_side
from permutation import N_SUBJECTS, subjects
from scipy import ndimage

from ari_estimator import ClusterExtentCalibration
from ari_estimator.calibration._subject_data import resample_subjects
from ari_estimator.images._space import Space
from ari_estimator.images._volume_part import VolumePart

HEIGHT = 0.001

WHAT = f"Cluster extents: 1,000 sign flips of {N_SUBJECTS} subjects, 2 mm brain"


def labelled(data: np.ndarray, mask: np.ndarray) -> int:
    """Compute the statistics of all draws, and label the clusters of each with scipy."""
    rng = np.random.default_rng(0)
    null = resample_subjects(data, None, None, two_sided=False, n_permutations=1000, rng=rng).null
    # The correlation of a one-sided p-value of the height.
    values = np.linspace(0, 1, 100_001)
    cutoff = values[null.tail(values) <= HEIGHT][0]
    structure = np.ones((3, 3, 3))
    largest = []
    volume = np.zeros(mask.shape, dtype=bool)
    for start in range(0, 1000, 50):
        for row in null.block(start, start + 50):
            volume[mask] = row >= cutoff
            labels, _ = ndimage.label(volume, structure)
            largest.append(np.bincount(labels.ravel())[1:].max(initial=0))
    return int(np.sort(largest)[-51])


def main() -> None:
    warnings.simplefilter("ignore")
    image = brain_mask()
    mask = image.get_fdata() > 0
    data = subjects(2.0)
    space = Space((VolumePart(mask, image.affine),))

    def ours() -> int:
        calibration = ClusterExtentCalibration(HEIGHT, random_state=0)
        design = np.ones((N_SUBJECTS, 1))
        fitted = calibration._fit_family(
            data, design, np.ones(1), space, alpha=0.05, two_sided=False
        )
        return fitted.critical_extent_ - 1

    print(f"{WHAT}, {data.shape[1]:,} voxels")
    times = side_by_side(
        {"ours": ours, "scipy": lambda: labelled(data, mask)}, 3, clock=time.process_time
    )
    report(
        "data to critical extent / statistics and scipy.ndimage.label of each draw",
        times["ours"] / times["scipy"],
        2,
        row=(WHAT, "the same statistics, scipy.ndimage.label of each draw"),
    )
    report(
        "its peak memory above the data, in MB",
        peak_memory(ours) / 1e6,
        600,
        row=("its memory above the data, MB", ""),
    )


if __name__ == "__main__":
    main()
