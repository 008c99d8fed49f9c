"""Sets of elements of one map, however they were made."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ari_estimator.inference._tdp_forest import TDPForest


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

    threshold : float, or ndarray of shape (n_sets,)
        Threshold that formed them, or each of them, on the scale of the statistic; NaN if
        none did.

    tdp_threshold : float or None
        TDP that was asked for, where the sets are those that have it.

    elements : ndarray of int of shape (n_members,), or slice
        The element of each entry of ``labels``. By default there is one entry for each element,
        in order; sets that overlap need more entries.

    names : list of str, or None
        Names of the sets, of regions.

    rest_id : int
        What the rest is called.

    shown_tdp : ndarray of shape (n_tested,), or None
        TDP that each element shows, where it is not that of its set.

    forest : TDPForest or None
        All clusters of the map, where the sets are some of these.
    """

    labels: np.ndarray
    ids: np.ndarray
    directions: list[str]
    threshold: float | np.ndarray = np.nan
    tdp_threshold: float | None = None
    elements: np.ndarray | slice = field(default_factory=lambda: slice(None))
    names: list[str] | None = None
    rest_id: int = 0
    shown_tdp: np.ndarray | None = None
    forest: TDPForest | None = None

    @property
    def subset(self) -> np.ndarray | None:
        """The elements as an argument of bounds: None for all of them, in order."""
        return None if isinstance(self.elements, slice) else self.elements

    @property
    def members(self) -> np.ndarray:
        """The element that each label is of, an array of int of shape (n_members,)."""
        return np.arange(self.labels.size) if isinstance(self.elements, slice) else self.elements

    @property
    def overlap(self) -> bool:
        """Whether an element may be in several of them."""
        return not isinstance(self.elements, slice)

    @property
    def n_sets(self) -> int:
        """Number of sets, without the rest."""
        return self.ids.size
