"""A colour bar of a thresholded map, as nilearn draws it."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from ari_estimator.plotting._shown_map import NOT_ZERO

_GREY = (0.5, 0.5, 0.5, 1.0)
_N_COLOURS = 512
_N_TICKS = 5

# Two ticks are at least this part of the bar apart.
_GAP = 0.07


def draw_colour_bar(
    figure: Figure, colours: ScalarMappable, threshold: float, **place: Any
) -> Colorbar:
    """Draw a colour bar that is grey where values are not drawn.

    Parameters
    ----------
    figure : Figure
        The figure.

    colours : ScalarMappable
        Colours of values.

    threshold : float
        Values are drawn if their absolute value is above it.

    **place : dict
        ``ax`` or ``cax`` for :meth:`matplotlib.figure.Figure.colorbar`.

    Returns
    -------
    bar : Colorbar
        The bar, with ticks at both ends and at the threshold.
    """
    low, high = colours.get_clim()
    is_thresholded = NOT_ZERO < threshold < high
    steps = low + (high - low) * (np.arange(_N_COLOURS) + 0.5) / _N_COLOURS
    shades = colours.to_rgba(steps)
    if is_thresholded:
        shades[np.abs(steps) < threshold] = _GREY
    bar = figure.colorbar(ScalarMappable(colours.norm, ListedColormap(shades)), **place)
    wanted = [low, high]
    if is_thresholded:
        wanted += [-threshold, threshold, 0]
    else:
        wanted += np.linspace(low, high, _N_TICKS).tolist()
    ticks: list[float] = []
    for tick in wanted:
        is_far = all(abs(tick - other) > _GAP * (high - low) for other in ticks)
        if low <= tick <= high and is_far:
            ticks.append(tick)
    bar.set_ticks(sorted(ticks), labels=[f"{tick:.2g}" for tick in sorted(ticks)])
    return bar
