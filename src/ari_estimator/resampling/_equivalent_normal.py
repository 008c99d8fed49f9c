"""Standard normal values with the p-values of F statistics, by a polynomial."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.polynomial import chebyshev, polynomial
from scipy.special import chdtri, fdtrc, ndtri

# Numbers of terms in the size of statistics, from few to many, and in the degrees of freedom. The
# kernel takes two terms of the first and all six of the second at a time.
_N_SIZES = (10, 14, 18, 22)
_N_DF = 6

# The normal value is close to a polynomial in 1 / (1 + 0.3 df), even from few df to many.
PER_DF = 0.3

# Below this error, more terms are not worth their time.
_SMALL_ERROR = 3e-5

# Normal values above this are not distinguished. The fit goes a little further.
LARGEST = 9.0
_LARGEST_FITTED = 9.3
_SMALLEST_P = 2e-19

# Number of nodes of the fit, and of points of the check, along both coordinates.
_N_NODES = (64, 16)
_N_POINTS = (1500, 60)


def normal_of_p(p_values: np.ndarray) -> np.ndarray:
    """Return absolute standard normal values of two-sided p-values, at most 38."""
    return np.minimum(-ndtri(np.asarray(p_values) / 2), 38.0)


class EquivalentNormal:
    """Absolute standard normal values with the p-values of F statistics, by a polynomial.

    The polynomial has two coordinates: ``w = sqrt(df log(1 + rank F / df))``, which is close to
    the normal value, and ``v = 1 / (1 + 0.3 df)``. Both are scaled to the range from -1 to 1.

    Parameters
    ----------
    rank : int
        Degrees of freedom of the contrast. With 1, F is the square of t.

    lowest_df, highest_df : float
        Range of the degrees of freedom of residuals.

    Attributes
    ----------
    coefficients : ndarray of float32 of shape (n_sizes, 6)
        Coefficients of powers of scaled w and of scaled v, from high powers to low ones.

    per_w, per_v : float32
        Units of scaled w per unit of w, and of scaled v per unit of v.

    lowest_v : float32
        Smallest v.

    error : float
        Bound on the error for values up to 9: twice the largest error at many points, in single
        precision.

    Examples
    --------
    >>> from ari_estimator.resampling._equivalent_normal import EquivalentNormal
    >>> EquivalentNormal(1, 5.0, 50.0).error < 1e-4
    True
    """

    def __init__(self, rank: int, lowest_df: float, highest_df: float) -> None:
        self.rank = rank
        # Rounding must not leave the range.
        df = np.array([1.001 * highest_df, 0.999 * lowest_df])
        lowest_v, highest_v = 1 / (1 + PER_DF * df)
        largest_w = self._largest_w(df)
        self.lowest_v = np.float32(lowest_v)
        self.per_v = np.float32(2 / (highest_v - lowest_v))
        self.per_w = np.float32(2 / largest_w)
        nodes = _nodes(_N_NODES[0]), _nodes(_N_NODES[1])
        points = np.linspace(-1, 1, _N_POINTS[0]), np.linspace(-1, 1, _N_POINTS[1])
        at_nodes, at_points = (
            self._exact(
                (across + 1) / float(self.per_w),
                (1 / (lowest_v + (along + 1) / float(self.per_v)) - 1) / PER_DF,
            )
            for across, along in (nodes, points)
        )
        is_told_apart = at_points < LARGEST
        self.error = np.inf
        for n_sizes in _N_SIZES:
            coefficients = _fitted(nodes[0], nodes[1], at_nodes, n_sizes)
            found = _values_of(coefficients, points[0], points[1])
            error = 2 * float(np.abs(found - at_points)[is_told_apart].max())
            if error < self.error:
                self.coefficients, self.error = coefficients, error
            if error < _SMALL_ERROR:
                break

    def _largest_w(self, df: np.ndarray) -> float:
        """Return the smallest w whose normal value is above the range, for all df."""
        w = np.linspace(0, 1.5 * np.sqrt(chdtri(self.rank, _SMALLEST_P)), 4000)
        is_in_range = (self._exact(w, df) < _LARGEST_FITTED).any(axis=1)
        return float(w[min(np.flatnonzero(is_in_range)[-1] + 1, w.size - 1)])

    def _exact(self, w: np.ndarray, df: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            f = df * np.expm1(w[:, np.newaxis] ** 2 / df) / self.rank
        return normal_of_p(fdtrc(self.rank, df, np.minimum(f, 1e300)))


def _nodes(n: int) -> np.ndarray:
    """Return Chebyshev's nodes."""
    return np.cos(np.pi * (np.arange(n) + 0.5) / n)


def _fitted(across: np.ndarray, along: np.ndarray, values: np.ndarray, n_sizes: int) -> np.ndarray:
    """Return the coefficients of the polynomial that fits values at Chebyshev's nodes."""
    # At these nodes Chebyshev polynomials are orthogonal.
    terms = chebyshev.chebvander(across, n_sizes - 1) / across.size
    others = chebyshev.chebvander(along, _N_DF - 1) / along.size
    terms[:, 1:] *= 2
    others[:, 1:] *= 2
    of_chebyshev = terms.T @ values @ others
    of_powers = np.zeros_like(of_chebyshev)
    for i in range(n_sizes):
        for j in range(_N_DF):
            powers = np.multiply.outer(
                chebyshev.cheb2poly(np.eye(n_sizes)[i]), chebyshev.cheb2poly(np.eye(_N_DF)[j])
            )
            of_powers[: powers.shape[0], : powers.shape[1]] += of_chebyshev[i, j] * powers
    return np.ascontiguousarray(of_powers[::-1, ::-1], dtype=np.float32)


def _values_of(coefficients: np.ndarray, across: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Return a polynomial at each pair of coordinates, in single precision, as the kernel does."""
    x, y = across.astype(np.float32), along.astype(np.float32)
    rows = np.array([polynomial.polyval(y, row[::-1]) for row in coefficients])
    values = np.zeros((x.size, y.size), np.float32)
    for row in rows:
        values = values * x[:, np.newaxis] + row
    return np.maximum(values, 0)


@lru_cache(maxsize=16)
def equivalent_normal(rank: int, lowest_df: float, highest_df: float) -> EquivalentNormal:
    """Return the :class:`EquivalentNormal`, cached for the same design."""
    return EquivalentNormal(rank, lowest_df, highest_df)
