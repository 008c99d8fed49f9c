"""Write tables of results as TSV files of BIDS, safely for spreadsheets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

# Characters that start a formula in a spreadsheet, or that it ignores before one.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)

# Characters that need quotation marks around the cell.
_QUOTED = re.compile(r'[\t\r\n"]')


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as tab-separated values.

    Numbers are written with all digits, and missing numbers as n/a. Texts with a tab, a line end or
    a quotation mark are put in quotation marks.

    Parameters
    ----------
    path : Path
        The file.

    table : pandas.DataFrame
        The table.
    """
    columns = [[_cell(value) for value in table[name]] for name in table]
    rows = [[str(name) for name in table], *zip(*columns, strict=True)]
    # Not with pandas, which before Python 3.13 omits the quotation marks around a carriage return.
    text = "".join("\t".join(row) + "\n" for row in rows)
    path.write_bytes(text.encode("utf-8"))


def _cell(value: Any) -> str:
    if isinstance(value, str):
        text = _as_no_formula(value)
        return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text
    if pd.isna(value):
        return "n/a"
    return str(value)


def _as_no_formula(text: str) -> str:
    """Return a text that no spreadsheet evaluates.

    Names come from atlas files, and a formula could send data to others. So a text that looks like
    a formula gets a leading apostrophe, which spreadsheets treat as plain text. A text with
    apostrophes before a formula gets one too, so removing one apostrophe always restores the text.
    Numbers stay as they are, because they are harmless.
    """
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text
