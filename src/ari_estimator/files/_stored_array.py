"""Get a stored array, after checking its type and shape."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

_IN_WORDS = {"b": "booleans", "i": "integers", "u": "integers", "f": "floats", "U": "text"}


def stored_array(
    arrays: Mapping[str, object], name: str, kinds: str, shape: tuple[int | None, ...] | None = ()
) -> np.ndarray:
    """Return one of the arrays of an untrusted file.

    Parameters
    ----------
    arrays : mapping of str to array-like
        The arrays.

    name : str
        Name of the array.

    kinds : str
        Allowed kinds of numbers, in numpy's letters: ``"f"``, ``"iu"``, ``"U"``.

    shape : tuple of (int or None), or None, default=()
        The shape. None allows any length, and None for all allows any shape. A single number or
        text has no axis.

    Returns
    -------
    array : ndarray
        The array.

    Raises
    ------
    ValueError
        If the array is missing, or has another kind or shape.
    """
    if name not in arrays:
        raise ValueError(f"the array {name!r} is missing")
    array = np.asarray(arrays[name])
    has_shape = shape is None or (
        array.ndim == len(shape)
        and all(n in (None, length) for n, length in zip(shape, array.shape, strict=True))
    )
    if array.dtype.kind not in kinds or not has_shape:
        words = " or ".join(dict.fromkeys(_IN_WORDS[kind] for kind in kinds))
        lengths = ["any" if length is None else str(length) for length in shape or ()]
        wanted = "any shape" if shape is None else f"the shape ({', '.join(lengths)})"
        raise ValueError(
            f"the array {name!r} must hold {words}, in {wanted}. "
            f"Got shape {array.shape} of {array.dtype}"
        )
    return array
