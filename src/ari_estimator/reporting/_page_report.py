"""A report that is a page of its own where it is saved or opened."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from tempfile import mkdtemp

from jinja2 import Template
from nilearn.reporting import HTMLReport

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
        """Write the page to a file.

        Parameters
        ----------
        file_name : str or Path
            The file.
        """
        Path(file_name).write_text(self.html, encoding="utf-8")

    def open_in_browser(self, file_name: str | Path | None = None) -> None:
        """Write the page to a file, and open it.

        Parameters
        ----------
        file_name : str, Path or None, default=None
            The file; one in a new temporary folder if None.
        """
        path = Path(mkdtemp(), "report.html") if file_name is None else Path(file_name)
        self.save_as_html(path)
        webbrowser.open(path.resolve().as_uri())
