"""Sets of elements of one map."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ari_estimator._blocks import blocks
from ari_estimator.inference._tdp_forest import TDPForest


@dataclass(frozen=True)
class Sets:
    """Sets of tested elements and the rest, for bounds, images and tables.

    Attributes
    ----------
    labels : ndarray of int of shape (n_members,)
        Number of the set of each entry: 1, 2, ...; 0 is the rest.

    ids : ndarray of int of shape (n_sets,)
        Id of each set, as shown in tables.

    directions : list of str
        Direction of each set, such as "positive".

    threshold : float, or ndarray of shape (n_sets,)
        Threshold of the sets, or of each set, on the scale of the statistic. NaN if the sets have
        no threshold.

    tdp_threshold : float or None
        TDP requested by the user; None if the sets are not defined by a TDP.

    elements : ndarray of int of shape (n_members,), or None
        The element of each entry of ``labels``. If sets overlap, an element in two sets has two
        entries. None if the first entry belongs to the first element, the second entry to the
        second element, and so on.

    names : list of str, or None
        Names of the sets, if they are regions.

    rest_id : int
        Id of the rest.

    shown_tdp : ndarray of shape (n_tested,), or None
        TDP to show at each element; None to show the TDP of its set.

    forest : TDPForest or None
        All clusters of the map, if the sets are some of them.

    counts : ndarray of int of shape (n_sets + 1,), or None
        The sizes, if the maker of the sets knows them.
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
    counts: np.ndarray | None = None

    @cached_property
    def sizes(self) -> np.ndarray:
        """Number of entries of the rest and of each set, an array of int of shape (n_sets + 1,)."""
        if self.counts is not None:
            return self.counts
        counts = np.zeros(self.ids.size + 1, dtype=np.intp)
        for block in blocks(self.labels.size):
            counts += np.bincount(self.labels[block], minlength=counts.size)
        return counts

    @property
    def members(self) -> np.ndarray:
        """The element of each label, an array of int of shape (n_members,)."""
        return np.arange(self.labels.size) if self.elements is None else self.elements
