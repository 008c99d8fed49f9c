"""Sets that an image gives: clusters of another program, or the regions of an atlas."""

from __future__ import annotations

from dataclasses import dataclass

from ari_estimator.estimators._family import MapFamily
from ari_estimator.estimators._sets import Sets
from ari_estimator.images._labels import Regions


@dataclass(frozen=True)
class GivenSets:
    """Takes the sets of a map from regions of its space.

    Attributes
    ----------
    regions : Regions
        The regions, of all elements of the mask.

    named : bool
        Whether the sets bear the names of the regions.
    """

    regions: Regions
    named: bool

    def __call__(self, family: MapFamily) -> list[Sets]:
        """Return the regions, as far as they are tested."""
        regions = self.regions.among(family.is_tested)
        return [
            Sets(
                regions.labels,
                regions.ids,
                [family.statistic.direction] * regions.ids.size,
                elements=regions.elements,
                names=regions.names if self.named else None,
                rest_id=regions.rest_id,
            )
        ]
