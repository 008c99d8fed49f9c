"""The largest supra-threshold cluster and the strongest statistic of each draw."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np

from ari_estimator.calibration._workers import Workers
from ari_estimator.resampling import Tail
from ari_estimator.resampling._null_statistics import NullStatistics
from ari_estimator.resampling._threads import one_thread


class Largest(Protocol):
    """A function that returns the size of the largest cluster of each of many maps."""

    def __call__(
        self,
        values: np.ndarray,
        cutoff: float,
        *,
        is_absolute: bool = False,
        by_sign: bool = False,
    ) -> np.ndarray:
        """Return sizes, an array of int of shape (n_maps,)."""


class DrawExtremes(NamedTuple):
    """What cluster inference keeps of each draw.

    Attributes
    ----------
    largest_clusters : ndarray of int64 of shape (n_permutations,)
        Size of the largest supra-threshold cluster of each draw.

    smallest_p_values : ndarray of float64 of shape (n_permutations,)
        Smallest p-value of each draw.
    """

    largest_clusters: np.ndarray
    smallest_p_values: np.ndarray


class _ExtremesTask:
    """The pass over some draws, which is sent to a process and called there."""

    def __init__(
        self, null: NullStatistics, largest: Largest, cutoff: float, by_sign: bool
    ) -> None:
        self.null = null
        self.largest = largest
        self.cutoff = cutoff
        self.by_sign = by_sign

    def __call__(self, draws: range) -> tuple[np.ndarray, np.ndarray]:
        is_absolute = self.null.tail.is_absolute
        sizes, strongest = [], []
        with one_thread():
            for values in self.null.blocks(draws):
                sizes.append(
                    self.largest(values, self.cutoff, is_absolute=is_absolute, by_sign=self.by_sign)
                )
                highest = values.max(axis=1)
                strongest.append(
                    np.maximum(highest, -values.min(axis=1)) if is_absolute else highest
                )
        return np.concatenate(sizes), np.concatenate(strongest).astype(float)


def largest_clusters(
    null: NullStatistics,
    largest: Largest,
    height_threshold: float,
    *,
    by_sign: bool,
    workers: Workers,
) -> DrawExtremes:
    """Return the largest cluster and the smallest p-value of each draw.

    Parameters
    ----------
    null : NullStatistics
        Statistics of the draws.

    largest : callable
        Returns the size of the largest cluster of each of many maps.

    height_threshold : float
        Elements with a smaller p-value form clusters. It is below one half.

    by_sign : bool
        Whether the elements of a cluster have the same sign.

    workers : Workers
        How to spread the work.

    Returns
    -------
    extremes : DrawExtremes
        Sizes and p-values, the data as observed first.

    Notes
    -----
    The data as observed have double precision. The draws have single precision, and their rounding
    errors count against the data: a statistic that may reach the height does, and the strongest
    statistic of a draw is as strong as it may be. So a draw that equals the data, such as the one
    that flips all signs in a two-sided test, is never below them.
    """
    reach = _statistic_of(null.tail, height_threshold)
    cutoff = _rounded_down(reach - null.error - null.relative_error * abs(reach))
    task = _ExtremesTask(null, largest, cutoff, by_sign)
    sizes, strongest = [], []
    for of_range in workers.run("Permutations", task, workers.ranges_of_draws(null)):
        sizes.append(of_range[0])
        strongest.append(of_range[1])
    found = np.concatenate(sizes)
    highest = np.concatenate(strongest)
    p_values = null.tail(highest + null.error + null.relative_error * np.abs(highest))
    found[0] = _observed_largest(null, largest, height_threshold, by_sign)
    p_values[0] = null.observed_p_values.min()
    return DrawExtremes(found, p_values)


def _observed_largest(
    null: NullStatistics, largest: Callable[..., np.ndarray], height_threshold: float, by_sign: bool
) -> int:
    """Return the size of the largest cluster of the data as observed."""
    signs = np.where(null.observed.values < 0, -1.0, 1.0).astype(np.float32)
    signs[null.observed_p_values >= height_threshold] = 0
    return int(largest(signs[np.newaxis], 0.5, is_absolute=True, by_sign=by_sign)[0])


def _statistic_of(tail: Tail, p_value: float) -> float:
    """Return a statistic with at least this p-value, to the last digits."""
    low, high = 0.0, 1.0
    while float(tail(np.array([high]))[0]) > p_value:
        low, high = high, 2 * high
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if float(tail(np.array([middle]))[0]) > p_value:
            low = middle
        else:
            high = middle
    return low


def _rounded_down(value: float) -> float:
    """Return the largest number in single precision that is below a value."""
    single = np.float32(value)
    return float(single if single < value else np.nextafter(single, np.float32(-np.inf)))
