"""The TDP of clusters beside the statistic that it was computed from."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from nilearn.image import get_data, load_img
from nilearn.plotting import find_cut_slices, plot_glass_brain, plot_stat_map
from nilearn.plotting.displays import BaseSlicer
from nilearn.surface import SurfaceImage

from ari_estimator.images._volume_formats import as_nifti
from ari_estimator.plotting._figure import TDP_CMAP, figure_file, figure_of, pair_or_new, written

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
    axes: Any = None,
    title: str = "",
    output_file: str | Path | None = None,
) -> tuple[BaseSlicer, BaseSlicer]:
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

    axes : pair of matplotlib.axes.Axes, or None, default=None
        Where to draw the statistic, and the TDP; a new figure if None.

    title : str, default=""
        Title of the figure; of the first axes, if axes are given.

    output_file : str, Path or None, default=None
        File to write the figure to, as a whole or not at all; the figure is closed then. A ``~``
        at the start is the home folder.

    Returns
    -------
    stat_display, tdp_display : nilearn displays
        What nilearn's ``plot_stat_map`` or ``plot_glass_brain`` gives of the statistic and of
        the TDP, to add contours to, for example. TDPs are drawn on a scale from 0 to 1, whatever
        their values.

    Raises
    ------
    TypeError
        If an image is a surface, or ``axes`` are no two axes.
    ValueError
        If there is no such display mode.
    OSError
        If ``output_file`` cannot be written: it is a folder, for example.

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
    >>> displays = plot_tdp(stat_img, tdp_img, display_mode="glass", threshold=3.09)
    """
    figure_path = figure_file(output_file, stat_img, tdp_img)
    if display_mode not in get_args(DisplayMode):
        raise ValueError(
            f"display_mode must be one of {list(get_args(DisplayMode))}. Got {display_mode!r}."
        )
    for name, img in (("stat_img", stat_img), ("tdp_img", tdp_img)):
        if isinstance(img, SurfaceImage):
            raise TypeError(f"{name} must be a volume. Got a surface: plot_tdp_surface draws it.")
    stat_img, tdp_img = as_nifti(stat_img), as_nifti(tdp_img)
    shared: dict[str, Any] = {"colorbar": True}
    if display_mode == "glass":
        plot, figsize = plot_glass_brain, (10.5, 5.6)
        shared |= {"display_mode": "lyrz", "plot_abs": False}
    else:
        if isinstance(cut_coords, int):
            shown = tdp_img if get_data(load_img(tdp_img)).any() else stat_img
            cuts = find_cut_slices(shown, direction=display_mode, n_cuts=cut_coords).tolist()
        else:
            cuts = list(cut_coords)
        plot, figsize = plot_stat_map, (1.9 * len(cuts) + 0.8, 5.0)
        shared |= {"display_mode": display_mode, "cut_coords": cuts}
    stat_axes, tdp_axes = pair_or_new(axes, figsize=figsize, sharex=False)
    figure = figure_of(stat_axes)
    if axes is None:
        figure.subplots_adjust(left=0.01, right=0.99, bottom=0.01, top=0.865, hspace=0.12)
        figure.suptitle(title, parse_math=False)
    else:
        stat_axes.set_title(title, parse_math=False)
    for one, name in zip((stat_axes, tdp_axes), _TITLES, strict=True):
        one.set_title(name, loc="left")
    with warnings.catch_warnings():
        # That nothing is there to be drawn is a result as well.
        warnings.filterwarnings("ignore", message="empty mask", category=UserWarning)
        displays = (
            plot(stat_img, axes=stat_axes, threshold=threshold or NOT_ZERO, **shared),
            plot(
                tdp_img, axes=tdp_axes, threshold=NOT_ZERO, vmin=0, vmax=1, cmap=TDP_CMAP, **shared
            ),
        )
    written(figure, figure_path)
    return displays
