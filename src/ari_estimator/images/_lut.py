"""Look-up tables of regions: their labels and their names, as they are written."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ari_estimator.files._regular_file import read_bytes

_COLUMNS = {"index", "name"}

# Atlases have thousands of regions at most.
_LARGEST = 16 * 2**20


def read_lut(lut: pd.DataFrame | str | Path) -> pd.DataFrame:
    """Return a look-up table.

    Parameters
    ----------
    lut : pandas.DataFrame, str or Path
        A table with columns ``index`` and ``name``, or a text file of one.

    Returns
    -------
    table : pandas.DataFrame
        Columns ``index`` (numbers) and ``name``. Names of a file are texts as they are written: a
        region may be called NA, nan or None, and blanks around a name belong to it.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    TypeError
        If it is neither a table nor a path.
    ValueError
        If the file is not text, a column is missing, or the index does not hold numbers.
    """
    if isinstance(lut, (str, Path)):
        return _read_file(Path(lut))
    if not isinstance(lut, pd.DataFrame):
        raise TypeError(
            "lut must be a DataFrame with columns 'index' and 'name', or a file of one. "
            f"Got {type(lut).__name__}."
        )
    _check_columns(lut.columns)
    return lut[["index", "name"]]


def refuse_unnamed(names: Sequence[Any], regions: Sequence[Any], said_by: str) -> None:
    """Raise a ValueError if a region has no name.

    Parameters
    ----------
    names : sequence
        The names. None, NaN and a text of nothing but blanks are none.

    regions : sequence
        What the message calls each region.

    said_by : str
        What names the regions, for the message.
    """
    is_named = [not pd.isna(name) and bool(str(name).strip()) for name in names]
    unnamed = [region for region, named in zip(regions, is_named, strict=True) if not named]
    if unnamed:
        raise ValueError(f"{said_by} must name all of its regions. Got no name for {unnamed}.")


def _read_file(path: Path) -> pd.DataFrame:
    text = _text_of(path)
    lines = text.splitlines()
    if not lines:
        raise ValueError(
            f"lut must be a table with columns index and name. {str(path)!r} is empty."
        )
    try:
        # pandas takes names such as NA for missing values, unless it is told not to.
        table = pd.read_csv(
            StringIO(text, newline=""),
            sep=_separator_of(lines[0]),
            engine="python",
            dtype=str,
            keep_default_na=False,
        )
    except (pd.errors.ParserError, csv.Error) as error:
        raise ValueError(f"lut must be a table. {str(path)!r} is none: {error}.") from None
    _check_columns(table.columns)
    # A cell is NaN only where a row has fewer cells than the header.
    table = table[["index", "name"]].fillna("")
    table = table[(table != "").any(axis=1)]
    numbers = pd.to_numeric(table["index"], errors="coerce")
    if not np.isfinite(numbers).all():
        wrong = table["index"][~np.isfinite(numbers)].iloc[0]
        raise ValueError(f"lut must have a number in each row of the column index. Got {wrong!r}.")
    return table.assign(index=numbers)


def _text_of(path: Path) -> str:
    content = read_bytes(path, "lut", _LARGEST)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise ValueError(
            f"lut must be a table, a text in UTF-8. {str(path)!r} holds something else."
        )
    return text


def _separator_of(header: str) -> str | None:
    """Return what is between the cells; None if pandas is to find out."""
    for separator in ("\t", ",", ";"):
        if set(next(csv.reader([header], delimiter=separator))) >= _COLUMNS:
            return separator
    return None


def _check_columns(columns: Iterable[Any]) -> None:
    names = [str(name) for name in columns]
    if not set(names) >= _COLUMNS:
        raise ValueError(f"lut must have columns 'index' and 'name'. Got {names}.")
