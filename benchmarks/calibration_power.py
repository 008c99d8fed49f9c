"""TDP of the clusters of a study: ``python benchmarks/calibration_power.py FOLDER``.

The folder holds one contrast image per subject, in the order of the rows of ``participants.tsv``.
``--covariate`` names the column to regress on.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from nilearn.maskers import NiftiMasker

from ari_estimator import (
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
    learn_template,
)
from ari_estimator.closed_testing import make_template

VARIANTS = {
    "Simes, parametric": None,
    "Simes": {},
    "Simes, step-down": {"step_down": True},
    "Simes, delta 27": {"delta": 27},
    "AORC": {"template": "aorc"},
    "beta": {"template": "beta"},
    "higher criticism": {"template": "higher_criticism"},
    "power": {"template": "power"},
    "Simes, 1000 thresholds": {"k_max": 1000},
    "AORC, all thresholds": {"template": "aorc", "k_max": None},
    "beta, all thresholds": {"template": "beta", "k_max": None},
    "beta, step-down": {"template": "beta", "step_down": True},
}


def table(
    images: list[str],
    design: pd.DataFrame,
    contrast: str,
    threshold: float,
    variants: dict[str, dict | None],
) -> pd.DataFrame:
    """Return the TDP of the largest clusters for each way to calibrate."""
    columns = {}
    for name, params in variants.items():
        calibration = None
        if params is not None:
            calibration = PermutationCalibration(random_state=0, **params)
        model = ARISecondLevelModel(
            transformer=ClusterTDPTransformer(threshold, cluster_threshold=20),
            calibration=calibration,
        ).fit(images, design_matrix=design)
        model.compute_contrast(contrast, output_type="tdp")
        clusters = model.table_.iloc[:-1].sort_values("n_voxels", ascending=False).head(8)
        if "voxels" not in columns:
            columns["voxels"] = clusters["n_voxels"].to_numpy()
        columns[name] = [*clusters["tdp"]]
        columns[name].append(model.true_discoveries_)
    columns["voxels"] = [*columns["voxels"], model.n_tested_]
    shown = pd.DataFrame(columns)
    shown.index = [*range(1, len(shown)), "whole brain, discoveries"]
    return shown.T


def print_most_to_gain(data: np.ndarray) -> None:
    """Print the most that any refinement of a calibration with the Simes template can gain.

    A refinement knows more about the true nulls than the bounds say. Here, all discovered voxels
    are excluded, as if they were known to be active.
    """
    fitted = PermutationCalibration(random_state=0).fit(data)
    n_discovered = fitted.critical_vector_.true_discoveries(fitted.p_values_)
    order = np.argsort(fitted.p_values_)
    rest = PermutationCalibration(random_state=0).fit(data[:, np.sort(order[n_discovered:])])
    # The thresholds of the rest, k lambda / (number of the rest), for all.
    n = order.size
    lambda_ = rest.lambda_ * n / (n - n_discovered)
    k = np.arange(1, n + 1)
    counts = np.searchsorted(fitted.p_values_[order], k * lambda_ / n, side="right")
    print(
        f"\nWithout all {n_discovered} discoveries: lambda {lambda_ / fitted.lambda_ - 1:+.0%}, "
        f"and with it {(1 - k + counts).max()} discoveries"
    )


def print_together(data: np.ndarray, z: np.ndarray, labels: np.ndarray, n_seeds: int) -> None:
    """Print medians over seeds for templates together, and their processor times."""
    m = z.size
    shifted = {delta: make_template("simes", m, delta=delta) for delta in (9, 27)}
    halves = {"level_weights": [0.5, 0.5]}
    variants = {
        "Simes": {},
        "Simes, delta 9": {"delta": 9},
        "Simes, delta 27": {"delta": 27},
        "beta": {"template": "beta"},
        "joint": {"template": "joint"},
        "Simes and delta 27, one scale": {"template": ["simes", shifted[27]]},
        "Simes and beta, one scale": {"template": ["simes", "beta"]},
        "Simes and delta 9, alpha / 2 each": {"template": ["simes", shifted[9]], **halves},
        "Simes and delta 27, alpha / 2 each": {"template": ["simes", shifted[27]], **halves},
        "Simes and beta, alpha / 2 each": {"template": ["simes", "beta"], **halves},
    }
    large = [i for i, n in enumerate(np.bincount(labels)) if i > 0 and n >= 100]
    sets = {f"cluster of {(labels == i).sum()}": labels == i for i in large}
    sets |= {"whole brain": np.ones(m, dtype=bool), "z > 5": z > 5}
    rows = {}
    for name, params in variants.items():
        found, seconds = [], []
        for seed in range(n_seeds):
            start = time.process_time()
            fitted = PermutationCalibration(random_state=seed, verbose=0, **params).fit(data)
            seconds.append(time.process_time() - start)
            bound, p_values = fitted.critical_vector_.true_discoveries, fitted.p_values_
            found.append([bound(p_values[one]) for one in sets.values()])
        rows[name] = [*np.median(found, axis=0), np.median(seconds)]
    print(f"\nTrue discoveries of templates together, medians over {n_seeds} seeds")
    print(pd.DataFrame(rows, [*sets, "seconds"]).T.to_string())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--covariate", default="reappraisal_success")
    parser.add_argument("--threshold", type=float, default=3.09)
    parser.add_argument("--seeds", type=int, default=10, help="for templates together")
    given = parser.parse_args()
    images = sorted(str(path) for path in given.folder.glob("*.nii.gz"))
    participants = pd.read_csv(given.folder / "participants.tsv", sep="\t")
    mean = pd.DataFrame({"mean": np.ones(len(images))})
    with pd.option_context("display.width", 160, "display.precision", 2):
        print(f"Mean of {len(images)} subjects, z > {given.threshold}")
        print(table(images, mean, "mean", given.threshold, VARIANTS).to_string())

        model = ARISecondLevelModel().fit(images, design_matrix=mean)
        masker = NiftiMasker(model.masker_.mask_img_, standardize=None).fit()
        data = masker.transform(images)
        print_most_to_gain(data)
        model = ARISecondLevelModel(transformer=ClusterTDPTransformer(given.threshold))
        model.fit(images, design_matrix=mean).compute_contrast("mean", output_type="tdp")
        labels = masker.transform(model.labels_img_)
        z = masker.transform(model.compute_contrast("mean", output_type="z_score"))
        print_together(data, np.ravel(z), np.ravel(labels).astype(int), given.seeds)

        # A template is learned from other subjects than those that are studied.
        n_learned = len(images) // 3
        masker = NiftiMasker(standardize=None).fit(images)
        model = ARISecondLevelModel().fit(images[n_learned:], design_matrix=mean[n_learned:])
        masker = NiftiMasker(model.masker_.mask_img_, standardize=None).fit()
        template = learn_template(masker.transform(images[:n_learned]), random_state=1)
        print(f"\nMean of {len(images) - n_learned} subjects; template learned from {n_learned}")
        variants = {name: VARIANTS[name] for name in ("Simes, parametric", "Simes", "beta")}
        variants |= {
            "learned": {"template": template},
            "learned, step-down": {"template": template, "step_down": True},
        }
        print(
            table(
                images[n_learned:], mean[n_learned:], "mean", given.threshold, variants
            ).to_string()
        )

        covariate = participants[given.covariate] - participants[given.covariate].mean()
        regression = pd.DataFrame({given.covariate: covariate, "mean": 1.0})
        print(f"\nRegression on {given.covariate}, z > {given.threshold}")
        variants = {name: VARIANTS[name] for name in ("Simes, parametric", "Simes", "beta")}
        variants["Simes, bootstrap"] = {"scheme": "bootstrap"}
        print(table(images, regression, given.covariate, given.threshold, variants).to_string())


if __name__ == "__main__":
    main()
