"""Options of commands that write a page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from typer import Option

from ari_estimator.cli._inputs import add_inputs, inputs_of_command
from ari_estimator.cli._map_options import MapOptions
from ari_estimator.cli._out import naming_force, parse_out
from ari_estimator.files._output_path import file_to_write
from ari_estimator.files._whole_files import whole_file

_RESULTS = "Results"


@dataclass(frozen=True)
class PageOptions:
    """Where a page goes, and its title."""

    out: Annotated[
        Path | None,
        Option(
            parser=parse_out,
            metavar="PATH",
            help="Page to write.",
            show_default="named after MAP, in this folder",
            rich_help_panel=_RESULTS,
        ),
    ] = None
    force: Annotated[
        bool, Option("--force", help="Replace an existing file.", rich_help_panel=_RESULTS)
    ] = False
    title: Annotated[str | None, Option(help="Title of the page.", rich_help_panel=_RESULTS)] = None

    def check(self, name: str, ending: str) -> Path:
        """Return the file to write; refuse one that must not be written before work is done.

        Parameters
        ----------
        name : str
            What the map is called.

        ending : str
            With the name before it, what the file is called if no name is given.
        """
        from ari_estimator.interfaces._result_names import check_prefix

        if self.out is None:
            check_prefix(name, "--out must be given, since the name of the map")
        with naming_force():
            return file_to_write(
                name + ending if self.out is None else self.out,
                "--out",
                overwrite=self.force,
                inputs=inputs_of_command(),
            )

    def write(self, html: str, out: Path) -> None:
        """Write a page to the file that was checked before."""
        inputs = inputs_of_command()
        writing = whole_file(out, "--out", overwrite=self.force, inputs=inputs)
        with naming_force(), writing as temporary:
            temporary.write_text(html, encoding="utf-8")


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
            "Options of the test are only for maps. A saved result keeps its test: leave them out."
        )
    add_inputs(archive)
    return archive
