"""Supra-threshold clusters of one or more thresholds."""

from __future__ import annotations

from typing import Any

import numpy as np

from ari_estimator._blocks import blocks
from ari_estimator.closed_testing import SimultaneousBounds
from ari_estimator.graphs import Graph
from ari_estimator.images._mask_array import put
from ari_estimator.inference._map_family import MapFamily
from ari_estimator.inference._set_maker import (
    SetMaker,
    least_size_in_words,
    listed,
    neighbours_in_words,
)
from ari_estimator.inference._sets import Sets
from ari_estimator.inference._thresholds import Thresholds


class SupraThresholdClusters(SetMaker):
    """Make the clusters of a map: its connected supra-threshold elements.

    Parameters
    ----------
    thresholds : Thresholds
        The thresholds.

    graph : Graph
        The graph of all elements of the mask.

    connectivity : {6, 18, 26}
        Number of neighbours of a voxel in the graph.

    cluster_threshold : int
        Minimum number of elements of a cluster.
    """

    connectivity: int

    def __init__(
        self, thresholds: Thresholds, graph: Graph, connectivity: int, cluster_threshold: int
    ) -> None:
        self.thresholds = thresholds
        self.graph = graph
        self.connectivity = connectivity
        self.cluster_threshold = cluster_threshold

    def make(self, family: MapFamily, bounds: SimultaneousBounds) -> list[Sets]:
        """Return the clusters at each threshold, from the most lenient to the strictest.

        For each threshold, clusters are in descending order of size. Clusters of equal size are
        ordered by sign (positive first) and then by their first elements. Ids continue from one
        threshold to the next.
        """
        partitions = []
        n_before = 0
        for threshold, selected in self.thresholds.select(family, bounds):
            labels, directions = self._components_by_direction(family, selected)
            sizes = np.zeros(len(directions) + 1, dtype=np.intp)
            first = np.full(sizes.size, np.iinfo(np.intp).max)
            # Far faster than to look for integers that are not 0.
            members = np.flatnonzero(labels > 0)
            for block in blocks(members.size):
                of_block = labels[members[block]]
                sizes += np.bincount(of_block, minlength=sizes.size)
                np.minimum.at(first, of_block, family.space.ranks_of(members[block]))
            sizes = sizes[1:]
            kept = np.flatnonzero(sizes >= self.cluster_threshold)
            is_negative = np.array(directions, dtype=object) == "negative"
            kept = kept[np.lexsort((first[1 + kept], is_negative[kept], -sizes[kept]))]
            # The partitions of all thresholds are kept, so use the smallest data type.
            new_numbers = np.zeros(len(directions) + 1, dtype=np.min_scalar_type(kept.size))
            new_numbers[1 + kept] = np.arange(1, kept.size + 1)
            new_labels = np.zeros(labels.size, dtype=new_numbers.dtype)
            for block in blocks(members.size):
                new_labels[members[block]] = new_numbers[labels[members[block]]]
            counts = np.concatenate([[labels.size - sizes[kept].sum()], sizes[kept]])
            ids = np.arange(n_before + 1, n_before + kept.size + 1)
            n_before += kept.size
            partitions.append(
                Sets(new_labels, ids, [directions[i] for i in kept], threshold, counts=counts)
            )
            del labels, members  # to free memory before the next threshold
        return partitions

    def _components_by_direction(
        self, family: MapFamily, selected: np.ndarray
    ) -> tuple[np.ndarray, list[str]]:
        """Return components of positive and negative values, with consecutive numbers."""
        if not family.statistic.two_sided:
            labels, n_clusters = self._components(family, selected)
            return labels, [family.statistic.direction] * n_clusters
        labels, n_positive = self._components(family, selected & (family.stat > 0))
        negative, n_negative = self._components(family, selected & (family.stat < 0))
        for block in blocks(labels.size):
            labels[block] += negative[block] + np.int32(n_positive) * (negative[block] > 0)
        return labels, ["positive"] * n_positive + ["negative"] * n_negative

    def _components(self, family: MapFamily, selected: np.ndarray) -> tuple[np.ndarray, int]:
        """Return components of the tested elements in the graph of all elements."""
        if selected.size == family.is_tested.size:
            return self.graph.components(selected)
        labels, n_components = self.graph.components(put(selected, family.is_tested))
        return labels[family.is_tested], n_components

    def describe(self, family: MapFamily, partitions: list[Sets]) -> dict[str, Any]:
        """Return how sets were made, see :meth:`SetMaker.describe`."""
        return {
            "kind": "supra-threshold clusters",
            "sentence": self._sentence(family, partitions),
            "references": [],
        }

    def _sentence(self, family: MapFamily, partitions: list[Sets]) -> str:
        space = family.space
        heights = [float(np.ravel(sets.threshold)[0]) for sets in partitions]
        beyond = listed([f"{height:.4g}" for height in heights])
        if self.thresholds.values is None:
            if np.isnan(heights[0]):
                return f"No {space.element_name[0]} reached the concentration threshold."
            beyond = f"the concentration threshold, {beyond}"
        return (
            f"Clusters consisted of {least_size_in_words(self.cluster_threshold)}connected "
            f"{space.element_name[1]} {family.statistic.side_of_threshold} {beyond}; "
            f"{neighbours_in_words(space, self.connectivity)}."
        )
