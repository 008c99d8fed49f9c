"""Draw the TDP of clusters together with the statistic."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from nilearn.image import get_data, load_img, new_img_like
from nilearn.plotting import find_cut_slices, plot_glass_brain, plot_stat_map
from nilearn.plotting.displays import BaseSlicer
from nilearn.surface import SurfaceImage

from ari_estimator.images._volume_formats import as_nifti
from ari_estimator.plotting._figure import (
    ONE_SIDED_CMAP,
    TDP_CMAP,
    check_size,
    figure_file,
    figure_of,
    in_plain_text,
    ink,
    is_dark,
    pair_or_new,
    written,
)
from ari_estimator.plotting._shown_map import NOT_ZERO, shown_or_given

DisplayMode = Literal["x", "y", "z", "glass"]

_TITLES = ("Statistic", "True discovery proportion, at least")


@in_plain_text
def plot_tdp(
    stat_img: Any,
    tdp_img: Any = None,
    *,
    display_mode: DisplayMode = "z",
    cut_coords: int | Sequence[float] = 6,
    threshold: float | None = None,
    two_sided: bool | None = None,
    map_index: int | None = None,
    axes: Any = None,
    title: str = "",
    figsize: tuple[float, float] | None = None,
    output_file: str | Path | None = None,
    dpi: float | None = None,
) -> tuple[BaseSlicer, BaseSlicer]:
    """Draw a statistical map and, below it, the true discovery proportion of its clusters.

    Parameters
    ----------
    stat_img : 3D Niimg-like object, transformer, ARISecondLevelModel or FittedMap
        The statistical map. Or a fitted transformer, model or map, which also has the TDPs, the
        threshold and the side of the test. For a CIFTI map, the voxels are drawn.

    tdp_img : 3D Niimg-like object or None, default=None
        True discovery proportions, as from
        :class:`~ari_estimator.ClusterTDPTransformer`. None if ``stat_img`` is fitted.

    display_mode : {"z", "x", "y", "glass"}, default="z"
        Axial, sagittal or coronal slices, or a glass brain seen from all sides. Each point of a
        glass brain shows the largest value along the line of sight; for the statistic, the value
        farthest from 0.

    cut_coords : int or sequence of float, default=6
        Slices to draw: their positions in mm, or their number. With a number, slices are placed
        where the TDP is positive. Ignored for a glass brain.

    threshold : float or None, default=None
        The statistic is drawn where its absolute value exceeds this threshold. None for the
        lowest threshold of the clusters if ``stat_img`` is fitted, and everywhere otherwise.

    two_sided : bool or None, default=None
        Whether to draw negative values of the statistic. Set it to False for the images of a
        one-sided test. None for the side of the test if ``stat_img`` is fitted, and for both
        sides otherwise.

    map_index : int or None, default=None
        Number of the map, if the transformer was fitted to several.

    axes : pair of matplotlib.axes.Axes, or None, default=None
        Axes for the statistic and for the TDP; None for a new figure.

    title : str, default=""
        Title of the figure, or of the first axes if axes are given.

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
    stat_display, tdp_display : nilearn displays
        The displays of the statistic and of the TDP, from nilearn's ``plot_stat_map`` or
        ``plot_glass_brain``. Use them to add contours, for example. The colour scale of the TDPs
        is always 0 to 1.

    Raises
    ------
    TypeError
        If an image is a surface or missing, or ``axes`` are not two axes.
    ValueError
        If ``figsize`` or ``dpi`` is not positive or has no effect; if the display mode is
        unknown; or if the fitted map has no voxels.
    OSError
        If ``output_file`` cannot be written, for example because it is a folder.

    See Also
    --------
    plot_tdp_surface : For surfaces.

    Notes
    -----
    Slices show values of voxels, without interpolation. So a cluster looks the same in a map whose
    grid is turned, and each colour is a TDP that was found.

    Examples
    --------
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from ari_estimator import ClusterTDPTransformer
    >>> from ari_estimator.plotting import plot_tdp
    >>> stat_img = load_sample_motor_activation_image()
    >>> ari = ClusterTDPTransformer()
    >>> tdp_img = ari.fit_transform(stat_img)
    >>> displays = plot_tdp(ari, display_mode="glass")
    >>> displays = plot_tdp(stat_img, tdp_img, threshold=3.09, two_sided=False)
    """
    check_size(figsize, dpi, axes, output_file)
    figure_path = figure_file(output_file, stat_img, tdp_img)
    if display_mode not in get_args(DisplayMode):
        raise ValueError(
            f"display_mode must be one of {list(get_args(DisplayMode))}. Got {display_mode!r}."
        )
    stat_img, tdp_img, threshold, two_sided = shown_or_given(
        stat_img,
        tdp_img,
        kind="volumes",
        threshold=threshold,
        two_sided=two_sided,
        map_index=map_index,
    )
    for name, img in (("stat_img", stat_img), ("tdp_img", tdp_img)):
        if isinstance(img, SurfaceImage):
            raise TypeError(f"{name} must be a volume. Got a surface: plot_tdp_surface draws it.")
    stat_img, tdp_img = as_nifti(stat_img), as_nifti(tdp_img)
    # Other interpolations draw values between two neighbours: TDPs that nothing has.
    shared: dict[str, Any] = {
        "colorbar": True,
        "resampling_interpolation": "nearest",
        "black_bg": is_dark(),
        "annotate": False,
    }
    if display_mode == "glass":
        plot, size = plot_glass_brain, (10.5, 5.6)
        shared |= {"display_mode": "lyrz", "plot_abs": False}
    else:
        cuts = cuts_of(stat_img, tdp_img, display_mode, cut_coords)
        plot, size = plot_stat_map, (1.9 * len(cuts) + 0.8, 5.2)
        shared |= {"display_mode": display_mode, "cut_coords": cuts}
    of_stat: dict[str, Any] = {"threshold": threshold or NOT_ZERO}
    if not two_sided:
        stat_img, highest = _positive(stat_img)
        of_stat |= {"vmin": 0, "vmax": highest, "cmap": ONE_SIDED_CMAP}
    stat_axes, tdp_axes = pair_or_new(axes, figsize=figsize or size, sharex=False)
    figure = figure_of(stat_axes)
    if axes is None:
        figure.subplots_adjust(
            left=0.01, right=0.99, bottom=0.01, top=0.865 if title else 0.93, hspace=0.2
        )
        figure.suptitle(title, parse_math=False)
    else:
        stat_axes.set_title(title, parse_math=False)
    for one, name in zip((stat_axes, tdp_axes), _TITLES, strict=True):
        one.set_title(name, loc="left")
    with warnings.catch_warnings():
        # An empty map is a result too.
        warnings.filterwarnings("ignore", message="empty mask", category=UserWarning)
        displays = (
            plot(stat_img, axes=stat_axes, **of_stat, **shared),
            plot(
                tdp_img, axes=tdp_axes, threshold=NOT_ZERO, vmin=0, vmax=1, cmap=TDP_CMAP, **shared
            ),
        )
    for display in displays:
        name_places(display)
    written(figure, figure_path, dpi)
    return displays


def name_places(display: BaseSlicer) -> None:
    """Write the sides and the positions of slices, on sagittal slices too and with their unit.

    Parameters
    ----------
    display : BaseSlicer
        nilearn's display, drawn with ``annotate=False``.
    """
    display.annotate(positions=False)
    style: dict[str, Any] = {"color": ink(), "zorder": 1000}
    for cut in display.axes.values():
        direction, coord = cut.direction, getattr(cut, "coord", None)
        if coord is None:
            continue  # a glass brain
        on_slice = {**style, "transform": cut.ax.transAxes}
        cut.ax.text(
            0,
            0,
            f"{direction} = {coord:.0f} mm",
            va="bottom",
            fontsize=10,
            bbox={"boxstyle": "square,pad=0", "facecolor": ink(0), "edgecolor": "none"},
            **on_slice,
        )
        if direction == "x":
            cut.ax.text(0.02, 0.98, "P", va="top", fontsize=12, **on_slice)
            cut.ax.text(0.98, 0.98, "A", ha="right", va="top", fontsize=12, **on_slice)


def cuts_of(
    stat_img: Any,
    tdp_img: Any,
    direction: Literal["x", "y", "z"],
    cut_coords: int | Sequence[float],
) -> list[float]:
    """Return the positions of slices, in mm, from their number or as they are given."""
    if not isinstance(cut_coords, int):
        return list(cut_coords)
    shown = tdp_img if get_data(load_img(tdp_img)).any() else stat_img
    cuts: list[float] = find_cut_slices(shown, direction=direction, n_cuts=cut_coords).tolist()
    return cuts


def _positive(img: Any) -> tuple[Any, float]:
    """Return an image without values below 0, and its largest value."""
    img = load_img(img)
    values = np.nan_to_num(get_data(img))
    values = np.where(values > 0, values, 0)
    return new_img_like(img, values), float(values.max(initial=0)) or 1.0
