"""Options of the design of a group study."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from typer import Option

from ari_estimator.cli._choices import EXCHANGES, one_of

_PANEL = "Design"


@dataclass(frozen=True)
class DesignOptions:
    """The design of a group study."""

    design: Annotated[
        Path | None,
        Option(
            help="Table (TSV, CSV or a spreadsheet) with a row for each map; a column path, or "
            "participant_id, names the map. Without it the mean of all maps is tested.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None
    regressor: Annotated[
        list[str] | None,
        Option(
            help="Column of --design that is a regressor; repeated for several. Words are "
            "categories. The default is every column that does not name subjects, maps or blocks.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None
    formula: Annotated[
        str | None,
        Option(
            help="Terms of the design, such as 'age + C(sex)', in place of --regressor.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None
    contrast: Annotated[
        str | None,
        Option(
            help="Name of a regressor, or an expression such as 'patients - controls'; several "
            "with semicolons between them, 'a - b; b - c', for an F contrast.",
            show_default="intercept, if --design has no regressors",
            rich_help_panel=_PANEL,
        ),
    ] = None
    intercept: Annotated[
        bool,
        Option(
            "--intercept/--no-intercept",
            help="Add an intercept, unless the regressors have the mean among them.",
            rich_help_panel=_PANEL,
        ),
    ] = True
    drop_missing: Annotated[
        bool,
        Option(
            "--drop-missing",
            help="Leave out rows of --design that lack a value that is used, or a map.",
            rich_help_panel=_PANEL,
        ),
    ] = False
    blocks: Annotated[
        str | None,
        Option(
            help="Column of --design with exchangeability blocks, such as the subjects of repeated "
            "measures; several with commas between them for nested levels, in whole numbers.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None
    exchange: Annotated[
        str | None,
        Option(
            help="What changes places: maps within their block (within), blocks as wholes (whole), "
            "or both.",
            show_default="by the contrast",
            autocompletion=one_of(EXCHANGES),
            rich_help_panel=_PANEL,
        ),
    ] = None
    variance_groups: Annotated[
        str | None,
        Option(
            help="Column of --design with groups that have a variance of their own; or auto, for "
            "the groups that the regressors tell apart.",
            show_default="one variance",
            rich_help_panel=_PANEL,
        ),
    ] = None
    select: Annotated[
        list[str] | None,
        Option(
            help="Of a folder of BIDS derivatives: which maps, as contrast=faces or "
            "space=MNI152NLin2009cAsym; repeated for several.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None
