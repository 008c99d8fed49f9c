"""Check cluster-forming thresholds and TDPs."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal

import numpy as np

from ari_estimator._blocks import blocks
from ari_estimator._unused_options import refuse_unused
from ari_estimator.closed_testing import SimultaneousBounds
from ari_estimator.inference._map_family import MapFamily
from ari_estimator.inference._statistic import Statistic
from ari_estimator.inference._tdp_forest import check_tdp

Threshold = float | Iterable[float] | Literal["concentration"] | None

ThresholdScale = Literal["stat", "p"]

# One-tailed, like nilearn's default cluster-forming threshold: 3.09 on the z scale.
DEFAULT_P = 0.001

# On the map, thresholds between 0 and this value are hardly ever meant.
_MEANT_AS_P = 0.1


@dataclass(frozen=True)
class Thresholds:
    """Cluster-forming thresholds, from the most lenient to the strictest.

    Attributes
    ----------
    values : tuple of float, or None
        The thresholds; None for the concentration threshold.

    scale : {"stat", "p"}
        Scale of the thresholds: values of the statistic, or p-values.
    """

    values: tuple[float, ...] | None
    scale: ThresholdScale

    def select(
        self, family: MapFamily, bounds: SimultaneousBounds
    ) -> list[tuple[float, np.ndarray]]:
        """Return each threshold on the scale of the statistic, and the elements beyond it."""
        statistic = family.statistic
        if self.values is None:
            counts = bounds.contributing()
            if not counts.any():
                return [(np.nan, counts)]
            # All elements that are at least as strong as the weakest element that can add to a
            # bound.
            weakest = float(statistic.p_values(family.stat[counts]).max())
            p_values = family.p_values_up_to(weakest)
            selected = p_values <= p_values[counts].max()
            # Elements at the concentration threshold are included, so the threshold is just below
            # it.
            height = np.nextafter(family.evidence[selected].min(), -np.inf)
            return [(statistic.threshold_of_evidence(float(height)), selected)]
        if self.scale == "p":
            return [(statistic.at_p(p), family.p_values_up_to(p) < p) for p in self.values]
        passing = [(t, np.empty(family.n_tested, dtype=bool)) for t in self.values]
        for block in blocks(family.n_tested):
            evidence = statistic.evidence(family.stat[block])
            for t, selected in passing:
                selected[block] = evidence > statistic.evidence_of_threshold(t)
        return passing


def check_threshold(
    threshold: Threshold, scale: ThresholdScale, statistic: Statistic
) -> Thresholds:
    """Return thresholds in order, without duplicates.

    Parameters
    ----------
    threshold : float, iterable of float, "concentration" or None
        Cluster-forming thresholds.

    scale : {"stat", "p"}
        Scale of the thresholds.

    statistic : Statistic
        The statistic of the map.

    Returns
    -------
    thresholds : Thresholds
        The thresholds in order.

    Raises
    ------
    TypeError
        If the threshold has another type.
    ValueError
        If there is no threshold, or a threshold is out of range.

    Warns
    -----
    UserWarning
        If a threshold in units of the map looks like a p-value.
    """
    is_concentration = isinstance(threshold, str) and threshold == "concentration"
    if scale != "stat" and (threshold is None or is_concentration):
        refuse_unused(
            f"with threshold={threshold!r}, which is not a number",
            {"threshold_scale": (scale, "stat")},
        )
    if threshold is None:
        return Thresholds((DEFAULT_P * (2 if statistic.two_sided else 1),), "p")
    if is_concentration:
        return Thresholds(None, scale)
    values = numbers_in(threshold, "'threshold'", ', or "concentration"')
    if not all(isinstance(value, Real) and not isinstance(value, bool) for value in values):
        raise TypeError(f"'threshold' must hold numbers. Got {threshold!r}.")
    try:
        values = tuple({float(value) for value in values})
    except OverflowError as error:
        raise ValueError(f"'threshold' must hold numbers of a usual size: {error}.") from error
    if scale == "p":
        if not all(0 < value <= 1 for value in values):
            raise ValueError(
                "'threshold' must lie in (0, 1] with threshold_scale='p'. "
                f"Got: 'threshold={threshold}'."
            )
        return Thresholds(tuple(sorted(values, reverse=True)), scale)
    statistic.check_thresholds(values, threshold)
    if not statistic.zero_is_strongest and any(0 < value < _MEANT_AS_P for value in values):
        low = min(value for value in values if value > 0)
        warnings.warn(
            f"'threshold' is in units of the map, so {low:g} is read as a {statistic.name} value. "
            "If it is a p-value, set threshold_scale='p'.",
            UserWarning,
            stacklevel=2,
        )
    return Thresholds(tuple(sorted(values, key=statistic.evidence_of_threshold)), scale)


def check_tdp_threshold(tdp_threshold: Any) -> tuple[float, ...] | None:
    """Return TDPs in ascending order, without duplicates; None for None.

    Parameters
    ----------
    tdp_threshold : float, iterable of float, or None
        The TDPs.

    Returns
    -------
    tdps : tuple of float, or None
        The TDPs in ascending order.

    Raises
    ------
    TypeError
        If it has another type.
    ValueError
        If there is no TDP, or one is not in [0, 1].
    """
    if tdp_threshold is None:
        return None
    values = numbers_in(tdp_threshold, "tdp_threshold", " in [0, 1], or None")
    return tuple(sorted({check_tdp(value, "tdp_threshold") for value in values}))


def numbers_in(given: Any, name: str, or_else: str) -> tuple[Any, ...]:
    """Return the items of an argument that must be a number or a non-empty sequence of numbers.

    Parameters
    ----------
    given : object
        The argument as given by the user.

    name : str
        The parameter, for messages.

    or_else : str
        Other allowed values, for messages.

    Returns
    -------
    items : tuple
        The items. The caller must check that they are numbers.
    """
    values = given.tolist() if isinstance(given, np.ndarray) else given
    if isinstance(values, Real):
        values = (values,)
    # Iterators are refused, because parameters are read more than once.
    if isinstance(values, (str, bytes, Iterator, Mapping)) or not isinstance(values, Iterable):
        raise TypeError(
            f"{name} must be a number, or a sequence of numbers{or_else}. Got {given!r}."
        )
    values = tuple(values)
    if not values:
        raise ValueError(f"{name} must hold at least one number. Got none.")
    return values
