"""The fitted maps of several maps. Only their values are kept."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ari_estimator.inference._fitted_map import FittedMap


class FittedMaps(Sequence[FittedMap]):
    """The fitted maps of several maps, computed again on request.

    Only the values in the mask are kept for each map, with the data type of the file: less than a
    megabyte for a brain at 2 mm. The last requested fitted map is kept in full.

    Parameters
    ----------
    infer : callable
        Returns the fitted map of float64 values of shape (n_elements,). It must return the same
        result for the same values. Its warnings are not repeated.
    """

    def __init__(self, infer: Callable[[np.ndarray], FittedMap]) -> None:
        self._infer = infer
        self._values: list[np.ndarray] = []
        self._last: tuple[int, FittedMap] | None = None

    def __repr__(self) -> str:
        return f"FittedMaps(n_maps={len(self)})"

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[number] for number in range(len(self))[index]]
        number = range(len(self))[index]
        if self._last is None or self._last[0] != number:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                values = self._values[number].astype(np.float64, copy=False)
                self._last = number, self._infer(values)
        return self._last[1]

    def append(self, values: np.ndarray) -> None:
        """Keep the values of one more map.

        Parameters
        ----------
        values : ndarray of shape (n_elements,)
            The values, in an array that nobody changes.
        """
        self._values.append(values)
