"""The TDP of clusters beside the statistic that it was computed from."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from nilearn.image import get_data, load_img
from nilearn.plotting import find_cut_slices, plot_glass_brain, plot_stat_map
from nilearn.surface import SurfaceImage

from ari_estimator.plotting._figure import TDP_CMAP, written

DisplayMode = Literal["x", "y", "z", "glass"]

# The TDP image has zeros where there is no cluster: they are not drawn, the rest is.
NOT_ZERO = 1e-6

_TITLES = ("Statistic", "True discovery proportion")


def plot_tdp(
    stat_img: Any,
    tdp_img: Any,
    *,
    display_mode: DisplayMode = "z",
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

    display_mode : {"z", "x", "y", "glass"}, default="z"
        Axial, sagittal or coronal slices; or a glass brain from all sides, on which each
        point shows the value that is largest (of the statistic, farthest from 0) along the
        line of sight.

    cut_coords : int or sequence of float, default=6
        Slices to draw: their place in mm, or how many, chosen where the TDP is. A glass brain
        has none.

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

    Raises
    ------
    TypeError
        If an image is a surface.
    ValueError
        If there is no such display mode.

    See Also
    --------
    plot_tdp_surface : For surfaces.

    Examples
    --------
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from ari_estimator import ClusterTDPTransformer
    >>> from ari_estimator.plotting import plot_tdp
    >>> stat_img = load_sample_motor_activation_image()
    >>> tdp_img = ClusterTDPTransformer().fit_transform(stat_img)
    >>> figure = plot_tdp(stat_img, tdp_img, display_mode="glass", threshold=3.09)
    """
    if display_mode not in get_args(DisplayMode):
        raise ValueError(
            f"display_mode must be one of {list(get_args(DisplayMode))}. Got {display_mode!r}."
        )
    for name, img in (("stat_img", stat_img), ("tdp_img", tdp_img)):
        if isinstance(img, SurfaceImage):
            raise TypeError(f"{name} must be a volume. Got a surface: plot_tdp_surface draws it.")
    if display_mode == "glass":
        figure = _drawn(_glass_brains, stat_img, tdp_img, threshold or NOT_ZERO)
    else:
        if isinstance(cut_coords, int):
            shown = tdp_img if get_data(load_img(tdp_img)).any() else stat_img
            cuts = find_cut_slices(shown, direction=display_mode, n_cuts=cut_coords).tolist()
        else:
            cuts = list(cut_coords)
        figure = _drawn(_slices, stat_img, tdp_img, threshold or NOT_ZERO, display_mode, cuts)
    figure.suptitle(title, parse_math=False)
    written(figure, output_file)
    return figure


def _drawn(draw: Callable[..., Figure], *args: Any) -> Figure:
    """Draw without the warnings that nothing is there to be drawn, which is a result as well."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="empty mask", category=UserWarning)
        return draw(*args)


def _slices(
    stat_img: Any, tdp_img: Any, threshold: float, display_mode: str, cuts: list[float]
) -> Figure:
    figure, (stat_axes, tdp_axes) = plt.subplots(2, 1, figsize=(1.9 * len(cuts) + 0.8, 5))
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.01, top=0.86, hspace=0.12)
    shared = {"display_mode": display_mode, "cut_coords": cuts, "colorbar": True}
    for axes, title in zip((stat_axes, tdp_axes), _TITLES, strict=True):
        axes.set_title(title, loc="left")
    plot_stat_map(stat_img, axes=stat_axes, threshold=threshold, **shared)
    plot_stat_map(
        tdp_img, axes=tdp_axes, threshold=NOT_ZERO, vmin=0, vmax=1, cmap=TDP_CMAP, **shared
    )
    return figure


def _glass_brains(stat_img: Any, tdp_img: Any, threshold: float) -> Figure:
    figure, (stat_axes, tdp_axes) = plt.subplots(2, 1, figsize=(10.5, 5.6))
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.01, top=0.87, hspace=0.12)
    for axes, title in zip((stat_axes, tdp_axes), _TITLES, strict=True):
        axes.set_title(title, loc="left")
    shared = {"display_mode": "lyrz", "colorbar": True, "plot_abs": False}
    plot_glass_brain(stat_img, axes=stat_axes, threshold=threshold, **shared)
    plot_glass_brain(
        tdp_img, axes=tdp_axes, threshold=NOT_ZERO, vmin=0, vmax=1, cmap=TDP_CMAP, **shared
    )
    return figure
