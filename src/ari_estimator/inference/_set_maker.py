"""How the sets of a map are made, whatever they are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from ari_estimator._unused_options import refuse_unused
from ari_estimator.closed_testing import SimultaneousBounds
from ari_estimator.graphs._voxel_grid import Connectivity
from ari_estimator.images._labels import Regions
from ari_estimator.images._space import Space
from ari_estimator.inference._map_family import MapFamily
from ari_estimator.inference._sets import Sets


class SetMaker(ABC):
    """Makes the sets of a tested map.

    Attributes
    ----------
    called : str
        What its sets are: "clusters" or "regions".

    has_labels : bool
        Whether a label image is a result. The regions of an atlas are known before.

    connectivity : {6, 18, 26} or None
        Which voxels are neighbours, where that matters.

    cluster_threshold : int
        Smallest size of a set.

    regions : Regions or None
        The regions that an image gave.

    tdps : tuple of float or None
        The TDPs that were asked for, where the sets are those that have one.
    """

    called: ClassVar[str] = "clusters"
    has_labels: ClassVar[bool] = True

    connectivity: int | None = None
    cluster_threshold: int = 0
    regions: Regions | None = None
    tdps: tuple[float, ...] | None = None

    @abstractmethod
    def make(self, family: MapFamily, bounds: SimultaneousBounds) -> list[Sets]:
        """Return the sets of a map, as one or more partitions.

        Parameters
        ----------
        family : MapFamily
            The tested elements of the map.

        bounds : SimultaneousBounds
            The bounds of all sets of these elements.

        Returns
        -------
        partitions : list of Sets
            The sets, one partition for each threshold, from the most lenient one.
        """

    def painted(self, tdps_of_sets: list[np.ndarray], n_elements: int) -> np.ndarray | None:
        """Return the TDP that each element of the mask shows; None for that of its set.

        Parameters
        ----------
        tdps_of_sets : list of ndarray of shape (n_sets,)
            TDP of the sets of each partition.

        n_elements : int
            Number of elements of the mask.

        Returns
        -------
        tdp : ndarray of shape (n_elements,) or None
            What is shown, where sets may overlap.
        """
        return None

    @abstractmethod
    def describe(self, family: MapFamily, partitions: list[Sets]) -> dict[str, Any]:
        """Return how sets were made, in words and in plain data.

        Parameters
        ----------
        family : MapFamily
            The tested elements of the map.

        partitions : list of Sets
            What :meth:`make` returned.

        Returns
        -------
        description : dict
            ``kind``, the name of this kind of sets; ``sentence``, for a paragraph on methods;
            ``references``, the citations of that sentence. JSON can hold all of it.
        """


def connectivity_in(space: Space, connectivity: Connectivity | None) -> Connectivity:
    """Return which voxels are neighbours: what a user says, or 6.

    Parameters
    ----------
    space : Space
        Where the elements lie.

    connectivity : {6, 18, 26} or None
        What the user says.

    Returns
    -------
    connectivity : {6, 18, 26}
        That, or 6 for None.

    Raises
    ------
    ValueError
        If there are no voxels, so that it would do nothing.
    """
    if not space.has_voxels:
        refuse_unused(
            "for a surface, whose neighbours share an edge of the mesh",
            {"connectivity": (connectivity, None)},
        )
    return 6 if connectivity is None else connectivity


def neighbours_in_words(space: Space, connectivity: int) -> str:
    """Return who is whose neighbour in a space, for a sentence."""
    joined = []
    if space.has_voxels:
        joined.append(f"the {connectivity} neighbours of each voxel")
    if space.has_vertices:
        joined.append("the edges of the mesh")
    return " and ".join(joined)


def listed(words: list[str]) -> str:
    """Return words as a list in a sentence."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def size_in_words(space: Space, cluster_threshold: int) -> str:
    """Return the smallest size of a cluster, for a sentence; nothing if all sizes count."""
    if cluster_threshold <= 1:
        return ""
    return f" of at least {cluster_threshold:,} {space.element_name[1]}"
