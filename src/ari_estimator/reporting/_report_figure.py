"""One figure of a report."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

# The resolution of pictures in a page. Separate files are finer.
_DPI = 110


class ReportFigure:
    """A figure of a report and its caption.

    Parameters
    ----------
    name : str
        What it shows, as the name of a file.

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
        # Dark text on white, whatever the style of the session, since the page is not.
        with plt.ioff(), plt.style.context("default", after_reset=True):
            self._draw()
            figure = plt.gcf()
            try:
                figure.savefig(file, format=file_format, dpi=dpi, facecolor="white")
            finally:
                plt.close(figure)
