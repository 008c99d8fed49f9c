"""Images of the sets of a map, and other clusters of its forest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ari_estimator.closed_testing import SimultaneousBounds
from ari_estimator.graphs._voxel_grid import Connectivity
from ari_estimator.images._mask_array import put
from ari_estimator.images._own_descriptions import CLUSTERS, TDPS
from ari_estimator.images._painted_values import PaintedValues, Values
from ari_estimator.inference._adaptive_clusters import AdaptiveClusters
from ari_estimator.inference._chosen_clusters import ChosenClusters
from ari_estimator.inference._map_family import MapFamily
from ari_estimator.inference._provenance import Provenance
from ari_estimator.inference._set_maker import SetMaker
from ari_estimator.inference._sets import Sets
from ari_estimator.inference._tdp_forest import TDPForest, check_tdp

if TYPE_CHECKING:
    from typing_extensions import Self


class MapClusters(ABC):
    """The part of a FittedMap that shows its sets, and clusters of its forest, as images.

    See :class:`~ari_estimator.FittedMap` for attributes and other methods.
    """

    family: MapFamily
    bounds: SimultaneousBounds
    made_by: SetMaker
    partitions: list[Sets]
    asked_by: Provenance

    @property
    @abstractmethod
    def n_tested(self) -> int:
        """Number of elements tested."""

    @property
    @abstractmethod
    def forest(self) -> TDPForest | None:
        """All clusters of the map; None unless the clusters are adaptive."""

    @property
    @abstractmethod
    def painted_labels(self) -> PaintedValues:
        """Id of the set shown at each element of the mask."""

    @property
    @abstractmethod
    def painted_tdp(self) -> Values:
        """TDP of the set shown at each element of the mask."""

    @property
    @abstractmethod
    def table(self) -> pd.DataFrame:
        """One row for each set and one for the rest."""

    @abstractmethod
    def to_image(self, values: Values, description: str) -> Any:
        """Return values of the elements of the mask as an image."""

    @abstractmethod
    def element_at(self, *, seed: Sequence[float] | None = None, index: Any = None) -> int:
        """Return the number of a voxel or vertex among the tested elements."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return what was tested and how, in plain data."""

    @property
    def labels_img(self) -> Any:
        """Image of the id of the set shown at each element; 0 outside sets and mask."""
        return self.to_image(self.painted_labels, CLUSTERS)

    @property
    def tdp_img(self) -> Any:
        """Image of the TDP of the set shown at each element; 0 outside sets and mask."""
        return self.to_image(self.painted_tdp, TDPS)

    def mask_of(self, set_id: int) -> Any:
        """Return one cluster or region as a mask.

        Parameters
        ----------
        set_id : int
            Its id in the table: ``cluster_id`` or ``region_id``.

        Returns
        -------
        mask_img : image
            1 in the set, 0 elsewhere, uint8.

        Raises
        ------
        ValueError
            If there is no such set.
        """
        for sets in self.partitions:
            found = np.flatnonzero(sets.ids == set_id)
            if found.size:
                inside = np.zeros(self.n_tested, dtype=np.uint8)
                inside[sets.members[sets.labels == found[0] + 1]] = 1
                return self.to_image(put(inside, self.family.is_tested), f"mask of set {set_id}")
        ids = self.table.iloc[:-1, 0].tolist()
        shown = ", ".join(map(str, ids[:8])) + (", ..." if len(ids) > 8 else "")
        raise ValueError(f"set_id must be an id of the table ({shown}). Got {set_id!r}.")

    def with_tdp(self, tdp: float, *, cluster_threshold: int = 0) -> Self:
        """Return the same map with the largest clusters that reach a TDP.

        Parameters
        ----------
        tdp : float
            Minimum true discovery proportion of the clusters, in [0, 1].

        cluster_threshold : int, default=0
            Minimum number of elements of a cluster.

        Returns
        -------
        fitted_map : FittedMap
            The map with these clusters, for images, tables, figures and reports. Its bounds are
            the same: they hold for any number of queries at once.

        Raises
        ------
        TypeError
            If the clusters of the map are not adaptive.
        ValueError
            If a parameter is out of range.

        Examples
        --------
        >>> from nilearn.datasets import load_sample_motor_activation_image
        >>> from ari_estimator import AdaptiveTDPTransformer
        >>> ari = AdaptiveTDPTransformer(0.7).fit(load_sample_motor_activation_image())
        >>> strict = ari.maps_.with_tdp(0.9, cluster_threshold=50)
        >>> strict.table[["cluster_id", "n_voxels", "tdp"]].round(2).head(2)
           cluster_id  n_voxels   tdp
        0           1      1542  0.9
        1           2       290  0.9
        """
        forest = self._adaptive_forest()
        if not isinstance(cluster_threshold, Integral) or cluster_threshold < 0:
            raise ValueError(
                f"cluster_threshold must be an integer, at least 0. Got {cluster_threshold!r}."
            )
        maker = AdaptiveClusters(
            (check_tdp(tdp),), cast(Connectivity, self.made_by.connectivity), int(cluster_threshold)
        )
        given = {"tdp_threshold": tdp, "cluster_threshold": int(cluster_threshold)}
        asked_by = replace(self.asked_by, parameters={**self.asked_by.parameters, **given})
        return self._with_sets(maker, maker.query(self.family, forest), asked_by)

    def with_clusters(self, clusters: ArrayLike) -> Self:
        """Return the same map with clusters of its forest, such as grown or shrunk ones.

        Parameters
        ----------
        clusters : array-like of int of shape (n_clusters,)
            Positions in the forest, as from ``query``, ``grow``, ``shrink`` or ``change`` of
            :class:`~ari_estimator.TDPForest`. Clusters must not overlap.

        Returns
        -------
        fitted_map : FittedMap
            The map with these clusters, in this order, for images, tables, figures and reports.

        Raises
        ------
        TypeError
            If the clusters of the map are not adaptive.
        ValueError
            If a position is not a cluster, or clusters overlap.
        """
        forest = self._adaptive_forest()
        maker = ChosenClusters(forest, clusters, cast(Connectivity, self.made_by.connectivity))
        # No parameters of an estimator give these clusters again.
        asked_by = replace(self.asked_by, estimator="chosen clusters", parameters={})
        return self._with_sets(maker, maker.make(self.family, self.bounds), asked_by)

    def cluster_at(
        self, tdp: float, *, seed: Sequence[float] | None = None, index: Any = None
    ) -> Self:
        """Return the same map with the largest cluster that holds a place and reaches a TDP.

        Parameters
        ----------
        tdp : float
            Minimum true discovery proportion of the cluster, in [0, 1].

        seed, index : optional
            The place, as for :func:`~ari_estimator.element_at`: a point in mm, or an index.

        Returns
        -------
        fitted_map : FittedMap
            The map with this cluster. It has no cluster if none around the place reaches the TDP.

        Raises
        ------
        TypeError
            If the clusters of the map are not adaptive.
        ValueError
            If the TDP is not in [0, 1], or there is no such place.
        """
        element = self.element_at(seed=seed, index=index)
        cluster = self._adaptive_forest().cluster_of(element, tdp)
        return self.with_clusters([] if cluster is None else [cluster])

    def _adaptive_forest(self) -> TDPForest:
        if self.forest is None:
            raise TypeError(
                "The map must have adaptive clusters, from an AdaptiveTDPTransformer. Got "
                f"{self.describe()['sets']['kind']}."
            )
        return self.forest

    def _with_sets(self, made_by: SetMaker, partitions: list[Sets], asked_by: Provenance) -> Self:
        of_sets = [
            self.bounds.by_label(sets.labels, sets.ids.size + 1, subset=sets.elements)
            for sets in partitions
        ]
        # mypy sees this class, which is not a dataclass. Every instance is a FittedMap: it is one.
        return replace(  # type: ignore[type-var]
            self,
            made_by=made_by,
            partitions=partitions,
            true_discoveries_of_sets=of_sets,
            asked_by=asked_by,
        )
