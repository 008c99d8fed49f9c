"""Draw clusters as dots, with their TDP against their size."""

from __future__ import annotations

from numbers import Integral
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox

from ari_estimator.closed_testing._rounding import proportion_text
from ari_estimator.estimators._as_fitted_map import as_fitted_map
from ari_estimator.plotting._figure import (
    axes_or_new,
    bare,
    check_size,
    colour,
    figure_file,
    figure_of,
    in_decades,
    in_percent,
    in_plain_text,
    ink,
    muted,
    set_title,
    written,
)

# Pixels between a label and other dots. Its own dot is 6 points away.
_CLEAR = 5.0

# Distinguished by shape and by colour.
_LOOKS: dict[str, tuple[str, Literal["blue", "vermillion", "green"]]] = {
    "positive": ("o", "vermillion"),
    "negative": ("s", "blue"),
    "unsigned": ("o", "green"),
    "both": ("o", "green"),
    "region": ("o", "green"),
}


@in_plain_text
def plot_cluster_dots(
    fitted: Any,
    *,
    n_labels: int = 8,
    map_index: int | None = None,
    axes: Axes | None = None,
    title: str = "",
    figsize: tuple[float, float] | None = None,
    output_file: str | Path | None = None,
    dpi: float | None = None,
) -> Axes:
    """Draw each cluster or region as a dot, with its TDP against its size.

    Parameters
    ----------
    fitted : transformer, ARISecondLevelModel or FittedMap
        A transformer fitted to a map, a model after ``compute_contrast(output_type="tdp")``, or a
        fitted map.

    n_labels : int, default=8
        Maximum number of labelled dots. Labels are cluster ids or region names, for the sets with
        the most true discoveries. Labels that would cover another label are left out.

    map_index : int or None, default=None
        Number of the map, if the transformer was fitted to several.

    axes : matplotlib.axes.Axes or None, default=None
        Axes to draw on; None for a new figure.

    title : str, default=""
        Title of the figure.

    figsize : (float, float) or None, default=None
        Width and height of a new figure, in inches; None for a size that suits the content.

    output_file : str, Path or None, default=None
        File for the figure, which is written completely or not at all. Its extension chooses the
        format: ``.png``, or ``.svg`` and ``.pdf`` for vector graphics. The figure is closed
        afterwards. A ``~`` at the start means the home folder.

    dpi : float or None, default=None
        Resolution of the file, in dots per inch; None for 300.

    Returns
    -------
    axes : matplotlib.axes.Axes
        The axes. A line shows the TDP of all tested voxels.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the estimator was not fitted to a map.
    TypeError
        If ``fitted`` or ``axes`` has another type.
    ValueError
        If ``figsize`` or ``dpi`` is not positive or has no effect; if ``n_labels`` is
        negative or not an integer.
    OSError
        If ``output_file`` cannot be written, for example because it is a folder.

    Examples
    --------
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from ari_estimator import ClusterTDPTransformer
    >>> from ari_estimator.plotting import plot_cluster_dots
    >>> ari = ClusterTDPTransformer()
    >>> tdp_img = ari.fit_transform(load_sample_motor_activation_image())
    >>> axes = plot_cluster_dots(ari)
    """
    check_size(figsize, dpi, axes, output_file)
    figure_path = figure_file(output_file)
    if not isinstance(n_labels, Integral) or n_labels < 0:
        raise ValueError(f"n_labels must be an integer, at least 0. Got {n_labels!r}.")
    fitted_map = as_fitted_map(fitted, map_index)
    elements = fitted_map.frame.space.element_name[1]
    table = fitted_map.table.iloc[:-1]
    sizes = f"n_{elements}"
    table = table[table[sizes] > 0]  # regions outside the mask have no position
    is_region = "region" in table
    axes = axes_or_new(axes, figsize=figsize)
    directions = ["region"] * len(table) if is_region else table["direction"].tolist()
    for direction in dict.fromkeys(directions):
        marker, shade = _LOOKS[direction]
        rows = table[[one == direction for one in directions]]
        axes.scatter(
            rows[sizes],
            rows["tdp"],
            s=42,
            marker=marker,
            color=colour(shade),
            alpha=0.75,
            edgecolor=ink(0),
            linewidth=0.8,
            label=None if direction in ("region", "unsigned", "both") else direction,
            zorder=3,
        )
    whole = fitted_map.true_discoveries / fitted_map.n_tested
    percent = proportion_text(whole, percent=True)
    axes.axhline(
        whole, color=muted(), linestyle="--", linewidth=1.2, label=f"all {elements}: {percent}"
    )
    bare(axes)
    what = "region" if is_region else "cluster"
    axes.set(xlabel=f"Size of the {what} in {elements}", ylabel="TDP, at least")
    axes.set_ylim(-0.03, 1.05)
    in_percent(axes)
    if table.empty:
        axes.text(
            0.5,
            0.5,
            f"no {what}s",
            transform=axes.transAxes,
            ha="center",
            color=muted(),
            fontsize=13,
        )
        axes.set_xticks([])
    else:
        in_decades(axes, "x", table[sizes].min(), table[sizes].max())
    _annotate(axes, table, "region" if is_region else "cluster_id", sizes, int(n_labels))
    # A grid line behind it would look like the line of all elements.
    legend = axes.legend(framealpha=1, edgecolor="none", fontsize=9)
    legend.get_frame().set_facecolor(ink(0))
    set_title(axes, title)
    written(figure_of(axes), figure_path, dpi)
    return axes


def _annotate(axes: Axes, table: pd.DataFrame, name: str, sizes: str, n_labels: int) -> None:
    """Label the dots with the most true discoveries, unless labels would overlap."""
    placed: list[Bbox] = []
    figure_of(axes).draw_without_rendering()  # the layout moves dots
    dots = axes.transData.transform(table[[sizes, "tdp"]].to_numpy(float))
    for _, row in table.nlargest(n_labels, ["true_discoveries", sizes]).iterrows():
        point = (row[sizes], row["tdp"])
        is_right = axes.transAxes.inverted().transform(axes.transData.transform(point))[0] > 0.5
        # Names are long, so try the side with more space first.
        for side in ("right", "left") if is_right else ("left", "right"):
            label = axes.annotate(
                str(row[name]),
                point,
                (-6, 3) if side == "right" else (6, 3),
                ha=side,
                textcoords="offset points",
                fontsize=9,
                parse_math=False,
                zorder=4,
                path_effects=[withStroke(linewidth=2.5, foreground=ink(0))],
            )
            box = label.get_window_extent()
            # A label on another dot, or close to it, would seem to belong to that one.
            is_free = not any(box.overlaps(other) for other in placed)
            if is_free and not box.padded(_CLEAR).count_contains(dots):
                placed.append(box)
                break
            label.remove()
