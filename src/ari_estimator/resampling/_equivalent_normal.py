"""Standard normal values with the p-values of F statistics, from a table."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import chdtri, fdtrc, fdtri, ndtri

# Cells of the table, along the size of statistics and along the degrees of freedom.
_N_SIZES, _N_DF = 512, 128

# Normal values up to that are told apart.
LARGEST = 9.0
_SMALLEST_P = 2e-19


def normal_of_p(p_values: np.ndarray) -> np.ndarray:
    """Return absolute standard normal values of two-sided p-values, at most 38."""
    return np.minimum(-ndtri(np.asarray(p_values) / 2), 38.0)


class EquivalentNormal:
    """A table of absolute standard normal values with the p-values of F statistics.

    It has two coordinates: ``w = sqrt(df log(1 + rank F / df))``, which is about
    the normal value already, and ``1 / df``. The value is close to linear in both.

    Parameters
    ----------
    rank : int
        Degrees of freedom of what is tested. With 1, F is the square of t.

    lowest_df, highest_df : float
        Range of the degrees of freedom of residuals.

    Attributes
    ----------
    table : ndarray of float32 of shape (n_sizes + 1, n_df + 1)
        Values, for w from 0 and for 1 / df from ``lowest_u``.

    per_w, per_u : float32
        Cells of the table per unit of w and of 1 / df.

    lowest_u : float32
        Smallest 1 / df.

    error : float
        Bound on the error of interpolation, for values up to 9: twice the largest error in the
        middle of a cell or of its sides.

    Examples
    --------
    >>> from ari_estimator.resampling._equivalent_normal import EquivalentNormal
    >>> EquivalentNormal(1, 5.0, 50.0).error < 1e-4
    True
    """

    def __init__(self, rank: int, lowest_df: float, highest_df: float) -> None:
        self.rank = rank
        # Rounding must not lead out of the table.
        self._u = np.linspace(0.999 / highest_df, 1.001 / lowest_df, _N_DF + 1)
        df = 1 / self._u[[0, -1]]
        with np.errstate(over="ignore"):
            # The statistics with the smallest p-value that counts.
            largest_f = np.minimum(fdtri(rank, df, 1 - 1e-15) * 10, 1e30)
        largest_w = np.sqrt(df * np.log1p(rank * largest_f / df)).max()
        largest_w = max(largest_w, np.sqrt(chdtri(rank, _SMALLEST_P)))
        self._w = np.linspace(0, largest_w, _N_SIZES + 1)
        self.table = self._exact(self._w, self._u).astype(np.float32)
        self.lowest_u = np.float32(self._u[0])
        self.per_u = np.float32(1 / (self._u[1] - self._u[0]))
        self.per_w = np.float32(1 / self._w[1])
        middle_w, middle_u = ((nodes[1:] + nodes[:-1]) / 2 for nodes in (self._w, self._u))
        errors = []
        for at_w, at_u in ((middle_w, self._u), (self._w, middle_u), (middle_w, middle_u)):
            exact = self._exact(at_w, at_u)
            is_told_apart = exact < LARGEST
            found = self._interpolated(at_w, at_u)
            errors.append(np.abs(found - exact)[is_told_apart].max())
        # Values of 9 have a rounding error of 2^-21, in the table and when they are interpolated.
        self.error = float(2 * max(errors) + 2.0**-19)

    def _exact(self, w: np.ndarray, u: np.ndarray) -> np.ndarray:
        df = 1 / u
        with np.errstate(over="ignore"):
            f = df * np.expm1(w[:, np.newaxis] ** 2 * u) / self.rank
        return normal_of_p(fdtrc(self.rank, df, np.minimum(f, 1e300)))

    def _interpolated(self, at_w: np.ndarray, at_u: np.ndarray) -> np.ndarray:
        """Return values of the table between its nodes, at each pair of coordinates."""
        along_w = [np.interp(at_w, self._w, column) for column in self.table.T]
        return np.array([np.interp(at_u, self._u, row) for row in np.transpose(along_w)])


@lru_cache(maxsize=16)
def equivalent_normal(rank: int, lowest_df: float, highest_df: float) -> EquivalentNormal:
    """Return the table of :class:`EquivalentNormal`, made once for the same design."""
    return EquivalentNormal(rank, lowest_df, highest_df)
