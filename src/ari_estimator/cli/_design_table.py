"""The table of a design, as programs write it: its separator, its decimals, its rows."""

from __future__ import annotations

import codecs
import csv
import re
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ari_estimator.cli._spreadsheet import is_spreadsheet, rows_of_spreadsheet
from ari_estimator.files._regular_file import read_bytes

# Columns that say which subject a row is of, first things first, and where its map is.
SUBJECT = (
    "subject_label", "participant_id", "subject", "subject_id", "participant", "sub", "id",
)  # fmt: skip
PATH = "path"
HEMISPHERES = ("path_left", "path_right")

# How programs write that there is no value. "None" is a word: a group may be called so.
_MISSING = ("", "n/a", "na", "nan", "null", "<na>", "#n/a")

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_WITH_COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)(e[+-]?\d+)?", re.IGNORECASE)
# 1,234 may be a little more than 1, or more than a thousand.
_WITH_COMMA_OR_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_LIKE_A_NUMBER = re.compile(r"[+-]?\d[\d.,' \u00a0\u202f]*")

# Half a million subjects have some tens of megabytes. Spreadsheets have no more columns.
_LARGEST = 64 * 2**20
_MOST_COLUMNS = 16_384

# How index columns are called. pandas and R write them without a name.
_INDEX = re.compile(r"|unnamed: \d+|index|level_0", re.IGNORECASE)

_BYTE_ORDER_MARKS = (  # UTF-32 first, whose mark starts as the one of UTF-16 does
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)


@dataclass(frozen=True)
class DesignTable:
    """The table of a design.

    Attributes
    ----------
    cells : pandas.DataFrame of str
        The cells as they are written, without blanks around. The index is the number of each row
        in the file, where the header is row 1 if nothing is above it.

    separator : str
        What is between the cells; ``""`` of a spreadsheet.

    folder : Path
        Where the file is.

    sha256 : str
        Checksum of the file.

    index_columns : tuple of str
        Columns that only count the rows, and were left out.
    """

    cells: pd.DataFrame
    separator: str
    folder: Path
    sha256: str
    index_columns: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return [str(name) for name in self.cells.columns]

    def column(self, name: str) -> pd.Series:
        """Return the cells of a column that must be there."""
        if name not in self.cells:
            raise ValueError(
                f"--design must have a column {name!r}. Got {', '.join(self.columns) or 'none'}."
            )
        return self.cells[name]

    def columns_in(self, text: str | None) -> list[str]:
        """Return the columns that a text names: one, several with commas between them, or none."""
        if text is None or text in self.cells:
            return [] if text is None else [text]
        names = [name.strip() for name in text.split(",")]
        return [str(self.column(name).name) for name in names]

    def named(self, names: tuple[str, ...]) -> str | None:
        """Return the first of some columns that is there, in capital or small letters."""
        by_name = {name.casefold().replace(" ", "_"): name for name in reversed(self.columns)}
        return next((by_name[name] for name in names if name in by_name), None)

    @property
    def subject(self) -> str | None:
        """Name of the column that says which subject a row is of, if there is one."""
        return self.named(SUBJECT)

    @property
    def paths(self) -> tuple[str, ...]:
        """Names of the columns that say where the map of a row is."""
        found = (self.named((name,)) for name in (PATH, *HEMISPHERES))
        return tuple(name for name in found if name is not None)

    @property
    def labels(self) -> set[str]:
        """Names of all columns that say whose row it is, or where its map is."""
        wanted = {PATH, *HEMISPHERES, *SUBJECT}
        return {name for name in self.columns if name.casefold().replace(" ", "_") in wanted}

    def take(self, places: list[int]) -> DesignTable:
        """Return the table with some of its rows, in their order."""
        return replace(self, cells=self.cells.iloc[places])

    def row(self, place: int) -> str:
        """Return a row in words: its number, and whose it is."""
        text = f"row {self.cells.index[place]}"
        return text if self.subject is None else f"{text} ({self.cells[self.subject].iloc[place]})"

    def lacks(self, names: list[str]) -> dict[int, list[str]]:
        """Return the places of rows that lack a value, and the columns where they do."""
        is_missing = {name: which_lack_a_value(self.column(name)) for name in names}
        return {
            place: [name for name in names if is_missing[name][place]]
            for place in range(len(self.cells))
            if any(is_missing[name][place] for name in names)
        }

    def is_empty(self, name: str) -> bool:
        """Tell whether a column has no value in any row."""
        return all(which_lack_a_value(self.column(name)))

    def values(self, names: list[str]) -> pd.DataFrame:
        """Return columns as numbers, or as categories if they are words, with rows from 0.

        Parameters
        ----------
        names : list of str
            Columns without missing values.

        Returns
        -------
        values : pandas.DataFrame
            Columns of float, and columns of categories.

        Raises
        ------
        ValueError
            If a column has numbers in some rows and words in others, or it cannot be told what
            number is written.
        """
        cells = {name: self.column(name).tolist() for name in names}
        numbers = [name for name in names if all(map(_is_number, cells[name]))]
        self._check_decimals({name: cells[name] for name in numbers})
        parsed = {name: self._parsed(name, cells[name]) for name in names}
        return pd.DataFrame(parsed, index=range(len(self.cells)))

    def _parsed(self, name: str, cells: list[str]) -> Any:
        are_numbers = [_is_number(cell) for cell in cells]
        if all(are_numbers):
            return np.array([float(cell.replace(",", ".")) for cell in cells])
        strange = [place for place, is_number in enumerate(are_numbers) if not is_number]
        if any(are_numbers):
            raise ValueError(
                f"The column {name!r} of --design must hold numbers in all rows, or words in all "
                f"rows. It has {sum(are_numbers)} numbers, and {cells[strange[0]]!r} in "
                f"{self.row(strange[0])}. Write n/a where there is no value."
            )
        unclear = [place for place in strange if _LIKE_A_NUMBER.fullmatch(cells[place])]
        if unclear:
            raise ValueError(
                f"The column {name!r} of --design must hold numbers such as 1234.5, or words. Got "
                f"{cells[unclear[0]]!r} in {self.row(unclear[0])}."
            )
        levels = sorted(set(cells))
        by_letters: dict[str, str] = {}
        for level in levels:
            other = by_letters.setdefault(level.casefold(), level)
            if other != level:
                warnings.warn(
                    f"The column {name!r} of --design has the categories {other!r} and "
                    f"{level!r}, which count as two.",
                    UserWarning,
                    stacklevel=2,
                )
        return pd.Categorical(cells, categories=levels)

    def _check_decimals(self, cells: dict[str, list[str]]) -> None:
        """Refuse numbers where a comma may mean this or that."""
        all_cells = [(cell, name) for name, column in cells.items() for cell in column]
        commas = [pair for pair in all_cells if "," in pair[0]]
        points = [pair for pair in all_cells if "." in pair[0]]
        if commas and points:
            raise ValueError(
                "--design must write all decimals with a point, or all with a comma. Got "
                f"{commas[0][0]!r} in the column {commas[0][1]!r} and {points[0][0]!r} in the "
                f"column {points[0][1]!r}."
            )
        are_unclear = all(_WITH_COMMA_OR_THOUSANDS.fullmatch(cell) for cell, _ in commas)
        # Where a comma is for decimals, programs write semicolons between the cells.
        if commas and are_unclear and self.separator != ";":
            raise ValueError(
                f"--design must write numbers without a comma for thousands. {commas[0][0]!r} in "
                f"the column {commas[0][1]!r} may be {commas[0][0].replace(',', '.')} or "
                f"{commas[0][0].replace(',', '')}."
            )


def read_design_table(path: Path) -> DesignTable:
    """Return the table of a design.

    Parameters
    ----------
    path : Path
        A text, with tabs, semicolons or commas between the cells; or a spreadsheet.

    Returns
    -------
    table : DesignTable
        The table, without blank rows, and without columns that only count the rows.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If it is not a table, is not a file on a disk, is larger than 64 MiB, or is a spreadsheet
        other than .xlsx. If a column has no name, or several columns have the same name.
    """
    content = read_bytes(path, "--design", _LARGEST)
    if is_spreadsheet(content):
        separator, rows = "", rows_of_spreadsheet(path, content)
    else:
        separator, rows = _rows_of_text(path, _decoded(path, content))
    rows = [(number, [cell.strip() for cell in row]) for number, row in rows]
    rows = [(number, row) for number, row in rows if any(row)]
    if not rows:
        raise ValueError(f"--design must be a table. {str(path)!r} is empty.")
    header, body = rows[0][1], rows[1:]
    if len(header) > _MOST_COLUMNS:
        raise ValueError(
            f"--design must have at most {_MOST_COLUMNS:,} columns. {str(path)!r} has "
            f"{len(header):,}."
        )
    cut = [row[: len(header)] for _, row in body]
    # A spreadsheet may have empty columns between others.
    kept = [i for i, name in enumerate(header) if name or any(row[i] for row in cut)]
    header, cut = [header[i] for i in kept], [[row[i] for i in kept] for row in cut]
    if not cut:
        raise ValueError(f"--design must have a row for each map. {str(path)!r} has none.")
    cells = pd.DataFrame(cut, index=[number for number, _ in body], dtype=object)
    is_index = [_is_index(name, [row[i] for row in cut]) for i, name in enumerate(header)]
    names = [name for name, left_out in zip(header, is_index, strict=True) if not left_out]
    if not all(names):
        raise ValueError(
            "Each column of --design must have a name. The column with "
            f"{cut[0][header.index('')]!r} in row {body[0][0]} of {str(path)!r} has none."
        )
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise ValueError(f"--design must have one column of each name. Got {twice[0]!r} twice.")
    cells = cells.loc[:, [not left_out for left_out in is_index]].set_axis(names, axis=1)
    counting = tuple(name for name, left_out in zip(header, is_index, strict=True) if left_out)
    return DesignTable(cells, separator, path.parent, sha256(content).hexdigest(), counting)


def which_lack_a_value(cells: Iterable[str]) -> list[bool]:
    """Tell which cells have no value."""
    return [cell.casefold() in _MISSING for cell in cells]


def _is_number(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell) or _WITH_COMMA.fullmatch(cell))


def _is_index(name: str, cells: list[str]) -> bool:
    """Tell whether a column has no name of its own, and only counts rows."""
    if not _INDEX.fullmatch(name) or not all(re.fullmatch(r"\d{1,18}", cell) for cell in cells):
        return False
    counts = [int(cell) for cell in cells]
    # Rows may have been left out, or put in another order, after they were counted.
    return len(set(counts)) == len(counts)


def _decoded(path: Path, content: bytes) -> str:
    """Return the text of a file, in the encoding that it shows."""
    marked = (encoding for mark, encoding in _BYTE_ORDER_MARKS if content.startswith(mark))
    encoding = next(marked, "utf-8")
    if encoding == "utf-8" and b"\0" in content[:2]:
        # ASCII letters in UTF-16 have a zero on one side.
        encoding = "utf-16-be" if content[0] == 0 else "utf-16-le"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8" or b"\0" in content:
            raise ValueError(f"--design must be a table. {str(path)!r} is none: {error}.") from None
        text = content.decode("cp1252", errors="replace")
        warnings.warn(
            f"{str(path)!r} is not in UTF-8. It is read as Windows-1252: check letters with "
            "accents.",
            UserWarning,
            stacklevel=2,
        )
    if "\0" in text:
        raise ValueError(f"--design must be a table. {str(path)!r} is none: it holds no text.")
    return text


def _rows_of_text(path: Path, text: str) -> tuple[str, list[tuple[int, list[str]]]]:
    """Return the separator of a text, and its rows with the numbers of their lines."""
    # Some programs tell the separator to others in a first line.
    told = re.match(r"\s*sep=([;,\t])\r?\n", text)
    if told:
        text = "\n" + text[told.end() :]
    problem = None
    for separator in (told.group(1),) if told else ("\t", ";", ","):
        rows = _split(path, text, separator)
        width = len(rows[0][1]) if rows else 0
        if width < 2:
            continue
        if separator == "\t" and all(len(row) == width + 1 for _, row in rows[1:]):
            # R writes names of rows without a heading.
            rows[0][1].insert(0, "")
            return separator, rows
        uneven = [(n, row) for n, row in rows if len(row) < width or any(row[width:])]
        if not uneven:
            return separator, rows
        number, row = uneven[0]
        problem = problem or (
            f"--design must have as many cells in each row as the header. {str(path)!r} has "
            f"{len(row)} in row {number}, and {width} in the header."
        )
    if problem:
        raise ValueError(problem)
    rows = _split(path, text, "\t")
    if rows and len(rows[0][1]) == 1:
        _refuse_other_separators(path, [row[0] for _, row in rows])
    return "\t", rows


def _split(path: Path, text: str, separator: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator)
    try:
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise ValueError(f"--design must be a table. {str(path)!r} is none: {error}.") from None
    return [(number, row) for number, row in rows if any(cell.strip() for cell in row)]


def _refuse_other_separators(path: Path, lines: list[str]) -> None:
    """Refuse a table of one column that is one of several, with another separator."""
    for name, separator in (("blanks", None), ("'|'", "|"), ("':'", ":")):
        split = [[cell.strip() for cell in line.split(separator)] for line in lines]
        has_numbers = all(any(map(_is_number, row)) for row in split[1:])
        if len({len(row) for row in split}) == 1 and len(split[0]) > 1 and has_numbers:
            raise ValueError(
                f"--design must have tabs, semicolons or commas between the cells. {str(path)!r} "
                f"has {name}."
            )
