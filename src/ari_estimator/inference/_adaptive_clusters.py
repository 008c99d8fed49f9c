"""The largest supra-threshold clusters with at least a given TDP."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ari_estimator._blocks import blocks
from ari_estimator.closed_testing import SimultaneousBounds
from ari_estimator.graphs import GraphUnion
from ari_estimator.graphs._voxel_grid import Connectivity
from ari_estimator.inference._map_family import MapFamily
from ari_estimator.inference._set_maker import (
    SetMaker,
    least_size_in_words,
    listed,
    neighbours_in_words,
)
from ari_estimator.inference._sets import Sets
from ari_estimator.inference._tdp_forest import TDPForest

CHEN = (
    "Chen X, Goeman JJ, Krebs TJP, Meijer RJ, Weeda WD (2022). Adaptive cluster thresholding with "
    "spatial activation guarantees using All-Resolutions Inference. arXiv:2206.13587."
)


class AdaptiveClusters(SetMaker):
    """Make the largest supra-threshold clusters of a map with at least a given TDP.

    Parameters
    ----------
    tdps : tuple of float, or None
        TDPs in ascending order. None for the clusters with any true discovery, where each element
        shows the highest TDP of all clusters that contain it.

    connectivity : {6, 18, 26}
        Number of neighbours of a voxel.

    cluster_threshold : int
        Minimum number of elements of a cluster.
    """

    connectivity: Connectivity

    def __init__(
        self, tdps: tuple[float, ...] | None, connectivity: Connectivity, cluster_threshold: int
    ) -> None:
        self.tdps = tdps
        self.connectivity = connectivity
        self.cluster_threshold = cluster_threshold

    def make(self, family: MapFamily, bounds: SimultaneousBounds) -> list[Sets]:
        """Return the clusters for each TDP, from the lowest to the highest.

        For each TDP, clusters are in descending order of size. Their ids continue from one TDP to
        the next.
        """
        return self.query(family, grow_forest(family, bounds, self.connectivity))

    def query(self, family: MapFamily, forest: TDPForest) -> list[Sets]:
        """Return the clusters for each TDP from a forest.

        Parameters
        ----------
        family : MapFamily
            The tested elements of the map.

        forest : TDPForest
            All clusters of the map.

        Returns
        -------
        partitions : list of Sets
            As from :meth:`make`.
        """
        # The lowest possible TDP above 0 is one discovery among all elements.
        tdps = (1 / (2 * family.n_tested),) if self.tdps is None else self.tdps
        partitions = []
        n_before = 0
        for tdp in tdps:
            clusters = forest.query(tdp)
            clusters = clusters[forest.sizes[clusters] >= self.cluster_threshold]
            sets = sets_of_clusters(
                family,
                forest,
                clusters,
                n_before=n_before,
                tdp_threshold=None if self.tdps is None else tdp,
            )
            n_before += clusters.size
            if self.tdps is None:
                shown = np.where(sets.labels > 0, self._highest_tdps(forest), 0.0)
                sets = replace(sets, shown_tdp=shown)
            partitions.append(sets)
        return partitions

    def describe(self, family: MapFamily, partitions: list[Sets]) -> dict[str, Any]:
        """Return how sets were made, see :meth:`SetMaker.describe`."""
        space = family.space
        if self.tdps is None:
            what = (
                f"Each {space.element_name[0]} of the TDP map shows the highest TDP of all "
                "supra-threshold clusters that contain it (Chen et al., 2022)"
            )
        else:
            tdps = listed([f"{tdp:g}" for tdp in self.tdps])
            what = (
                "Adaptive thresholding (Chen et al., 2022) found the largest supra-threshold "
                f"clusters with a TDP of at least {tdps}"
            )
        at_least = least_size_in_words(self.cluster_threshold)
        sizes = f". Each cluster had {at_least}{space.element_name[1]}" if at_least else ""
        return {
            "kind": "adaptive clusters",
            "sentence": f"{what}{sizes}; {neighbours_in_words(space, self.connectivity)}.",
            "references": [CHEN],
        }

    def _highest_tdps(self, forest: TDPForest) -> np.ndarray:
        """Return the highest TDP of all sufficiently large clusters around each element."""
        is_kept = forest.is_cluster & (forest.sizes >= self.cluster_threshold)
        kept = TDPForest(
            forest.elements, forest.starts, forest.parents, is_kept, forest.true_discoveries
        )
        return kept.threshold_free_map()


def sets_of_clusters(
    family: MapFamily,
    forest: TDPForest,
    clusters: np.ndarray,
    *,
    n_before: int = 0,
    tdp_threshold: float | None = None,
) -> Sets:
    """Return clusters of a forest as sets.

    Parameters
    ----------
    family : MapFamily
        The tested elements of the map.

    forest : TDPForest
        All clusters of the map.

    clusters : ndarray of int of shape (n_clusters,)
        Positions of clusters that do not overlap.

    n_before : int, default=0
        Number of clusters with smaller ids.

    tdp_threshold : float or None, default=None
        The TDP that was asked for.

    Returns
    -------
    sets : Sets
        The clusters, in this order.
    """
    labels = forest.labels(clusters)
    sizes = clusters + 1 - forest.starts[clusters]
    # A threshold just below the weakest element forms each cluster. The p-value of the root would
    # not do, because p-values may be tied where the evidence differs.
    weakest = np.full(clusters.size + 1, np.inf)
    for block in blocks(labels.size):
        evidence = family.statistic.evidence(family.stat[block])
        np.minimum.at(weakest, labels[block], evidence)
    heights = np.nextafter(weakest[1:], -np.inf)
    directions = [family.statistic.direction] * clusters.size
    if family.statistic.two_sided:
        is_negative = family.stat[forest.elements[clusters]] < 0
        directions = np.where(is_negative, "negative", "positive").tolist()
    return Sets(
        labels.astype(np.min_scalar_type(clusters.size)),
        np.arange(n_before + 1, n_before + clusters.size + 1),
        directions,
        threshold=family.statistic.threshold_of_evidence(heights),
        tdp_threshold=tdp_threshold,
        forest=forest,
        counts=np.concatenate([[labels.size - sizes.sum()], sizes]).astype(np.intp, copy=False),
    )


def grow_forest(
    family: MapFamily, bounds: SimultaneousBounds, connectivity: Connectivity
) -> TDPForest:
    """Return all clusters of a map, with separate clusters for positive and negative values.

    They are the clusters above thresholds of the map, whichever p-values the bounds use.

    Parameters
    ----------
    family : MapFamily
        The tested elements of the map.

    bounds : SimultaneousBounds
        The bounds of all sets of these elements.

    connectivity : {6, 18, 26}
        Number of neighbours of a voxel.

    Returns
    -------
    forest : TDPForest
        The forest of the tested elements.
    """
    # Nodes in an order that does not depend on how the file stores the axes. So neither the
    # clusters nor the order of clusters of equal size depend on it.
    if not family.statistic.two_sided:
        space, order = family.space.turned()
        nodes = None if space is family.space else order
        del order
        graph = space.graph(connectivity)
        return TDPForest.from_bounds(graph, bounds, heights=family.p_values, nodes=nodes)
    graphs = []
    nodes = np.empty(family.n_tested, dtype=np.int32)
    n_before = 0
    # Zeros have no sign and join neither positive nor negative clusters.
    for is_on_side in (np.greater, np.less, np.equal):
        side = is_on_side(family.stat, 0)
        if side.any():
            space, order = family.space.restrict(side).turned()
            graphs.append(space.graph(connectivity))
            members, of_side = np.flatnonzero(side), nodes[n_before : n_before + order.size]
            for block in blocks(order.size):
                of_side[block] = members[order[block]]
            n_before += order.size
            del side, space, order, members
    return TDPForest.from_bounds(GraphUnion(graphs), bounds, heights=family.p_values, nodes=nodes)
