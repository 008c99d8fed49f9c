"""Maps of F and of chi-squared values."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import betainccinv, betaincinv, chdtrc, chdtri, fdtrc, ndtri

from ari_estimator.inference._statistic import Statistic

# Larger values change almost nothing, and fdtrc of the oldest supported scipy returns noise or NaN
# there.
_LARGEST_F_DF = 1e10


class _UnsignedStatistic(Statistic):
    """A statistic whose upper tail covers all directions of an effect."""

    why_one_sided = "F and chi2 have no sign"

    def one_sided_z(self, values: np.ndarray) -> np.ndarray:
        z = self.p_values(values)
        ndtri(z, out=z)
        return np.negative(z, out=z)


class FStatistic(_UnsignedStatistic):
    """F values with two numbers of degrees of freedom."""

    stat_type = name = symbol = "F"
    wanted_df = "two numbers, the degrees of freedom of the numerator and of the denominator"
    n_df = 2
    last_df_may_be_infinite = True
    called = {"bids": "F", "declared": "F", "spm": "F", "fsl": "fstat"}

    def p_values(self, values: np.ndarray) -> np.ndarray:
        if math.isinf(self.df[1]):
            # With a known variance, F is chi-squared divided by its degrees of freedom.
            return chdtrc(self.df[0], self.df[0] * values)
        p = fdtrc(min(self.df[0], _LARGEST_F_DF), min(self.df[1], _LARGEST_F_DF), values)
        return np.minimum(p, 1, out=p)

    def at_p(self, p_value: float) -> float:
        if math.isinf(self.df[1]):
            return float(chdtri(self.df[0], p_value)) / self.df[0]
        numerator, denominator = (min(df, _LARGEST_F_DF) for df in self.df)
        return _f_at_p(numerator, denominator, p_value)


class Chi2Statistic(_UnsignedStatistic):
    """Chi-squared values with one number of degrees of freedom."""

    stat_type = "chi2"
    name = "chi-squared"
    symbol = "χ²"
    wanted_df = "one number, the degrees of freedom"
    n_df = 1
    called = {"bids": "chi2", "declared": "chi2"}

    def p_values(self, values: np.ndarray) -> np.ndarray:
        return chdtrc(self.df[0], values)

    def at_p(self, p_value: float) -> float:
        return float(chdtri(self.df[0], p_value))


def _f_at_p(numerator: float, denominator: float, p_value: float) -> float:
    """Return the F value with a given upper tail, also for very small p-values."""
    # scipy's inverse of F starts from 1 - p, which rounds to 1 for small p. F is a ratio of two
    # beta values with sum 1, and the smaller one keeps all its digits.
    part = float(betainccinv(numerator / 2, denominator / 2, p_value))
    rest = float(betaincinv(denominator / 2, numerator / 2, p_value))
    if not rest > 0:
        return math.inf
    odds = part / (1 - part) if part < rest else (1 - rest) / rest
    return odds * denominator / numerator
