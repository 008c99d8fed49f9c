"""Sets of elements of one map, however they were made."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Sets:
    """Sets of tested elements, and the rest: what bounds, images and tables are made of.

    Attributes
    ----------
    labels : ndarray of int of shape (n_members,)
        1, 2, ... in the sets; 0 in the rest.

    ids : ndarray of int of shape (n_sets,)
        What the sets are called.

    directions : list of str
        Which deviations each set is of.

    threshold : float
        Threshold that formed them, on the scale of the statistic; NaN if none did.

    elements : ndarray of int of shape (n_members,), or slice
        The element that each entry of ``labels`` is of; by default all in their order, for
        sets that do not overlap.

    names : list of str, or None
        Names of the sets, of regions.

    rest_id : int
        What the rest is called.
    """

    labels: np.ndarray
    ids: np.ndarray
    directions: list[str]
    threshold: float = np.nan
    elements: np.ndarray | slice = field(default_factory=lambda: slice(None))
    names: list[str] | None = None
    rest_id: int = 0

    @property
    def n_sets(self) -> int:
        """Number of sets, without the rest."""
        return self.ids.size
