"""Sets made by a threshold: supra-threshold clusters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal, NamedTuple

import numpy as np

from ari_estimator.estimators._family import MapFamily
from ari_estimator.graphs import VoxelGrid

Threshold = float | Iterable[float] | Literal["concentration"]


class ClusterSets(NamedTuple):
    """Disjoint clusters of one map, and the rest.

    Attributes
    ----------
    threshold : float
        Threshold that formed them, on the scale of the statistic.

    labels : ndarray of int of shape (n_tested,)
        1, 2, ... in the clusters, from the largest to the smallest; 0 elsewhere.

    directions : ndarray of int of shape (n_clusters,)
        1 for a cluster of positive, -1 of negative values.
    """

    threshold: float
    labels: np.ndarray
    directions: np.ndarray


def check_threshold(threshold: Threshold) -> tuple[float, ...] | None:
    """Return thresholds in ascending order, without repeats.

    Parameters
    ----------
    threshold : float, iterable of float, or "concentration"
        Cluster-forming thresholds.

    Returns
    -------
    thresholds : tuple of float, or None
        None stands for the concentration threshold.

    Raises
    ------
    TypeError
        If the threshold is none of these.
    ValueError
        If there is no threshold, or one of them is negative or NaN.
    """
    if isinstance(threshold, str) and threshold == "concentration":
        return None
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
    if not all(value >= 0 for value in values):
        raise ValueError(
            "'threshold' cannot be negative or contain negative values, or NaN. "
            f"Got: 'threshold={threshold}'."
        )
    return tuple(sorted({float(value) for value in values}))


@dataclass(frozen=True)
class SupraThresholdClusters:
    """Makes the sets of a map: its connected supra-threshold voxels.

    Attributes
    ----------
    thresholds : tuple of float, or None
        Thresholds in ascending order; None for the concentration threshold.

    connectivity : {6, 18, 26}
        Which voxels are neighbours.

    min_size : int
        Smallest number of voxels of a cluster.
    """

    thresholds: tuple[float, ...] | None
    connectivity: Literal[6, 18, 26]
    min_size: int

    def __call__(self, family: MapFamily) -> list[ClusterSets]:
        """Return the clusters at each threshold, in ascending order."""
        grid = VoxelGrid(family.mask, self.connectivity)
        if self.thresholds is not None:
            evidence = family.evidence
            return [self._form(family, grid, t, evidence > t) for t in self.thresholds]
        # Compared as p-values, where the threshold is exact.
        p_threshold = family.hommel.concentration_set(family.alpha).p_threshold
        selected = family.p_values <= p_threshold
        if not selected.any():
            return [self._form(family, grid, np.nan, selected)]
        # The voxel at the concentration threshold is in: the height is just below it.
        height = np.nextafter(family.evidence[selected].min(), -np.inf)
        return [self._form(family, grid, float(height), selected)]

    def _form(
        self, family: MapFamily, grid: VoxelGrid, threshold: float, selected: np.ndarray
    ) -> ClusterSets:
        labels, directions = _components_by_direction(family, grid, selected)
        sizes = np.bincount(labels, minlength=directions.size + 1)[1:]
        kept = np.flatnonzero(sizes >= self.min_size)
        kept = kept[np.argsort(-sizes[kept], kind="stable")]
        new_labels = np.zeros(directions.size + 1, dtype=labels.dtype)
        new_labels[1 + kept] = np.arange(1, kept.size + 1)
        return ClusterSets(threshold, new_labels[labels], directions[kept])


def _components_by_direction(
    family: MapFamily, grid: VoxelGrid, selected: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return components of positive and of negative voxels apart, numbered through."""
    if family.directions == (1,):
        labels, n_clusters = grid.components(selected)
        return labels, np.ones(n_clusters, dtype=np.int64)
    labels, n_positive = grid.components(selected & (family.z > 0))
    negative, n_negative = grid.components(selected & (family.z < 0))
    labels += np.where(negative > 0, negative + n_positive, 0).astype(labels.dtype)
    return labels, np.repeat([1, -1], [n_positive, n_negative])
