"""Which patterns of missing rows leave a contrast that can be tested, wherever rows move."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np

from ari_estimator.resampling._contrast import Contrast
from ari_estimator.resampling._fits_with_gaps import PartialBases, df_of
from ari_estimator.resampling._scheme import Scheme
from ari_estimator.resampling._schemes import DECIMALS, Permutation

# Hyperplanes to look at. Larger designs have more, and a random sample of them is used.
_MOST_HYPERPLANES = 20_000

# Patterns at a time.
_STRIDE = 2048

_ROUNDING = 1e-7


def are_testable(
    patterns: np.ndarray, contrast: Contrast, scheme: Scheme | None = None
) -> np.ndarray:
    """Return which patterns leave a contrast that can be tested.

    Parameters
    ----------
    patterns : ndarray of bool of shape (n_patterns, n_subjects)
        Whether each row is present.

    contrast : Contrast
        What is tested.

    scheme : Scheme or None, default=None
        How residuals are resampled; None if they are not.

    Returns
    -------
    is_testable : ndarray of bool of shape (n_patterns,)
        Whether the rows present can estimate the contrast and leave degrees of freedom. Under
        permutation, this must hold in every arrangement of the missing rows that exchanges rows
        within the sets of rows that can change places. It depends only on the design and on the
        number of missing rows in each of these sets.

    Notes
    -----
    Missing rows make a contrast impossible to estimate if they include all rows in which some
    combination of the design's columns is not 0, and the contrast of this combination is not 0.
    Each such combination is a hyperplane: its rows of 0 lie in it. So an arrangement can fail if,
    for some hyperplane, each set of exchangeable rows has at least as many missing rows as rows
    outside the hyperplane. If the nuisance has an own column for each set, the sets can have
    different values instead of 0. Only hyperplanes through many rows count. They are spanned by
    rows, or by differences of rows. If there are too many, a random sample with a fixed seed is
    used, which misses no hyperplane through a large part of the rows. In the arrangements of a
    missed one, the statistic is 0.

    Examples
    --------
    A group of three rows may be missing as a whole, and must not be:

    >>> import numpy as np
    >>> from ari_estimator.resampling import choose_scheme, find_contrast
    >>> from ari_estimator.resampling._testable_patterns import are_testable
    >>> contrast = find_contrast(np.eye(2)[np.repeat([0, 1], [3, 5])], [1, -1])
    >>> patterns = np.ones((2, 8), dtype=bool)
    >>> patterns[0, [0, 3]] = patterns[1, [0, 3, 4]] = False
    >>> are_testable(patterns, contrast, choose_scheme("permutation", contrast))
    array([ True, False])
    >>> are_testable(patterns, contrast, choose_scheme("sign_flip", contrast))
    array([ True,  True])
    """
    if not isinstance(scheme, Permutation):
        return _are_testable_in_place(patterns, contrast)
    orbits = scheme.orbits
    members = np.equal.outer(np.arange(orbits.max() + 1), orbits).astype(np.int32)
    n_missing = (~patterns).astype(np.int32) @ members.T
    counts, place = np.unique(n_missing, axis=0, return_inverse=True)
    sizes = members.sum(axis=1)
    rows, has_own_column = _reduced(contrast, orbits)
    # A set that is missing altogether leaves its own column without effect.
    n_without = ((counts == sizes) & has_own_column).sum(axis=1)
    n_columns = contrast.basis.shape[1] - n_without
    fails = contrast.n_subjects - counts.sum(axis=1) <= n_columns
    for outside in _rows_outside_hyperplanes(rows, contrast.rank, orbits, has_own_column):
        fails |= (outside <= counts).all(axis=1)
    return ~fails[place.reshape(-1)]


def _are_testable_in_place(patterns: np.ndarray, contrast: Contrast) -> np.ndarray:
    """Return which patterns leave a contrast that can be tested, if no row moves."""
    basis = np.column_stack([contrast.nuisance, contrast.directions])
    found = np.empty(len(patterns), dtype=bool)
    for start in range(0, len(patterns), _STRIDE):
        present = patterns[start : start + _STRIDE]
        bases = PartialBases.of(np.where(present[:, :, np.newaxis], basis, 0.0))
        found[start : start + _STRIDE] = df_of(bases.lengths, present.sum(axis=1), contrast.rank)[1]
    return found


def _rows_outside_hyperplanes(
    rows: np.ndarray, rank: int, orbits: np.ndarray, has_own_column: np.ndarray
) -> np.ndarray:
    """Return the numbers of rows outside each hyperplane, in each set of exchangeable rows.

    The result has the shape (n_hyperplanes, n_sets). Only the smallest numbers are kept.
    """
    sets = [np.flatnonzero(orbits == orbit) for orbit in range(orbits.max() + 1)]
    normals = _normals(rows, sets, has_own_column)
    directions = _orthogonal_to(normals, rows.shape[1])
    # Where the contrast is 0, the combination does not matter.
    matters = np.abs(directions[:, :rank]).max(axis=1) > _ROUNDING
    values = directions[matters] @ rows.T
    outside = np.empty((len(values), len(sets)), dtype=np.int32)
    for number, members in enumerate(sets):
        of_set = values[:, members]
        is_zero = np.abs(of_set) < _ROUNDING
        most = _most_equal(of_set) if has_own_column[number] else is_zero.sum(axis=1)
        outside[:, number] = members.size - most
    outside = np.unique(outside, axis=0)
    keep = [
        not ((outside <= numbers).all(axis=1) & (outside < numbers).any(axis=1)).any()
        for numbers in outside
    ]
    return outside[keep]


def _reduced(contrast: Contrast, orbits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of the design without columns of sets, and which sets have one."""
    columns = np.equal.outer(orbits, np.arange(orbits.max() + 1)).astype(float)
    has_own_column = np.abs(contrast.without_nuisance(columns)).max(axis=0) < _ROUNDING
    own = columns[:, has_own_column] / np.sqrt(columns[:, has_own_column].sum(axis=0))
    nuisance = contrast.nuisance
    left = np.linalg.svd(nuisance - own @ (own.T @ nuisance), full_matrices=False)[0]
    rest = left[:, : nuisance.shape[1] - own.shape[1]]
    return np.column_stack([contrast.directions, rest]), has_own_column


def _normals(rows: np.ndarray, sets: list[np.ndarray], has_own_column: np.ndarray) -> np.ndarray:
    """Return different rows that can span a hyperplane: rows, or differences within a set."""
    found = []
    for members, has_own in zip(sets, has_own_column, strict=True):
        of_set = rows[members]
        if has_own:
            first, second = np.triu_indices(members.size, 1)
            of_set = of_set[first] - of_set[second]
        found.append(of_set)
    normals = np.concatenate(found)
    lengths = np.linalg.norm(normals, axis=1)
    normals = normals[lengths > _ROUNDING] / lengths[lengths > _ROUNDING, np.newaxis]
    # A row and its negative span the same hyperplanes. The first number becomes positive.
    first = np.argmax(np.abs(normals) > _ROUNDING, axis=1)
    normals *= np.sign(normals[np.arange(len(normals)), first])[:, np.newaxis]
    return np.unique(np.round(normals, DECIMALS - 2) + 0.0, axis=0)


def _orthogonal_to(normals: np.ndarray, n_columns: int) -> np.ndarray:
    """Return directions, each orthogonal to one row less than there are columns."""
    n_spanning = n_columns - 1
    if n_spanning == 0:
        return np.ones((1, 1))
    if comb(len(normals), n_spanning) <= _MOST_HYPERPLANES:
        chosen = np.array(list(combinations(range(len(normals)), n_spanning)))
    else:
        rng = np.random.default_rng(0)
        chosen = rng.integers(0, len(normals), size=(_MOST_HYPERPLANES, n_spanning))
    _, singular, right = np.linalg.svd(normals[chosen], full_matrices=True)
    return right[singular[:, -1] > _ROUNDING, -1]


def _most_equal(values: np.ndarray) -> np.ndarray:
    """Return how often the most frequent value occurs in each row."""
    ordered = np.sort(values, axis=1)
    most = np.ones(len(values), dtype=np.int32)
    run = np.ones(len(values), dtype=np.int32)
    for j in range(1, values.shape[1]):
        run = np.where(ordered[:, j] - ordered[:, j - 1] < _ROUNDING, run + 1, 1)
        most = np.maximum(most, run)
    return most
