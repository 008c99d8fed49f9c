"""Clusters as dots: their size against their TDP."""

from __future__ import annotations

from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from ari_estimator.closed_testing._rounding import rounded_down
from ari_estimator.estimators._as_fitted_map import as_fitted_map
from ari_estimator.plotting._figure import (
    BLUE,
    GREEN,
    GREY,
    VERMILLION,
    axes_or_new,
    bare,
    figure_file,
    figure_of,
    in_decades,
    set_title,
    written,
)

# Told apart by shape as well as by colour.
_LOOKS = {
    "positive": ("o", VERMILLION),
    "negative": ("s", BLUE),
    "unsigned": ("o", GREEN),
    "both": ("o", GREEN),
    "region": ("o", GREEN),
}


def plot_cluster_dots(
    fitted: Any,
    *,
    n_labels: int = 8,
    map_index: int | None = None,
    axes: Axes | None = None,
    title: str = "",
    output_file: str | Path | None = None,
) -> Axes:
    """Draw each cluster, or region, as a dot: its size against its TDP.

    Parameters
    ----------
    fitted : transformer, ARISecondLevelModel or FittedMap
        A transformer that was fitted to a map, a model after
        ``compute_contrast(output_type="tdp")``, or what either keeps of a map.

    n_labels : int, default=8
        How many dots are labelled, by the id of the cluster or the name of the region: those
        with most true discoveries, less those whose label would cover another.

    map_index : int or None, default=None
        Which of the maps is meant, if the transformer was fitted to several.

    axes : matplotlib.axes.Axes or None, default=None
        Where to draw; a new figure if None.

    title : str, default=""
        Title of the figure.

    output_file : str, Path or None, default=None
        File to write the figure to, as a whole or not at all; the figure is closed then. A ``~``
        at the start is the home folder.

    Returns
    -------
    axes : matplotlib.axes.Axes
        The axes. A line shows the TDP of all that is tested.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If no map was seen yet.
    TypeError
        If ``fitted`` is no such estimator, or ``axes`` are no axes.
    ValueError
        If ``n_labels`` is negative or no integer.
    OSError
        If ``output_file`` cannot be written: it is a folder, for example.

    Examples
    --------
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from ari_estimator import ClusterTDPTransformer
    >>> from ari_estimator.plotting import plot_cluster_dots
    >>> ari = ClusterTDPTransformer()
    >>> tdp_img = ari.fit_transform(load_sample_motor_activation_image())
    >>> axes = plot_cluster_dots(ari)
    """
    figure_path = figure_file(output_file)
    if not isinstance(n_labels, Integral) or n_labels < 0:
        raise ValueError(f"n_labels must be an integer, at least 0. Got {n_labels!r}.")
    fitted_map = as_fitted_map(fitted, map_index)
    elements = fitted_map.frame.space.element_name[1]
    table = fitted_map.table.iloc[:-1]
    sizes = f"n_{elements}"
    table = table[table[sizes] > 0]  # regions outside of the mask have no place
    is_region = "region" in table
    axes = axes_or_new(axes)
    directions = ["region"] * len(table) if is_region else table["direction"].tolist()
    for direction in dict.fromkeys(directions):
        marker, colour = _LOOKS[direction]
        rows = table[[one == direction for one in directions]]
        axes.scatter(
            rows[sizes],
            rows["tdp"],
            s=42,
            marker=marker,
            color=colour,
            alpha=0.75,
            edgecolor="white",
            linewidth=0.8,
            label=None if direction in ("region", "unsigned", "both") else direction,
            zorder=3,
        )
    whole = fitted_map.true_discoveries / fitted_map.n_tested
    percent = f"{rounded_down(100 * whole, 1):g} %"
    axes.axhline(
        whole, color=GREY, linestyle="--", linewidth=1.2, label=f"all {elements}: {percent}"
    )
    bare(axes)
    what = "region" if is_region else "cluster"
    axes.set(xlabel=f"Size of the {what} in {elements}", ylabel="TDP, at least")
    axes.set_ylim(-0.03, 1.05)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    if table.empty:
        axes.text(
            0.5, 0.5, f"no {what}s", transform=axes.transAxes, ha="center", color=GREY, fontsize=13
        )
        axes.set_xticks([])
    else:
        in_decades(axes, "x", table[sizes].min(), table[sizes].max())
    _annotate(axes, table, "region" if is_region else "cluster_id", sizes, int(n_labels))
    axes.legend(frameon=False, fontsize=9)
    set_title(axes, title)
    written(figure_of(axes), figure_path)
    return axes


def _annotate(axes: Axes, table: pd.DataFrame, name: str, sizes: str, n_labels: int) -> None:
    """Label the dots with most true discoveries, as far as labels find a place."""
    placed: list[np.ndarray] = []
    for _, row in table.nlargest(n_labels, ["true_discoveries", sizes]).iterrows():
        place = axes.transData.transform((row[sizes], row["tdp"]))
        # In units of the room that a short label takes.
        if any((np.abs(place - other) < (24, 13)).all() for other in placed):
            continue
        placed.append(place)
        # Names are long: to the side where there is room.
        is_right = axes.transAxes.inverted().transform(place)[0] > 0.5
        axes.annotate(
            str(row[name]),
            (row[sizes], row["tdp"]),
            (-6, 3) if is_right else (6, 3),
            ha="right" if is_right else "left",
            textcoords="offset points",
            fontsize=9,
            parse_math=False,
            zorder=4,
        )
