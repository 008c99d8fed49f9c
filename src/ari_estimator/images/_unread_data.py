"""Data of an image that stay in their file."""

from __future__ import annotations

from os import PathLike
from typing import Any

import numpy as np

from ari_estimator.images._reading_errors import clear_errors


class UnreadData:
    """Data of an image in a file, which are read again on each access.

    nibabel accepts them in place of an array. An error on reading names a damaged file.

    Parameters
    ----------
    dataobj : nibabel.arrayproxy.ArrayProxy
        The data.

    path : str, path-like or None
        The file, for messages; None for an image in memory.

    what : str
        What it should be, for messages.

    Attributes
    ----------
    shape : tuple of int
        Shape of the data.

    ndim : int
        Number of axes.

    dtype : numpy.dtype
        Type of the values, after scaling.
    """

    def __init__(self, dataobj: Any, path: str | PathLike[str] | None, what: str) -> None:
        self._dataobj = dataobj
        self._path = path
        self._what = what
        self.shape: tuple[int, ...] = dataobj.shape
        self.ndim = len(self.shape)
        self.dtype = np.asanyarray(self[(0,) * self.ndim]).dtype

    def __repr__(self) -> str:
        return f"UnreadData(shape={self.shape}, dtype={self.dtype})"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Return all data, as numpy asks for them."""
        with clear_errors(self._path, self._what):
            data = np.asanyarray(self._dataobj)
        return data if dtype is None else data.astype(dtype, copy=False)

    def __getitem__(self, index: Any) -> Any:
        with clear_errors(self._path, self._what):
            return self._dataobj[index]
