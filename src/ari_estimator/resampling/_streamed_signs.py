"""Sign-flipping of more subjects than fit in memory."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator._masked_values import refuse_masked
from ari_estimator._progress import progress
from ari_estimator.resampling._contrast import Contrast
from ari_estimator.resampling._exchangeability import Exchangeability
from ari_estimator.resampling._linear_model_statistics import LinearModelStatistics
from ari_estimator.resampling._model_statistic import CONSTANT, SINGLE_ROUNDING, Observed
from ari_estimator.resampling._null_statistics import NullStatistics
from ari_estimator.resampling._partial_correlation import PartialCorrelation
from ari_estimator.resampling._schemes import SignFlipping
from ari_estimator.resampling._tails import CorrelationTail


class SubjectSums:
    """Sums of groups of subjects, from which sign-flipping computes its statistics.

    Subjects join the groups in turn, and each group is kept as its sum. Signs are flipped for whole
    groups. These flips are fewer than the flips of all subjects, but they do not change the null
    distribution either. So a calibration with them holds exactly. If there are no more subjects
    than groups, each subject is a group.

    Parameters
    ----------
    n_groups : int
        Most groups there may be.

    Attributes
    ----------
    n_subjects : int
        Number of subjects so far.

    sums : ndarray of shape (at most n_groups, n_elements)
        Sum of each group; float32 if the first map is float32, otherwise float64.

    mean, squares : ndarray of shape (n_elements,)
        Mean of all subjects, and sum of squared deviations from it. Welford's updates keep their
        digits also where means are large.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.resampling import SubjectSums
    >>> maps = np.random.default_rng(0).standard_normal((1000, 50))  # read one by one
    >>> sums = SubjectSums.of(iter(maps), n_groups=100)
    >>> sums.n_subjects, sums.sums.shape, bool(np.allclose(sums.mean, maps.mean(axis=0)))
    (1000, (100, 50), True)
    """

    def __init__(self, n_groups: int) -> None:
        self.n_groups = n_groups
        self.n_subjects = 0
        self._sums = np.empty((0, 0))
        self.mean = np.empty(0)
        self.squares = np.empty(0)

    def add(self, values: ArrayLike) -> None:
        """Add the map of a subject.

        Parameters
        ----------
        values : array-like of shape (n_elements,)
            The map.

        Raises
        ------
        ValueError
            If the map is not one-dimensional, has another number of elements than earlier maps,
            or is not finite.
        """
        name = f"data of subject {self.n_subjects}"
        refuse_masked(values, name, "Leave their elements out for all subjects.")
        given = np.asarray(values)
        if given.dtype.kind not in "fiu":
            raise ValueError(f"{name} must be real. Got {given.dtype}.")
        self._add(given.astype(float), np.float32 if given.dtype == np.float32 else np.float64)

    def _add(self, values: np.ndarray, dtype: type) -> None:
        if values.ndim == 2 and values.shape[0] == 1:
            values = values[0]
        is_first = self.n_subjects == 0
        if values.ndim != 1 or values.size == 0 or not (is_first or values.size == self.mean.size):
            raise ValueError(
                f"data of subject {self.n_subjects} must be one-dimensional, with as many elements "
                f"as the other subjects have. Got shape {values.shape}."
            )
        if not np.isfinite(values).all():
            n_bad = int((~np.isfinite(values)).sum())
            raise ValueError(
                f"data must be finite. Got NaN or infinite values in {n_bad} elements of subject "
                f"{self.n_subjects}. Leave these elements out for all subjects."
            )
        if is_first:
            # Operating systems reserve memory only when something is written to it.
            self._sums = np.empty((self.n_groups, values.size), dtype)
            self.mean, self.squares = np.zeros(values.size), np.zeros(values.size)
        if self.n_subjects < self.n_groups:
            self._sums[self.n_subjects] = values
        else:
            self._sums[self.n_subjects % self.n_groups] += values.astype(self._sums.dtype)
        self.n_subjects += 1
        deviations = values - self.mean
        self.mean += deviations / self.n_subjects
        self.squares += deviations * (values - self.mean)

    @property
    def sums(self) -> np.ndarray:
        """Sum of each group, of shape (at most n_groups, n_elements)."""
        return self._sums[: self.n_subjects]

    @classmethod
    def of(cls, maps: Iterable[ArrayLike], n_groups: int) -> SubjectSums:
        """Add up the maps of an iterable in one pass.

        Parameters
        ----------
        maps : iterable of array-like of shape (n_elements,)
            A map for each subject.

        n_groups : int
            Most groups there may be.

        Returns
        -------
        sums : SubjectSums
            The sums.

        Raises
        ------
        ValueError
            As for :meth:`add`, or if there are fewer than two subjects.
        """
        sums = cls(n_groups)
        with progress("Subjects") as task:
            for values in maps:
                sums.add(values)
                task.advance()
        if sums.n_subjects < 2:
            raise ValueError(f"data must have at least 2 subjects. Got {sums.n_subjects}.")
        return sums


class StreamedSignStatistics(NullStatistics):
    """Statistics of the mean of subjects, from sums of groups of subjects.

    Parameters
    ----------
    sums : SubjectSums
        The subjects.

    draws : ndarray of shape (n_permutations, n_groups)
        Signs of the groups.

    two_sided : bool
        Whether deviations in both directions count.

    keep : ndarray of bool of shape (n_elements,) or None, default=None
        Some of the elements; None for all.

    Notes
    -----
    With signs ``s_g`` of groups with sums ``y_g`` the correlation of n subjects is
    ``r = sum_g s_g y_g / sqrt(n sum_i x_i^2)``.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.resampling import SubjectSums, sign_statistics
    >>> rng = np.random.default_rng(0)
    >>> sums = SubjectSums.of(rng.standard_normal((1000, 50)), n_groups=100)
    >>> statistics = sign_statistics(sums, 200, rng, two_sided=True)
    >>> type(statistics).__name__, statistics.n_permutations
    ('StreamedSignStatistics', 200)
    """

    def __init__(
        self,
        sums: SubjectSums,
        draws: np.ndarray,
        two_sided: bool,
        keep: np.ndarray | None = None,
    ) -> None:
        chosen = slice(None) if keep is None else keep
        self._subjects = sums
        self._keep = keep
        self._draws = draws
        self._sums = sums.sums[:, chosen]
        mean, squares = sums.mean[chosen], sums.squares[chosen]
        self.n_permutations, self.n_elements = len(draws), mean.size
        n, df, n_groups = sums.n_subjects, sums.n_subjects - 1, len(self._sums)
        self.tail: CorrelationTail = CorrelationTail(df, two_sided)
        # Number of terms in a sum over groups, and in a sum within each group.
        self.error = 2 * (n_groups + n / n_groups + 4) * SINGLE_ROUNDING
        # As for a linear model. The largest value is not known, but does not exceed this root.
        totals = squares + n * mean**2
        self.is_constant = squares <= CONSTANT * n * totals
        with np.errstate(divide="ignore", invalid="ignore"):
            observed = mean * np.sqrt(n) / np.sqrt(squares / df)
        self.observed = Observed(np.where(self.is_constant, 0, observed), df, self.is_constant)
        self._norms = np.where(self.is_constant, np.inf, np.sqrt(totals * n))

    def block(self, start: int, stop: int, out: np.ndarray | None = None) -> np.ndarray:
        """Return correlations of some draws, see the base class."""
        # Scale the products, since scaled sums would take as much memory as the sums.
        effects = self._draws[start:stop].astype(self._sums.dtype) @ self._sums
        effects /= self._norms.astype(effects.dtype)
        return effects.astype(np.float32, copy=False)

    def exact(self, draws: np.ndarray, lowest: np.ndarray | None = None) -> np.ndarray:
        """Return correlations of some draws in double precision, see the base class."""
        effects = np.zeros((len(draws), self.n_elements))
        for signs, total in zip(self._draws[draws].T, self._sums, strict=True):
            effects += np.multiply.outer(signs, total.astype(float))
        return effects / self._norms

    @property
    def observed_p_values(self) -> np.ndarray:
        """P-values of the data as observed, see the base class."""
        return np.where(self.is_constant, 1, self.tail.of_t(self.observed.values))

    def of_elements(self, elements: slice) -> np.ndarray:
        """Return correlations of some elements, see the base class."""
        sums = self._sums[:, elements].astype(float)
        return self._draws.astype(float) @ (sums / self._norms[elements])

    def select(self, keep: np.ndarray) -> StreamedSignStatistics:
        """Return the statistics of some elements, see the base class."""
        kept = np.ones(self._subjects.mean.size, dtype=bool) if self._keep is None else self._keep
        kept = kept.copy()
        kept[kept] = keep
        return StreamedSignStatistics(self._subjects, self._draws, self.tail.two_sided, kept)


def sign_statistics(
    sums: SubjectSums, n_permutations: int, rng: np.random.Generator, two_sided: bool
) -> NullStatistics:
    """Return the statistics of the mean of subjects under sign-flipping.

    Parameters
    ----------
    sums : SubjectSums
        The subjects.

    n_permutations : int
        Number of draws.

    rng : numpy.random.Generator
        Source of randomness.

    two_sided : bool
        Whether deviations in both directions count.

    Returns
    -------
    statistics : NullStatistics
        The statistics. If each subject is a group, the flips are flips of single subjects.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.resampling import SubjectSums, sign_statistics
    >>> rng = np.random.default_rng(0)
    >>> sums = SubjectSums.of(rng.standard_normal((5, 50)), n_groups=100)
    >>> sign_statistics(sums, 200, rng, two_sided=True).n_permutations  # all flips of five signs
    32
    """
    n_groups = min(sums.n_subjects, sums.n_groups)
    scheme = SignFlipping(Exchangeability.of(None, n_groups))
    draws = scheme.draws(n_permutations, rng)
    if n_groups < sums.n_subjects:
        return StreamedSignStatistics(sums, draws, two_sided)
    n = sums.n_subjects
    mean = Contrast(np.full((n, 1), n**-0.5), np.empty((n, 0)), n - 1)
    statistic = PartialCorrelation(mean, scheme, two_sided)
    return LinearModelStatistics(sums.sums, statistic, scheme, draws)
