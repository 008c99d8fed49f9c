"""What figures share: axes that are given or new, colours, and the way to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

# Of the palette of Okabe and Ito, which can be told apart with any colour vision.
BLUE: Final = "#0072B2"
VERMILLION: Final = "#D55E00"
GREEN: Final = "#009E73"
GREY: Final = "#5f5f5f"

# From dark to light in all colour vision, and in grey.
TDP_CMAP: Final = "viridis"

_DPI = 120


def axes_or_new(axes: Any, *, figsize: tuple[float, float] = (6.4, 4.2)) -> Axes:
    """Return axes that were given, or the axes of a new figure.

    Raises
    ------
    TypeError
        If something else was given.
    """
    if axes is None:
        return plt.subplots(figsize=figsize, layout="constrained")[1]
    if not isinstance(axes, Axes):
        raise TypeError(f"axes must be matplotlib axes or None. Got {type(axes).__name__}.")
    return axes


def pair_or_new(
    axes: Any, *, figsize: tuple[float, float] = (6.4, 5.6), sharex: bool = True
) -> tuple[Axes, Axes]:
    """Return two axes that were given, or two axes of a new figure, one below the other.

    Raises
    ------
    TypeError
        If something else was given.
    """
    if axes is None:
        layout: Any = "constrained" if sharex else None
        first, second = plt.subplots(2, 1, figsize=figsize, sharex=sharex, layout=layout)[1]
        return first, second
    pair = tuple(np.ravel(axes)) if np.ndim(axes) else (axes,)
    if len(pair) != 2 or not all(isinstance(one, Axes) for one in pair):
        raise TypeError(
            "axes must be two matplotlib axes, the upper and the lower one, or None. "
            f"Got {[type(one).__name__ for one in pair]}."
        )
    return pair[0], pair[1]


def bare(axes: Axes) -> None:
    """Leave out lines that show nothing, and draw those to read values by."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(True, color="0.9", linewidth=0.8)
    axes.set_axisbelow(True)


def in_decades(axes: Axes, which: Literal["x", "y"], low: float, high: float) -> None:
    """Make an axis logarithmic, of whole decades, so that there are ticks to read it by."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    set_limits = axes.set_xlim if which == "x" else axes.set_ylim
    axes.set(**{f"{which}scale": "log"})
    set_limits(10 ** np.floor(np.log10(0.9 * low)), 10 ** np.ceil(np.log10(1.1 * high)))
    axis.set_major_formatter("{x:,.0f}" if low >= 1 else "{x:g}")
    axis.set_minor_formatter(NullFormatter())


def set_title(axes: Axes, title: str) -> None:
    """Set a title as it is: a dollar sign in it starts no formula."""
    if title:
        axes.set_title(title, loc="left", parse_math=False)


def written(figure: Figure, output_file: str | Path | None) -> None:
    """Write a figure to a file, if there is one, and close it then."""
    if output_file is not None:
        figure.savefig(output_file, dpi=_DPI)
        plt.close(figure)


def figure_of(axes: Axes) -> Figure:
    """Return the figure that axes are in, the whole of it."""
    figure = axes.figure
    while not isinstance(figure, Figure):  # a part of a figure
        figure = figure.figure
    return figure
