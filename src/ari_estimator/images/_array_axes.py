"""The axes of an array, as figures and pages name them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ari_estimator.images._array_part import ArrayPart


@dataclass(frozen=True)
class ArrayAxis:
    """An axis of an array.

    Attributes
    ----------
    coordinates : mapping of str to ndarray of shape (n_places,)
        What names its places, at least one coordinate. Several name a place together, such as both
        ends of an edge.
    """

    coordinates: Mapping[str, np.ndarray]

    @property
    def numbers(self) -> np.ndarray | None:
        """The first coordinate, if it is numbers: figures can draw them at their distances."""
        first = next(iter(self.coordinates.values()))
        return first if first.dtype.kind in "iuf" else None

    @property
    def title(self) -> str:
        """What its places are, such as "channel", "time (s)" or "from / to"."""
        return " / ".join(map(title_of, self.coordinates))

    @property
    def texts(self) -> list[str]:
        """What each place is called, by all coordinates."""
        named = zip(*self.coordinates.values(), strict=True)
        return [" / ".join(map(_text_of, values)) for values in named]


def title_of(name: str) -> str:
    """Return what figures and pages call a coordinate: its name, with the unit if it is known."""
    return "time (s)" if name == "time" else name


def _text_of(value: object) -> str:
    return f"{value:g}" if isinstance(value, (float, np.floating)) else str(value)


def axes_of(part: ArrayPart) -> list[ArrayAxis]:
    """Return the axes of an array, by the coordinates that belong to each of them alone.

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
        own = {n: values.ravel() for n, values in part.places.items() if values.shape == own_shape}
        found.append(ArrayAxis(own or {part.index_name(axis): np.arange(length)}))
    return found
