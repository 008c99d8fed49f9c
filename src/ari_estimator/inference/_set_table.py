"""The table of sets, with a row for each set and one for the rest of the brain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pandas as pd

from ari_estimator._blocks import blocks
from ari_estimator.inference._map_family import MapFamily
from ari_estimator.inference._sets import Sets

_ALL = slice(None)

# Columns that the table does not show: the peak among the elements, and whether there is none.
_PEAK, _IS_EMPTY = "", " "


def set_table(
    family: MapFamily,
    partitions: list[Sets],
    bounds: list[np.ndarray],
    ends: list[list[np.ndarray]] | None = None,
    sides: Mapping[str, list[np.ndarray]] = MappingProxyType({}),
    parts: Mapping[str, list[np.ndarray]] = MappingProxyType({}),
    p_values: list[dict[str, np.ndarray]] | None = None,
) -> pd.DataFrame:
    """Return the table of the sets of a map.

    Parameters
    ----------
    family : MapFamily
        The map.

    partitions : list of Sets
        The sets, with one partition for each threshold.

    bounds : list of ndarray of int of shape (n_sets + 1,)
        True discoveries of the rest and of each set.

    ends : list of two such lists, or None, default=None
        The bounds at both ends of the Monte Carlo interval.

    sides : mapping of str to list of ndarray of int of shape (n_sets + 1,), optional
        The bounds of positive and negative effects, if the test states signs.

    parts : mapping of str to list of ndarray of int of shape (n_sets + 1,), optional
        The bounds by name, if each set has the larger of several.

    p_values : list of dict of str to ndarray of shape (n_sets + 1,), or None, default=None
        Familywise p-values of the rest and of each set, by the name of the column.

    Returns
    -------
    table : pandas.DataFrame
        The sets of the first partition, followed by the sets of the other partitions. The last row,
        with id 0, is the rest of the brain: all elements outside the sets of the first partition.
    """
    columns = [{"true_discoveries": of_sets} for of_sets in bounds]
    for name, of_end in zip(("low", "high"), ends or (), strict=False):
        for column, of_sets in zip(columns, of_end, strict=True):
            column[f"true_discoveries_{name}"] = of_sets
    for side, of_side in sides.items():
        for column, of_sets in zip(columns, of_side, strict=True):
            column[f"true_discoveries_{side}"] = of_sets
    for i, of_sets in enumerate(bounds):
        if parts:
            columns[i]["bound_by"] = _bound_by({n: of[i] for n, of in parts.items()}, of_sets)
    familywise = p_values or [{} for _ in partitions]
    # The table shows the rest of the first partition alone.
    shown = [partitions[0], *map(_without_rest, partitions[1:])]
    descriptions = [
        _describe(family, sets, counts, of_sets)
        for sets, counts, of_sets in zip(shown, columns, familywise, strict=True)
    ]
    # One table from whole columns: pandas takes longer for each step than numpy for all of them.
    in_rows = {
        name: np.concatenate([*(d[name][1:] for d in descriptions), descriptions[0][name][:1]])
        for name in descriptions[0]
    }
    is_empty = in_rows.pop(_IS_EMPTY)
    places = family.space.locate(in_rows.pop(_PEAK)).add_prefix("peak_")
    table = pd.DataFrame({**in_rows, **places})
    if is_empty.any():
        # Empty sets have no peak and no proportion. Examples are the rest where clusters fill the
        # brain, and a region outside the mask.
        for column in ("tdp", "peak_stat", *places.columns):
            table[column] = table[column].where(~is_empty)
    return table


def _without_rest(sets: Sets) -> Sets:
    """Return the members of sets alone. Numbers and sizes stay."""
    members = np.flatnonzero(sets.labels > 0)
    elements = members if sets.elements is None else sets.elements[members]
    return replace(sets, labels=sets.labels[members], elements=elements, counts=sets.sizes)


def _bound_by(parts: Mapping[str, np.ndarray], largest: np.ndarray) -> np.ndarray:
    """Return the names of the bounds that are the largest one of each set; "none" if it is 0."""
    reached = [
        " and ".join(name for name, of_sets in parts.items() if of_sets[i] == largest[i])
        for i in range(largest.size)
    ]
    return np.where(largest > 0, reached, "none").astype(object)


def _describe(
    family: MapFamily,
    sets: Sets,
    bounds: dict[str, np.ndarray],
    p_values: dict[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """Return the columns of one partition, with an entry for each label. The rest (0) is first."""
    n_labels = sets.ids.size + 1
    counts = sets.sizes
    members, ranks_of = sets.elements, family.space.ranks_of
    if members is None:
        peaks = strongest(
            lambda block: peak_evidence(family, block), ranks_of, sets.labels, n_labels
        )
    elif not members.size:
        peaks = np.zeros(n_labels, dtype=np.intp)
    else:
        peaks = members[
            strongest(
                lambda block: peak_evidence(family, members[block]),
                lambda found: ranks_of(members[found]),
                sets.labels,
                n_labels,
            )
        ]
    sizes = family.space.sizes(sets.labels, n_labels, sets.elements)
    is_region = sets.names is not None
    columns = {"region_id" if is_region else "cluster_id": np.r_[sets.rest_id, sets.ids]}
    if is_region:
        columns["region"] = np.array(["rest", *(sets.names or [])], dtype=object)
    else:
        if sets.tdp_threshold is not None:
            columns["tdp_threshold"] = np.r_[np.nan, np.full(sets.ids.size, sets.tdp_threshold)]
        columns["threshold"] = np.r_[np.nan, np.broadcast_to(sets.threshold, sets.ids.size)]
        columns["direction"] = np.array(["rest", *sets.directions], dtype=object)
    columns[f"n_{family.space.element_name[1]}"] = counts
    for unit, values in sizes.items():
        columns[f"size_{unit}"] = values
    columns |= bounds
    columns["tdp"] = bounds["true_discoveries"] / np.maximum(counts, 1)
    columns |= p_values
    columns["peak_stat"] = family.stat[peaks]
    return {**columns, _PEAK: peaks, _IS_EMPTY: counts == 0}


def peak_evidence(family: MapFamily, which: slice | np.ndarray = _ALL) -> np.ndarray:
    """Return the evidence in which to find peaks, with infinite values below all others.

    Parameters
    ----------
    family : MapFamily
        The map.

    which : slice or ndarray of int, optional
        Some of the tested elements. By default all of them.

    Returns
    -------
    evidence : ndarray of shape (n,)
        Larger values are stronger. The peak of a set is finite if the set has finite values.
    """
    evidence = family.statistic.evidence(family.stat[which])
    if evidence.max(initial=0) == np.inf:
        return np.where(np.isposinf(evidence), -np.inf, evidence)
    return evidence


def strongest(
    evidence_of: Callable[[slice], np.ndarray],
    ranks_of: Callable[[np.ndarray], np.ndarray],
    labels: np.ndarray,
    n_labels: int,
) -> np.ndarray:
    """Return the position of the strongest evidence of each label.

    Parameters
    ----------
    evidence_of : callable
        Returns the evidence of a range of positions. Larger values are stronger.

    ranks_of : callable
        Returns the rank of given positions. If several are equally strong, the lowest rank wins.

    labels : ndarray of int of shape (n,)
        Labels.

    n_labels : int
        Number of labels.

    Returns
    -------
    positions : ndarray of int of shape (n_labels,)
        Position of the strongest evidence of each label; 0 for labels without elements.
    """
    highest = np.full(n_labels, -np.inf)
    found, strengths = [], []
    for block in blocks(labels.size):
        evidence, of_block = evidence_of(block), labels[block]
        # The rest apart: it is most of a map, and ufunc.at takes one element after the other.
        is_rest = of_block == 0
        of_rest = np.where(is_rest, evidence, -np.inf)
        highest[0] = of_rest.max(initial=highest[0])
        members = np.flatnonzero(~is_rest)
        of_members = of_block[members].astype(np.intp, copy=False)
        np.maximum.at(highest, of_members, evidence[members])
        # The strongest so far.
        strongest_members = members[evidence[members] == highest[of_members]]
        strongest_rest = np.flatnonzero(is_rest & (of_rest == highest[0]))
        inside = np.concatenate([strongest_rest, strongest_members])
        found.append(block.start + inside)
        strengths.append(evidence[inside])
    candidates = np.concatenate(found)
    candidates = candidates[np.concatenate(strengths) == highest[labels[candidates]]]
    if np.bincount(labels[candidates]).max(initial=0) > 1:
        # In descending order of rank, so that the lowest rank is written last and stays.
        candidates = candidates[np.argsort(-ranks_of(candidates))]
    positions = np.zeros(n_labels, dtype=np.intp)
    positions[labels[candidates]] = candidates
    return positions
