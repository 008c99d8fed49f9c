"""Store parameters of estimators in a file, and check them."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ari_estimator.closed_testing._two_sided import DIRECTIONAL, TwoSided, check_two_sided
from ari_estimator.files._stored_array import stored_array
from ari_estimator.inference._provenance import plain
from ari_estimator.interfaces._stored_local_test import local_test_from_text

# Longer than the text of any parameters, and short enough to parse quickly.
_LONGEST = 2**16


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _are_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_number, value))


def _or_none(*kinds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or any(is_kind(value) for is_kind in kinds)


# All stored parameters. The others are images, files or settings of the machine; the archive holds
# their results.
STORED: dict[str, Callable[[Any], bool]] = {
    # Parameters of transformers.
    "threshold": _or_none(_is_number, _are_numbers, lambda value: value == "concentration"),
    "threshold_scale": _is_text,
    "tdp_threshold": _or_none(_is_number, _are_numbers),
    "alpha": _is_number,
    "stat_type": _or_none(_is_text),
    "df": _or_none(_is_number, _are_numbers),
    "two_sided": lambda value: _is_flag(value) or value == DIRECTIONAL,
    "connectivity": _or_none(_is_count),
    "cluster_threshold": _is_count,
    "local_test": _is_text,
    # Parameters of calibrations.
    "n_permutations": _is_count,
    "scheme": _is_text,
    "exchange": _or_none(_is_text),
    "missing": _or_none(_is_text),
    "p_values": _is_text,
    "k_max": _or_none(_is_count, lambda value: value == "auto"),
    "delta": _is_count,
    "step_down": _is_flag,
    "allow_shared_data": _is_flag,
    "n_groups": _is_count,
    "random_state": _or_none(_is_count),
}


def two_sided_from(arrays: Mapping[str, np.ndarray], name: str) -> TwoSided:
    """Return a stored value of ``two_sided``, checked.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        The arrays of a file.

    name : str
        Name of the array.

    Returns
    -------
    two_sided : bool or "directional"
        The value.

    Raises
    ------
    ValueError
        If there is no such array, or it has another value.
    """
    stored = stored_array(arrays, name, "Ub").item()
    try:
        return check_two_sided(stored, name)
    except TypeError as error:
        raise ValueError(str(error)) from None


def stored_names(estimator: type) -> list[str]:
    """Return the names of the stored parameters of an estimator.

    Parameters
    ----------
    estimator : type
        The class.

    Returns
    -------
    names : list of str
        The names in the order of the class.
    """
    return [name for name in inspect.signature(estimator).parameters if name in STORED]


def to_text(estimator: type, parameters: Mapping[str, Any]) -> str:
    """Return the stored parameters of an estimator as text.

    Parameters
    ----------
    estimator : type
        The class.

    parameters : mapping of str to object
        All parameters of the estimator.

    Returns
    -------
    text : str
        In JSON.

    Raises
    ------
    ValueError
        If a parameter cannot be stored.
    """
    text = json.dumps({name: plain(parameters[name]) for name in stored_names(estimator)})
    from_text(estimator, text)
    return text


def from_text(estimator: type, text: str) -> dict[str, Any]:
    """Return the parameters of an estimator from an untrusted text.

    Parameters
    ----------
    estimator : type
        The class.

    text : str
        In JSON.

    Returns
    -------
    parameters : dict of str to object
        All stored parameters and no others, each with an allowed type. The estimator checks their
        values.

    Raises
    ------
    ValueError
        If the text does not hold such parameters.
    """
    wanted = stored_names(estimator)
    if len(text) > _LONGEST:
        raise ValueError(
            f"parameters must take at most {_LONGEST:,} characters. Got {len(text):,}."
        )
    try:
        parameters = json.loads(text)
    except RecursionError:
        raise ValueError("parameters must be numbers, texts and lists of numbers.") from None
    if not isinstance(parameters, dict) or set(parameters) != set(wanted):
        got = sorted(parameters) if isinstance(parameters, dict) else type(parameters).__name__
        raise ValueError(
            f"parameters of {estimator.__name__} must be {', '.join(wanted)}. Got {got}."
        )
    for name, value in parameters.items():
        if not STORED[name](value):
            raise ValueError(f"{name} has a value that is not allowed: {str(value)[:100]!r}.")
    if "local_test" in parameters:
        parameters["local_test"] = local_test_from_text(parameters["local_test"])
    return parameters
