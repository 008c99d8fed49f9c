"""The last result of a computation, which is used again if nothing has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from joblib import hash as hash_of_values

Result = TypeVar("Result")


class LastResult(Generic[Result]):
    """The last result of a computation, and what it depends on.

    Attributes
    ----------
    value : object or None
        The result; None before the first.
    """

    def __init__(self) -> None:
        self.value: Result | None = None
        self._asked = ""

    def of(self, asked: object, compute: Callable[[], Result]) -> Result:
        """Return the result; the last one if it depends on equal values.

        Parameters
        ----------
        asked : object
            All values that the result depends on: arrays, numbers, texts, and sequences and
            dictionaries of these.

        compute : callable
            Returns the result.

        Returns
        -------
        result : object
            The result.
        """
        key = hash_of_values(asked)
        if self.value is None or key != self._asked:
            # Free the old one before a new one is computed.
            self.value = None
            self.value = compute()
            self._asked = key
        return self.value
