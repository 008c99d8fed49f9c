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
            help="Table (TSV, CSV or a spreadsheet) with one row per map. The column path or "
            "participant_id names the map. Or a design.mat of FSL or PALM, with a row for each "
            "volume. Without a table, the mean of all maps is tested.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None
    regressor: Annotated[
        list[str] | None,
        Option(
            help="Column of --design to use as a regressor. Repeat it for several. Words are "
            "categories. Without it, all columns except subjects, maps and blocks.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None
    formula: Annotated[
        str | None,
        Option(
            help="Formula of the design, such as 'age + C(sex)', instead of --regressor.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None
    contrast: Annotated[
        list[str] | None,
        Option(
            help="Name of a regressor, such as age or group[T.patient] (patients minus the other "
            "group), or an expression of several: '2 * age - dose'. For an F contrast, separate "
            "several with semicolons: 'a - b; b - c'. Repeat it for several with --joint. With "
            "design.mat: design.con, or design.con:2 for its second contrast.",
            show_default="intercept, if --design has no regressors",
            rich_help_panel=_PANEL,
        ),
    ] = None
    ftests: Annotated[
        str | None,
        Option(
            help="F tests of FSL or PALM: design.fts, or design.fts:1 for its first test alone.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None
    demean: Annotated[
        bool,
        Option(
            "--demean",
            help="Subtract the mean from each column of design.mat, and add an intercept "
            "(randomise -D, palm -demean).",
            rich_help_panel=_PANEL,
        ),
    ] = False
    joint: Annotated[
        bool,
        Option(
            "--joint",
            help="Test the contrasts of several --contrast as one family: the bounds of all "
            "clusters in all contrasts hold at once.",
            rich_help_panel=_PANEL,
        ),
    ] = False
    f_test: Annotated[
        bool,
        Option(
            "--f-test",
            help="Use an F test, which has no direction. Contrasts of several rows always do.",
            rich_help_panel=_PANEL,
        ),
    ] = False
    intercept: Annotated[
        bool,
        Option(
            "--intercept/--no-intercept",
            help="Add an intercept, unless the regressors already include the mean.",
            rich_help_panel=_PANEL,
        ),
    ] = True
    drop_missing: Annotated[
        bool,
        Option(
            "--drop-missing",
            help="Drop rows of --design that have no map, or no value in a column that is used.",
            rich_help_panel=_PANEL,
        ),
    ] = False
    blocks: Annotated[
        str | None,
        Option(
            help="Column of --design with exchangeability blocks, such as the subject in repeated "
            "measures. For nested levels, separate columns of whole numbers with commas. With "
            "design.mat: a file such as design.grp or EB.csv.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None
    combine_runs: Annotated[
        bool,
        Option(
            "--combine-runs",
            help="Average the maps of each subject first, where --design has several rows of a "
            "subject. The test then has one map per subject.",
            rich_help_panel=_PANEL,
        ),
    ] = False
    exchange: Annotated[
        str | None,
        Option(
            help="What to permute: maps within blocks (within), whole blocks (whole), or both.",
            show_default="chosen by the contrast",
            autocompletion=one_of(EXCHANGES),
            rich_help_panel=_PANEL,
        ),
    ] = None
    variance_groups: Annotated[
        str | None,
        Option(
            help="Column of --design with groups that each have their own variance; or auto, for "
            "the groups that the regressors define. With design.mat: auto, or a file such as "
            "VG.csv.",
            show_default="one variance",
            rich_help_panel=_PANEL,
        ),
    ] = None
    map: Annotated[
        str | None,
        Option(
            help="For files with several maps each: number of the map to test, counted from 0; or "
            "its name in CIFTI files.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None
    select: Annotated[
        list[str] | None,
        Option(
            help="For a folder of BIDS derivatives: which maps to use, such as contrast=faces or "
            "space=MNI152NLin2009cAsym. Repeat it for several.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None
