"""The ``ari`` command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

app = typer.Typer(
    name="ari",
    help="All-Resolutions Inference: how much of each cluster is truly active.",
    no_args_is_help=True,
    add_completion=False,
)


@app.callback()
def _commands() -> None:
    """All-Resolutions Inference: how much of each cluster is truly active."""


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("ari_demo"),
) -> None:
    """Compute the TDP of clusters of a real map that comes with nilearn.

    Example: ari demo --out results
    """
    # Imported when they are needed: the help text should not wait for nilearn.
    from ari_estimator._demo import run_demo

    console = Console()
    try:
        transformer, files = run_demo(out)
    except OSError as error:
        Console(stderr=True).print(f"ari demo: cannot write to --out: {error}", style="red")
        raise typer.Exit(2) from error
    console.print(_rich_table(transformer.table_))
    console.print(
        f"{transformer.n_tested_:,} voxels were tested, as z values; at least "
        f"{transformer.true_discoveries_:,} of them are active. With probability at "
        f"least {1 - transformer.alpha:.0%} that and all rows of the table hold at once."
    )
    for what, path in files.items():
        console.print(f"{what} written to {path}", soft_wrap=True, highlight=False)


def _rich_table(table: pd.DataFrame) -> Table:
    """Return a cluster table for the terminal."""
    from ari_estimator.closed_testing._rounding import rounded_down

    columns = {
        "id": "{cluster_id:.0f}",
        "direction": "{direction}",
        "voxels": "{n_voxels:,}",
        "mm³": "{size_mm3:,.0f}",
        "true\ndiscoveries": "{true_discoveries:,}",
        "TDP": "{tdp:.3f}",
        "peak": "{peak_stat:.2f}",
        "at (mm)": "{peak_x:.0f}, {peak_y:.0f}, {peak_z:.0f}",
    }
    rich_table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in columns:
        rich_table.add_column(heading, justify="right", no_wrap=True)
    for row in table.to_dict("records"):
        row["tdp"] = rounded_down(row["tdp"], 3)
        rich_table.add_row(*(cell.format(**row) for cell in columns.values()))
    return rich_table


def main() -> None:
    """Run the ``ari`` command."""
    app()
