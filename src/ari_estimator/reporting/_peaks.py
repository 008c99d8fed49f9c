"""Peaks and sub-peaks of sets.

nilearn's ``get_clusters_table`` finds peaks of 6-connected clusters in volumes. Sets here may be
given, may have another connectivity or may lie on a mesh, so this module uses the graph. Where
nilearn applies, the results agree, with one exception: nilearn reports some peaks close to a
stronger one, if they are far from the last peak in between.
"""

from __future__ import annotations

import numpy as np

from ari_estimator.graphs import local_maxima
from ari_estimator.graphs._graph import Graph
from ari_estimator.images._reach import reach_of
from ari_estimator.inference._map_family import MapFamily
from ari_estimator.inference._set_table import peak_evidence
from ari_estimator.inference._sets import Sets


def find_peaks(
    family: MapFamily, sets: Sets, graph: Graph, *, min_distance: float, max_peaks: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the local maxima of each set, from the strongest to the weakest.

    Parameters
    ----------
    family : MapFamily
        The map.

    sets : Sets
        The sets.

    graph : Graph
        The graph of the tested elements.

    min_distance : float
        Minimum distance of the peaks of a set, in mm. Elements of arrays have no distances.

    max_peaks : int
        Maximum number of peaks of a set.

    Returns
    -------
    labels : ndarray of int of shape (n_peaks,)
        Number of the set of each peak: 1, 2, ..., in ascending order.

    elements : ndarray of int of shape (n_peaks,)
        The element of each peak, among the tested elements. Equally strong peaks are
        in the order of :meth:`~ari_estimator.images._space.Space.turned`.
    """
    evidence = peak_evidence(family)
    xyz = family.space.coordinates() if family.space.has_millimetres else None
    ranks = family.space.ranks_of(np.arange(evidence.size))
    labels, candidates = _local_maxima(evidence, ranks, sets, graph)
    order = np.lexsort((ranks[candidates], -evidence[candidates], labels))
    labels, candidates = labels[order], candidates[order]
    starts = np.flatnonzero(np.diff(labels, prepend=0))
    ends = np.append(starts, labels.size)[1:]
    kept = [
        np.arange(first, min(last, first + max_peaks))
        if xyz is None
        else first + _apart(xyz[candidates[first:last]], min_distance, max_peaks)
        for first, last in zip(starts, ends, strict=True)
    ]
    peaks = np.concatenate([*kept, np.empty(0, dtype=np.intp)]).astype(np.intp)
    return labels[peaks], candidates[peaks]


def _local_maxima(
    evidence: np.ndarray, ranks: np.ndarray, sets: Sets, graph: Graph
) -> tuple[np.ndarray, np.ndarray]:
    """Return the set and the element of each local maximum of each set."""
    if sets.elements is None:
        found = np.flatnonzero(local_maxima(graph, evidence, sets.labels, ranks))
        return sets.labels[found].astype(np.intp), found
    # Overlapping sets are processed one at a time.
    pairs = []
    for label in range(1, sets.ids.size + 1):
        inside = np.zeros(evidence.size, dtype=np.int32)
        inside[sets.members[sets.labels == label]] = 1
        pairs.append(np.flatnonzero(local_maxima(graph, evidence, inside, ranks)))
    labels = np.repeat(np.arange(1, sets.ids.size + 1), [found.size for found in pairs])
    return labels, np.concatenate(pairs)


def _apart(xyz: np.ndarray, min_distance: float, max_peaks: int) -> np.ndarray:
    """Return which points are not close to an earlier point that is kept."""
    kept = [0]
    for i in range(1, len(xyz)):
        if len(kept) == max_peaks:
            break
        distances = np.linalg.norm(xyz[kept] - xyz[i], axis=1)
        if (distances > reach_of(min_distance)).all():
            kept.append(i)
    return np.array(kept)
