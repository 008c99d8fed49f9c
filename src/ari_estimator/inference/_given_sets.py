"""Sets given by an image: clusters of another program, or the regions of an atlas."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

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
        """Return the tested part of each set of the image.

        Warns
        -----
        UserWarning
            If the test is one-sided and there are clusters of negative values.
        """
        sets = self._among_tested(family, None)
        _warn_of_negative_clusters(family, sets)
        return [sets]

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


def _warn_of_negative_clusters(family: MapFamily, sets: Sets) -> None:
    """Warn of clusters of negative values, which no one-sided test looks for.

    Clusters of another program may come from both sides of a map. Regions of an atlas do not come
    from the map, so their values may have any sign.
    """
    if family.statistic.direction != "positive":
        return
    values = family.stat if sets.elements is None else family.stat[sets.elements]
    n_labels = sets.ids.size + 1
    n_above, n_below = (
        np.bincount(sets.labels[is_there], minlength=n_labels)[1:]
        for is_there in (values > 0, values < 0)
    )
    n_negative = int(((n_above == 0) & (n_below > 0)).sum())
    if n_negative:
        warnings.warn(
            f"{n_negative:,} of the {sets.ids.size:,} given clusters have negative values and none "
            "above 0. The test is one-sided: it looks for positive effects, and says nothing about "
            "negative ones. Set two_sided=True to test both.",
            UserWarning,
            stacklevel=2,
        )


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
