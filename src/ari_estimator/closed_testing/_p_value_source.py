"""P-values of a family, which need not all be known."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class PValueSource(Protocol):
    """P-values of the elements of a family.

    Bounds at a level depend only on the p-values up to that level. A source may leave the others
    unknown until somebody asks for them: most elements of a map are far above the level, and a
    p-value of t takes longer than all the rest of a test.
    """

    @property
    def n_tested(self) -> int:
        """Number of elements."""

    @property
    def p_values(self) -> np.ndarray:
        """All p-values, of shape (n_tested,), in [0, 1] and without NaN. They must not change."""

    def p_values_up_to(self, level: float) -> np.ndarray:
        """Return the p-values up to a level.

        Parameters
        ----------
        level : float
            A level in [0, 1].

        Returns
        -------
        p_values : ndarray of shape (n_tested,)
            P-values up to the level as they are. For each of the others, its p-value or 1.
        """

    def sorted_up_to(self, level: float) -> np.ndarray:
        """Return the p-values up to a level, ascending.

        Parameters
        ----------
        level : float
            A level in [0, 1].

        Returns
        -------
        p_values : ndarray of shape (n_small,)
            The p-values that are at most the level.
        """


class KnownPValues:
    """P-values that are all known.

    Parameters
    ----------
    p_values : ndarray of float64 of shape (n_tested,)
        In [0, 1], without NaN. They are neither checked nor copied.
    """

    def __init__(self, p_values: np.ndarray) -> None:
        self.p_values = p_values

    @property
    def n_tested(self) -> int:
        """Number of elements."""
        return self.p_values.size

    def p_values_up_to(self, level: float) -> np.ndarray:
        """Return all p-values."""
        return self.p_values

    def sorted_up_to(self, level: float) -> np.ndarray:
        """Return the p-values up to a level, ascending."""
        return np.sort(self.p_values.take(np.flatnonzero(self.p_values <= level)))


class PartialPValues:
    """P-values that are known up to a level.

    Parameters
    ----------
    level : float
        The level.

    n_tested : int
        Number of elements of the family.

    elements : ndarray of int of shape (n_known,)
        Elements whose p-values are known. All others have p-values above the level.

    known : ndarray of shape (n_known,)
        Their p-values.

    Attributes
    ----------
    p_values : ndarray of shape (n_tested,)
        The p-values that are known, and 1 for the others.
    """

    def __init__(
        self, level: float, n_tested: int, elements: np.ndarray, known: np.ndarray
    ) -> None:
        self.level = level
        self._known = known
        self.p_values = np.ones(n_tested)
        self.p_values[elements] = known

    def sorted_up_to(self, level: float) -> np.ndarray:
        """Return the p-values up to a level that is not above the own level, ascending."""
        return np.sort(self._known[self._known <= level])
