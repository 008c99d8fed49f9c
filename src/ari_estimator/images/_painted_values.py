"""Values that elements take over from their sets, which are made when someone looks at them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ari_estimator._blocks import blocks


class PaintedValues:
    """One value for each element: the value of the set that the element belongs to.

    It stands for an array of shape (n_elements,), and ``numpy.asarray`` returns that array. It
    holds the labels of the sets alone, in one or two bytes for each element as a rule, where the
    array has four or eight.

    Parameters
    ----------
    layers : sequence of (ndarray of int of shape (n_elements,), ndarray of shape (n_labels,))
        The label of each element, and the value of each label, which is 0 for label 0. Where a
        later layer has a label above 0, its value covers the values of earlier layers. The arrays
        must not change.

    Attributes
    ----------
    shape : tuple of int
        ``(n_elements,)``.

    dtype : numpy.dtype
        Type of the values of the first layer.
    """

    def __init__(self, layers: Sequence[tuple[np.ndarray, np.ndarray]]) -> None:
        self._layers = list(layers)
        labels, values = self._layers[0]
        self.shape: tuple[int, ...] = labels.shape
        self.dtype: np.dtype = values.dtype

    def __repr__(self) -> str:
        return f"PaintedValues(shape={self.shape}, dtype={self.dtype})"

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, which: slice | np.ndarray) -> np.ndarray:
        """Return the values of some elements: a range, or an array of their numbers."""
        numbers = self._layers[0][0][which]
        painted: np.ndarray = np.zeros(numbers.size, dtype=self.dtype)
        for labels, values in self._layers:
            numbers = labels[which]
            for block in blocks(numbers.size):
                # Most elements are in no set as a rule.
                members = np.flatnonzero(numbers[block] > 0)
                painted[block][members] = values[numbers[block][members]]
        return painted

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Return all values, as numpy asks for them."""
        return self[:].astype(self.dtype if dtype is None else dtype, copy=False)


# A value for each element of a mask.
Values = np.ndarray | PaintedValues
