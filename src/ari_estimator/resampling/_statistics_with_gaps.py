"""Statistics under resampling of data with gaps: rows that some elements lack."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.special import fdtrc

from ari_estimator.resampling._contrast import Contrast
from ari_estimator.resampling._equivalent_normal import equivalent_normal, normal_of_p
from ari_estimator.resampling._fits_with_gaps import (
    DEPENDENT,
    PartialBases,
    PartialFits,
    without,
)
from ari_estimator.resampling._gaps import Gaps
from ari_estimator.resampling._model_statistic import SINGLE_ROUNDING, Observed
from ari_estimator.resampling._null_statistics import NullStatistics
from ari_estimator.resampling._parametric_p_values import parametric_p_values
from ari_estimator.resampling._scheme import Scheme
from ari_estimator.resampling._schemes import Permutation
from ari_estimator.resampling._tails import NormalTail
from ari_estimator.resampling._testable_patterns import are_testable
from ari_estimator.resampling._threads import one_thread

_STRIDE = 4096

# Numbers of the designs of elements in memory at a time.
_IN_MEMORY = 2**20

# Where the normal value changes this much faster with the correlation than near 0, it is computed
# in double precision.
_STEEP = 4.0

# In double precision, coefficients may be larger before digits are lost.
_LARGEST_SUM_IN_DOUBLE = 1e3

_ROUNDING = 1e-9


class StatisticsWithGaps(NullStatistics):
    """Statistics t and F under resampling of data with gaps.

    All elements have the same permutation or sign vector. The gap of a row moves with the row. The
    statistic of a draw uses the rows that are present after the move. Statistics are compared on a
    scale of standard normal values that have the same p-values, since degrees of freedom differ
    between elements.

    Parameters
    ----------
    data : ndarray of shape (n_subjects, n_elements)
        The data, float32 or float64; NaN where a row is missing.

    contrast : Contrast
        What is tested.

    scheme : SignFlipping or Permutation
        How residuals are resampled.

    draws : ndarray of shape (n_permutations, n_subjects)
        Draws of the scheme.

    two_sided : bool
        Whether deviations in both directions count. It must be False for an F contrast.

    Attributes
    ----------
    name : {"t", "F"}
        Name of the statistic.

    contrast : Contrast
        What is tested.

    Notes
    -----
    The nuisance in the rows present defines the residuals (Freedman-Lane). With the columns B of
    the design, resampled residuals e and their presence w, a statistic follows from the products
    ``B'e`` and ``B' diag(w) B``. Both are products of moved columns, or of moved products of two
    columns, with e and w. So they are matrix products for a block of draws and many elements. The
    second product is the same in elements with the same pattern of gaps, and it varies between
    draws only as far as products of columns vary among the rows that change places. For
    sign-flipping it does not vary.

    Elements that cannot be tested have a statistic of 0 and 0 degrees of freedom, and are part of
    ``is_constant``.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.stats import ttest_1samp
    >>> from ari_estimator.resampling import (
    ...     Exchangeability, SignFlipping, StatisticsWithGaps, find_contrast)
    >>> rng = np.random.default_rng(0)
    >>> data, scheme = rng.standard_normal((12, 500)), SignFlipping(Exchangeability.of(None, 12))
    >>> data[rng.random(data.shape) < 0.1] = np.nan
    >>> contrast = find_contrast(np.ones((12, 1)), [1])
    >>> null = StatisticsWithGaps(data, contrast, scheme, scheme.draws(100, rng), False)
    >>> bool(np.allclose(null.observed.values, ttest_1samp(data, 0, nan_policy="omit").statistic))
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
        self._scheme = scheme
        self._draws = draws
        self.contrast = contrast
        self.name = "F" if contrast.is_f else "t"
        self.n_permutations = len(draws)
        self.n_elements = data.shape[1]
        self.tail = NormalTail(two_sided or contrast.is_f)
        self._gaps = Gaps.of(data)
        self._is_testable = are_testable(self._gaps.patterns, contrast, scheme)
        self._columns = _Columns.of(contrast, scheme)
        self._scaled = np.empty(data.shape, dtype=np.float32)
        self._norms = np.empty(self.n_elements)
        n_columns = self._columns.basis.shape[1]
        self._in_memory = max(64, _IN_MEMORY // (len(data) * n_columns))
        with one_thread():
            parts = [self._scale(part) for part in self._strides(self._in_memory)]
        self.observed = Observed(*map(np.concatenate, zip(*parts, strict=True)))
        self.is_constant = self.observed.is_constant
        self._bound_errors()

    def _scale(self, elements: slice) -> Observed:
        """Return the statistics of some elements as observed, and scale their residuals."""
        present, data = self._filled(elements)
        rank = self.contrast.rank
        bases = self._bases_of(elements)
        fits = PartialFits.of(bases, present, data, rank)
        is_testable = self._is_testable[self._gaps.pattern_of[elements]] & fits.is_testable
        is_constant = fits.is_constant | ~is_testable
        residuals = without(bases.columns[:, :, :-rank], data)
        norms = np.sqrt(np.einsum("ni,ni->n", residuals, residuals))
        norms[is_constant] = np.inf
        self._norms[elements] = norms
        self._scaled[:, elements] = residuals.T / norms
        values = np.where(is_constant, 0, fits.values(is_f=self.contrast.is_f))
        return Observed(values, np.where(is_testable, fits.df, 0).astype(float), is_constant)

    def _bases_of(self, elements: slice | np.ndarray) -> PartialBases:
        """Return the bases of the design in some elements, in the rows present."""
        found, place = np.unique(self._gaps.pattern_of[elements], return_inverse=True)
        present = self._gaps.patterns[found]
        bases = PartialBases.of(np.where(present[:, :, np.newaxis], self._columns.basis, 0.0))
        place = place.reshape(-1)
        return PartialBases(bases.columns[place], bases.lengths[place])

    def _filled(self, elements: slice | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the presence and the data of elements, a row for each of them."""
        present = self._gaps.patterns[self._gaps.pattern_of[elements]]
        return present, np.where(present, self._data[:, elements].T.astype(float), 0.0)

    def _bound_errors(self) -> None:
        """Bound the rounding errors in single precision."""
        rank, n_subjects = self.contrast.rank, len(self._data)
        n_varying = self._columns.n_moving - rank
        n_roundings = 2 * rank**0.5 + 4 * n_varying**0.5 + 2
        # Coefficients with a larger sum of sizes amplify rounding.
        self._largest_sum = 2.0 * (1 + self._columns.n_moving)
        of_product = (n_subjects + n_varying + 4) * SINGLE_ROUNDING
        of_correlation = n_roundings * self._largest_sum * of_product
        self._most_slope = _STEEP * n_subjects**0.5
        df = np.asarray(self.observed.df)
        lowest = df[df > 0]
        highest = max(n_subjects - rank, 1)
        self._normal = equivalent_normal(rank, lowest.min(initial=highest), highest)
        # With several directions, the normal value may change faster than its coordinate.
        per_coordinate = 2.0 if rank > 1 else 1.0
        self.error = per_coordinate * self._most_slope * of_correlation + self._normal.error
        self.relative_error = 64 * SINGLE_ROUNDING

    def _strides(self, length: int = _STRIDE) -> Iterator[slice]:
        for first in range(0, self.n_elements, length):
            yield slice(first, min(first + length, self.n_elements))

    def block(self, start: int, stop: int, out: np.ndarray | None = None) -> np.ndarray:
        """Return statistics of some draws, see the base class."""
        return self._in_single(np.arange(start, stop), out)

    def _in_single(self, draws: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        from ari_estimator.resampling._gap_kernels import to_normal

        statistics = np.empty((draws.size, self.n_elements), np.float32) if out is None else out
        statistics = statistics[: draws.size]
        weights = self._columns.weights(self._scheme, self._draws[draws])
        of_residuals = weights.of_residuals.astype(np.float32)
        inaccurate = []
        for elements in self._strides():
            scaled = self._scaled[:, elements]
            found = self._correlations(of_residuals, weights, elements, scaled, self._largest_sum)
            to_normal(
                found.values,
                found.is_accurate,
                found.pattern_of,
                found.n_present,
                found.n_columns,
                not self.contrast.is_f,
                np.float32(self._most_slope),
                self._normal.polynomial,
            )
            is_constant = self.is_constant[elements]
            found.values[:, is_constant] = 0
            statistics[:, elements] = found.values
            row, column = np.nonzero(~(found.is_accurate | is_constant))
            inaccurate.append(np.stack([row, column + elements.start]))
        rows, columns = np.concatenate(inaccurate, axis=1)
        statistics[rows, columns] = self._from_data(draws[rows], columns)
        return statistics

    def _correlations(
        self,
        of_residuals: np.ndarray,
        weights: _Weights,
        elements: slice | np.ndarray,
        scaled: np.ndarray,
        largest_sum: float,
    ) -> _Correlations:
        """Return partial correlations of draws, in the precision of scaled residuals."""
        from ari_estimator.resampling._gap_kernels import correlate, invert_factors

        columns, rank = self._columns, self.contrast.rank
        used, pattern_of = np.unique(self._gaps.pattern_of[elements], return_inverse=True)
        patterns = self._gaps.patterns[used]
        present = patterns.T.astype(float)
        n_varying = columns.varying.shape[1]
        # Products of two columns do not differ between draws of sign flips.
        n_draws = len(of_residuals) // columns.n_moving if n_varying else 1
        moved = (weights.of_presence @ present).reshape(n_varying, n_draws, used.size)
        n_triangle = columns.n_moving * (columns.n_moving + 1) // 2
        inverses = np.empty((n_triangle, n_draws, used.size))
        n_columns = np.empty((n_draws, used.size), dtype=np.int32)
        sums = np.empty((n_draws, used.size))
        n_fixed = columns.basis.shape[1] - columns.n_moving
        invert_factors(
            columns.constant.T @ present,
            moved,
            columns.coefficients,
            n_fixed,
            rank,
            DEPENDENT**2,
            inverses,
            n_columns,
            sums,
        )
        products = (of_residuals @ scaled).reshape(columns.n_moving, -1, scaled.shape[1])
        values = np.empty(products.shape[1:], dtype=scaled.dtype)
        is_accurate = np.empty(values.shape, dtype=bool)
        pattern_of = pattern_of.reshape(-1).astype(np.int32)
        correlate(
            products,
            inverses.astype(scaled.dtype),
            pattern_of,
            sums,
            rank,
            not self.contrast.is_f,
            largest_sum,
            values,
            is_accurate,
        )
        n_present = patterns.sum(axis=1).astype(np.int32)
        return _Correlations(values, is_accurate, pattern_of, n_present, n_columns)

    def exact(self, draws: np.ndarray, lowest: np.ndarray | None = None) -> np.ndarray:
        """Return statistics of some draws in double precision, see the base class."""
        draws = np.asarray(draws)
        if lowest is None:
            return self._in_double(draws, np.arange(self.n_elements))
        with one_thread():
            single = self._in_single(draws)
        sizes = np.abs(single) if self.tail.is_absolute else single
        error = self.error + self.relative_error * np.abs(single).max()
        may_count = sizes >= (lowest - 2 * error)[:, np.newaxis]
        in_double = np.flatnonzero(may_count.any(axis=0))
        statistics = single.astype(float)
        statistics[:, in_double] = self._in_double(draws, in_double)
        return statistics

    def of_elements(self, elements: slice) -> np.ndarray:
        """Return statistics of some elements, see the base class."""
        return self._in_double(np.arange(self.n_permutations), np.arange(self.n_elements)[elements])

    def _in_double(self, draws: np.ndarray, elements: np.ndarray) -> np.ndarray:
        statistics = np.empty((draws.size, elements.size))
        weights = self._columns.weights(self._scheme, self._draws[draws])
        with one_thread():
            for start in range(0, elements.size, self._in_memory):
                part = elements[start : start + self._in_memory]
                _, data = self._filled(part)
                nuisance = self._bases_of(part).columns[:, :, : -self.contrast.rank]
                scaled = (without(nuisance, data) / self._norms[part, np.newaxis]).T
                found = self._correlations(
                    weights.of_residuals, weights, part, scaled, _LARGEST_SUM_IN_DOUBLE
                )
                df = found.n_present - found.n_columns
                values = self._exact_normal(found.values, df[:, found.pattern_of])
                is_constant = self.is_constant[part]
                values[:, is_constant] = 0
                rows, columns = np.nonzero(~(found.is_accurate | is_constant))
                values[rows, columns] = self._from_data(draws[rows], part[columns])
                statistics[:, start : start + part.size] = values
        return statistics

    def _exact_normal(self, correlations: np.ndarray, df: np.ndarray) -> np.ndarray:
        """Return normal values of correlations; ``df`` may be broadcast."""
        rank, df = self.contrast.rank, np.maximum(df, 1)
        with np.errstate(divide="ignore"):
            rest = (1 - correlations) * (1 + correlations)
            values = correlations**2 / np.maximum(rest, 0) * df / rank
        normal = normal_of_p(fdtrc(rank, df, values))
        return normal if self.contrast.is_f else np.copysign(normal, correlations)

    def _from_data(self, draws: np.ndarray, elements: np.ndarray) -> np.ndarray:
        """Return statistics of pairs of a draw and an element, from resampled data."""
        statistics = np.empty(draws.size)
        rank = self.contrast.rank
        for start in range(0, draws.size, self._in_memory):
            part = slice(start, start + self._in_memory)
            present, data = self._filled(elements[part])
            nuisance = self._bases_of(elements[part]).columns[:, :, :-rank]
            residuals = without(nuisance, data)
            chosen = self._draws[draws[part]]
            resampled = self._scheme.resample(chosen, residuals.T).T
            moved = np.abs(self._scheme.resample(chosen, present.T.astype(float)).T) > 0
            designs = np.where(moved[:, :, np.newaxis], self._columns.basis, 0.0)
            fits = PartialFits.of(PartialBases.of(designs), moved, resampled, rank)
            values, df = fits.values(is_f=self.contrast.is_f), np.maximum(fits.df, 1)
            squares = values if self.contrast.is_f else values**2
            normal = normal_of_p(fdtrc(rank, df, squares))
            statistics[part] = normal if self.contrast.is_f else np.copysign(normal, values)
        return statistics

    @property
    def observed_p_values(self) -> np.ndarray:
        """P-values of the data as observed, of shape (n_elements,)."""
        values, df, is_constant = self.observed
        return np.where(
            is_constant,
            1,
            parametric_p_values(
                self.name, values, np.maximum(df, 1), self.contrast.rank, self.tail.is_absolute
            ),
        )

    def select(self, keep: np.ndarray) -> StatisticsWithGaps:
        """Return the statistics of some elements, see the base class."""
        two_sided = self.tail.is_absolute and not self.contrast.is_f
        return StatisticsWithGaps(
            self._data[:, keep], self.contrast, self._scheme, self._draws, two_sided
        )


class _Correlations(NamedTuple):
    """Partial correlations of draws and elements, and the degrees of freedom they have."""

    values: np.ndarray
    is_accurate: np.ndarray
    pattern_of: np.ndarray
    n_present: np.ndarray
    n_columns: np.ndarray


class _Weights(NamedTuple):
    """Weights of residuals and of presence, one set of rows per vector."""

    of_residuals: np.ndarray
    of_presence: np.ndarray


class _Columns(NamedTuple):
    """The columns of a design, and the products of two of them.

    Attributes
    ----------
    basis : ndarray of shape (n_subjects, n_columns)
        Orthonormal: nuisance that stays orthogonal to resampled residuals, then the other
        nuisance, then the directions of the contrast.

    n_moving : int
        Number of columns after the first kind.

    constant : ndarray of shape (n_subjects, n_products)
        The part of products of columns that is the same in all rows that can change places.

    varying : ndarray of shape (n_subjects, n_varying)
        Basis of the rest.

    coefficients : ndarray of shape (n_products, n_varying)
        The rest of each product in this basis.
    """

    basis: np.ndarray
    n_moving: int
    constant: np.ndarray
    varying: np.ndarray
    coefficients: np.ndarray

    @classmethod
    def of(cls, contrast: Contrast, scheme: Scheme) -> _Columns:
        """Return the columns of a contrast."""
        moving = scheme.varying_nuisance(contrast)
        nuisance = contrast.nuisance
        left = np.linalg.svd(nuisance - moving @ (moving.T @ nuisance), full_matrices=False)[0]
        fixed = left[:, : nuisance.shape[1] - moving.shape[1]]
        basis = np.column_stack([fixed, moving, contrast.directions])
        first, second = np.tril_indices(basis.shape[1])
        products = basis[:, first] * basis[:, second]
        constant = products
        if isinstance(scheme, Permutation):
            orbits = scheme.orbits
            members = np.equal.outer(np.arange(orbits.max() + 1), orbits) / 1.0
            constant = (members @ products / members.sum(axis=1, keepdims=True))[orbits]
        left, singular, right = np.linalg.svd(products - constant, full_matrices=False)
        is_varying = singular > _ROUNDING
        coefficients = (singular[is_varying, np.newaxis] * right[is_varying]).T
        return cls(
            basis,
            basis.shape[1] - fixed.shape[1],
            constant,
            left[:, is_varying],
            np.ascontiguousarray(coefficients),
        )

    def weights(self, scheme: Scheme, draws: np.ndarray) -> _Weights:
        """Return the weights of residuals and of presence in some draws."""
        moving = self.basis[:, self.basis.shape[1] - self.n_moving :]
        of_residuals = [scheme.weights(draws, column) for column in moving.T]
        of_presence = [scheme.weights(draws, column) for column in self.varying.T]
        of_presence = of_presence or [np.empty((0, len(self.basis)))]
        return _Weights(np.concatenate(of_residuals), np.concatenate(of_presence))
