"""Sensors and times: the forest of a product graph, and groups beside MNE-Python and mne-ari.

The floor of the forest is an argsort of the p-values and the connected components of the
supra-threshold elements. The floor of a calibration is a product of signs and data in single
precision, in blocks of flips, and a sort of each row.

MNE-Python and mne-ari are optional. ``pip install mne mne-ari`` makes the comparisons run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from _measure import report, side_by_side
from scipy.ndimage import gaussian_filter1d
from scipy.sparse import csr_array, kron
from scipy.sparse.csgraph import connected_components
from scipy.stats import norm

from ari_estimator import PermutationCalibration, TDPForest, spatio_temporal_cluster_1samp_test
from ari_estimator.closed_testing import Hommel
from ari_estimator.datasets import load_sample_sensors
from ari_estimator.graphs import AdjacencyGraph, product

try:
    import mne
except ImportError:
    mne = None
try:
    from mne_ari import all_resolutions_inference as of_mne_ari
except ImportError:
    of_mne_ari = None

N_CHANNELS, N_TIMES = 306, 1000

N_FLIPS, BLOCK = 1000, 25

LARGE = (20, 20484, 200)


def sensors_map() -> tuple[csr_array, np.ndarray]:
    """Return neighbours of channels, and p-values of channels and times that are smooth in time."""
    neighbours = csr_array(load_sample_sensors(1, n_channels=N_CHANNELS).adjacency)
    rng = np.random.default_rng(0)
    z = gaussian_filter1d(rng.standard_normal((N_CHANNELS, N_TIMES)), 4, axis=1)
    z /= z.std()
    z[:60, 300:500] += 4
    return neighbours, norm.sf(z).ravel()


def forest() -> None:
    neighbours, p_values = sensors_map()
    spatial = AdjacencyGraph(neighbours)
    # As MNE-Python's combine_adjacency makes it.
    chain = csr_array(np.eye(N_TIMES, k=1) + np.eye(N_TIMES, k=-1))
    whole = csr_array(kron(neighbours, np.eye(N_TIMES)) + kron(np.eye(N_CHANNELS), chain))

    def run_floor() -> object:
        above = np.flatnonzero(p_values < 0.001)
        return np.argsort(p_values), connected_components(whole[above][:, above], directed=False)

    def build() -> TDPForest:
        graph = product(spatial, N_TIMES)
        return TDPForest.from_bounds(graph, Hommel(p_values).bounds(0.05))

    times = side_by_side({"floor": run_floor, "build": build}, n_rounds=7, clock=time.process_time)
    what = f"all clusters of {N_CHANNELS} channels and {N_TIMES:,} times with their bounds"
    row = (what, "one argsort, connected components of the supra-threshold elements")
    report("forest of a product graph / floor", times["build"] / times["floor"], 4, row=row)
    (part,) = product(spatial, N_TIMES).neighbourhoods()
    # Arrays that are broadcast have strides of 0 and take no memory.
    n_bytes = sum(
        one.nbytes for one in part if isinstance(one, np.ndarray) and 0 not in one.strides
    )
    row = ("memory of a product graph, bytes an element", "")
    report("bytes an element of the graph", n_bytes / p_values.size, 80, row=row)


def calibration_floor(data: np.ndarray, signs: np.ndarray) -> None:
    """Do the least that any calibration has to do: a product, and a sort of each flip."""
    for start in range(0, len(signs), BLOCK):
        np.sort(signs[start : start + BLOCK] @ data, axis=1)


def calibrate(data: np.ndarray, n_flips: int) -> None:
    PermutationCalibration(n_permutations=n_flips, random_state=0, verbose=0).fit(data)


def group(shape: tuple[int, int, int], n_flips: int) -> None:
    """Compare a calibration of many elements with the floor, a few flips at a time."""
    rng = np.random.default_rng(0)
    data = rng.standard_normal(shape, dtype=np.float32)
    flat = data.reshape(shape[0], -1)
    signs = np.where(rng.random((n_flips, shape[0])) < 0.5, np.float32(-1), np.float32(1))
    functions = {
        "floor": lambda: calibration_floor(flat, signs),
        "ours": lambda: calibrate(data, n_flips),
    }
    times = side_by_side(functions, n_rounds=1, clock=time.process_time)
    what = f"calibration of {shape[0]} subjects, {flat.shape[1]:,} elements, {n_flips} flips"
    row = (what, "one product and a sort of each flip")
    report("signs to lambda / product + sort", times["ours"] / times["floor"], 1.1, row=row)


def memory_of_group() -> float:
    """Return the rise of a process's peak above the data, in GB, while it calibrates."""
    run = subprocess.run(
        [sys.executable, __file__, "memory"], check=True, capture_output=True, text=True,
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"},
    )  # fmt: skip
    return float(run.stdout)


def peak() -> float:
    """Return the largest memory that this process has had, in bytes. Its parent does not count."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * float(status.partition("VmHWM:")[2].split()[0])


def print_memory() -> None:
    small = np.random.default_rng(0).standard_normal((LARGE[0], 1000), dtype=np.float32)
    calibrate(small, 100)
    data = np.random.default_rng(0).standard_normal(LARGE, dtype=np.float32)
    before = peak()
    calibrate(data, 50)
    print((peak() - before) / 1e9)


def runs_here(function: Callable[..., object]) -> bool:
    """Tell whether mne-ari runs with the installed version of MNE-Python: 0.1.2 needs old ones."""
    try:
        function(
            np.random.default_rng(0).standard_normal((8, 4, 3)), adjacency=csr_array(np.eye(3))
        )
    except (TypeError, ValueError):
        return False
    return True


def beside_mne() -> None:
    study = load_sample_sensors(n_channels=128)
    X = np.ascontiguousarray(np.moveaxis(study.differences, 1, 2))
    options = {"n_permutations": 500, "seed": 0}
    functions = {
        "ours": lambda: spatio_temporal_cluster_1samp_test(
            X, 3.0, adjacency=study.adjacency, verbose=False, **options
        )
    }
    if mne is not None:
        functions["mne"] = lambda: mne.stats.spatio_temporal_cluster_1samp_test(
            X, 3.0, adjacency=study.adjacency, verbose="error", **options
        )
    if of_mne_ari is not None and runs_here(of_mne_ari):
        functions["mne-ari"] = lambda: of_mne_ari(
            X, adjacency=study.adjacency, ari_type="permutation", n_permutations=500, seed=0
        )
    times = side_by_side(functions, n_rounds=3, clock=time.process_time)
    what = "test of 16 subjects, 128 channels and 121 times, 500 flips"
    for name in ("mne", "mne-ari"):
        if name in times:
            row = (what, f"{name}, in the same run")
            report(f"{name} / ours", times[name] / times["ours"], at_least=True, row=row)
        else:
            print(f"  {name} is not installed, or does not run: no comparison with it")


def main() -> None:
    forest()
    beside_mne()
    group((20, 5120, 50), N_FLIPS)
    group(LARGE, N_FLIPS // 2)
    if not Path("/proc/self/status").exists():
        return
    row = ("memory of the calibration above the data, GB", "")
    report("peak above the data, GB", memory_of_group(), 2, row=row)


if __name__ == "__main__":
    print_memory() if sys.argv[1:] == ["memory"] else main()
