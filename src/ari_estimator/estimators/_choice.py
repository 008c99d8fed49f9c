"""Parameters that take one of several values or objects, and how messages list them."""

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


class InstanceOf(Options):
    """A scikit-learn constraint for an object, whose message gives an example.

    scikit-learn's own constraint names the private module of the class.

    Parameters
    ----------
    base : type
        The class of the object.

    in_words : str
        What the object is, for messages.
    """

    def __init__(self, base: type, in_words: str) -> None:
        super().__init__(base, set())
        self._in_words = in_words

    def is_satisfied_by(self, val: Any) -> bool:
        """Return whether a value is an object of the class."""
        return isinstance(val, self.type)

    def __str__(self) -> str:
        return self._in_words
