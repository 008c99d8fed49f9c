"""Sets of elements of one map, however they were made."""

from __future__ import annotations

from dataclasses import dataclass

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

    elements : ndarray of int of shape (n_members,), or None
        The element of each entry of ``labels``; sets that overlap need more than one entry for
        some elements. None if there is one entry for each element, in order.

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
    elements: np.ndarray | None = None
    names: list[str] | None = None
    rest_id: int = 0
    shown_tdp: np.ndarray | None = None
    forest: TDPForest | None = None

    @property
    def members(self) -> np.ndarray:
        """The element of each label, an array of int of shape (n_members,)."""
        return np.arange(self.labels.size) if self.elements is None else self.elements
