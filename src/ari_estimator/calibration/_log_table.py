"""P-values of statistics in bins, by interpolation of their logarithms."""

from __future__ import annotations

import numpy as np


class LogTable:
    """P-values in bins by linear interpolation of their logarithm.

    Parameters
    ----------
    edges : ndarray of shape (n_bins + 1,)
        Edges of bins, from large to small.

    at_edges, above, below : ndarray of shape (n_bins + 1,)
        P-values at the edges, and at the places to which rounding may move a statistic at an
        edge: above (larger statistics) and below (smaller statistics).

    at_middle : ndarray of shape (n_bins,)
        P-values in the middle of each bin.
    """

    def __init__(
        self,
        edges: np.ndarray,
        at_edges: np.ndarray,
        above: np.ndarray,
        below: np.ndarray,
        at_middle: np.ndarray,
    ) -> None:
        self._edges = edges
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(at_edges)
            self._slopes = np.diff(logs) / np.diff(edges)
            middle = (edges[1:] + edges[:-1]) / 2
            interpolated = logs[1:] + self._slopes * (middle - edges[1:])
            # The interpolation error is about largest there. Twice that error is a safe bound.
            self._reach = 2 * np.abs(np.expm1(interpolated - np.log(at_middle))) + 1e-12
            # The logarithm is steepest at an end of a bin. On top of what interpolation is off by.
            up = below / at_edges - 1
            down = 1 - above / at_edges
            steepest = np.maximum(up, down)
            self._rounding = 1.1 * np.maximum(steepest[1:], steepest[:-1])
        self._logs = logs[1:]
        # Without interpolation, the p-value may be anywhere in the bin.
        unknown = ~(np.isfinite(logs[1:]) & (self._reach < 0.1) & (self._rounding < 0.5))
        # Among them where p-values end at 1, which tail and interpolation reach in other ways.
        unknown |= below[1:] >= 1
        unknown[[0, -1]] = True
        self._slopes[unknown], self._logs[unknown] = 0, 0
        self._reach[unknown], self._rounding[unknown] = np.inf, 0

    def __call__(
        self, statistics: np.ndarray, bins: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return p-values and bounds on their relative errors, by interpolation and by rounding."""
        p = np.exp(self._logs[bins] + self._slopes[bins] * (statistics - self._edges[1:][bins]))
        return p, self._reach[bins], self._rounding[bins]
