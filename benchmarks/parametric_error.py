"""Error of Simes and Hommel bounds in simulated maps: ``python benchmarks/parametric_error.py``.

The simulation takes a minute or two. ``python benchmarks`` does not run it. Without signal, any
discovery is an error. With signal, a bound above 0 for the set of all inactive voxels is an error:
some set has a bound above its number of active voxels if and only if this set has.

The last kind of maps shows what the Simes test assumes. Their p-values have the dependence that is
worst for a local test (Hommel 1983). The error of the Simes test is then
``alpha * (1 + 1/2 + ... + 1/m)``, and the error of the Hommel test is alpha. No brain map is like
that.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator

import numpy as np
from _error_rate import KEY, error_rate
from _page import add_page_argument, publish, table
from scipy.ndimage import gaussian_filter
from scipy.special import ndtr

from ari_estimator.closed_testing import Hommel

SHAPE = (12, 12, 12)
LOCAL_TESTS = ("simes", "hommel")
ALPHA = 0.05

# In maps with signal, a corner of the volume is active.
ACTIVE = np.zeros(SHAPE, dtype=bool)
ACTIVE[:6, :6, :6] = True
ACTIVE = ACTIVE.ravel()

# Mean of the z values of active voxels.
EFFECT = 4.0

N_WORST = 100


def smooth_noise(rng: np.random.Generator, sigma: float) -> np.ndarray:
    """Return noise of unit variance, smoothed by a Gaussian kernel of so many voxels."""
    padded = rng.standard_normal([n + 8 for n in SHAPE])
    inside = gaussian_filter(padded, sigma, mode="wrap")[4:-4, 4:-4, 4:-4].ravel()
    # The standard deviation after smoothing, from the kernel itself.
    impulse = np.zeros(padded.shape)
    impulse[tuple(n // 2 for n in padded.shape)] = 1
    return inside / np.linalg.norm(gaussian_filter(impulse, sigma, mode="wrap"))


def z_maps(rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    """Yield a map of noise of each kind."""
    yield "independent", rng.standard_normal(ACTIVE.size)
    yield "smooth, kernel of 1.5 voxels", smooth_noise(rng, 1.5)
    yield "smooth, kernel of 3 voxels", smooth_noise(rng, 3.0)
    common, own = rng.standard_normal(), rng.standard_normal(ACTIVE.size)
    yield "correlation of 0.5 everywhere", np.sqrt(0.5) * (common + own)
    half = rng.standard_normal(ACTIVE.size // 2)
    yield "pairs of opposite voxels", np.concatenate([half, -half])


def worst_p_values(rng: np.random.Generator, local_test: str) -> np.ndarray:
    """Return uniform p-values that a local test rejects as often as is possible.

    j of them are at its j-th threshold, with a probability that leaves each of them uniform.
    """
    j = np.arange(1, N_WORST + 1)
    width = ALPHA / N_WORST
    if local_test == "hommel":
        width /= (1 / j).sum()
    largest = N_WORST * width
    probabilities = np.append(N_WORST * width / j, 0)
    probabilities[-1] = 1 - probabilities.sum()
    p_values = largest + (1 - largest) * rng.random(N_WORST)
    at = rng.choice(N_WORST + 1, p=probabilities)
    if at < N_WORST:
        chosen = rng.choice(N_WORST, at + 1, replace=False)
        p_values[chosen] = (at + rng.random(at + 1)) * width
    return p_values


def any_discovery(p_values: np.ndarray, local_test: str, tested: np.ndarray | slice) -> bool:
    """Tell whether some of the p-values have a true discovery, in the family of all of them."""
    vector = Hommel(p_values, local_test).critical_vector(ALPHA)
    return vector.true_discoveries(p_values[tested]) > 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=10_000)
    add_page_argument(parser)
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    everything = slice(None)
    errors: Counter = Counter()
    for _ in range(given.runs):
        for kind, z in z_maps(rng):
            noise = ndtr(-z)
            active = ndtr(-z - EFFECT * ACTIVE)
            two_sided = 2 * ndtr(-np.abs(z))
            for test in LOCAL_TESTS:
                errors[kind, test, "no signal"] += any_discovery(noise, test, everything)
                errors[kind, test, "signal"] += any_discovery(active, test, ~ACTIVE)
                errors[kind, test, "two-sided"] += any_discovery(two_sided, test, everything)
        for test in LOCAL_TESTS:
            kind = f"worst case for the test, {N_WORST} p-values"
            worst = worst_p_values(rng, test)
            errors[kind, test, "no signal"] += any_discovery(worst, test, everything)
    columns = [
        (test, case) for test in LOCAL_TESTS for case in ("no signal", "two-sided", "signal")
    ]
    rows = []
    for kind in dict.fromkeys(key[0] for key in errors):
        cells = [
            error_rate(errors[(kind, *column)], given.runs, ALPHA)
            if (kind, *column) in errors
            else ""
            for column in columns
        ]
        rows.append([kind, *cells])
    text = (
        f"{given.runs:,} maps of each kind, with {ACTIVE.size:,} voxels ({ACTIVE.sum()} active in "
        f"maps with signal), alpha = {ALPHA}, fixed seed. {KEY}\n\n"
    )
    header = ["noise", *(f"{test.capitalize()}, {case}" for test, case in columns)]
    publish("parametric_error", text + table(header, rows), given.page)


if __name__ == "__main__":
    main()
