"""The column space of a design: its rank, and the contrasts it can estimate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

# Designs are sums and products of few numbers. A result that is smaller than this, relative to its
# terms, is a rounding error.
ROUNDING = 1e-8


@dataclass(frozen=True)
class DesignSpace:
    """Singular value decomposition of a design, after scaling each column to its own unit.

    With its own unit, an age in years and a time in seconds since 1970 are distinguished equally
    well from an intercept.

    Attributes
    ----------
    left : ndarray of shape (n_subjects, rank)
        Orthonormal basis of the space that the columns span.

    singular : ndarray of shape (rank,)
        Singular values, in descending order.

    right : ndarray of shape (rank, n_columns)
        Orthonormal rows: directions of the columns of the design in the basis.

    null : ndarray of shape (n_columns - rank, n_columns)
        Orthonormal rows: weights of the columns whose sum is 0 for every subject.

    units : ndarray of shape (n_columns,)
        Unit of each column.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.resampling import DesignSpace
    >>> groups = np.eye(2)[[0, 0, 1, 1]]
    >>> space = DesignSpace.of(np.column_stack([groups, np.ones(4)]))
    >>> space.rank, space.is_estimable([1, -1, 0]), space.is_estimable([1, 0, 0])
    (2, True, False)
    >>> space.confounded([1, 0, 0], ["patients", "controls", "intercept"])
    ['patients', 'controls', 'intercept']
    """

    left: np.ndarray
    singular: np.ndarray
    right: np.ndarray
    null: np.ndarray
    units: np.ndarray

    @classmethod
    def of(cls, design: np.ndarray) -> DesignSpace:
        """Return the space of a design.

        Parameters
        ----------
        design : ndarray of float of shape (n_subjects, n_columns)
            The design, with finite values.

        Returns
        -------
        space : DesignSpace
            The space of the design.
        """
        units = np.abs(design).max(axis=0)
        units[units == 0] = 1
        left, singular, right = np.linalg.svd(design / units, full_matrices=False)
        tolerance = singular.max() * max(design.shape) * np.finfo(float).eps
        rank = int((singular > tolerance).sum())
        left, singular, right = left[:, :rank], singular[:rank], right[:rank]
        # The space orthogonal to the rows. A thin decomposition would not show all of it for a
        # design with fewer subjects than columns.
        null = np.linalg.svd(right, full_matrices=True)[2][rank:]
        return cls(left, singular, right, null, units)

    @cached_property
    def rank(self) -> int:
        """Number of linearly independent columns."""
        return self.singular.size

    def is_estimable(self, contrast: ArrayLike) -> bool:
        """Return whether the data determine a contrast.

        Parameters
        ----------
        contrast : array-like of shape (n_columns,) or (n_rows, n_columns)
            Weights of the columns.

        Returns
        -------
        is_estimable : bool
            Whether all solutions that fit the data equally well have the same contrast.
        """
        tested = np.asarray(contrast, dtype=float) / self.units
        unexplained = tested - (tested @ self.right.T) @ self.right
        return bool(np.abs(unexplained).max() <= ROUNDING * np.abs(tested).max())

    def confounded(self, contrast: ArrayLike, names: Sequence[str]) -> list[str]:
        """Return the columns that make a contrast not estimable.

        Parameters
        ----------
        contrast : array-like of shape (n_columns,) or (n_rows, n_columns)
            Weights of the columns.

        names : sequence of str of length n_columns
            Names of the columns.

        Returns
        -------
        confounded : list of str
            Columns in a weighted sum that is 0 for every subject, but has a contrast other than 0.
        """
        tested = np.atleast_2d(np.asarray(contrast, dtype=float)) / self.units
        directions = (tested @ self.null.T) @ self.null
        involved = np.abs(directions).max(axis=0) > ROUNDING * np.abs(tested).max()
        return [str(name) for name, is_involved in zip(names, involved, strict=True) if is_involved]

    def reparametrized(self, contrast: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return a design of full rank with the same space, and the same contrast for it.

        Parameters
        ----------
        contrast : ndarray of float of shape (n_rows, n_columns)
            Weights of the columns; the contrast must be estimable.

        Returns
        -------
        design : ndarray of shape (n_subjects, rank)
            The orthonormal basis.

        contrast : ndarray of shape (n_independent, rank)
            Independent rows that span the rows of the contrast; the rows themselves if they are
            independent.
        """
        tested = contrast / self.units
        rows = (tested @ self.right.T) / self.singular
        return self.left, independent_rows(rows)


def independent_rows(rows: np.ndarray) -> np.ndarray:
    """Return independent rows that span the same space.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
        The rows.

    Returns
    -------
    independent : ndarray of shape (rank, n_columns)
        The rows themselves if they are independent; otherwise an orthonormal basis of their
        space.
    """
    # Scale each row to its own unit, which does not change the space.
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled = rows / np.where(lengths > 0, lengths, 1)
    _, singular, right = np.linalg.svd(scaled, full_matrices=False)
    rank = int((singular > ROUNDING * singular.max(initial=0)).sum())
    return rows if rank == len(rows) else right[:rank]
