"""Contrasts written as sums of columns, such as ``(patients + siblings) / 2 - controls``.

The parser evaluates only sums, multiples and brackets. pandas or Python would also call functions,
write files, or compute huge numbers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

# Enough for hundreds of columns by name.
_LONGEST: Final = 20_000
_DEEPEST: Final = 50

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])"
    r"|(?P<name>[^\W\d]\w*)|`(?P<quoted>[^`]*)`|(?P<operator>[-+*/()]))"
)

# A column of a categorical variable, as formulaic and patsy name it. With "T.", it is the
# difference from the reference category.
_CATEGORY = re.compile(r".+\[(?P<is_difference>T\.)?(?P<level>[^\[\]]+)\]")


def contrast_weights(expression: str, columns: Sequence[Any]) -> np.ndarray:
    """Return the weights of the columns in a contrast given as text.

    Parameters
    ----------
    expression : str
        The name of a column; or a sum of multiples of columns, written with names, numbers,
        ``+``, ``-``, ``*``, ``/`` and brackets. Put names that are not words in backquotes.

    columns : sequence
        Names of the columns of the design.

    Returns
    -------
    weights : ndarray of float of shape (n_columns,)
        The weight of each column.

    Raises
    ------
    ValueError
        If the text is something else. The message says where.
    """
    names = [str(name) for name in columns]
    if names.count(expression) == 1:
        weights = np.zeros(len(names))
        weights[names.index(expression)] = 1.0
        return weights
    if len(expression) > _LONGEST:
        raise ValueError(
            f"A contrast must have at most {_LONGEST:,} letters. Got {len(expression):,}."
        )
    return _Parser(expression, names).weights()


def contrast_rows(expressions: str, columns: Sequence[Any]) -> np.ndarray:
    """Return the weights of columns in a contrast of one or several rows.

    Parameters
    ----------
    expressions : str
        A contrast, as for :func:`contrast_weights`; or the rows of an F contrast, separated by
        semicolons.

    columns : sequence
        Names of the columns of the design.

    Returns
    -------
    weights : ndarray of float of shape (n_rows, n_columns)
        The weight of each column in each row.

    Raises
    ------
    ValueError
        If one of them is not a contrast.
    """
    if expressions in map(str, columns):
        return contrast_weights(expressions, columns)[np.newaxis]
    rows = [""]
    for number, part in enumerate(expressions.split("`")):
        # Every other part is a name in backquotes, which may have semicolons.
        first, *others = [part] if number % 2 else part.split(";")
        rows[-1] += ("`" if number else "") + first
        rows += others
    return np.array([contrast_weights(row.strip(), columns) for row in rows])


def check_expressions(contrasts: Any, columns: Sequence[Any]) -> None:
    """Refuse texts that are not contrasts, before nilearn lets pandas evaluate them.

    Parameters
    ----------
    contrasts : object
        A contrast, a list of contrasts, or a dictionary of contrasts by name. Only texts are
        checked.

    columns : sequence
        Names of the columns of the design.

    Raises
    ------
    ValueError
        If a text is not a contrast of the columns.
    """
    if isinstance(contrasts, dict):
        contrasts = list(contrasts.values())
    for contrast in contrasts if isinstance(contrasts, (list, tuple)) else [contrasts]:
        if isinstance(contrast, str):
            contrast_weights(contrast, columns)


class _Parser:
    """Reads an expression from left to right. Weights are arrays, numbers are floats."""

    def __init__(self, expression: str, names: list[str]) -> None:
        self._expression = expression
        self._names = names
        self._columns = dict(zip(names, np.eye(len(names)), strict=True))
        self._depth = 0
        self._tokens: list[tuple[str, str]] = []
        position, end = 0, len(expression.rstrip())
        while position < end:
            match = _TOKEN.match(expression, position)
            if match is None:
                raise self._error(f"{expression[position:].lstrip()[:20]!r} is none of these")
            kind = str(match.lastgroup)
            self._tokens.append((kind, match[kind]))
            position = match.end()
        self._tokens.append(("end", ""))
        self._tokens.reverse()

    def weights(self) -> np.ndarray:
        with np.errstate(all="ignore"):
            value = self._sum()
        if self._tokens[-1][0] != "end":
            raise self._error(f"{self._tokens[-1][1]!r} cannot follow what is before it")
        if isinstance(value, float):
            raise self._error("it has no column")
        if not np.isfinite(value).all():
            raise self._error("its weights are not finite")
        return value

    def _next(self, *operators: str) -> str | None:
        """Return the next operator, if it is one of the given ones."""
        if self._tokens[-1][0] == "operator" and self._tokens[-1][1] in operators:
            return self._tokens.pop()[1]
        return None

    def _sum(self) -> Any:
        value = self._product()
        while operator := self._next("+", "-"):
            other = self._product()
            if isinstance(value, float) != isinstance(other, float):
                raise self._error("a number is added to columns")
            value = value + other if operator == "+" else value - other
        return value

    def _product(self) -> Any:
        value = self._factor()
        while operator := self._next("*", "/"):
            other = self._factor()
            if operator == "/" and not isinstance(other, float):
                raise self._error("something is divided by a column")
            if operator == "/" and other == 0:
                raise self._error("something is divided by 0")
            if not isinstance(value, float) and not isinstance(other, float):
                raise self._error("columns are multiplied with each other")
            value = value * other if operator == "*" else value / other
        return value

    def _factor(self) -> Any:
        is_negative = False
        while sign := self._next("+", "-"):
            is_negative ^= sign == "-"
        value = self._atom()
        return -value if is_negative else value

    def _atom(self) -> Any:
        kind, text = self._tokens.pop()
        if kind == "number":
            return float(text)
        if kind in ("name", "quoted"):
            if text not in self._columns:
                raise self._error(f"there is no column {text[:80]!r}")
            if self._names.count(text) > 1:
                raise self._error(f"there are {self._names.count(text)} columns {text[:80]!r}")
            return self._columns[text]
        if text == "(":
            self._depth += 1
            if self._depth > _DEEPEST:
                raise self._error(f"more than {_DEEPEST} brackets are nested")
            value = self._sum()
            if self._next(")") is None:
                raise self._error("a bracket is not closed")
            self._depth -= 1
            return value
        got = f"there is {text!r} where a column should be" if text else "it ends early"
        raise self._error(got)

    def _error(self, what: str) -> ValueError:
        known = [f"{name!r}" for name in self._columns]
        shown = ", ".join(known[:20]) + (", ..." if len(known) > 20 else "")
        return ValueError(
            "A contrast must be the name of a column of the design, or a sum of multiples such as "
            f"'(a + b) / 2 - c', with names that are not words in backquotes. Got "
            f"{self._expression[:80]!r}: {what}. The columns are {shown}.{self._hint()}"
        )

    def _hint(self) -> str:
        """Return which columns stand for the categories in the expression."""
        near = [
            (name, match)
            for name in self._columns
            if (match := _CATEGORY.fullmatch(name))
            and not match["level"].isdecimal()
            and f"`{name}`" not in self._expression
            and re.search(rf"(?<!\w){re.escape(match['level'])}(?!\w)", self._expression)
        ]
        if not near:
            return ""
        _, match = near[0]
        what = " and ".join(f"`{name}`" for name, _ in near)
        if match["is_difference"] and len(near) == 1:
            what += f", which is {match['level']!r} minus the reference category"
        return f" Use {what}. In a sum, put names with brackets in backquotes."
