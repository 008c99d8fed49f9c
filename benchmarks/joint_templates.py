"""True discoveries of templates together, in simulations: ``python benchmarks/joint_templates.py``.

The simulation takes some minutes. ``python benchmarks`` does not run it. It chose the template
"joint". A study has sign-flipped subjects with noise in a volume and an effect in part of it. The
numbers are medians over studies of three bounds, divided by those of Simes' template alone: of the
whole volume, of the active voxels above z = 3.09, and the number of voxels that are found alone.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from itertools import product

import numpy as np
from _page import add_page_argument, publish, table
from scipy.ndimage import gaussian_filter
from scipy.special import stdtr
from scipy.stats import norm

from ari_estimator.closed_testing import CriticalVector, JointTemplate, Template, make_template
from ari_estimator.closed_testing._lambda import lambda_at

SHAPE = (24, 24, 24)
N_PERMUTATIONS = 200
ALPHA = 0.05

# So many of the smallest p-values of each draw decide about its pivotal statistic.
N_SMALLEST = 2000

# Standard deviation of the smoothing kernel in voxels, subjects, and effects: the number of
# active spheres, their radius in voxels, and the effect in standard errors.
SMOOTHING = (0.0, 1.0, 2.0)
N_SUBJECTS = (15, 30)
EFFECTS = {"few strong": (2, 4, 4.5), "some moderate": (4, 5, 3.5), "wide weak": (6, 7, 2.5)}

M = int(np.prod(SHAPE))


def simes(delta: int = 0) -> Template:
    """Return Simes' template with a shift."""
    return make_template("simes", M, delta=delta)


SINGLE = {
    "simes": simes(),
    "simes, delta 9": simes(9),
    "simes, delta 27": simes(27),
    "simes, delta 81": simes(81),
    "beta": make_template("beta", M, k_max=1000),
    "power": make_template("power", M, k_max=1000),
}

# Each other template with the rank at which it crosses Simes'.
TOGETHER: dict[str, dict[str, int]] = {
    "simes + delta 9 at 10": {"simes, delta 9": 10},
    "simes + delta 9 at 12": {"simes, delta 9": 12},
    "simes + delta 9 at 18": {"simes, delta 9": 18},
    "simes + delta 27 at 34": {"simes, delta 27": 34},
    "simes + delta 27 at 54": {"simes, delta 27": 54},
    "simes + delta 27 at 108": {"simes, delta 27": 108},
    "simes + delta 81 at 162": {"simes, delta 81": 162},
    "simes + beta at 50": {"beta": 50},
    "simes + beta at 100": {"beta": 100},
    "simes + beta at 300": {"beta": 300},
    "simes + power at 100": {"power": 100},
    "simes + delta 9 at 12 + beta at 300": {"simes, delta 9": 12, "beta": 300},
}

# Templates whose levels are split.
SPLIT = {
    "split: simes, delta 9": ("simes", "simes, delta 9"),
    "split: simes, delta 27": ("simes", "simes, delta 27"),
    "split: simes, beta": ("simes", "beta"),
}


def active_voxels(rng: np.random.Generator, n: int, radius: float) -> np.ndarray:
    """Return spheres within the volume."""
    grid = np.indices(SHAPE)
    active = np.zeros(SHAPE, dtype=bool)
    for _ in range(n):
        centre = rng.uniform(radius, np.array(SHAPE) - radius)
        active |= ((grid - centre[:, None, None, None]) ** 2).sum(0) <= radius**2
    return active.ravel()


def smallest_p_values(data: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the observed p-values, and the smallest ones of each sign flip."""
    n = len(data)
    signs = rng.choice(np.array([-1, 1], dtype=np.float32), size=(N_PERMUTATIONS, n))
    signs[0] = 1
    mean = signs @ data / n
    squares = (data**2).sum(axis=0)
    t = mean / np.sqrt((squares - n * mean**2) / (n - 1) / n)
    observed = stdtr(n - 1, -t[0].astype(float))
    most_negative = np.sort(np.partition(-t, N_SMALLEST, axis=1)[:, :N_SMALLEST], axis=1)
    return observed, stdtr(n - 1, most_negative.astype(float))


def pivots(p_values: np.ndarray, template: Template) -> np.ndarray:
    """Return pivotal statistics from the smallest p-values in ascending order."""
    k = min(template.k_max, p_values.shape[1])
    return template.inverse(np.arange(1, k + 1), p_values[:, :k]).min(axis=1)


def study(
    seed: int, smoothing: float, n: int, effect: tuple[int, float, float]
) -> dict[str, tuple[int, int, int]]:
    """Return the bounds of the volume and of active voxels, and how many voxels are found alone."""
    rng = np.random.default_rng(seed)
    n_spheres, radius, size = effect
    data = rng.standard_normal((n, *SHAPE), dtype=np.float32)
    if smoothing:
        data = gaussian_filter(data, (0, *[smoothing] * 3), mode="wrap")
    data = data.reshape(n, -1) / data.std()
    active = active_voxels(rng, n_spheres, radius)
    data[:, active] += size / np.sqrt(n)
    observed, smallest = smallest_p_values(data, rng)
    chosen = active & (observed < norm.sf(3.09))
    statistics = {name: pivots(smallest, template) for name, template in SINGLE.items()}

    def bounds(thresholds: np.ndarray) -> tuple[int, int, int]:
        vector = CriticalVector(np.maximum(thresholds, 0))
        n_alone = int((observed <= thresholds[0]).sum())
        found = vector.true_discoveries
        return found(observed), found(observed[chosen]), n_alone

    found = {}
    for name, template in SINGLE.items():
        found[name] = bounds(template.critical_thresholds(lambda_at(statistics[name], ALPHA)))
    for name, others in TOGETHER.items():
        joint = JOINT[name]
        # The pivotal statistic of the joint template is the smallest of those of its templates.
        pairs = zip(others, joint._scales, strict=True)
        scaled = [scale.common(statistics[one]) for one, scale in pairs]
        lambda_ = lambda_at(np.minimum.reduce([statistics["simes"], *scaled]), ALPHA)
        found[name] = bounds(joint.critical_thresholds(lambda_))
    for name, parts in SPLIT.items():
        vectors = [
            SINGLE[one].critical_thresholds(lambda_at(statistics[one], ALPHA / len(parts)))
            for one in parts
        ]
        padded = [np.pad(one, (0, M - one.size), mode="edge") for one in vectors]
        found[name] = bounds(np.maximum.reduce(padded))
    return found


JOINT = {
    name: JointTemplate([SINGLE["simes"], *(SINGLE[one] for one in others)], list(others.values()))
    for name, others in TOGETHER.items()
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--studies", type=int, default=20)
    add_page_argument(parser)
    given = parser.parse_args()
    ratios: dict[str, list[list[float]]] = defaultdict(list)
    for smoothing, n, (_, effect) in product(SMOOTHING, N_SUBJECTS, EFFECTS.items()):
        of_studies: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
        for seed in range(given.studies):
            for name, bounds in study(seed, smoothing, n, effect).items():
                of_studies[name].append(bounds)
        medians = {name: np.median(bounds, axis=0) for name, bounds in of_studies.items()}
        alone = np.maximum(medians["simes"], 1)
        for name, median in medians.items():
            ratios[name].append([*(np.maximum(median, 1) / alone)])
        print(smoothing, n, effect, alone, flush=True)
        for name, values in ratios.items():
            print(f"    {name:40s} {np.round(values[-1], 2)}", flush=True)
    rows = []
    for name, values in ratios.items():
        each = np.array(values).T
        rows.append(
            [name]
            + [f"{np.exp(np.log(one).mean()):.2f}" for one in each]
            + [f"{one.min():.2f}" for one in each]
        )
    header = ["templates"]
    for what in ("mean", "least"):
        header += [f"{of}, {what}" for of in ("whole volume", "active voxels", "voxels alone")]
    n_settings = len(SMOOTHING) * len(N_SUBJECTS) * len(EFFECTS)
    text = (
        f"Bounds divided by the bounds of Simes alone, from {given.studies} studies of {M:,} "
        f"voxels in each of {n_settings} settings (smoothness, subjects, effect), "
        f"{N_PERMUTATIONS} sign flips. Geometric mean and smallest over settings.\n\n"
    )
    publish("joint_templates", text + table(header, rows), given.page)


if __name__ == "__main__":
    main()
