"""Error of the bounds over all sets of sensors and times: ``python benchmarks/sensors_error.py``.

The simulation takes a few minutes. ``python benchmarks`` does not run it. Subjects have noise that
is smooth over the head and in time. In half of the studies, part of the elements are active. A
study has an error if any bound is above the truth. For all sets at once, that is the case if and
only if the true nulls, as one set, get a bound above 0.
"""

from __future__ import annotations

import argparse
import warnings

import numpy as np
from _error_rate import KEY, error_rate
from _page import add_page_argument, publish, table
from scipy.special import stdtr

from ari_estimator import PermutationCalibration
from ari_estimator.closed_testing import Hommel
from ari_estimator.datasets import load_sample_sensors

ALPHA = 0.05

N_SUBJECTS, N_CHANNELS, N_PERMUTATIONS = 16, 32, 200


def p_values_of(differences: np.ndarray) -> np.ndarray:
    """Return one-sided p-values of the mean, of shape (n_elements,)."""
    flat = differences.reshape(len(differences), -1)
    t = flat.mean(axis=0) / (flat.std(axis=0, ddof=1) / np.sqrt(len(flat)))
    return np.asarray(stdtr(len(flat) - 1, -t))


def has_errors(seed: int, effect_size: float) -> list[bool]:
    """Tell whether each method claims a true discovery among the true nulls of a study."""
    study = load_sample_sensors(
        N_SUBJECTS, n_channels=N_CHANNELS, effect_size=effect_size, random_state=seed
    )
    is_null = study.effect.ravel() <= 0
    p_values = p_values_of(study.differences)
    parametric = Hommel(p_values).critical_vector(ALPHA)
    found = [parametric.true_discoveries(p_values[is_null]) > 0]
    for template in ("simes", "aorc"):
        calibration = PermutationCalibration(
            template, n_permutations=N_PERMUTATIONS, random_state=seed, verbose=0
        ).fit(study.differences, alpha=ALPHA)
        vector = calibration.critical_vector_
        found.append(vector.true_discoveries(calibration.p_values_[is_null]) > 0)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=2000)
    add_page_argument(parser)
    given = parser.parse_args()
    warnings.simplefilter("ignore", UserWarning)
    rows = []
    for name, effect_size in (("nothing active", 0.0), ("two effects", 2.0)):
        n_errors = np.zeros(3, dtype=int)
        for seed in range(given.runs):
            n_errors += has_errors(seed, effect_size)
        rows.append([name, *(error_rate(int(n), given.runs, ALPHA) for n in n_errors)])
    text = (
        f"{given.runs:,} studies of {N_SUBJECTS} subjects, {N_CHANNELS} channels and 121 times, "
        f"alpha = {ALPHA}, {N_PERMUTATIONS} sign-flips, fixed seeds. {KEY}\n\n"
    )
    header = ["truth", "parametric, Simes", "permutation, Simes", "permutation, AORC"]
    publish("sensors_error", text + table(header, rows), given.page)


if __name__ == "__main__":
    main()
