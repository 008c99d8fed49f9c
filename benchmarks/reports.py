"""What reports take: ``python benchmarks/reports.py --page docs/benchmarks.md``.

Each report is made in a process of its own, twice: the first time imports and compiles. The
processor time of the second is shown, since it depends less on other programs than the time of a
clock, and the memory at the peak of the process beyond the fitted map.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
import warnings
from typing import Any

import pandas as pd
from _machine import machine
from _page import add_page_argument, publish, table
from _surface_maps import icosphere, z_map
from nilearn.datasets import load_fsaverage, load_sample_motor_activation_image
from nilearn.surface import PolyMesh

from ari_estimator import ARISecondLevelModel, ClusterTDPTransformer, PermutationCalibration
from ari_estimator.datasets import load_sample_study


def volume() -> Any:
    return ClusterTDPTransformer(3.1).fit(load_sample_motor_activation_image())


def fsaverage5() -> Any:
    return ClusterTDPTransformer(3.1).fit(z_map(load_fsaverage("fsaverage5")["pial"], 3))


def large_surface() -> Any:
    sphere = icosphere(7)
    return ClusterTDPTransformer(3.1).fit(z_map(PolyMesh(left=sphere, right=sphere), 10))


def group() -> Any:
    study = load_sample_study()
    calibration = PermutationCalibration(n_permutations=1000, random_state=0)
    model = ARISecondLevelModel(study.mask_img, calibration=calibration)
    model.fit(study.maps, design_matrix=pd.DataFrame({"intercept": [1] * len(study.maps)}))
    model.compute_contrast("intercept", output_type="tdp")
    return model


KINDS = {
    "volume of 3 mm": volume,
    "surfaces of 20,484 vertices": fsaverage5,
    "surfaces of 327,684 vertices": large_surface,
    "group of 24 subjects, 1,000 permutations": group,
}


def measure(kind: str) -> None:
    """Print the size of a report, its processor time and its memory."""
    warnings.simplefilter("ignore")
    fitted = KINDS[kind]()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(2):
        start = time.process_time()
        html = fitted.generate_report().get_standalone()
        seconds = time.process_time() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(f"{len(html) / 1e6:.1f} MB|{seconds:.1f} s|{memory / 1e3:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_page_argument(parser)
    parser.add_argument("--kind", choices=KINDS, help="measure a single one")
    given = parser.parse_args()
    if given.kind is not None:
        measure(given.kind)
        return
    rows = []
    for kind in KINDS:
        command = [sys.executable, __file__, "--kind", kind]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rows.append([kind, *done.stdout.strip().split("|")])
    shown = table(("report", "size", "processor time", "memory"), rows)
    publish("reports", f"{shown}\n\n{machine()}", given.page)


if __name__ == "__main__":
    main()
