"""Base class of the objects that make the sets of a map."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from ari_estimator.closed_testing import SimultaneousBounds
from ari_estimator.images._labels import Regions
from ari_estimator.images._space import Space
from ari_estimator.inference._map_family import MapFamily
from ari_estimator.inference._sets import Sets


class SetMaker(ABC):
    """Make the sets of a tested map.

    Attributes
    ----------
    called : str
        Name of the sets: "clusters" or "regions".

    has_labels : bool
        Whether a label image is part of the results. It is not for the regions of an atlas, which
        are given.

    connectivity : {6, 18, 26} or None
        Number of neighbours of a voxel; None if the sets do not depend on it.

    cluster_threshold : int
        Minimum size of a set.

    regions : Regions or None
        The regions given by an image.

    tdps : tuple of float or None
        The TDPs requested by the user; None if the sets are not defined by a TDP.
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
            The sets, with one partition for each threshold, from the most lenient to the strictest.
        """

    @abstractmethod
    def describe(self, family: MapFamily, partitions: list[Sets]) -> dict[str, Any]:
        """Describe how the sets were made, in words and as plain data.

        Parameters
        ----------
        family : MapFamily
            The tested elements of the map.

        partitions : list of Sets
            The result of :meth:`make`.

        Returns
        -------
        description : dict
            ``kind``, the name of this kind of sets; ``sentence``, for a methods paragraph; and
            ``references``, the publications that the sentence cites. All values can be written as
            JSON.
        """


def neighbours_in_words(space: Space, connectivity: int) -> str:
    """Return a clause that says which elements of a space are connected."""
    joined = []
    if space.has_voxels:
        joined.append(f"voxels were connected to their {connectivity} neighbours")
    if space.has_vertices:
        joined.append("vertices were connected along the edges of the mesh")
    if not joined:
        joined.append("elements were connected to their neighbours in the given adjacency")
    return " and ".join(joined)


def listed(words: list[str]) -> str:
    """Return words as a list in a sentence."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def least_size_in_words(cluster_threshold: int) -> str:
    """Return the minimum size of clusters in words; empty if there is none."""
    return "" if cluster_threshold <= 1 else f"at least {cluster_threshold:,} "
