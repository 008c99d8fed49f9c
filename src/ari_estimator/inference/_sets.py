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
        Number of the set that each entry belongs to: 1, 2, ...; 0 is the rest.

    ids : ndarray of int of shape (n_sets,)
        The id of each set, as tables show it.

    directions : list of str
        Direction of each set, such as "positive".

    threshold : float, or ndarray of shape (n_sets,)
        Threshold that formed the sets, or the threshold of each, on the scale of the statistic.
        NaN if no threshold formed them.

    tdp_threshold : float or None
        TDP that the user asked for; None if the user asked for something else.

    elements : ndarray of int of shape (n_members,), or None
        The element that each entry of ``labels`` belongs to. If sets overlap, an element in two
        sets has two entries. None if the first entry belongs to the first element, the second
        entry to the second element, and so on.

    names : list of str, or None
        Names of the sets, if they are regions.

    rest_id : int
        The id of the rest.

    shown_tdp : ndarray of shape (n_tested,), or None
        TDP that each element shows; None if each element shows the TDP of its set.

    forest : TDPForest or None
        All clusters of the map, if the sets are some of them.
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
