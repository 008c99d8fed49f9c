"""The result of a command for people: a table, a sentence, and the written files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from ari_estimator.cli._more_rows import more_rows
from ari_estimator.cli._outcome import Outcome
from ari_estimator.cli._printing import plain, print_plain
from ari_estimator.closed_testing._rounding import proportion_text

# Rows of a table on a screen.
_MOST_ROWS = 25


def print_outcome(outcome: Outcome, console: Console) -> None:
    """Print the result of a command."""
    for heading, table, file in _tables(outcome):
        if heading:
            console.print(plain(heading), style="bold", soft_wrap=True)
        console.print(_for_terminal(table, console))
        n_hidden = len(table) - 1 - _MOST_ROWS
        if n_hidden > 0:
            print_plain(console, more_rows(n_hidden, file))
    for heading, lines in outcome.cards.items():
        console.print(plain(heading), style="bold", soft_wrap=True)
        console.print(_card(lines))
    if outcome.text:
        print_plain(console, outcome.text)
    for what, path in outcome.files.items():
        console.print(plain(f"{what} written to {path}"), soft_wrap=True)


def _tables(outcome: Outcome) -> Iterator[tuple[str, pd.DataFrame, Path | None]]:
    """Yield the tables with a heading and a file: one, or one for each contrast."""
    if outcome.table is None:
        return
    if "contrast" not in outcome.table:
        yield "", outcome.table, outcome.files.get("table")
        return
    for name, table in outcome.table.groupby("contrast", sort=False):
        yield str(name), table, outcome.files.get(f"{name}: table")


def _card(lines: dict[str, str]) -> Table:
    """Return named lines as a table without frames, in which long lines are broken."""
    card = Table.grid(padding=(0, 2, 0, 0))
    card.add_column(no_wrap=True)
    card.add_column(overflow="fold")
    for name, line in lines.items():
        card.add_row(plain(f"  {name}"), plain(line))
    return card


# Heading of each column, and how its cells are written. Places are put together below.
_COLUMNS: dict[str, tuple[str, str]] = {
    "cluster_id": ("id", "{:.0f}"),
    "region_id": ("label", "{:.0f}"),
    "region": ("region", "{}"),
    "tdp_threshold": ("requested\nTDP", "{:g}"),
    "threshold": ("threshold", "{:.3g}"),
    "direction": ("direction", "{}"),
    "n_voxels": ("voxels", "{:,}"),
    "n_vertices": ("vertices", "{:,}"),
    "n_grayordinates": ("grayordinates", "{:,}"),
    "n_elements": ("elements", "{:,}"),
    "size_mm2": ("mm²", "{:,.0f}"),
    "size_mm3": ("mm³", "{:,.0f}"),
    "true_discoveries": ("true\ndiscoveries", "{:,}"),
    "true_discoveries_low": ("by seed\nfrom", "{:,}"),
    "true_discoveries_high": ("\nto", "{:,}"),
    "true_discoveries_positive": ("positive", "{:,}"),
    "true_discoveries_negative": ("negative", "{:,}"),
    "bound_by": ("bound\nby", "{}"),
    "tdp": ("TDP", "{}"),
    "p_fwe_cluster": ("p FWE\ncluster", "{:.3g}"),
    "p_fwe_peak": ("\npeak", "{:.3g}"),
    "peak_stat": ("peak", "{:.2f}"),
    "peak_hemisphere": ("hemisphere", "{}"),
    "peak_structure": ("structure", "{}"),
    "peak_vertex": ("vertex", "{:.0f}"),
}
_TEXTS = ("region", "direction", "bound_by", "peak_hemisphere", "peak_structure")
_PLACE = ["peak_x", "peak_y", "peak_z"]

# Columns that are printed once below the table if all clusters have the same value.
_OFTEN_THE_SAME = ("tdp_threshold", "threshold", "direction")

# Columns that a narrow terminal leaves out, in this order.
_DISPENSABLE = (
    "size_mm3", "size_mm2", "threshold", "direction", "peak_vertex", "true_discoveries_low",
    "true_discoveries_high", "true_discoveries_positive", "true_discoveries_negative",
)  # fmt: skip


def _for_terminal(table: pd.DataFrame, console: Console) -> Table:
    """Return a table of clusters or regions that fits: the first of them and the rest."""
    sets, rest = table.iloc[:-1], table.iloc[-1:]
    named = [name for name in table if name.startswith("peak_") and name not in _PLACE]
    columns = [*_COLUMNS, *(name for name in named if name not in _COLUMNS)]
    names = [name for name in columns if name in table and not table[name].isna().all()]
    said_once = {
        name: sets[name].iloc[0]
        for name in _OFTEN_THE_SAME
        if name in names and len(sets) and (sets[name] == sets[name].iloc[0]).all()
    }
    if sets.empty:
        names = [name for name in names if name not in _OFTEN_THE_SAME]
    names = [name for name in names if name not in said_once]
    caption = " · ".join(
        f"{_COLUMNS[name][0]} {_COLUMNS[name][1].format(value)}".replace("\n", " ")
        for name, value in said_once.items()
    )
    shown = pd.concat([sets.head(_MOST_ROWS), rest]).to_dict("records")
    without_limit = console.options.update(max_width=10 * console.width)
    for dispensable in (None, *_DISPENSABLE):
        names = [name for name in names if name != dispensable]
        fitting = _table_of(shown, names, caption)
        if Measurement.get(console, without_limit, fitting).maximum <= console.width:
            break
    return fitting


def _table_of(rows: list[dict[Any, Any]], names: list[str], caption: str) -> Table:
    for_terminal = Table(
        box=SIMPLE_HEAD, padding=(0, 1, 0, 0), caption=caption or None, caption_justify="left"
    )
    for name in names:
        justify: Any = "left" if name in _TEXTS else "right"
        for_terminal.add_column(_column(name)[0], justify=justify, no_wrap=True)
    has_place = all(name in rows[-1] for name in _PLACE)
    if has_place:
        for_terminal.add_column("at (mm)", justify="right", no_wrap=True)
    *sets, rest = ([*_cells(row, names), *([_place(row)] if has_place else [])] for row in rows)
    for cells in sets:
        for_terminal.add_row(*map(plain, cells))  # names may have brackets, which would be markup
    for_terminal.add_section()
    for_terminal.add_row("rest", *map(plain, rest[1:]))
    return for_terminal


def _column(name: str) -> tuple[str, str]:
    """Return the heading and the format of a column. Places in arrays have the user's names."""
    return _COLUMNS.get(name, (name.removeprefix("peak_"), "{}"))


def _cells(row: dict[Any, Any], names: list[str]) -> Iterator[str]:
    for name in names:
        value = row[name]
        if pd.isna(value):
            yield ""
        elif name == "tdp":
            yield _COLUMNS[name][1].format(proportion_text(value))
        elif name == "peak_stat" and 0 < abs(value) < 0.01:  # a p-value
            yield f"{value:.2g}"
        elif name not in _COLUMNS and isinstance(value, float):
            yield f"{value:g}"
        else:
            yield _column(name)[1].format(value)


def _place(row: dict[Any, Any]) -> str:
    xyz = [row[name] for name in _PLACE]
    return "" if any(map(pd.isna, xyz)) else ", ".join(f"{value:.0f}" for value in xyz)
