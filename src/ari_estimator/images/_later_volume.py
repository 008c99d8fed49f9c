"""A volume of values in a mask, which is made when someone looks at it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from ari_estimator._freed_memory import MANY_ELEMENTS, give_back_memory
from ari_estimator.images._painted_values import Values

# Number of planes that are brought into the order of a file at once.
_PLANES = 16


@dataclass(eq=False, repr=False)
class LaterVolume(NDArrayOperatorsMixin):
    """Values in a mask as a volume, 0 elsewhere, which is made when it is first looked at.

    An image of nibabel takes it in place of an array. Until then it has the memory of the values
    alone; a volume of a whole head has several times as much. From then on it is the array, always
    the same one: what is written into it stays.

    Parameters
    ----------
    values : ndarray or PaintedValues of shape (n_elements,)
        The values. They must not change.

    mask : ndarray of bool of shape (nx, ny, nz)
        Where they lie, in C order.

    shape : tuple of int
        Shape of the mask.

    dtype : numpy.dtype
        Type of the values.
    """

    values: Values
    mask: np.ndarray
    shape: tuple[int, ...]
    dtype: np.dtype
    _array: np.ndarray | None = None

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __repr__(self) -> str:
        return f"LaterVolume(shape={self.shape}, dtype={self.dtype})"

    def _whole(self) -> np.ndarray:
        if self._array is None:
            if len(self.values) >= MANY_ELEMENTS:
                give_back_memory()  # of the map, which may have been read meanwhile
            self._array = np.zeros(self.shape, self.dtype)
            # Plane by plane, so that all values need not be in memory beside the volume.
            start = 0
            for plane, inside in zip(self._array, self.mask, strict=True):
                stop = start + np.count_nonzero(inside)
                plane[inside] = self.values[start:stop]
                start = stop
            self.values = self._array[:0]  # which it needs no more
        return self._array

    def planes(self) -> Iterator[np.ndarray]:
        """Yield the planes along the last axis, of shape (ny, nx), as files have them.

        The volume is not made for that.
        """
        if self._array is not None:
            yield from self._array.T
            return
        # Values are in C order, where the last axis is the first to advance. So each line along it
        # has its values in a row, and the next plane has the next value of each line.
        n_inside = self.mask.sum(axis=2).ravel()
        position = (np.cumsum(n_inside) - n_inside).reshape(self.shape[:2]).T.copy()
        for first in range(0, self.shape[2], _PLANES):
            for inside in self.mask[..., first : first + _PLANES].T.copy():
                plane = np.zeros(inside.shape, self.dtype)
                plane[inside] = self.values[position[inside]]
                position += inside
                yield plane

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Return the volume, as numpy asks for it."""
        whole = self._whole()
        if dtype is not None and dtype != whole.dtype:
            return whole.astype(dtype)
        return whole.copy() if copy else whole

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Compute with the volume, as numpy does with arrays."""
        arrays = [i._whole() if isinstance(i, LaterVolume) else i for i in inputs]
        return getattr(ufunc, method)(*arrays, **options)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> Any:
        return self._whole()[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self._whole()[index] = value

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the array, such as ``sum`` or ``T``."""
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self._whole(), name)
