"""P-values of t, F, v and G statistics, from their distributions."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import fdtrc

from ari_estimator.resampling._tails import CorrelationTail


def parametric_p_values(
    name: str, values: np.ndarray, df: Any, rank: int = 1, two_sided: bool = False
) -> np.ndarray:
    """Return the p-values of statistics.

    Parameters
    ----------
    name : {"t", "F", "v", "G"}
        Name of the statistic.

    values : ndarray of shape (n_elements,)
        The statistics.

    df : float or ndarray of shape (n_elements,)
        Degrees of freedom of the residuals.

    rank : int, default=1
        Degrees of freedom of the contrast; 1 for t and v.

    two_sided : bool, default=False
        Whether deviations in both directions count. F and G have no direction.

    Returns
    -------
    p_values : ndarray of shape (n_elements,)
        Their p-values.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.resampling._parametric_p_values import parametric_p_values
    >>> parametric_p_values("t", np.array([0.0, 2.1]), 18, two_sided=True).round(3)
    array([1.  , 0.05])
    >>> parametric_p_values("G", np.array([0.0, 4.4]), np.array([18.0, 17.2]), rank=1).round(3)
    array([1.   , 0.051])
    """
    if name in ("F", "G"):
        return fdtrc(rank, df, values)
    if name == "t":
        return CorrelationTail(df, two_sided).of_t(values)
    # The square of a t statistic is an F statistic, whose p-value takes a fifth of the time where
    # degrees of freedom differ.
    p_values = fdtrc(1, df, values**2)
    return p_values if two_sided else np.where(values > 0, p_values / 2, 1 - p_values / 2)
