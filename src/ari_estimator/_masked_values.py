"""The one rule for masked arrays of numpy: masked values are refused, and never read."""

from __future__ import annotations

from typing import Any

import numpy as np

_MAY_HOLD_MASKED = (np.ma.MaskedArray, list, tuple)


def refuse_masked(given: Any, name: str, instead: str) -> None:
    """Refuse an array with masked values, which ``numpy.asarray`` would take for values.

    Parameters
    ----------
    given : object
        What the user gave. Masked arrays in lists and tuples are found too.

    name : str
        The argument, for the message.

    instead : str
        A sentence that says what to do.

    Raises
    ------
    ValueError
        If it has masked values. A masked array without any is an array like others.
    """
    if not isinstance(given, _MAY_HOLD_MASKED):
        return  # nearly always
    n_masked = _n_masked(given)
    if n_masked:
        what = "value" if n_masked == 1 else "values"
        raise ValueError(f"{name} must not be masked. Got {n_masked} masked {what}. {instead}")


def _n_masked(given: Any) -> int:
    if isinstance(given, np.ma.MaskedArray):
        return int(np.ma.count_masked(given))
    if isinstance(given, (list, tuple)):
        return sum(_n_masked(one) for one in given if isinstance(one, _MAY_HOLD_MASKED))
    return 0
