"""Arrays and text in a page: small, and read as nothing but data."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import numpy as np

# The types that the page unpacks.
_TYPES = ("uint8", "int32", "float32", "float64")

# What would end a script element, or start a comment in it, and line ends that are none in JSON.
_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def pack(array: np.ndarray) -> dict[str, Any]:
    """Return an array as text.

    Parameters
    ----------
    array : ndarray of shape (n,)
        Values of type bool, uint8, int32, float32 or float64.

    Returns
    -------
    packed : dict
        ``type``, ``n``, and ``data``: base64 of compressed bytes, all first bytes of the numbers
        before all second ones, which takes less space.

    Raises
    ------
    TypeError
        If the array is of another type.
    """
    array = array.astype(np.uint8) if array.dtype == bool else array
    if array.dtype.name not in _TYPES or array.ndim != 1:
        raise TypeError(
            f"An array in a page must have one dimension and a type in {list(_TYPES)}. "
            f"Got {array.ndim} of {array.dtype}."
        )
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    columns = little.view(np.uint8).reshape(array.size, array.dtype.itemsize).T
    # The default level takes five times as long, for a few percent.
    data = zlib.compress(np.ascontiguousarray(columns).tobytes(), 3)
    return {"type": array.dtype.name, "n": array.size, "data": base64.b64encode(data).decode()}


def as_exact_float(values: np.ndarray) -> np.ndarray:
    """Return values in single precision if nothing is lost, in double precision otherwise."""
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
    is_same = np.array_equal(single.astype(np.float64), values, equal_nan=True)
    return single if is_same else values


def script_json(value: Any) -> str:
    """Return JSON that may stand in a script element of a page, whatever text it holds."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for unsafe, escape in _UNSAFE.items():
        text = text.replace(unsafe, escape)
    return text
