"""The table of clusters, one row each and one for the rest of the brain."""

from __future__ import annotations

import numpy as np
import pandas as pd
from nibabel.affines import apply_affine

from ari_estimator.estimators._family import MapFamily
from ari_estimator.estimators._supra_threshold import ClusterSets

_DIRECTION_NAMES = {1: "positive", -1: "negative", 0: "rest"}


def describe_sets(family: MapFamily, sets: ClusterSets, bounds: np.ndarray) -> pd.DataFrame:
    """Describe the sets that one threshold makes.

    Parameters
    ----------
    family : MapFamily
        The map.

    sets : ClusterSets
        The clusters.

    bounds : ndarray of int of shape (n_clusters + 1,)
        True discoveries of the rest and of each cluster.

    Returns
    -------
    description : pandas.DataFrame
        One row for each label, the rest (label 0) first.
    """
    n_sets = bounds.size
    sizes = np.bincount(sets.labels, minlength=n_sets)
    peaks = _peaks(family.evidence, sets.labels, n_sets)
    flat = np.flatnonzero(family.mask)[peaks]
    xyz = apply_affine(family.affine, np.column_stack(np.unravel_index(flat, family.mask.shape)))
    description = pd.DataFrame(
        {
            "threshold": sets.threshold,
            "direction": [_DIRECTION_NAMES[d] for d in (0, *sets.directions.tolist())],
            "n_voxels": sizes,
            "size_mm3": sizes * abs(np.linalg.det(family.affine[:3, :3])),
            "true_discoveries": bounds,
            "tdp": bounds / np.maximum(sizes, 1),
            "peak_stat": family.z[peaks],
            "peak_x": xyz[:, 0],
            "peak_y": xyz[:, 1],
            "peak_z": xyz[:, 2],
        }
    )
    description.loc[0, "threshold"] = np.nan
    # Where clusters fill the brain the rest is empty: no peak, and a proportion of nothing.
    description.loc[sizes == 0, ["tdp", "peak_stat", "peak_x", "peak_y", "peak_z"]] = np.nan
    return description


def cluster_table(descriptions: list[pd.DataFrame]) -> pd.DataFrame:
    """Join the descriptions of all thresholds into one table.

    Parameters
    ----------
    descriptions : list of pandas.DataFrame
        From :func:`describe_sets`, by ascending threshold.

    Returns
    -------
    table : pandas.DataFrame
        Clusters by threshold and, within, from the largest to the smallest, with
        ``cluster_id`` 1, 2, ...; then, as 0, the rest of the brain: what is in no cluster
        at the lowest threshold.
    """
    rest = descriptions[0].iloc[:1]
    table = pd.concat([*(frame.iloc[1:] for frame in descriptions), rest], ignore_index=True)
    table.insert(0, "cluster_id", np.r_[1 : len(table), 0])
    return table


def _peaks(evidence: np.ndarray, labels: np.ndarray, n_sets: int) -> np.ndarray:
    """Return the voxel of the strongest evidence in each set (any voxel for an empty set)."""
    strongest = np.full(n_sets, -np.inf)
    np.maximum.at(strongest, labels, evidence)
    candidates = np.flatnonzero(evidence == strongest[labels])
    voxels = np.zeros(n_sets, dtype=np.intp)
    # Written from the last to the first: of equal peaks the first stays.
    voxels[labels[candidates][::-1]] = candidates[::-1]
    return voxels
