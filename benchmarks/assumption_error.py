"""Error of calibrated bounds where assumptions fail: ``python benchmarks/assumption_error.py``.

The simulation takes a minute or two. ``python benchmarks`` does not run it. Nothing is active, so
any discovery is an error. One-sample studies have lognormal errors, which are far from symmetric.
The other designs have few subjects and many nuisance variables; their residuals are exchangeable
only in large samples. Voxels are independent.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from _error_rate import KEY, error_rate
from _page import add_page_argument, publish, table
from scipy.stats import ttest_1samp

from ari_estimator import PermutationCalibration
from ari_estimator.closed_testing import Hommel

ALPHA = 0.05

Study = Callable[[np.random.Generator], bool]


def calibrated(data: np.ndarray, design: np.ndarray | None = None, **params: object) -> bool:
    """Tell whether anything is found by calibration, two-sided; the first variable is tested."""
    contrast = None if design is None else np.eye(design.shape[1])[0]
    fitted = PermutationCalibration(n_permutations=100, random_state=0, **params).fit(
        data, design, contrast, alpha=ALPHA, two_sided=True
    )
    return fitted.critical_vector_.true_discoveries(fitted.p_values_) > 0


def closed_testing(data: np.ndarray) -> bool:
    """Tell whether anything is found by t-tests and Simes test."""
    return Hommel(ttest_1samp(data, 0).pvalue).true_discoveries(ALPHA) > 0


def skewed(n_subjects: int, n_voxels: int) -> Callable[[np.random.Generator], np.ndarray]:
    """Return a function that draws lognormal errors of mean 0."""
    return lambda rng: np.exp(rng.standard_normal((n_subjects, n_voxels))) - np.exp(0.5)


def with_nuisance(rng: np.random.Generator, n_nuisance: int) -> tuple[np.ndarray, np.ndarray]:
    """Return normal data of 12 subjects and 200 voxels, and a number of random variables."""
    return rng.standard_normal((12, 200)), rng.standard_normal((12, n_nuisance))


def few_subjects_mean(rng: np.random.Generator) -> bool:
    data, nuisance = with_nuisance(rng, 3)
    return calibrated(data, np.column_stack([np.ones(12), nuisance]))


def few_subjects_bootstrap(rng: np.random.Generator) -> bool:
    data, variables = with_nuisance(rng, 3)
    return calibrated(data, np.column_stack([variables, np.ones(12)]), scheme="bootstrap")


def studies() -> dict[str, Study]:
    """Return functions that simulate a study and tell whether anything was found."""
    one, hundred, large = skewed(12, 1), skewed(12, 100), skewed(100, 100)
    return {
        "lognormal errors, 12 subjects, 1 voxel: sign-flipping": lambda r: calibrated(one(r)),
        "lognormal errors, 12 subjects, 100 voxels: sign-flipping": (
            lambda rng: calibrated(hundred(rng))
        ),
        "lognormal errors, 12 subjects, 100 voxels: t-tests and Simes test": (
            lambda rng: closed_testing(hundred(rng))
        ),
        "lognormal errors, 100 subjects, 100 voxels: sign-flipping": (
            lambda rng: calibrated(large(rng))
        ),
        "normal errors, 12 subjects, 200 voxels, mean with 3 nuisance variables": (
            few_subjects_mean
        ),
        "normal errors, 12 subjects, 200 voxels, covariate with 2 others, intercept: bootstrap": (
            few_subjects_bootstrap
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--studies", type=int, default=4000)
    add_page_argument(parser)
    given = parser.parse_args()
    rows = []
    for name, study in studies().items():
        rng = np.random.default_rng(0)
        n_errors = sum(study(rng) for _ in range(given.studies))
        rows.append([name, error_rate(n_errors, given.studies, ALPHA)])
    text = (
        f"{given.studies:,} studies of each kind, 100 permutations, two-sided, alpha = {ALPHA}, "
        f"fixed seed. {KEY}\n\n"
    )
    publish("assumption_error", text + table(["study", "error"], rows), given.page)


if __name__ == "__main__":
    main()
