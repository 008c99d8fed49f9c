"""The TDP of clusters beside the statistic that it was computed from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from nilearn.image import get_data, load_img
from nilearn.plotting import find_cut_slices, plot_stat_map

# The TDP image has zeros where there is no cluster: they are not drawn, the rest is.
_NOT_ZERO = 1e-6


def plot_tdp(
    stat_img: Any,
    tdp_img: Any,
    *,
    cut_coords: int | Sequence[float] = 6,
    threshold: float | None = None,
    title: str = "",
    output_file: str | Path | None = None,
) -> Figure:
    """Draw a statistical map, and below it the true discovery proportion of its clusters.

    Parameters
    ----------
    stat_img : 3D Niimg-like object
        The statistical map.

    tdp_img : 3D Niimg-like object
        True discovery proportions, as from
        :class:`~ari_estimator.ClusterTDPTransformer`.

    cut_coords : int or sequence of float, default=6
        Axial slices to draw: their z in mm, or how many, chosen where the TDP is.

    threshold : float or None, default=None
        The statistic is drawn where its absolute value is above; everywhere if None.

    title : str, default=""
        Title of the figure.

    output_file : str, Path or None, default=None
        File to write the figure to; the figure is closed then.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure. TDPs are drawn on a scale from 0 to 1, whatever their values.
    """
    if isinstance(cut_coords, int):
        shown = tdp_img if get_data(load_img(tdp_img)).any() else stat_img
        cuts = find_cut_slices(shown, direction="z", n_cuts=cut_coords).tolist()
    else:
        cuts = list(cut_coords)
    figure, (stat_axes, tdp_axes) = plt.subplots(2, 1, figsize=(1.9 * len(cuts) + 0.8, 5))
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.01, top=0.86, hspace=0.12)
    figure.suptitle(title)
    shared = {"display_mode": "z", "cut_coords": cuts, "colorbar": True}
    stat_axes.set_title("Statistic", loc="left")
    plot_stat_map(stat_img, axes=stat_axes, threshold=threshold or _NOT_ZERO, **shared)
    tdp_axes.set_title("True discovery proportion of its clusters", loc="left")
    plot_stat_map(
        tdp_img, axes=tdp_axes, threshold=_NOT_ZERO, vmin=0, vmax=1, cmap="viridis", **shared
    )
    if output_file is not None:
        figure.savefig(output_file, dpi=120)
        plt.close(figure)
    return figure
