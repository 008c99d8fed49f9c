"""The elements of objects of MNE-Python, and their neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import coo_array

from ari_estimator.graphs import AdjacencyGraph, Graph, product
from ari_estimator.images._array_part import ArrayPart
from ari_estimator.images._given_graph import as_graph
from ari_estimator.images._mne_objects import (
    AXES,
    bad_channels,
    form_of,
    n_surfaces_of,
    values_of,
    vertices_of,
)

# Vertices of a hemisphere in the icosahedral source spaces of fsaverage, by grade.
_ICO_GRADES = {12: 0, 42: 1, 162: 2, 642: 3, 2562: 4, 10242: 5}


def part_of(given: Any, adjacency: Any) -> ArrayPart:
    """Return the elements of an object, with their neighbours.

    Parameters
    ----------
    given : Evoked, AverageTFR, Spectrum or SourceEstimate
        The object.

    adjacency : sparse matrix, ndarray, graph, SourceSpaces or None
        Neighbours of the channels or vertices, or of all elements in C order. None for those that
        the object tells.

    Returns
    -------
    part : ArrayPart
        Its elements. Bad channels are left out, and channels that hold no data, such as triggers.
        It raises an error for those who need neighbours that the object does not tell.

    Raises
    ------
    ValueError
        If no channel is left, or the adjacency has another size.
    """
    shape = values_of(given).shape
    is_data = np.ones(shape[0], dtype=bool)
    if form_of(given) != "source":
        is_data = holds_data(given)
        bads = bad_channels(given)
        is_tested = is_data & [name not in bads for name in given.ch_names]
        if not is_tested.any():
            raise ValueError("An object must have a channel with data that is not bad. Got none.")
    else:
        is_tested = is_data
    mask = np.broadcast_to(is_tested.reshape(-1, *(1,) * (len(shape) - 1)), shape).copy()
    positions = _positions_of(given, shape)
    if adjacency is not None:
        return ArrayPart(mask, _given_graph(given, shape, adjacency), positions)
    try:
        of_space = (
            _source_graph(given) if form_of(given) == "source" else _sensor_graph(given, is_data)
        )
    except ValueError as error:
        return ArrayPart(mask, None, positions, str(error))
    return ArrayPart(mask, product(of_space, *shape[1:]), positions)


def holds_data(given: Any) -> np.ndarray:
    """Return which channels hold data; all but triggers if MNE-Python knows none that do."""
    kinds = np.array(given.get_channel_types())
    try:
        of_data = given.info.get_channel_types(unique=True, only_data_chs=True)
    except ValueError:  # MNE-Python refuses to pick data if there are none
        return np.asarray(kinds != "stim")
    return np.isin(kinds, of_data)


def _positions_of(given: Any, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Return the names of places along each axis."""
    form = form_of(given) or ""
    along: dict[str, np.ndarray] = {}
    if form == "source":
        vertices = vertices_of(given)
        n_surfaces = n_surfaces_of(given)
        if len(vertices) > 1:
            volumes = [f"volume {k}" for k in range(len(vertices) - n_surfaces)]
            names = [*("left", "right")[:n_surfaces], *volumes]
            sizes = [v.size for v in vertices]
            along["source_space" if volumes else "hemisphere"] = np.repeat(names, sizes)
        along["vertex"] = np.concatenate(vertices)
    else:
        along["channel"] = np.array(given.ch_names)
    of_space = {name: v.reshape(-1, *(1,) * (len(shape) - 1)) for name, v in along.items()}
    others = {}
    for axis, name in enumerate(AXES[form][1:], start=1):
        values = np.asarray(given.freqs if name == "freq" else given.times)
        others[name] = values.reshape([-1 if k == axis else 1 for k in range(len(shape))])
    return {**of_space, **others}


def _given_graph(given: Any, shape: tuple[int, ...], adjacency: Any) -> Graph:
    """Return the graph of all elements, from the neighbours that the user gives."""
    if type(adjacency).__name__ == "SourceSpaces":
        import mne

        adjacency = mne.spatial_src_adjacency(adjacency, verbose=False)
    graph = as_graph(adjacency)
    n_elements = int(np.prod(shape))
    if graph.n_nodes == shape[0]:
        return product(graph, *shape[1:])
    if graph.n_nodes != n_elements:
        what = "vertex" if form_of(given) == "source" else "channel"
        raise ValueError(
            f"adjacency must have a row for each {what}, {shape[0]}, or for each element in C "
            f"order, {n_elements}. Got {graph.n_nodes} rows. Neighbours in time and frequency are "
            "added to neighbours in space."
        )
    return graph


def _sensor_graph(given: Any, is_data: np.ndarray) -> Graph:
    """Return the graph of channels, with neighbours of the same type only."""
    import mne

    kinds = np.array(given.get_channel_types())
    rows, columns = [np.empty(0, dtype=np.intp)], [np.empty(0, dtype=np.intp)]
    for kind in dict.fromkeys(kinds[is_data].tolist()):
        chosen = np.flatnonzero(is_data & (kinds == kind))
        info = mne.pick_info(given.info, chosen)
        info["bads"] = []
        _check_positions(info)
        if chosen.size == 1:
            continue
        try:
            with mne.use_log_level("ERROR"):
                matrix, names = mne.channels.find_ch_adjacency(info, kind)
        except (ValueError, RuntimeError) as error:
            raise ValueError(
                f"adjacency must be given: MNE-Python finds no neighbours of the {kind} channels. "
                f"{error}"
            ) from error
        # Names of a template of MNE-Python: it may have more channels, in another order.
        numbers = dict(zip(info.ch_names, chosen.tolist(), strict=True))
        places = np.array([numbers.get(name, -1) for name in names])
        unknown = sorted(set(numbers).difference(names))
        if unknown:
            more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
            raise ValueError(
                f"adjacency must be given: MNE-Python knows no neighbours of the {kind} channels "
                f"{', '.join(unknown[:5])}{more}."
            )
        entries = coo_array(matrix)
        row, column = places[entries.row], places[entries.col]
        is_here = (row >= 0) & (column >= 0)
        rows.append(row[is_here])
        columns.append(column[is_here])
    indices = np.concatenate(rows), np.concatenate(columns)
    ones = np.ones(indices[0].size, dtype=bool)
    return AdjacencyGraph(coo_array((ones, indices), shape=(kinds.size, kinds.size)))


def _check_positions(info: Any) -> None:
    """Refuse channels without a position, whose neighbours would be invented."""
    places = np.array([channel["loc"][:3] for channel in info["chs"]])
    is_lost = ~np.isfinite(places).all(axis=1) | (places == 0).all(axis=1)
    if is_lost.any():
        names = [name for name, lost in zip(info.ch_names, is_lost, strict=True) if lost]
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        raise ValueError(
            f"Channels must have a position, which tells their neighbours. Got none for "
            f"{', '.join(names[:5])}{more}. Set one with set_montage, leave these channels out "
            "with drop_channels, or pass adjacency."
        )


def _source_graph(stc: Any) -> Graph:
    """Return the graph of the vertices of an icosahedral source space of fsaverage."""
    vertices = vertices_of(stc)
    grade = _ICO_GRADES.get(vertices[0].size)
    is_ico = n_surfaces_of(stc) == len(vertices) == 2 and all(
        np.array_equal(v, np.arange(v.size)) for v in vertices
    )
    if grade is None or not is_ico or vertices[0].size != vertices[1].size:
        raise ValueError(
            "adjacency must be given: a source estimate does not hold the neighbours of its "
            "vertices. Got None. Pass the source space, or mne.spatial_src_adjacency(src)."
        )
    import mne

    return AdjacencyGraph(mne.spatial_tris_adjacency(mne.grade_to_tris(grade), verbose=False))
