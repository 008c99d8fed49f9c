"""Tables of results as files: TSV as BIDS has it, in which a name stays a name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

# What a spreadsheet takes for the start of a formula, or leaves out before it.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)

# What a cell holds only in quotation marks.
_QUOTED = re.compile(r'[\t\r\n"]')


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as tab-separated values.

    Numbers are written with all their digits, and n/a where there is none. A text with a tab, a
    line end or a quotation mark stands in quotation marks.

    Parameters
    ----------
    path : Path
        The file.

    table : pandas.DataFrame
        The table.
    """
    columns = [[_cell(value) for value in table[name]] for name in table]
    rows = [[str(name) for name in table], *zip(*columns, strict=True)]
    # Not by pandas: before Python 3.13, it leaves out the quotation marks around a carriage return.
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
    """Return a text that no spreadsheet computes.

    A name comes from the file of an atlas, and a formula may send data away. So a text that
    would be one gets an apostrophe, which makes it a text for spreadsheets. A text that starts with
    apostrophes before a formula gets one, too: so one apostrophe less always gives the text
    back. A text that is a number stays: it computes nothing.
    """
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text
