"""What commands that write a page have in common."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from typer import Option

from ari_estimator.cli._options import MapOptions

_RESULTS = "Results"


@dataclass(frozen=True)
class PageOptions:
    """Where a page goes, and its title."""

    out: Annotated[
        Path | None,
        Option(help="File to write.", show_default="MAP_....html here", rich_help_panel=_RESULTS),
    ] = None
    force: Annotated[
        bool, Option("--force", help="Replace a file that is there.", rich_help_panel=_RESULTS)
    ] = False
    title: Annotated[str | None, Option(help="Title of the page.", rich_help_panel=_RESULTS)] = None

    def check(self, default: str) -> Path:
        """Return the file to write; refuse one that must not be written before work is done."""
        from ari_estimator.interfaces._results import check_writable

        out = Path(default) if self.out is None else self.out
        if out.is_dir():
            raise IsADirectoryError(f"--out must be a file. Got the folder {str(out)!r}.")
        if out.exists() and not self.force:
            raise FileExistsError(
                f"The output file {str(out)!r} is there already. --force replaces it."
            )
        check_writable(out.parent)
        return out


def saved(source: MapOptions) -> Path | None:
    """Return the file of what was saved by another command; None if a map is given.

    Raises
    ------
    FileNotFoundError
        If there is none in a folder.
    ValueError
        If there are several in a folder, or options say how to test what was tested before.
    """
    from ari_estimator.interfaces._results import find_archive

    archive = find_archive(source.maps[0])
    if archive is not None and source != MapOptions(maps=source.maps[:1]):
        raise ValueError(
            "Options of the test are for maps: what was saved before is tested as it was then."
        )
    return archive
