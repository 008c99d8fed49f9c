"""What the page needs to know of a map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ari_estimator.estimators._family import MapFamily
from ari_estimator.estimators._tdp_forest import TDPForest
from ari_estimator.explorer._packing import as_exact_float, pack
from ari_estimator.explorer._page_geometry import PageGeometry
from ari_estimator.images._labels import Regions

# As they are written in text; \N{MINUS SIGN} is the sign, and no hyphen.
_MINUS_LOG = "\N{MINUS SIGN}log10 p"
_NAMES = {"neg_log10_p": _MINUS_LOG, "one_minus_p": "1 \N{MINUS SIGN} p", "chi2": "χ²"}


@dataclass(frozen=True)
class PageData:
    """A map and all its clusters, for the page.

    Attributes
    ----------
    family : MapFamily
        The tested map.

    geometry : PageGeometry
        Where it lies.

    forest : TDPForest
        Its clusters.

    connectivity : int
        Which voxels are neighbours, of volumes.

    tdp : float
        What clusters are asked for first.

    test_name : str
        How bounds were found.

    regions : Regions or None
        Atlas, of the tested elements.

    file_stem : str
        How the names of files start that the page writes.
    """

    family: MapFamily
    geometry: PageGeometry
    forest: TDPForest
    connectivity: int
    tdp: float
    test_name: str
    regions: Regions | None
    file_stem: str

    def to_dict(self) -> dict[str, Any]:
        """Return everything as what JSON can hold."""
        return {"info": self._info(), "arrays": self._arrays()}

    def _info(self) -> dict[str, Any]:
        family, statistic = self.family, self.family.statistic
        name = _NAMES.get(statistic.stat_type, statistic.stat_type)
        is_drawn_as_log = statistic.stat_type in ("p", "one_minus_p")
        sides = {True: ", two-sided", False: ", one-sided"}[statistic.two_sided]
        return {
            "geometry": self.geometry.info(),
            "stat_type": statistic.stat_type,
            "two_sided": statistic.two_sided,
            "direction": statistic.direction,
            "stat_name": name,
            "drawn": _MINUS_LOG if is_drawn_as_log else name,
            "n_thresholds": family.critical_vector.thresholds.size,
            "true_discoveries": family.true_discoveries,
            "tdp": self.tdp,
            "file_stem": self.file_stem,
            "region_names": [] if self.regions is None else ["", *self.regions.names],
            "about": (
                f"{name} values{sides if statistic.stat_type in ('z', 't') else ''} · "
                f"{self.geometry.neighbours(self.connectivity)} · {self.test_name} · "
                f"with probability {1 - family.alpha:.4g} all bounds hold at once"
            ),
        }

    def _arrays(self) -> dict[str, Any]:
        family, forest = self.family, self.forest
        arrays = {
            **self.geometry.arrays(),
            "stat": as_exact_float(family.stat),
            "categories": family.critical_vector.categories(family.p_values).astype(np.int32),
            "elements": forest.elements.astype(np.int32),
            "sizes": forest.sizes.astype(np.int32),
            "is_cluster": forest.is_cluster,
            "true_discoveries": forest.true_discoveries.astype(np.int32),
        }
        if self.regions is not None:
            arrays["regions"] = self.regions.labels.astype(np.int32)
        return {name: pack(array) for name, array in arrays.items()}
