"""Sketches of data. They identify the same data, also with another scale or sign."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

# Numbers in a sketch. The cosine of two sketches is about the correlation of the data, with a
# standard error of (1 - correlation^2) / 16.
_SIZE = 256

# Rows whose correlation is closer to 1 are the same data. Maps of two subjects are far from it.
_CLOSE = 0.01

# Probability that two rows of independent values count as the same.
_CHANCE = 1e-9

# Elements at a time, which limits the memory of the projections.
_STRIDE = 8192


def sketches(rows: ArrayLike) -> np.ndarray:
    """Return sketches of the rows of a matrix.

    Each row is centred, scaled to length 1, and projected on random directions. The directions are
    the same for all data with the same number of elements.

    Parameters
    ----------
    rows : array-like of shape (n_rows, n_elements)
        The data of subjects, or p-values of permutations.

    Returns
    -------
    sketches : ndarray of float32 of shape (n_rows, min(n_elements, 256))
        Rows of length 1; a row of zeros for a constant row.
    """
    rows = np.asarray(rows)
    n_elements = rows.shape[1]
    means = rows.mean(axis=1, dtype=float)[:, np.newaxis]
    if n_elements <= _SIZE:
        projected = rows - means
    else:
        rng = np.random.default_rng(n_elements)
        projected = np.zeros((len(rows), _SIZE))
        for start in range(0, n_elements, _STRIDE):
            part = rows[:, start : start + _STRIDE] - means
            signs = rng.integers(0, 2, size=(part.shape[1], _SIZE), dtype=np.int8)
            projected += part.astype(np.float32) @ (2 * signs - 1).astype(np.float32)
    lengths = np.linalg.norm(projected, axis=1, keepdims=True)
    scale = np.abs(rows).max(axis=1, initial=0)[:, np.newaxis] * n_elements**0.5
    is_constant = lengths <= 1e-6 * scale
    return np.where(is_constant, 0, projected / np.where(lengths > 0, lengths, 1)).astype(
        np.float32
    )


def n_shared(some: np.ndarray, others: np.ndarray, n_elements: int) -> int:
    """Count the rows that are among other rows, up to scale, sign and an added constant.

    Parameters
    ----------
    some, others : ndarray of shape (n_rows, n_numbers)
        Sketches of data with the same number of elements.

    n_elements : int
        Number of elements of the data.

    Returns
    -------
    n_shared : int
        Number of rows of ``some`` that are among ``others``.
    """
    if len(some) == 0 or len(others) == 0 or some.shape[1] != others.shape[1]:
        return 0
    # Rows of few elements may be close by chance: the chance of a correlation above 1 - c is about
    # (2 c)^((n - 2) / 2).
    by_chance = _CHANCE ** (2 / max(n_elements - 2, 1)) / 2
    cosines = np.abs(some.astype(float) @ others.T.astype(float))
    return int((cosines > 1 - max(1e-6, min(_CLOSE, by_chance))).any(axis=1).sum())
