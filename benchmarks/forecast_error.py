"""Bias of the TDP expected from a pilot: ``python benchmarks/forecast_error.py --page PAGE``.

The simulation takes some minutes. ``python benchmarks`` does not run it. A pilot of known truth is
drawn, and ``expected_tdp`` forecasts the bounds of its clusters in a larger study, with and without
shrinkage. Studies are drawn from the truth, the same for all pilots, and the bounds of the clusters
of each pilot are computed in them.
"""

from __future__ import annotations

import argparse
import warnings
from typing import NamedTuple

import numpy as np
from _ball_study import SIDE, distances, fitted, mask_img, study
from _page import add_page_argument, publish, table
from scipy.special import stdtr

from ari_estimator import (
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
    expected_tdp,
)
from ari_estimator.closed_testing import CriticalVectorBounds, Hommel, SimultaneousBounds

ALPHA = 0.05
THRESHOLD = 3.1
MIN_SIZE = 20
N_SIMULATIONS = 30
N_UNSHRUNK = 5
N_LATER = 20

# With bounds by permutations, which take longer.
N_PERMUTATIONS = 200
N_CALIBRATED = 10


class Truth(NamedTuple):
    """How pilots and studies are drawn."""

    effect: float
    shape: str
    fwhm: float
    df: float
    n_pilot: int
    n_later: int


def truths() -> list[Truth]:
    """Return the rows of the table."""
    base = Truth(1.0, "peaks", 4.0, np.inf, 20, 40)
    return [
        base._replace(effect=0.0),
        base._replace(effect=0.5),
        base,
        base._replace(effect=1.5),
        base._replace(shape="balls", effect=0.8),
        base._replace(fwhm=2.0),
        base._replace(fwhm=7.0),
        base._replace(n_later=80),
        base._replace(n_pilot=10),
        base._replace(n_pilot=40),
        base._replace(df=4.0),
    ]


def effect_of(truth: Truth) -> np.ndarray:
    """Return the effect of each voxel: a strong place, a weaker one and a negative one."""
    effect = np.zeros((SIDE,) * 3)
    for centre, part in (((9, 9, 9), 1.0), ((23, 23, 21), 0.6), ((23, 9, 16), -0.6)):
        distance = distances(centre)
        shape = np.exp(-(distance**2) / 32) if truth.shape == "peaks" else distance < 6
        effect += truth.effect * part * shape
    return effect


def calibration(number: int) -> PermutationCalibration:
    """Return a calibration by sign-flipping."""
    return PermutationCalibration(n_permutations=N_PERMUTATIONS, random_state=number, verbose=0)


def bounds_of(maps: np.ndarray, *, calibrated: bool) -> SimultaneousBounds:
    """Return the bounds of a study."""
    data = maps.reshape(len(maps), -1)
    n = len(data)
    if calibrated:
        fit = calibration(0).fit(data, alpha=ALPHA)
        return CriticalVectorBounds(fit.p_values_, fit.critical_vector_)
    t = data.mean(axis=0) / data.std(axis=0, ddof=1) * np.sqrt(n)
    return Hommel(stdtr(n - 1, -t)).bounds(ALPHA)


def tdps_of(bounds: SimultaneousBounds, labels: np.ndarray, n_labels: int) -> np.ndarray:
    """Return the TDP of sets and of all voxels in a study."""
    sizes = np.bincount(labels, minlength=n_labels)
    of_sets = bounds.by_label(labels, n_labels)[1:] / sizes[1:]
    return np.array([*of_sets, bounds.of_set() / labels.size])


class Outcome(NamedTuple):
    """What a pilot forecast, and what came: arrays with a row for each set."""

    forecast: np.ndarray
    unshrunk: np.ndarray
    quantiles: np.ndarray
    realised: np.ndarray


def generator(truth: Truth, number: int) -> np.random.Generator:
    """Return a source of random numbers for a pilot, or for the studies."""
    return np.random.default_rng([number, *np.frombuffer(repr(truth).encode(), dtype=np.uint8)])


def one_pilot(
    truth: Truth, number: int, later: list[SimultaneousBounds], *, calibrated: bool
) -> Outcome:
    """Draw a pilot, and forecast studies. The last row is all voxels."""
    transformer = ClusterTDPTransformer(THRESHOLD, alpha=ALPHA, cluster_threshold=MIN_SIZE)
    model = ARISecondLevelModel(
        mask_img=mask_img(),
        transformer=transformer,
        calibration=calibration(number) if calibrated else None,
    )
    rng = generator(truth, number)
    fitted(model, study(effect_of(truth), truth.n_pilot, truth.fwhm, rng, truth.df))
    model.compute_contrast("mean", output_type="tdp")
    labels = model.labels_img_.get_fdata().astype(int).ravel()
    asked = {"random_state": number, "verbose": 0}
    n_simulations = N_CALIBRATED if calibrated else N_SIMULATIONS
    forecast = expected_tdp(model, truth.n_later, n_simulations=n_simulations, **asked)
    unshrunk = expected_tdp(model, truth.n_later, shrink=False, n_simulations=N_UNSHRUNK, **asked)
    return Outcome(
        forecast["expected_tdp"].to_numpy(),
        unshrunk["expected_tdp"].to_numpy(),
        forecast[["tdp_10", "tdp_90"]].to_numpy(),
        np.transpose([tdps_of(bounds, labels, len(forecast)) for bounds in later]),
    )


def row(truth: Truth, n_pilots: int, *, calibrated: bool = False) -> list[str]:
    """Return a row of the table."""
    rng = generator(truth, n_pilots)
    later = [
        bounds_of(
            study(effect_of(truth), truth.n_later, truth.fwhm, rng, truth.df),
            calibrated=calibrated,
        )
        for _ in range(N_LATER)
    ]
    outcomes = [
        one_pilot(truth, number, later, calibrated=calibrated) for number in range(n_pilots)
    ]
    clusters = [Outcome(*(part[:-1] for part in one)) for one in outcomes if len(one.forecast) > 1]
    shown = [
        f"{truth.effect:g}" + (f", {truth.shape}" if truth.effect else ""),
        f"{truth.fwhm:g}",
        f"{truth.n_pilot} → {truth.n_later}"
        + (", heavy tails" if np.isfinite(truth.df) else "")
        + (", permutations" if calibrated else ""),
    ]
    if clusters:
        # Each pilot counts once, however many clusters it has.
        realised = np.array([one.realised.mean() for one in clusters])
        forecast = np.array([one.forecast.mean() for one in clusters])
        unshrunk = np.array([one.unshrunk.mean() for one in clusters])
        inside = np.mean(
            [
                np.mean(
                    (one.realised >= one.quantiles[:, :1]) & (one.realised <= one.quantiles[:, 1:])
                )
                for one in clusters
            ]
        )
        shown += [
            str(sum(len(one.forecast) for one in clusters)),
            f"{realised.mean():.2f}",
            f"{forecast.mean():.2f}",
            f"{unshrunk.mean():.2f}",
            f"{np.sqrt(np.mean((forecast - realised) ** 2)):.2f}",
            f"{inside:.2f}",
        ]
    else:
        shown += ["0", *[""] * 5]
    for value in (
        np.mean([one.realised[-1].mean() for one in outcomes]),
        np.mean([one.forecast[-1] for one in outcomes]),
        np.mean([one.unshrunk[-1] for one in outcomes]),
    ):
        shown.append(f"{1000 * value:.1f}")
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pilots", type=int, default=24)
    add_page_argument(parser)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    header = [
        "largest effect",
        "FWHM",
        "subjects: pilot → study",
        "clusters",
        "realised TDP",
        "forecast",
        "without shrinkage",
        "RMSE of the forecast",
        "inside 10 to 90 %",
        "all voxels, ‰: realised",
        "forecast",
        "without shrinkage",
    ]
    text = (
        f"{given.pilots} pilots in each row, {SIDE**3:,} voxels, clusters of at least {MIN_SIZE} "
        f"voxels at z > {THRESHOLD} of the pilot, alpha = {ALPHA}, Simes test; in the last row "
        f"{N_PERMUTATIONS} sign flips. Forecasts come from "
        f"{N_SIMULATIONS} simulated studies ({N_CALIBRATED} with sign flips, {N_UNSHRUNK} without "
        f"shrinkage), realised TDPs from "
        f"{N_LATER} studies of the truth. "
        "FWHM is in voxels.\n\n"
    )
    rows = []
    for truth in truths():
        rows.append(row(truth, given.pilots))
        print(rows[-1], flush=True)
    rows.append(row(truths()[2], given.pilots, calibrated=True))
    publish("forecast_error", text + table(header, rows), given.page)


if __name__ == "__main__":
    main()
