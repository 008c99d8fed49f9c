"""What ``ari group`` says about a calibration."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def calibration_facts(model: Any) -> dict[str, Any]:
    """Return the numbers of the calibration of a model, for JSON.

    Parameters
    ----------
    model : ARISecondLevelModel
        The model after a contrast with a calibration.

    Returns
    -------
    facts : dict
        Lambda or the critical extent, or both, with their intervals; and how subjects were
        resampled.
    """
    facts: dict[str, Any] = {}
    parts = model.calibration_._parts
    for fitted in parts.values():
        if hasattr(fitted, "critical_extent_"):
            facts["critical_extent"] = fitted.critical_extent_
            facts["critical_extent_interval"] = list(fitted.critical_extent_interval_)
            facts["height_threshold"] = fitted.height_threshold
            continue
        each = _calibrations_of(fitted)
        lambdas = {sign: _alone([one.lambda_ for one in own]) for sign, own in each.items()}
        intervals = {
            sign: _alone([list(one.lambda_interval()) for one in own]) for sign, own in each.items()
        }
        facts["lambda"] = lambdas.get("", lambdas)
        facts["lambda_interval"] = intervals.get("", intervals)
    facts["true_discoveries_interval"] = model.maps_.true_discoveries_interval
    first = next(iter(parts.values()))
    facts["n_permutations"] = first.n_permutations_
    facts["scheme"] = first.scheme_
    facts["statistic"] = first.stat_type_
    facts["seed"] = first.seed_
    if len(parts) > 1:
        facts["levels"] = {name: one.alpha_ for name, one in parts.items()}
        # The bounds of all voxels, by each of them.
        bounds = model.maps_.bounds.parts
        facts["true_discoveries_by"] = {name: one.of_set() for name, one in bounds.items()}
    return facts


def are_drawn(transformers: Iterable[Any]) -> bool:
    """Return whether some tests took a part of the permutations, by a seed.

    Parameters
    ----------
    transformers : iterable of transformer
        The fitted transformers of the contrasts of a model.

    Returns
    -------
    are_drawn : bool
        False if each took all that there are, or there are no permutations.
    """
    values = [transformer.maps_.describe()["test"]["values"] for transformer in transformers]
    # The error level may be split between several kinds of bounds.
    parts = [part for one in values for part in one.get("Bounds", {"": one}).values()]
    return any(part.get("Seed") is not None for part in parts)


def calibration_lines(model: Any) -> list[str]:
    """Return lines on the calibration of a model, for a terminal.

    Parameters
    ----------
    model : ARISecondLevelModel
        The model after a contrast with a calibration.

    Returns
    -------
    lines : list of str
        The lines.
    """
    parts = model.calibration_._parts
    first = next(iter(parts.values()))
    taken = f"{first.n_permutations_:,} permutations"
    drawn = "all that there are" if first.seed_ is None else f"seed {first.seed_}"
    lines = [f"{taken} · {first.scheme_} · {first.stat_type_} statistics · {drawn}"]
    ends = model.maps_.true_discoveries_interval
    said = []
    for fitted in parts.values():
        level = f" at level {fitted.alpha_:.3g}" if len(parts) > 1 else ""
        if hasattr(fitted, "critical_extent_"):
            low, high = fitted.critical_extent_interval_
            between = f" · 95 % Monte Carlo interval {low:,} to {high:,}" if ends else ""
            said.append(
                f"clusters at p < {fitted.height_threshold:g} are significant from a size of "
                f"{fitted.critical_extent_:,}{level}{between}"
            )
        elif ends is not None:
            each = _calibrations_of(fitted)
            said += [
                _lambda_in_words(sign, one, len(own), level)
                for sign, own in each.items()
                for one in own
            ]
    if ends is None:
        return lines + said
    its = "its" if len(said) == 1 else "their"
    return [
        *lines,
        f"{' · '.join(said)} · at {its} ends at least {ends[0]:,} and {ends[1]:,} active",
    ]


def _calibrations_of(fitted: Any) -> dict[str, Any]:
    """Return the calibrated templates of each sign, or of "" for both."""
    sides = fitted.sides_ or {"": fitted}
    return {sign: one.calibration_.parts for sign, one in sides.items()}


def _alone(values: list[Any]) -> Any:
    """Return the only value, or all of several templates."""
    return values[0] if len(values) == 1 else values


def _lambda_in_words(sign: str, calibration: Any, n_templates: int, level: str) -> str:
    """Return lambda of a sign and a template, with its Monte Carlo interval."""
    of = f" of {sign} effects" if sign else ""
    if n_templates > 1:
        of += f" of {calibration.template.in_words} at level {calibration.alpha:.3g}"
    low, high = calibration.lambda_interval()
    return (
        f"lambda{of or level} {calibration.lambda_:.3g} · 95 % Monte Carlo interval {low:.3g} to "
        f"{high:.3g}"
    )
