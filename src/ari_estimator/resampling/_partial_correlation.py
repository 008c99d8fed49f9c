"""t and F statistics, as partial correlations."""

from __future__ import annotations

import numpy as np

from ari_estimator.resampling._contrast import Contrast
from ari_estimator.resampling._model_statistic import (
    SINGLE_ROUNDING,
    ModelStatistic,
    Observed,
    residuals_of,
)
from ari_estimator.resampling._parametric_p_values import parametric_p_values
from ari_estimator.resampling._rows import flat_rows
from ari_estimator.resampling._scheme import Scheme
from ari_estimator.resampling._tails import CorrelationTail, MultipleCorrelationTail, Tail


class PartialCorrelation(ModelStatistic):
    """The t or F statistic of a contrast.

    Parameters
    ----------
    contrast : Contrast
        What is tested.

    scheme : Scheme
        How residuals are resampled.

    two_sided : bool
        Whether deviations in both directions count. It must be False for an F contrast.

    Notes
    -----
    With resampled residuals ``e``, orthonormal nuisance ``z_k`` and the directions ``x_j`` of the
    contrast, the partial correlation is

        r = sqrt(sum_j (x_j'e)^2) / sqrt(e'e - sum_k (z_k'e)^2),

    with the sign of ``x'e`` for a t contrast. Products with nuisance that stay 0 under resampling
    are left out. By Cauchy-Schwarz, a product of n terms in single precision has an error of at
    most ``d |e|`` with ``d = (n + 3) 2^-24``. The term below the root, with q products, has an
    error of at most ``(1 + 2 sqrt(q)) d e'e``. Where nuisance explains most of ``e``, this error
    is a large part of the term, and the statistic is not accurate.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.resampling import (
    ...     Exchangeability, PartialCorrelation, SignFlipping, find_contrast)
    >>> scheme = SignFlipping(Exchangeability.of(None, 12))
    >>> statistic = PartialCorrelation(find_contrast(np.ones((12, 1)), [1]), scheme, False)
    >>> data = np.random.default_rng(0).standard_normal((12, 500))
    >>> t = data.mean(axis=0) / (data.std(axis=0, ddof=1) / 12**0.5)
    >>> statistic.name, bool(np.allclose(statistic.of_data(data).values, t))
    ('t', True)
    """

    def __init__(self, contrast: Contrast, scheme: Scheme, two_sided: bool) -> None:
        self.contrast = contrast
        self.name = "F" if contrast.is_f else "t"
        self.tail: Tail = CorrelationTail(contrast.df, two_sided)
        if contrast.is_f:
            self.tail = MultipleCorrelationTail(contrast.rank, contrast.df)
        varying = scheme.varying_nuisance(contrast)
        self.vectors = np.column_stack([contrast.directions, varying])
        self.groups = np.zeros(contrast.n_subjects, dtype=np.intp)
        n_subjects, n_varying = varying.shape
        changes_norm = not scheme.keeps_squares(self.groups)
        n_roundings = 2 * contrast.rank**0.5 + 4 * n_varying**0.5 + 2 * changes_norm
        self.error = n_roundings * (n_subjects + n_varying + 4) * SINGLE_ROUNDING
        self._divides = n_varying > 0 or changes_norm

    def finish(self, products: np.ndarray, squares: np.ndarray, out: np.ndarray) -> bool:
        """Write partial correlations of resampled residuals, see the base class."""
        rank = self.contrast.rank
        if self._divides and products.dtype == np.float32:
            from ari_estimator.resampling._partial_correlation_kernels import write_correlations

            shape = squares.shape[1], out.shape[1]
            total = np.ascontiguousarray(np.broadcast_to(squares[0], shape))
            return write_correlations(products, rank, total, *flat_rows(out)) == 0
        correlations = products[0]
        if self.contrast.is_f:
            np.einsum("ijk,ijk->jk", products[:rank], products[:rank], out=out)
            correlations = np.sqrt(out, out=out)
        if not self._divides:
            if correlations is not out:
                out[:] = correlations
            return True
        explained = products[rank:]
        total = squares[0]
        np.multiply(explained, explained, out=explained)
        remaining = total - explained.sum(axis=0)
        # The smallest squares have no digits left either.
        least = total * 1e-3
        is_accurate = remaining > np.maximum(least, 1e-30)
        np.sqrt(remaining, out=remaining, where=is_accurate)
        np.divide(correlations, remaining, out=out, where=is_accurate)
        out[~is_accurate] = np.nan
        return bool(is_accurate.all())

    def of_data(self, data: np.ndarray) -> Observed:
        """Return t or F statistics of data, see the base class."""
        residuals, rounding = residuals_of(self.contrast, data)
        squares = np.einsum("ij,ij->j", residuals, residuals)
        is_constant = squares <= rounding
        squares[is_constant] = 0
        effects = self.contrast.directions.T @ data
        effects[effects**2 <= rounding] = 0
        df = self.contrast.df
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.contrast.is_f:
                explained = np.einsum("ij,ij->j", effects, effects) / self.contrast.rank
                values = explained / (squares / df)
            else:
                values = effects[0] / np.sqrt(squares / df)
        values[np.isnan(values)] = 0
        return Observed(values, df, is_constant)

    def scaled(self, observed: Observed) -> np.ndarray:
        """Return the partial correlations of statistics, see the base class."""
        with np.errstate(divide="ignore", over="ignore"):
            if self.contrast.is_f:
                df = self.contrast.df / self.contrast.rank
                return 1 / np.sqrt(1 + df / observed.values)
            t = observed.values
            return np.sign(t) / np.sqrt(1 + self.contrast.df / t**2)

    def p_values(self, observed: Observed) -> np.ndarray:
        """Return the p-values of statistics of data, see the base class."""
        p = parametric_p_values(
            self.name, observed.values, observed.df, self.contrast.rank, self.tail.is_absolute
        )
        return np.where(observed.is_constant, 1, p)
