"""From one masked map to the true discovery proportions of sets: arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ari_estimator._version import __version__
from ari_estimator.estimators._family import MapFamily, form_family
from ari_estimator.estimators._set_table import set_table
from ari_estimator.estimators._sets import Sets
from ari_estimator.estimators._statistic import Statistic
from ari_estimator.estimators._test_makers import TestMaker
from ari_estimator.images._frame import put
from ari_estimator.images._space import Space

SetMaker = Callable[[MapFamily], list[Sets]]


@dataclass(frozen=True)
class MapInference:
    """What is learned from one map.

    Attributes
    ----------
    family : MapFamily
        The tested map.

    partitions : list of Sets
        Its sets, from the most lenient threshold to the strictest where there are several.

    bounds : list of ndarray of int of shape (n_sets + 1,)
        True discoveries of the rest and of the sets of each partition.
    """

    family: MapFamily
    partitions: list[Sets]
    bounds: list[np.ndarray]

    @property
    def table(self) -> pd.DataFrame:
        """One row for each set and one for the rest."""
        return set_table(self.family, self.partitions, self.bounds)

    @property
    def n_sets(self) -> int:
        """Number of sets, without the rest."""
        return sum(sets.n_sets for sets in self.partitions)

    @property
    def labels(self) -> np.ndarray:
        """Id of the set that each element shows, an array of int32 of shape (n_elements,)."""
        ids = [np.r_[0, sets.ids].astype(np.int32) for sets in self.partitions]
        return self._shown(ids)

    @property
    def tdp(self) -> np.ndarray:
        """TDP of the set that each element shows, an array of shape (n_elements,)."""
        given = self.partitions[-1].shown_tdp
        if given is not None:
            return self._everywhere(given)
        return self._shown([np.r_[0.0, proportions] for proportions in self.set_tdps])

    @property
    def set_tdps(self) -> list[np.ndarray]:
        """TDP of the sets of each partition, NaN for those that are empty."""
        tdps = []
        for sets, bounds in zip(self.partitions, self.bounds, strict=True):
            sizes = np.bincount(sets.labels, minlength=sets.n_sets + 1)[1:]
            tdps.append(np.where(sizes, bounds[1:] / np.maximum(sizes, 1), np.nan))
        return tdps

    def _shown(self, by_label: list[np.ndarray]) -> np.ndarray:
        """Return what each element shows: its set in the last partition that has it in one."""
        shown = by_label[0][self.partitions[0].labels]
        for sets, values in zip(self.partitions[1:], by_label[1:], strict=True):
            inside = sets.labels > 0
            shown[inside] = values[sets.labels[inside]]
        return self._everywhere(shown)

    def _everywhere(self, shown: np.ndarray) -> np.ndarray:
        """Return values of tested elements for all elements of the mask, 0 for the others."""
        is_tested = self.family.is_tested
        return shown if shown.size == is_tested.size else put(shown, is_tested)


def infer_map(
    values: np.ndarray,
    space: Space,
    statistic: Statistic,
    make_sets: SetMaker,
    *,
    alpha: float,
    make_test: TestMaker,
    version: str = __version__,
) -> MapInference:
    """Test one map and bound the true discoveries of its sets.

    Parameters
    ----------
    values : ndarray of shape (n_elements,)
        Values in the mask; NaN where there is none.

    space : Space
        Where the elements lie.

    statistic : Statistic
        What the values are.

    make_sets : callable
        Gives the sets of a tested map, as one or more partitions.

    alpha : float
        Error level.

    make_test : callable
        Gives the test, see :mod:`~ari_estimator.estimators._test_makers`.

    version : str
        Version of the package: a cache must not give what an older one has found.

    Returns
    -------
    inference : MapInference
        The result.
    """
    family = form_family(values, space, statistic, alpha=alpha, make_test=make_test)
    partitions = make_sets(family)
    bounds = [
        family.critical_vector.true_discoveries_by_label(
            family.p_values[sets.elements], sets.labels, sets.n_sets + 1
        )
        for sets in partitions
    ]
    return MapInference(family, partitions, bounds)
