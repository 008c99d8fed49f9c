"""A report that is a complete page when it is saved or opened."""

from __future__ import annotations

import webbrowser
from collections.abc import Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Literal, get_args

from jinja2 import Template
from nilearn.reporting import HTMLReport

from ari_estimator.files._given_path import given_path
from ari_estimator.files._output_path import folder_to_write
from ari_estimator.files._whole_files import whole_file, whole_files
from ari_estimator.reporting._report_figure import ReportFigure

FigureFormat = Literal["png", "svg", "pdf"]

# nilearn fills a template. This template holds the complete page.
_COMPLETE = Template("{{ page }}")


class PageReport(HTMLReport):
    """A report of nilearn that is saved and opened as a full page.

    nilearn 0.14.1 would put it into a frame of 800 x 800 pixels, for windows of any size.

    Parameters
    ----------
    html : str
        The page.

    body : str
        The part of the page to show in notebooks.

    figures : sequence of ReportFigure, default=()
        The figures of the page, which can be drawn once more.
    """

    def __init__(self, html: str, body: str, figures: Sequence[ReportFigure] = ()) -> None:
        super().__init__(_COMPLETE, body, {"page": html})
        self._figures = tuple(figures)

    def save_figures(
        self, folder: str | Path, *, file_format: FigureFormat = "svg", dpi: float = 300
    ) -> list[Path]:
        """Write each figure of the report to a file of its own.

        Parameters
        ----------
        folder : str or Path
            The folder, which is made if there is none. Existing files of the same names are
            replaced. All files are written, or none.

        file_format : {"svg", "pdf", "png"}, default="svg"
            Format of the files. "svg" and "pdf" are vector graphics, in which brains are pictures.

        dpi : float, default=300
            Resolution of pictures, in dots per inch, at most 2400.

        Returns
        -------
        paths : list of Path
            The files, named after what they show, in the order of the report.

        Raises
        ------
        ValueError
            If the format is unknown or ``dpi`` is out of range.
        OSError
            If a file cannot be written.
        """
        check_figure_files(file_format, dpi)
        names = [f"{figure.name}.{file_format}" for figure in self._figures]
        folder = folder_to_write(folder, "folder", names=names)
        with whole_files(folder) as temporary:
            self.write_figures(temporary, file_format, dpi)
        return [folder / name for name in names]

    def write_figures(self, folder: Path, file_format: str, dpi: float) -> list[str]:
        """Write each figure to an existing folder, and return the names of the files.

        Parameters
        ----------
        folder : Path
            The folder.

        file_format : str
            Format of the files.

        dpi : float
            Resolution of pictures, in dots per inch.

        Returns
        -------
        names : list of str
            The names.
        """
        names = [f"{figure.name}.{file_format}" for figure in self._figures]
        for figure, name in zip(self._figures, names, strict=True):
            figure.write(folder / name, dpi)
        return names

    def save_as_html(self, file_name: str | Path) -> None:
        """Write the page to a file, completely or not at all.

        Parameters
        ----------
        file_name : str or Path
            The file. An existing file is replaced. A ``~`` at the start means the home folder.

        Raises
        ------
        ValueError
            If the name is empty.
        OSError
            If the file cannot be written, for example because it is a folder, a device or
            write-protected.
        """
        with whole_file(file_name) as temporary:
            temporary.write_text(self.html, encoding="utf-8")

    def open_in_browser(self, file_name: str | Path | None = None) -> None:
        """Write the page to a file and open it in the browser.

        Parameters
        ----------
        file_name : str, Path or None, default=None
            The file; None for a file in a new temporary folder.
        """
        if file_name is None:
            file_name = Path(mkdtemp(prefix="ari-"), "report.html")
        self.save_as_html(file_name)
        webbrowser.open(given_path(file_name, "file_name").resolve().as_uri())


def check_figure_files(file_format: Any, dpi: Any) -> None:
    """Check the format and the resolution of figures.

    Raises
    ------
    ValueError
        If the format is unknown or the resolution is out of range.
    """
    # Imported only for figures, because tables and texts do not need matplotlib.
    from ari_estimator.plotting._figure import check_dpi

    if file_format not in get_args(FigureFormat):
        raise ValueError(
            f"file_format must be one of {list(get_args(FigureFormat))}. Got {file_format!r}."
        )
    check_dpi(dpi)
