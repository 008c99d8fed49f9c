"""A report that is a page of its own where it is saved or opened."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from tempfile import mkdtemp

from jinja2 import Template
from nilearn.reporting import HTMLReport

from ari_estimator.files._given_path import given_path
from ari_estimator.files._whole_files import whole_file

# nilearn fills a template. This one holds the page, which is complete.
_COMPLETE = Template("{{ page }}")


class PageReport(HTMLReport):
    """nilearn's report, saved and opened as the page that it is.

    nilearn 0.14.1 puts it into a frame of 800 x 800 pixels there, whatever the window is.

    Parameters
    ----------
    html : str
        The page.

    body : str
        What notebooks show of it.
    """

    def __init__(self, html: str, body: str) -> None:
        super().__init__(_COMPLETE, body, {"page": html})

    def save_as_html(self, file_name: str | Path) -> None:
        """Write the page to a file, as a whole or not at all.

        Parameters
        ----------
        file_name : str or Path
            The file; one that is there is replaced. A ``~`` at the start is the home folder.

        Raises
        ------
        ValueError
            If it is empty.
        OSError
            If it cannot be written: it is a folder, a device or write-protected, for example.
        """
        with whole_file(file_name) as temporary:
            temporary.write_text(self.html, encoding="utf-8")

    def open_in_browser(self, file_name: str | Path | None = None) -> None:
        """Write the page to a file, and open it.

        Parameters
        ----------
        file_name : str, Path or None, default=None
            The file; one in a new temporary folder if None.
        """
        if file_name is None:
            file_name = Path(mkdtemp(prefix="ari-"), "report.html")
        self.save_as_html(file_name)
        webbrowser.open(given_path(file_name, "file_name").resolve().as_uri())
