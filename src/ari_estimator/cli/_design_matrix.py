"""From the table of a design to its matrix: regressors, categories and an intercept."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ari_estimator.cli._design import DesignOptions
from ari_estimator.cli._design_rows import listed
from ari_estimator.cli._design_table import DesignTable
from ari_estimator.cli._formula import check_formula

INTERCEPT = "intercept"

# Names of columns whose numbers are mostly codes of categories.
_CODED = re.compile(
    r"group|site|scanner|cent(er|re)\b|sex|gender|diagnos|cohort|batch|condition|treatment|arm\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Regressors:
    """Columns of a table that enter the design.

    Attributes
    ----------
    names : list of str
        The columns.

    left_out : dict of str to str
        Columns that do not enter, and why.

    formula : str or None
        The terms that are made of the columns; None for the columns as they are.

    are_none_there : bool
        Whether the table has nothing that may be a regressor.

    are_named : bool
        Whether the user has named the columns.
    """

    names: list[str]
    left_out: dict[str, str]
    formula: str | None = None
    are_none_there: bool = False
    are_named: bool = False

    def matrix(self, table: DesignTable, *, intercept: bool) -> pd.DataFrame:
        """Return the design.

        Parameters
        ----------
        table : DesignTable
            Rows without missing values in the columns.

        intercept : bool
            Whether there is an intercept, unless the columns can add up to one. A formula says
            so itself.

        Returns
        -------
        design : pandas.DataFrame
            A row for each row of the table.

        Raises
        ------
        ValueError
            If columns hold neither numbers nor categories, or a formula makes no design of them.
        """
        values = table.values(self.names)
        for name in self.names:
            _check_column(name, values[name])
        if self.formula is not None:
            return _checked(_by_formula(self.formula, values), table)
        if not self.are_named:
            _warn_of_codes(values)
        are_words = [isinstance(values[name].dtype, pd.CategoricalDtype) for name in self.names]
        numbers = [n for n, is_word in zip(self.names, are_words, strict=True) if not is_word]
        words = [n for n, is_word in zip(self.names, are_words, strict=True) if is_word]
        design = values[numbers].copy()
        has_mean = _has_mean(design.to_numpy())
        if words:
            start = "1" if intercept or has_mean else "0"
            coded = _words_coded(start, values[words]).drop(columns=INTERCEPT, errors="ignore")
            design = pd.concat([design, coded], axis=1)
        if intercept and not _has_mean(design.to_numpy()):
            ones = pd.DataFrame({INTERCEPT: 1.0}, index=design.index)
            design = pd.concat([design, ones], axis=1)
        if design.shape[1] == 0:
            raise ValueError(
                "--no-intercept leaves no regressor. Give --regressor, or leave it out."
            )
        return _checked(design, table)


def find_regressors(table: DesignTable, options: DesignOptions) -> Regressors:
    """Return which columns of a table enter the design.

    Parameters
    ----------
    table : DesignTable
        The table.

    options : DesignOptions
        The design options of the user.

    Returns
    -------
    regressors : Regressors
        The columns.

    Raises
    ------
    ValueError
        If a column is not there, or options contradict each other.
    """
    if options.formula is not None:
        for name, given in (
            ("regressor", options.regressor),
            ("no-intercept", not options.intercept),
        ):
            if given:
                raise ValueError(f"--formula already gives all terms. Leave out --{name}.")
    left_out = dict.fromkeys(table.index_columns, "only counts the rows")
    no_regressors = table.labels | set(table.columns_in(options.blocks))
    others = [name for name in table.columns if name not in no_regressors]
    if options.formula is not None:
        names = [name for name in table.columns if _is_in(name, options.formula)]
        why = "not in --formula"
    elif options.regressor:
        names = list(dict.fromkeys(options.regressor))
        for name in names:
            table.column(name)
        why = "not named by --regressor"
    else:
        names = [name for name in others if not table.is_empty(name)]
        why = "has no values"
    left_out |= {name: why for name in others if name not in names}
    return Regressors(
        names,
        left_out,
        options.formula,
        are_none_there=not others,
        are_named=bool(options.regressor),
    )


def _check_column(name: str, values: pd.Series) -> None:
    """Refuse words that are not categories."""
    if not isinstance(values.dtype, pd.CategoricalDtype):
        return
    n_levels = len(values.cat.categories)
    if n_levels == len(values) and n_levels > 2:
        raise ValueError(
            f"The column {name!r} of --design has another word in each row, such as "
            f"{values.iloc[0]!r}, so it cannot hold categories. Choose the columns to use with "
            "--regressor or --formula. A column with the files of the maps must be called path, "
            "and a column with the subjects participant_id."
        )
    if n_levels == 1:
        raise ValueError(
            f"The column {name!r} of --design is {values.iloc[0]!r} in all rows, so it cannot be a "
            "regressor. Choose the columns to use with --regressor or --formula."
        )


def _checked(design: pd.DataFrame, table: DesignTable) -> pd.DataFrame:
    """Refuse a design with two columns of one name, or a number that is not finite."""
    twice = design.columns[design.columns.duplicated()]
    if len(twice):
        raise ValueError(
            f"The design must have one regressor of each name. Got {twice[0]!r} twice: give the "
            "column of --design another name."
        )
    for name in design.select_dtypes("number"):
        is_bad = ~np.isfinite(design[name].to_numpy(dtype=np.float64))
        if is_bad.any():
            rows = listed([table.row(place) for place in np.flatnonzero(is_bad).tolist()])
            raise ValueError(
                f"The regressor {name!r} of --formula must be finite in all rows. It is not in "
                f"{rows}. A logarithm of 0 or a division by 0 is not finite."
            )
    return design


def _warn_of_codes(values: pd.DataFrame) -> None:
    """Warn of numbers that may be names: of groups, or of the rows."""
    for name in values.select_dtypes("number"):
        numbers = values[name].to_numpy()
        steps = np.diff(numbers)
        levels = np.unique(numbers)
        if len(numbers) > 2 and (steps == 1).all() and numbers[0] in (0, 1):
            warnings.warn(
                f"The column {name!r} of --design counts the rows, and enters the design as a "
                "regressor. If it only numbers the rows, choose the columns to use with "
                "--regressor or --formula.",
                UserWarning,
                stacklevel=2,
            )
        elif _CODED.search(str(name)) and 2 < len(levels) <= 20 and (levels % 1 == 0).all():
            codes = listed([f"{level:g}" for level in levels])
            warnings.warn(
                f"The column {name!r} of --design holds the numbers {codes}, and enters the "
                f"design as a slope. If these are categories, use --formula 'C({name})'.",
                UserWarning,
                stacklevel=2,
            )


def _has_mean(design: np.ndarray) -> bool:
    """Tell whether the mean of all rows is a combination of the columns of a design."""
    if design.shape[1] == 0:
        return False
    ones = np.ones(len(design))
    weights = np.linalg.lstsq(design, ones, rcond=None)[0]
    return bool(np.allclose(design @ weights, ones))


def _is_in(name: str, formula: str) -> bool:
    """Tell whether a formula has a column: by its name, or in backquotes."""
    outside = re.sub(r"`[^`]*`", " ", formula)
    return f"`{name}`" in formula or bool(
        re.search(rf"(?<![\w.]){re.escape(name)}(?![\w(])", outside)
    )


def _by_formula(formula: str, values: pd.DataFrame) -> pd.DataFrame:
    """Return the design of a formula."""
    formula = formula.strip().lstrip("~")
    shown = formula[:200]
    if "~" in formula:
        raise ValueError(f"--formula must not have a left side. Got {shown!r}.")
    if "|" in formula:
        raise ValueError(f"--formula must be one sum of terms. Got {shown!r}.")
    try:
        check_formula(formula, [str(name) for name in values])
        design = _coded(formula, values)
    # Functions of columns may go wrong in many ways.
    except Exception as error:
        told = re.sub(r"\x1b?\S?\[[\d;]*m|[^\x20-\x7e]", "", str(error).split("\n")[0])
        raise ValueError(
            f"--formula must be as 'age + C(sex)', of columns of --design. Got {shown!r}: "
            f"{told[:300]}. The columns in it are "
            f"{listed([str(name) for name in values]) or 'none'}."
        ) from None
    if design.shape[1] == 0:
        raise ValueError(f"--formula must have a term. Got {shown!r}.")
    return design


def _words_coded(start: str, words: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of categories, whatever letters are in their names."""
    # As parts of a formula, names of columns could be more than names.
    plain = {f"column_{i}": str(name) for i, name in enumerate(words)}
    coded = _coded(" + ".join([start, *plain]), words.set_axis(list(plain), axis=1))
    names = [_renamed(str(name), plain) for name in coded]
    return coded.set_axis(names, axis=1)


def _renamed(name: str, plain: dict[str, str]) -> str:
    start, bracket, level = name.partition("[")
    return plain.get(start, start) + bracket + level


def _coded(formula: str, values: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of a formula, with the intercept under its name here."""
    from formulaic import Formula

    # A frame without columns has no rows for a term such as 1.
    data = values if values.shape[1] else pd.DataFrame({" ": np.zeros(len(values))})
    coded = Formula(formula).get_model_matrix(data, context={}, na_action="ignore")
    design = pd.DataFrame(np.asarray(coded, dtype=float), columns=list(map(str, coded.columns)))
    return design.rename(columns={"Intercept": INTERCEPT})
