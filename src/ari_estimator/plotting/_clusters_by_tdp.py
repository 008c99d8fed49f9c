"""Draw the number and size of adaptive clusters against the TDP."""

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
    bare,
    check_size,
    colour,
    figure_file,
    figure_of,
    in_decades,
    in_plain_text,
    ink,
    muted,
    pair_or_new,
    set_title,
    written,
)

_TDPS = np.linspace(0, 1, 201)


@in_plain_text
def plot_clusters_by_tdp(
    fitted: Any,
    *,
    cluster_threshold: int | None = None,
    map_index: int | None = None,
    axes: Any = None,
    title: str = "",
    figsize: tuple[float, float] | None = None,
    output_file: str | Path | None = None,
    dpi: float | None = None,
) -> tuple[Axes, Axes]:
    """Draw the number and the size of the adaptive clusters against the TDP.

    Parameters
    ----------
    fitted : AdaptiveTDPTransformer, ARISecondLevelModel, FittedMap or TDPForest
        A transformer fitted to a map, a model with one after
        ``compute_contrast(output_type="tdp")``, a fitted map, or a forest.

    cluster_threshold : int or None, default=None
        Minimum size of the clusters, in voxels. None for the ``cluster_threshold`` of the
        transformer.

    map_index : int or None, default=None
        Number of the map, if the transformer was fitted to several.

    axes : pair of matplotlib.axes.Axes, or None, default=None
        Axes for the numbers and for the sizes; None for a new figure.

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
    number_axes, size_axes : matplotlib.axes.Axes
        The axes of the number of clusters and of their sizes. The bounds of all clusters hold at
        once, so you may use these curves to choose a TDP. A dashed line shows each
        ``tdp_threshold`` of the transformer.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the estimator was not fitted to a map.
    TypeError
        If ``fitted`` has another type or no adaptive clusters, or ``axes`` are not two axes.
    ValueError
        If ``figsize`` or ``dpi`` is not positive or has no effect; if ``cluster_threshold``
        is negative or not an integer.
    OSError
        If ``output_file`` cannot be written, for example because it is a folder.

    See Also
    --------
    ari_estimator.TDPForest.profile : The numbers for clusters of all sizes.

    Examples
    --------
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from ari_estimator import AdaptiveTDPTransformer
    >>> from ari_estimator.plotting import plot_clusters_by_tdp
    >>> ari = AdaptiveTDPTransformer(0.7, cluster_threshold=20)
    >>> tdp_img = ari.fit_transform(load_sample_motor_activation_image())
    >>> number_axes, size_axes = plot_clusters_by_tdp(ari)
    """
    check_size(figsize, dpi, axes, output_file)
    figure_path = figure_file(output_file)
    forest, asked_size, asked_tdps, elements = _forest_of(fitted, map_index)
    smallest = asked_size if cluster_threshold is None else cluster_threshold
    if not isinstance(smallest, Integral) or smallest < 0:
        raise ValueError(
            f"cluster_threshold must be an integer, at least 0, or None. Got {cluster_threshold!r}."
        )
    sizes = [forest.sizes[forest.query(tdp)] for tdp in _TDPS]
    sizes = [of_query[of_query >= smallest] for of_query in sizes]
    number_axes, size_axes = pair_or_new(axes, figsize=figsize)
    number_axes.step(_TDPS, [s.size for s in sizes], where="pre", color=colour("blue"), linewidth=2)
    for name, shade, width, of_queries in (
        ("all together", colour("blue"), 2, [s.sum() for s in sizes]),
        ("the largest", muted(), 1.5, [s.max(initial=0) for s in sizes]),
    ):
        # Draw nothing where there are no clusters.
        shown = [size or np.nan for size in of_queries]
        size_axes.step(_TDPS, shown, where="pre", color=shade, linewidth=width, label=name)
    what = "Clusters" + (f" of {smallest:,} {elements} or more" if smallest > 1 else "")
    number_axes.set(ylabel=what)
    size_axes.set(ylabel=f"Size in {elements}", xlabel="Requested TDP, at least")
    number_axes.set_ylim(bottom=0)
    number_axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    # For a TDP of 0, the whole brain is one cluster, and all others would look like 0 beside it.
    largest = [s.max() for s in sizes if s.size]
    if largest:
        in_decades(size_axes, "y", min(largest), sizes[0].sum())
    for one in (number_axes, size_axes):
        bare(one)
        one.set_xlim(0, 1)
        for tdp in asked_tdps:
            one.axvline(tdp, color=ink(), linestyle="--", linewidth=1)
    size_axes.legend(frameon=False)
    set_title(number_axes, title)
    written(figure_of(number_axes), figure_path, dpi)
    return number_axes, size_axes


def _forest_of(fitted: Any, map_index: int | None) -> tuple[TDPForest, int, tuple[float, ...], str]:
    """Return a forest, the minimum cluster size, the requested TDPs and the element names."""
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
