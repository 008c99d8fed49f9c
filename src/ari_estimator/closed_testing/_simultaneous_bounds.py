"""Bounds of all sets at one error level."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.closed_testing._critical_vector import CriticalVector


class SimultaneousBounds(ABC):
    """Lower bounds on the true discoveries of all sets at once, at one error level.

    Attributes
    ----------
    p_values : ndarray of shape (n_elements,)
        P-values of the elements, which also put them in order.

    critical_vector : CriticalVector or None
        The critical vector that the bounds come from. None if they come from something else.

    sides : mapping of str to SimultaneousBounds
        The bounds of ``"positive"`` and ``"negative"`` effects, whose sum these bounds are. Empty
        if the bounds make no statement on signs.

    parts : mapping of str to SimultaneousBounds
        Several bounds by name. Each set has the largest of them. Empty if there is only one kind.

    See Also
    --------
    SimultaneousTest.bounds : Where they come from.

    Examples
    --------
    >>> from ari_estimator.closed_testing import Hommel
    >>> bounds = Hommel([0.001, 0.01, 0.02, 0.6]).bounds(alpha=0.05)
    >>> bounds.of_set(), bounds.of_set([0, 3])
    (3, 1)
    >>> bounds.by_label([0, 0, 1, 1])
    array([2, 1])
    """

    p_values: np.ndarray
    critical_vector: CriticalVector | None = None
    sides: Mapping[str, SimultaneousBounds] = MappingProxyType({})
    parts: Mapping[str, SimultaneousBounds] = MappingProxyType({})

    @abstractmethod
    def of_set(self, subset: ArrayLike | None = None) -> int:
        """Return the bound of one set.

        Parameters
        ----------
        subset : array-like of int or bool, optional
            Indices of the elements of the set, or a mask of shape (n_elements,). By default all
            elements.

        Returns
        -------
        true_discoveries : int
            Lower bound on the number of true discoveries in the set.
        """

    @abstractmethod
    def by_label(
        self,
        labels: ArrayLike,
        n_labels: int | None = None,
        *,
        subset: ArrayLike | None = None,
    ) -> np.ndarray:
        """Return the bounds of all sets of a labelling.

        Parameters
        ----------
        labels : array-like of int of shape (n,)
            The set of each element, from 0; or of each entry of ``subset``, if that is given.

        n_labels : int, optional
            Number of sets; by default one more than the largest label.

        subset : array-like of int or bool, optional
            Indices of elements, or a mask of shape (n_elements,). An index may be repeated with
            other labels, so that sets may overlap. By default every element, once.

        Returns
        -------
        true_discoveries : ndarray of int of shape (n_labels,)
            The bound of each set; 0 for a set without members.
        """

    def contributing(self) -> np.ndarray:
        """Return which elements can add to the bound of some set.

        Returns
        -------
        contributing : ndarray of bool of shape (n_elements,)
            The elements, from which the concentration threshold follows.

        Raises
        ------
        TypeError
            If the test cannot tell.
        """
        raise TypeError(f"{type(self).__name__} has no concentration threshold.")

    def of_nested(self, order: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Return the bounds of sets that are disjoint or within each other, as in a forest.

        Parameters
        ----------
        order : ndarray of int of shape (n_elements,)
            The elements, in an order in which each set is a range.

        starts : ndarray of int of shape (n_elements,)
            Where the set that ends at each position starts.

        Returns
        -------
        true_discoveries : ndarray of int of shape (n_elements,)
            The bound of the set that ends at each position.

        Raises
        ------
        TypeError
            If the test cannot bound all sets of a forest.
        """
        raise TypeError(f"{type(self).__name__} cannot bound all clusters of a forest.")

    def along(self, order: np.ndarray) -> np.ndarray:
        """Return the bounds of the first 1, 2, ..., n elements of an order.

        Parameters
        ----------
        order : ndarray of int of shape (n,)
            Indices of elements, none of them twice.

        Returns
        -------
        true_discoveries : ndarray of int of shape (n,)
            The bound of the first ``k`` elements at position ``k - 1``.
        """
        return np.array([self.of_set(order[:k]) for k in range(1, order.size + 1)], dtype=np.int64)
