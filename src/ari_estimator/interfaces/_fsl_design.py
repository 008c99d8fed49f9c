"""Design files of FSL and PALM: design matrix, contrasts, F tests, blocks and variance groups."""

from __future__ import annotations

import re
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ari_estimator.files._given_path import given_path
from ari_estimator.interfaces._reading import read_text

_NAME = re.compile(r"/ContrastName(\d+)\s*(.*)")
# Larger whole numbers are rounded, so that different labels could become equal.
_FIRST_ROUNDED = 1e15
_COUNT = re.compile(r"/(NumWaves|NumPoints|NumContrasts)\s+(\S+)\s*")


class FSLDesign(NamedTuple):
    """The design and the contrasts of a group study, from files of FSL or PALM.

    Attributes
    ----------
    matrix : pandas.DataFrame of shape (n_rows, n_columns)
        The design matrix, with columns ``EV1``, ``EV2`` and so on.

    contrasts : dict of str to ndarray of shape (n_columns,)
        Weights of t contrasts by name, such as ``"C1 patients"``.

    f_tests : dict of str to ndarray of shape (n_contrasts, n_columns)
        Weights of F contrasts by name, ``"F1"`` and so on. An F test of one contrast has its row
        twice, since a single row would be a t contrast.

    Examples
    --------
    See :func:`read_fsl_design`.

    >>> from ari_estimator.interfaces import FSLDesign
    >>> FSLDesign._fields
    ('matrix', 'contrasts', 'f_tests')
    """

    matrix: pd.DataFrame
    contrasts: dict[str, np.ndarray]
    f_tests: dict[str, np.ndarray]


def read_fsl_design(
    design: str | PathLike[str],
    contrasts: str | PathLike[str] | None = None,
    f_tests: str | PathLike[str] | None = None,
) -> FSLDesign:
    r"""Read the design of a group study from the files of ``randomise`` or PALM.

    Parameters
    ----------
    design : str or path-like
        The design matrix: ``design.mat``, or a CSV file of numbers.

    contrasts : str or path-like or None, default=None
        The t contrasts: ``design.con``, or a CSV file of numbers.

    f_tests : str or path-like or None, default=None
        The F tests: ``design.fts``, or a CSV file of numbers. It has a row for each test, with 1
        for each t contrast in it.

    Returns
    -------
    design : FSLDesign
        Give ``matrix`` to :meth:`ARISecondLevelModel.fit` and ``contrasts`` to
        :meth:`ARISecondLevelModel.compute_contrasts`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a file is not a matrix of finite numbers, its header contradicts its rows, or the files
        do not fit together.

    Notes
    -----
    No column is added to the matrix. FSL and PALM do not add an intercept either.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from ari_estimator.interfaces import read_fsl_design
    >>> with TemporaryDirectory() as folder:
    ...     mat, con = Path(folder) / "design.mat", Path(folder) / "design.con"
    ...     _ = mat.write_text("/NumWaves 2\n/NumPoints 3\n/Matrix\n1 0\n1 0\n0 1\n")
    ...     _ = con.write_text("/ContrastName1 difference\n/NumWaves 2\n/Matrix\n1 -1\n")
    ...     files = read_fsl_design(mat, con)
    >>> files.matrix.columns.tolist(), files.contrasts
    (['EV1', 'EV2'], {'C1 difference': array([ 1., -1.])})
    """
    path = given_path(design, "design")
    values, _ = _read_matrix(path, "design", rows="NumPoints")
    n_columns = values.shape[1]
    matrix = pd.DataFrame(values, columns=[f"EV{i}" for i in range(1, n_columns + 1)])
    found: dict[str, np.ndarray] = {}
    weights = np.empty((0, n_columns))
    if contrasts is not None:
        con = given_path(contrasts, "contrasts")
        weights, names = _read_matrix(con, "contrasts", rows="NumContrasts")
        if weights.shape[1] != n_columns:
            raise ValueError(
                f"contrasts must have {n_columns} columns, as the design. Got {weights.shape[1]} "
                f"in {str(con)!r}."
            )
        found = {f"C{i} {names.get(i, '')}".strip(): row for i, row in enumerate(weights, start=1)}
    tests: dict[str, np.ndarray] = {}
    if f_tests is not None:
        fts = given_path(f_tests, "f_tests")
        if contrasts is None:
            raise ValueError(f"f_tests needs contrasts, which it combines. Got only {str(fts)!r}.")
        chosen, _ = _read_matrix(fts, "f_tests", rows="NumContrasts")
        if chosen.shape[1] != len(weights) or not np.isin(chosen, (0, 1)).all():
            raise ValueError(
                f"f_tests must have a 0 or 1 for each of the {len(weights)} contrasts. Got "
                f"{chosen.shape[1]} columns with values {np.unique(chosen)[:5].tolist()} in "
                f"{str(fts)!r}."
            )
        if not chosen.any(axis=1).all():
            raise ValueError(
                f"f_tests must have a contrast in each test. Got none in {str(fts)!r}."
            )
        for i, row in enumerate(chosen, start=1):
            rows = weights[row == 1]
            # A model tests a single row by t. The same row twice is the F test of this row.
            tests[f"F{i}"] = rows if len(rows) > 1 else np.repeat(rows, 2, axis=0)
    return FSLDesign(matrix, found, tests)


def read_fsl_labels(path: str | PathLike[str], n_rows: int, called: str = "labels") -> np.ndarray:
    r"""Read exchangeability blocks or variance groups from a file of FSL or PALM.

    Parameters
    ----------
    path : str or path-like
        A file such as ``design.grp``, or a CSV file of whole numbers, with a row for each map.

    n_rows : int
        Number of rows of the design.

    called : str, default="labels"
        Name of the argument or option in messages.

    Returns
    -------
    labels : ndarray of int of shape (n_rows,) or (n_rows, n_levels)
        The labels; several columns are nested levels.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it does not hold a whole number for each row.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from ari_estimator.interfaces import read_fsl_labels
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "design.grp"
    ...     _ = path.write_text("/NumWaves 1\n/NumPoints 3\n/Matrix\n1\n1\n2\n")
    ...     read_fsl_labels(path, 3)
    array([1, 1, 2])
    """
    file = given_path(path, called)
    values, _ = _read_matrix(file, called, rows="NumPoints")
    if len(values) != n_rows:
        raise ValueError(
            f"{called} must have a row for each of the {n_rows} rows of the design. Got "
            f"{len(values)} rows in {str(file)!r}."
        )
    if (values != np.rint(values)).any():
        bad = values[values != np.rint(values)][0]
        raise ValueError(f"{called} must be whole numbers. Got {bad:g} in {str(file)!r}.")
    if np.abs(values).max() >= _FIRST_ROUNDED:
        bad = values[np.abs(values) >= _FIRST_ROUNDED][0]
        raise ValueError(f"{called} must have at most 15 digits. Got {bad:g} in {str(file)!r}.")
    labels = values.astype(np.int64)
    return labels[:, 0] if labels.shape[1] == 1 else labels


def _read_matrix(path: Path, called: str, *, rows: str) -> tuple[np.ndarray, dict[int, str]]:
    """Return the matrix in a file, and the names of contrasts in its header."""
    lines = [line.strip() for line in read_text(path, called).splitlines()]
    names: dict[int, str] = {}
    counts: dict[str, str] = {}
    is_fsl = "/Matrix" in lines
    if is_fsl:
        start = lines.index("/Matrix")
        for line in lines[:start]:
            if match := _NAME.fullmatch(line):
                names[int(match[1])] = _readable(match[2].strip())
            elif match := _COUNT.fullmatch(line):
                counts[match[1]] = match[2]
        lines = lines[start + 1 :]
    elif any(line.startswith("/") for line in lines):
        raise ValueError(
            f"{called} must have a line /Matrix before its numbers. Got {str(path)!r}."
        )
    values = [_numbers(line, path, called) for line in lines if line]
    if not values:
        raise ValueError(f"{called} must have a row of numbers. Got none in {str(path)!r}.")
    widths = {len(row) for row in values}
    if len(widths) != 1:
        raise ValueError(
            f"{called} must have the same number of columns in each row. Got {sorted(widths)} in "
            f"{str(path)!r}."
        )
    matrix = np.array(values)
    told = {"NumWaves": matrix.shape[1], rows: len(matrix)}
    for name, found in told.items():
        if name in counts and counts[name] != str(found):
            what = "columns" if name == "NumWaves" else "rows"
            raise ValueError(
                f"{called} must have as many {what} as its header says. Got /{name} {counts[name]} "
                f"and {found} {what} in {str(path)!r}."
            )
    return matrix, names


def _readable(name: str) -> str:
    """Return a name without the stand-ins for bytes that are not UTF-8, which cannot be written."""
    given = name.encode("utf-8", errors="surrogateescape")
    try:
        return given.decode("utf-8")
    except UnicodeDecodeError:
        return given.decode("latin-1")


def _numbers(line: str, path: Path, called: str) -> list[float]:
    """Return the numbers of a line, which are separated by spaces, by commas or by semicolons."""
    # Only one of them separates a line. So an empty cell, or a comma for a point, is no number.
    separator = next((mark for mark in ";," if mark in line), None)
    try:
        numbers = [float(cell) for cell in line.split(separator)]
    except ValueError:
        numbers = []
    if not numbers or not np.isfinite(numbers).all():
        raise ValueError(
            f"{called} must hold finite numbers only, with a decimal point, separated by spaces or "
            f"commas. Got the line {line[:60]!r} in {str(path)!r}."
        )
    return numbers


def is_fsl_design(path: Any) -> bool:
    """Return whether a design is a file of FSL or PALM, by its name: ``.mat``, ``.con`` and so on.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    is_fsl : bool
        Whether the name ends like one.
    """
    return Path(path).suffix.lower() in (".mat", ".con", ".fts", ".grp")
