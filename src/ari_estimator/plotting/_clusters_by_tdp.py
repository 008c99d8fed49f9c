"""How many clusters there are, and how large, for each TDP that one may ask for."""

from __future__ import annotations

from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ari_estimator._unused_options import refuse_unused
from ari_estimator.estimators._as_fitted_map import as_fitted_map
from ari_estimator.inference import TDPForest
from ari_estimator.plotting._figure import (
    BLUE,
    GREY,
    bare,
    figure_file,
    figure_of,
    in_decades,
    pair_or_new,
    set_title,
    written,
)

_TDPS = np.linspace(0, 1, 201)


def plot_clusters_by_tdp(
    fitted: Any,
    *,
    cluster_threshold: int | None = None,
    map_index: int | None = None,
    axes: Any = None,
    title: str = "",
    output_file: str | Path | None = None,
) -> tuple[Axes, Axes]:
    """Draw how many clusters have at least a TDP, and how large they are, against the TDP.

    Parameters
    ----------
    fitted : AdaptiveTDPTransformer, ARISecondLevelModel, FittedMap or TDPForest
        A transformer that was fitted to a map; a model with such a transformer after
        ``compute_contrast(output_type="tdp")``; what either keeps of a map; or a forest.

    cluster_threshold : int or None, default=None
        Smallest size of a cluster that counts, in voxels. None for the ``cluster_threshold`` of
        the transformer.

    map_index : int or None, default=None
        Which of the maps is meant, if the transformer was fitted to several.

    axes : pair of matplotlib.axes.Axes, or None, default=None
        Where to draw the numbers, and the sizes; a new figure if None.

    title : str, default=""
        Title of the figure.

    output_file : str, Path or None, default=None
        File to write the figure to, as a whole or not at all; the figure is closed then. A ``~``
        at the start is the home folder.

    Returns
    -------
    number_axes, size_axes : matplotlib.axes.Axes
        The axes of the number of clusters, and of their sizes. The bounds of all clusters hold at
        once, so you may choose a TDP by these curves. A dashed line shows each ``tdp_threshold`` of
        the transformer.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If no map was seen yet.
    TypeError
        If ``fitted`` is none of these, or has other clusters than adaptive ones, or ``axes``
        are no two axes.
    ValueError
        If ``cluster_threshold`` is negative or no integer.
    OSError
        If ``output_file`` cannot be written: it is a folder, for example.

    See Also
    --------
    ari_estimator.TDPForest.profile : The numbers, of clusters of all sizes.

    Examples
    --------
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from ari_estimator import AdaptiveTDPTransformer
    >>> from ari_estimator.plotting import plot_clusters_by_tdp
    >>> ari = AdaptiveTDPTransformer(0.7, cluster_threshold=20)
    >>> tdp_img = ari.fit_transform(load_sample_motor_activation_image())
    >>> number_axes, size_axes = plot_clusters_by_tdp(ari)
    """
    figure_path = figure_file(output_file)
    forest, asked_size, asked_tdps, elements = _forest_of(fitted, map_index)
    smallest = asked_size if cluster_threshold is None else cluster_threshold
    if not isinstance(smallest, Integral) or smallest < 0:
        raise ValueError(
            f"cluster_threshold must be an integer, at least 0, or None. Got {cluster_threshold!r}."
        )
    sizes = [forest.sizes[forest.query(tdp)] for tdp in _TDPS]
    sizes = [of_query[of_query >= smallest] for of_query in sizes]
    number_axes, size_axes = pair_or_new(axes)
    number_axes.step(_TDPS, [s.size for s in sizes], where="pre", color=BLUE, linewidth=2)
    for name, colour, width, of_queries in (
        ("all together", BLUE, 2, [s.sum() for s in sizes]),
        ("the largest", GREY, 1.5, [s.max(initial=0) for s in sizes]),
    ):
        # Where there is none, nothing is drawn.
        shown = [size or np.nan for size in of_queries]
        size_axes.step(_TDPS, shown, where="pre", color=colour, linewidth=width, label=name)
    what = "Clusters" + (f" of {smallest:,} {elements} or more" if smallest > 1 else "")
    number_axes.set(ylabel=what)
    size_axes.set(ylabel=f"Size in {elements}", xlabel="TDP that is asked for, at least")
    number_axes.set_ylim(bottom=0)
    number_axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    # For a TDP of 0 the whole brain is a cluster. On its scale all others would look like 0.
    largest = [s.max() for s in sizes if s.size]
    if largest:
        in_decades(size_axes, "y", min(largest), sizes[0].sum())
    for one in (number_axes, size_axes):
        bare(one)
        one.set_xlim(0, 1)
        for tdp in asked_tdps:
            one.axvline(tdp, color="black", linestyle="--", linewidth=1)
    size_axes.legend(frameon=False)
    set_title(number_axes, title)
    written(figure_of(number_axes), figure_path)
    return number_axes, size_axes


def _forest_of(fitted: Any, map_index: int | None) -> tuple[TDPForest, int, tuple[float, ...], str]:
    """Return a forest, the smallest size and the TDPs that were asked for, and element names."""
    if isinstance(fitted, TDPForest):
        refuse_unused("with a TDPForest, which is one map", {"map_index": (map_index, None)})
        return fitted, 0, (), "elements"
    fitted_map = as_fitted_map(fitted, map_index)
    made_by = fitted_map.made_by
    if fitted_map.forest is None:
        raise TypeError(
            "fitted must have adaptive clusters, as an AdaptiveTDPTransformer, an "
            "ARISecondLevelModel with one, a FittedMap of either, or a TDPForest has. Got "
            f"{fitted_map.describe()['sets']['kind']}."
        )
    elements = fitted_map.frame.space.element_name[1]
    return fitted_map.forest, made_by.cluster_threshold, made_by.tdps or (), elements
