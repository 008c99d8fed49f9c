"""The figures of a report, with their captions."""

from __future__ import annotations

import re
from typing import Any

from ari_estimator.closed_testing._rounding import confidence
from ari_estimator.closed_testing._two_sided import DIRECTIONAL
from ari_estimator.estimators import PermutationCalibration
from ari_estimator.inference import FittedMap
from ari_estimator.plotting import (
    plot_cluster_dots,
    plot_clusters_by_tdp,
    plot_pivotal_statistics,
    plot_tdp,
    plot_tdp_array,
    plot_tdp_curve,
    plot_tdp_surface,
)
from ari_estimator.plotting._shown_map import ShownMap, shown_map
from ari_estimator.plotting._tdp_map import cuts_of
from ari_estimator.reporting._report_figure import ReportFigure, slices_in_words

_N_SLICES = 6


def map_figures(fitted_map: FittedMap) -> list[ReportFigure]:
    """Return the figures of a map.

    Parameters
    ----------
    fitted_map : FittedMap
        The map.

    Returns
    -------
    figures : list of ReportFigure
        Figures of the map, its clusters and its curves.
    """
    elements = fitted_map.frame.space.element_name[1]
    what = fitted_map.made_by.called.removesuffix("s")
    shown = shown_map(fitted_map)
    sure = confidence(fitted_map.alpha, percent=True)
    figures = []
    if shown.volumes is not None:
        stat_img, tdp_img = shown.volumes
        cuts = cuts_of(stat_img, tdp_img, "z", _N_SLICES)
        figures.append(
            ReportFigure(
                "slices",
                lambda: plot_tdp(
                    stat_img,
                    tdp_img,
                    threshold=shown.threshold,
                    two_sided=shown.two_sided,
                    cut_coords=cuts,
                ),
                f"{slices_in_words('z', cuts)} {_caption(shown, fitted_map)}",
                is_wide=True,
            )
        )
    if shown.surfaces is not None:
        figures.append(
            ReportFigure(
                "surfaces",
                lambda: plot_tdp_surface(
                    *shown.surfaces, threshold=shown.threshold, two_sided=shown.two_sided
                ),
                f"The cortex from both sides. {_caption(shown, fitted_map)}",
                is_wide=True,
            )
        )
    if not fitted_map.frame.space.has_millimetres:
        figures.append(
            ReportFigure(
                "array",
                lambda: plot_tdp_array(fitted_map),
                _caption(shown, fitted_map),
                is_wide=True,
            )
        )
    if not _is_threshold_free(fitted_map):
        figures.append(
            ReportFigure(
                f"{what}s",
                lambda: plot_cluster_dots(fitted_map),
                f"Size and TDP of each {what}. With {sure} confidence, at least this proportion of "
                f"its {elements} is active. The line is the TDP of all tested {elements}.",
            )
        )
    figures.append(
        ReportFigure(
            "strongest",
            lambda: plot_tdp_curve(fitted_map),
            f"Bounds of the k strongest {elements}, for every k: at least this proportion (top), "
            "or this number (bottom), is active. All bounds hold at once.",
        )
    )
    if fitted_map.forest is not None:
        figures.append(
            ReportFigure(
                "clusters_by_tdp",
                lambda: plot_clusters_by_tdp(fitted_map),
                "Number and size of the largest clusters, for every TDP that you may choose.",
            )
        )
    for side, calibration in fitted_map.test.calibrations.items():
        figures += _of_each_template(calibration, side)
    return figures


def calibration_figures(calibration: PermutationCalibration) -> list[ReportFigure]:
    """Return the figures of a calibration.

    Parameters
    ----------
    calibration : PermutationCalibration
        Fitted.

    Returns
    -------
    figures : list of ReportFigure
        A figure of the pivotal statistics.
    """
    return _of_each_template(calibration.calibration_)


def _of_each_template(calibration: Any, side: str = "") -> list[ReportFigure]:
    parts = calibration.parts
    names = [f"_{part.template.in_words}" if len(parts) > 1 else "" for part in parts]
    return [
        _of_pivotal_statistics(part, side, re.sub(r"\W+", "_", name).rstrip("_"))
        for part, name in zip(parts, names, strict=True)
    ]


def _of_pivotal_statistics(calibration: Any, side: str, name: str) -> ReportFigure:
    level = "alpha / 2" if side else "alpha"
    of = ""
    if name:
        level, of = f"{calibration.alpha:.4g}", f" by template “{calibration.template.in_words}”"
    return ReportFigure(
        f"permutations{f'_{side}' if side else ''}{name}",
        lambda: plot_pivotal_statistics(calibration),
        f"Pivotal statistics of the permutations{of}{f', for {side} effects' if side else ''}. λ "
        f"is the largest value with at most a share {level} of them below it.",
    )


def _caption(shown: ShownMap, fitted_map: FittedMap) -> str:
    """Say what the rows of a figure of the map show."""
    element, elements = fitted_map.frame.space.element_name
    what = fitted_map.made_by.called.removesuffix("s")
    statistic = fitted_map.family.statistic
    sides = "absolute values" if shown.two_sided else "values"
    lowest = "" if _n_thresholds(fitted_map) <= 1 else ", the lowest threshold of the clusters"
    where = "" if shown.threshold is None else f" with {sides} above {shown.threshold:.3g}{lowest}"
    side = {
        "positive": "one-sided test: positive effects only",
        "both": "one-sided tests of both signs"
        if statistic.two_sided == DIRECTIONAL
        else "two-sided test: positive and negative effects",
        "unsigned": "test without a direction",
    }[statistic.direction]
    shows = (
        f"Each {element} shows the highest TDP of all clusters that contain it."
        if _is_threshold_free(fitted_map)
        else f"Each {element} of a {what} shows the TDP of the whole {what}, not of the {element} "
        f"itself. {what.capitalize()}s with a TDP of 0 have no colour."
    )
    return (
        f"Top: {shown.symbol} of {elements}{where} ({side}). Bottom: at least this proportion of "
        f"the {elements} of the {what} is active (TDP). {shows}"
    )


def _is_threshold_free(fitted_map: FittedMap) -> bool:
    """Tell whether the map shows TDPs of all clusters, and not of some."""
    return fitted_map.partitions[-1].shown_tdp is not None


def _n_thresholds(fitted_map: FittedMap) -> int:
    if "threshold" not in fitted_map.table:
        return 0
    return int(fitted_map.table["threshold"].nunique())
