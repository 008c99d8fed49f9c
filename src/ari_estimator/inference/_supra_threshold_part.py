"""The supra-threshold elements of a map with their neighbours."""

from __future__ import annotations

import numpy as np

from ari_estimator.closed_testing import SupraThresholdGraph
from ari_estimator.closed_testing._supra_threshold_graph import NOWHERE
from ari_estimator.graphs._voxel_grid import Connectivity, places_of
from ari_estimator.images._space import Space
from ari_estimator.images._volume_part import VolumePart
from ari_estimator.inference._map_family import MapFamily
from ari_estimator.inference._set_maker import neighbours_in_words

# FSL's clusters have 26 neighbours, and isoperimetric bounds need them.
_MOST_NEIGHBOURS: Connectivity = 26


def check_extent_connectivity(space: Space, connectivity: Connectivity | None) -> Connectivity:
    """Return the number of neighbours of a voxel for cluster extents.

    Parameters
    ----------
    space : Space
        Positions of the elements.

    connectivity : {6, 18, 26} or None
        The number asked for; None is 26.

    Returns
    -------
    connectivity : {6, 18, 26}
        The number.

    Raises
    ------
    ValueError
        If a number is given and there are no voxels.
    """
    return _MOST_NEIGHBOURS if connectivity is None else space.check_connectivity(connectivity)


def supra_threshold_part(
    family: MapFamily, height_threshold: float, connectivity: Connectivity | None = None
) -> SupraThresholdGraph:
    """Return the elements of a map that pass a height threshold, with their neighbours.

    Parameters
    ----------
    family : MapFamily
        The tested elements.

    height_threshold : float
        Elements pass if their p-value is smaller. It is two-sided in a two-sided test, and then
        elements of opposite signs are not neighbours.

    connectivity : {6, 18, 26} or None, default=None
        Number of neighbours of a voxel. None is 26.

    Returns
    -------
    graph : SupraThresholdGraph
        The elements and their neighbours.

    Raises
    ------
    ValueError
        If a connectivity is given and there are no voxels.
    """
    signs = family.stat > 0 if family.statistic.two_sided else None
    return supra_threshold_graph(
        family.space, family.p_values, height_threshold, connectivity, signs=signs
    )


def supra_threshold_graph(
    space: Space,
    p_values: np.ndarray,
    height_threshold: float,
    connectivity: Connectivity | None = None,
    *,
    signs: np.ndarray | None = None,
) -> SupraThresholdGraph:
    """Return the elements of a space that pass a height threshold, with their neighbours.

    Parameters
    ----------
    space : Space
        Positions of the elements.

    p_values : ndarray of shape (n_elements,)
        P-values of the elements.

    height_threshold, connectivity
        As for :func:`supra_threshold_part`.

    signs : ndarray of shape (n_elements,) or None, default=None
        Signs of the elements. Elements of different signs are not neighbours. None without signs.

    Returns
    -------
    graph : SupraThresholdGraph
        The elements and their neighbours.
    """
    connectivity = check_extent_connectivity(space, connectivity)
    is_above = p_values < height_threshold
    elements = np.flatnonzero(is_above).astype(np.int32)
    edges = space.graph(connectivity).edges(is_above)
    if signs is not None:
        edges = edges[signs[edges[:, 0]] == signs[edges[:, 1]]]
    positions = np.cumsum(is_above, dtype=np.int32) - 1
    places = None
    if connectivity == _MOST_NEIGHBOURS and space.has_voxels:
        places = _places(space, elements)
    return SupraThresholdGraph(
        n_elements=p_values.size,
        elements=elements,
        edges=positions[edges],
        places=places,
        height=float(height_threshold),
        neighbours=neighbours_in_words(space, connectivity),
    )


def _places(space: Space, elements: np.ndarray) -> np.ndarray:
    """Return the voxel indices of elements, of one grid after the other along the first axis."""
    places = np.full((elements.size, 3), NOWHERE, dtype=np.int32)
    start = first_plane = 0
    for part in space.parts:
        inside = np.flatnonzero((elements >= start) & (elements < start + part.n_elements))
        if isinstance(part, VolumePart):
            flat = places_of(part.mask, elements[inside] - start)
            places[inside] = np.column_stack(np.unravel_index(flat, part.mask.shape))
            places[inside, 0] += first_plane
            # No voxel of the next grid is a neighbour.
            first_plane += part.mask.shape[0] + 1
        start += part.n_elements
    return places
