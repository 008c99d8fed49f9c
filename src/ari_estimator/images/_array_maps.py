"""Maps as the masked values that a masker gives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from ari_estimator._masked_values import refuse_masked
from ari_estimator.images._array_frame import FILL_WITH_NAN
from ari_estimator.images._declared import Declaration
from ari_estimator.images._frame import Frame, as_real
from ari_estimator.images._painted_values import Values


class ArrayMaps:
    """Maps as the masked values that a masker gives.

    Parameters
    ----------
    maps : array-like of shape (n_maps, n_elements) or (n_elements,)
        Values.

    Attributes
    ----------
    is_single : bool
        Whether a one-dimensional array was given.

    index : pandas.Index or None
        Names of the maps, of a DataFrame.

    declared : list of list of Declaration
        What each map says about its values: an array says nothing.

    Raises
    ------
    ValueError
        If the array is not one- or two-dimensional, not real, or has no rows.
    """

    is_read_once: ClassVar[bool] = False

    def __init__(self, maps: Any) -> None:
        refuse_masked(maps, "Arrays", FILL_WITH_NAN)
        array = as_real(np.asarray(maps))
        self.is_single = array.ndim == 1
        self.index = maps.index if isinstance(maps, pd.DataFrame) else None
        self.declared: list[list[Declaration]] = [[]]
        self._array = np.atleast_2d(array)
        self._shape = array.shape

    @property
    def n_maps(self) -> int:
        """Number of maps."""
        return len(self._array)

    @property
    def are_several(self) -> bool:
        """Whether there is more than one map."""
        return self.n_maps > 1

    def check(self, frame: Frame) -> None:
        """Raise a ValueError unless there is a column for each element of the mask."""
        shape, n_elements = self._array.shape, frame.space.n_elements
        if len(shape) != 2 or shape[0] == 0 or shape[1] != n_elements:
            what = frame.space.element_name[0]
            raise ValueError(
                f"An array of maps must have shape (n_maps, {n_elements}), with a row for each "
                f"map, at least one, and a column for each {what} of mask_img, or shape "
                f"({n_elements},). Got shape {self._shape}."
            )

    def values(self, frame: Frame) -> Iterator[np.ndarray]:
        """Yield each map, an array of shape (n_elements,) of the type that the array has."""
        for row in self._array:
            yield frame.from_columns(row)

    def sources(self, frame: Frame) -> Iterator[np.ndarray]:
        """Yield the same: the values of each map."""
        return self.values(frame)

    def restore(self, results: Iterable[Values], frame: Frame, description: str) -> Any:
        """Return results, one for each map, in the form of the maps."""
        rows = [frame.to_columns(np.asarray(row)) for row in results]
        return rows[0] if self.is_single else np.stack(rows)
