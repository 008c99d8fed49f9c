"""Which rows are present in each element: gaps in the data of subjects."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# Elements at a time, whose presence takes as many bytes as there are rows.
_STRIDE = 8192


class Gaps(NamedTuple):
    """Which rows are present in each element.

    Many elements share a pattern: the rows that are present. Each pattern is stored once.

    Attributes
    ----------
    patterns : ndarray of bool of shape (n_patterns, n_subjects)
        Different patterns: whether each row is present.

    pattern_of : ndarray of int of shape (n_elements,)
        Pattern of each element.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.resampling._gaps import Gaps
    >>> gaps = Gaps.of(np.array([[1.0, np.nan, 2.0], [3.0, 4.0, 5.0]]))
    >>> gaps.patterns.tolist(), gaps.pattern_of.tolist()
    ([[False, True], [True, True]], [1, 0, 1])
    """

    patterns: np.ndarray
    pattern_of: np.ndarray

    @classmethod
    def of(cls, data: np.ndarray) -> Gaps:
        """Return the gaps of data.

        Parameters
        ----------
        data : ndarray of shape (n_subjects, n_elements)
            The data; NaN where a row is missing.

        Returns
        -------
        gaps : Gaps
            The gaps.
        """
        n_subjects, n_elements = data.shape
        packed = np.empty((n_elements, -(-n_subjects // 8)), dtype=np.uint8)
        for start in range(0, n_elements, _STRIDE):
            part = slice(start, start + _STRIDE)
            packed[part] = np.packbits(~np.isnan(data[:, part]), axis=0).T
        # Each pattern is one item of as many bytes, which sorts faster than rows of a matrix.
        items = packed.view(np.dtype((np.void, packed.shape[1]))).reshape(-1)
        found, pattern_of = np.unique(items, return_inverse=True)
        in_bytes = found.view(np.uint8).reshape(found.size, -1)
        patterns = np.unpackbits(in_bytes, axis=1, count=n_subjects).astype(bool)
        return cls(patterns, pattern_of.reshape(-1).astype(np.int32))

    @property
    def n_present(self) -> np.ndarray:
        """Number of rows that are present in each pattern, of shape (n_patterns,)."""
        return self.patterns.sum(axis=1)
