"""The critical vector: all that the bounds of sets depend on."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator._blocks import blocks
from ari_estimator._masked_values import refuse_masked
from ari_estimator.closed_testing._checks import check_labels, check_p_values, check_subset

# A threshold that no p-value meets, not even one of 0.
NEVER = -1.0


def _check_thresholds(thresholds: ArrayLike) -> np.ndarray:
    """Return thresholds as an array of doubles, in which -1 stands for one never met."""
    refuse_masked(thresholds, "thresholds", "Give them without a mask.")
    thresholds = np.asarray(thresholds)
    is_never = thresholds == NEVER
    if not is_never.any():
        return check_p_values(thresholds, name="thresholds")
    # The checks see a threshold of 0 in place of each threshold that is never met.
    checked = check_p_values(np.where(is_never, 0, thresholds), name="thresholds")
    return np.where(is_never, NEVER, checked)


class CriticalVector:
    """Thresholds that bound the true discoveries of every set at once.

    Parameters
    ----------
    thresholds : array-like of shape (k_max,)
        ``t_1 <= t_2 <= ... <= t_K`` in [0, 1]. With probability at least ``1 - alpha``,
        fewer than u true nulls must have a p-value of at most ``t_u``, for all u at once.
        With an empty array, no set has a discovery. No p-value meets a threshold of -1,
        not even 0.

    Attributes
    ----------
    thresholds : ndarray of shape (k_max,)
        The thresholds.

    Raises
    ------
    ValueError
        If the thresholds are not one-dimensional, decrease, or are neither -1 nor in [0, 1].

    Notes
    -----
    The category of a p-value is ``c(p) = min { u : p <= t_u }``. A lower bound on the
    number of true discoveries in a set S, for all sets simultaneously, is

        d(S) = max(0, max_u [ 1 - u + #{ i in S : c(p_i) <= u } ])

    (for Simes-based vectors Goeman et al. 2019 [1]_; for any, Blanchard, Neuvial and
    Roquain 2020 [2]_). You need no correction if you bound several sets, or choose S
    after looking at the data.

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
        self.thresholds = _check_thresholds(thresholds)
        if (np.diff(self.thresholds) < 0).any():
            raise ValueError("thresholds must not decrease.")

    @classmethod
    def _of_checked(cls, thresholds: np.ndarray) -> CriticalVector:
        """Return the vector of thresholds that are known to be valid, without checks."""
        vector = cls.__new__(cls)
        vector.thresholds = thresholds
        return vector

    def __repr__(self) -> str:
        return f"CriticalVector(k_max={self.thresholds.size})"

    def categories(self, p_values: ArrayLike) -> np.ndarray:
        """Return the category of each p-value.

        Parameters
        ----------
        p_values : array-like of shape (n_elements,)
            P-values.

        Returns
        -------
        categories : ndarray of int of shape (n_elements,)
            From 1 to ``k_max``; ``k_max + 1`` for a p-value above all
            thresholds, which does not contribute to any bound.
        """
        return self._surplus(check_p_values(p_values)) + 1

    def _surplus(self, p_values: np.ndarray) -> np.ndarray:
        """Return the number of thresholds below each p-value, its category less one."""
        # In closed testing, the thresholds are multiples of the first. A division then
        # gives the number, except for ties and rounding. A search corrects wrong numbers.
        # Searching for all numbers would take ten times as long.
        n = self.thresholds.size
        if n == 0:
            return np.zeros(p_values.size, dtype=np.intp)
        factor = n / max(self.thresholds[-1], 1e-290)  # which is finite
        edges = np.concatenate([[-1], self.thresholds, [2]])
        surplus = np.empty(p_values.size, dtype=np.intp)
        for block in blocks(p_values.size):
            p, of_block = p_values[block], surplus[block]
            multiples = p * factor
            of_block[:] = np.minimum(multiples, n, out=multiples)
            above, below = edges[:-1].take(of_block), edges[1:].take(of_block)
            wrong = np.flatnonzero((p <= above) | (p > below))
            of_block[wrong] = np.searchsorted(self.thresholds, p[wrong], side="left")
        return surplus

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
        return int(self._by_label(p_values, np.zeros(p_values.size, dtype=np.uint8), 1)[0])

    def true_discoveries_by_label(
        self, p_values: ArrayLike, labels: ArrayLike, n_labels: int | None = None
    ) -> np.ndarray:
        """Return the lower bounds on the true discoveries of all sets of a partition.

        One pass bounds all sets, without a sort.

        Parameters
        ----------
        p_values : array-like of shape (n_elements,)
            P-values.

        labels : array-like of int of shape (n_elements,)
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
        labels, n_labels = check_labels(labels, p_values.size, n_labels, each="p-value")
        return self._by_label(p_values, labels, n_labels)

    def _by_label(self, p_values: np.ndarray, labels: np.ndarray, n_labels: int) -> np.ndarray:
        if self.thresholds.size == 0 or n_labels == 0:
            return np.zeros(n_labels, dtype=np.int64)
        counts = np.flatnonzero(p_values <= self.thresholds[-1])
        label = labels.take(counts).astype(np.intp, copy=False)
        sizes = np.bincount(label, minlength=n_labels)
        # d(S) = max_s [ #{ surplus <= s } - s ] for s = 0, 1, ..., size(S); a larger s gains
        # nothing. So the members of a set are counted in slots 0, 1, ..., size(S) by their
        # surplus. The last slot takes all larger ones. The slots of the sets follow each
        # other. Running sums replace a sort.
        first_slot = np.cumsum(sizes + 1) - (sizes + 1)
        slot = np.minimum(self._surplus(p_values.take(counts)), sizes.take(label))
        slot += first_slot.take(label)
        counts_less_one = np.bincount(slot, minlength=label.size + n_labels) - 1
        gain = np.maximum.reduceat(np.cumsum(counts_less_one), first_slot)
        # Each set has one slot more than members. s is the number of slots up to it, minus 1.
        return gain + np.arange(1, n_labels + 1)

    def true_discoveries_of_nested(self, p_values: ArrayLike, starts: ArrayLike) -> np.ndarray:
        """Return the bounds of sets that are disjoint or within each other.

        Parameters
        ----------
        p_values : array-like of shape (n,)
            P-values in an order in which each set is a range.

        starts : array-like of int of shape (n,)
            Where the set that ends at each position starts: set ``i`` is
            ``p_values[starts[i] : i + 1]``.

        Returns
        -------
        true_discoveries : ndarray of int32 of shape (n,)
            The bound of each set. In O(n log n) if the largest set within a set starts where
            the set does, as in :class:`~ari_estimator.graphs.ClusterForest`.

        Raises
        ------
        ValueError
            If there is not a start for each p-value, or one is out of range.
        """
        p_values = check_p_values(p_values)
        starts = np.asarray(starts)
        is_integer = starts.dtype.kind in "iu" and starts.shape == p_values.shape
        if not is_integer or any(
            ((starts[block] < 0) | (starts[block] > np.arange(block.start, block.stop))).any()
            for block in blocks(starts.size)
        ):
            raise ValueError(
                f"starts must be integers of shape {p_values.shape}, from 0 to the position of "
                f"each. Got shape {starts.shape} of {starts.dtype}."
            )
        return self._of_nested(p_values, None, starts)

    def _of_nested(
        self, p_values: np.ndarray, order: np.ndarray | None, starts: np.ndarray
    ) -> np.ndarray:
        """Return the bounds of nested sets of p-values, in the order given or in this order."""
        from ari_estimator.closed_testing._critical_vector_kernels import nested_true_discoveries

        if self.thresholds.size == 0:
            return np.zeros(p_values.size, dtype=np.int32)
        # Only few p-values count. The others are above all thresholds.
        surplus = np.full(p_values.size, self.thresholds.size, dtype=np.int32)
        counts = np.flatnonzero(p_values <= self.thresholds[-1])
        surplus[counts] = self._surplus(p_values.take(counts))
        if order is not None:
            surplus = surplus[order]
        n = p_values.size
        longest, taken = np.full(n, -1, dtype=np.int32), np.empty(n, dtype=np.int32)
        # Several times faster than a cumulative sum of bools.
        counting = (surplus < self.thresholds.size).astype(np.int32)
        np.cumsum(counting, out=counting)
        free = np.arange(self.thresholds.size, dtype=np.int32)
        bounds = np.zeros(n, dtype=np.int32)
        starts = starts.astype(np.int32, copy=False)
        nested_true_discoveries(surplus, starts, longest, counting, free, taken, bounds)
        return bounds

    def confidence_curve(self, p_values: ArrayLike, order: ArrayLike | None = None) -> np.ndarray:
        """Return the bounds of the first 1, 2, ..., n elements along an ordering.

        Parameters
        ----------
        p_values : array-like of shape (n_elements,)
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
            If the order names an element twice.
        IndexError
            If the order names an element that does not exist.
        """
        from ari_estimator.closed_testing._critical_vector_kernels import running_true_discoveries

        p_values = check_p_values(p_values)
        if order is None:
            order = np.argsort(p_values, kind="stable")
        joining = p_values[check_subset(order, p_values.size, name="order")]
        return running_true_discoveries(self._surplus(joining), self.thresholds.size)

    def concentrated(self, p_values: ArrayLike) -> CriticalVector:
        """Return the thresholds that matter for these p-values.

        Parameters
        ----------
        p_values : array-like of shape (n_elements,)
            P-values of the whole family.

        Returns
        -------
        critical_vector : CriticalVector
            The fewest first thresholds that give every set of these p-values the same bound.
            P-values above the last one do not contribute to any bound, so it is a natural
            height threshold. The vector is empty if no set has a discovery.

        Notes
        -----
        For a set S, let ``f_S(u) = 1 - u + #{i in S : p_i <= t_u}``. The bound is its maximum,
        or 0. For the family of all p-values, let ``f(u)`` have its first maximum at ``v``. For
        ``u > v``, S has no more p-values between ``t_v`` and ``t_u`` than the family:

            f_S(u) - f_S(v) <= f(u) - f(v) <= 0,

        so the thresholds after ``t_v`` are not needed. The bound of the family itself needs
        ``t_v``. If ``f(v) <= 0``, no set has a discovery, since ``f_S <= f``.
        """
        return self._concentrated(check_p_values(p_values))

    def _concentrated(self, p_values: np.ndarray) -> CriticalVector:
        n = self.thresholds.size
        if n == 0:
            return self
        counting = p_values.take(np.flatnonzero(p_values <= self.thresholds[-1]))
        up_to = np.cumsum(np.bincount(self._surplus(counting), minlength=n))
        gain = up_to - np.arange(n)
        last = int(np.argmax(gain))
        return self._of_checked(self.thresholds[: last + 1 if gain[last] > 0 else 0])
