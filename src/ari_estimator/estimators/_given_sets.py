"""Sets that an image gives: clusters of another program, or the regions of an atlas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
        regions = self.regions
        elements, labels = regions.elements, regions.labels
        if not family.is_tested.all():
            # Elements are counted among those that are tested.
            members = np.arange(family.is_tested.size)[elements]
            kept = family.is_tested[members]
            labels = labels[kept]
            if not isinstance(elements, slice):
                elements = (np.cumsum(family.is_tested) - 1)[members[kept]]
        direction = "both" if family.statistic.two_sided else "positive"
        return [
            Sets(
                labels,
                regions.ids,
                [direction] * regions.ids.size,
                elements=elements,
                names=regions.names if self.named else None,
                rest_id=regions.rest_id,
            )
        ]
