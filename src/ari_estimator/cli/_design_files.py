"""A group study whose design is in files of FSL or PALM."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ari_estimator.cli._design import DesignOptions
from ari_estimator.cli._design_matrix import INTERCEPT
from ari_estimator.cli._design_record import DesignRecord
from ari_estimator.cli._inputs import add_inputs
from ari_estimator.cli._unused_options import refuse_options
from ari_estimator.files._given_path import given_path

# A test of a file, by its number.
_NUMBERED = re.compile(r"(?P<file>.+):(?P<number>\d+)")


class FileStudy(NamedTuple):
    """What a group study tests, as far as the files of a design say.

    Attributes
    ----------
    records : list of DesignRecord
        The tests.

    blocks : ndarray of int or None
        Exchangeability blocks.

    variance_groups : ndarray of int, "auto" or None
        Variance groups.
    """

    records: list[DesignRecord]
    blocks: np.ndarray | None
    variance_groups: Any


def is_in_files(options: DesignOptions) -> bool:
    """Return whether the design is in a file of FSL or PALM."""
    from ari_estimator.interfaces._fsl_design import is_fsl_design

    return options.design is not None and is_fsl_design(options.design)


def study_in_files(maps: list[str], options: DesignOptions) -> FileStudy:
    """Return the tests that the files of a design define.

    Parameters
    ----------
    maps : list of str
        The maps, in the order of the rows.

    options : DesignOptions
        The design.

    Returns
    -------
    study : FileStudy
        The tests.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the files do not fit together or to the maps, or do not say what to test.
    """
    from ari_estimator.interfaces import read_fsl_design, read_fsl_labels
    from ari_estimator.resampling._design_space import DesignSpace

    assert options.design is not None
    refuse_options(
        "a table. Got a design.mat, whose columns are the regressors",
        regressor=options.regressor is not None,
        formula=options.formula is not None,
        drop_missing=options.drop_missing,
        no_intercept=not options.intercept,
    )
    given = options.contrast or []
    if len(given) != 1:
        got = f"{len(given)} of them" if given else "none"
        raise ValueError(
            f"--contrast must name the file of contrasts, such as design.con, once. Got {got}."
        )
    con, t_number = _file_and_number(given[0], "--contrast")
    fts, f_number = (
        (None, None) if options.ftests is None else _file_and_number(options.ftests, "--ftests")
    )
    path = given_path(options.design, "--design")
    add_inputs([str(file) for file in (path, con, fts) if file is not None])
    files = read_fsl_design(path, con, fts)
    design = files.matrix
    if len(design) != len(maps):
        raise ValueError(
            f"--design must have a row for each of the {len(maps)} maps. Got {len(design)} rows in "
            f"{str(path)!r}."
        )
    if options.demean:
        design = _demeaned(design)
    # Columns that were added have no weight.
    chosen = {
        name: np.pad(rows, [(0, 0), (0, design.shape[1] - rows.shape[1])])
        for name, rows in _chosen(files, t_number, f_number, joint=options.joint).items()
    }
    blocks = groups = None
    beside: dict[str, list[str]] = {}
    if options.blocks is not None:
        blocks = read_fsl_labels(options.blocks, len(design), "--blocks")
        levels = blocks[:, np.newaxis] if blocks.ndim == 1 else blocks
        for number, level in enumerate(levels.T, start=1):
            beside[f"block{number}"] = [str(label) for label in level]
    variance_groups: Any = options.variance_groups
    if options.variance_groups not in (None, "auto"):
        groups = read_fsl_labels(options.variance_groups, len(design), "--variance-groups")
        if groups.ndim != 1:
            raise ValueError("--variance-groups must be one column. Got several.")
        beside["variance_group"] = [str(label) for label in groups]
        variance_groups = groups
    records = [
        DesignRecord(
            design,
            "; ".join(_expression(row, design, name) for row in rows),
            [dict(zip(design.columns, map(float, row), strict=True)) for row in rows],
            df=len(design) - DesignSpace.of(design.to_numpy()).rank,
            maps=[(file,) for file in maps],
            rows=list(range(1, len(design) + 1)),
            subjects=[],
            beside=beside,
            options=_options_of_rows(options, beside),
            file=path,
            file_sha256=sha256(path.read_bytes()).hexdigest(),
            left_out={},
            formula=None,
            dropped=[],
            name=name,
        )
        for name, rows in chosen.items()
    ]
    return FileStudy(records, blocks, variance_groups)


def _file_and_number(text: str, option: str) -> tuple[Path, int | None]:
    """Return a file and the number after it, if there is one."""
    match = _NUMBERED.fullmatch(text)
    if match is None or Path(text).exists():
        return given_path(text, option), None
    return given_path(match["file"], option), int(match["number"])


def _chosen(
    files: Any, t_number: int | None, f_number: int | None, *, joint: bool
) -> dict[str, np.ndarray]:
    """Return the rows of the tests that were asked for, by name."""
    t_names, f_names = list(files.contrasts), list(files.f_tests)
    for option, names, number in (
        ("--contrast", t_names, t_number),
        ("--ftests", f_names, f_number),
    ):
        if number is not None and not 1 <= number <= len(names):
            raise ValueError(f"{option} must end in a number from 1 to {len(names)}. Got {number}.")
    if t_number is not None or f_number is not None:
        t_names = [] if t_number is None else [t_names[t_number - 1]]
        f_names = [] if f_number is None else [f_names[f_number - 1]]
    chosen = {name: np.atleast_2d(files.contrasts[name]) for name in t_names}
    chosen |= {name: files.f_tests[name] for name in f_names}
    if len(chosen) > 1 and not joint:
        raise ValueError(
            f"The files have {len(chosen)} tests: {', '.join(chosen)}. Choose one by its number, "
            "such as --contrast design.con:1 or --ftests design.fts:1; or test all as one family "
            "with --joint."
        )
    if len(chosen) < 2 and joint:
        raise ValueError(f"--joint needs at least two tests. Got {', '.join(chosen)}.")
    return chosen


def _demeaned(design: pd.DataFrame) -> pd.DataFrame:
    """Return a design whose columns have a mean of 0, and an intercept."""
    values = design - design.mean()
    is_constant = np.abs(values).max() <= 1e-12 * np.abs(design).max()
    if is_constant.any():
        names = [str(name) for name in design.columns[is_constant]]
        raise ValueError(
            f"--demean would leave nothing of the constant columns {', '.join(names)}. The design "
            "has the mean already: leave --demean out."
        )
    return values.assign(**{INTERCEPT: 1.0})


def _expression(row: np.ndarray, design: pd.DataFrame, called: str) -> str:
    """Return the weights of a contrast as an expression of columns."""
    terms = [
        f"{'-' if weight < 0 else '+'} "
        + (f"{name}" if abs(weight) == 1 else f"{abs(weight)!r} * {name}")
        for name, weight in zip(design.columns, row.tolist(), strict=False)
        if weight != 0
    ]
    if not terms:
        raise ValueError(
            f"--contrast must have a weight other than 0 in each row of {called!r}. Got only zeros."
        )
    text = " ".join(terms)
    return text.removeprefix("+ ") if text.startswith("+") else "-" + text.removeprefix("- ")


def _options_of_rows(options: DesignOptions, beside: dict[str, list[str]]) -> list[str]:
    """Return the options that repeat the test from a table."""
    blocks = [name for name in beside if name.startswith("block")]
    found = [f"--blocks={','.join(blocks)}"] if blocks else []
    if options.exchange is not None:
        found.append(f"--exchange={options.exchange}")
    if options.variance_groups is not None:
        name = "variance_group" if "variance_group" in beside else options.variance_groups
        found.append(f"--variance-groups={name}")
    return [*found, "--f-test"] if options.f_test else found
