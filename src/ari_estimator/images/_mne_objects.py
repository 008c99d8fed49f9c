"""Objects of MNE-Python: their values, their places, and copies with other values.

MNE-Python is optional. It is imported only when a user passes one of its objects.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

# Names of classes of MNE-Python, and what the objects are here.
_FORMS = {
    "Evoked": "evoked",
    "AverageTFR": "tfr",
    "Spectrum": "spectrum",
    "BaseEpochs": "epochs",
    "_BaseVectorSourceEstimate": "vector",
    "_BaseSourceEstimate": "source",
}

# The axes of their values.
AXES = {
    "evoked": ("channel", "time"),
    "epochs": ("channel", "time"),
    "tfr": ("channel", "freq", "time"),
    "spectrum": ("channel", "freq"),
    "source": ("vertex", "time"),
}

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
    if values is None or values.ndim != len(AXES[form or ""]):
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
        None if the object is not from MNE-Python or has no channels.
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


def bad_channels(given: Any) -> frozenset[str]:
    """Return the names of bad channels; none in sources."""
    return frozenset() if form_of(given) == "source" else frozenset(given.info["bads"])


def bad_in_all(objects: Iterable[Any]) -> frozenset[str]:
    """Return the names of channels that are bad in each of some objects."""
    return frozenset.intersection(*map(bad_channels, objects))


def without_bad_channels(values: np.ndarray, like: Any) -> np.ndarray:
    """Return values that are NaN in bad channels.

    Parameters
    ----------
    values : ndarray of shape (n_channels, ...) or (n_vertices, ...)
        Values of an object. They are not changed.

    like : object of MNE-Python
        The object, which names its bad channels.

    Returns
    -------
    values : ndarray of the same shape
        The given array if no channel is bad.
    """
    bads = bad_channels(like)
    if not bads:
        return values
    is_bad = np.array([name in bads for name in like.ch_names])
    is_bad = is_bad.reshape(-1, *(1,) * (values.ndim - 1))
    made: np.ndarray = np.where(is_bad, np.nan, values)
    return made


def with_bad_channels(like: Any, names: frozenset[str]) -> Any:
    """Return an object with other bad channels.

    Parameters
    ----------
    like : Evoked, AverageTFR, Spectrum or SourceEstimate
        The object. It is not changed.

    names : frozenset of str
        Names of its bad channels.

    Returns
    -------
    made : the same type
        A copy, or the object itself if it has these bad channels.
    """
    if names == bad_channels(like):
        return like
    made = like.copy()
    made.info["bads"] = [name for name in like.ch_names if name in names]
    return made


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
        vertices = [vertices_of(given) for given in (one, other)]
        if len(vertices[0]) != len(vertices[1]) or not all(
            map(np.array_equal, vertices[0], vertices[1])
        ):
            return "vertices"
    elif one.ch_names != other.ch_names:
        missing = set(one.ch_names) ^ set(other.ch_names)
        what = f": {', '.join(sorted(missing)[:5])}" if missing else ", which have another order"
        return f"channels{what}. mne.channels.equalize_channels keeps the common channels"
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


def vertices_of(stc: Any) -> list[np.ndarray]:
    """Return the vertices of each source space of a source estimate."""
    vertices = stc.vertices
    return [np.asarray(v) for v in (vertices if isinstance(vertices, list) else [vertices])]


def n_surfaces_of(stc: Any) -> int:
    """Return how many of the source spaces are hemispheres: the first ones, before volumes."""
    names = {one.__name__ for one in type(stc).__mro__}
    if "_BaseVolSourceEstimate" in names:
        return 0
    return min(2, len(vertices_of(stc)))
