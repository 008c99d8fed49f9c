"""The page as an object: to be saved, opened, or shown in a notebook."""

from __future__ import annotations

import webbrowser
from html import escape
from pathlib import Path
from tempfile import mkdtemp

from ari_estimator.files._given_path import given_path
from ari_estimator.files._whole_files import whole_file


class ExplorerDocument:
    """A page with all clusters of a map, as :func:`~ari_estimator.explore` makes it.

    Notebooks show it in a frame.

    Parameters
    ----------
    html : str
        The page.

    Attributes
    ----------
    html : str
        The page.

    Examples
    --------
    >>> from ari_estimator.explorer import ExplorerDocument
    >>> str(ExplorerDocument("<!DOCTYPE html>"))
    '<!DOCTYPE html>'
    """

    def __init__(self, html: str) -> None:
        self.html = html

    def __repr__(self) -> str:
        return f"ExplorerDocument({len(self.html.encode()) / 1e6:.1f} MB)"

    def __str__(self) -> str:
        return self.html

    def get_iframe(self, width: int | str = "100%", height: int = 720) -> str:
        """Return the page in a frame, to stand in another one.

        Parameters
        ----------
        width : int or str, default="100%"
            Width of the frame.

        height : int, default=720
            Height of the frame.

        Returns
        -------
        html : str
            The frame.
        """
        # In ASCII: the page around it may have another encoding, and scripts have checksums.
        page = escape(self.html).encode("ascii", "xmlcharrefreplace").decode("ascii")
        return (
            f'<iframe srcdoc="{page}" width="{escape(str(width))}" '
            f'height="{int(height)}" style="border:0"></iframe>'
        )

    def _repr_html_(self) -> str:
        return self.get_iframe()

    def save_as_html(self, file_name: str | Path) -> None:
        """Write the page to a file, as a whole or not at all.

        Parameters
        ----------
        file_name : str or Path
            The file. An existing file is replaced. A ``~`` at the start is the home folder.

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
        """Write the page to a file and open it in a web browser.

        Parameters
        ----------
        file_name : str, Path or None, default=None
            The file; None for a temporary one, which stays until the system removes it.
        """
        if file_name is None:
            file_name = Path(mkdtemp(prefix="ari-"), "explorer.html")
        self.save_as_html(file_name)
        webbrowser.open(given_path(file_name, "file_name").resolve().as_uri())
