"""Read arrays, networks and objects of MNE-Python from files named on the command line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ari_estimator.files._regular_file import existing_file, read_bytes

if TYPE_CHECKING:
    import numpy as np

_ARRAY, _TABLES = ".npy", (".csv", ".tsv")
_EVOKED, _SOURCES = (".fif", ".fif.gz"), ".stc"
_ENDINGS = (_ARRAY, *_TABLES, *_EVOKED, _SOURCES)

# The text of the matrix of all pairs of 3,000 nodes, with 25 characters for each number.
_MOST_BYTES = 2**28

# The files of the hemispheres of one source estimate, and of a volume.
_PART = re.compile(r"-(lh|rh|vl|vol)\.stc$")


@dataclass(frozen=True)
class ArrayFile:
    """A map that is not an image.

    Attributes
    ----------
    image : SingleArray, Evoked or SourceEstimate
        The map.

    parameters : dict
        What a transformer must know of it: ``adjacency`` and ``coordinates``.

    called : str or None
        The map in a sentence, if there was a choice.
    """

    image: Any
    parameters: dict[str, Any]
    called: str | None = None


def is_array_file(path: Path) -> bool:
    """Tell whether a file holds an array, a network or an object of MNE-Python, by its name."""
    return path.name.endswith(_ENDINGS)


def read_array_file(
    paths: Sequence[Path], adjacency: str | None, map_: str | None, option: str
) -> ArrayFile:
    """Return a map that is not an image, and its neighbours.

    Parameters
    ----------
    paths : sequence of Path
        One file: an array of one map (.npy), a matrix of the edges of a network (.csv, .tsv), an
        evoked response (.fif), or one file of a source estimate (.stc), whose other hemisphere is
        read too.

    adjacency : str or None
        A file of neighbours (.npz of scipy, .npy, .csv, .tsv), "lattice", or None.

    map_ : str or None
        Number or name of the evoked response, if the file has several.

    option : str
        What the file was given for, for messages.

    Returns
    -------
    found : ArrayFile
        The map.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a file is damaged, holds something else, or an option would do nothing.
    """
    files = [existing_file(path, option) for path in paths]
    if files[0].name.endswith(_SOURCES):
        estimate = _source_estimate(files, option)
        return ArrayFile(estimate, _of_mne(adjacency, estimate))
    if len(files) > 1:
        raise ValueError(
            f"{option} must be one file of an array. Got {', '.join(map(str, files))}."
        )
    (file,) = files
    if file.name.endswith(_EVOKED):
        evoked, called = _evoked(file, map_, option)
        return ArrayFile(evoked, _of_mne(adjacency, evoked), called)
    if map_ is not None:
        raise ValueError(f"--map is for files with several maps. Got it for {str(file)!r}.")
    if file.name.endswith(_TABLES):
        return _network(file, adjacency, option)
    from ari_estimator.files._npy_file import read_npy
    from ari_estimator.images._single_array import SingleArray

    values = read_npy(file, option)
    parameters: dict[str, Any] = {}
    if adjacency is not None:
        parameters["adjacency"] = _graph(adjacency, values.shape)
    return ArrayFile(SingleArray(values), parameters)


def read_mask_of_array(path: Path, option: str) -> Any:
    """Return an array of one map, such as a mask or labels, as a user of Python would pass it."""
    from ari_estimator.files._npy_file import read_npy

    file = existing_file(path, option)
    if file.name.endswith(_ARRAY):
        return read_npy(file, option)
    if file.name.endswith(_TABLES):
        return _edges_of(_matrix(file, option)[0], file, option)
    return read_array_file([path], None, None, option).image


def _matrix(file: Path, option: str) -> tuple[np.ndarray, list[str] | None]:
    """Return the matrix in a table, and the names of its columns if it has a header."""
    import numpy as np

    delimiter = "\t" if file.name.endswith(".tsv") else ","
    try:
        text = read_bytes(file, option, _MOST_BYTES).decode("utf-8-sig")
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        rows = [row for row in lines if any(map(str.strip, row))]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(
            f"{option} must be a table of numbers, as text in UTF-8. Got {str(file)!r}: {error}"
        ) from None
    names = None
    if rows and not all(map(_is_number, rows[0])):
        names, rows = [cell.strip() for cell in rows[0]], rows[1:]
    # Tables of pandas have the names of the rows in their first column.
    if names and rows and not (names[0] and _is_number(rows[0][0])):
        names, rows = names[1:] if len(names) == len(rows[0]) else names, [row[1:] for row in rows]
    try:
        matrix = np.array([[float(cell) for cell in row] for row in rows])
    except ValueError as error:
        raise ValueError(
            f"{option} must be a square matrix of numbers. Got {str(file)!r}: {error}"
        ) from None
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or len(matrix) < 2:
        raise ValueError(
            f"{option} must be a square matrix, with a row and a column for each node. Got shape "
            f"{matrix.shape} in {str(file)!r}."
        )
    if names is not None and len(names) != len(matrix):
        raise ValueError(
            f"{option} must name each of its {len(matrix)} columns, or none. Got {len(names)} "
            f"names in {str(file)!r}."
        )
    return matrix, names


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _edges_of(matrix: np.ndarray, file: Path, option: str) -> np.ndarray:
    """Return the values of the edges: the upper triangle of a symmetric matrix."""
    import numpy as np

    if not np.allclose(matrix, matrix.T, equal_nan=True):
        raise ValueError(
            f"{option} must be symmetric: a value for each edge, in both triangles. Got "
            f"{str(file)!r}, which is not."
        )
    return np.asarray(matrix[np.triu_indices(len(matrix), k=1)])


def _network(file: Path, adjacency: str | None, option: str) -> ArrayFile:
    """Return the edges of a network, which are neighbours if they share a node."""
    import numpy as np

    from ari_estimator.graphs import edges_of
    from ari_estimator.images._single_array import SingleArray

    if adjacency is not None:
        raise ValueError(
            "--adjacency must not be given for a matrix of edges, which are neighbours if they "
            f"share a node. Got {adjacency!r}."
        )
    matrix, names = _matrix(file, option)
    nodes = np.array(names if names is not None else [str(k) for k in range(len(matrix))])
    first, second = np.triu_indices(len(matrix), k=1)
    parameters = {
        "adjacency": edges_of(len(matrix)),
        "coordinates": {"from": nodes[first], "to": nodes[second]},
    }
    return ArrayFile(SingleArray(_edges_of(matrix, file, option)), parameters)


def _graph(adjacency: str, shape: tuple[int, ...]) -> Any:
    """Return the neighbours of all elements: along one axis as in a file, along others in a row."""
    import numpy as np

    from ari_estimator.graphs import AdjacencyGraph, product
    from ari_estimator.images._given_graph import LATTICE

    if adjacency == LATTICE:
        return LATTICE
    graph = AdjacencyGraph(_adjacency_matrix(adjacency, int(np.prod(shape))))
    axes = [axis for axis, length in enumerate(shape) if length == graph.n_nodes]
    if graph.n_nodes == np.prod(shape) or not axes:
        return graph  # the transformer compares the sizes
    if len(axes) > 1:
        raise ValueError(
            f"--adjacency must tell which axis it is of. Got {graph.n_nodes} rows for a map of "
            f"shape {shape}. Use Python: graphs.product gives the neighbours of all axes."
        )
    return product(*(graph if axis == axes[0] else n for axis, n in enumerate(shape)))


def _adjacency_matrix(name: str, n_elements: int) -> Any:
    from ari_estimator.files._npy_file import read_npy
    from ari_estimator.files._sparse_file import read_sparse

    file = existing_file(Path(name), "--adjacency")
    if file.name.endswith(_TABLES):
        return _matrix(file, "--adjacency")[0]
    if file.name.endswith(_ARRAY):
        return read_npy(file, "--adjacency")
    if not file.name.endswith(".npz"):
        raise ValueError(
            "--adjacency must be 'lattice', or a matrix in a file: .npz of "
            f"scipy.sparse.save_npz, .npy, .csv or .tsv. Got {name!r}."
        )
    return read_sparse(file, "--adjacency", n_elements)


def _of_mne(adjacency: str | None, image: Any) -> dict[str, Any]:
    if adjacency is None:
        return {}
    return {"adjacency": _adjacency_matrix(adjacency, image.data.size)}


def _mne() -> Any:
    try:
        import mne
    except ImportError:
        raise ValueError(
            "Files of MNE-Python need the package mne: pip install 'ari_estimator[mne]'."
        ) from None
    return mne


def _evoked(file: Path, map_: str | None, option: str) -> tuple[Any, str | None]:
    """Return one evoked response of a file."""
    mne = _mne()
    try:
        every = mne.read_evokeds(file, verbose="error")
    except Exception as error:  # any of many
        raise ValueError(
            f"{option} must be a file of evoked responses. Got {str(file)!r}: {error}"
        ) from error
    names = [one.comment for one in every]
    listed = ", ".join(f"{number} {name!r}" for number, name in enumerate(names))
    if map_ is None:
        if len(every) == 1:
            return every[0], None
        raise ValueError(f"--map must choose one of the evoked responses: {listed}. Got none.")
    numbers = [k for k, name in enumerate(names) if name == map_]
    if not numbers and map_.isdecimal() and int(map_) < len(every):
        numbers = [int(map_)]
    if len(numbers) != 1:
        raise ValueError(f"--map must be the number or the name of one of: {listed}. Got {map_!r}.")
    return every[numbers[0]], f"Map: {numbers[0]}, {names[numbers[0]]!r}."


def _source_estimate(files: Sequence[Path], option: str) -> Any:
    stems = {_PART.sub("", str(file)) for file in files}
    if len(stems) != 1 or len(files) > 2:
        raise ValueError(
            f"{option} must be the files of one source estimate. Got {', '.join(map(str, files))}."
        )
    mne = _mne()
    try:
        return mne.read_source_estimate(str(files[0]))
    except Exception as error:  # any of many
        raise ValueError(
            f"{option} must be a source estimate. Got {str(files[0])!r}: {error}"
        ) from error
