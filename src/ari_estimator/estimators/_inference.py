"""From one masked map to the true discovery proportions of sets: arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ari_estimator.closed_testing import Hommel
from ari_estimator.closed_testing._local_tests import LocalTest
from ari_estimator.estimators._cluster_table import cluster_table, describe_sets
from ari_estimator.estimators._family import MapFamily, form_family
from ari_estimator.estimators._maps import unmask
from ari_estimator.estimators._supra_threshold import ClusterSets


@dataclass(frozen=True)
class MapInference:
    """What is learned from one map.

    Attributes
    ----------
    labels : ndarray of int32 of shape (n_voxels,)
        Row of the table (``cluster_id``) that each voxel shows, 0 outside of clusters.

    table : pandas.DataFrame
        One row for each cluster and one for the rest.

    hommel : Hommel
        Closed testing of the tested voxels.

    true_discoveries : int
        Lower bound on the true discoveries among all tested voxels.
    """

    labels: np.ndarray
    table: pd.DataFrame
    hommel: Hommel
    true_discoveries: int

    @property
    def tdp(self) -> np.ndarray:
        """TDP of the cluster that each voxel shows, 0 outside of clusters."""
        # Clusters are the rows 0, 1, ... of the table, as 1, 2, ...; the rest is last.
        of_label = np.r_[0.0, self.table["tdp"].to_numpy()[:-1]]
        return of_label[self.labels]

    @property
    def n_tested(self) -> int:
        """Number of voxels tested."""
        return self.hommel.n_hypotheses


def infer_map(
    z: np.ndarray,
    mask: np.ndarray,
    affine: np.ndarray,
    make_sets: Callable[[MapFamily], list[ClusterSets]],
    *,
    alpha: float,
    two_sided: bool,
    local_test: LocalTest,
) -> MapInference:
    """Test one map and bound the true discoveries of its sets.

    Parameters
    ----------
    z : ndarray of shape (n_voxels,)
        z values in the mask; NaN where there is none.

    mask : ndarray of bool of shape (nx, ny, nz)
        Mask of ``n_voxels`` voxels.

    affine : ndarray of shape (4, 4)
        From voxel indices to millimetres.

    make_sets : callable
        Gives the sets of a tested map, as one or more partitions; a voxel shows its set in
        the last partition that has it in one.

    alpha : float
        Error level.

    two_sided : bool
        Whether deviations in both directions count.

    local_test : {"simes", "hommel"}
        The local test.

    Returns
    -------
    inference : MapInference
        The result.
    """
    family, is_tested = form_family(
        z, mask, affine, alpha=alpha, two_sided=two_sided, local_test=local_test
    )
    labels = np.zeros(family.z.size, dtype=np.int32)
    descriptions = []
    n_before = 0
    for sets in make_sets(family):
        n_sets = sets.directions.size
        bounds = family.critical_vector.true_discoveries_by_label(
            family.p_values, sets.labels, n_sets + 1
        )
        descriptions.append(describe_sets(family, sets, bounds))
        shown = sets.labels > 0
        labels[shown] = n_before + sets.labels[shown]
        n_before += n_sets
    if labels.size < is_tested.size:
        labels = unmask(labels, is_tested)
    return MapInference(
        labels,
        cluster_table(descriptions),
        family.hommel,
        family.hommel.true_discoveries(alpha),
    )
