"""The estimator that tested a map, and its parameters as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from numbers import Integral, Real
from pathlib import Path
from reprlib import Repr
from typing import Any

import numpy as np
import pandas as pd

from ari_estimator.inference._extent_test import ExtentTest
from ari_estimator.inference._group_model import GroupModel


@dataclass(frozen=True)
class Provenance:
    """The estimator that tested a map.

    Attributes
    ----------
    estimator : str
        Name of the class.

    parameters : mapping of str to object
        Its parameters.

    contrast : str or None
        Contrast of the map, if the same analysis computed the map.

    said_by : str
        Source of the statistic of the map.

    group : GroupModel or None
        The subjects and the design, if a group model computed the map.
    """

    estimator: str = "FittedMap"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    contrast: str | None = None
    said_by: str = "the caller"
    group: GroupModel | None = None

    def plain_parameters(self) -> dict[str, Any]:
        """Return the parameters as plain data.

        Returns
        -------
        parameters : dict of str to object
            Numbers, texts, None and lists of numbers as they are. All other values become a short
            text, such as the file of an image.
        """
        return {name: plain(value) for name, value in self.parameters.items()}


def plain(value: Any) -> Any:
    """Return a value that can be written as JSON: a number, a text, None or a list of numbers.

    Parameters
    ----------
    value : object
        The value of a parameter.

    Returns
    -------
    plain : object
        The value itself, or a short text for it.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, ExtentTest):
        return repr(value)
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, Real):
        return int(value) if isinstance(value, Integral) else float(value)
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return plain(value[()])
    is_series = isinstance(value, (np.ndarray, pd.Series)) and value.ndim == 1
    if is_series or isinstance(value, (Sequence, Set)):
        items = list(value)
        if all(isinstance(item, (Real, np.bool_)) for item in items):
            return [plain(item) for item in items]
    return in_short(value)


def in_short(value: Any) -> str:
    """Return the value of a parameter as a short text: images by their file, or their kind."""
    if isinstance(value, (str, Path)):
        return str(value)
    if isinstance(value, (np.ndarray, pd.DataFrame)):
        return f"{type(value).__name__} of shape {value.shape}"
    get_filename = getattr(value, "get_filename", None)
    if get_filename is not None:
        return get_filename() or f"{type(value).__name__} of shape {value.shape}"
    if hasattr(value, "get_params") or hasattr(value, "mesh"):
        return type(value).__name__
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {in_short(item)}" for key, item in value.items())
    shortened = Repr()
    shortened.maxlist = shortened.maxtuple = 6
    shortened.maxstring = shortened.maxother = 120
    return shortened.repr(value)
