"""What a report says in words: how its numbers are to be read."""

from __future__ import annotations

from ari_estimator.closed_testing._rounding import rounded_down
from ari_estimator.estimators import PermutationCalibration
from ari_estimator.inference import FittedMap


def confidence(alpha: float) -> str:
    """Return the probability that bounds hold with, as a percentage."""
    return f"{round(100 * (1 - alpha), 6):g} %"


def tdp_reading(fitted_map: FittedMap) -> str:
    """Return how a TDP of a map is read, in two sentences.

    Parameters
    ----------
    fitted_map : FittedMap
        The map; its set with most discoveries is the example.

    Returns
    -------
    text : str
        Plain text.
    """
    elements = fitted_map.frame.space.element_name[1]
    table = fitted_map.table.iloc[:-1]
    is_region = "region" in table
    found = table[table["true_discoveries"] > 0]
    if len(found):
        row = found.loc[found["true_discoveries"].idxmax()]
        name = f"region {row['region']}" if is_region else f"cluster {row['cluster_id']:.0f}"
        example = (
            f"of the {row[f'n_{elements}']:,} {elements} of {name}, at least "
            f"{row['true_discoveries']:,} are truly active, a TDP of "
            f"{rounded_down(row['tdp'], 3):.3f}"
        )
    else:
        what = "region" if is_region else "cluster"
        example = (
            f"0.6 would say that at least 60 % of the {elements} of a {what} are truly active, and "
            f"0, as that of each {what} here, says nothing"
        )
    return (
        "The true discovery proportion (TDP) of a set is a lower bound on the proportion of it "
        f"that is active: {example}. With probability at least {confidence(fitted_map.alpha)} "
        f"(alpha = {fitted_map.alpha:g}), the bounds of all sets of the {fitted_map.n_tested:,} "
        f"{elements} tested hold at once, so that thresholds and sets may be chosen after looking "
        "at the results."
    )


def calibration_reading(calibration: PermutationCalibration) -> str:
    """Return how the result of a calibration is read, in two sentences.

    Parameters
    ----------
    calibration : PermutationCalibration
        Fitted.

    Returns
    -------
    text : str
        Plain text.
    """
    alpha = calibration.calibration_.alpha
    return (
        "Permutations of the subjects show how small the smallest p-values are where nothing is "
        "active, and the thresholds of the critical vector are as large as they allow for. With "
        f"probability at least {confidence(alpha)} (alpha = {alpha:g}), the bounds that follow "
        "from it, on the true discovery proportions of all sets of the "
        f"{calibration.p_values_.size:,} elements tested, hold at once."
    )


def key_figures(fitted_map: FittedMap) -> list[tuple[str, str]]:
    """Return the most important numbers of a map.

    Parameters
    ----------
    fitted_map : FittedMap
        The map.

    Returns
    -------
    figures : list of (str, str)
        What they are, and the numbers.
    """
    elements = fitted_map.frame.space.element_name[1]
    bound = fitted_map.true_discoveries
    return [
        (f"{elements.capitalize()} tested", f"{fitted_map.n_tested:,}"),
        (
            "Active, at least",
            f"{bound:,} ({rounded_down(100 * bound / fitted_map.n_tested, 1):g} %)",
        ),
        (fitted_map.made_by.called.capitalize(), f"{fitted_map.n_sets:,}"),
        ("alpha", f"{fitted_map.alpha:g}"),
    ]
