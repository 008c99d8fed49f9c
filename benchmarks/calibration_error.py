"""Error of calibrated bounds in simulated studies: ``python benchmarks/calibration_error.py``.

The simulation takes some minutes. ``python benchmarks`` does not run it. Each study has 20
subjects with smooth noise in a volume. Without signal, any discovery is an error. With signal, a
bound above 0 for the set of all inactive voxels is an error: some set has a bound above its number
of active voxels if and only if this set has.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator

import numpy as np
from _error_rate import KEY, error_rate
from _page import add_page_argument, publish, table
from joblib import Parallel, delayed
from scipy.ndimage import gaussian_filter

from ari_estimator import PermutationCalibration, learn_template

SHAPE = (10, 10, 10)
N_SUBJECTS = 20
N_PERMUTATIONS = 100
LEVELS = (0.05, 0.1)

# In studies with signal, a corner of the volume is active.
ACTIVE = np.zeros(SHAPE, dtype=bool)
ACTIVE[:6, :6, :6] = True
ACTIVE = ACTIVE.ravel()

# Effect on active voxels, in standard errors.
EFFECT = 4.0

GROUP = np.repeat([0.0, 1.0], N_SUBJECTS // 2)
SESSION = np.tile([0.0, 1.0], N_SUBJECTS // 2)
PAIR = np.repeat(np.arange(N_SUBJECTS // 2), 2)


def designs(rng: np.random.Generator) -> dict[str, tuple[np.ndarray, list[float], dict]]:
    """Return designs, contrasts and parameters. Contrasts test the first column."""
    ones = np.ones(N_SUBJECTS)
    covariate, nuisance = rng.standard_normal((2, N_SUBJECTS))
    # A nuisance variable that correlates with the covariate. Residuals have to account for it.
    nuisance += covariate
    dummies = (PAIR[:, np.newaxis] == np.arange(N_SUBJECTS // 2)).astype(float)
    regression = np.column_stack([covariate, ones, nuisance])
    return {
        "one sample, sign-flipping": (ones[:, np.newaxis], [1], {}),
        "two groups, permutation": (np.column_stack([GROUP, ones]), [1, 0], {}),
        "covariate with nuisance, Freedman-Lane": (regression, [1, 0, 0], {}),
        "covariate with nuisance, bootstrap": (regression, [1, 0, 0], {"scheme": "bootstrap"}),
        "mean with nuisance, sign-flipping": (
            np.column_stack([ones, nuisance - nuisance.mean()]),
            [1, 0],
            {},
        ),
        "repeated measures, within blocks": (
            np.column_stack([SESSION, dummies]),
            [1, *[0] * dummies.shape[1]],
            {"blocks": PAIR},
        ),
    }


def own_length(design: np.ndarray) -> float:
    """Return the length of the first column without what the others explain of it."""
    others = design[:, 1:]
    fitted = others @ np.linalg.lstsq(others, design[:, 0])[0]
    return float(np.linalg.norm(design[:, 0] - fitted))


def noise(rng: np.random.Generator) -> np.ndarray:
    """Return smooth noise of unit variance, of shape (n_subjects, n_voxels)."""
    # Padded, so that the variance is the same throughout.
    padded = rng.standard_normal((N_SUBJECTS, *(n + 8 for n in SHAPE)))
    smooth = gaussian_filter(padded, (0, 1.5, 1.5, 1.5), mode="wrap")[:, 4:-4, 4:-4, 4:-4]
    return smooth.reshape(N_SUBJECTS, -1) / smooth.std()


def variants(rng: np.random.Generator, *, with_all: bool) -> Iterator[tuple[str, dict]]:
    """Yield names and parameters of calibrations."""
    yield "Simes", {}
    yield "Simes, step-down", {"step_down": True}
    yield "beta", {"template": "beta"}
    if not with_all:
        return
    yield "Simes, delta 8", {"delta": 8}
    yield "Simes, 100 thresholds", {"k_max": 100}
    yield "Simes, p-values by rank", {"p_values": "rank"}
    yield "AORC", {"template": "aorc"}
    yield "higher criticism", {"template": "higher_criticism"}
    yield "power", {"template": "power"}
    yield "beta, step-down", {"template": "beta", "step_down": True}
    learned = learn_template(
        noise(rng), n_permutations=N_PERMUTATIONS, k_max=100, random_state=0, two_sided=True
    )
    yield "learned", {"template": learned}
    yield "learned, step-down", {"template": learned, "step_down": True}


def study(seed: int) -> Counter:
    """Simulate a study and count errors."""
    rng = np.random.default_rng(seed)
    errors: Counter = Counter()
    data = noise(rng)
    for i, (scheme, (design, contrast, params)) in enumerate(designs(rng).items()):
        for signal in (False, True):
            effect = EFFECT * np.outer(design[:, 0] / own_length(design), ACTIVE) if signal else 0
            inactive = ~ACTIVE if signal else slice(None)
            for name, more in variants(rng, with_all=i == 0):
                fitted = {}
                for alpha in LEVELS:
                    if not fitted or more.get("step_down"):
                        calibration = PermutationCalibration(
                            n_permutations=N_PERMUTATIONS, random_state=seed, **params, **more
                        ).fit(data + effect, design, contrast, alpha=alpha, two_sided=True)
                        fitted = {"calibration": calibration.calibration_}
                    vector = fitted["calibration"].critical_vector
                    if fitted["calibration"].alpha != alpha:
                        vector = fitted["calibration"].at(alpha).critical_vector
                    is_error = vector.true_discoveries(calibration.p_values_[inactive]) > 0
                    errors[(scheme, name, signal, alpha)] += is_error
    return errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--jobs", type=int, default=-1)
    add_page_argument(parser)
    given = parser.parse_args()
    parts = Parallel(n_jobs=given.jobs, return_as="generator_unordered")(
        delayed(study)(seed) for seed in range(given.studies)
    )
    total: Counter = Counter()
    for part in parts:
        total.update(part)
    columns = [(signal, alpha) for alpha in LEVELS for signal in (False, True)]
    header = [f"{'with' if signal else 'no'} signal, {alpha}" for signal, alpha in columns]
    rows = []
    for scheme, name in sorted({key[:2] for key in total}):
        rates = [
            error_rate(total[(scheme, name, *column)], given.studies, column[1])
            for column in columns
        ]
        rows.append([f"{scheme}: {name}", *rates])
    text = (
        f"{given.studies:,} studies of {N_SUBJECTS} subjects and {ACTIVE.size:,} voxels "
        f"({ACTIVE.sum()} active in studies with signal), {N_PERMUTATIONS} permutations, fixed "
        f"seed. {KEY}\n\n"
    )
    publish(
        "calibration_error", text + table(["design, scheme: template", *header], rows), given.page
    )


if __name__ == "__main__":
    main()
