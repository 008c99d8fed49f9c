"""The axes of an array, as figures and pages name them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ari_estimator.images._array_part import ArrayPart


class ArrayAxis(NamedTuple):
    """An axis of an array.

    Attributes
    ----------
    name : str
        What its places are, such as "channel" or "time (s)".

    places : ndarray of shape (n_places,)
        Where they are along the axis.

    labels : list of str or None
        Names of the places; None if they are numbers.
    """

    name: str
    places: np.ndarray
    labels: list[str] | None

    @property
    def texts(self) -> list[str]:
        """Names of the places, also of numbers."""
        return [f"{place:g}" for place in self.places] if self.labels is None else self.labels


def axes_of(part: ArrayPart) -> list[ArrayAxis]:
    """Return the axes of an array, by the first coordinates that belong to each of them alone.

    Parameters
    ----------
    part : ArrayPart
        The elements.

    Returns
    -------
    axes : list of ArrayAxis
        The axes. One without coordinates has its indices.
    """
    shape = part.mask.shape
    found = []
    for axis, length in enumerate(shape):
        own_shape = tuple(length if k == axis else 1 for k in range(len(shape)))
        own = [(name, v.ravel()) for name, v in part.positions.items() if v.shape == own_shape]
        name, values = own[0] if own else ("index", np.arange(length))
        is_number = values.dtype.kind in "iuf"
        labels = None if is_number else [str(value) for value in values]
        if own and name == "time":
            name = "time (s)"
        found.append(ArrayAxis(name, values if is_number else np.arange(length), labels))
    return found
