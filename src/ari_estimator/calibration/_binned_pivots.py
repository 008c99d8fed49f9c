"""Pivotal statistics of many permutations, without sorting all of their statistics.

The statistics of one permutation have p-values ``p_(1) <= p_(2) <= ...``. The inverse of the
template turns the k-th of them into a number. The pivotal statistic of the permutation is the
smallest of these numbers over all k.

To find the smallest number, few of the statistics have to be sorted:

1. All statistics are counted in bins, from large statistics (small p-values) to small ones.
2. The counts tell which ranks k lie in each bin. The edges of a bin tell which p-values lie in it.
   The inverse falls with k and grows with p. So each bin has a lower bound and an upper bound for
   the numbers in it.
3. A bin whose lower bound is above the upper bound of another bin cannot hold the smallest number.
   Groups of bins are compared first, then the bins of the groups that are left.
4. The bins that are left hold few statistics. These are sorted, and their p-values are
   interpolated. If interpolated p-values are too close to tell which number is the smallest, the
   p-values are computed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ari_estimator.calibration._log_table import LogTable
from ari_estimator.closed_testing._pivotal_statistics import PivotalStatistics
from ari_estimator.closed_testing._template import ROUNDING_OF_P, Template
from ari_estimator.resampling import Tail

# Bins per group, from coarse to fine.
_GROUPS = (128, 16, 1)
_MOST_BINS = 8192

# A statistic in the range of the open bins takes so many times longer than one outside of it.
_TIMES_LONGER = 5

# Added to the relative error of p-values, so that upper bounds hold for raised p-values, too.
_RAISED = 2 * (ROUNDING_OF_P - 1)

# Most statistics of a permutation to sort where rounding leaves their order open.
_MOST_COLLECTED = 5000


class PivotBounds(NamedTuple):
    """Pivotal statistics of permutations, and how far rounding may have moved them.

    Statistics may come with rounding errors, since they are computed in single precision. Without
    these errors each pivotal statistic would be a number between ``low`` and ``high``.

    Attributes
    ----------
    low : ndarray of shape (n_permutations,)
        Lower bounds on the pivotal statistics without rounding errors.

    value : ndarray of shape (n_permutations,)
        The pivotal statistics of the statistics as they are.

    high : ndarray of shape (n_permutations,)
        Upper bounds on the pivotal statistics without rounding errors.

    is_coarse : ndarray of bool of shape (n_permutations,)
        Whether only the edges of bins give the bounds, because too many statistics need sorting.

    raised : ndarray of shape (n_permutations,)
        The pivotal statistics after p-values are raised by as much as rounding may take away, see
        :meth:`Template.raised_inverse`. They are not above ``high``.
    """

    low: np.ndarray
    value: np.ndarray
    high: np.ndarray
    is_coarse: np.ndarray
    raised: np.ndarray


def _n_in_range(wanted: np.ndarray, counts: np.ndarray, ranks: np.ndarray) -> int:
    """Return the number of statistics from the first to the last wanted bin, of all rows."""
    rows = np.arange(len(wanted))
    first = wanted.argmax(axis=1)
    last = wanted.shape[1] - 1 - wanted[:, ::-1].argmax(axis=1)
    return int((ranks[rows, last] - ranks[rows, first] + counts[rows, first]).sum())


class _OpenBins(NamedTuple):
    """Bins that can hold the pivotal statistic of each permutation, and bounds on it."""

    wanted: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray
    is_bounded: np.ndarray


class StatisticBins:
    """Bins of statistics, from large to small.

    Parameters
    ----------
    tail : Tail
        Returns the p-values of an array of statistics. They fall as statistics grow, or as absolute
        values do.

    error, relative_error : float
        Bound on the rounding errors: a statistic s is off by no more than
        ``error + relative_error * abs(s)``.

    sorts_all : bool, default=False
        Whether to sort all statistics whose order rounding leaves open, even if there are many.

    n_bins : int, default=8192
        Number of bins, a multiple of 128. Results do not depend on it. A good number is a
        sixteenth of the number of statistics of a permutation, up to the default.
    """

    def __init__(
        self,
        tail: Tail,
        *,
        error: float,
        relative_error: float = 0.0,
        sorts_all: bool = False,
        n_bins: int = _MOST_BINS,
    ) -> None:
        self._is_absolute = tail.is_absolute
        self._n_bins = n_bins
        self._most = math.inf if sorts_all or error == 0 else _MOST_COLLECTED
        self._tail = tail
        top, bottom = tail.highest, tail.lowest
        self._top = np.float32(top)
        self._scale = np.float32(n_bins / (top - bottom))
        # The first bin also takes all larger statistics, and the last all smaller ones.
        edges = np.linspace(top, bottom, n_bins + 1)
        # The edges of the bins have rounding errors of a few units in the last place.
        self._error = error + max(1.0, top) * 2.0**-20
        self._relative_error = relative_error
        off = self._error + relative_error * np.abs(edges)
        middle = (edges[1:] + edges[:-1]) / 2
        points = [edges, edges + off, edges - off, middle]
        p_values = self._p_values(np.concatenate(points))
        at_edges, above, below, at_middle = np.split(p_values, np.cumsum([edges.size] * 3))
        self._smallest_p = above[:-1].copy()
        self._smallest_p[0] = 0
        self._largest_p = np.minimum(below[1:] * ROUNDING_OF_P, 1)
        self._largest_p[-1] = 1
        self._table = LogTable(edges, at_edges, above, below, at_middle)

    def _p_values(self, statistics: np.ndarray) -> np.ndarray:
        # Rounding does not turn a statistic near 0 into one that is far from it.
        return self._tail(np.maximum(statistics, 0) if self._is_absolute else statistics)

    def _count(self, statistics: np.ndarray) -> np.ndarray:
        from ari_estimator.calibration._binned_pivots_kernels import count_in_bins

        counts = np.zeros((len(statistics), self._n_bins), dtype=np.int32)
        count_in_bins(statistics, self._is_absolute, self._top, self._scale, counts)
        return counts

    def _collect(
        self, statistics: np.ndarray, counts: np.ndarray, wanted: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the statistics in the wanted bins, sorted down in each row, and row starts."""
        from ari_estimator.calibration._binned_pivots_kernels import collect_from_bins

        starts = np.concatenate([[0], np.cumsum((counts * wanted).sum(axis=1))])
        collected = np.empty(starts[-1], dtype=statistics.dtype)
        collect_from_bins(
            statistics, self._is_absolute, self._top, self._scale, wanted, starts, collected
        )
        np.negative(collected, out=collected)
        for start, stop in pairwise(starts):
            collected[start:stop].sort()
        return np.negative(collected, out=collected), starts

    def pivots(self, statistics: np.ndarray, template: Template) -> PivotBounds:
        """Return the pivotal statistics of permutations.

        Parameters
        ----------
        statistics : ndarray of float32 or float64 of shape (n_permutations, n_elements)
            Finite statistics.

        template : Template
            The template. It may have more elements than there are statistics, if some elements
            are excluded.

        Returns
        -------
        pivots : PivotBounds
            Pivotal statistics and bounds.
        """
        return self.pivots_of_each(statistics, [template])[0]

    def pivots_of_each(
        self, statistics: np.ndarray, templates: Sequence[Template]
    ) -> list[PivotBounds]:
        """Return the pivotal statistics of permutations by several templates.

        Parameters
        ----------
        statistics
            As for :meth:`pivots`.

        templates : sequence of Template
            The templates. The statistics are counted and sorted once for all.

        Returns
        -------
        pivots : list of PivotBounds
            Pivotal statistics and bounds by each template.
        """
        return [bounds for bounds, _, _ in self._pivots(statistics, templates)]

    def may_decide(self, statistics: np.ndarray, template: Template) -> np.ndarray:
        """Return which statistics the pivotal statistics depend on, for all that rounding allows.

        Parameters
        ----------
        statistics, template
            As for :meth:`pivots`. The bins must sort all statistics.

        Returns
        -------
        may_decide : ndarray of bool of shape (n_permutations, n_elements)
            If only these statistics are replaced by exact ones, the pivotal statistics are exact.
        """
        ((_, deciding, starts),) = self._pivots(statistics, [template])
        mask = np.zeros(statistics.shape, dtype=bool)
        for in_row, row, start, stop in zip(mask, statistics, starts, starts[1:], strict=False):
            # From small to large.
            places = deciding[start:stop][::-1]
            sizes = np.abs(row) if self._is_absolute else row
            # The deciding statistic and any other one may both be off.
            reach = 2 * (self._error + self._relative_error * np.abs(sizes).max())
            near = np.flatnonzero(sizes >= places[0] - reach)
            above = np.searchsorted(places, sizes[near])
            to_lower = sizes[near] - places[np.maximum(above - 1, 0)]
            to_higher = places[np.minimum(above, places.size - 1)] - sizes[near]
            # Beyond an end of the places, one of the distances is negative.
            distances = np.where(to_higher < 0, to_lower, np.minimum(np.abs(to_lower), to_higher))
            in_row[near] = distances <= reach
        return mask

    def _pivots(
        self, statistics: np.ndarray, templates: Sequence[Template]
    ) -> list[tuple[PivotBounds, np.ndarray, np.ndarray]]:
        """Return pivotal statistics, the statistics that may decide, and their row starts."""
        counts = self._count(statistics)
        ranks = np.cumsum(counts, axis=1)
        each = []
        for template in templates:
            wanted, lowest, highest = self._find_bins(counts, ranks, template)
            # If rounding errors leave too many bins open, their bounds are enough. The statistics
            # are computed again if the pivotal statistic may decide.
            is_bounded = (counts * wanted).sum(axis=1) > self._most
            wanted[is_bounded] &= np.cumsum(wanted[is_bounded], axis=1) == 1
            each.append(_OpenBins(wanted, lowest, highest, is_bounded))
        if len(each) == 1:
            collected = [self._collect(statistics, counts, each[0].wanted)[0]]
        else:
            collected = self._collect_each(statistics, counts, ranks, each)
        found = []
        for template, open_bins, values in zip(templates, each, collected, strict=True):
            wanted, lowest, highest, is_bounded = open_bins
            starts = np.concatenate([[0], np.cumsum((counts * wanted).sum(axis=1))])
            row, column = np.nonzero(wanted)
            sizes = counts[row, column]
            # Ranks within a bin follow the ranks in all bins above.
            before = ranks[row, column] - np.cumsum(sizes)
            rank = np.repeat(before, sizes) + np.arange(1, values.size + 1)
            # All ranks beyond the last threshold are in the last bin of a row.
            is_ranked = rank <= template.k_max
            bins = np.repeat(column, sizes)[is_ranked]
            values, rank = values[is_ranked], rank[is_ranked]
            starts = np.concatenate([[0], np.cumsum(is_ranked)])[starts[:-1]]
            # Sorted values move by no more than the largest single error, so the ranks stay valid.
            p, reach, rounding = self._table(values, bins)
            reach += _RAISED
            smallest, largest = self._smallest_p[bins], self._largest_p[bins]
            # One call computes four inverses of the same ranks.
            p_bounds = np.empty((4, p.size))
            for i, off in enumerate((reach + rounding, reach)):
                np.maximum(p * (1 - off), smallest, out=p_bounds[2 * i])
                np.minimum(p * (1 + off), largest, out=p_bounds[2 * i + 1])
            inverses = template.inverse(rank, p_bounds)
            # A p-value that may be above 1 after it is raised may have no upper bound.
            inverses[1::2][p_bounds[1::2] >= 1] = np.inf
            lower, upper = inverses[2:]
            low, high = np.minimum.reduceat(inverses[:2], starts, axis=1)
            sizes_of_rows = np.diff([*starts, values.size])
            may_decide = np.flatnonzero(inverses[0] <= np.repeat(high, sizes_of_rows))
            ends_of_rows = np.searchsorted(may_decide, np.append(starts, values.size))
            best = np.minimum.reduceat(upper, starts)
            close = np.flatnonzero(lower <= np.repeat(best, sizes_of_rows))
            exact = values[close].astype(float)
            if self._is_absolute:
                # Rounding does not turn a statistic near 0 into one that is far from it.
                exact = np.maximum(exact, 0)
            # P-values as they are, and raised by as much as rounding may take away.
            both = np.multiply.outer([1.0, ROUNDING_OF_P], self._tail(exact))
            inverses = template.inverse(rank[close], np.minimum(both, 1))
            inverses = np.where(both > 1, np.inf, inverses)
            starts = np.searchsorted(close, starts)
            value, raised = np.minimum.reduceat(inverses, starts, axis=1)
            raised = np.maximum(raised, value)
            low = np.where(is_bounded, lowest, low)
            high = np.where(is_bounded, highest, high)
            value = np.where(is_bounded, np.clip(value, lowest, highest), value)
            raised = np.where(is_bounded, np.clip(raised, value, highest), raised)
            bounds = PivotBounds(
                np.minimum(low, value), value, np.maximum(high, raised), is_bounded, raised
            )
            found.append((bounds, values[may_decide], ends_of_rows))
        return found

    def _collect_each(
        self,
        statistics: np.ndarray,
        counts: np.ndarray,
        ranks: np.ndarray,
        each: Sequence[_OpenBins],
    ) -> list[np.ndarray]:
        """Return the statistics in the open bins of each template, sorted down in each row."""
        masks = [one.wanted for one in each]
        union = np.any(masks, axis=0)
        # Statistics between the open bins of templates that lie far apart would take longer than
        # another search of the statistics that are not between them.
        between = _n_in_range(union, counts, ranks)
        between -= sum(_n_in_range(mask, counts, ranks) for mask in masks)
        if _TIMES_LONGER * between < (len(masks) - 1) * statistics.size:
            values, _ = self._collect(statistics, counts, union)
            row, column = np.nonzero(union)
            sizes = counts[row, column]
            return [values[np.repeat(mask[row, column], sizes)] for mask in masks]
        return [self._collect(statistics, counts, mask)[0] for mask in masks]

    def _find_bins(
        self, counts: np.ndarray, ranks: np.ndarray, template: Template
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return which bins can hold the minimum, and bounds on the minimum of each row.

        The bins are a mask of the shape of the counts.
        """
        n_rows = len(counts)
        lowest = np.full(n_rows, np.inf)
        row = np.repeat(np.arange(n_rows), self._n_bins // _GROUPS[0])
        first = np.tile(np.arange(0, self._n_bins, _GROUPS[0]), n_rows)
        for size, next_size in zip(_GROUPS, (*_GROUPS[1:], 1), strict=True):
            last = first + size - 1
            n_above = ranks[row, first] - counts[row, first]
            n_up_to = ranks[row, last]
            # Nonempty groups for which the template has a threshold.
            counted = np.flatnonzero((n_up_to > n_above) & (n_above < template.k_max))
            row, first, last = row[counted], first[counted], last[counted]
            rank = np.minimum(n_up_to[counted], template.k_max)
            p_bounds = np.stack([self._largest_p[last], self._smallest_p[first]])
            upper, lower = template.inverse(rank, p_bounds)
            upper[p_bounds[0] >= 1] = np.inf
            # No row is empty: it has its highest statistics, or bins that were open before.
            starts = np.searchsorted(row, np.arange(n_rows))
            lowest = np.minimum(lowest, np.minimum.reduceat(upper, starts))
            open_ = lower <= lowest[row]
            row, first, lower = row[open_], first[open_], lower[open_]
            if size > 1:
                row = np.repeat(row, size // next_size)
                first = (first[:, np.newaxis] + np.arange(0, size, next_size)).ravel()
        wanted = np.zeros(counts.shape, dtype=bool)
        wanted[row, first] = True
        least = np.minimum.reduceat(lower, np.searchsorted(row, np.arange(n_rows)))
        return wanted, least, lowest

    def smallest_p_values(self, statistics: np.ndarray, n_smallest: int) -> np.ndarray:
        """Return the smallest p-values of permutations.

        Parameters
        ----------
        statistics : ndarray of float32 or float64 of shape (n_permutations, n_elements)
            Finite statistics.

        n_smallest : int
            Number of p-values of each permutation, at most ``n_elements``.

        Returns
        -------
        p_values : ndarray of shape (n_permutations, n_smallest)
            In ascending order.
        """
        counts = self._count(statistics)
        wanted = np.cumsum(counts, axis=1) - counts < n_smallest
        values, starts = self._collect(statistics, counts, wanted)
        smallest = values[starts[:-1, np.newaxis] + np.arange(n_smallest)]
        return self._p_values(smallest.astype(float))


def bins_for(n_statistics: int) -> int:
    """Return a good number of bins for this number of statistics."""
    return min(_MOST_BINS, 128 * math.ceil(n_statistics / (16 * 128)))


def pivots_of_counts(
    counts: np.ndarray, p_values: np.ndarray, template: Template
) -> PivotalStatistics:
    """Return pivotal statistics of permutations from counts of their p-values.

    Parameters
    ----------
    counts : ndarray of int of shape (n_permutations, n_values)
        How often each value occurs in each draw.

    p_values : ndarray of shape (n_values,)
        The values, in ascending order.

    template : Template
        The template.

    Returns
    -------
    pivots : PivotalStatistics
        Pivotal statistics.
    """
    pivots = PivotalStatistics(np.empty(len(counts)), np.empty(len(counts)))
    for i, in_row in enumerate(counts):
        ranks = np.cumsum(in_row)
        # The last of equal p-values has the lowest inverse.
        occurs = np.flatnonzero((in_row > 0) & (ranks - in_row < template.k_max))
        last = np.minimum(ranks[occurs], template.k_max)
        pivots.values[i] = template.inverse(last, p_values[occurs]).min()
        raised = template.raised_inverse(last, p_values[occurs]).min()
        pivots.raised[i] = max(raised, pivots.values[i])
    return pivots
