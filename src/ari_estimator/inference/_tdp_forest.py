"""All clusters of a map with their bounds, for adaptive clusters."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ari_estimator.closed_testing import SimultaneousBounds
from ari_estimator.closed_testing._archive import load_archive, save_arrays
from ari_estimator.closed_testing._rational import simplest_fraction
from ari_estimator.graphs import ClusterForest, Graph
from ari_estimator.inference._forest_arrays import FOREST_ARRAYS, forest_arrays

_KIND = "forest of clusters"

# Clusters of at least this size are labelled one by one.
_LARGE = 64


class TDPForest:
    """All supra-threshold clusters of a map, each with its lower bound on true discoveries.

    The clusters of all thresholds form a forest: two clusters are disjoint, or one contains the
    other. The forest stores the bound of each cluster, so you can query the clusters with a true
    discovery proportion (TDP) of your choice. All bounds hold at once, for any number of queries.

    Create a forest with :meth:`from_bounds`. The parameters below are its arrays.

    Parameters
    ----------
    elements : ndarray of int of shape (n_elements,)
        The element (voxel or vertex) at each position. A cluster is a range of positions. Its last
        position holds its weakest element and identifies the cluster. All other arrays are indexed
        by position.

    starts : ndarray of int of shape (n_elements,)
        First position of the cluster that ends at each position.

    parents : ndarray of int of shape (n_elements,)
        Position of the next larger cluster; -1 if there is none.

    is_cluster : ndarray of bool of shape (n_elements,)
        Whether the cluster is a supra-threshold cluster. It is not if its weakest element is tied
        with the weakest element of its parent.

    true_discoveries : ndarray of int of shape (n_elements,)
        Lower bound on the number of active elements of each cluster.

    See Also
    --------
    AdaptiveTDPTransformer : The same for images.
    ari_estimator.graphs.ClusterForest : The same clusters without bounds.

    Notes
    -----
    A query for gamma finds the largest clusters with a TDP of at least gamma, which no other such
    cluster contains (Chen et al. 2022 [1]_). A query can only find clusters whose TDP exceeds the
    TDPs of all larger clusters around them. These clusters are sorted by TDP once. A query then
    visits only those with a TDP of at least gamma.

    The value of the threshold-free map at an element is the highest TDP of all clusters that
    contain the element. The map is at least gamma exactly in the clusters found by the query for
    gamma.

    References
    ----------
    .. [1] Chen X, Goeman JJ, Krebs TJP, Meijer RJ, Weeda WD (2022). Adaptive cluster
       thresholding with spatial activation guarantees using All-Resolutions Inference.
       arXiv:2206.13587.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator import TDPForest
    >>> from ari_estimator.closed_testing import Hommel
    >>> from ari_estimator.graphs import VoxelGrid
    >>> p_values = np.array([1e-6, 1e-5, 0.2, 0.9, 1e-4, 0.3])
    >>> row = VoxelGrid(np.ones((1, 1, 6), dtype=bool))
    >>> forest = TDPForest.from_bounds(row, Hommel(p_values).bounds(0.05))
    >>> [forest.members(cluster).tolist() for cluster in forest.query(0.6)]
    [[0, 1, 2], [4]]
    >>> forest.threshold_free_map().round(2).tolist()
    [1.0, 1.0, 0.67, 0.5, 1.0, 0.5]
    """

    def __init__(
        self,
        elements: np.ndarray,
        starts: np.ndarray,
        parents: np.ndarray,
        is_cluster: np.ndarray,
        true_discoveries: np.ndarray,
    ) -> None:
        self.elements = elements
        self.starts = starts
        self.parents = parents
        self.is_cluster = is_cluster
        self.true_discoveries = true_discoveries

    @classmethod
    def from_bounds(
        cls,
        graph: Graph,
        bounds: SimultaneousBounds,
        *,
        heights: ArrayLike | None = None,
        nodes: np.ndarray | None = None,
    ) -> TDPForest:
        """Return the forest of a map.

        Parameters
        ----------
        graph : Graph
            The graph of the elements.

        bounds : SimultaneousBounds
            Bounds of all sets of elements.

        heights : array-like of shape (n_elements,) or None, default=None
            Heights at which elements join a cluster, starting with low heights. None means the
            p-values of the bounds.

        nodes : ndarray of int of shape (n_elements,) or None, default=None
            Element of each node of the graph. None if nodes and elements have the same order.

        Returns
        -------
        forest : TDPForest
            The forest.

        Raises
        ------
        TypeError
            If the bounds come from a test that cannot bound all clusters of a forest.
        ValueError
            If the bounds, or the heights, do not have one element for each node.
        """
        heights = bounds.p_values if heights is None else np.asarray(heights)
        if bounds.p_values.shape != (graph.n_nodes,):
            raise ValueError(
                f"bounds must have {graph.n_nodes} elements, one for each node of the graph. "
                f"Got {bounds.p_values.size}."
            )
        forest = ClusterForest(graph, heights, nodes)
        of_clusters = bounds.of_nested(forest.elements, forest.starts)
        return cls(forest.elements, forest.starts, forest.parents, forest.is_cluster, of_clusters)

    def __repr__(self) -> str:
        return f"TDPForest(n_elements={self.elements.size})"

    @property
    def sizes(self) -> np.ndarray:
        """Number of elements of each cluster, an array of int of shape (n_elements,)."""
        return np.arange(1, self.starts.size + 1, dtype=self.starts.dtype) - self.starts

    @property
    def tdps(self) -> np.ndarray:
        """TDP of each cluster, of shape (n_elements,); -1 where there is no cluster."""
        return self._tdps_of(slice(None))

    def _tdps_of(self, positions: slice) -> np.ndarray:
        """Return the TDPs of some clusters. Storing all of them would take most of the memory."""
        sizes = np.arange(*positions.indices(self.starts.size), dtype=self.starts.dtype)
        sizes += 1
        sizes -= self.starts[positions]
        tdps = self.true_discoveries[positions] / sizes
        tdps[~self.is_cluster[positions]] = -1
        return tdps

    def _highest_above(self, tdps: np.ndarray) -> np.ndarray:
        """Return the highest TDP of the clusters around each cluster."""
        from ari_estimator.inference._tdp_forest_kernels import highest_above

        above = np.empty(tdps.size)
        highest_above(tdps, self.parents, above)
        return above

    @cached_property
    def _admissible(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Clusters with a higher TDP than all larger clusters around them, by ascending TDP.

        The arrays are their positions, their TDPs, and the highest TDPs of the clusters around
        them.
        """
        tdps = self.tdps
        above = self._highest_above(tdps)
        positions = np.flatnonzero(tdps > above)
        tdps, above = tdps[positions], above[positions]
        order = np.argsort(tdps, kind="stable")
        # In as few bytes as will do, because the arrays stay.
        positions = positions.astype(self.starts.dtype)
        return positions[order], tdps[order], above[order]

    def query(self, tdp: float) -> np.ndarray:
        """Return the largest clusters with at least a given TDP.

        Parameters
        ----------
        tdp : float
            True discovery proportion, in [0, 1].

        Returns
        -------
        clusters : ndarray of int of shape (n_clusters,)
            Positions of the clusters, from the largest to the smallest. No two overlap.
        """
        positions, tdps, above = self._admissible
        first = np.searchsorted(tdps, check_tdp(tdp))
        return self._from_largest(positions[first:][above[first:] < tdp].astype(np.intp))

    def _from_largest(self, clusters: np.ndarray) -> np.ndarray:
        clusters = np.sort(clusters)
        sizes = clusters + 1 - self.starts[clusters]
        return clusters[np.argsort(-sizes, kind="stable")]

    def members(self, cluster: int) -> np.ndarray:
        """Return the elements of a cluster, in ascending order.

        Parameters
        ----------
        cluster : int
            Position of the cluster.

        Returns
        -------
        elements : ndarray of int of shape (size,)
            Its elements.
        """
        cluster = self._check_cluster(cluster)
        return np.sort(self.elements[self.starts[cluster] : cluster + 1])

    def labels(self, clusters: ArrayLike) -> np.ndarray:
        """Return the cluster of each element.

        Parameters
        ----------
        clusters : array-like of int of shape (n_clusters,)
            Positions of clusters that do not overlap.

        Returns
        -------
        labels : ndarray of int32 of shape (n_elements,)
            1, 2, ... in the order of the clusters; 0 for elements outside all clusters.

        Raises
        ------
        ValueError
            If a position is not an integer, there is no such cluster, or clusters overlap.
        """
        clusters = self._check_clusters(clusters)
        starts = self.starts[clusters].astype(np.intp)
        sizes = clusters + 1 - starts
        labels = np.zeros(self.elements.size, dtype=np.int32)
        is_large = sizes >= _LARGE
        for k in np.flatnonzero(is_large).tolist():
            labels[self.elements[starts[k] : clusters[k] + 1]] = k + 1
        # There may be many small clusters, so label all of them at once.
        small = np.flatnonzero(~is_large)
        sizes = sizes[small]
        first = starts[small] - (np.cumsum(sizes) - sizes)
        positions = np.arange(sizes.sum()) + np.repeat(first, sizes)
        labels[self.elements[positions]] = np.repeat(small.astype(np.int32) + 1, sizes)
        return labels

    def cluster_of(self, element: int, tdp: float) -> int | None:
        """Return the largest cluster that contains an element and reaches a TDP.

        Parameters
        ----------
        element : int
            The element.

        tdp : float
            True discovery proportion, in [0, 1].

        Returns
        -------
        cluster : int or None
            Position of the cluster; None if no cluster with this TDP contains the element.

        Raises
        ------
        ValueError
            If there is no such element, or the TDP is not in [0, 1].
        """
        if not isinstance(element, Integral) or not 0 <= int(element) < self.elements.size:
            raise ValueError(
                f"element must be an integer from 0 to {self.elements.size - 1}. Got {element!r}."
            )
        position = int(np.flatnonzero(self.elements == element)[0])
        return self._largest_around(position, check_tdp(tdp))

    def _largest_around(self, position: int, tdp: float) -> int | None:
        """Return the largest cluster that contains a position and reaches a TDP."""
        after = slice(position, None)
        has_position = self.starts[after] <= position
        found = np.flatnonzero(has_position & (self._tdps_of(after) >= tdp))
        return position + int(found[-1]) if found.size else None

    def grow(self, cluster: int, tdp: float) -> int:
        """Grow a cluster until its TDP is low enough.

        The cluster grows in steps to the next larger cluster that contains it. Growth stops at the
        first cluster with a TDP of at most ``tdp``.

        Parameters
        ----------
        cluster : int
            Position of the cluster to start from.

        tdp : float
            True discovery proportion to stop at, in [0, 1].

        Returns
        -------
        cluster : int
            Position of the cluster where growth stops. It is the given cluster if its TDP is
            already low enough, or if the TDP of every larger cluster is too high.

        Raises
        ------
        ValueError
            If there is no such cluster, or the TDP is not in [0, 1].
        """
        cluster = self._check_cluster(cluster)
        after = slice(cluster, None)
        is_around = self.is_cluster[after] & (self.starts[after] <= cluster)
        found = np.flatnonzero(is_around & (self._tdps_of(after) <= check_tdp(tdp)))
        return cluster + int(found[0]) if found.size else cluster

    def shrink(self, cluster: int, tdp: float) -> np.ndarray:
        """Shrink a cluster to the largest clusters within it that reach a TDP.

        Parameters
        ----------
        cluster : int
            Position of the cluster.

        tdp : float
            True discovery proportion, in [0, 1].

        Returns
        -------
        clusters : ndarray of int of shape (n_clusters,)
            Positions of the clusters, from the largest to the smallest. The result is the cluster
            itself if its TDP is high enough, several clusters if it splits, and empty if no cluster
            within it reaches the TDP.

        Raises
        ------
        ValueError
            If there is no such cluster, or the TDP is not in [0, 1].
        """
        cluster = self._check_cluster(cluster)
        start = int(self.starts[cluster])
        tdps = self._tdps_of(slice(start, cluster + 1))
        within = start + np.flatnonzero(tdps >= check_tdp(tdp))
        found = []
        while within.size:
            # A cluster comes after all clusters within it.
            found.append(int(within[-1]))
            within = within[: np.searchsorted(within, self.starts[found[-1]])]
        return self._from_largest(np.array(found, dtype=np.intp))

    def change(self, clusters: ArrayLike, cluster: int, step: float) -> np.ndarray:
        """Grow or shrink one of several clusters until its TDP has changed by a step.

        Parameters
        ----------
        clusters : array-like of int of shape (n_clusters,)
            Positions of clusters that do not overlap, as from :meth:`query`.

        cluster : int
            The cluster to change, which must be one of ``clusters``.

        step : float
            The change of the TDP. If it is positive, the cluster shrinks to the largest clusters
            within it whose TDP is higher by the step. There may be several. If it is negative, the
            cluster grows until its TDP is lower by the step, and absorbs other clusters on its way.

        Returns
        -------
        clusters : ndarray of int
            Positions of the new clusters, from the largest to the smallest; the old clusters if no
            such change is possible.

        Raises
        ------
        ValueError
            If there is no such cluster, clusters overlap, ``cluster`` is not in ``clusters``, or
            the step is not in [-1, 1].
        """
        clusters = self._check_clusters(clusters)
        if self._check_cluster(cluster) not in clusters:
            raise ValueError(f"cluster must be one of the clusters. Got {cluster!r}.")
        if not isinstance(step, Real) or not -1 <= float(step) <= 1:
            raise ValueError(f"step must be a number in [-1, 1]. Got {step!r}.")
        # Fractions, because 0.4 + 0.2 is above 3 / 5 in floating-point numbers.
        own = Fraction(int(self.true_discoveries[cluster]), int(self.sizes[cluster]))
        target = float(own + simplest_fraction(float(step)))
        new = np.empty(0, dtype=np.intp)
        if step > 0 and target <= 1:
            new = self.shrink(cluster, target)
        elif step < 0 and target >= 0:
            new = np.array([self.grow(cluster, target)])
        if new.size == 0:
            return self._from_largest(clusters)
        # Clusters are disjoint or nested, so the grown cluster contains those that end in its
        # range.
        is_within = (self.starts[new[0]] <= clusters) & (clusters <= new[0])
        others = clusters[(clusters != cluster) & ~is_within]
        return self._from_largest(np.concatenate([others, new]))

    def local_minima(self) -> np.ndarray:
        """Return the elements that clusters start from: the local minima of the p-values.

        Returns
        -------
        elements : ndarray of int of shape (n_minima,)
            The elements in ascending order. For tied neighbours, only the first counts.
        """
        return np.sort(self.elements[self.starts == np.arange(self.starts.size)])

    def threshold_free_map(self) -> np.ndarray:
        """Return, for each element, the highest TDP of all clusters that contain it.

        Returns
        -------
        tdp : ndarray of shape (n_elements,)
            The TDPs. They are at least gamma exactly in the clusters found by :meth:`query` for
            gamma.
        """
        tdps = self.tdps
        np.maximum(tdps, self._highest_above(tdps), out=tdps)
        highest = np.empty(self.elements.size)
        highest[self.elements] = tdps
        return highest

    def profile(self) -> pd.DataFrame:
        """Return the number of clusters and their total size for each TDP.

        Returns
        -------
        profile : pandas.DataFrame
            One row for each TDP at which the result of a query changes, in ascending order.
            Columns: ``tdp``, ``n_clusters`` and ``n_elements``. A row holds for all TDPs above the
            TDP of the previous row, up to its own.
        """
        positions, tdps, above = self._admissible
        sizes = positions + 1 - self.starts[positions]
        values = np.unique(tdps)
        # A query finds a cluster from the highest TDP around it (exclusive) up to its own.
        order = np.argsort(above)
        n_ended, n_begun = (np.searchsorted(a, values) for a in (tdps, above[order]))
        ended, begun = (np.r_[0, np.cumsum(s)] for s in (sizes, sizes[order]))
        return pd.DataFrame(
            {
                "tdp": values,
                "n_clusters": n_begun - n_ended,
                "n_elements": begun[n_begun] - ended[n_ended],
            }
        )

    def save(self, path: str | Path) -> None:
        """Write the forest to a file.

        Parameters
        ----------
        path : str or Path
            The file, in numpy's npz format. An existing file is replaced.
        """
        save_arrays(path, _KIND, {name: getattr(self, name) for name in FOREST_ARRAYS})

    @classmethod
    def load(cls, path: str | Path) -> TDPForest:
        """Read a forest from a file.

        Parameters
        ----------
        path : str or Path
            A file written by :meth:`save`.

        Returns
        -------
        forest : TDPForest
            The forest.

        Raises
        ------
        FileNotFoundError
            If the file does not exist.
        ValueError
            If the file is damaged or is not a forest. The message names the file.
        """
        arrays = load_archive(path, _KIND, forest_arrays, members=FOREST_ARRAYS)
        return cls(**arrays)

    def _check_cluster(self, cluster: Any) -> int:
        n = self.elements.size
        if not isinstance(cluster, Integral) or not 0 <= int(cluster) < n:
            raise ValueError(f"cluster must be a position from 0 to {n - 1}. Got {cluster!r}.")
        if not self.is_cluster[cluster]:
            raise ValueError(
                f"cluster must be the position of a cluster. Got {cluster!r}, which is tied with "
                "its parent: no threshold forms it."
            )
        return int(cluster)

    def _check_clusters(self, clusters: Any) -> np.ndarray:
        """Return the positions of clusters that do not overlap, an array of intp."""
        positions, n = np.asarray(clusters), self.elements.size
        if positions.shape == (0,):
            return positions.astype(np.intp)  # an empty list is an array of float
        if positions.ndim != 1 or positions.dtype.kind not in "iu":
            raise ValueError(
                "clusters must be positions of clusters, integers of shape (n_clusters,). "
                f"Got shape {positions.shape} of {positions.dtype}."
            )
        ordered = np.sort(positions)
        if ordered[0] < 0 or ordered[-1] >= n:
            wrong = ordered[0] if ordered[0] < 0 else ordered[-1]
            raise ValueError(f"clusters must be positions from 0 to {n - 1}. Got {wrong}.")
        is_cluster = self.is_cluster[ordered]
        if not is_cluster.all():
            self._check_cluster(ordered[~is_cluster][0].item())
        # Clusters are ranges, so each must start after the end of the one before it.
        overlap = self.starts[ordered[1:]] <= ordered[:-1]
        if overlap.any():
            first = int(np.argmax(overlap))
            raise ValueError(
                "clusters must not overlap. Got the clusters "
                f"{ordered[first]} and {ordered[first + 1]}, which share elements."
            )
        return positions.astype(np.intp, copy=False)


def check_tdp(tdp: Any, name: str = "tdp") -> float:
    """Return a true discovery proportion, in [0, 1]."""
    number: Any = tdp if isinstance(tdp, Real) and not isinstance(tdp, bool) else -1
    if not 0 <= number <= 1:
        raise ValueError(f"{name} must be a number in [0, 1]. Got {tdp!r}.")
    return float(number)
