"""A hundred maps of 2 mm in two processes, compared with one.

Each round reads compressed files that no process has read before: the files of each run are new
copies. The processes exist before the clock starts; starting them takes about as long as importing
nilearn, once. Time is by the clock, since work is spread over processes, so the machine must be
free.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
from _maps import brain_mask, z_map
from _measure import report, side_by_side
from nibabel import Nifti1Image

from ari_estimator import ClusterTDPTransformer

N_MAPS = 100
N_DIFFERENT = 10
THRESHOLD = 2.5

N_ROUNDS = 3

WHAT = f"TDP of the clusters of {N_MAPS} maps of 2 mm, two processes"


def images() -> list[Nifti1Image]:
    """Return maps in single precision."""
    maps = [z_map(2.0, seed) for seed in range(N_DIFFERENT)]
    single = [Nifti1Image(np.asarray(z.dataobj, dtype=np.float32), z.affine) for z in maps]
    return [single[i % N_DIFFERENT] for i in range(N_MAPS)]


def reader_of_new_files(
    transformer: ClusterTDPTransformer, originals: list[Path], folder: Path
) -> Callable[[], object]:
    """Return a function that transforms the next copy of the files. Copies exist before."""
    copies = []
    for number in range(N_ROUNDS + 1):  # the first round is not counted
        copy = folder / f"{transformer.n_jobs}_{number}"
        copy.mkdir()
        copies.append([Path(shutil.copy(path, copy)) for path in originals])
    return lambda: transformer.transform(copies.pop())


def main() -> None:
    mask_img = brain_mask()
    in_memory = images()
    one = ClusterTDPTransformer(THRESHOLD, mask_img=mask_img).fit(in_memory[0])
    two = ClusterTDPTransformer(THRESHOLD, mask_img=mask_img, n_jobs=2).fit(in_memory[0])
    two.transform(in_memory[:4])  # which starts the processes
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        originals = [folder / f"{i}.nii.gz" for i in range(N_MAPS)]
        for img, path in zip(in_memory, originals, strict=True):
            nibabel.save(img, path)
        files = {
            "two": reader_of_new_files(two, originals, folder),
            "one": reader_of_new_files(one, originals, folder),
        }
        times = side_by_side(files, n_rounds=N_ROUNDS)
    print("Several maps")
    report("files: two processes / one", times["two"] / times["one"], 0.6,
           row=(f"{WHAT}, compressed files", "one process"))  # fmt: skip
    works = {"two": lambda: two.transform(in_memory), "one": lambda: one.transform(in_memory)}
    times = side_by_side(works, n_rounds=N_ROUNDS)
    report("in memory: two processes / one", times["two"] / times["one"],
           row=(f"{WHAT}, images in memory", "one process"))  # fmt: skip


if __name__ == "__main__":
    main()
