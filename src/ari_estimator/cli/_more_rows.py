"""Say that a terminal shows only the first rows of a table, and where the others are."""

from __future__ import annotations

from pathlib import Path


def more_rows(n_hidden: int, file: Path | None, called: str = "more") -> str:
    """Return a line about rows that are not printed.

    Parameters
    ----------
    n_hidden : int
        Number of these rows.

    file : Path or None
        The written file with all rows; None if the command wrote none.

    called : str, default="more"
        What the rows are called.

    Returns
    -------
    line : str
        The line.
    """
    written = "--out writes all" if file is None else f"all are in {file}"
    return f"{n_hidden:,} {called}; {written}, and --json prints them."
