"""Standard normal values with the p-values of F statistics, by a polynomial."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.polynomial import chebyshev, polynomial
from scipy.special import chdtri, fdtrc, ndtri

# Numbers of terms in the size of statistics, and in the degrees of freedom, from few to many. The
# kernel has a loop for each number of the second kind.
_N_SIZES = (4, 6, 8, 10, 14, 18, 22)
N_DF = (2, 4, 6)

# The normal value is close to a polynomial in 1 / (1 + 0.3 df), even from few df to many.
PER_DF = 0.3

# Below this error, more terms are not worth their time.
_SMALL_ERROR = 3e-5

# More terms must make the error smaller by this factor.
_WORTH_MORE_TERMS = 0.8

# Normal values above this are not distinguished. The fit goes a little further.
LARGEST = 9.0
_LARGEST_FITTED = 9.3
_SMALLEST_P = 2e-19

# Number of nodes of the fit, and of points of the check, along both coordinates.
_N_NODES = (64, 16)
_N_POINTS = (800, 40)


def normal_of_p(p_values: np.ndarray) -> np.ndarray:
    """Return absolute standard normal values of two-sided p-values, at most 38."""
    return np.minimum(-ndtri(np.asarray(p_values) / 2), 38.0)


class Polynomial(NamedTuple):
    """The polynomial of :class:`EquivalentNormal`, as compiled loops take it.

    Attributes
    ----------
    coefficients : ndarray of float32 of shape (n_sizes, 2, 4 or 6)
        Coefficients of powers of scaled w (or its square) and of scaled v, from high powers to low
        ones.

    lowest_v : float32
        Smallest v.

    per_v, per_w : float32
        Units of scaled v per unit of v, and of scaled w (or its square) per unit.

    is_odd : bool
        Whether the value is w times a polynomial of the square of w.
    """

    coefficients: np.ndarray
    lowest_v: np.float32
    per_v: np.float32
    per_w: np.float32
    is_odd: bool


class EquivalentNormal:
    """Absolute standard normal values with the p-values of F statistics, by a polynomial.

    The polynomial has two coordinates: ``w = sqrt(df log(1 + rank F / df))``, which is close to
    the normal value, and ``v = 1 / (1 + 0.3 df)``. Both
    coordinates are scaled to the range from -1 to 1.

    Parameters
    ----------
    rank : int
        Degrees of freedom of the contrast. With 1, F is the square of t.

    lowest_df, highest_df : float
        Range of the degrees of freedom of residuals.

    is_odd : bool, default=False
        Whether the value is w times a polynomial of the square of w. For rank 1, this needs fewer
        terms.

    Attributes
    ----------
    polynomial : Polynomial
        The polynomial.

    excess : float
        A relative change x of w changes a normal value z by no more than ``(z + excess) * x``.

    error : float
        Bound on the error for values up to 9: twice the largest error at many points, in single
        precision.

    Examples
    --------
    >>> from ari_estimator.resampling._equivalent_normal import EquivalentNormal
    >>> EquivalentNormal(1, 5.0, 50.0).error < 1e-4
    True
    """

    def __init__(
        self, rank: int, lowest_df: float, highest_df: float, is_odd: bool = False
    ) -> None:
        self._rank = rank
        # Rounding must not leave the range.
        df = np.array([1.001 * highest_df, 0.999 * lowest_df])
        lowest_v, highest_v = 1 / (1 + PER_DF * df)
        largest_w = self._largest_w(df)
        per_v = np.float32(2 / (highest_v - lowest_v))
        per_w = np.float32(2 / (largest_w**2 if is_odd else largest_w))
        self.polynomial = Polynomial(np.empty((0, 2)), np.float32(lowest_v), per_v, per_w, is_odd)
        nodes = _nodes(_N_NODES[0]), _nodes(_N_NODES[1])
        points = np.linspace(-1, 1, _N_POINTS[0])[1:], np.linspace(-1, 1, _N_POINTS[1])
        at_nodes, at_points = (
            self._exact(
                self._w_at(across),
                (1 / (lowest_v + (along + 1) / float(per_v)) - 1) / PER_DF,
            )
            for across, along in (nodes, points)
        )
        is_told_apart = at_points < LARGEST
        w = self._w_at(points[0])
        stretched = w[:, np.newaxis] * np.gradient(at_points, w, axis=0) - at_points
        self.excess = 1.1 * max(0.0, float(stretched[is_told_apart].max()))
        factors = np.ones(1)
        if is_odd:
            at_nodes /= self._w_at(nodes[0])[:, np.newaxis]
            factors = w[:, np.newaxis]
        self.error = np.inf
        # From few terms to many.
        for n_sizes, n_df in sorted(product(_N_SIZES, N_DF), key=math.prod):
            coefficients = _fitted(nodes[0], nodes[1], at_nodes, n_sizes, n_df)
            found = _values_of(coefficients, points[0], points[1]) * factors.astype(np.float32)
            error = 2 * float(np.abs(found - at_points)[is_told_apart].max())
            if error < _WORTH_MORE_TERMS * self.error:
                self.polynomial = self.polynomial._replace(coefficients=coefficients)
                self.error = error
            if error < _SMALL_ERROR:
                break

    def _w_at(self, across: np.ndarray) -> np.ndarray:
        """Return w at scaled coordinates."""
        given = (across + 1) / float(self.polynomial.per_w)
        return np.sqrt(given) if self.polynomial.is_odd else given

    def _largest_w(self, df: np.ndarray) -> float:
        """Return the smallest w whose normal value is above the range, for all df."""
        w = np.linspace(0, 1.5 * np.sqrt(chdtri(self._rank, _SMALLEST_P)), 4000)
        is_in_range = (self._exact(w, df) < _LARGEST_FITTED).any(axis=1)
        return float(w[min(np.flatnonzero(is_in_range)[-1] + 1, w.size - 1)])

    def _exact(self, w: np.ndarray, df: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            f = df * np.expm1(w[:, np.newaxis] ** 2 / df) / self._rank
        return normal_of_p(fdtrc(self._rank, df, np.minimum(f, 1e300)))


def _nodes(n: int) -> np.ndarray:
    """Return Chebyshev's nodes."""
    return np.cos(np.pi * (np.arange(n) + 0.5) / n)


def _fitted(
    across: np.ndarray, along: np.ndarray, values: np.ndarray, n_sizes: int, n_df: int
) -> np.ndarray:
    """Return the coefficients of the polynomial that fits values at Chebyshev's nodes."""
    # At these nodes Chebyshev polynomials are orthogonal.
    terms = chebyshev.chebvander(across, n_sizes - 1) / across.size
    others = chebyshev.chebvander(along, n_df - 1) / along.size
    terms[:, 1:] *= 2
    others[:, 1:] *= 2
    of_chebyshev = terms.T @ values @ others
    of_powers = np.zeros_like(of_chebyshev)
    for i in range(n_sizes):
        for j in range(n_df):
            powers = np.multiply.outer(
                chebyshev.cheb2poly(np.eye(n_sizes)[i]), chebyshev.cheb2poly(np.eye(n_df)[j])
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
def equivalent_normal(
    rank: int, lowest_df: float, highest_df: float, is_odd: bool = False
) -> EquivalentNormal:
    """Return the :class:`EquivalentNormal`, cached for the same design."""
    return EquivalentNormal(rank, lowest_df, highest_df, is_odd)
