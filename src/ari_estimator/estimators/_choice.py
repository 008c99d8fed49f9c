"""A parameter that takes one of several values, and how messages list them."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import Any

from sklearn.utils._param_validation import Options


class Choice(Options):
    """A scikit-learn constraint whose message lists the choices in the given order.

    scikit-learn's own ``StrOptions`` and ``Options`` list them in the order of a set, which changes
    between runs.

    Parameters
    ----------
    choices : iterable
        The choices, all texts or all integers.
    """

    def __init__(self, choices: Iterable[Any]) -> None:
        ordered = tuple(choices)
        super().__init__(str if isinstance(ordered[0], str) else Integral, set(ordered))
        self._ordered = ordered

    def __str__(self) -> str:
        return f"one of {', '.join(map(repr, self._ordered))}"
