"""How the sets of a map are made, whatever they are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from ari_estimator.closed_testing import SimultaneousBounds
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
        The TDPs that the user asked for; None if the user asked for something else.
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


def neighbours_in_words(space: Space, connectivity: int) -> str:
    """Return which elements of a space are connected, as the last clause of a sentence."""
    joined = []
    if space.has_voxels:
        joined.append(f"each voxel is connected to its {connectivity} neighbours")
    if space.has_vertices:
        joined.append("vertices are connected along the edges of the mesh")
    return " and ".join(joined)


def listed(words: list[str]) -> str:
    """Return words as a list in a sentence."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def least_size_in_words(cluster_threshold: int) -> str:
    """Return the words before the elements of a cluster; none if a cluster may have any size."""
    return "" if cluster_threshold <= 1 else f"at least {cluster_threshold:,} "
