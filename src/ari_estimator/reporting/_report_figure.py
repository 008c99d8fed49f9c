"""One figure of a report."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

# Names of all figures that reports have.
FIGURE_NAMES: Final = (
    "slices", "surfaces", "array", "clusters", "regions", "strongest", "clusters_by_tdp",
    "permutations", "design",
)  # fmt: skip

# The resolution of pictures in a page. Separate files are finer.
_DPI = 110


_SLICES = {"x": "Sagittal", "y": "Coronal", "z": "Axial"}


def slices_in_words(direction: str, cuts: Sequence[float]) -> str:
    """Return where slices are, as a sentence of a caption.

    Parameters
    ----------
    direction : {"x", "y", "z"}
        The direction of the slices.

    cuts : sequence of float
        Their positions in mm.

    Returns
    -------
    sentence : str
        The sentence.
    """
    places = ", ".join(f"{cut:.0f}" for cut in cuts)
    sides = "" if direction == "x" else "; left is on the left"
    return f"{_SLICES[direction]} slices at {direction} = {places} mm{sides}."


class ReportFigure:
    """A figure of a report and its caption.

    Parameters
    ----------
    name : str
        What it shows, as the name of a file: one of ``FIGURE_NAMES``, or ``contrast_1`` and so on.

    draw : callable
        Draws the figure, as the current one of pyplot.

    caption : str
        Its caption.

    is_wide : bool, default=False
        Whether it takes the full width of the page.
    """

    def __init__(
        self, name: str, draw: Callable[[], Any], caption: str, *, is_wide: bool = False
    ) -> None:
        self.name = name
        self._draw = draw
        self.caption = caption
        self.is_wide = is_wide

    def renamed(self, name: str) -> ReportFigure:
        """Return the same figure with another name."""
        return ReportFigure(name, self._draw, self.caption, is_wide=self.is_wide)

    @cached_property
    def png(self) -> str:
        """The figure as PNG, in base64."""
        buffer = io.BytesIO()
        self.write(buffer, _DPI, file_format="png")
        return base64.b64encode(buffer.getvalue()).decode("ascii")

    def write(self, file: Path | io.BytesIO, dpi: float, file_format: str | None = None) -> None:
        """Draw the figure to a file without showing it, and close it.

        Parameters
        ----------
        file : Path or file object
            Where to write it.

        dpi : float
            Dots per inch.

        file_format : str or None, default=None
            Format; None for the extension of the file.
        """
        # Imported only for figures, because tables and texts do not need it.
        import matplotlib.pyplot as plt

        # Dark text on white, whatever the style of the session, since the page is not.
        with plt.ioff(), plt.style.context("default", after_reset=True):
            self._draw()
            figure = plt.gcf()
            try:
                figure.savefig(file, format=file_format, dpi=dpi, facecolor="white")
            finally:
                plt.close(figure)
