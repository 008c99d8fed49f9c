"""Statistics under resampling of data that are in memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property

import numpy as np

from ari_estimator.resampling._model_statistic import ModelStatistic, Observed
from ari_estimator.resampling._null_statistics import NullStatistics
from ari_estimator.resampling._rows import nan_places
from ari_estimator.resampling._scheme import Scheme
from ari_estimator.resampling._shared_residuals import NullResiduals
from ari_estimator.resampling._threads import one_thread

# Numbers per step in double precision, for all subjects. They fit in the nearest large cache of a
# processor. In single precision a step has as many elements, or more with few subjects.
_IN_CACHE = 2**16
_STRIDE = 4096

# From this many statistics in double precision on, each draw has its own elements.
_MANY = 100_000


class LinearModelStatistics(NullStatistics):
    """Statistics under resampling of data that are in memory.

    Parameters
    ----------
    data : ndarray of shape (n_subjects, n_elements)
        The data, finite, float32 or float64.

    statistic : ModelStatistic
        The statistic of a contrast.

    scheme : Scheme
        How residuals are resampled.

    draws : ndarray of shape (n_permutations, n_subjects)
        Draws of the scheme.

    null_residuals : NullResiduals or None, default=None
        Scaled residuals of the null model of the same data, which save memory if there are several
        contrasts. None makes a copy of the data in single precision.

    Notes
    -----
    A statistic is made from products of a few vectors with resampled residuals. All products of a
    block of draws are the rows of one matrix product with the residuals, for a few thousand
    elements at a time. It is in single precision. Where this leaves too few digits, the statistic
    is computed from the resampled data in double precision.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.resampling import (
    ...     Exchangeability, LinearModelStatistics, PartialCorrelation, SignFlipping, find_contrast)
    >>> rng = np.random.default_rng(0)
    >>> data, scheme = rng.standard_normal((12, 500)), SignFlipping(Exchangeability.of(None, 12))
    >>> statistic = PartialCorrelation(find_contrast(np.ones((12, 1)), [1]), scheme, False)
    >>> null = LinearModelStatistics(data, statistic, scheme, scheme.draws(100, rng))
    >>> t = data.mean(axis=0) / (data.std(axis=0, ddof=1) / 12**0.5)
    >>> bool(np.allclose(null.observed.values, t))
    True
    """

    def __init__(
        self,
        data: np.ndarray,
        statistic: ModelStatistic,
        scheme: Scheme,
        draws: np.ndarray,
        null_residuals: NullResiduals | None = None,
    ) -> None:
        self._data = data
        self._statistic = statistic
        self._scheme = scheme
        self._draws = draws
        self.n_permutations = len(draws)
        self.n_elements = data.shape[1]
        self.tail = statistic.tail
        self.error, self.relative_error = statistic.error, statistic.relative_error
        self._keeps_squares = scheme.keeps_squares(statistic.groups)
        # Scaled residuals have norm 1, so it is not computed.
        n_groups = statistic.n_groups
        self._has_groups = n_groups > 1
        numbers = np.arange(n_groups)
        self._members = np.equal.outer(numbers, statistic.groups).astype(float)
        self._scaled: np.ndarray | None = None
        self._null = null_residuals
        if null_residuals is None:
            self._scaled = np.empty(data.shape, dtype=np.float32)
        else:
            # A few more roundings, and an error has room for one for each subject.
            self.error, self.relative_error = 2 * self.error, 2 * self.relative_error
        self._norms = np.empty(self.n_elements) if null_residuals is None else null_residuals.norms
        self._squares = np.ones((n_groups, 1), dtype=np.float32)
        if self._keeps_squares and self._has_groups:
            self._squares = np.empty((n_groups, self.n_elements), dtype=np.float32)
        self._stride_in_double = max(256, _IN_CACHE // len(data))
        with one_thread():
            strides = self._strides(self._stride_in_double)
            parts = [self._scale(part) for part in strides]
        self.observed = Observed(
            np.concatenate([part.values for part in parts]),
            np.concatenate([np.broadcast_to(p.df, p.values.shape) for p in parts])
            if np.ndim(parts[0].df)
            else parts[0].df,
            np.concatenate([part.is_constant for part in parts]),
        )
        self.is_constant = self.observed.is_constant
        self._has_constant = bool(self.is_constant.any())

    def _scale(self, elements: slice) -> Observed:
        """Return the statistics of some elements as observed, and scale their residuals."""
        data = self._double(elements)
        observed = self._statistic.of_data(data)
        needs_squares = self._keeps_squares and self._has_groups
        if self._null is not None and not needs_squares:
            self._norms[elements][observed.is_constant] = np.inf
            return observed.without_constant()
        residuals = self._scheme.residuals(self._statistic.contrast, data)
        norms = np.sqrt(np.einsum("ij,ij->j", residuals, residuals))
        norms[observed.is_constant] = np.inf
        self._norms[elements] = norms
        if self._scaled is not None:
            np.multiply(residuals, 1 / norms, out=self._scaled[:, elements], casting="same_kind")
        if needs_squares:
            np.multiply(residuals, residuals, out=residuals)
            self._squares[:, elements] = (self._members @ residuals) / norms**2
        return observed.without_constant()

    def _strides(self, length: int | None = None) -> Iterator[slice]:
        length = _STRIDE if length is None else length
        for first in range(0, self.n_elements, length):
            yield slice(first, min(first + length, self.n_elements))

    def _scaled_of(self, elements: slice, memory: np.ndarray) -> np.ndarray:
        """Return scaled residuals in single precision; shared ones are written to the memory."""
        if self._scaled is not None:
            return self._scaled[:, elements]
        assert self._null is not None
        return self._null.scaled(elements, memory)

    def _double(self, elements: slice | np.ndarray) -> np.ndarray:
        return self._data[:, elements].astype(float, copy=False)

    def _residuals(self, elements: slice | np.ndarray) -> np.ndarray:
        return self._scheme.residuals(self._statistic.contrast, self._double(elements))

    def block(self, start: int, stop: int, out: np.ndarray | None = None) -> np.ndarray:
        """Return statistics of some draws, see the base class."""
        return self._in_single(np.arange(start, stop), out)

    def _in_single(self, draws: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        statistics = np.empty((draws.size, self.n_elements), np.float32) if out is None else out
        statistics = statistics[: draws.size]
        weights = self._weights(draws, np.float32)
        # New memory takes about as long as a product, so it is used again.
        n_rows = [len(rows) for rows in weights if rows is not None] + [len(self._data)]
        memory = [np.empty((n, _STRIDE), np.float32) for n in n_rows]
        of_null = np.empty((len(self._data), 0 if self._null is None else _STRIDE), np.float32)
        inaccurate = []
        for elements in self._strides():
            squares = self._squares[:, np.newaxis, elements if self._has_groups else slice(None)]
            scaled = self._scaled_of(elements, of_null)
            out = statistics[:, elements]
            inaccurate.append(self._finish(draws, weights, elements, scaled, squares, out, memory))
        return self._mended(statistics, draws, np.arange(self.n_elements), inaccurate)

    def exact(self, draws: np.ndarray, lowest: np.ndarray | None = None) -> np.ndarray:
        """Return statistics of some draws in double precision, see the base class."""
        draws = np.asarray(draws)
        if lowest is None:
            return self._in_double(draws, np.arange(self.n_elements))
        # Products with few draws are so thin that a second thread only waits.
        with one_thread():
            single = self._in_single(draws)
        if np.isposinf(lowest).all():
            return single.astype(float)
        sizes = np.abs(single) if self.tail.is_absolute else single
        error = self.error + self.relative_error * np.abs(single).max()
        may_count = sizes >= (lowest - 2 * error)[:, np.newaxis]
        return self.exact_where(draws, single, may_count)

    def exact_where(self, draws: np.ndarray, single: np.ndarray, where: np.ndarray) -> np.ndarray:
        """Return statistics of some draws, some in double precision, see the base class."""
        statistics = single.astype(float)
        in_any = _at_least_four(where.any(axis=0))
        if draws.size * in_any.size < _MANY:
            statistics[:, in_any] = self._in_double(draws, in_any)
            return statistics
        for i, draw in enumerate(draws):
            elements = _at_least_four(where[i, :])
            # Products with a single row may differ in the last bit from those with more.
            statistics[i, elements] = self._in_double(np.array([draw, draw]), elements)[0]
        return statistics

    def of_elements(self, elements: slice) -> np.ndarray:
        """Return statistics of some elements, see the base class."""
        return self._in_double(np.arange(self.n_permutations), np.arange(self.n_elements)[elements])

    def _in_double(self, draws: np.ndarray, elements: np.ndarray) -> np.ndarray:
        statistics = np.empty((draws.size, elements.size))
        inaccurate = []
        weights = self._weights(draws, np.float64)
        with one_thread():
            for start in range(0, elements.size, self._stride_in_double):
                part = elements[start : start + self._stride_in_double]
                scaled = self._residuals(part)
                scaled /= self._norms[part]
                squares = np.ones((1, 1, 1))
                if self._keeps_squares and self._has_groups:
                    squares = (self._members @ scaled**2)[:, np.newaxis]
                out = statistics[:, start : start + part.size]
                inaccurate.append(self._finish(draws, weights, part, scaled, squares, out))
            return self._mended(statistics, draws, elements, inaccurate)

    def _weights(self, draws: np.ndarray, dtype: type) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the weights of residuals and of their squares, one set of rows per vector."""
        chosen, weights_of = self._draws[draws], self._scheme.weights
        vectors, groups = self._statistic.vectors.T, self._members
        if dtype is np.float32:
            vectors = vectors[self._statistic.computed_vectors]
            groups = groups[self._statistic.computed_groups]
        of_products = np.concatenate([weights_of(chosen, vector) for vector in vectors])
        if self._keeps_squares:
            return of_products.astype(dtype), None
        of_squares = np.concatenate([weights_of(chosen, members) for members in groups])
        return of_products.astype(dtype), of_squares.astype(dtype)

    def _finish(
        self,
        draws: np.ndarray,
        weights: tuple[np.ndarray, np.ndarray | None],
        elements: slice | np.ndarray,
        scaled: np.ndarray,
        squares: np.ndarray,
        out: np.ndarray,
        memory: list[np.ndarray] | None = None,
    ) -> np.ndarray:
        """Write statistics of draws and elements, in the precision of scaled residuals.

        Return the draws and elements without enough digits, of shape (2, n).
        """
        of_products, of_squares = weights
        shape = (-1, draws.size, scaled.shape[1])
        if of_squares is not None:
            squared, of_memory = None, None
            if memory is not None:
                of_memory = memory[1]
                squared = memory[2][:, : scaled.shape[1]]
            squared = np.multiply(scaled, scaled, out=squared)
            squares = _product(of_squares, squared, of_memory).reshape(shape)
        of_memory = None if memory is None else memory[0]
        products = _product(of_products, scaled, of_memory).reshape(shape)
        are_accurate = self._statistic.finish(products, squares, out)
        if self._has_constant:
            out[:, self.is_constant[elements]] = 0
        places = np.empty((2, 0), dtype=np.intp)
        if not are_accurate:
            row, column = nan_places(out)
            found_in = column + elements.start if isinstance(elements, slice) else elements[column]
            places = np.stack([row, found_in])
        as_observed = np.flatnonzero(draws == 0)
        is_exact = out.dtype == np.float64 and not self._keeps_squares
        if as_observed.size and (is_exact or not self._scheme.keeps_effect):
            out[as_observed] = self._scaled_observed(elements)
            places = places[:, draws[places[0]] != 0]
        return places

    def _scaled_observed(self, elements: slice | np.ndarray) -> np.ndarray:
        values, df, is_constant = self.observed
        df = df[elements] if isinstance(df, np.ndarray) else df
        return self._statistic.scaled(Observed(values[elements], df, is_constant[elements]))

    def _mended(
        self,
        statistics: np.ndarray,
        draws: np.ndarray,
        elements: np.ndarray,
        inaccurate: list[np.ndarray],
    ) -> np.ndarray:
        """Compute inaccurate statistics in double precision, from the data."""
        if not inaccurate:  # no elements
            return statistics
        rows, found_in = np.concatenate(inaccurate, axis=1)
        columns = np.searchsorted(elements, found_in)
        for start in range(0, rows.size, self._stride_in_double):
            few = slice(start, start + self._stride_in_double)
            residuals = self._residuals(found_in[few])
            resampled = self._scheme.resample(self._draws[draws[rows[few]]], residuals)
            found = self._statistic.scaled(self._statistic.of_data(resampled))
            statistics[rows[few], columns[few]] = found
        return statistics

    @cached_property
    def observed_p_values(self) -> np.ndarray:
        """P-values of the data as observed, of shape (n_elements,)."""
        return self._statistic.p_values(self.observed)

    def select(self, keep: np.ndarray) -> LinearModelStatistics:
        """Return the statistics of some elements, see the base class."""
        null = None if self._null is None else self._null.select(keep)
        return LinearModelStatistics(
            self._data[:, keep], self._statistic, self._scheme, self._draws, null
        )


def _product(weights: np.ndarray, values: np.ndarray, memory: np.ndarray | None) -> np.ndarray:
    """Return a matrix product, written to the start of the memory if there is one."""
    if memory is None:
        return weights @ values
    shape = len(weights), values.shape[1]
    return np.matmul(weights, values, out=memory.reshape(-1)[: math.prod(shape)].reshape(shape))


def _at_least_four(mask: np.ndarray | np.bool) -> np.ndarray:
    """Return the chosen places, and others up to four.

    Products with fewer columns may differ in the last bit from those with more.
    """
    places = np.flatnonzero(mask)
    return places if places.size >= 4 else np.union1d(places, np.arange(min(4, mask.size)))
