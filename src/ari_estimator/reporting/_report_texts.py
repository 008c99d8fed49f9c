"""The texts of a report that explain its numbers."""

from __future__ import annotations

from ari_estimator.closed_testing._rounding import confidence, proportion_text
from ari_estimator.estimators import PermutationCalibration
from ari_estimator.inference import FittedMap


def tdp_reading(fitted_map: FittedMap) -> str:
    """Explain in a few sentences how to read the TDPs of a map.

    Parameters
    ----------
    fitted_map : FittedMap
        The map. Its set with the most true discoveries is the example.

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
        verb = "is" if row["true_discoveries"] == 1 else "are"
        example = (
            f"For example, at least {row['true_discoveries']:,} of the "
            f"{row[f'n_{elements}']:,} {elements} of {name} {verb} truly active, which is a TDP of "
            f"{proportion_text(row['tdp'])}."
        )
    else:
        what = "region" if is_region else "cluster"
        here = f"the TDP of every {what} is 0" if len(table) else f"there is no {what}"
        example = (
            f"A TDP of 0.6 would mean that at least 60 % of the {elements} of a {what} are truly "
            f"active. Here {here}. This does not mean that nothing is active."
        )
    return (
        "The true discovery proportion (TDP) of a set is a lower bound on the proportion of its "
        f"{elements} that are active. {example} With probability at least "
        f"{confidence(fitted_map.alpha, percent=True)} (alpha = {fitted_map.alpha:g}), the bounds "
        f"of all sets of the {fitted_map.n_tested:,} {elements} tested hold at once. You may "
        "therefore choose thresholds and sets after looking at the results."
    )


def calibration_reading(calibration: PermutationCalibration) -> str:
    """Explain in a few sentences how to read the result of a calibration.

    Parameters
    ----------
    calibration : PermutationCalibration
        The fitted calibration.

    Returns
    -------
    text : str
        Plain text.
    """
    alpha = calibration.calibration_.alpha
    return (
        "Permutations of the subjects show how small the smallest p-values get if nothing is "
        "active. The thresholds of the critical vector are as large as these permutations allow. "
        f"With probability at least {confidence(alpha, percent=True)} (alpha = {alpha:g}), its "
        "bounds on the true discovery proportions of all sets of the "
        f"{calibration.p_values_.size:,} elements tested hold at once."
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
        Names and numbers.
    """
    elements = fitted_map.frame.space.element_name[1]
    bound, ends = fitted_map.true_discoveries, fitted_map.true_discoveries_interval
    by_seed = [] if ends is None else [("By seed, about", f"{ends[0]:,} to {ends[1]:,}")]
    return [
        (f"{elements.capitalize()} tested", f"{fitted_map.n_tested:,}"),
        (
            "Active, at least",
            f"{bound:,} ({proportion_text(bound / fitted_map.n_tested, percent=True)})",
        ),
        *by_seed,
        *(
            (f"{sign.capitalize()} effects, at least", f"{found:,}")
            for sign, found in (fitted_map.true_discoveries_by_sign or {}).items()
        ),
        (fitted_map.made_by.called.capitalize(), f"{fitted_map.n_sets:,}"),
        ("alpha", f"{fitted_map.alpha:g}"),
    ]
