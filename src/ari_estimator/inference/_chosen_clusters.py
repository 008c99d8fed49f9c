"""Clusters of a forest that a person has chosen, such as grown or shrunk ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.closed_testing import SimultaneousBounds
from ari_estimator.graphs._voxel_grid import Connectivity
from ari_estimator.inference._adaptive_clusters import CHEN, sets_of_clusters
from ari_estimator.inference._map_family import MapFamily
from ari_estimator.inference._set_maker import SetMaker, neighbours_in_words
from ari_estimator.inference._sets import Sets
from ari_estimator.inference._tdp_forest import TDPForest


class ChosenClusters(SetMaker):
    """Make sets from clusters of a forest.

    Parameters
    ----------
    forest : TDPForest
        All clusters of the map.

    clusters : array-like of int of shape (n_clusters,)
        Positions of clusters that do not overlap.

    connectivity : {6, 18, 26}
        Number of neighbours of a voxel.

    Raises
    ------
    ValueError
        If a position is not a cluster, or clusters overlap.
    """

    connectivity: Connectivity

    def __init__(self, forest: TDPForest, clusters: ArrayLike, connectivity: Connectivity) -> None:
        self.connectivity = connectivity
        self._forest = forest
        self._clusters = _check(forest, clusters)

    def make(self, family: MapFamily, bounds: SimultaneousBounds) -> list[Sets]:
        """Return the clusters as one partition, in the order in which they were given."""
        return [sets_of_clusters(family, self._forest, self._clusters)]

    def describe(self, family: MapFamily, partitions: list[Sets]) -> dict[str, Any]:
        """Return how sets were made, see :meth:`SetMaker.describe`."""
        neighbours = neighbours_in_words(family.space, self.connectivity)
        return {
            "kind": "chosen clusters",
            "sentence": (
                "Clusters were chosen among all supra-threshold clusters of the map (Chen et al., "
                f"2022); {neighbours}."
            ),
            "references": [CHEN],
        }


def _check(forest: TDPForest, clusters: ArrayLike) -> np.ndarray:
    """Return positions of clusters, checked."""
    given = np.atleast_1d(np.asarray(clusters))
    if given.size == 0:
        return np.empty(0, dtype=np.intp)
    is_position = given.ndim == 1 and np.issubdtype(given.dtype, np.integer)
    if not is_position or given.min() < 0 or given.max() >= forest.is_cluster.size:
        raise ValueError(
            f"clusters must be positions of clusters, as from forest_.query. Got {clusters!r}."
        )
    given = given.astype(np.intp)
    if not forest.is_cluster[given].all():
        raise ValueError(
            "clusters must be positions of clusters, as from forest_.query. "
            f"Got {given[~forest.is_cluster[given]][0]}, which is none."
        )
    ordered = np.sort(given)
    overlaps = forest.starts[ordered[1:]] <= ordered[:-1]
    if overlaps.any():
        first = int(np.flatnonzero(overlaps)[0])
        raise ValueError(
            "clusters must not overlap. Got "
            f"{ordered[first]} and {ordered[first + 1]}: the second holds the first."
        )
    return given
