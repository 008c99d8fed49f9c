"""What the COBIDAS guidelines ask authors to report, as a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ari_estimator._version import __version__
from ari_estimator.closed_testing._rounding import confidence
from ari_estimator.closed_testing._two_sided import DIRECTIONAL
from ari_estimator.inference._group_model import GroupModel
from ari_estimator.reporting._assumptions import assumption_of

_NOT_RECORDED = "not recorded here: the analysis started from a statistical map"

_SIDES = {
    "positive": "one-sided, positive effects",
    "both": "two-sided",
    "unsigned": "no direction",
}


def checklist(
    description: dict[str, Any], mask: str, group: GroupModel | None
) -> list[tuple[str, str]]:
    """Return what to report on the statistical model and its inference, item by item.

    Parameters
    ----------
    description : dict
        The result of :meth:`FittedMap.describe`.

    mask : str
        The mask in words.

    group : GroupModel or None
        The group model, if the map comes from one.

    Returns
    -------
    items : list of (str, str)
        Names of items and what to report. Items that are not known say so.
    """
    statistic, family = description["statistic"], description["family"]
    test, sets = description["test"], description["sets"]
    elements = family["elements"]
    df = ", ".join(f"{value:g}" if isinstance(value, float) else value for value in statistic["df"])
    items = [
        ("Subjects", _NOT_RECORDED if group is None else f"{len(group.design)} maps"),
        (
            "Model",
            _NOT_RECORDED
            if group is None
            else f"mass-univariate linear model with {group.columns_in_words}",
        ),
    ]
    if group is not None:
        items += [
            ("Variance", group.variance_groups or "one common variance"),
            ("Smoothing of maps", group.smoothing or "none in this model"),
        ]
        if group.missing is not None:
            items.append(("Missing values of subjects", group.missing))
    contrast = description["contrast"] or _NOT_RECORDED
    if group is not None and group.weights is not None:
        contrast += f" (weights {group.weights_in_words})"
    items += [
        ("Contrast", contrast),
        (
            "Statistic",
            f"{statistic['name']}{f' with {df} degrees of freedom' if df else ''}, "
            f"{_sides_in_words(statistic)}",
        ),
        ("Search region", f"{family['n_tested']:,} {elements} of {mask}"),
        ("Inference", f"lower bounds on the TDP of {sets['kind']}. {sets['sentence']}"),
        (
            "Multiple testing",
            f"all bounds of all sets hold at once, with probability at least "
            f"{confidence(family['alpha'], percent=True)} (alpha = {family['alpha']:g})",
        ),
        ("Test", test["name"]),
    ]
    items += _resampling(test["values"], group)
    items += [
        ("Assumption", assumption_of(test, elements)),
        ("Software", f"ari_estimator {__version__}"),
    ]
    return items


def _resampling(values: dict[str, Any], group: GroupModel | None) -> list[tuple[str, str]]:
    # The error level may be split between several kinds of bounds.
    bounds = values.get("Bounds", {"": values})
    if not all(own.get("NumberOfPermutations") for own in bounds.values()):
        return []
    return [
        *_of_bounds("Resampling", "Scheme", values, bounds, lambda one: one or "not recorded"),
        ("Exchangeability blocks", (group.blocks if group else None) or "see Resampling"),
        *_of_bounds(
            "Permutations", "NumberOfPermutations", values, bounds,
            lambda one: f"{one:,}, including the data as observed",
        ),
        *_of_bounds(
            "Seed", "Seed", values, bounds, lambda one: "none was set" if one is None else str(one)
        ),
        *(item for name, own in bounds.items() for item in _calibrated(own, name)),
    ]  # fmt: skip


def _of_bounds(
    called: str,
    key: str,
    values: dict[str, Any],
    bounds: dict[str, dict[str, Any]],
    in_words: Callable[[Any], str],
) -> list[tuple[str, str]]:
    """Return a value that all kinds of bounds share, or else the value of each."""
    if key in values:
        return [(called, in_words(values[key]))]
    return [(f"{called} of bounds by {name}", in_words(own[key])) for name, own in bounds.items()]


def _calibrated(values: dict[str, Any], name: str) -> list[tuple[str, str]]:
    """Return what was calibrated: a template, or the size of clusters."""
    items = [] if not name else [(f"Error level of bounds by {name}", f"{values['Alpha']:.4g}")]
    if "SmallestSignificantExtent" in values:
        ends = values["SmallestSignificantExtentInterval"]
        size = f"{values['SmallestSignificantExtent']:,}, "
        size += "exact" if ends is None else f"95 % Monte Carlo interval {ends[0]:,} to {ends[1]:,}"
        return [
            *items,
            ("Height threshold of clusters", f"p < {values['HeightThreshold']:g}"),
            ("Smallest significant size", size),
        ]
    by_sign = values.get("BySign", {"": {}})
    return [
        *items,
        ("Template", _templates_in_words(values)),
        *(
            (f"Lambda{f', {sign} effects' if sign else ''}", _lambda_in_words(values | of_sign))
            for sign, of_sign in by_sign.items()
        ),
    ]


def _templates_in_words(values: dict[str, Any]) -> str:
    if "Levels" not in values:
        return f"{values['Template']}, delta = {values['Delta']}, k_max = {values['KMax']:,}"
    names = ("Template", "Delta", "KMax", "Levels")
    return "; ".join(
        f"{template}, delta = {delta}, k_max = {k_max:,}, at level {level:.4g}"
        for template, delta, k_max, level in zip(*(values[one] for one in names), strict=True)
    )


def _lambda_in_words(values: dict[str, Any]) -> str:
    lambdas, intervals = values["Lambda"], values["LambdaInterval"]
    if "Levels" not in values:
        lambdas, intervals = [lambdas], [intervals]
    each = [
        f"{lambda_:.4g}, exact"
        if low == high
        else f"{lambda_:.4g}, 95 % Monte Carlo interval {low:.4g} to {high:.4g}"
        for lambda_, (low, high) in zip(lambdas, intervals, strict=True)
    ]
    n_steps = values["NumberOfSteps"]
    return f"{'; '.join(each)}, {n_steps} {'step' if n_steps == 1 else 'steps'}"


def _sides_in_words(statistic: dict[str, Any]) -> str:
    if statistic["two_sided"] == DIRECTIONAL:
        return "one-sided for each sign, at half of alpha each"
    return _SIDES[statistic["direction"]]
