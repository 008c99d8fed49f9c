"""Calibration, compared with a matrix product and a sort, and with sanssouci if installed."""

from __future__ import annotations

import warnings

import numpy as np
from _maps import brain_mask, z_map
from _measure import peak_memory, report, side_by_side
from threadpoolctl import threadpool_limits

from ari_estimator import PermutationCalibration, learn_template

N_SUBJECTS = 30
N_LEARNED = 200

WHAT = f"1,000 sign flips of {N_SUBJECTS} subjects, 2 mm brain, from data to lambda"


def subjects(smoothing: float) -> np.ndarray:
    """Return the maps of subjects in the mask, of shape (n_subjects, n_voxels), in float32."""
    mask = brain_mask().get_fdata() > 0
    return np.stack(
        [z_map(smoothing, seed).get_fdata()[mask] for seed in range(N_SUBJECTS)]
    ).astype(np.float32)


def floor(data: np.ndarray, n_permutations: int) -> None:
    """Multiply signs and data, and sort the statistics of each permutation, in chunks."""
    rng = np.random.default_rng(0)
    signs = rng.choice(np.array([-1, 1], np.float32), (n_permutations, len(data)))
    with threadpool_limits(1, user_api="blas"):
        for start in range(0, n_permutations, 25):
            np.sort(signs[start : start + 25] @ data, axis=1)


def calibrate(data: np.ndarray, n_permutations: int = 1000, **params: object) -> float:
    calibration = PermutationCalibration(n_permutations=n_permutations, random_state=0, **params)
    return calibration.fit(data).lambda_


def learned(data: np.ndarray) -> float:
    """Learn a template on a half of the subjects, and calibrate it on the other."""
    template = learn_template(data[:15], n_permutations=N_LEARNED, random_state=0)
    return calibrate(data[15:], N_LEARNED, template=template)


def main() -> None:
    for smoothing, two_sided in ((0.0, False), (2.0, False), (2.0, True)):
        data = subjects(smoothing)
        kind = f"{'smooth' if smoothing else 'independent'}, {1 + two_sided}-sided"
        print(f"1,000 sign flips of {N_SUBJECTS} x {data.shape[1]:,} voxels, {kind}")

        def ours(data=data, two_sided=two_sided):
            calibration = PermutationCalibration(random_state=0)
            return calibration.fit(data, two_sided=two_sided).lambda_

        times = side_by_side({"ours": ours, "floor": lambda data=data: floor(data, 1000)}, 5)
        report(
            "Simes template, data to lambda / product and sort",
            times["ours"] / times["floor"],
            1,
            row=(WHAT, "their product with the data, one sort of each"),
        )
    report(
        "its peak memory above the data, in MB",
        peak_memory(ours) / 1e6,
        600,
        row=("its memory above the data, MB", ""),
    )
    data = subjects(2.0)
    times = side_by_side(
        {
            "1,000": lambda: calibrate(data),
            "10,000": lambda: calibrate(data, 10_000),
            "10,000, two processes": lambda: calibrate(data, 10_000, n_jobs=2),
            **{
                name: lambda name=name: calibrate(data, template=name)
                for name in ("aorc", "power", "higher_criticism", "beta")
            },
            "step-down": lambda: calibrate(data, step_down=True),
            "learned": lambda: learned(data),
        },
        3,
    )
    report(
        "10,000 / 1,000 flips",
        times["10,000"] / times["1,000"],
        10,
        row=("10,000 flips", "1,000 flips"),
    )
    report(
        "one process / two",
        times["10,000"] / times["10,000, two processes"],
        1.6,
        at_least=True,
        row=("10,000 flips, two processes", "one process"),
    )
    for name in ("aorc", "power", "higher_criticism", "beta"):
        report(
            f"{name} / simes",
            times[name] / times["1,000"],
            row=("1,000 flips, other templates, 1,000 thresholds", "Simes' template"),
        )
    report(
        "step-down / simes",
        times["step-down"] / times["1,000"],
        row=("1,000 flips, step-down", "a single step"),
    )
    beside_sanssouci(data)


def beside_sanssouci(data: np.ndarray) -> None:
    """Compare with sanssouci.python, a peer that few have installed."""
    try:
        import sanssouci
    except ImportError:
        print("  sanssouci.python is not installed")
        return
    warnings.simplefilter("ignore", UserWarning)
    print(f"sanssouci.python, {N_LEARNED} sign flips")
    p_values = sanssouci.get_permuted_p_values_one_sample(data[15:].astype(float), B=N_LEARNED)
    curves = sanssouci.get_permuted_p_values_one_sample(data[:15].astype(float), B=N_LEARNED)
    curves = np.sort(np.sort(curves, axis=1), axis=0)
    times = side_by_side(
        {
            "ours": lambda: calibrate(data),
            "ours, learned": lambda: learned(data),
            "p-values": lambda: sanssouci.get_permuted_p_values_one_sample(
                data.astype(float), B=N_LEARNED
            ),
            "pivots": lambda: sanssouci.get_pivotal_stats(p_values),
            "calibrate_jer": lambda: sanssouci.calibrate_jer(0.05, curves, p_values, 1000),
        },
        1,
    )
    # Theirs grows in proportion; a thousand at once would take 6 GB.
    theirs = (times["p-values"] + times["pivots"]) * 1000 / N_LEARNED
    report(
        "1,000 flips, Simes template: sanssouci (five times 200) / ours",
        theirs / times["ours"],
        50,
        at_least=True,
        row=(WHAT, "sanssouci.python (200 flips, five times)"),
    )
    report(
        "learned template: calibrate_jer / our training and calibration",
        times["calibrate_jer"] / times["ours, learned"],
        20,
        at_least=True,
        row=(
            f"learned template: {N_LEARNED} flips to learn, {N_LEARNED} to calibrate",
            "`calibrate_jer` of sanssouci.python alone",
        ),
    )


if __name__ == "__main__":
    main()
