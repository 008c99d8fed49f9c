"""TDP to expect in a genuine study: ``python benchmarks/study_power.py FOLDER --page PAGE``.

The folder holds one contrast image per subject. Without it, nothing is measured. The first table
forecasts studies of more subjects from all subjects. The second table checks forecasts: some
subjects, drawn at random, are the pilot, and the others are the study.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from _page import add_page_argument, publish, table

from ari_estimator import ARISecondLevelModel, ClusterTDPTransformer, expected_tdp

THRESHOLD = 3.09
MIN_SIZE = 100


def fitted(images: list[str], **transformer: object) -> ARISecondLevelModel:
    """Return a model of the mean, fitted to the maps of some subjects."""
    model = ARISecondLevelModel(transformer=ClusterTDPTransformer(THRESHOLD, **transformer))
    return model.fit(images, design_matrix=pd.DataFrame({"mean": np.ones(len(images))}))


def forecast_table(images: list[str], numbers: list[int]) -> str:
    """Return the forecast for each cluster and number of subjects."""
    forecast = expected_tdp(
        fitted(images, cluster_threshold=MIN_SIZE), numbers, n_simulations=200, random_state=0
    )
    rows = []
    for name, of_set in forecast.groupby("set", sort=False):
        of_set = of_set.set_index("n_subjects")
        row = [name, f"{of_set['n_voxels'].iloc[0]:,}"]
        for n in numbers:
            mean, low, high = of_set.loc[n, ["expected_tdp", "tdp_10", "tdp_90"]]
            row.append(f"{mean:.2f} ({low:.2f} to {high:.2f})")
        rows.append(row)
    return table(["set", "voxels", *(f"{n} subjects" for n in numbers)], rows)


def check_table(images: list[str], splits: list[tuple[int, int]], n_draws: int) -> str:
    """Return forecasts from some subjects beside the results of the others, in true discoveries."""
    rows = []
    for n_pilot, n_study in splits:
        found: list[list[float]] = []
        for number in range(n_draws):
            order = np.random.default_rng([number, n_pilot]).permutation(len(images))
            pilot = [images[i] for i in order[:n_pilot]]
            study = fitted([images[i] for i in order[n_pilot : n_pilot + n_study]])
            study.compute_contrast("mean", output_type="tdp")
            model = fitted(pilot, cluster_threshold=MIN_SIZE)
            asked = {"n_simulations": 20, "random_state": number, "verbose": 0}
            shrunk, raw = (
                expected_tdp(model, n_study, shrink=shrink, **asked).iloc[-1]
                for shrink in (True, False)
            )
            size = shrunk["n_voxels"]
            found.append(
                [
                    study.true_discoveries_,
                    *(shrunk[["expected_tdp", "tdp_10", "tdp_90"]] * size),
                    raw["expected_tdp"] * size,
                ]
            )
        realised, forecast, low, high, unshrunk = np.transpose(found)
        inside = np.mean((realised >= low) & (realised <= high))
        rows.append(
            [
                f"{n_pilot} → {n_study}",
                *(f"{part.mean():,.0f}" for part in (realised, forecast, unshrunk)),
                f"{inside:.2f}",
            ]
        )
    header = ["pilot → study", "realised", "forecast", "without shrinkage", "inside 10 to 90 %"]
    return table(header, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--draws", type=int, default=20)
    add_page_argument(parser)
    given = parser.parse_args()
    images = sorted(str(path) for path in given.folder.glob("*.nii.gz"))
    if not images:
        raise SystemExit(f"{given.folder} has no images: nothing is measured.")
    warnings.simplefilter("ignore")
    n = len(images)
    text = (
        f"Forecast from {n} subjects, clusters of at least {MIN_SIZE} voxels at z > {THRESHOLD}, "
        "Simes test: the mean, and the range from 10 to 90 %.\n\n"
        f"{forecast_table(images, [n, 2 * n, 4 * n])}\n\n"
        f"Forecasts of the true discoveries in the whole brain, means of {given.draws} random "
        "splits of the subjects.\n\n"
        f"{check_table(images, [(n // 3, n - n // 3), (n // 2, n - n // 2)], given.draws)}"
    )
    publish("study_power", text, given.page)


if __name__ == "__main__":
    main()
