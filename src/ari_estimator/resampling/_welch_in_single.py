"""v and G statistics in single precision, with bounds on their rounding errors."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaincinv

from ari_estimator.resampling._equivalent_normal import equivalent_normal
from ari_estimator.resampling._model_statistic import SINGLE_ROUNDING
from ari_estimator.resampling._rows import flat_rows
from ari_estimator.resampling._welch_design import WelchDesign

if TYPE_CHECKING:
    from ari_estimator.resampling._group_means_kernels import GroupMeans

# Relative error of sums of squares of residuals: the smallest that is of use, and the largest; and
# the largest part of a sum of squares that residuals must reach for it.
_LEAST_ERROR, _ENOUGH = 5e-5, 1e-4
_LARGEST_LEAST = 0.25

# Share of statistics that may need double precision, without effects, for a smaller error.
_FEW = 1e-5

# Absolute error of normal values that the products alone may have, if few are beyond it.
_ENOUGH_OF_PRODUCTS = 5e-5

# Inverse variances of estimates up to this, relative to groups of equal variance, are accurate.
_MOST_SCALE = 16

# A difference in Cholesky's decomposition that is a smaller part of its terms has lost digits.
_LEAST_PART = 0.1

# Sums of squares below the smallest numbers of single precision have no digits.
_LOWEST = 1e-30


class WelchInSingle:
    """v and G statistics in single precision, with bounds on their rounding errors.

    Parameters
    ----------
    design : WelchDesign
        The design, with its variance groups.

    keeps_squares : bool
        Whether resampling keeps the sum of squares of each group.

    keeps_sums : bool
        Whether resampling keeps the sum of squares of all rows, and products with the nuisance
        stay 0.

    Attributes
    ----------
    computed_vectors, computed_groups : slice or ndarray of int
        See :class:`~ari_estimator.resampling.ModelStatistic`.

    error, relative_error : float
        Bound on the rounding error.

    Notes
    -----
    Let ``u`` be the unit of rounding. For n rows of a group, a product in single precision with a
    vector of length 1 is off by at most ``(n + 4) u`` times the norm of the group's residuals.
    Where residuals of the fit are too small a part of these, or the variance of the estimates is
    very small, the statistic is not accurate.

    If each group has one vector, all steps are one loop. If permutations then keep the sum of all
    squares and the product with the nuisance, the largest group follows from the others.
    """

    def __init__(self, design: WelchDesign, keeps_squares: bool, keeps_sums: bool) -> None:
        self._design = design
        contrast = design.contrast
        self._rank = contrast.rank
        k = design.n_groups
        # Extremes of the degrees of freedom: one group makes up V, or each group has its part.
        factor = 2 * (self._rank + 2) / (3 * (self._rank + 1)) if k > 1 else 1.0
        self._normal = equivalent_normal(
            self._rank, factor * design.df.min(), factor * design.df.sum(), self._rank == 1
        )
        n_vectors = np.array([place.stop - place.start for place in design.of_group])
        self._order = np.arange(k)
        has_one_nuisance = contrast.nuisance.shape[1] == 1
        drops = design.are_means and keeps_sums and not keeps_squares and has_one_nuisance
        computed: slice | np.ndarray = slice(None)
        if drops:
            self._order = np.argsort(np.abs(design.relation), kind="stable")
            computed = self._order[:-1]
        self.computed_vectors = self.computed_groups = computed
        self._bound_errors(n_vectors, keeps_squares, drops)

    def _bound_errors(self, n_vectors: np.ndarray, keeps_squares: bool, drops: bool) -> None:
        design, unit = self._design, SINGLE_ROUNDING
        k = design.n_groups
        # Errors of products, relative to the norm of residuals of the group.
        of_products = (design.sizes + 4) * unit
        # Errors of sums of squares of residuals, for the group's squares and for all squares.
        of_own = 2 * np.sqrt(n_vectors) * of_products + (n_vectors + 3) * unit
        of_own += (not keeps_squares) * of_products
        per_spill = 2 * math.sqrt(n_vectors.sum()) * of_products.max()
        per_spill += (n_vectors.sum() + 3) * unit
        spilt = (design.spill**2).sum(axis=1)
        of_total = per_spill * np.bincount(design.spill_group, spilt, minlength=k)
        of_all_products = math.sqrt(n_vectors.max()) * float(of_products.max())
        if drops:
            *given, last = self._order
            parts = np.abs(design.relation[given] / design.relation[last])
            of_last = float(parts @ of_products[given]) + (k + 2) * unit
            of_own[last] = of_last + 3 * unit
            of_total[last] = of_last + float(of_products.max()) + (k + 3) * unit
            of_all_products += of_last
        of_all_products += (n_vectors.sum() + 6) * unit * math.sqrt(self._rank)
        scale_of_equal = design.sizes.sum() * (k if design.are_means else 1) * self._rank
        self._most_scale = max(
            _MOST_SCALE * scale_of_equal, (_ENOUGH_OF_PRODUCTS / of_all_products) ** 2
        )
        # In groups of equal variance, the sums of squares follow the numbers of rows.
        of_expected = of_own + of_total * design.sizes.sum() / design.sizes
        # Without effects, sums of squares of residuals exceed these, but for a few.
        of_few = 2 * gammaincinv(design.df / 2, _FEW) / design.sizes / of_expected
        least = float(np.clip(of_few.min(), 1 / _ENOUGH, 1 / _LEAST_ERROR))
        least = min(least, float((_LARGEST_LEAST / of_expected).min()))
        self._needed_of_own, self._needed_of_total = least * of_own, least * of_total
        relative = 1 / least + (2 * k + 20) * unit
        if not design.are_means:
            relative += 8 * len(design.grams[0]) / _LEAST_PART * unit
        # A relative error of the sums of squares changes the normal value by half that error, and
        # the degrees of freedom by at most four times that error. The relative change of the
        # normal value is at most a quarter of the relative change of the degrees of freedom. For
        # several rows, the degrees of freedom change the statistic, too.
        self.relative_error = (1.5 if self._rank == 1 else 2.5) * relative
        self.error = math.sqrt(self._most_scale) * of_all_products + self._normal.error
        self.error += self._normal.excess * self.relative_error

    def finish(self, products: np.ndarray, squares: np.ndarray, out: np.ndarray) -> bool:
        """Write normal values, see :meth:`~ari_estimator.resampling.ModelStatistic.finish`."""
        shape = squares.shape[0], squares.shape[1], products.shape[2]
        of_groups = np.ascontiguousarray(np.broadcast_to(squares, shape))
        write = self._write_means if self._design.are_means else self._write
        return write(products, of_groups, out) == 0

    def _write_means(self, products: np.ndarray, squares: np.ndarray, out: np.ndarray) -> int:
        from ari_estimator.resampling._group_means_kernels import values_of_means

        return values_of_means(
            products, squares, self._means, self._normal.polynomial, *flat_rows(out)
        )

    @cached_property
    def _means(self) -> GroupMeans:
        from ari_estimator.resampling._group_means_kernels import GroupMeans

        order, design = self._order, self._design
        # The sum of weights, the inverse variances, is at most the largest scale.
        lowest = np.maximum(design.df * design.n_groups / self._most_scale, _LOWEST)

        def of_groups(numbers: np.ndarray) -> np.ndarray:
            return numbers[order].astype(np.float32)

        return GroupMeans(
            of_groups(design.relation),
            of_groups(design.to_estimates[0]),
            of_groups(design.df),
            of_groups(self._needed_of_own),
            of_groups(self._needed_of_total),
            of_groups(lowest),
            np.float32(self._most_scale),
            self._rank,
            not design.contrast.is_f,
        )

    def _write(self, products: np.ndarray, squares: np.ndarray, out: np.ndarray) -> int:
        from ari_estimator.resampling._welch_kernels import normal_values

        design = self._design
        starts = [place.start for place in design.of_group] + [design.of_group[-1].stop]
        matrices, rows, group_of_row = design.grams, design.rows, design.group_of_row
        if design.are_separate:
            matrices, rows, group_of_row = design.variances
        return normal_values(
            products,
            squares,
            np.array(starts),
            design.spill.astype(np.float32),
            design.spill_group,
            matrices.astype(np.float32),
            rows.astype(np.float32),
            np.searchsorted(group_of_row, np.arange(design.n_groups + 1)),
            design.to_estimates.astype(np.float32),
            design.df.astype(np.float32),
            self._needed_of_own.astype(np.float32),
            self._needed_of_total.astype(np.float32),
            np.float32(_LEAST_PART),
            np.float32(self._most_scale),
            design.are_separate,
            not design.contrast.is_f,
            self._normal.polynomial,
            *flat_rows(out),
        )
