"""Draw the TDP of clusters in an array, such as a curve or sensors and times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ari_estimator.estimators._as_fitted_map import as_fitted_map
from ari_estimator.graphs._edges_of import ends_of
from ari_estimator.images._array_axes import ArrayAxis, axes_of, title_of
from ari_estimator.images._array_part import ArrayPart
from ari_estimator.images._mask_array import put
from ari_estimator.inference import FittedMap
from ari_estimator.plotting._figure import (
    ONE_SIDED_CMAP,
    TDP_CMAP,
    bare,
    check_size,
    colour,
    figure_file,
    figure_of,
    in_percent,
    in_plain_text,
    ink,
    muted,
    pair_or_new,
    set_title,
    written,
)

# More labels of places along an axis cannot be read.
_MOST_LABELS = 20

_TITLES = ("Statistic", "True discovery proportion, at least")


@in_plain_text
def plot_tdp_array(
    fitted: Any,
    *,
    map_index: int | None = None,
    axes: Any = None,
    title: str = "",
    figsize: tuple[float, float] | None = None,
    output_file: str | Path | None = None,
    dpi: float | None = None,
) -> tuple[Axes, Axes]:
    """Draw a map in an array and, below it, the true discovery proportion of its clusters.

    Edges of a network are a matrix. Other maps of one axis are curves. Maps of two axes are
    images, with the last axis from left to right. Maps of more axes show, at each place of the
    last two, the value that is farthest from 0 along the others.

    Parameters
    ----------
    fitted : transformer, ARISecondLevelModel or FittedMap
        Fitted to arrays.

    map_index : int or None, default=None
        Number of the map, if the transformer was fitted to several.

    axes : pair of matplotlib.axes.Axes, or None, default=None
        Axes for the statistic and for the TDP; None for a new figure.

    title : str, default=""
        Title of the figure.

    figsize : (float, float) or None, default=None
        Width and height of a new figure, in inches.

    output_file : str, Path or None, default=None
        File for the figure, which is written completely or not at all. The figure is closed
        afterwards.

    dpi : float or None, default=None
        Resolution of the file, in dots per inch; None for 300.

    Returns
    -------
    stat_axes, tdp_axes : matplotlib.axes.Axes
        The axes of the statistic and of the TDP. TDPs are always drawn from 0 to 1.

    Raises
    ------
    TypeError
        If ``axes`` are not two axes.
    ValueError
        If the map is not an array, or ``figsize`` or ``dpi`` is not positive or has no effect.
    OSError
        If ``output_file`` cannot be written.

    See Also
    --------
    plot_tdp : Volumes. plot_tdp_surface : Surfaces.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator import ClusterTDPTransformer
    >>> from ari_estimator.plotting import plot_tdp_array
    >>> z_maps = np.random.default_rng(0).standard_normal((1, 8, 60))
    >>> z_maps[0, 2:5, 20:40] += 4
    >>> ari = ClusterTDPTransformer(2.5, adjacency="lattice").fit(z_maps)
    >>> stat_axes, tdp_axes = plot_tdp_array(ari)
    """
    check_size(figsize, dpi, axes, output_file)
    figure_path = figure_file(output_file)
    fitted_map = as_fitted_map(fitted, map_index)
    part = fitted_map.frame.space.parts[0]
    if not isinstance(part, ArrayPart):
        raise ValueError(
            f"fitted must be fitted to arrays. Got a {fitted_map.frame.kind}: use plot_tdp or "
            "plot_tdp_surface instead."
        )
    family = fitted_map.family
    stat = put(put(family.statistic.drawn(family.stat), family.is_tested), part.mask)
    tdp = put(np.nan_to_num(fitted_map.tdp), part.mask)
    of_axes = axes_of(part)
    stat_axes, tdp_axes = pair_or_new(axes, figsize=figsize)
    symbol = family.statistic.symbol_as_drawn
    ends = ends_of(part.whole_graph)
    if ends is not None:
        stat, tdp = _as_matrix(stat, *ends), _as_matrix(tdp, *ends)
        node = ArrayAxis({"node": np.arange(ends[2]).astype(str)})
        _draw_images(stat_axes, tdp_axes, stat, tdp, [node, node], symbol)
    elif stat.ndim == 1:
        _draw_curves(stat_axes, tdp_axes, stat, tdp, of_axes[0], symbol)
        _draw_thresholds(stat_axes, fitted_map)
    else:
        _draw_images(stat_axes, tdp_axes, _flat(stat), _flat(tdp), of_axes[-2:], symbol)
    set_title(stat_axes, title)
    written(figure_of(stat_axes), figure_path, dpi)
    return stat_axes, tdp_axes


def _as_matrix(
    values: np.ndarray, first: np.ndarray, second: np.ndarray, n_nodes: int
) -> np.ndarray:
    """Return the edges of a network as a symmetric matrix, 0 where there is no edge."""
    matrix = np.zeros((n_nodes, n_nodes))
    matrix[first, second] = matrix[second, first] = values
    return matrix


def _flat(values: np.ndarray) -> np.ndarray:
    """Return an image: the value farthest from 0 along all axes but the last two."""
    rows = values.reshape(-1, *values.shape[-2:])
    farthest = np.abs(rows).argmax(axis=0)
    return np.take_along_axis(rows, farthest[np.newaxis], axis=0)[0]


def _draw_curves(
    stat_axes: Axes, tdp_axes: Axes, stat: np.ndarray, tdp: np.ndarray, axis: ArrayAxis, symbol: str
) -> None:
    places = _places(axis)
    stat_axes.plot(places, stat, color=colour("blue"), linewidth=1.5)
    stat_axes.axhline(0, color=muted(), linewidth=0.8)
    stat_axes.set(ylabel=symbol)
    tdp_axes.fill_between(places, tdp, step="mid", color=colour("vermillion"), alpha=0.8)
    tdp_axes.set(ylabel="TDP, at least", ylim=(0, 1.02), xlabel=_name(axis))
    in_percent(tdp_axes)
    for one in (stat_axes, tdp_axes):
        bare(one)
    _set_labels(tdp_axes, "x", axis)


def _draw_thresholds(stat_axes: Axes, fitted_map: FittedMap) -> None:
    """Draw the cluster-forming thresholds, where all clusters of a sign have the same one."""
    statistic = fitted_map.family.statistic
    for sets in fitted_map.partitions:
        heights = np.unique(np.ravel(sets.threshold))
        if heights.size != 1 or not np.isfinite(heights).all():
            continue
        height = float(statistic.drawn(heights)[0])
        for sign in (1, -1) if statistic.two_sided else (1,):
            stat_axes.axhline(sign * height, color=muted(), linewidth=0.8, linestyle="--")


def _draw_images(
    stat_axes: Axes,
    tdp_axes: Axes,
    stat: np.ndarray,
    tdp: np.ndarray,
    of_axes: list[ArrayAxis],
    symbol: str,
) -> None:
    rows, columns = of_axes
    edges_y, edges_x = (_edges(_places(axis)) for axis in (rows, columns))
    finite = np.abs(stat[np.isfinite(stat)])
    highest = float(finite.max(initial=0)) or 1.0
    has_signs = bool((stat < 0).any())
    for one, values, colours, low, high, label in (
        (
            stat_axes,
            stat,
            "RdBu_r" if has_signs else ONE_SIDED_CMAP,
            -highest if has_signs else 0,
            highest,
            symbol,
        ),
        (tdp_axes, np.ma.masked_equal(tdp, 0), TDP_CMAP, 0, 1, "TDP"),
    ):
        mesh = one.pcolormesh(
            edges_x, edges_y, values, cmap=colours, vmin=low, vmax=high, rasterized=True
        )
        one.set_facecolor(ink(0.06))
        one.set(ylabel=_name(rows))
        if rows.numbers is None:
            one.invert_yaxis()
        _set_labels(one, "y", rows)
        figure_of(one).colorbar(mesh, ax=one, label=label)
    for one, text in zip((stat_axes, tdp_axes), _TITLES, strict=True):
        one.set_title(text, loc="right", fontsize="small", color=muted())
    tdp_axes.set(xlabel=_name(columns))
    _set_labels(tdp_axes, "x", columns)


def _places(axis: ArrayAxis) -> np.ndarray:
    """Return where the places of an axis are drawn: at their numbers, or one after another."""
    return np.arange(len(axis.texts)) if axis.numbers is None else axis.numbers


def _name(axis: ArrayAxis) -> str:
    """Return what is written along an axis: of numbers, only what the ticks show."""
    return axis.title if axis.numbers is None else title_of(next(iter(axis.coordinates)))


def _edges(places: np.ndarray) -> np.ndarray:
    """Return the edges of the cells around places, which need not be at equal distances."""
    if places.size == 1 or not (np.diff(places) > 0).all():
        return np.arange(places.size + 1) - 0.5
    middles = (places[1:] + places[:-1]) / 2
    first, last = 2 * places[0] - middles[0], 2 * places[-1] - middles[-1]
    return np.concatenate([[first], middles, [last]])


def _set_labels(axes: Axes, which: str, axis: ArrayAxis) -> None:
    """Name the places along an axis, if there is room."""
    if axis.numbers is not None:
        return
    labels = axis.texts
    every = -(-len(labels) // _MOST_LABELS)
    ticks = _places(axis)[::every]
    set_ticks = axes.set_xticks if which == "x" else axes.set_yticks
    set_ticks(ticks, labels[::every], fontsize="x-small")
