"""Objects of MNE-Python: their values, their places, and copies with other values.

MNE-Python is optional. It is imported only when there is such an object.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import coo_array

from ari_estimator.graphs import AdjacencyGraph, Graph, product
from ari_estimator.images._array_part import ArrayPart
from ari_estimator.images._given_graph import as_graph

# Names of classes of MNE-Python, and what the objects are here.
_FORMS = {
    "Evoked": "evoked",
    "AverageTFR": "tfr",
    "Spectrum": "spectrum",
    "BaseEpochs": "epochs",
    "_BaseVectorSourceEstimate": "vector",
    "_BaseSourceEstimate": "source",
}

_AXES = {
    "evoked": ("channel", "time"),
    "epochs": ("channel", "time"),
    "tfr": ("channel", "freq", "time"),
    "spectrum": ("channel", "freq"),
    "source": ("vertex", "time"),
}

# Vertices of a hemisphere in the icosahedral source spaces of fsaverage, by grade.
_ICO_GRADES = {12: 0, 42: 1, 162: 2, 642: 3, 2562: 4, 10242: 5}

# Volts, tesla and ampere metres are smaller than this. Statistics are not, all of them.
_LARGEST_IN_UNITS = 1e-3


_REFUSED = {
    "vector": "A vector source estimate has three values for each vertex. Pass stc.magnitude(), or "
    "a component such as stc.project('pca')[0].",
    "epochs": "Epochs are trials, not a statistical map. Pass them to ARISecondLevelModel.fit, "
    "which tests across epochs, or pass a statistical map.",
}


def form_of(given: Any) -> str | None:
    """Return what an object of MNE-Python is; None for all else.

    Parameters
    ----------
    given : object
        Any object.

    Returns
    -------
    form : {"evoked", "tfr", "spectrum", "epochs", "vector", "source", "other"} or None
        The form. "other" is an object of MNE-Python that holds no map.
    """
    classes = type(given).__mro__
    names = [one.__name__ for one in classes if one.__module__.partition(".")[0] == "mne"]
    if not names:
        return None
    return next((_FORMS[name] for name in names if name in _FORMS), "other")


def is_mne(given: Any) -> bool:
    """Tell whether something is an object of MNE-Python."""
    return form_of(given) is not None


def check_map(given: Any, what: str = "A map") -> Any:
    """Return an object of MNE-Python that holds one map of real numbers.

    Parameters
    ----------
    given : object of MNE-Python
        The object.

    what : str, default="A map"
        What it is, for messages.

    Returns
    -------
    given : Evoked, AverageTFR, Spectrum or SourceEstimate
        The same object.

    Raises
    ------
    TypeError
        If it holds no map, or complex values.
    """
    form = form_of(given)
    if form in _REFUSED:
        raise TypeError(f"{what} must be one map. {_REFUSED[form]}")
    values = None if form == "other" else values_of(given)
    if values is None or values.ndim != len(_AXES[form or ""]):
        shape = "" if values is None else f" of shape {values.shape}"
        raise TypeError(
            f"{what} of MNE-Python must be an Evoked, an AverageTFR, a Spectrum or a source "
            f"estimate. Got {type(given).__name__}{shape}."
        )
    if np.iscomplexobj(values):
        raise TypeError(
            f"{what} must hold real numbers. Got complex values in {type(given).__name__}: test "
            "their modulus or another real statistic."
        )
    return given


def values_of(given: Any) -> np.ndarray:
    """Return the values of an object, with an axis for each of its kinds of places."""
    form = form_of(given)
    if form == "spectrum":
        values: np.ndarray = given.get_data(picks="all", exclude=())
    elif form == "epochs":
        values = given.get_data(picks="all", copy=False)
    else:
        values = np.asarray(given.data)
    return values


def sensor_places(given: Any) -> np.ndarray | None:
    """Return where sensors are, in metres.

    Parameters
    ----------
    given : object
        Any object.

    Returns
    -------
    places : ndarray of shape (n_channels, 3), or None
        None if it is no object of MNE-Python with channels.
    """
    if form_of(given) not in ("evoked", "tfr", "spectrum"):
        return None
    return np.array([channel["loc"][:3] for channel in given.info["chs"]])


def template_of(epochs: Any) -> Any:
    """Return an Evoked with the channels and times of epochs."""
    import mne

    zeros = np.zeros((len(epochs.ch_names), len(epochs.times)))
    return mne.EvokedArray(zeros, epochs.info, tmin=float(epochs.times[0]), verbose=False)


def with_values(like: Any, values: np.ndarray, description: str) -> Any:
    """Return a copy of an object with other values.

    Parameters
    ----------
    like : Evoked, AverageTFR, Spectrum or SourceEstimate
        The object.

    values : ndarray
        The values, in the shape of the object's.

    description : str
        What the values are. It becomes the comment.

    Returns
    -------
    made : the same type
        The copy.
    """
    values = np.asarray(values, dtype=np.float64)
    form = form_of(like)
    if form == "spectrum":
        import mne

        return mne.time_frequency.SpectrumArray(values, like.info, like.freqs, verbose=False)
    made = like.copy()
    made.data = values
    if form in ("evoked", "tfr"):
        made.comment = description
    return made


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
        is_data = _holds_data(given)
        bads = set(given.info["bads"])
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


def difference(one: Any, other: Any) -> str | None:
    """Return how the places of two objects differ; None if they do not.

    Parameters
    ----------
    one, other : object of MNE-Python
        The objects.

    Returns
    -------
    difference : str or None
        Words that continue "they differ in ...".
    """
    forms = form_of(one), form_of(other)
    if forms[0] != forms[1]:
        return f"kind: {type(one).__name__} and {type(other).__name__}"
    if forms[0] == "source":
        subjects = [getattr(given, "subject", None) for given in (one, other)]
        if None not in subjects and subjects[0] != subjects[1]:
            return (
                f"subject: {subjects[0]!r} and {subjects[1]!r}, so their vertices are different "
                "places. Morph them to one brain first, with mne.compute_source_morph"
            )
        vertices = [_vertices_of(given) for given in (one, other)]
        if len(vertices[0]) != len(vertices[1]) or not all(
            map(np.array_equal, vertices[0], vertices[1])
        ):
            return "vertices"
    elif one.ch_names != other.ch_names:
        missing = set(one.ch_names) ^ set(other.ch_names)
        what = f": {', '.join(sorted(missing)[:5])}" if missing else ", which have another order"
        return f"channels{what}. mne.channels.equalize_channels keeps those of all"
    for name in ("times", "freqs"):
        own: Any = getattr(one, name, None)
        others: Any = getattr(other, name, None)
        if own is None:
            continue
        if len(own) != len(others) or not np.allclose(own, others, rtol=0, atol=1e-6):
            return f"{name}: {_range_of(own)} and {_range_of(others)}"
    if one is not other and forms[0] != "source":
        kinds = [given.get_channel_types() for given in (one, other)]
        if kinds[0] != kinds[1]:
            return "types of channels, and so in units"
    return None


def size_in_words(given: Any) -> str | None:
    """Return the size of values that are too small for statistics; None for others."""
    values = values_of(given)
    values = np.abs(values[np.isfinite(values)])
    largest = float(values.max(initial=0))
    if not 0 < largest < _LARGEST_IN_UNITS:
        return None
    return f"their size, at most {largest:.2g},"


def _range_of(values: np.ndarray) -> str:
    return f"{len(values)} from {values[0]:g} to {values[-1]:g}"


def _vertices_of(stc: Any) -> list[np.ndarray]:
    vertices = stc.vertices
    return [np.asarray(v) for v in (vertices if isinstance(vertices, list) else [vertices])]


def _holds_data(given: Any) -> np.ndarray:
    """Return which channels hold data; all of them if MNE-Python knows none that do."""
    kinds = np.array(given.get_channel_types())
    of_data = given.info.get_channel_types(unique=True, only_data_chs=True)
    return np.isin(kinds, of_data) if of_data else np.ones(kinds.size, dtype=bool)


def _positions_of(given: Any, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Return the names of places along each axis."""
    form = form_of(given) or ""
    along: dict[str, np.ndarray] = {}
    if form == "source":
        vertices = _vertices_of(given)
        # Surfaces have two hemispheres. Mixed source spaces continue with volumes.
        if len(vertices) > 1:
            names = ["left", "right", *(f"volume {k}" for k in range(len(vertices) - 2))]
            sizes = [v.size for v in vertices]
            along["hemisphere" if len(vertices) == 2 else "source_space"] = np.repeat(names, sizes)
        along["vertex"] = np.concatenate(vertices)
    else:
        along["channel"] = np.array(given.ch_names)
    of_space = {name: v.reshape(-1, *(1,) * (len(shape) - 1)) for name, v in along.items()}
    others = {}
    for axis, name in enumerate(_AXES[form][1:], start=1):
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
        order = [info.ch_names.index(name) for name in names]
        entries = coo_array(matrix)
        rows.append(chosen[order][entries.row])
        columns.append(chosen[order][entries.col])
    row, column = np.concatenate(rows), np.concatenate(columns)
    shape = (kinds.size, kinds.size)
    return AdjacencyGraph(coo_array((np.ones(row.size, dtype=bool), (row, column)), shape=shape))


def _check_positions(info: Any) -> None:
    """Refuse channels without a position, whose neighbours would be invented."""
    places = np.array([channel["loc"][:3] for channel in info["chs"]])
    is_lost = ~np.isfinite(places).all(axis=1) | (places == 0).all(axis=1)
    if is_lost.any():
        names = [name for name, lost in zip(info.ch_names, is_lost, strict=True) if lost]
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        raise ValueError(
            f"Channels must have a position, which tells their neighbours. Got none for "
            f"{', '.join(names[:5])}{more}. Set one with set_montage, mark the channels as of type "
            "'misc', or pass adjacency."
        )


def _source_graph(stc: Any) -> Graph:
    """Return the graph of the vertices of an icosahedral source space of fsaverage."""
    vertices = _vertices_of(stc)
    grade = _ICO_GRADES.get(vertices[0].size)
    is_ico = len(vertices) == 2 and all(np.array_equal(v, np.arange(v.size)) for v in vertices)
    if grade is None or not is_ico or vertices[0].size != vertices[1].size:
        raise ValueError(
            "adjacency must be given: a source estimate does not hold the neighbours of its "
            "vertices. Got None. Pass the source space, or mne.spatial_src_adjacency(src)."
        )
    import mne

    return AdjacencyGraph(mne.spatial_tris_adjacency(mne.grade_to_tris(grade), verbose=False))
