"""Statistics of all elements under resampling, a block of permutations at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property

import numpy as np

from ari_estimator.resampling._contrast import Contrast
from ari_estimator.resampling._scheme import Scheme
from ari_estimator.resampling._tails import CorrelationTail
from ari_estimator.resampling._threads import one_thread

# Permutations per matrix product. Products are always of the same blocks, so that results do not
# depend on how blocks are dealt out to processes.
BLOCK = 25

# Elements per step where work is in double precision: what a processor's cache holds.
_STRIDE = 4096

_SINGLE_ROUNDING = 2.0**-24

# Sums of squares of residuals, relative to the data, that are rounding alone.
_CONSTANT = (64 * np.finfo(float).eps) ** 2

# Those that may be: the others are not touched.
_SMALL = float(np.finfo(float).eps)


class NullStatistics(ABC):
    """Partial correlations of a contrast, under resampling.

    Draw 0 is the data as observed. Correlations come in single precision, many at a time;
    any draw can be had in double precision too.

    Attributes
    ----------
    n_permutations : int
        Number of draws.

    n_elements : int
        Number of elements.

    tail : CorrelationTail
        P-values of the correlations.

    error : float
        Bound on the rounding error of a correlation in single precision.

    is_constant : ndarray of bool of shape (n_elements,)
        Elements without residuals: their t would be infinite, or 0 / 0. It is set to 0,
        here and in all draws.

    See Also
    --------
    LinearModelStatistics : Of data that are in memory.
    StreamedSignStatistics : Of more subjects than fit in memory.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.resampling import SubjectSums, sign_statistics
    >>> rng = np.random.default_rng(0)
    >>> sums = SubjectSums.of(rng.standard_normal((12, 500)), n_groups=256)
    >>> statistics = sign_statistics(sums, 100, rng, two_sided=False)
    >>> statistics.block(0, 25).shape, statistics.observed_p_values.shape
    ((25, 500), (500,))
    """

    n_permutations: int
    n_elements: int
    tail: CorrelationTail
    error: float
    is_constant: np.ndarray

    @abstractmethod
    def block(self, start: int, stop: int) -> np.ndarray:
        """Return correlations of some draws.

        Parameters
        ----------
        start, stop : int
            Which draws; ``start`` is a multiple of ``BLOCK``, and there are at most as many.

        Returns
        -------
        correlations : ndarray of float32 of shape (stop - start, n_elements)
            Never NaN.
        """

    @abstractmethod
    def exact_t(self, draw: int) -> np.ndarray:
        """Return the t values of a draw.

        Parameters
        ----------
        draw : int
            Number of the draw.

        Returns
        -------
        t : ndarray of float64 of shape (n_elements,)
            Never NaN.
        """

    @abstractmethod
    def of_elements(self, elements: slice) -> np.ndarray:
        """Return correlations of some elements in all draws, in double precision.

        Parameters
        ----------
        elements : slice
            Which elements.

        Returns
        -------
        correlations : ndarray of float64 of shape (n_permutations, n)
            Those that are equal in theory may differ by rounding errors.
        """

    @abstractmethod
    def select(self, keep: np.ndarray) -> NullStatistics:
        """Return the statistics of some elements, of the same draws.

        Parameters
        ----------
        keep : ndarray of bool of shape (n_elements,)
            Which elements.

        Returns
        -------
        statistics : NullStatistics
            Theirs.
        """

    def exact_p_values(self, draw: int) -> np.ndarray:
        """Return the p-values of a draw.

        Parameters
        ----------
        draw : int
            Number of the draw.

        Returns
        -------
        p_values : ndarray of float64 of shape (n_elements,)
            1 where the data are constant.
        """
        return np.where(self.is_constant, 1, self.tail.of_t(self.exact_t(draw)))

    def exact_correlations(self, draw: int) -> np.ndarray:
        """Return the correlations of a draw.

        Parameters
        ----------
        draw : int
            Number of the draw.

        Returns
        -------
        correlations : ndarray of float64 of shape (n_elements,)
            In double precision.
        """
        return _correlation(self.exact_t(draw), self.tail.df)

    @cached_property
    def observed_p_values(self) -> np.ndarray:
        """P-values of the data as observed, of shape (n_elements,)."""
        return self.exact_p_values(0)


class LinearModelStatistics(NullStatistics):
    """Statistics under resampling of data that are in memory.

    Parameters
    ----------
    data : ndarray of shape (n_subjects, n_elements)
        Finite; float32 or float64.

    contrast : Contrast
        What is tested.

    scheme : Scheme
        How residuals are resampled.

    draws : ndarray of shape (n_permutations, n_subjects)
        Draws of the scheme.

    two_sided : bool
        Whether deviations in both directions count.

    Notes
    -----
    With resampled residuals ``e``, orthonormal nuisance ``z_k`` and the contrast's direction
    ``x``, the partial correlation is

        r = x'e / sqrt(e'e - sum_k (z_k'e)^2).

    Products with nuisance that resampling leaves at 0 are left out, and ``e'e`` is computed
    anew only where it changes. By Cauchy and Schwarz a product of n terms in single precision
    is off by no more than ``d |e|`` with ``d = (n + 3) 2^-24``, and what is below the root, with
    q products, by ``(1 + 2 sqrt(q)) d e'e``. Where nuisance explains most of ``e``, that is
    much of what is left: there, double precision is used at once.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.resampling import LinearModelStatistics, SignFlipping, find_contrast
    >>> rng = np.random.default_rng(0)
    >>> data, scheme = rng.standard_normal((12, 500)), SignFlipping(12, None)
    >>> contrast, draws = find_contrast(np.ones((12, 1)), [1]), scheme.draws(100, rng)
    >>> statistics = LinearModelStatistics(data, contrast, scheme, draws, two_sided=False)
    >>> t = data.mean(axis=0) / (data.std(axis=0, ddof=1) / 12**0.5)
    >>> bool(np.allclose(statistics.exact_t(0), t))
    True
    """

    def __init__(
        self,
        data: np.ndarray,
        contrast: Contrast,
        scheme: Scheme,
        draws: np.ndarray,
        two_sided: bool,
    ) -> None:
        self._data = data
        self._contrast = contrast
        self._scheme = scheme
        self._draws = draws
        self.n_permutations = len(draws)
        self.n_elements = data.shape[1]
        self.tail = CorrelationTail(contrast.df, two_sided)
        self._varying = scheme.varying_nuisance(contrast)
        n_subjects, n_varying = self._varying.shape
        n_roundings = 2 + 4 * n_varying**0.5 + 2 * (not scheme.keeps_norm)
        self.error = n_roundings * (n_subjects + n_varying + 4) * _SINGLE_ROUNDING
        self._scaled = np.empty(data.shape, dtype=np.float32)
        self._norms = np.empty(self.n_elements)
        self._observed = np.empty(self.n_elements)
        self.is_constant = np.empty(self.n_elements, dtype=bool)
        with one_thread():
            for elements in self._strides():
                self._scale(elements)
        self._squares = None if scheme.keeps_norm else self._scaled**2

    def _scale(self, elements: slice) -> None:
        """Compute the statistics of some elements as observed, and scale their residuals."""
        observed, is_constant = self._t(self._double(elements))
        residuals = self._residuals(elements)
        norms = np.sqrt(np.einsum("ij,ij->j", residuals, residuals))
        norms[is_constant] = np.inf
        self._norms[elements] = norms
        np.divide(residuals, norms, out=self._scaled[:, elements], casting="same_kind")
        self._observed[elements] = np.where(is_constant, 0, observed)
        self.is_constant[elements] = is_constant

    def _strides(self) -> Iterator[slice]:
        for start in range(0, self.n_elements, _STRIDE):
            yield slice(start, min(start + _STRIDE, self.n_elements))

    def _double(self, elements: slice | np.ndarray) -> np.ndarray:
        return self._data[:, elements].astype(float, copy=False)

    def _residuals(self, elements: slice | np.ndarray) -> np.ndarray:
        return self._scheme.residuals(self._contrast, self._double(elements))

    def _t(self, data: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return t values of data, and where there are no residuals to compute them from."""
        residuals = self._contrast.without_design(data)
        squares = np.einsum("ij,ij->j", residuals, residuals)
        effects = self._contrast.direction @ data
        scale = len(data) * np.abs(data).max(axis=0) ** 2
        rounding = _CONSTANT * scale
        # Rounding of sums over many subjects leaves something of the design; not so twice.
        small = np.flatnonzero(squares <= _SMALL * scale)
        residuals = self._contrast.without_design(residuals[:, small])
        squares[small] = np.einsum("ij,ij->j", residuals, residuals)
        is_constant = squares <= rounding
        squares[is_constant] = 0
        effects[effects**2 <= rounding] = 0
        with np.errstate(divide="ignore", invalid="ignore"):
            t = effects / np.sqrt(squares / self._contrast.df)
        t[np.isnan(t)] = 0
        return t, is_constant

    def _resampled_t(self, draw: int, elements: slice | np.ndarray) -> np.ndarray:
        resampled = self._scheme.resample(self._draws[draw], self._residuals(elements))
        return np.where(self.is_constant[elements], 0, self._t(resampled)[0])

    def block(self, start: int, stop: int) -> np.ndarray:
        """Return correlations of some draws, see the base class."""
        return self._correlations(slice(start, stop), slice(None), self._scaled, self._squares)

    def of_elements(self, elements: slice) -> np.ndarray:
        """Return correlations of some elements, see the base class."""
        scaled = self._residuals(elements) / self._norms[elements]
        squares = None if self._scheme.keeps_norm else scaled**2
        return self._correlations(slice(None), elements, scaled, squares)

    def _correlations(
        self, chosen: slice, elements: slice, scaled: np.ndarray, squares: np.ndarray | None
    ) -> np.ndarray:
        """Return correlations of draws and elements, in the precision of scaled residuals."""
        draws, weights_of = self._draws[chosen], self._scheme.weights
        weights = weights_of(draws, self._contrast.direction).astype(scaled.dtype)
        correlations = weights @ scaled
        total = np.ones((), dtype=scaled.dtype)
        if squares is not None:
            total = weights_of(draws, np.ones(draws.shape[1])).astype(scaled.dtype) @ squares
        remaining = total
        for vector in self._varying.T:
            explained = weights_of(draws, vector).astype(scaled.dtype) @ scaled
            remaining = remaining - explained * explained
        if remaining.ndim:
            # Below the smallest squares of single precision there are no digits left, either.
            least = total / (3 if scaled.dtype == np.float32 else 1000)
            is_accurate = remaining > np.maximum(least, 1e-30)
            np.sqrt(remaining, out=remaining, where=is_accurate)
            np.divide(correlations, remaining, out=correlations, where=is_accurate)
            is_constant = self.is_constant[elements]
            self._mend(correlations, ~(is_accurate | is_constant), chosen, elements)
        if chosen.start in (None, 0) and not self._scheme.keeps_norm:
            # Residuals of the whole model, as they are, have no effect.
            correlations[0] = _correlation(self._observed[elements], self._contrast.df)
        return correlations

    def _mend(
        self, correlations: np.ndarray, inaccurate: np.ndarray, chosen: slice, elements: slice
    ) -> None:
        """Compute inaccurate correlations in double precision, from the data."""
        numbers = np.arange(self.n_elements)[elements]
        for row, draw in enumerate(range(self.n_permutations)[chosen]):
            columns = np.flatnonzero(inaccurate[row])
            for start in range(0, columns.size, _STRIDE):
                part = columns[start : start + _STRIDE]
                t = self._resampled_t(draw, numbers[part])
                correlations[row, part] = _correlation(t, self._contrast.df)

    def exact_t(self, draw: int) -> np.ndarray:
        """Return the t values of a draw, see the base class."""
        if draw == 0:
            return self._observed.copy()
        t = np.empty(self.n_elements)
        with one_thread():
            for elements in self._strides():
                t[elements] = self._resampled_t(draw, elements)
        return t

    def select(self, keep: np.ndarray) -> LinearModelStatistics:
        """Return the statistics of some elements, see the base class."""
        return LinearModelStatistics(
            self._data[:, keep], self._contrast, self._scheme, self._draws, self.tail.two_sided
        )


def _correlation(t: np.ndarray, df: int) -> np.ndarray:
    """Return the partial correlations of t values, -1 and 1 if they are infinite."""
    with np.errstate(divide="ignore", over="ignore"):
        return np.sign(t) / np.sqrt(1 + df / t**2)
