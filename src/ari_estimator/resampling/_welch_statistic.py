"""v and G statistics, with a separate variance for each group of rows."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy.special import fdtrc

from ari_estimator.resampling._contrast import Contrast
from ari_estimator.resampling._equivalent_normal import normal_of_p
from ari_estimator.resampling._model_statistic import CONSTANT, ModelStatistic, Observed
from ari_estimator.resampling._parametric_p_values import parametric_p_values
from ari_estimator.resampling._tails import NormalTail
from ari_estimator.resampling._welch_design import WelchDesign
from ari_estimator.resampling._welch_in_single import WelchInSingle

# A difference in Cholesky's decomposition that is a smaller part of its terms has lost digits.
_LEAST_PART = 1e-4

# Relative weights and sums of squares are never as small as this.
_TINY = 1e-140

# A sum of squares of residuals that is a smaller part of the total has lost digits, too.
_LEAST_REST = 1e-4


class WelchStatistic(ModelStatistic):
    """The v or G statistic of a contrast: t or F with a separate variance for each group of rows.

    For the difference of two groups, v is Welch's t. The degrees of freedom follow Johansen (1980).
    In designs with groups only, they equal the degrees of freedom of Welch (1951). Permutations are
    compared on a scale of standard normal values that have the same p-values.

    Parameters
    ----------
    contrast : Contrast
        What is tested.

    variance_groups : ndarray of int of shape (n_subjects,)
        Group of each row, from 0.

    keeps_squares : bool
        Whether resampling keeps the sum of squares of each group.

    two_sided : bool
        Whether deviations in both directions count. It must be False for an F contrast.

    keeps_sums : bool, default=False
        Whether resampling keeps the sum of squares of all rows, and products with the nuisance
        stay 0.

    Raises
    ------
    ValueError
        If the design leaves no residuals in a group.

    Notes
    -----
    Let ``B = [X, Z]`` be the orthonormal basis of the design, ``B_g`` its rows of group g, ``e``
    the residuals of the least squares fit, ``R`` the matrix that makes them, and
    ``d_g = sum_(i in g) R_ii``. A group has the weight ``w_g = d_g / sum_(i in g) e_i^2``, the
    inverse of its variance. With the estimates ``b`` of the directions X and the block V of the
    inverse of ``sum_g w_g B_g'B_g`` that belongs to X [1]_,

        G = b' V^-1 b / (rank L), L = 1 + 2 (rank - 1) H / (rank (rank + 2)),
        H = sum_g (tr(M_g)^2 + tr(M_g^2)) / (2 d_g), df = rank (rank + 2) / (3 H),

    and v is the root of G with the sign of b. ``M_g`` is the share of group g in V. These matrices
    add up to 1. For one row the degrees of freedom are Satterthwaite's. For the
    means of groups, ``M_g`` has the trace ``1 - n_g w_g / sum_h n_h w_h``, and L and the degrees of
    freedom are Welch's [2]_. In general they are Johansen's [3]_.

    Residuals within a group follow from products with a basis of ``B_g``. V^-1 is a Schur
    complement, from Cholesky's decomposition with X last. It needs only the smallest space that
    contains X and that each ``B_g'B_g`` maps into itself. If the design fits each group
    separately, then ``V = sum_g X_g'X_g / w_g``, with the rows ``X_g`` of X in group g.

    References
    ----------
    .. [1] Winkler AM, Ridgway GR, Webster MA, Smith SM, Nichols TE (2014). Permutation
       inference for the general linear model. NeuroImage 92, 381-397.
    .. [2] Welch BL (1951). On the comparison of several mean values: an alternative approach.
       Biometrika 38, 330-336.
    .. [3] Johansen S (1980). The Welch-James approximation to the distribution of the residual sum
       of squares in a weighted linear regression. Biometrika 67, 85-92.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.stats import ttest_ind
    >>> from ari_estimator.resampling import WelchStatistic, find_contrast
    >>> group = np.repeat([0, 1], [4, 8])
    >>> contrast = find_contrast(np.column_stack([group == 0, group == 1]), [1, -1])
    >>> statistic = WelchStatistic(contrast, group, True, two_sided=False)
    >>> data = np.random.default_rng(0).standard_normal((12, 500))
    >>> welch = ttest_ind(data[:4], data[4:], equal_var=False)
    >>> observed = statistic.of_data(data)
    >>> bool(np.allclose(observed.values, welch.statistic) and np.allclose(observed.df, welch.df))
    True
    """

    def __init__(
        self,
        contrast: Contrast,
        variance_groups: np.ndarray,
        keeps_squares: bool,
        two_sided: bool,
        keeps_sums: bool = False,
    ) -> None:
        self.contrast = contrast
        self.groups = variance_groups
        self.name = "G" if contrast.is_f else "v"
        self._is_absolute = two_sided or contrast.is_f
        self.tail = NormalTail(self._is_absolute)
        self._design = WelchDesign(contrast, variance_groups)
        self._df = self._design.df
        self.vectors = self._design.vectors
        self._rows = [_rows_of_group(variance_groups, i) for i in range(self._design.n_groups)]
        self._in_single = WelchInSingle(self._design, keeps_squares, keeps_sums)
        self.computed_vectors = self._in_single.computed_vectors
        self.computed_groups = self._in_single.computed_groups
        self.error, self.relative_error = self._in_single.error, self._in_single.relative_error

    def finish(self, products: np.ndarray, squares: np.ndarray, out: np.ndarray) -> bool:
        """Write normal values of resampled residuals, see the base class."""
        if products.dtype == np.float32:
            return self._in_single.finish(products, squares, out)
        total = squares.sum(axis=0)
        weights = []
        is_accurate = np.ones(products.shape[1:], dtype=bool)
        for group, place in enumerate(self._design.of_group):
            rest = squares[group] - (products[place] ** 2).sum(axis=0)
            least = squares[group]
            for row in self._design.spill[np.equal(self._design.spill_group, group)]:
                rest += np.tensordot(row, products, 1) ** 2
                least = np.maximum(least, (row @ row) * total)
            # Without residuals in a group, no digits are left.
            least = np.maximum(_LEAST_REST * least, 1e-30)
            is_accurate &= rest > least
            weights.append(self._df[group] / np.maximum(rest, least))
        estimates = np.tensordot(self._design.to_estimates, products, 1)
        quadratic, sums, are_digits = self._quadratic_form(weights, estimates)
        df, factor = self._welch(sums)
        out[:] = self._exact_normal(quadratic * factor, df)
        if not self.contrast.is_f:
            np.copysign(out, estimates[0], out=out)
        is_accurate &= are_digits
        out[~is_accurate] = np.nan
        return bool(is_accurate.all())

    def _quadratic_form(
        self, weights: list[np.ndarray], estimates: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return ``b' V^-1 b``, H, and whether Cholesky's decomposition keeps enough digits."""
        size, rank = len(self._design.grams[0]), self.contrast.rank
        factors = np.zeros((size, size, *estimates.shape[1:]))
        are_digits = np.ones(estimates.shape[1:], dtype=bool)
        for j in range(size):
            for i in range(j, size):
                entry = sum(
                    weight * part
                    for weight, part in zip(weights, self._design.grams[:, i, j], strict=True)
                )
                rest = entry - (factors[i, :j] * factors[j, :j]).sum(axis=0)
                if i == j:
                    least = _LEAST_PART * entry
                    are_digits &= rest > least
                    factors[i, i] = np.sqrt(np.maximum(rest, least))
                else:
                    factors[i, j] = rest / factors[j, j]
        first = size - rank
        along = np.einsum("ij...,i...->j...", factors[first:, first:], estimates)
        # The rows of the inverse that belong to X: with them, M_g is a product with B_g'B_g.
        inverse = np.zeros((rank, size, *estimates.shape[1:]))
        for j in range(first, size):
            inverse[j - first, j] = 1 / factors[j, j]
            for i in range(j - 1, -1, -1):
                known = (inverse[j - first, i + 1 : j + 1] * factors[i + 1 : j + 1, i]).sum(axis=0)
                inverse[j - first, i] = -known / factors[i, i]
        sums = np.zeros(estimates.shape[1:])
        for group, weight in enumerate(weights):
            share = np.einsum("ai...,ij,bj...->ab...", inverse, self._design.grams[group], inverse)
            sums += _twice_squared(share * weight) / (2 * self._df[group])
        return (along**2).sum(axis=0), sums, are_digits

    def _welch(self, sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the degrees of freedom and the factor of the statistic that follow from H."""
        rank = self.contrast.rank
        if self.n_groups == 1:  # G is F.
            return np.full_like(sums, self._df[0]), np.ones_like(sums)
        factor = 1 / (1 + 2 * (rank - 1) / (rank * (rank + 2)) * sums)
        return rank * (rank + 2) / 3 / sums, factor

    def _exact_normal(self, quadratic: np.ndarray, df: np.ndarray) -> np.ndarray:
        return normal_of_p(fdtrc(self.contrast.rank, df, quadratic / self.contrast.rank))

    def of_data(self, data: np.ndarray) -> Observed:
        """Return v or G statistics of data, see the base class."""
        # Rescale, so that squares stay in the range of numbers. Statistics do not depend on it.
        sizes = np.array([_largest_size(data[rows]) for rows in self._rows])
        largest = sizes.max(axis=0)
        unit = np.where(largest > 0, largest, 1)
        data = data / unit
        squares, is_constant = self._squares_of_groups(data, sizes / unit)
        weights = self._df[:, np.newaxis] / squares
        effects = self.contrast.directions.T @ data
        effects[effects**2 <= CONSTANT * len(data)] = 0
        form_of = self._form_of_means if self._design.are_means else self._least_form
        quadratic, sums = form_of(weights, effects)
        df, factor = self._welch(sums)
        quadratic = quadratic * factor
        if self.contrast.is_f:
            values = quadratic / self.contrast.rank
        else:
            values = np.copysign(np.sqrt(quadratic), effects[0])
        return Observed(values, df, is_constant)

    def _squares_of_groups(
        self, data: np.ndarray, sizes: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return sums of squares of residuals, and whether one of them is only rounding.

        Residuals of a group are computed within it. Residuals of the whole design, which mixes the
        groups, would have the rounding errors of the group with the largest values. ``sizes`` are
        the largest absolute values of each group.
        """
        squares = np.empty((self.n_groups, data.shape[1]))
        is_constant = np.zeros(data.shape[1], dtype=bool)
        if not self._design.are_separate:
            products = self.vectors.T @ data
        for group, place in enumerate(self._design.of_group):
            own = self.vectors[self.groups == group, place]
            values = data[self._rows[group]]
            # Rounding of sums over many subjects leaves a small part of the fit. A second pass
            # removes it.
            fit = own @ (own.T @ values)
            rest = np.subtract(values, fit, out=fit)
            rest -= own @ (own.T @ rest)
            squares[group] = np.einsum("ij,ij->j", rest, rest)
            if not self._design.are_separate:
                spilt = self._design.spill[np.equal(self._design.spill_group, group)] @ products
                squares[group] += (spilt**2).sum(axis=0)
            is_constant |= squares[group] <= CONSTANT * len(values) * sizes[group] ** 2
        return np.maximum(squares, _TINY), is_constant

    def _form_of_means(
        self, weights: np.ndarray, estimates: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return ``b' V^-1 b`` and H if each group has one vector, as sums of positive numbers."""
        to_estimates, relation = self._design.to_estimates, self._design.relation
        if self.contrast.rank == 1:
            parts = to_estimates[0][:, np.newaxis] ** 2 / weights
            total = parts.sum(axis=0)
            form, shares = estimates[0] ** 2 / total, parts / total
        else:
            products = to_estimates.T @ estimates
            parts = relation[:, np.newaxis] ** 2 * weights
            total = parts.sum(axis=0)
            form, shares = np.zeros_like(total), np.zeros_like(parts)
            for one, other in combinations(range(self.n_groups), 2):
                difference = relation[other] * products[one] - relation[one] * products[other]
                form += weights[one] * weights[other] / total * difference**2
                shares[one] += parts[other]
                shares[other] += parts[one]
            shares /= total
        return form, (shares**2 / self._df[:, np.newaxis]).sum(axis=0)

    def _least_form(
        self, weights: np.ndarray, estimates: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return ``b' V^-1 b`` and H as sums of squares, without differences that lose digits.

        The form is the smallest weighted sum of squares ``sum_g w_g |B_g (b, c)|^2`` that
        coefficients c of the nuisance can reach.
        """
        rank = self.contrast.rank
        of_rows = weights[self._design.group_of_row]
        # In units of the largest weight, so that no weight is infinite.
        largest = of_rows.max(axis=0)
        roots = np.sqrt(of_rows / largest).T[:, :, np.newaxis]
        tested = roots * self._design.rows[:, -rank:]
        if self._design.rows.shape[1] > rank:
            basis = _orthonormal(roots * self._design.rows[:, :-rank])
            for _ in range(2):  # one pass would leave rounding errors
                tested = tested - basis @ (basis.swapaxes(1, 2) @ tested)
        with np.errstate(over="ignore"):
            form = largest * ((tested @ estimates.T[:, :, np.newaxis]) ** 2).sum(axis=(1, 2))
        directions = _orthonormal(tested)
        sums = np.zeros(form.size)
        for group in range(self.n_groups):
            own = directions[:, np.equal(self._design.group_of_row, group)]
            share = np.einsum("kia,kib->abk", own, own)
            sums += _twice_squared(share) / (2 * self._df[group])
        return form, sums

    def scaled(self, observed: Observed) -> np.ndarray:
        """Return the normal values of statistics, see the base class."""
        values, df = observed.values, np.asarray(observed.df)
        if self.contrast.is_f:
            return self._exact_normal(values * self.contrast.rank, df)
        return np.copysign(self._exact_normal(values**2, df), values)

    def p_values(self, observed: Observed) -> np.ndarray:
        """Return the p-values of statistics of data, see the base class."""
        p = parametric_p_values(
            self.name,
            observed.values,
            observed.df,
            self.contrast.rank,
            self._is_absolute,
        )
        return np.where(observed.is_constant, 1, p)


def _rows_of_group(groups: np.ndarray, group: int) -> slice | np.ndarray:
    """Return the rows of a group; a slice, which needs no copy, if they follow each other."""
    rows = np.flatnonzero(np.equal(groups, group))
    follow_each_other = rows[-1] - rows[0] == rows.size - 1
    return slice(int(rows[0]), int(rows[-1]) + 1) if follow_each_other else rows


def _largest_size(values: np.ndarray) -> np.ndarray:
    """Return the largest absolute value of each column, without a copy."""
    return np.maximum(values.max(axis=0), -values.min(axis=0))


def _orthonormal(columns: np.ndarray) -> np.ndarray:
    """Return orthonormal bases of the columns of many matrices, of shape (..., n_rows, n)."""
    if columns.shape[-1] > 1:
        return np.linalg.qr(columns)[0]
    # A much faster way for a single column.
    norms = np.linalg.norm(columns, axis=-2, keepdims=True)
    return columns / np.maximum(norms, _TINY)


def _twice_squared(shares: np.ndarray) -> np.ndarray:
    """Return ``tr(M)^2 + tr(M^2)`` of symmetric matrices, of shape (rank, rank, ...)."""
    return np.einsum("aa...->...", shares) ** 2 + (shares**2).sum(axis=(0, 1))
