"""The critical vector: all that the bounds of sets depend on."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.closed_testing._checks import check_p_values, check_subset


class CriticalVector:
    """Thresholds that bound the true discoveries of every set at once.

    Parameters
    ----------
    thresholds : array-like of shape (n_thresholds,)
        ``t_1 <= t_2 <= ... <= t_K`` in [0, 1], such that with probability at least
        ``1 - alpha``, for all u at once, fewer than u true nulls have a p-value of at
        most ``t_u``. May be empty: then no set has a discovery.

    Attributes
    ----------
    thresholds : ndarray of shape (n_thresholds,)
        The thresholds.

    Raises
    ------
    ValueError
        If the thresholds are not one-dimensional, decrease, or leave [0, 1].

    Notes
    -----
    The category of a p-value is ``c(p) = min { u : p <= t_u }``. A lower bound on the
    number of true discoveries in a set S, for all sets simultaneously, is

        d(S) = max(0, max_u [ 1 - u + #{ i in S : c(p_i) <= u } ])

    (for Simes-based vectors Goeman et al. 2019 [1]_; for any, Blanchard, Neuvial and
    Roquain 2020 [2]_). Where several sets are bounded, or S was chosen after
    looking at the data, no correction is due.

    References
    ----------
    .. [1] Goeman JJ, Meijer RJ, Krebs TJP, Solari A (2019). Simultaneous control of all
       false discovery proportions in large-scale multiple hypothesis testing.
       Biometrika 106, 841-856.
    .. [2] Blanchard G, Neuvial P, Roquain E (2020). Post hoc confidence bounds on false
       positives using reference families. Annals of Statistics 48, 1281-1303.

    Examples
    --------
    >>> from ari_estimator.closed_testing import CriticalVector
    >>> vector = CriticalVector([0.01, 0.02, 0.03])
    >>> vector.true_discoveries([0.001, 0.015, 0.015, 0.5])
    2
    >>> vector.true_discoveries_by_label([0.001, 0.015, 0.015, 0.5], [0, 1, 1, 0])
    array([1, 1])
    """

    def __init__(self, thresholds: ArrayLike) -> None:
        self.thresholds = check_p_values(thresholds, name="thresholds")
        if (np.diff(self.thresholds) < 0).any():
            raise ValueError("thresholds must not decrease.")

    def __repr__(self) -> str:
        return f"CriticalVector(n_thresholds={self.thresholds.size})"

    def categories(self, p_values: ArrayLike) -> np.ndarray:
        """Return the category of each p-value.

        Parameters
        ----------
        p_values : array-like of shape (n_hypotheses,)
            P-values.

        Returns
        -------
        categories : ndarray of int of shape (n_hypotheses,)
            From 1 to ``n_thresholds``; ``n_thresholds + 1`` for a p-value above all
            thresholds, which adds to no bound.
        """
        return self._surplus(check_p_values(p_values)) + 1

    def _surplus(self, p_values: np.ndarray) -> np.ndarray:
        """Return the number of thresholds below each p-value, its category less one."""
        return np.searchsorted(self.thresholds, p_values, side="left")

    def true_discoveries(self, p_values: ArrayLike) -> int:
        """Return the lower bound on the number of true discoveries in one set.

        Parameters
        ----------
        p_values : array-like of shape (n,)
            The p-values of the set.

        Returns
        -------
        true_discoveries : int
            From 0 to ``n``.
        """
        p_values = check_p_values(p_values)
        return int(self._by_label(p_values, np.zeros(p_values.size, dtype=np.intp), 1)[0])

    def true_discoveries_by_label(
        self, p_values: ArrayLike, labels: ArrayLike, n_labels: int | None = None
    ) -> np.ndarray:
        """Return the lower bounds on the true discoveries of all sets of a partition.

        One sort for all sets together, however many there are.

        Parameters
        ----------
        p_values : array-like of shape (n_hypotheses,)
            P-values.

        labels : array-like of int of shape (n_hypotheses,)
            The set that each p-value belongs to, from 0.

        n_labels : int, optional
            Number of sets; by default one more than the largest label.

        Returns
        -------
        true_discoveries : ndarray of int of shape (n_labels,)
            The bound of each set; 0 for a set without members.

        Raises
        ------
        ValueError
            If the labels are not integers from 0 to ``n_labels - 1``, one for each
            p-value.
        """
        p_values = check_p_values(p_values)
        labels = np.asarray(labels)
        if labels.shape != p_values.shape or labels.dtype.kind not in "iu":
            raise ValueError(
                f"labels must be integers of shape {p_values.shape}, one for each p-value. "
                f"Got shape {labels.shape} of {labels.dtype}."
            )
        smallest, largest = (int(labels.min()), int(labels.max())) if labels.size else (0, -1)
        n_labels = largest + 1 if n_labels is None else n_labels
        if smallest < 0 or largest >= n_labels:
            raise ValueError(
                f"labels must lie in 0, ..., {n_labels - 1}. "
                f"Got values from {smallest} to {largest}."
            )
        return self._by_label(p_values, labels, n_labels)

    def _by_label(self, p_values: np.ndarray, labels: np.ndarray, n_labels: int) -> np.ndarray:
        bounds = np.zeros(n_labels, dtype=np.int64)
        n_thresholds = self.thresholds.size
        if n_thresholds == 0:
            return bounds
        counts = np.flatnonzero(p_values <= self.thresholds[-1])
        if counts.size == 0:
            return bounds
        # With the p-values of a set sorted, the maximum over u is attained at the surplus
        # of one of them, where the count is its rank: d(S) = max_r (r - surplus_(r)).
        key = labels[counts].astype(np.int64)
        key *= n_thresholds
        key += self._surplus(p_values[counts])
        key.sort()
        label, surplus = np.divmod(key, n_thresholds)
        starts = np.flatnonzero(np.diff(label, prepend=-1))
        first = np.repeat(starts, np.diff(starts, append=label.size))
        gain = np.arange(1, label.size + 1) - first - surplus
        bounds[label[starts]] = np.maximum(np.maximum.reduceat(gain, starts), 0)
        return bounds

    def confidence_curve(self, p_values: ArrayLike, order: ArrayLike | None = None) -> np.ndarray:
        """Return the bounds of the first 1, 2, ..., n hypotheses along an ordering.

        Parameters
        ----------
        p_values : array-like of shape (n_hypotheses,)
            P-values.

        order : array-like of int of shape (n,), optional
            Indices into the p-values in the order in which they join the set; by default
            from the smallest p-value to the largest.

        Returns
        -------
        true_discoveries : ndarray of int of shape (n,)
            Entry ``k - 1`` bounds the true discoveries among the first ``k``. Divided by
            ``k`` it is the curve of true discovery proportions.

        Raises
        ------
        ValueError
            If the order names a hypothesis twice.
        IndexError
            If the order names a hypothesis that is not there.
        """
        from ari_estimator.closed_testing._critical_vector_kernels import running_true_discoveries

        p_values = check_p_values(p_values)
        if order is None:
            order = np.argsort(p_values, kind="stable")
        joining = p_values[check_subset(order, p_values.size, name="order")]
        return running_true_discoveries(self._surplus(joining), self.thresholds.size)
