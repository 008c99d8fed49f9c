"""Draw the confidence curve: the bounds of the k strongest voxels, for each k."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ari_estimator.closed_testing._rounding import proportion_text
from ari_estimator.estimators._as_fitted_map import as_fitted_map
from ari_estimator.plotting._figure import (
    bare,
    check_size,
    colour,
    figure_file,
    figure_of,
    in_percent,
    in_plain_text,
    muted,
    pair_or_new,
    set_title,
    written,
)

# No figure can show more points than this.
_MOST_POINTS = 4000


@in_plain_text
def plot_tdp_curve(
    fitted: Any,
    *,
    mask_img: Any = None,
    seed: Sequence[float] | None = None,
    radius: float | None = None,
    indices: Any = None,
    map_index: int | None = None,
    axes: Any = None,
    title: str = "",
    figsize: tuple[float, float] | None = None,
    output_file: str | Path | None = None,
    dpi: float | None = None,
) -> tuple[Axes, Axes]:
    """Draw the bounds of the k strongest voxels of a map, or of a set, against k.

    Parameters
    ----------
    fitted : transformer, ARISecondLevelModel or FittedMap
        A transformer fitted to a map, a model after ``compute_contrast(output_type="tdp")``, or a
        fitted map.

    mask_img, seed, radius, indices : optional
        A set, as for :func:`~ari_estimator.set_bound`. The default is all tested voxels.

    map_index : int or None, default=None
        Number of the map, if the transformer was fitted to several.

    axes : pair of matplotlib.axes.Axes, or None, default=None
        Axes for the TDP and for the true discoveries; None for a new figure.

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
    tdp_axes, count_axes : matplotlib.axes.Axes
        The axes of the TDP and of the number of active voxels. All points of both curves hold at
        once.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the estimator was not fitted to a map.
    TypeError
        If ``fitted`` has another type, or ``axes`` are not two axes.
    ValueError
        If ``figsize`` or ``dpi`` is not positive or has no effect; if the set is malformed
        or has no tested voxels.
    OSError
        If ``output_file`` cannot be written, for example because it is a folder.

    See Also
    --------
    ari_estimator.confidence_curve : The numbers.

    Examples
    --------
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from ari_estimator import ClusterTDPTransformer
    >>> from ari_estimator.plotting import plot_tdp_curve
    >>> ari = ClusterTDPTransformer()
    >>> tdp_img = ari.fit_transform(load_sample_motor_activation_image())
    >>> tdp_axes, count_axes = plot_tdp_curve(ari, seed=(39, -22, 58), radius=30)
    """
    check_size(figsize, dpi, axes, output_file)
    figure_path = figure_file(output_file)
    fitted_map = as_fitted_map(fitted, map_index)
    curve = fitted_map.confidence_curve(
        mask_img=mask_img, seed=seed, radius=radius, indices=indices
    )
    elements = fitted_map.frame.space.element_name[1]
    tdp_axes, count_axes = pair_or_new(axes, figsize=figsize)
    n = len(curve)
    if n > _MOST_POINTS:
        curve = curve.iloc[np.unique(np.geomspace(1, n, _MOST_POINTS).round().astype(int)) - 1]
    last = curve.iloc[-1]
    tdp_axes.plot(curve["n_selected"], curve["tdp"], color=colour("blue"), linewidth=2)
    tdp_axes.set(ylabel="TDP, at least", ylim=(-0.02, 1.02))
    in_percent(tdp_axes)
    count_axes.plot(
        curve["n_selected"], curve["true_discoveries"], color=colour("blue"), linewidth=2
    )
    count_axes.set(ylabel=f"Active {elements}, at least", xlabel=f"Number of strongest {elements}")
    # A curve of zeros would get ticks between 0 and 0.
    count_axes.set_ylim(bottom=0, top=1 if last["true_discoveries"] == 0 else None)
    count_axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    count_axes.yaxis.set_major_formatter("{x:,.0f}")
    whole = f"all {n:,} {elements}: at least"
    tdp = f"{whole} {proportion_text(last['tdp'], percent=True)}"
    count = f"{whole} {int(last['true_discoveries']):,}"
    # The upper curve falls. The lower one rises: if it does so early, its free corner is on the
    # right.
    middle = curve["true_discoveries"].iloc[curve["n_selected"].searchsorted(np.sqrt(n))]
    is_early = middle > 0.5 * last["true_discoveries"] > 0
    for one, text, value, corner in (
        (tdp_axes, tdp, last["tdp"], (0.03, 0.08, "left")),
        (
            count_axes,
            count,
            last["true_discoveries"],
            (0.97, 0.08, "right") if is_early else (0.03, 0.82, "left"),
        ),
    ):
        bare(one)
        if n > 1:
            one.set_xscale("log")
            one.set_xlim(1, n)
            one.xaxis.set_major_formatter("{x:,.0f}")
        one.plot([n], [value], "o", color=muted(), clip_on=False, zorder=3)
        x, y, side = corner
        one.text(x, y, text, transform=one.transAxes, color=muted(), ha=side)
    if axes is None:
        figure_of(tdp_axes).align_ylabels()
    set_title(tdp_axes, title)
    written(figure_of(tdp_axes), figure_path, dpi)
    return tdp_axes, count_axes
