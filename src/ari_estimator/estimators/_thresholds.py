"""Cluster-forming thresholds: what may be given, and what it means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal

import numpy as np

from ari_estimator.estimators._family import MapFamily
from ari_estimator.estimators._statistic import Statistic

Threshold = float | Iterable[float] | Literal["concentration"] | None

ThresholdScale = Literal["stat", "p"]

# One tail, as nilearn's default cluster-forming threshold: 3.09 on the z scale.
DEFAULT_P = 0.001


@dataclass(frozen=True)
class Thresholds:
    """Cluster-forming thresholds, from the most lenient to the strictest.

    Attributes
    ----------
    values : tuple of float, or None
        The thresholds; None for the concentration threshold.

    scale : {"stat", "p"}
        What they are: values of the statistic, or p-values.
    """

    values: tuple[float, ...] | None
    scale: ThresholdScale

    def select(self, family: MapFamily) -> list[tuple[float, np.ndarray]]:
        """Return each threshold on the scale of the statistic, and what is beyond it."""
        statistic = family.statistic
        if self.values is None:
            # Compared as p-values, where the threshold is exact. A vector without thresholds
            # is above none.
            thresholds = family.critical_vector.thresholds
            counts = family.p_values <= (thresholds[-1] if thresholds.size else -1)
            if not counts.any():
                return [(np.nan, counts)]
            # On the map, all that is as strong as the weakest that can add to a bound.
            selected = family.map_p_values <= family.map_p_values[counts].max()
            # What lies at the concentration threshold is in: the height is just below it.
            height = np.nextafter(family.evidence[selected].min(), -np.inf)
            return [(statistic.threshold_of_evidence(float(height)), selected)]
        if self.scale == "p":
            return [(statistic.at_p(p), family.map_p_values < p) for p in self.values]
        evidence = family.evidence
        return [(t, evidence > statistic.evidence_of_threshold(t)) for t in self.values]


def check_threshold(
    threshold: Threshold, scale: ThresholdScale, statistic: Statistic
) -> Thresholds:
    """Return thresholds in order, without repeats.

    Parameters
    ----------
    threshold : float, iterable of float, "concentration" or None
        Cluster-forming thresholds.

    scale : {"stat", "p"}
        What they are.

    statistic : Statistic
        What a map holds.

    Returns
    -------
    thresholds : Thresholds
        In order.

    Raises
    ------
    TypeError
        If the threshold is none of these.
    ValueError
        If there is no threshold, or one of them is out of range.
    """
    if threshold is None:
        return Thresholds((DEFAULT_P * len(statistic.directions),), "p")
    if isinstance(threshold, str) and threshold == "concentration":
        return Thresholds(None, scale)
    values: Any = threshold.tolist() if isinstance(threshold, np.ndarray) else threshold
    if isinstance(values, Real):
        values = (values,)
    # What is consumed by reading it cannot be a parameter, which is read more than once.
    if isinstance(values, (str, bytes, Iterator, Mapping)) or not isinstance(values, Iterable):
        raise TypeError(
            "'threshold' must be a number, a sequence of numbers, or \"concentration\". "
            f"Got {threshold!r}."
        )
    values = tuple(values)
    if not all(isinstance(value, Real) and not isinstance(value, bool) for value in values):
        raise TypeError(f"'threshold' must hold numbers. Got {threshold!r}.")
    if not values:
        raise ValueError("'threshold' must hold at least one number. Got none.")
    values = tuple({float(value) for value in values})
    if scale == "p":
        if not all(0 < value <= 1 for value in values):
            raise ValueError(
                "'threshold' must lie in (0, 1] with threshold_scale='p'. "
                f"Got: 'threshold={threshold}'."
            )
        return Thresholds(tuple(sorted(values, reverse=True)), scale)
    statistic.check_thresholds(values, threshold)
    return Thresholds(tuple(sorted(values, key=statistic.evidence_of_threshold)), scale)
