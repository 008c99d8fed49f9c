"""Effect sizes of a pilot study, shrunk because the strongest ones were partly luck."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# Distance of the nodes of the distribution of effects, and of the bins of t statistics, in units of
# the standard error of an effect size.
_NODES_PER_ERROR = 4
_BINS_PER_ERROR = 10

# More nodes cost time, and no study needs them.
_MOST_NODES = 400

# The distribution changes little after so many steps of the EM algorithm.
_N_STEPS = 300

# Effect sizes beyond this are not distinguished: such voxels are always found.
_LARGEST_EFFECT = 30.0

# Distance of the points at which the logarithm of an integral is tabulated, and their largest
# number on each side.
_STEP = 0.05
_MOST_STEPS = 4000

# Half the range of the integral, in standard deviations, and its number of points.
_RANGE = 10.0
_N_POINTS = 201


class ShrunkEffects(NamedTuple):
    """The effect size of each element, with its uncertainty.

    Attributes
    ----------
    mean : ndarray of shape (n_elements,)
        Posterior mean of the effect size: mean over standard deviation (Cohen's d).

    sd : ndarray of shape (n_elements,)
        Posterior standard deviation.
    """

    mean: np.ndarray
    sd: np.ndarray


def shrink_effects(t: np.ndarray, n_subjects: int) -> ShrunkEffects:
    """Shrink the effect sizes of a one-sample study by empirical Bayes.

    Parameters
    ----------
    t : ndarray of shape (n_elements,)
        t statistics of the study.

    n_subjects : int
        Number of subjects of the study.

    Returns
    -------
    effects : ShrunkEffects
        Posterior means and standard deviations.

    Notes
    -----
    A t statistic has a noncentral t distribution given the effect size. The distribution of effect
    sizes over elements is the one, on a grid, with the largest likelihood of all t statistics. The
    EM algorithm finds it, from a uniform start. The dependence between elements does not enter.

    Grid and bins are even after the variance-stabilising transformation of an effect size,
    ``sqrt(2) arcsinh(d / sqrt(2))``, whose standard error is about ``1 / sqrt(n_subjects)``.
    """
    root = np.sqrt(n_subjects)
    stable = _stabilised(np.clip(t / root, -_LARGEST_EFFECT, _LARGEST_EFFECT))
    widest = max(float(np.abs(stable).max(initial=0.0)), 1 / root)
    # Luck makes effects larger much more often than smaller: no node is needed far outside.
    ends = widest + 1 / root
    n_nodes = min(2 * int(np.ceil(ends * root * _NODES_PER_ERROR)) + 1, _MOST_NODES | 1)
    nodes = _unstabilised(np.linspace(-ends, ends, n_nodes))
    n_bins = 2 * int(np.ceil(widest * root * _BINS_PER_ERROR)) + 1
    centres = np.linspace(-widest, widest, n_bins)
    bins = np.rint((stable + widest) / (2 * widest) * (n_bins - 1)).astype(np.intp)
    counts = np.bincount(bins, minlength=n_bins)

    density = _relative_likelihood(_unstabilised(centres) * root, nodes * root, n_subjects - 1)
    weights = np.full(n_nodes, 1 / n_nodes)
    is_met = counts > 0
    met, shares = density[is_met], counts[is_met] / t.size
    for _ in range(_N_STEPS):
        weights *= met.T @ (shares / (met @ weights))

    posterior = density * weights
    totals = posterior.sum(axis=1)
    is_known = totals > 0  # all bins that are met
    posterior = posterior[is_known] / totals[is_known, np.newaxis]
    mean = posterior @ nodes
    variance = np.maximum(posterior @ nodes**2 - mean**2, 0.0)
    centres = centres[is_known]
    return ShrunkEffects(
        np.interp(stable, centres, mean), np.sqrt(np.interp(stable, centres, variance))
    )


def _relative_likelihood(t: np.ndarray, noncentrality: np.ndarray, df: int) -> np.ndarray:
    """Return the density of noncentral t over its largest value for the same t.

    As a function of the noncentrality c, the density of t is proportional to
    ``exp(-c^2 / 2) I(c t / sqrt(df + t^2))``, where ``I(x)`` is the integral of
    ``u^df exp(x u - u^2 / 2)`` over positive u.

    Parameters
    ----------
    t : ndarray of shape (n_values,)
        Values of t.

    noncentrality : ndarray of shape (n_nodes,)
        Noncentralities.

    df : int
        Degrees of freedom.

    Returns
    -------
    likelihood : ndarray of shape (n_values, n_nodes)
        Between 0 and 1.
    """
    largest = float(np.abs(noncentrality).max())
    n_steps = min(int(np.ceil(largest / _STEP)), _MOST_STEPS)
    points = np.linspace(-largest, largest, 2 * n_steps + 1)
    table = _log_integral(points, df)
    x = np.outer(t / np.sqrt(df + t**2), noncentrality)
    logarithm = np.interp(x, points, table) - noncentrality**2 / 2
    return np.exp(logarithm - logarithm.max(axis=1, keepdims=True))


def _log_integral(x: np.ndarray, df: int) -> np.ndarray:
    """Return the logarithm of the integral of ``u^df exp(x u - u^2 / 2)`` over positive u."""
    # A root of the derivative, without a difference of large numbers if x is negative.
    root = np.sqrt(x**2 + 4 * df)
    peak = np.where(x >= 0, (x + root) / 2, 2 * df / (root - np.minimum(x, 0)))
    width = 1 / np.sqrt(1 + df / peak**2)
    low = np.maximum(peak - _RANGE * width, 0)
    step = (peak + _RANGE * width - low) / _N_POINTS
    u = low + np.multiply.outer(np.arange(_N_POINTS) + 0.5, step)
    exponent = df * np.log(u) + x * u - u**2 / 2
    highest = exponent.max(axis=0)
    return np.asarray(highest + np.log(np.exp(exponent - highest).sum(axis=0) * step))


def _stabilised(effects: np.ndarray) -> np.ndarray:
    return np.sqrt(2) * np.arcsinh(effects / np.sqrt(2))


def _unstabilised(values: np.ndarray) -> np.ndarray:
    return np.sqrt(2) * np.sinh(values / np.sqrt(2))
