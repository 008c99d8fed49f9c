"""P-values of t statistics, and of the partial correlations that they are made from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr


@dataclass(frozen=True)
class CorrelationTail:
    """The tail of partial correlations, which are t statistics on another scale.

    ``t = r sqrt(df / (1 - r^2))`` grows with ``r``, so that the correlations can be sorted
    and counted, and only those that matter need a p-value.

    Attributes
    ----------
    df : int
        Degrees of freedom of t.

    two_sided : bool
        Whether deviations in both directions count; otherwise positive ones alone.

    Examples
    --------
    >>> from ari_estimator.resampling import CorrelationTail
    >>> CorrelationTail(df=18, two_sided=True)([0.0, 0.5, 1.0]).round(4)
    array([1.    , 0.0248, 0.    ])
    """

    df: int
    two_sided: bool

    def of_t(self, t: np.ndarray) -> np.ndarray:
        """Return the p-values of t statistics.

        Parameters
        ----------
        t : ndarray
            Statistics.

        Returns
        -------
        p_values : ndarray of the same shape
            Their p-values.
        """
        if self.two_sided:
            return np.minimum(2 * stdtr(self.df, -np.abs(t)), 1)
        return stdtr(self.df, -t)

    def __call__(self, correlations: np.ndarray) -> np.ndarray:
        """Return the p-values of correlations, an array of their shape.

        Correlations of -1 and 1 have the limits of p-values. Values beyond count as -1 or 1.
        """
        r = np.clip(np.asarray(correlations, dtype=float), -1, 1)
        with np.errstate(divide="ignore"):
            return self.of_t(r * np.sqrt(self.df / ((1 - r) * (1 + r))))
