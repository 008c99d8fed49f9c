"""Maps of z and of t values."""

from __future__ import annotations

import math
from abc import abstractmethod

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from ari_estimator.inference._statistic import Statistic

# stdtr squares t, which overflows for larger values.
_FAR_T = 1e100


class _SymmetricStatistic(Statistic):
    """A statistic whose null distribution is symmetric around 0."""

    is_signed = True

    @property
    def direction(self) -> str:
        if not self.has_direction:
            return super().direction
        return "both" if self.two_sided else "positive"

    def check_values(self, values: np.ndarray) -> None:
        """Do nothing: every number is a possible value."""

    def evidence(self, values: np.ndarray) -> np.ndarray:
        return np.abs(values) if self.two_sided else values

    @abstractmethod
    def _to_lower_tail(self, values: np.ndarray) -> None:
        """Overwrite values by the probability of smaller values."""

    @abstractmethod
    def _upper_quantile(self, tail: float) -> float:
        """Return the value with a given upper tail."""

    def p_values(self, values: np.ndarray) -> np.ndarray:
        # Reuse one array, because a map may have millions of voxels.
        p = np.abs(values) if self.two_sided else np.negative(values)
        if self.two_sided:
            np.negative(p, out=p)
        self._to_lower_tail(p)
        if self.two_sided:
            p *= 2
        return np.minimum(p, 1, out=p)

    def at_p(self, p_value: float) -> float:
        tail = p_value / 2 if self.two_sided else p_value
        if tail in (0.5, 1):
            # Old releases of scipy return a number close to 0, or NaN, here.
            return 0.0 if tail == 0.5 else -math.inf
        return self._upper_quantile(tail) + 0.0  # which turns -0 into 0


class ZStatistic(_SymmetricStatistic):
    """z values, with a standard normal null distribution."""

    stat_type = name = symbol = "z"
    called = {"bids": "z", "declared": "z", "spm": "Z", "fsl": "zstat"}

    def _to_lower_tail(self, values: np.ndarray) -> None:
        ndtr(values, out=values)

    def _upper_quantile(self, tail: float) -> float:
        return float(-ndtri(tail))

    def one_sided_z(self, values: np.ndarray) -> np.ndarray:
        return values


class TStatistic(_SymmetricStatistic):
    """t values with one number of degrees of freedom."""

    stat_type = name = symbol = "t"
    wanted_df = "one number, the degrees of freedom"
    n_df = 1
    df_may_vary = True
    last_df_may_be_infinite = True
    called = {"bids": "t", "declared": "t", "spm": "T", "fsl": "tstat"}

    def _to_lower_tail(self, values: np.ndarray) -> None:
        df = self.df[0]
        if math.isinf(df):
            ndtr(values, out=values)
            return
        far = np.flatnonzero(values < -_FAR_T)
        ratios = values[far] / -_FAR_T
        stdtr(df, values, out=values)
        # This far out, the tail follows a power law or is 0.
        values[far] = stdtr(df, -_FAR_T) * ratios**-df

    def _upper_quantile(self, tail: float) -> float:
        if math.isinf(self.df[0]):
            return float(-ndtri(tail))
        return float(-stdtrit(self.df[0], tail))

    def one_sided_z(self, values: np.ndarray) -> np.ndarray:
        # Use symmetry, so that both tails keep their digits.
        z = np.abs(values)
        np.negative(z, out=z)
        self._to_lower_tail(z)
        ndtri(z, out=z)
        return np.copysign(z, values, out=z)


def z_of_t(values: np.ndarray, df: np.ndarray) -> np.ndarray:
    """Return z values with the same tails as t values whose degrees of freedom vary.

    Parameters
    ----------
    values : ndarray of shape (n_elements,)
        t values; NaN for missing values.

    df : ndarray of shape (n_elements,)
        Degrees of freedom of each element; NaN or 0 where nothing was tested.

    Returns
    -------
    z : ndarray of shape (n_elements,)
        z values with the sign of the t values; NaN where one of the two is missing.
    """
    is_known = df > 0
    z = np.full(values.size, np.nan)
    t, known = values[is_known], df[is_known]
    z[is_known] = np.copysign(ndtri(stdtr(known, -np.abs(t))), t)
    is_normal = is_known & np.isinf(df)
    z[is_normal] = values[is_normal]
    return z
