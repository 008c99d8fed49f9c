"""Which formulas are taken: terms of columns, and functions that make columns of columns.

formulaic evaluates parts of a formula as Python, whatever they do. So a formula is parsed here, and
nothing is passed on but what stands in the lists below.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from typing import Any, Final, NoReturn

# More terms than subjects make no design.
_LONGEST: Final = 10_000
_DEEPEST: Final = 20
_MOST_TERMS: Final = 1_000

# Allowed functions of formulaic and numpy.
_FUNCTIONS: Final = {
    "C", "I", "bs", "cc", "center", "cr", "cs", "exp", "exp10", "exp2", "lag", "log", "log10",
    "log2", "poly", "scale", "standardize",
}  # fmt: skip
_MEMBERS: Final = {
    "np": {
        "abs", "absolute", "arcsinh", "arctan", "cbrt", "cos", "exp", "exp2", "expm1", "log",
        "log10", "log1p", "log2", "maximum", "minimum", "power", "sign", "sin", "sqrt", "square",
        "tan", "tanh",
    },
    "contr": {
        "Treatment", "custom", "diff", "helmert", "poly", "sas", "sum", "treatment",
    },
}  # fmt: skip

# Functions that make as many columns as a number says, or go as many rows back.
_SIZED: Final = {"bs", "cc", "cr", "cs", "lag", "poly"}
_LARGEST_SIZE: Final = 100
_LARGEST_POWER: Final = 10

# What no term has.
_NEVER = re.compile(r"[^\w\s`'\".,:+\-*/^()\[\]=]")
_QUOTED = re.compile(r"`([^`]*)`")

# formulaic puts names between backquotes where they are, also into texts. There, quotation marks
# would end the text and begin code.
_NOT_IN_NAMES = {"'", '"', "\\", *map(chr, range(32))}
_NUMBERED = re.compile(r"quoted_\d+__")


def check_formula(formula: str, columns: Collection[str]) -> None:
    """Refuse a formula that is more than terms of columns.

    Parameters
    ----------
    formula : str
        Terms, joined by ``+``, ``-``, ``*``, ``:``, ``/`` and ``**``. A term is a column, in
        backquotes if its name is not a word; 0 or 1; or a function of columns, numbers and texts.
        The lists in this file have the allowed functions of formulaic and numpy.

    columns : collection of str
        Names of the columns.

    Raises
    ------
    ValueError
        If it is something else, or has too many terms.
    """
    if len(formula) > _LONGEST:
        raise ValueError(f"it has {len(formula):,} letters, and at most {_LONGEST:,} are read")
    numbered: list[str] = []

    def number(match: re.Match[str]) -> str:
        numbered.append(match[1])
        return f" {_numbered_name(len(numbered) - 1)} "

    text = _QUOTED.sub(number, formula)
    if strange := _NEVER.search(text):
        raise ValueError(f"there is {strange[0]!r} in it")
    _check_depth(text)
    # Python has no operator ":"; which one takes its place does not matter here.
    text = text.replace("^", "**").replace(":", "@")
    try:
        tree = ast.parse(" ".join(text.split()), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise ValueError("it is not a sum of terms") from error
    known = {*columns, *(_numbered_name(i) for i, name in enumerate(numbered) if name in columns)}
    unknown = [name for name in numbered if name not in columns]
    if unknown:
        raise ValueError(f"there is no column {unknown[0][:80]!r}")
    unsafe = [name for name in numbered if set(name) & _NOT_IN_NAMES]
    if unsafe:
        raise ValueError(
            f"the name of column {unsafe[0][:80]!r} has quotation marks, backslashes or control "
            "characters in it. Rename the column"
        )
    try:
        _Checker(known).terms(tree)
    except RecursionError as error:
        raise ValueError("it has too many terms") from error


def _numbered_name(number: int) -> str:
    return f"quoted_{number}__"


def _check_depth(text: str) -> None:
    depth = deepest = 0
    for letter in text:
        depth += (letter in "([") - (letter in ")]")
        deepest = max(deepest, depth)
    if deepest > _DEEPEST:
        raise ValueError(f"more than {_DEEPEST} brackets are nested")
    if re.search(r"(?:[-+]\s*){10}", text):
        raise ValueError("it has many signs in a row")


class _Checker:
    """Goes through the tree of a formula."""

    def __init__(self, columns: Collection[str]) -> None:
        self._columns = columns

    def terms(self, node: ast.expr) -> int:
        """Return how many terms there are at most, or a few more than are taken."""
        n = min(self._terms(node), _MOST_TERMS + 1)
        if n > _MOST_TERMS:
            raise ValueError(f"it has more than {_MOST_TERMS:,} terms")
        return n

    def _terms(self, node: ast.expr) -> int:
        if isinstance(node, ast.BinOp):
            left = self.terms(node.left)
            if isinstance(node.op, ast.Pow):
                power = node.right.value if isinstance(node.right, ast.Constant) else None
                if not isinstance(power, int) or not 1 <= power <= _LARGEST_POWER:
                    raise ValueError(f"powers of terms are from 1 to {_LARGEST_POWER}")
                return left**power
            right = self.terms(node.right)
            if isinstance(node.op, (ast.Add, ast.Sub)):
                return left + right
            if isinstance(node.op, (ast.Mult, ast.Div)):
                return left + right + left * right
            if isinstance(node.op, ast.MatMult):
                return left * right
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.UAdd, ast.USub)):
            return self.terms(node.operand)
        elif isinstance(node, ast.Constant):
            if node.value in (0, 1) and type(node.value) is int:
                return 1
            self._refuse(node)
        elif isinstance(node, ast.Name):
            return self._name(node)
        elif isinstance(node, ast.Call):
            self._call(node)
            return 1
        self._refuse(node)

    def _name(self, node: ast.Name) -> int:
        if node.id not in self._columns:
            raise ValueError(f"there is no column {node.id[:80]!r}")
        return 1

    def _call(self, node: ast.Call) -> None:
        function = node.func
        owner = function.value if isinstance(function, ast.Attribute) else function
        name = owner.id if isinstance(owner, ast.Name) else ""
        if name in self._columns and name in {*_FUNCTIONS, *_MEMBERS}:
            raise ValueError(
                f"a column has the name {name!r}, which is a function or a module of functions. "
                "Rename the column"
            )
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
            is_known = function.attr in _MEMBERS.get(function.value.id, ())
        else:
            is_known = isinstance(function, ast.Name) and function.id in _FUNCTIONS
        if not is_known:
            raise ValueError(
                f"{ast.unparse(function)[:80]!r} is not an allowed function. Allowed are "
                f"{', '.join(sorted(_FUNCTIONS))} and some of np and contr"
            )
        if any(keyword.arg is None for keyword in node.keywords):
            self._refuse(node)
        called = function.id if isinstance(function, ast.Name) else ""
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            if called == "I" or not self._is_setting(argument):
                self._value(argument)
            elif called in _SIZED and self._is_large(argument):
                raise ValueError(f"{called} takes numbers up to {_LARGEST_SIZE}, or lists of knots")

    def _is_setting(self, node: ast.expr) -> bool:
        """Return whether an argument is a setting: a number, a text, or a list of these."""
        if isinstance(node, (ast.List, ast.Tuple)):
            return all(map(self._is_setting, node.elts))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.UAdd, ast.USub)):
            return self._is_setting(node.operand)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return node.value.id == "contr" and node.attr in _MEMBERS["contr"]
        if not isinstance(node, ast.Constant):
            return False
        if isinstance(node.value, str) and _NUMBERED.search(node.value):
            raise ValueError("a text has backquotes in it")
        if isinstance(node.value, (bool, int, float, str)) or node.value is None:
            return True
        self._refuse(node)

    def _is_large(self, node: ast.expr) -> bool:
        if isinstance(node, ast.UnaryOp):
            return self._is_large(node.operand)
        value = node.value if isinstance(node, ast.Constant) else None
        return isinstance(value, (int, float)) and value > _LARGEST_SIZE

    def _value(self, node: ast.expr) -> bool:
        """Check arithmetic with columns, and return whether there is one in it."""
        if isinstance(node, ast.BinOp):
            has_column = [self._value(node.left), self._value(node.right)]
            if isinstance(node.op, (ast.Add, ast.Sub, ast.Mult, ast.Div)):
                return any(has_column)
            # Powers of columns are floats, which cannot grow without limit.
            if isinstance(node.op, ast.Pow) and has_column[0] and self._is_power(node.right):
                return True
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.UAdd, ast.USub)):
            return self._value(node.operand)
        elif isinstance(node, ast.Constant):
            if type(node.value) in (int, float):
                return False
        elif isinstance(node, ast.Name):
            return self._name(node) == 1
        elif isinstance(node, ast.Call):
            self._call(node)
            return True
        self._refuse(node)

    def _is_power(self, node: ast.expr) -> bool:
        if isinstance(node, ast.UnaryOp):
            return self._is_power(node.operand)
        value: Any = node.value if isinstance(node, ast.Constant) else None
        return type(value) in (int, float) and value <= _LARGEST_POWER

    def _refuse(self, node: ast.expr) -> NoReturn:
        raise ValueError(f"{ast.unparse(node)[:80]!r} is not a term")
