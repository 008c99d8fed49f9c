"""What the page needs to know of a map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ari_estimator.closed_testing import CriticalVector
from ari_estimator.closed_testing._rounding import confidence
from ari_estimator.closed_testing._two_sided import DIRECTIONAL, TwoSided
from ari_estimator.explorer._packing import as_exact_float, pack
from ari_estimator.explorer._page_geometry import PageGeometry
from ari_estimator.explorer._second_map import SecondMap
from ari_estimator.images._labels import Regions
from ari_estimator.inference import FittedMap, TDPForest


def refuse_sides(two_sided: TwoSided) -> None:
    """Raise a ValueError for bounds of each sign, which the page cannot compute.

    Parameters
    ----------
    two_sided : bool or "directional"
        Which signs the test looks for.
    """
    if two_sided == DIRECTIONAL:
        raise ValueError(
            "two_sided='directional' is not for a page: it has a critical vector for each sign, "
            "and a page computes bounds from one. Tables, reports and set_bound show the bounds of "
            "each sign. For a page, test both signs together."
        )


@dataclass(frozen=True)
class PageData:
    """A map and all its clusters, for the page.

    Attributes
    ----------
    fitted_map : FittedMap
        The tested map.

    geometry : PageGeometry
        Where it lies.

    forest : TDPForest
        Its clusters.

    connectivity : int
        Which voxels are neighbours, of volumes.

    tdp : float
        What clusters are asked for first.

    regions : Regions or None
        Atlas, of the tested elements.

    second : SecondMap or None
        Another map, to be seen beside it.

    name : str
        What the page calls the map.

    file_stem : str
        How the names of files start that the page writes.
    """

    fitted_map: FittedMap
    geometry: PageGeometry
    forest: TDPForest
    connectivity: int
    tdp: float
    regions: Regions | None
    second: SecondMap | None
    name: str
    file_stem: str

    def to_dict(self) -> dict[str, Any]:
        """Return everything as what JSON can hold."""
        return {"info": self._info(), "arrays": self._arrays()}

    def _info(self) -> dict[str, Any]:
        statistic = self.fitted_map.family.statistic
        sides = ""
        if statistic.is_signed and statistic.has_direction:
            sides = ", two-sided" if statistic.two_sided else ", one-sided"
        return {
            "geometry": self.geometry.info(),
            "as_p": statistic.as_p,
            "two_sided": statistic.two_sided,
            "low_is_strong": statistic.evidence_of_threshold(1.0) < 0,
            "direction": statistic.direction,
            "stat_name": statistic.symbol,
            "drawn": statistic.symbol_as_drawn,
            "k_max": self._critical_vector.thresholds.size,
            "true_discoveries": self.fitted_map.true_discoveries,
            "tdp": self.tdp,
            "file_stem": self.file_stem,
            "name": self.name,
            "region_names": [] if self.regions is None else ["", *self.regions.names],
            "second_name": None if self.second is None else self.second.name,
            "about": (
                f"{statistic.symbol} values{sides} · "
                f"{self.geometry.neighbours(self.connectivity)} · "
                f"{self.fitted_map.describe()['test']['name']} · "
                f"with probability {confidence(self.fitted_map.alpha)} all bounds hold at once"
            ),
        }

    @property
    def _critical_vector(self) -> CriticalVector:
        """What the page computes the bounds of drawn sets from."""
        vector = self.fitted_map.bounds.critical_vector
        refuse_sides(self.fitted_map.family.statistic.two_sided)
        if vector is None:
            raise TypeError(
                "stat_img must be tested by a critical vector: the page computes bounds from it. "
                f"Got {self.fitted_map.describe()['test']['name']}."
            )
        return vector

    def _arrays(self) -> dict[str, Any]:
        family, forest = self.fitted_map.family, self.forest
        categories = self._critical_vector.categories(self.fitted_map.bounds.p_values)
        arrays = {
            **self.geometry.arrays(),
            "stat": as_exact_float(family.stat),
            "categories": categories.astype(np.int32),
            "elements": forest.elements.astype(np.int32),
            "sizes": forest.sizes.astype(np.int32),
            "is_cluster": forest.is_cluster,
            "true_discoveries": forest.true_discoveries.astype(np.int32),
        }
        if self.regions is not None:
            arrays["regions"] = self.regions.labels.astype(np.int32)
        if self.second is not None:
            arrays["second"] = as_exact_float(self.second.values)
        return {name: pack(array) for name, array in arrays.items()}
