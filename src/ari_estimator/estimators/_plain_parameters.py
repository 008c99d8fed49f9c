"""The parameters of an estimator in plain data, for reports and files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Number
from pathlib import Path
from reprlib import Repr
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator


def plain_parameters(estimator: BaseEstimator) -> dict[str, Any]:
    """Return the parameters of an estimator in plain data.

    Parameters
    ----------
    estimator : estimator
        The estimator.

    Returns
    -------
    parameters : dict of str to object
        Numbers, texts, None, and lists of these as they are; all else as a short text, such as
        the file of an image.
    """
    return {name: _plain(value) for name, value in estimator.get_params(deep=False).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (bool, str, Number)):
        return value
    if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in "biuf":
        return value.tolist()
    if isinstance(value, Sequence) and all(isinstance(item, Number) for item in value):
        return [_plain(item) for item in value]
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
    if isinstance(value, BaseEstimator) or hasattr(value, "mesh"):
        return type(value).__name__
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {in_short(item)}" for key, item in value.items())
    shortened = Repr()
    shortened.maxlist = shortened.maxtuple = 6
    shortened.maxstring = shortened.maxother = 120
    return shortened.repr(value)
