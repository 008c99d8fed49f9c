"""Maps of contrasts of a model, thresholded as nilearn does, for its report."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from nibabel.cifti2.cifti2 import Cifti2Image
from nilearn.glm import threshold_stats_img
from nilearn.reporting import get_clusters_table
from nilearn.surface import SurfaceImage

from ari_estimator._unused_options import refuse_unused
from ari_estimator.reporting._report_figure import ReportFigure, slices_in_words
from ari_estimator.reporting._report_page import ContrastPart
from ari_estimator.reporting._report_tables import PlainTable

_CONTROLS = ("fpr", "fdr", "bonferroni", None)
_PLOT_TYPES = ("slice", "glass")

# nilearn's number of slices.
_N_SLICES = 7

# Headings of nilearn's tables, as other tables of the report call them.
_HEADINGS = {
    "Cluster ID": "Cluster",
    "Peak Stat": "Peak value",
    "X": "x",
    "Y": "y",
    "Z": "z",
    "Cluster Size (mm3)": "mm³",
    "Cluster Size (vertices)": "Vertices",
}

# nilearn's, for height_control=None.
_HEIGHT = 3.09


@dataclass(frozen=True)
class ContrastMaps:
    """Which maps of contrasts a report shows, and how.

    The attributes are the parameters of nilearn's ``generate_report``.
    """

    contrasts: Any
    first_level_contrast: Any
    bg_img: Any
    threshold: float | None
    alpha: float
    cluster_threshold: int
    height_control: str | None
    two_sided: bool
    min_distance: float
    plot_type: str
    cut_coords: Any
    display_mode: str | None

    def check(self) -> None:
        """Check the parameters.

        Raises
        ------
        ValueError
            If one is unknown, out of range or without effect.
        """
        if self.height_control not in _CONTROLS:
            raise ValueError(
                f"'height_control' must be one of {list(_CONTROLS)}. Got {self.height_control!r}."
            )
        if self.plot_type not in _PLOT_TYPES:
            raise ValueError(
                f"'plot_type' must be one of {list(_PLOT_TYPES)}. Got {self.plot_type!r}."
            )
        for name in ("cluster_threshold", "min_distance"):
            value = getattr(self, name)
            if not isinstance(value, Real) or not float(value) >= 0:
                raise ValueError(f"{name!r} must be a number, at least 0. Got {value!r}.")
        if self.height_control is not None:
            refuse_unused(
                f"with height_control={self.height_control!r}, which finds the threshold",
                {"threshold": (self.threshold, None)},
            )
        if self.plot_type == "glass":
            refuse_unused("with plot_type='glass'", {"cut_coords": (self.cut_coords, None)})

    def parts(self, model: Any) -> list[ContrastPart]:
        """Return the part of the report on each contrast.

        Parameters
        ----------
        model : ARISecondLevelModel
            A fitted model.

        Returns
        -------
        parts : list of ContrastPart
            In the order of the contrasts.

        Raises
        ------
        ValueError
            If there are contrasts and the maps are CIFTI images or arrays.
        """
        if self.contrasts is not None and isinstance(model.mask_img_, (Cifti2Image, np.ndarray)):
            what = "arrays" if isinstance(model.mask_img_, np.ndarray) else "CIFTI images"
            raise ValueError(
                f"contrasts must be None for {what}, whose maps nilearn does not threshold. "
                'Call compute_contrast(output_type="tdp") first: the report then shows the map and '
                f"the TDPs of that contrast. Got {list(by_name(self.contrasts))}."
            )
        return [
            self._part(model, name, contrast, number)
            for number, (name, contrast) in enumerate(by_name(self.contrasts).items(), start=1)
        ]

    def _part(self, model: Any, name: str, contrast: Any, number: int) -> ContrastPart:
        z_img = model.compute_contrast(
            contrast, first_level_contrast=self.first_level_contrast, output_type="z_score"
        )
        height = _HEIGHT if self.threshold is None else self.threshold
        with warnings.catch_warnings():
            # An empty map is a result too.
            warnings.simplefilter("ignore")
            kept_img, threshold = threshold_stats_img(
                z_img,
                mask_img=model.mask_img_,
                alpha=self.alpha,
                threshold=height if self.height_control is None else None,
                height_control=self.height_control,
                cluster_threshold=self.cluster_threshold,
                two_sided=self.two_sided,
            )
            table = None
            if np.isfinite(threshold) and _has_values(kept_img):
                table = get_clusters_table(
                    kept_img,
                    threshold,
                    cluster_threshold=self.cluster_threshold,
                    two_sided=self.two_sided,
                    min_distance=self.min_distance,
                )
        says = f"{'|z|' if self.two_sided else 'z'} above {threshold:.3g}"
        says += {
            "fpr": f" (p < {self.alpha:g}, not corrected for multiple testing)",
            "fdr": f" (false discovery rate of {self.alpha:g})",
            "bonferroni": f" (family-wise error rate of {self.alpha:g}, Bonferroni)",
            None: "",
        }[self.height_control]
        if self.cluster_threshold:
            says += f", clusters of at least {self.cluster_threshold} elements"
        if table is None or table.empty:
            return ContrastPart(name, f"No value has {says}.", None, None)
        caption = f"Statistic of the contrast {name}: {says}."
        cuts = self._cuts(kept_img)
        if cuts is not None:
            caption += f" {slices_in_words(self.display_mode or 'z', cuts)}"
        figure = ReportFigure(
            f"contrast_{number}",
            lambda: self._draw(kept_img, float(threshold), cuts),
            caption,
            is_wide=True,
        )
        return ContrastPart(name, f"Shown: {says}.", figure, _plain(table))

    def _cuts(self, img: Any) -> list[float] | None:
        """Return the positions of slices; None unless all slices have one direction."""
        from ari_estimator.plotting._tdp_map import cuts_of

        mode: Any = self.display_mode or "z"
        if self.plot_type == "glass" or isinstance(img, SurfaceImage) or mode not in "xyz":
            return None
        return cuts_of(img, img, mode, _N_SLICES if self.cut_coords is None else self.cut_coords)

    def _draw(self, img: Any, threshold: float, cuts: list[float] | None) -> None:
        """Draw a thresholded map."""
        from nilearn.plotting import plot_glass_brain, plot_stat_map

        from ari_estimator.plotting._tdp_map import name_places
        from ari_estimator.plotting._tdp_surface import plot_stat_surface

        if isinstance(img, SurfaceImage):
            bg_map = self.bg_img if isinstance(self.bg_img, SurfaceImage) else None
            plot_stat_surface(img, bg_map=bg_map, threshold=threshold, two_sided=self.two_sided)
            return
        given: dict[str, Any] = {"resampling_interpolation": "nearest", "threshold": threshold}
        if not self.two_sided:
            given |= {"vmin": 0, "cmap": "YlOrRd"}
        if self.plot_type == "glass":
            mode = self.display_mode or "lzry"
            plot_glass_brain(img, display_mode=mode, colorbar=True, plot_abs=False, **given)
            return
        if not (isinstance(self.bg_img, str) and self.bg_img == "MNI152TEMPLATE"):
            given["bg_img"] = self.bg_img
        cut_coords = self.cut_coords if cuts is None else cuts
        given |= {"display_mode": self.display_mode or "z", "cut_coords": cut_coords}
        name_places(plot_stat_map(img, annotate=False, **given))


def by_name(contrasts: Any) -> Mapping[str, Any]:
    """Return contrasts by their names.

    Parameters
    ----------
    contrasts : str, array-like, list or mapping of these, or None
        As for nilearn's ``generate_report``.

    Returns
    -------
    contrasts : mapping of str to object
        Their definitions. A contrast without a name is called by its expression or weights.
    """
    if contrasts is None:
        return {}
    if isinstance(contrasts, Mapping):
        return {str(name): contrast for name, contrast in contrasts.items()}
    is_one = isinstance(contrasts, (str, np.ndarray)) or all(
        isinstance(item, Real) for item in contrasts
    )
    items = [contrasts] if is_one else list(contrasts)
    return {
        item if isinstance(item, str) else str(np.asarray(item).tolist()): item for item in items
    }


def _has_values(img: Any) -> bool:
    if isinstance(img, SurfaceImage):
        return any(np.any(part) for part in img.data.parts.values())
    return bool(np.any(np.asanyarray(img.dataobj)))


def _plain(table: pd.DataFrame) -> PlainTable:
    """Return nilearn's table as texts, as other tables of the report are written."""
    names = [str(name) for name in table.columns]
    table = _numbered(table)
    rows = [
        [_cell(name, cell) for name, cell in zip(names, row, strict=True)]
        for row in table.itertuples(index=False, name=None)
    ]
    return PlainTable([_HEADINGS.get(name, name) for name in names], rows)


def _numbered(table: pd.DataFrame) -> pd.DataFrame:
    """Return clusters numbered without gaps; nilearn 0.14.1 leaves gaps for sub-peaks."""
    is_sub = table["Cluster ID"].astype(str).str.extract(r"([a-z]*)$")[0]
    number = (is_sub == "").cumsum().astype(str)
    return table.assign(**{"Cluster ID": number + is_sub})


def _cell(name: str, cell: Any) -> str:
    if pd.isna(cell):
        return ""
    if isinstance(cell, Real) and name.startswith("Cluster Size"):
        return f"{cell:,.0f}"
    if isinstance(cell, Real) and name == "Peak Stat":
        return f"{cell:.2f}"
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)
