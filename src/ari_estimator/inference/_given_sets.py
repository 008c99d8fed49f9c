"""Sets given by an image: clusters of another program, or the regions of an atlas."""

from __future__ import annotations

from typing import Any

from ari_estimator.closed_testing import SimultaneousBounds
from ari_estimator.images._labels import Regions
from ari_estimator.inference._map_family import MapFamily
from ari_estimator.inference._set_maker import SetMaker
from ari_estimator.inference._sets import Sets


class GivenClusters(SetMaker):
    """Take the sets of a map from the labels of an image.

    Parameters
    ----------
    regions : Regions
        The labels of all elements of the mask.
    """

    regions: Regions

    def __init__(self, regions: Regions) -> None:
        self.regions = regions

    def make(self, family: MapFamily, bounds: SimultaneousBounds) -> list[Sets]:
        """Return the tested part of each set of the image."""
        return [self._among_tested(family, None)]

    def _among_tested(self, family: MapFamily, names: list[str] | None) -> Sets:
        regions = self.regions.among(family.is_tested)
        return Sets(
            regions.labels,
            regions.ids,
            [family.statistic.direction] * regions.ids.size,
            elements=regions.elements,
            names=names,
            rest_id=regions.rest_id,
            counts=regions.counts,
        )

    def describe(self, family: MapFamily, partitions: list[Sets]) -> dict[str, Any]:
        """Return how sets were made, see :meth:`SetMaker.describe`."""
        return {
            "kind": "given clusters",
            "sentence": f"A label image defined the {self.regions.ids.size:,} clusters.",
            "references": [],
        }


class GivenRegions(GivenClusters):
    """Take the sets of a map, with their names, from the regions of an atlas."""

    called = "regions"
    has_labels = False

    def make(self, family: MapFamily, bounds: SimultaneousBounds) -> list[Sets]:
        """Return the tested part of each region."""
        return [self._among_tested(family, self.regions.names)]

    def describe(self, family: MapFamily, partitions: list[Sets]) -> dict[str, Any]:
        """Return how sets were made, see :meth:`SetMaker.describe`."""
        return {
            "kind": "regions",
            "sentence": f"The sets were the {self.regions.ids.size:,} regions of an atlas.",
            "references": [],
        }
