"""The larger of several bounds for each set."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.closed_testing._simultaneous_bounds import SimultaneousBounds


class LargerBounds(SimultaneousBounds):
    """The larger of several bounds for each set.

    Parameters
    ----------
    p_values : ndarray of shape (n_elements,)
        P-values of the elements, which put them in order.

    parts : mapping of str to SimultaneousBounds
        The bounds by name, all of the same elements. They hold at once.

    Attributes
    ----------
    parts : dict of str to SimultaneousBounds
        The bounds by name.

    Examples
    --------
    >>> from ari_estimator.closed_testing import Hommel
    >>> from ari_estimator.closed_testing._larger_bounds import LargerBounds
    >>> test = Hommel([0.001, 0.02, 0.6])
    >>> bounds = LargerBounds(
    ...     test.p_values, {"strict": test.bounds(0.01), "lenient": test.bounds(0.05)}
    ... )
    >>> bounds.of_set(), {name: part.of_set() for name, part in bounds.parts.items()}
    (2, {'strict': 1, 'lenient': 2})
    """

    def __init__(self, p_values: np.ndarray, parts: Mapping[str, SimultaneousBounds]) -> None:
        self.p_values = p_values
        self.parts = dict(parts)

    def of_set(self, subset: ArrayLike | None = None) -> int:
        """Return the bound of one set, see :meth:`SimultaneousBounds.of_set`."""
        return max(part.of_set(subset) for part in self.parts.values())

    def by_label(
        self,
        labels: ArrayLike,
        n_labels: int | None = None,
        *,
        subset: ArrayLike | None = None,
    ) -> np.ndarray:
        """Return the bounds of all sets, see :meth:`SimultaneousBounds.by_label`."""
        found = [part.by_label(labels, n_labels, subset=subset) for part in self.parts.values()]
        return np.max(found, axis=0)

    def contributing(self) -> np.ndarray:
        """Return which elements can add to a bound by p-values.

        The concentration threshold follows from them.
        """
        return self._by_p_values("a concentration threshold").contributing()

    def of_nested(self, order: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Return the bounds of nested sets by p-values, see :meth:`SimultaneousBounds.of_nested`.

        Clusters of a forest are formed by these bounds. The clusters that are chosen get the larger
        bound.
        """
        return self._by_p_values("bounds of all clusters of a forest").of_nested(order, starts)

    def along(self, order: np.ndarray) -> np.ndarray:
        """Return the bounds along an order, see :meth:`SimultaneousBounds.along`."""
        return np.max([part.along(order) for part in self.parts.values()], axis=0)

    def _by_p_values(self, what: str) -> SimultaneousBounds:
        """Return the first bounds that come from a critical vector."""
        for part in self.parts.values():
            if part.critical_vector is not None:
                return part
        raise TypeError(
            f"Bounds from cluster extents do not have {what}. Add a PermutationCalibration to the "
            "JointCalibration: its bounds do."
        )
