"""Sets made by a threshold: supra-threshold clusters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ari_estimator.estimators._family import MapFamily
from ari_estimator.estimators._sets import Sets
from ari_estimator.estimators._thresholds import Thresholds
from ari_estimator.graphs import Graph
from ari_estimator.images._frame import put


@dataclass(frozen=True)
class SupraThresholdClusters:
    """Makes the sets of a map: its connected supra-threshold elements.

    Attributes
    ----------
    thresholds : Thresholds
        The thresholds.

    graph : Graph
        Who is whose neighbour, of all elements of the mask.

    min_size : int
        Smallest number of elements of a cluster.
    """

    thresholds: Thresholds
    graph: Graph
    min_size: int

    def __call__(self, family: MapFamily) -> list[Sets]:
        """Return the clusters at each threshold, from the most lenient to the strictest.

        Those of one threshold go from the largest to the smallest. Ids run through.
        """
        partitions = []
        n_before = 0
        for threshold, selected in self.thresholds.select(family):
            labels, directions = self._components_by_direction(family, selected)
            sizes = np.bincount(labels, minlength=len(directions) + 1)[1:]
            kept = np.flatnonzero(sizes >= self.min_size)
            kept = kept[np.argsort(-sizes[kept], kind="stable")]
            # The partitions of all thresholds are kept: in as few bytes as will do.
            new_labels = np.zeros(len(directions) + 1, dtype=np.min_scalar_type(kept.size))
            new_labels[1 + kept] = np.arange(1, kept.size + 1)
            ids = np.arange(n_before + 1, n_before + kept.size + 1)
            n_before += kept.size
            partitions.append(
                Sets(new_labels[labels], ids, [directions[i] for i in kept], threshold)
            )
        return partitions

    def _components_by_direction(
        self, family: MapFamily, selected: np.ndarray
    ) -> tuple[np.ndarray, list[str]]:
        """Return components of positive and of negative values apart, numbered through."""
        if not family.statistic.two_sided:
            labels, n_clusters = self._components(family, selected)
            return labels, [family.statistic.direction] * n_clusters
        labels, n_positive = self._components(family, selected & (family.stat > 0))
        negative, n_negative = self._components(family, selected & (family.stat < 0))
        labels += np.where(negative > 0, negative + n_positive, 0).astype(labels.dtype)
        return labels, ["positive"] * n_positive + ["negative"] * n_negative

    def _components(self, family: MapFamily, selected: np.ndarray) -> tuple[np.ndarray, int]:
        """Return components of tested elements, in the graph of all of them."""
        if selected.size == family.is_tested.size:
            return self.graph.components(selected)
        labels, n_components = self.graph.components(put(selected, family.is_tested))
        return labels[family.is_tested], n_components
