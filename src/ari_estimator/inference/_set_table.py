"""The table of sets, one row each and one for the rest of the brain."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ari_estimator.inference._map_family import MapFamily
from ari_estimator.inference._sets import Sets


def set_table(family: MapFamily, partitions: list[Sets], bounds: list[np.ndarray]) -> pd.DataFrame:
    """Describe the sets of a map.

    Parameters
    ----------
    family : MapFamily
        The map.

    partitions : list of Sets
        Its sets, one partition for each threshold.

    bounds : list of ndarray of int of shape (n_sets + 1,)
        True discoveries of the rest and of each set.

    Returns
    -------
    table : pandas.DataFrame
        The sets of the first partition, then the sets of the next ones. The last row, with id 0, is
        the rest of the brain: all elements in no set of the first partition.
    """
    descriptions = [
        _describe(family, sets, of_sets) for sets, of_sets in zip(partitions, bounds, strict=True)
    ]
    rest = descriptions[0].iloc[:1]
    return pd.concat([*(frame.iloc[1:] for frame in descriptions), rest], ignore_index=True)


def _describe(family: MapFamily, sets: Sets, bounds: np.ndarray) -> pd.DataFrame:
    """Describe the sets of one partition, a row for each label, the rest (0) first."""
    n_labels = sets.ids.size + 1
    counts = np.bincount(sets.labels, minlength=n_labels)
    evidence = family.peak_evidence
    if sets.elements is None:
        peaks = strongest(evidence, sets.labels, n_labels)
    else:
        peaks = sets.elements[strongest(evidence[sets.elements], sets.labels, n_labels)]
    places = family.space.locate(peaks).add_prefix("peak_")
    sizes = family.space.sizes(sets.labels, n_labels, sets.elements)
    is_region = sets.names is not None
    description = pd.DataFrame(
        {"region_id" if is_region else "cluster_id": np.r_[sets.rest_id, sets.ids]}
    )
    if is_region:
        description["region"] = ["rest", *(sets.names or [])]
    else:
        if sets.tdp_threshold is not None:
            description["tdp_threshold"] = np.r_[np.nan, np.full(sets.ids.size, sets.tdp_threshold)]
        description["threshold"] = np.r_[np.nan, np.broadcast_to(sets.threshold, sets.ids.size)]
        description["direction"] = ["rest", *sets.directions]
    description[f"n_{family.space.element_name[1]}"] = counts
    for unit, values in sizes.items():
        description[f"size_{unit}"] = values
    description["true_discoveries"] = bounds
    description["tdp"] = bounds / np.maximum(counts, 1)
    description["peak_stat"] = family.stat[peaks]
    description = pd.concat([description, places], axis=1)
    # Of nothing there is no peak, and no proportion: of the rest, where clusters fill the
    # brain, or of a region outside of the mask.
    of_members = ["tdp", "peak_stat", *places.columns]
    for column in of_members:
        description[column] = description[column].where(counts > 0)
    return description


def strongest(evidence: np.ndarray, labels: np.ndarray, n_labels: int) -> np.ndarray:
    """Return the position of the strongest evidence of each label.

    Parameters
    ----------
    evidence : ndarray of shape (n,)
        Larger is stronger.

    labels : ndarray of int of shape (n,)
        Labels.

    n_labels : int
        Number of labels.

    Returns
    -------
    positions : ndarray of int of shape (n_labels,)
        Of equally strong ones the first; 0 for a label that is not there.
    """
    highest = np.full(n_labels, -np.inf)
    np.maximum.at(highest, labels, evidence)
    candidates = np.flatnonzero(evidence == highest[labels])
    positions = np.zeros(n_labels, dtype=np.intp)
    # Written from the last to the first: of equal peaks the first stays.
    positions[labels[candidates][::-1]] = candidates[::-1]
    return positions
