"""Statistics of all elements under resampling, a block of permutations at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

from ari_estimator.resampling._model_statistic import Observed
from ari_estimator.resampling._tails import Tail

# Permutations per matrix product. Wide products are faster, up to about this many rows.
_FEWEST, _MOST = 50, 100

# Statistics of a block of more than the fewest permutations, 64 MB.
_NUMBERS = 2**24


def draws_per_block(n_elements: int) -> int:
    """Return the number of permutations in a block.

    Parameters
    ----------
    n_elements : int
        Number of elements.

    Returns
    -------
    n_draws : int
        Number of permutations. It depends on nothing else, so results do not depend on the
        distribution of blocks over processes.
    """
    return min(_MOST, max(_FEWEST, _NUMBERS // max(n_elements, 1)))


class NullStatistics(ABC):
    """Statistics of a contrast, under resampling.

    Draw 0 is the data as observed. Statistics are on a scale on which all elements have the same
    tail: correlations for t and F. They come in single precision, many at a time. Any draw is also
    available in double precision.

    Attributes
    ----------
    n_permutations : int
        Number of draws.

    n_elements : int
        Number of elements.

    tail : Tail
        P-values of the statistics.

    error, relative_error : float
        Bound on the rounding error in single precision: a statistic s is off by no more than
        ``error + relative_error * abs(s)``.

    observed : Observed
        The data as observed: t, F, v or G, and degrees of freedom.

    is_constant : ndarray of bool of shape (n_elements,)
        Elements without residuals: their statistic would be infinite, or 0 / 0. It is set to 0,
        here and in all draws.

    See Also
    --------
    LinearModelStatistics : For data that are in memory.
    StreamedSignStatistics : For more subjects than fit in memory.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.resampling import SubjectSums, sign_statistics
    >>> rng = np.random.default_rng(0)
    >>> sums = SubjectSums.of(rng.standard_normal((12, 500)), n_groups=256)
    >>> statistics = sign_statistics(sums, 100, rng, two_sided=False)
    >>> statistics.block(0, 50).shape, statistics.observed_p_values.shape
    ((50, 500), (500,))
    """

    n_permutations: int
    n_elements: int
    tail: Tail
    error: float
    relative_error: float = 0.0
    observed: Observed
    is_constant: np.ndarray

    def blocks(self, draws: range) -> Iterator[np.ndarray]:
        """Yield the statistics of draws, a block at a time.

        Parameters
        ----------
        draws : range
            Draws in whole blocks. Only the last block of all draws may have fewer.

        Yields
        ------
        statistics : ndarray of float32 of shape (n_draws, n_elements)
            Statistics of the next draws. The block after them uses this memory again.
        """
        step = draws_per_block(self.n_elements)
        memory = np.empty((min(step, len(draws)), self.n_elements), dtype=np.float32)
        for start in range(draws.start, draws.stop, step):
            yield self.block(start, min(start + step, draws.stop), memory)

    @abstractmethod
    def block(self, start: int, stop: int, out: np.ndarray | None = None) -> np.ndarray:
        """Return statistics of some draws.

        Parameters
        ----------
        start, stop : int
            First draw and end of the range of draws. Products of other sizes may differ in the
            last bit, so calibration asks for the ranges of :meth:`blocks` only.

        out : ndarray of float32 of shape (n_draws, n_elements) or None, default=None
            Memory for the statistics of these draws or more. Touching new memory takes about as
            long as computing them.

        Returns
        -------
        statistics : ndarray of float32 of shape (stop - start, n_elements)
            The statistics, never NaN.
        """

    @abstractmethod
    def exact(self, draws: np.ndarray, lowest: np.ndarray | None = None) -> np.ndarray:
        """Return statistics of some draws in double precision.

        Parameters
        ----------
        draws : ndarray of int of shape (n_draws,)
            Numbers of the draws.

        lowest : ndarray of shape (n_draws,) or None, default=None
            Statistics below this number may have the error of single precision. If the tail is
            absolute, so may statistics with a smaller absolute value. None: no statistics may.

        Returns
        -------
        statistics : ndarray of float64 of shape (n_draws, n_elements)
            The statistics, never NaN.
        """

    def exact_where(self, draws: np.ndarray, single: np.ndarray, where: np.ndarray) -> np.ndarray:
        """Return statistics of some draws, some of them in double precision.

        Parameters
        ----------
        draws : ndarray of int of shape (n_draws,)
            Numbers of the draws.

        single : ndarray of shape (n_draws, n_elements)
            Statistics with the error of single precision.

        where : ndarray of bool of shape (n_draws, n_elements)
            Which of them to compute in double precision; others may be, too.

        Returns
        -------
        statistics : ndarray of float64 of shape (n_draws, n_elements)
            The statistics, never NaN.
        """
        sizes = np.abs(single) if self.tail.is_absolute else single
        return self.exact(draws, np.where(where, sizes, np.inf).min(axis=1))

    @abstractmethod
    def of_elements(self, elements: slice) -> np.ndarray:
        """Return statistics of some elements in all draws, in double precision.

        Parameters
        ----------
        elements : slice
            The elements.

        Returns
        -------
        statistics : ndarray of float64 of shape (n_permutations, n)
            The statistics. Statistics that are equal in theory may differ by rounding errors.
        """

    @abstractmethod
    def select(self, keep: np.ndarray) -> NullStatistics:
        """Return the statistics of some elements, with the same draws.

        Parameters
        ----------
        keep : ndarray of bool of shape (n_elements,)
            The elements.

        Returns
        -------
        statistics : NullStatistics
            Their statistics.
        """

    @property
    @abstractmethod
    def observed_p_values(self) -> np.ndarray:
        """P-values of the data as observed, of shape (n_elements,)."""
