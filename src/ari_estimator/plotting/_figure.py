"""Axes, colours and files of all figures."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from numbers import Real
from pathlib import Path
from typing import Any, Final, Literal, ParamSpec, TypeVar

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, PercentFormatter

from ari_estimator._unused_options import refuse_unused
from ari_estimator.files._given_path import given_path
from ari_estimator.files._input_files import input_files
from ari_estimator.files._output_path import file_to_write
from ari_estimator.files._whole_files import whole_file

# From the palette of Okabe and Ito, which works for all types of colour vision.
# Each has a lighter form, for dark styles.
_COLOURS: Final = {
    "blue": ("#0072B2", "#56B4E9"),
    "vermillion": ("#D55E00", "#E69F00"),
    "green": ("#009E73", "#2FD6A6"),
}

# From dark to light for all types of colour vision and in greyscale.
TDP_CMAP: Final = "viridis"

# For values of one sign.
ONE_SIDED_CMAP: Final = "YlOrRd"

# What journals ask for.
_DPI = 300

# Finer pictures would take gigabytes of memory.
_MOST_DPI = 2400

_Asked = ParamSpec("_Asked")
_Drawn = TypeVar("_Drawn")


def in_plain_text(plot: Callable[_Asked, _Drawn]) -> Callable[_Asked, _Drawn]:
    """Decorate a function that draws, so that LaTeX does not set its texts.

    Names of regions, "%" and Greek letters are errors in LaTeX, or commands.
    """

    @wraps(plot)
    def wrapped(*args: _Asked.args, **kwargs: _Asked.kwargs) -> _Drawn:
        with plt.rc_context({"text.usetex": False}):
            return plot(*args, **kwargs)

    return wrapped


def ink(strength: float = 1.0) -> str:
    """Return a colour to draw with that is readable in the current style, dark or light.

    Parameters
    ----------
    strength : float, default=1.0
        1 for the colour of texts, 0 for the colour of the background.

    Returns
    -------
    colour : str
        The colour.
    """
    paper = plt.rcParams["axes.facecolor"]
    paper = np.array(to_rgb("white" if paper == "none" else paper))
    return to_hex(paper + strength * (np.array(to_rgb(plt.rcParams["text.color"])) - paper))


def colour(name: Literal["blue", "vermillion", "green"]) -> str:
    """Return a colour that stands out in the current style, dark or light."""
    return _COLOURS[name][is_dark()]


def muted() -> str:
    """Return a colour for lines and texts that explain."""
    return ink(0.65)


def is_dark() -> bool:
    """Tell whether the current style draws light texts on a dark background."""
    return sum(to_rgb(ink(1))) > sum(to_rgb(ink(0)))


def check_size(figsize: Any, dpi: Any, axes: Any, output_file: Any) -> None:
    """Check the size and the resolution of a figure.

    Raises
    ------
    ValueError
        If one is not positive or has no effect.
    """
    if axes is not None:
        refuse_unused("with axes, which have a size", {"figsize": (figsize, None)})
    if output_file is None:
        refuse_unused("without an output_file. Give it to savefig instead", {"dpi": (dpi, None)})
    if figsize is not None and not (
        np.shape(figsize) == (2,) and all(_is_positive(one) for one in figsize)
    ):
        raise ValueError(
            f"figsize must be the width and the height in inches, or None. Got {figsize!r}."
        )
    if dpi is not None:
        check_dpi(dpi)


def check_dpi(dpi: Any) -> None:
    """Check the resolution of a file.

    Raises
    ------
    ValueError
        If it is out of range.
    """
    if not _is_positive(dpi) or dpi > _MOST_DPI:
        raise ValueError(
            f"dpi must be a number of dots per inch above 0, at most {_MOST_DPI}. Got {dpi!r}."
        )


def _is_positive(value: Any) -> bool:
    return isinstance(value, Real) and 0 < float(value) < float("inf")


def axes_or_new(axes: Any, *, figsize: tuple[float, float] | None) -> Axes:
    """Return the given axes, or the axes of a new figure.

    Raises
    ------
    TypeError
        If the argument has another type.
    """
    if axes is None:
        return plt.subplots(figsize=figsize or (6.4, 4.2), layout="constrained")[1]
    if not isinstance(axes, Axes):
        raise TypeError(f"axes must be matplotlib axes or None. Got {type(axes).__name__}.")
    return axes


def pair_or_new(
    axes: Any, *, figsize: tuple[float, float] | None, sharex: bool = True
) -> tuple[Axes, Axes]:
    """Return the two given axes, or two axes of a new figure, one below the other.

    Raises
    ------
    TypeError
        If the argument has another type.
    """
    if axes is None:
        layout: Any = "constrained" if sharex else None
        first, second = plt.subplots(
            2, 1, figsize=figsize or (6.4, 5.6), sharex=sharex, layout=layout
        )[1]
        return first, second
    pair = tuple(np.ravel(axes)) if np.ndim(axes) else (axes,)
    if len(pair) != 2 or not all(isinstance(one, Axes) for one in pair):
        raise TypeError(
            "axes must be two matplotlib axes, the upper and the lower one, or None. "
            f"Got {[type(one).__name__ for one in pair]}."
        )
    return pair[0], pair[1]


def bare(axes: Axes) -> None:
    """Remove lines without information, and draw grid lines."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(True, color=ink(0.12), linewidth=0.8)
    axes.set_axisbelow(True)


def in_decades(axes: Axes, which: Literal["x", "y"], low: float, high: float) -> None:
    """Make an axis logarithmic over whole decades, so that it has ticks."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    set_limits = axes.set_xlim if which == "x" else axes.set_ylim
    axes.set(**{f"{which}scale": "log"})
    start = 10 ** np.floor(np.log10(0.9 * low))
    # Counts start at 1: a tick at 0.1 would be rounded to 0.
    set_limits(max(start, 0.8) if low >= 1 else start, 10 ** np.ceil(np.log10(1.1 * high)))
    axis.set_major_formatter("{x:,.0f}" if low >= 1 else "{x:g}")
    axis.set_minor_formatter(NullFormatter())


def in_percent(axes: Axes) -> None:
    """Label the ticks of the y axis in percent."""
    # "is_latex" keeps matplotlib from escaping the sign, since LaTeX does not set the labels.
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, is_latex=True))


def set_title(axes: Axes, title: str) -> None:
    """Set a title as plain text, so that a dollar sign does not start a formula."""
    if title:
        axes.set_title(title, loc="left", parse_math=False)


def figure_file(output_file: str | Path | None, *drawn: Any) -> Path | None:
    """Check and return the file for a figure before the figure is drawn.

    Parameters
    ----------
    output_file : str, Path or None
        The argument as given by the user.

    *drawn : object
        Images that are drawn. Their files are never overwritten.

    Returns
    -------
    path : Path or None
        The file, with matplotlib's default extension if it has none; or None.

    Raises
    ------
    TypeError, ValueError, OSError
        If the file cannot be written.
    """
    if output_file is None:
        return None
    path = given_path(output_file, "output_file")
    if path.name and not path.suffix:
        path = path.with_name(f"{path.name.rstrip('.')}.{plt.rcParams['savefig.format']}")
    return file_to_write(path, "output_file", inputs=input_files(*drawn))


def written(figure: Figure, path: Path | None, dpi: float | None) -> None:
    """Write the figure completely or not at all, and close it; do nothing without a file."""
    if path is not None:
        try:
            with whole_file(path, "output_file") as temporary:
                figure.savefig(temporary, dpi=_DPI if dpi is None else dpi)
        finally:
            plt.close(figure)


def figure_of(axes: Axes) -> Figure:
    """Return the top-level figure of axes."""
    figure = axes.figure
    while not isinstance(figure, Figure):  # a part of a figure
        figure = figure.figure
    return figure
