"""Which effects a test looks for: positive ones, both signs, or each sign with its own bounds."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

TwoSided = bool | Literal["directional"]

DIRECTIONAL: Literal["directional"] = "directional"


def check_two_sided(two_sided: Any, name: str = "two_sided") -> TwoSided:
    """Return the value of the parameter ``two_sided``, checked.

    Parameters
    ----------
    two_sided : bool or "directional"
        The value.

    name : str, default="two_sided"
        The parameter, for messages.

    Returns
    -------
    two_sided : bool or "directional"
        The same value, as a type of Python.

    Raises
    ------
    TypeError
        If it is neither.
    """
    if isinstance(two_sided, (bool, np.bool_)):
        return bool(two_sided)
    if isinstance(two_sided, str) and two_sided == DIRECTIONAL:
        return DIRECTIONAL
    raise TypeError(f"{name} must be True or False, or {DIRECTIONAL!r}. Got {two_sided!r}.")
