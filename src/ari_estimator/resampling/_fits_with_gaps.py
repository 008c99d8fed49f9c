"""Least squares in elements that lack some of the rows, in double precision."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ari_estimator.resampling._contrast import Contrast
from ari_estimator.resampling._model_statistic import CONSTANT

# A column of the design whose rest is a smaller part of its length, given the columns before it,
# counts as their sum.
DEPENDENT = 1e-5

# If the design leaves a smaller part of a row, the row does not tell its variance.
LEAST_EXPECTED = 0.1


class PartialBases(NamedTuple):
    """Orthonormal bases of designs that lack rows.

    Attributes
    ----------
    columns : ndarray of shape (n, n_subjects, n_columns)
        Each column of a design, made orthogonal to the columns before it, of length 1. It is 0 in
        missing rows; and 0 if it is a sum of the columns before it.

    lengths : ndarray of shape (n, n_columns)
        Length of each column after it was made orthogonal; 0 if it is a sum of others.
    """

    columns: np.ndarray
    lengths: np.ndarray

    @classmethod
    def of(cls, designs: np.ndarray) -> PartialBases:
        """Return the bases of designs.

        Parameters
        ----------
        designs : ndarray of shape (n, n_subjects, n_columns)
            The designs, about 1 in the length of columns, and 0 in missing rows.

        Returns
        -------
        bases : PartialBases
            Their bases.
        """
        n_columns = designs.shape[2]
        columns = np.empty(designs.shape)
        lengths = np.empty((len(designs), n_columns))
        for j in range(n_columns):
            rest, before = designs[:, :, j], columns[:, :, :j]
            for _ in range(2):  # one pass would leave rounding errors
                along = np.einsum("nij,ni->nj", before, rest)
                rest = rest - np.einsum("nij,nj->ni", before, along)
            length = np.sqrt(np.einsum("ni,ni->n", rest, rest))
            length[length <= DEPENDENT] = 0
            columns[:, :, j] = rest / np.where(length > 0, length, np.inf)[:, np.newaxis]
            lengths[:, j] = length
        return cls(columns, lengths)


class PartialFits(NamedTuple):
    """Fits of a contrast in elements that lack rows.

    Attributes
    ----------
    explained : ndarray of shape (n, rank)
        Products of the data and the orthonormal directions of the contrast.

    squares : ndarray of shape (n,)
        Sums of squares of the residuals; 0 where they are only rounding.

    df : ndarray of int of shape (n,)
        Degrees of freedom of the residuals.

    is_testable : ndarray of bool of shape (n,)
        Whether the contrast can be estimated and residuals have degrees of freedom.

    is_constant : ndarray of bool of shape (n,)
        Whether residuals are only rounding.
    """

    explained: np.ndarray
    squares: np.ndarray
    df: np.ndarray
    is_testable: np.ndarray
    is_constant: np.ndarray

    @classmethod
    def of(
        cls, bases: PartialBases, present: np.ndarray, data: np.ndarray, rank: int
    ) -> PartialFits:
        """Return fits.

        Parameters
        ----------
        bases : PartialBases
            Bases of the designs, the directions of the contrast last.

        present : ndarray of bool of shape (n, n_subjects)
            Which rows are present.

        data : ndarray of shape (n, n_subjects)
            The data, 0 in missing rows.

        rank : int
            Number of directions.

        Returns
        -------
        fits : PartialFits
            The fits.
        """
        products = np.einsum("nij,ni->nj", bases.columns, data)
        rest = data - np.einsum("nij,nj->ni", bases.columns, products)
        again = np.einsum("nij,ni->nj", bases.columns, rest)
        rest = rest - np.einsum("nij,nj->ni", bases.columns, again)
        squares = np.einsum("ni,ni->n", rest, rest)
        n_present = present.sum(axis=1)
        scale = n_present * np.abs(data).max(axis=1) ** 2
        df, is_testable = df_of(bases.lengths, n_present, rank)
        is_constant = squares <= CONSTANT * scale
        explained = (products + again)[:, -rank:]
        explained[explained**2 <= CONSTANT * scale[:, np.newaxis]] = 0
        return cls(explained, np.where(is_constant, 0, squares), df, is_testable, is_constant)

    def values(self, *, is_f: bool) -> np.ndarray:
        """Return t or F statistics, infinite or 0 where data are constant; 0 if not testable."""
        with np.errstate(divide="ignore", invalid="ignore"):
            variance = self.squares / self.df
            if is_f:
                rank = self.explained.shape[1]
                values = (self.explained**2).sum(axis=1) / rank / variance
            else:
                values = self.explained[:, 0] / np.sqrt(variance)
        values[np.isnan(values) | ~self.is_testable] = 0
        return values


def df_of(lengths: np.ndarray, n_present: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """Return degrees of freedom, and whether a contrast can be tested.

    Parameters
    ----------
    lengths : ndarray of shape (n, n_columns)
        Lengths of the columns of bases, the directions of the contrast last.

    n_present : ndarray of int of shape (n,)
        Number of rows that are present.

    rank : int
        Number of directions.

    Returns
    -------
    df : ndarray of int of shape (n,)
        Degrees of freedom of the residuals; 0 if the contrast cannot be tested.

    is_testable : ndarray of bool of shape (n,)
        Whether the contrast can be estimated, and residuals have degrees of freedom.
    """
    df = n_present - (lengths > 0).sum(axis=1)
    is_testable = (df > 0) & (lengths[:, -rank:] > 0).all(axis=1)
    return np.where(is_testable, df, 0), is_testable


def relative_variances(data: np.ndarray, contrast: Contrast) -> np.ndarray:
    """Return the variance of each row relative to the others.

    Parameters
    ----------
    data : ndarray of float64 of shape (n_subjects, n_elements)
        The data; NaN where a row is missing.

    contrast : Contrast
        The contrast, which holds the basis of the design.

    Returns
    -------
    variances : ndarray of shape (n_subjects,)
        Squared residuals relative to the variance of each element and to their expectation,
        averaged over the elements that have the row. NaN for rows without any.
    """
    present = ~np.isnan(data.T)
    values = np.where(present, data.T, 0.0)
    bases = PartialBases.of(np.where(present[:, :, np.newaxis], contrast.basis, 0.0))
    squares = without(bases.columns, values) ** 2
    expected = np.where(present, 1 - (bases.columns**2).sum(axis=2), 0.0)
    df, total = expected.sum(axis=1), squares.sum(axis=1)
    varies = total > CONSTANT * present.sum(axis=1) * np.abs(values).max(axis=1) ** 2
    counts = (expected > LEAST_EXPECTED) & varies[:, np.newaxis]
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(counts, squares / expected * (df / total)[:, np.newaxis], 0.0)
        return relative.sum(axis=0) / counts.sum(axis=0)


def without(columns: np.ndarray, data: np.ndarray) -> np.ndarray:
    """Return data without orthonormal columns.

    Parameters
    ----------
    columns : ndarray of shape (n, n_subjects, n_columns)
        The columns, as from :class:`PartialBases`.

    data : ndarray of shape (n, n_subjects)
        The data.

    Returns
    -------
    residuals : ndarray of shape (n, n_subjects)
        The residuals.
    """
    for _ in range(2):  # one pass would leave rounding errors
        products = np.einsum("nij,ni->nj", columns, data)
        data = data - np.einsum("nij,nj->ni", columns, products)
    return data
