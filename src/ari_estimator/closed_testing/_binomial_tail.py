"""Tails of the binomial distribution on the scale of logarithms, where they do not underflow.

The k-th smallest of m uniform p-values is at most p if at least k of them are. The probability is
a regularized incomplete beta function. Dependent p-values can make it smaller than any double: with
200,000 p-values whose median is 0.47 instead of 0.5 it is about 1e-160, and with a median of 0.45
about 1e-440.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import betainc, gammaln

# Below this probability its logarithm is computed from the leading term of the tail. The
# function in scipy goes down to 1e-308, but for some arguments loses digits below 1e-250.
_SMALLEST = 1e-200

# Stirling's series has four terms here. From this number on, they give every bit.
_LARGE = 64.0

_HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)


def _stirling_error(n: np.ndarray) -> np.ndarray:
    """Return the error of Stirling's formula for log(n!), n >= 1."""
    large = np.maximum(n, _LARGE)
    square = large * large
    series = (1 / 12 - (1 / 360 - (1 / 1260 - 1 / (1680 * square)) / square) / square) / large
    small = np.minimum(n, _LARGE)
    exact = gammaln(small + 1) - ((small + 0.5) * np.log(small) - small + _HALF_LOG_2_PI)
    return np.where(n >= _LARGE, series, exact)


def _log_probability(k: np.ndarray, m: int, p: np.ndarray) -> np.ndarray:
    """Return the logarithm of the probability of k successes in m trials, for 0 < p < 1.

    The form of Loader (2000) [1]_ avoids large terms that cancel. It uses Stirling's formula for
    the three factorials, and the deviance of k from m p.

    References
    ----------
    .. [1] Loader C (2000). Fast and accurate computation of binomial probabilities. Lucent
       Technologies.
    """
    failures = m - k
    # With k = m there are no failures: the probability is p^m.
    some = np.maximum(failures, 1.0)
    stirling = _stirling_error(np.array(float(m))) - _stirling_error(k) - _stirling_error(some)
    scale = -_HALF_LOG_2_PI - 0.5 * np.log(k * (some / m))
    # Differences of logarithms: k / (m p) may overflow.
    deviance = k * (np.log(k / m) - np.log(p)) + failures * (np.log(some / m) - np.log1p(-p))
    return np.where(failures > 0, stirling + scale - deviance, k * np.log(p))


def _tail_ratio(k: np.ndarray, m: int, p: np.ndarray) -> np.ndarray:
    """Return the probability of at least k successes, divided by the probability of k successes.

    The method of Lentz evaluates the continued fraction of the incomplete beta function [1]_
    (8.17.22). It converges within a few tens of steps where k is far above m p.

    References
    ----------
    .. [1] NIST Digital Library of Mathematical Functions. https://dlmf.nist.gov/8.17
    """
    a, b = k, m + 1 - k
    numerator = np.ones(np.broadcast_shapes(k.shape, p.shape))
    denominator = 1 / (1 - (a + b) * p / (a + 1))
    fraction = denominator
    for i in range(1, 1000):
        even = i * (b - i) * p / ((a + 2 * i - 1) * (a + 2 * i))
        denominator = 1 / (1 + even * denominator)
        numerator = 1 + even / numerator
        fraction = fraction * (numerator * denominator)
        odd = -(a + i) * (a + b + i) * p / ((a + 2 * i) * (a + 2 * i + 1))
        denominator = 1 / (1 + odd * denominator)
        numerator = 1 + odd / numerator
        change = numerator * denominator
        fraction = fraction * change
        if np.abs(change - 1).max(initial=0) < 1e-13:
            break
    # The fraction times x^a (1-x)^b / (a B(a, b)), which has one factor 1-x more than the
    # probability of k successes.
    return fraction * (1 - p)


def log_upper_tail(k: np.ndarray, m: int, p: np.ndarray) -> np.ndarray:
    """Return the logarithm of the probability of at least k successes in m trials.

    Parameters
    ----------
    k : ndarray of float
        Numbers of successes, from 1 to m.

    m : int
        Number of trials.

    p : ndarray of float
        Probabilities of success, from 0 to 1. Broadcast against ``k``.

    Returns
    -------
    logarithm : ndarray of float
        From -inf, where ``p`` is 0, to 0, where it is 1.
    """
    k, p = np.broadcast_arrays(np.asarray(k, dtype=float), np.asarray(p, dtype=float))
    tail = np.asarray(betainc(k, m + 1 - k, p))
    tiny = (tail < _SMALLEST) & (p > 0)
    with np.errstate(divide="ignore"):
        logarithm = np.asarray(np.log(tail))
    if tiny.any():
        k, p = k[tiny], p[tiny]
        logarithm[tiny] = _log_probability(k, m, p) + np.log(_tail_ratio(k, m, p))
    return logarithm


def log_tail_quantile(k: np.ndarray, m: int, logarithm: float) -> np.ndarray:
    """Return p such that at least k successes in m trials have a probability of this logarithm.

    Parameters
    ----------
    k : ndarray of float of shape (n,)
        Numbers of successes, from 1 to m.

    m : int
        Number of trials.

    logarithm : float
        The logarithm of the probability; finite, and below 0.

    Returns
    -------
    p : ndarray of float of shape (n,)
        Probabilities of success; 0 where they underflow.

    Notes
    -----
    Newton's method finds p on the scale of log(p). The density of the k-th smallest of m uniform
    numbers is log-concave on this scale, and so is its integral. Tangents lie above a concave
    function. From a start below the solution, Newton's steps therefore rise to the solution, and
    only rounding can take them beyond it. The union bound gives this start:
    ``m! / (k! (m-k)!) p^k = exp(logarithm)``. The quantile function of the beta distribution in
    scipy fails for some of these arguments.
    """
    combinations = _log_probability(k, m, np.array(0.5)) + m * math.log(2)
    p = np.exp(np.minimum((logarithm - combinations) / k, 0))
    open_ = np.flatnonzero(p > 0)
    below_1 = np.nextafter(1, 0)
    for _ in range(200):
        successes, before = k[open_], np.minimum(p[open_], below_1)
        tail = log_upper_tail(successes, m, before)
        slope = successes * np.exp(_log_probability(successes, m, before) - tail)
        after = before * np.exp((logarithm - tail) / slope)
        p[open_] = np.minimum(after, below_1)
        # The steps get smaller until rounding stops them.
        open_ = open_[after > before * (1 + 1e-14)]
        if open_.size == 0:
            break
    return p
