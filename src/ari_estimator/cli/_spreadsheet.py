"""The rows of a spreadsheet, after a look at how large it is without its compression."""

from __future__ import annotations

import datetime
import re
import warnings
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile, ZipFile

import numpy as np
import pandas as pd

from ari_estimator.images._safe_xml import check_xml

_XLSX: Final = b"PK\x03\x04"  # as of all ZIP archives, .ods among them
_XLS: Final = b"\xd0\xcf\x11\xe0"

# Hundred thousand rows of ten cells have half of it.
_LARGEST: Final = 256 * 2**20
_CHUNK: Final = 1 << 20
_MOST_CELLS: Final = 10_000_000
_MOST_FILES: Final = 1_000

_PLACE = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})")


def is_spreadsheet(content: bytes) -> bool:
    """Tell whether a file is a spreadsheet."""
    return content.startswith((_XLSX, _XLS))


def rows_of_spreadsheet(path: Path, content: bytes) -> list[tuple[int, list[str]]]:
    """Return the rows of the first sheet with anything in it, with their numbers.

    Parameters
    ----------
    path : Path
        The file, for messages.

    content : bytes
        What is in it.

    Returns
    -------
    rows : list of (int, list of str)
        Number and cells of each row.

    Raises
    ------
    ValueError
        If it is no .xlsx file, cannot be read here, is damaged, or expands to far more than
        designs have.

    Warns
    -----
    UserWarning
        If there are several sheets with something in them.
    """
    try:
        _check_content(content)
        sheets = pd.read_excel(
            BytesIO(content),
            sheet_name=None,
            header=None,
            dtype=object,
            na_filter=False,
            engine="openpyxl",
        )
    except ImportError as error:
        raise ValueError(
            f"--design {str(path)!r} is a spreadsheet, which pandas cannot read here: {error} Or "
            "save it as CSV or TSV."
        ) from None
    # Readers of spreadsheets raise what they like of a damaged file.
    except Exception as error:
        raise ValueError(f"--design must be a table. {str(path)!r} is none: {error}.") from error
    filled = {name: sheet for name, sheet in sheets.items() if not sheet.empty}
    if not filled:
        return []
    first = next(iter(filled))
    if len(filled) > 1:
        warnings.warn(
            f"{str(path)!r} has {len(filled)} sheets. The design is read from the first of them, "
            f"{str(first)!r}.",
            UserWarning,
            stacklevel=2,
        )
    rows = filled[first].to_numpy()
    return [(number, [_as_text(cell) for cell in row]) for number, row in enumerate(rows, 1)]


def _check_content(content: bytes) -> None:
    """Refuse a spreadsheet that is of another format, or small in its file alone."""
    if content.startswith(_XLS):
        raise ValueError("save it as .xlsx, CSV or TSV")
    try:
        archive = ZipFile(BytesIO(content))
    except BadZipFile as error:
        raise ValueError(str(error)) from error
    with archive:
        files = archive.infolist()
        if not any(file.filename == "xl/workbook.xml" for file in files):
            raise ValueError("save it as .xlsx, CSV or TSV")
        total = sum(file.file_size for file in files)
        if total > _LARGEST or len(files) > _MOST_FILES:
            raise ValueError(f"it expands to {len(files):,} files of {total:,} bytes")
        for file in files:
            if not file.filename.endswith((".xml", ".rels")):
                continue
            sheet = _Sheet()
            # More than the archive says is not read.
            with archive.open(file) as part:
                check_xml(iter(partial(part.read, _CHUNK), b""), sheet.start)


class _Sheet:
    """How large the table of a sheet is."""

    def __init__(self) -> None:
        self._last_row = self._last_column = self._column = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take note of a row or cell."""
        name = name.rpartition(":")[2]
        if name == "row":
            self._last_row = max(self._last_row + 1, int(attributes.get("r", "0")))
            self._column = 0
        elif name == "c":
            place = _PLACE.fullmatch(attributes.get("r", ""))
            self._column += 1
            if place:
                self._column = 0
                for letter in place[1]:
                    self._column = 26 * self._column + ord(letter) - ord("A") + 1
                self._last_row = max(self._last_row, int(place[2]))
            self._last_column = max(self._last_column, self._column)
        else:
            return
        if self._last_row * self._last_column > _MOST_CELLS:
            raise ValueError(
                f"a sheet has {self._last_row:,} rows and {self._last_column:,} columns, and at "
                f"most {_MOST_CELLS:,} cells are read"
            )


def _as_text(cell: Any) -> str:
    """Return a cell of a spreadsheet as it would be in a text."""
    if cell is None or cell is pd.NaT or (isinstance(cell, float) and np.isnan(cell)):
        return ""
    if isinstance(cell, (datetime.date, datetime.time)):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    return repr(cell) if isinstance(cell, float) else str(cell)
