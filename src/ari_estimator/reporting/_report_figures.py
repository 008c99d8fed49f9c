"""The figures of a report, as PNG in the page itself."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np

from ari_estimator.estimators import PermutationCalibration
from ari_estimator.images._drawable import drawable
from ari_estimator.images._space import put
from ari_estimator.inference import FittedMap
from ari_estimator.plotting import (
    plot_cluster_dots,
    plot_clusters_by_tdp,
    plot_pivotal_statistics,
    plot_tdp,
    plot_tdp_curve,
    plot_tdp_surface,
)

_DPI = 90


class ReportFigure(NamedTuple):
    """A figure and its caption.

    Attributes
    ----------
    png : str
        The figure, in base64.

    caption : str
        What it shows.

    is_wide : bool
        Whether it takes the whole width of the page.
    """

    png: str
    caption: str
    is_wide: bool


def map_figures(fitted_map: FittedMap) -> list[ReportFigure]:
    """Return the figures of a map.

    Parameters
    ----------
    fitted_map : FittedMap
        The map.

    Returns
    -------
    figures : list of ReportFigure
        The map, its clusters, and its curves.
    """
    space = fitted_map.frame.space
    element, elements = space.element_name
    what = fitted_map.made_by.called.removesuffix("s")
    stat, tdp, threshold = _shown(fitted_map)
    stat_images, tdp_images = drawable(space, stat), drawable(space, tdp)
    figures = []
    caption = (
        f"The map and, below, the TDP of its {what}s. Each {element} of a {what} shows the TDP of "
        f"the whole {what}, which says nothing about a single {element}."
    )
    if stat_images.volume is not None:
        figures.append(
            _drawn(
                lambda: plot_tdp(stat_images.volume, tdp_images.volume, threshold=threshold),
                caption,
                is_wide=True,
            )
        )
    if stat_images.surface is not None:
        figures.append(
            _drawn(
                lambda: plot_tdp_surface(
                    stat_images.surface, tdp_images.surface, threshold=threshold
                ),
                caption,
                is_wide=True,
            )
        )
    figures.append(
        _drawn(
            lambda: plot_cluster_dots(fitted_map),
            f"Size and TDP of each {what}; the line is the TDP of all {elements} tested.",
        )
    )
    figures.append(
        _drawn(
            lambda: plot_tdp_curve(fitted_map),
            f"Bounds of the k strongest {elements}, for every k. All bounds hold at once.",
        )
    )
    if fitted_map.forest is not None:
        figures.append(
            _drawn(
                lambda: plot_clusters_by_tdp(fitted_map),
                "Number and size of the largest clusters, for every TDP that you may ask for.",
            )
        )
    if fitted_map.test.calibration is not None:
        figures.append(_of_pivotal_statistics(fitted_map.test.calibration))
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
        Its pivotal statistics.
    """
    return [_of_pivotal_statistics(calibration)]


def _of_pivotal_statistics(calibration: Any) -> ReportFigure:
    return _drawn(
        lambda: plot_pivotal_statistics(calibration),
        "Pivotal statistics of the permutations. λ is the largest value with at most a share alpha "
        "of them below it.",
    )


def _drawn(draw: Callable[[], Any], caption: str, *, is_wide: bool = False) -> ReportFigure:
    """Draw a figure of its own, show it nowhere, and close it."""
    with plt.ioff():
        draw()
        figure = plt.gcf()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, facecolor="white")
    plt.close(figure)
    return ReportFigure(base64.b64encode(buffer.getvalue()).decode("ascii"), caption, is_wide)


def _shown(fitted_map: FittedMap) -> tuple[np.ndarray, np.ndarray, float | None]:
    """Return values to draw for all elements of the mask, TDPs, and what values are drawn above."""
    family = fitted_map.family
    heights = np.concatenate([np.ravel(one.threshold) for one in fitted_map.partitions])
    heights = family.statistic.drawn(heights[np.isfinite(heights)])
    values = family.statistic.drawn(family.stat)
    finite = values[np.isfinite(values)]
    values = np.clip(values, finite.min(initial=0), finite.max(initial=0))
    # Where nothing is above it, the map is of more interest than its absence.
    is_shown = fitted_map.n_sets and heights.size
    threshold = float(np.abs(heights).min()) if is_shown else None
    return put(values, family.is_tested), np.nan_to_num(fitted_map.tdp), threshold
