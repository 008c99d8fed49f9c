"""What figures share: axes that are given or new, colours, and the way to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from ari_estimator.files._given_path import given_path
from ari_estimator.files._input_files import input_files
from ari_estimator.files._output_path import file_to_write
from ari_estimator.files._whole_files import whole_file

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


def figure_file(output_file: str | Path | None, *drawn: Any) -> Path | None:
    """Return the file for a figure, which is checked before the figure is drawn.

    Parameters
    ----------
    output_file : str, Path or None
        What the user gave.

    *drawn : object
        Images that are drawn. If they are files, these are not replaced.

    Returns
    -------
    path : Path or None
        The file, with the ending that matplotlib gives a name that has none; or None.

    Raises
    ------
    TypeError, ValueError, OSError
        If it cannot be written.
    """
    if output_file is None:
        return None
    path = given_path(output_file, "output_file")
    if path.name and not path.suffix:
        path = path.with_name(f"{path.name.rstrip('.')}.{plt.rcParams['savefig.format']}")
    return file_to_write(path, "output_file", inputs=input_files(*drawn))


def written(figure: Figure, path: Path | None) -> None:
    """Write a figure to a file, as a whole or not at all, if there is one; and close it then."""
    if path is not None:
        try:
            with whole_file(path, "output_file") as temporary:
                figure.savefig(temporary, dpi=_DPI)
        finally:
            plt.close(figure)


def figure_of(axes: Axes) -> Figure:
    """Return the figure that axes are in, the whole of it."""
    figure = axes.figure
    while not isinstance(figure, Figure):  # a part of a figure
        figure = figure.figure
    return figure
