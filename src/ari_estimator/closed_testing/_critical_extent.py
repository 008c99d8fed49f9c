"""Base of critical extents: the size that no component of true nulls exceeds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np


class CriticalExtent(ABC):
    """The largest size that a supra-threshold component of true nulls has, at any error level.

    With probability at least ``1 - alpha``, no set of true nulls holds a connected supra-threshold
    component of more than ``at(alpha)`` elements.

    See Also
    --------
    KnownExtent : A size that is known at one level.
    GaussianFieldExtent : Sizes from random field theory.
    CalibratedExtent : Sizes from permutations.

    Examples
    --------
    >>> from ari_estimator.closed_testing import CriticalExtent, KnownExtent
    >>> def smallest_significant(extent: CriticalExtent) -> int:
    ...     return extent.at(0.05) + 1
    >>> smallest_significant(KnownExtent(48))
    48
    """

    kind: ClassVar[str]

    # Whether sizes are known at every error level, and so p-values of clusters.
    knows_every_level: ClassVar[bool] = True

    @abstractmethod
    def at(self, alpha: float) -> int:
        """Return the critical extent ``k`` at one error level.

        Parameters
        ----------
        alpha : float
            Error level, strictly between 0 and 1.

        Returns
        -------
        k : int
            At least 0. Clusters of more than ``k`` elements are significant.

        Raises
        ------
        ValueError
            If the extent is not known at this level.
        """

    @abstractmethod
    def p_values(self, sizes: np.ndarray) -> np.ndarray:
        """Return the adjusted p-values of clusters.

        Parameters
        ----------
        sizes : ndarray of int of shape (n,)
            Numbers of elements, at least 0.

        Returns
        -------
        p_values : ndarray of shape (n,)
            The smallest ``alpha`` with ``at(alpha) < size``; 1 if there is none.
        """

    def peak_p_values(self, p_values: np.ndarray) -> np.ndarray | None:
        """Return the adjusted p-values of peaks.

        Parameters
        ----------
        p_values : ndarray of shape (n,)
            P-values of elements.

        Returns
        -------
        p_values : ndarray of shape (n,), or None
            Their p-values, adjusted for all elements. None if they are not known.
        """
        return None

    def interval(self, alpha: float) -> tuple[int, int] | None:
        """Return the ends of a 95 % Monte Carlo interval for ``at(alpha)``.

        Parameters
        ----------
        alpha : float
            Error level, strictly between 0 and 1.

        Returns
        -------
        low, high : int, or None
            The ends. None if nothing is random.
        """
        return None

    @abstractmethod
    def describe(self, alpha: float) -> dict[str, Any]:
        """Describe where the extent comes from.

        Parameters
        ----------
        alpha : float
            Error level.

        Returns
        -------
        description : dict
            ``sentence``, ``assumption``, ``references`` and ``values``, see
            :meth:`SimultaneousTest.describe`.
        """

    @abstractmethod
    def to_arrays(self) -> dict[str, Any]:
        """Return the extent as arrays. It can be restored from them.

        Returns
        -------
        arrays : dict
            Arrays, numbers and strings, by name.
        """

    @classmethod
    @abstractmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> CriticalExtent:
        """Restore the extent from arrays, perhaps of an untrusted file.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            The result of :meth:`to_arrays`.

        Returns
        -------
        critical_extent : CriticalExtent
            The extent.
        """
