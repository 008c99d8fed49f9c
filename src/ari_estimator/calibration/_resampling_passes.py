"""Passes over null statistics, spread over processes: pivotal statistics, smallest p-values.

A pass goes through the statistics of all permutations, block by block. It returns what calibration
needs, and never the statistics of all permutations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from ari_estimator.calibration._binned_pivots import (
    PivotBounds,
    StatisticBins,
    bins_for,
    pivots_of_counts,
)
from ari_estimator.calibration._workers import Workers
from ari_estimator.closed_testing import Template
from ari_estimator.closed_testing._lambda import lambda_rank
from ari_estimator.closed_testing._pivotal_statistics import PivotalStatistics
from ari_estimator.resampling._null_statistics import NullStatistics, draws_per_block
from ari_estimator.resampling._threads import one_thread

# Pivotal statistics with a smaller relative difference count as equal.
_ROUNDING = 1e-9

# Statistics at a time: all draws of some elements.
_MOST_IN_MEMORY = 4_000_000


class _DrawTask:
    """A computation on blocks of draws, which is sent to a process and called there.

    Elements without variance are left out, as if their p-values were 1 in all draws: they
    cannot be discoveries, and must not prevent others.
    """

    def __init__(self, null: NullStatistics, compute: Callable[[np.ndarray], Any]) -> None:
        self.null = null
        self.compute = compute

    def __call__(self, draws: range) -> list[Any]:
        varies = ~self.null.is_constant
        all_vary = varies.all()
        with one_thread():
            return [
                self.compute(statistics if all_vary else statistics[:, varies])
                for statistics in self.null.blocks(draws)
            ]


def _bins(null: NullStatistics, *, sorts_all: bool = False) -> StatisticBins:
    return StatisticBins(
        null.tail,
        error=null.error,
        relative_error=null.relative_error,
        sorts_all=sorts_all,
        n_bins=bins_for(null.n_elements),
    )


def pivots_by_tail(
    null: NullStatistics, templates: Sequence[Template], levels: Sequence[float], workers: Workers
) -> list[PivotalStatistics]:
    """Return the pivotal statistics of all draws, with parametric p-values.

    Parameters
    ----------
    null : NullStatistics
        Statistics of the draws.

    templates : sequence of Template
        The templates. One pass over the draws serves all.

    levels : sequence of float
        The error level of each template.

    workers : Workers
        How to spread the work.

    Returns
    -------
    pivots : list of PivotalStatistics
        Pivotal statistics by each template. Double precision is used for the data as observed, for
        permutations that may equal it, and for permutations that may decide at this level. The
        others have single precision.

    Notes
    -----
    Some permutations have the same statistics as the observed data, except for rounding. Examples
    are a two-sided test with all signs flipped, and two groups of equal size that change places.
    Rounding must not put these permutations in order. So their pivotal statistics are made equal.
    """
    varies = ~null.is_constant
    if not varies.any():
        return [
            PivotalStatistics(*(np.full(null.n_permutations, one) for one in largest))
            for largest in (_largest_pivot(null, template) for template in templates)
        ]
    task = _DrawTask(null, partial(_bins(null).pivots_of_each, templates=templates))
    blocks: list[list[PivotBounds]] = []
    for results in workers.run("Permutations", task, workers.ranges_of_draws(null)):
        blocks += results
    n_varying = int(varies.sum())
    sorting = _bins(null, sorts_all=True)
    bins = StatisticBins(null.tail, error=0.0, n_bins=bins_for(null.n_elements))
    settled = []
    for template, level, *found in zip(templates, levels, *blocks, strict=True):
        bounds = PivotBounds(*map(np.concatenate, zip(*found, strict=True)))
        pivots = PivotalStatistics(bounds.value, bounds.raised)
        # From its p-values themselves, since lambda is compared with them later.
        observed = _pivot_of(null.observed_p_values[varies], template)
        for of_all, found_one in zip(pivots, observed, strict=True):
            of_all[0] = found_one
        decides = lambda_rank(null.n_permutations, level)
        uncertain = _uncertain(bounds, decides)
        _refine(null, bounds, uncertain[bounds.is_coarse[uncertain]], template, sorting)
        uncertain = _uncertain(bounds, decides)
        for draws, single in _in_single(null, uncertain):
            may_decide = np.zeros(single.shape, dtype=bool)
            may_decide[:, varies] = sorting.may_decide(single[:, varies], template)
            exact = null.exact_where(draws, single, may_decide)
            found_some = bins.pivots(exact[:, varies], template)
            pivots.values[draws], pivots.raised[draws] = found_some.value, found_some.raised
        if n_varying < min(template.k_max, null.n_elements):
            # The last p-value of 1. These p-values do not change the ranks of others. Without them,
            # the parameter could grow until p-values of 1 are below a threshold.
            pivots = PivotalStatistics(*map(np.minimum, pivots, _largest_pivot(null, template)))
        values, raised = pivots
        equal = np.isclose(values, values[0], rtol=_ROUNDING, atol=0)
        values[equal] = values[equal].min()
        raised[equal] = raised[0]
        settled.append(pivots)
    return settled


def _largest_pivot(null: NullStatistics, template: Template) -> tuple[float, float]:
    """Return the pivotal statistic of p-values that are all 1."""
    return _pivot_of(np.ones(null.n_elements), template)


def _pivot_of(p_values: np.ndarray, template: Template) -> tuple[float, float]:
    """Return the pivotal statistic of p-values, and of raised ones."""
    smallest = np.sort(p_values)[np.newaxis, : template.k_max]
    value, raised = PivotalStatistics.of_rows(smallest, template)
    return float(value[0]), float(raised[0])


def _uncertain(bounds: PivotBounds, decides: int) -> np.ndarray:
    """Return the draws that rounding may confuse with the deciding or the observed ones."""
    low, high = bounds.low, bounds.high
    lowest, highest = np.partition(low, decides)[decides], np.partition(high, decides)[decides]
    may_decide = (high >= lowest) & (low <= highest)
    may_equal = (low <= bounds.value[0]) & (high >= bounds.value[0])
    uncertain = np.flatnonzero((low < high) & (may_decide | may_equal))
    return uncertain[uncertain > 0]


def _refine(
    null: NullStatistics,
    bounds: PivotBounds,
    draws: np.ndarray,
    template: Template,
    sorting: StatisticBins,
) -> None:
    """Replace coarse bounds of some draws, by sorting all statistics that may decide."""
    for some, single in _in_single(null, draws):
        refined = sorting.pivots(single[:, ~null.is_constant], template)
        for of_all, found in zip(bounds, refined, strict=True):
            of_all[some] = found


def _in_single(null: NullStatistics, draws: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield some of the draws and their statistics in single precision."""
    step = draws_per_block(null.n_elements)
    for start in range(0, draws.size, step):
        some = draws[start : start + step]
        yield some, null.exact(some, np.full(some.size, np.inf))


def smallest_p_values(null: NullStatistics, n_smallest: int, workers: Workers) -> np.ndarray:
    """Return the smallest p-values of all draws.

    Parameters
    ----------
    null : NullStatistics
        Statistics of the draws.

    n_smallest : int
        Number of p-values of each draw.

    workers : Workers
        How to spread the work.

    Returns
    -------
    p_values : ndarray of shape (n_permutations, n_smallest)
        The p-values, ascending in each row.
    """
    n_varying = int((~null.is_constant).sum())
    n_found = min(n_smallest, n_varying)
    if n_found == 0:
        return np.ones((null.n_permutations, n_smallest))
    task = _DrawTask(null, partial(_bins(null).smallest_p_values, n_smallest=n_found))
    blocks: list[np.ndarray] = []
    for results in workers.run("Permutations", task, workers.ranges_of_draws(null)):
        blocks += results
    return np.pad(np.concatenate(blocks), [(0, 0), (0, n_smallest - n_found)], constant_values=1)


class _RankTask:
    def __init__(self, null: NullStatistics) -> None:
        self.null = null

    def __call__(self, elements: range) -> tuple[np.ndarray, np.ndarray]:
        from ari_estimator.calibration._rank_kernels import count_ranks

        statistics = self.null.of_elements(slice(elements.start, elements.stop))
        if self.null.tail.is_absolute:
            np.abs(statistics, out=statistics)
        n_permutations = self.null.n_permutations
        columns = np.ascontiguousarray(statistics.T)
        order = np.argsort(columns, axis=1)
        counts = np.zeros((n_permutations, n_permutations), dtype=np.int32)
        observed = np.empty(len(elements), dtype=np.int64)
        count_ranks(columns, order, counts, observed)
        return counts, observed


def rank_p_values(null: NullStatistics, workers: Workers) -> tuple[np.ndarray, np.ndarray]:
    """Return p-values by the rank of each statistic among all permutations.

    The p-value of an element in a draw is the share of draws in which its statistic is at least
    as large.

    Parameters
    ----------
    null : NullStatistics
        Statistics of the draws.

    workers : Workers
        How to spread the work.

    Returns
    -------
    counts : ndarray of int32 of shape (n_permutations, n_permutations)
        Entry ``(b, c - 1)`` is the number of elements in which draw ``b`` has the p-value
        ``c / n_permutations``.

    observed : ndarray of shape (n_elements,)
        P-values of the data as observed.
    """
    width = max(1, _MOST_IN_MEMORY // null.n_permutations)
    ranges = [
        range(start, min(start + width, null.n_elements))
        for start in range(0, null.n_elements, width)
    ]
    counts = np.zeros((null.n_permutations, null.n_permutations), dtype=np.int32)
    observed = []
    for part, of_observed in workers.run("Elements", _RankTask(null), ranges):
        counts += part
        observed.append(of_observed)
    return counts, np.concatenate(observed) / null.n_permutations


def pivots_by_rank(counts: np.ndarray, template: Template) -> PivotalStatistics:
    """Return the pivotal statistics of all draws, with p-values by rank.

    Parameters
    ----------
    counts : ndarray of int of shape (n_permutations, n_permutations)
        From :func:`rank_p_values`.

    template : Template
        The template.

    Returns
    -------
    pivots : PivotalStatistics
        Pivotal statistics.
    """
    return pivots_of_counts(counts, np.arange(1, len(counts) + 1) / len(counts), template)
