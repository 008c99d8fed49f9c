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


@app.command()
def explore(
    stat_map: Annotated[Path, typer.Argument(metavar="MAP", help="Statistical map, a volume.")],
    out: Annotated[
        Path | None, typer.Option(help="File to write; MAP_explorer.html here by default.")
    ] = None,
    mask: Annotated[Path | None, typer.Option(help="Mask of all voxels that are tested.")] = None,
    alpha: Annotated[float, typer.Option(help="Error level.")] = 0.05,
    stat_type: Annotated[
        str, typer.Option(help="z, t, F, chi2, p, neg_log10_p or one_minus_p.")
    ] = "z",
    df: Annotated[
        str | None, typer.Option(help="Degrees of freedom of t and chi2; of F two, as 2,30.")
    ] = None,
    two_sided: Annotated[bool, typer.Option("--two-sided", help="Negative values count.")] = False,
    connectivity: Annotated[int, typer.Option(help="6, 18 or 26 neighbours.")] = 6,
    tdp: Annotated[float, typer.Option(help="TDP of the clusters shown first.")] = 0.7,
    atlas: Annotated[Path | None, typer.Option(help="Label image of regions.")] = None,
    lut: Annotated[
        Path | None, typer.Option(help="Names of the regions: a table with index and name.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="Title of the page.")] = None,
) -> None:
    """Write a page to explore a map with: all its clusters, in one file that works offline.

    Example: ari explore zstat.nii.gz --mask mask.nii.gz --out explorer.html
    """
    from ari_estimator.explorer import explore as write_page
    from ari_estimator.explorer._explore import name_of

    out = Path(f"{name_of(stat_map)}_explorer.html") if out is None else out
    try:
        document = write_page(
            str(stat_map),
            mask_img=None if mask is None else str(mask),
            alpha=alpha,
            # Any text or number may come from a shell; explore refuses what is none of its choices.
            stat_type=stat_type,  # type: ignore[arg-type]
            df=_degrees_of_freedom(df),
            two_sided=two_sided,
            connectivity=connectivity,  # type: ignore[arg-type]
            labels_img=None if atlas is None else str(atlas),
            lut=lut,
            tdp=tdp,
            title=title,
            output_file=out,
        )
    except (OSError, TypeError, ValueError) as error:
        Console(stderr=True).print(f"ari explore: {error}", style="red", markup=False)
        raise typer.Exit(2) from error
    size = len(document.html.encode()) / 1e6
    Console().print(
        f"page written to {out} ({size:.1f} MB): open it in a browser",
        soft_wrap=True,
        highlight=False,
        markup=False,
    )


def _degrees_of_freedom(text: str | None) -> float | tuple[float, float] | None:
    """Return degrees of freedom as they are written on the command line."""
    if text is None:
        return None
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) not in (1, 2):
        raise ValueError(f"--df must be a number, or two with a comma between. Got {text!r}.")
    return values[0] if len(values) == 1 else (values[0], values[1])


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
