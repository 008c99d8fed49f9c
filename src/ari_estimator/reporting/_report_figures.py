"""The figures of a report, as PNG in the page itself."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np

from ari_estimator.closed_testing import CalibratedTest
from ari_estimator.estimators import PermutationCalibration
from ari_estimator.estimators._any_set import fitted_map
from ari_estimator.estimators._inference import MapInference
from ari_estimator.images._drawable import drawable
from ari_estimator.images._frame import put
from ari_estimator.plotting import (
    plot_cluster_dots,
    plot_clusters_by_tdp,
    plot_pivotal_statistics,
    plot_tdp,
    plot_tdp_curve,
    plot_tdp_surface,
)

_DPI = 90

# -log10 of the smallest p-value that there is as a normal number.
_STRONGEST = 308.0


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


def map_figures(fitted: Any, map_index: int | None) -> list[ReportFigure]:
    """Return the figures of a map.

    Parameters
    ----------
    fitted : transformer or ARISecondLevelModel
        Of which they are.

    map_index : int or None
        Which map is meant.

    Returns
    -------
    figures : list of ReportFigure
        The map, its clusters, and its curves.
    """
    frame, inference = fitted_map(fitted, map_index)
    elements = frame.space.element_name[1]
    is_region = inference.partitions[0].names is not None
    what = "region" if is_region else "cluster"
    stat, tdp, threshold = _shown(inference)
    stat_images, tdp_images = drawable(frame.space, stat), drawable(frame.space, tdp)
    figures = []
    caption = (
        f"The map and, below, the TDP of its {what}s. Each of the {elements} of a {what} shows the "
        f"TDP of the whole {what}, which says nothing of any single one of them."
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
            lambda: plot_cluster_dots(fitted, map_index=map_index),
            f"Size and TDP of each {what}; the line is the TDP of all {elements} tested.",
        )
    )
    figures.append(
        _drawn(
            lambda: plot_tdp_curve(fitted, map_index=map_index),
            f"Bounds of the strongest {elements}, for each number of them. All of them hold at "
            "once.",
        )
    )
    if inference.partitions[0].forest is not None:
        figures.append(
            _drawn(
                lambda: plot_clusters_by_tdp(fitted, map_index=map_index),
                "Number and size of the largest clusters, for each TDP that one may ask for.",
            )
        )
    test = inference.family.test
    if isinstance(test, CalibratedTest):
        figures.append(_of_pivotal_statistics(test.calibration))
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
        "Pivotal statistics of the resamples: λ is as large as it can be with a share of at most "
        "alpha below it.",
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


def _shown(inference: MapInference) -> tuple[np.ndarray, np.ndarray, float | None]:
    """Return values to draw for all elements of the mask, TDPs, and what values are drawn above."""
    family = inference.family
    sets = inference.partitions[0]
    heights = np.concatenate([np.ravel(one.threshold) for one in inference.partitions])
    heights = heights[np.isfinite(heights)]
    if family.statistic.stat_type in ("p", "one_minus_p"):
        # Of p-values, the strong ones are hard to see.
        with np.errstate(divide="ignore"):
            values = np.minimum(-np.log10(family.map_p_values), _STRONGEST)
        is_complement = family.statistic.stat_type == "one_minus_p"
        heights = -np.log10(np.clip(1 - heights if is_complement else heights, 1e-300, 1))
    else:
        values = family.stat
    finite = values[np.isfinite(values)]
    values = np.clip(values, finite.min(initial=0), finite.max(initial=0))
    # Where nothing is above it, the map is of more interest than its absence.
    is_shown = inference.n_sets and heights.size
    threshold = float(np.abs(heights).min()) if is_shown else None
    if sets.overlap:
        # An element of several regions shows the largest of their values.
        inside = sets.labels > 0
        shown = np.zeros(family.n_tested)
        of_members = inference.set_tdps[0][sets.labels[inside] - 1]
        np.fmax.at(shown, sets.members[inside], of_members)
        tdp = put(shown, family.is_tested)
    else:
        tdp = np.nan_to_num(inference.tdp)
    return put(values, family.is_tested), tdp, threshold
