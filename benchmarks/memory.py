"""Peak memory of one map, of many maps and of a group study, each in a separate process.

The peak of a job is the largest resident set of its process, minus what the process held before
with its imports, warm caches and the image in memory. Some jobs run again under a limit of the
address space (``RLIMIT_AS``), with the usual settings of the C library: if they took more, they
would die. Linux only.
"""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from itertools import product
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from _measure import report
from nibabel import Nifti1Image
from scipy.ndimage import gaussian_filter, zoom

from ari_estimator import AdaptiveTDPTransformer, ClusterTDPTransformer

# Grids of a head, in voxels, by the side of a voxel in mm.
_SHAPES = {0.5: (364, 436, 364), 1.0: (182, 218, 182), 2.0: (91, 109, 91)}
_TRANSFORMERS: dict[str, Any] = {
    "clusters": ClusterTDPTransformer,
    "adaptive": AdaptiveTDPTransformer,
}
_LIMITS = {"clusters": 4, "adaptive": 6}
N_SUBJECTS = 100


def brain(mm: float) -> np.ndarray:
    """Return the MNI brain mask on a grid that is cut to the size of FSL's and SPM's."""
    from nilearn.datasets import load_mni152_brain_mask

    template = load_mni152_brain_mask(resolution=max(1, int(mm))).get_fdata() > 0
    if mm < 1:
        template = zoom(template.astype(np.uint8), 1 / mm, order=0) > 0
    mask = np.zeros(_SHAPES[mm], dtype=bool)
    cut = tuple(slice(min(pair)) for pair in zip(mask.shape, template.shape, strict=True))
    mask[cut] = template[cut]
    return mask


def z_values(mask: np.ndarray, mm: float) -> np.ndarray:
    """Return a smooth z map with some activation, as float32."""
    rng = np.random.default_rng(0)
    z = gaussian_filter(rng.standard_normal(mask.shape, dtype=np.float32), 1.5 / mm)
    z /= z[mask].std()
    spots = rng.random(mask.shape, dtype=np.float32) > 1 - 4e-5 * mm**3
    signal = gaussian_filter(spots.astype(np.float32), 3 / mm)
    z += 5 * signal / signal.max()
    return z * mask


def resident() -> int:
    """Return the resident set of this process, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def measured(job: Callable[[], object], unit: int, most: float | None = None) -> float:
    """Return the peak memory of a job above what the process holds, in units.

    With ``most``, the address space cannot grow by more units than that.
    """
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what the preparation has left
    if most is not None:
        held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (held + int(most * unit),) * 2)
    before = resident()
    kept = job()  # held, as a user would
    # Not ru_maxrss, which begins with what the parent of the process has held.
    status = Path("/proc/self/status").read_text().split()
    peak = int(status[status.index("VmHWM:") + 1]) * 1024
    del kept
    return (peak - before) / unit


def one_map(folder: str, name: str, mm: str, masked: str, sides: str, most: str) -> float:
    """Measure fit_transform of one map and the data of its TDP image.

    The unit is the size of the image of the map in single precision.
    """
    make = partial(_TRANSFORMERS[name], two_sided=sides == "two sides")
    rng = np.random.default_rng(0)
    small = rng.standard_normal((24, 24, 24), dtype=np.float32)
    small[:2] = 0
    for mask_img in (None, Nifti1Image(np.ones(small.shape, np.uint8), np.eye(4))):
        make(mask_img=mask_img).fit_transform(Nifti1Image(small, np.eye(4)))
    img = Nifti1Image(np.load(f"{folder}/z_{mm}.npy"), np.eye(4))
    mask_img = None
    if masked == "mask":
        mask_img = Nifti1Image(np.load(f"{folder}/mask_{mm}.npy").astype(np.uint8), np.eye(4))
    unit = img.dataobj.nbytes

    def job() -> object:
        transformer = make(mask_img=mask_img)
        tdp = transformer.fit_transform(img)
        # Its data are made when someone looks at them.
        return transformer, tdp, np.asanyarray(tdp.dataobj)

    return measured(job, unit, float(most) if most != "none" else None)


def one_command(folder: str, command: str, mm: str) -> float:
    """Measure ``ari clusters`` or ``ari adaptive`` above the loaded image and mask.

    The unit is the size of the image of the map in single precision.
    """
    from ari_estimator.cli import main as ari

    options = {"clusters": ["--threshold", "3.1"], "adaptive": ["--tdp", "0.7"]}[command]

    def run(z: np.ndarray, mask: np.ndarray) -> Callable[[], None]:
        inner = tempfile.mkdtemp(dir=folder)
        paths = [f"{inner}/{name}.nii.gz" for name in ("z", "mask")]
        for values, path in zip((z, mask.astype(np.uint8)), paths, strict=True):
            Nifti1Image(values, np.eye(4)).to_filename(path)

        def job() -> None:
            arguments = [command, paths[0], *options, "--mask", paths[1], "--out", f"{inner}/out"]
            with redirect_stdout(StringIO()):
                if ari(arguments):
                    raise SystemExit(f"ari {command} failed")

        return job

    small = np.random.default_rng(0).standard_normal((24, 24, 24), dtype=np.float32)
    run(small, np.ones(small.shape, dtype=bool))()
    z = np.load(f"{folder}/z_{mm}.npy")
    mask = np.load(f"{folder}/mask_{mm}.npy")
    unit, loaded = z.nbytes, z.nbytes + mask.nbytes
    job = run(z, mask)
    del z, mask
    return measured(job, unit) - loaded / unit


def group(folder: str, permutations: str) -> float:
    """Measure ``ari group``, in sizes of the masked data of all subjects in single precision."""
    from ari_estimator.cli import main as ari

    def run(files: list[str], mask: str, out: str) -> None:
        more = ["--permutations", permutations, "--seed", "1"] if permutations != "none" else []
        with redirect_stdout(StringIO()):
            if ari(["group", *files, "--mask", mask, "--out", out, *more]):
                raise SystemExit("ari group failed")

    rng = np.random.default_rng(0)
    small = []
    for number in range(6):
        small.append(f"{folder}/small_{number}.nii")
        values = rng.standard_normal((12, 12, 12), dtype=np.float32) + 0.3
        Nifti1Image(values, np.eye(4)).to_filename(small[-1])
    mask = f"{folder}/small_mask.nii"
    Nifti1Image(np.ones((12, 12, 12), dtype=np.uint8), np.eye(4)).to_filename(mask)
    run(small, mask, tempfile.mkdtemp(dir=folder))
    files = [f"{folder}/subject_{number:03}.nii.gz" for number in range(N_SUBJECTS)]
    n_voxels = int(np.load(f"{folder}/mask_2.0.npy").sum())
    out = tempfile.mkdtemp(dir=folder)
    return measured(lambda: run(files, f"{folder}/mask_2.0.nii.gz", out), 4 * N_SUBJECTS * n_voxels)


def many_maps(folder: str, name: str) -> float:
    """Measure how much a map more takes, in sizes of its output, an image in double precision."""
    make = _TRANSFORMERS[name]
    mask_img = nibabel.load(f"{folder}/mask_2.0.nii.gz")
    unit = 8 * int(np.prod(mask_img.shape))

    def fitted(n_maps: int) -> object:
        transformer = make(mask_img=mask_img)
        files = (f"{folder}/subject_{number:03}.nii.gz" for number in range(n_maps))
        return transformer, transformer.fit_transform(files)

    fitted(2)
    few = measured(lambda: fitted(10), unit)
    many = measured(lambda: fitted(60), unit)
    return (many - few) / 50


JOBS: dict[str, Callable[..., float]] = {
    "one_map": one_map,
    "one_command": one_command,
    "group": group,
    "many_maps": many_maps,
}


def in_a_process(folder: str, job: str, *arguments: object, keeps_freed: bool = False) -> float:
    """Return what a job measures in a process of its own.

    Unless ``keeps_freed``, the C library gives large freed arrays back to the system at once, so
    that they do not count. By default it keeps some of them for the next arrays: up to one image
    more of a 1 mm brain.
    """
    command = [sys.executable, __file__, job, folder, *map(str, arguments)]
    env = os.environ | ({} if keeps_freed else {"MALLOC_MMAP_THRESHOLD_": "1000000"})
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=env)
    return float(run.stdout.split()[-1])


def prepare(folder: str) -> None:
    """Write maps and masks to a folder."""
    for mm in _SHAPES:
        mask = brain(mm)
        np.save(f"{folder}/mask_{mm}.npy", mask)
        np.save(f"{folder}/z_{mm}.npy", z_values(mask, mm))
    affine = np.diag([2, 2, 2, 1])
    Nifti1Image(mask.astype(np.uint8), affine).to_filename(f"{folder}/mask_2.0.nii.gz")
    rng = np.random.default_rng(0)
    for number in range(N_SUBJECTS):
        values = np.zeros(mask.shape, dtype=np.float32)
        values[mask] = rng.standard_normal(mask.sum(), dtype=np.float32) + 0.2
        Nifti1Image(values, affine).to_filename(f"{folder}/subject_{number:03}.nii.gz")


def main() -> None:
    called = {"clusters": "ClusterTDPTransformer", "adaptive": "AdaptiveTDPTransformer"}
    with tempfile.TemporaryDirectory() as folder:
        prepare(folder)
        for name, limit in _LIMITS.items():
            for mm in (1.0, 0.5):
                n_voxels = int(np.load(f"{folder}/mask_{mm}.npy").sum())
                what = f"`{called[name]}`, {mm:g} mm brain, {n_voxels / 1e6:.1f} million voxels"
                beside = "the image in single precision"
                for masked in ("mask", "no mask"):
                    found = in_a_process(folder, "one_map", name, mm, masked, "one side", "none")
                    report(f"{what}, {masked}", found, limit, row=(what, beside))
                try:
                    found = in_a_process(
                        folder, "one_map", name, mm, "mask", "one side", limit, keeps_freed=True
                    )
                except subprocess.CalledProcessError:  # The limit of the address space is too low.
                    found = float("inf")
                report(f"{what}, under a limit", found, limit, row=(what, beside))
                resident_row = (f"{what}, with freed memory", beside)
                for masked, sides in product(("mask", "no mask"), ("one side", "two sides")):
                    found = in_a_process(
                        folder, "one_map", name, mm, masked, sides, "none", keeps_freed=True
                    )
                    case = f"{what}, with freed memory, {masked}, {sides}"
                    report(case, found, limit, row=resident_row)
                what = f"`ari {name}`, {mm:g} mm brain, with freed memory"
                found = in_a_process(folder, "one_command", name, mm, keeps_freed=True)
                report(what, found, limit, row=(what, beside))
            found = in_a_process(folder, "many_maps", name)
            what = f"`{called[name]}`, each additional file of a list, 2 mm"
            row = (what, "its output, an image in double precision")
            report(row[0], found, 1, row=row)
        for permutations, words in (("none", "parametric"), ("1000", "1,000 sign flips")):
            found = in_a_process(folder, "group", permutations)
            what = f"`ari group` of {N_SUBJECTS} subjects, 2 mm, {words}"
            row = (what, "their masked data in single precision")
            report(row[0], found, 4, row=row)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        os.environ.setdefault("MPLBACKEND", "agg")
        warnings.simplefilter("ignore")
        result = JOBS[sys.argv[1]](*sys.argv[2:])
        print(result)
    else:
        main()
