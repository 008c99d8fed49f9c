"""Options of the results: where they go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from typer import Option

from ari_estimator.cli._out import parse_out

_PANEL = "Results"


@dataclass(frozen=True)
class ResultOptions:
    """Where results go."""

    out: Annotated[
        Path | None,
        Option(
            parser=parse_out,
            metavar="PATH",
            help="Folder for the results. Without it, the command writes no files.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None
    prefix: Annotated[
        str | None,
        Option(
            help="Start of the file names.",
            show_default="name of the map",
            rich_help_panel=_PANEL,
        ),
    ] = None
    force: Annotated[
        bool,
        Option("--force", help="Replace existing files.", rich_help_panel=_PANEL),
    ] = False
