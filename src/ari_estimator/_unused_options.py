"""The one rule for options that would do nothing: they are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def refuse_unused(why: str, options: Mapping[str, tuple[Any, Any]]) -> None:
    """Refuse options that were given although they would do nothing.

    Parameters
    ----------
    why : str
        Why they would do nothing, as the end of a sentence: "since ...", "with ...".

    options : mapping of str to (object, object)
        The value and the default of each option, by name.

    Raises
    ------
    ValueError
        If a value is not the default. The message names all such options.
    """
    given = {name: value for name, (value, default) in options.items() if _differ(value, default)}
    if given:
        got = ", ".join(f"{name}={value!r}" for name, value in given.items())
        raise ValueError(f"{', '.join(given)} must be left at the default {why}. Got {got}.")


def _differ(value: Any, default: Any) -> bool:
    if value is default:
        return False
    scalars = (bool, int, float, str, np.generic)
    return not (isinstance(value, scalars) and isinstance(default, scalars) and value == default)
