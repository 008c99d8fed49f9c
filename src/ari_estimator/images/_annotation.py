"""Regions of FreeSurfer: the binary annotation of a hemisphere, and lists of vertices."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Final

import numpy as np

from ari_estimator.files._regular_file import existing_file, read_bytes
from ari_estimator.images._reading_errors import clear_errors
from ari_estimator.images._size_limits import check_size

# FreeSurfer's own table of all structures goes to about 20,000.
_LARGEST_INDEX: Final = 1_000_000

# Annotations of a hemisphere have a megabyte, labels of the whole cortex seven.
_LARGEST_FILE: Final = 64 * 2**20

# Names of entries without a region: unlabelled vertices, and the medial wall outside the cortex.
_NO_REGION: Final = re.compile(r"unknown|\?\?\?|background.*|.*medial.?wall.*", re.IGNORECASE)


@dataclass(frozen=True)
class Annotation:
    """The regions of a hemisphere.

    Attributes
    ----------
    indices : ndarray of int32 of shape (n_vertices,)
        The entry of the colour table of each vertex; -1 in no region.

    names : dict of int to str
        The name of each entry that is a region.

    colours : dict of int to str
        Its colour, ``"#rrggbb"``.

    n_unknown : int
        Number of vertices whose label is not in the colour table. They are in no region.
    """

    indices: np.ndarray
    names: dict[int, str]
    colours: dict[int, str]
    n_unknown: int


def read_annotation(path: str | PathLike[str], what: str) -> Annotation:
    """Return the regions in an ``.annot`` file.

    Parameters
    ----------
    path : str or path-like
        The file.

    what : str
        What it was given for, for messages.

    Returns
    -------
    annotation : Annotation
        The regions.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, TypeError
        If there is no such file.
    ValueError
        If it is another file, damaged or incomplete, or has no colour table.

    Notes
    -----
    This is not nibabel's reader. It gives the names of a table with gaps to other entries, gives a
    label that is not in the table to the next entry, and allocates what the file declares.
    """
    path = existing_file(path, what)
    with clear_errors(path, what):
        check_size(path, 8)
        content = _Content(read_bytes(path, what, _LARGEST_FILE))
        n_vertices = content.number(1, len(content.data) // 8)
        pairs = np.frombuffer(content.take(8 * n_vertices), ">i4").reshape(n_vertices, 2)
        vertices, labels = pairs.T
        if not np.array_equal(np.sort(vertices), np.arange(n_vertices)):
            raise ValueError("it does not list each vertex once")
        by_vertex = np.empty(n_vertices, dtype=np.int64)
        by_vertex[vertices] = labels
        names, colours, entry_of = _read_table(content)
        found, inverse = np.unique(by_vertex, return_inverse=True)
        entries = [entry_of.get(int(value), -1) for value in found]
        is_unknown = np.array([v != 0 and int(v) not in entry_of for v in found])
        known = {entry for entry in entries if entry in names}
        as_regions = np.array([entry if entry in known else -1 for entry in entries], np.int32)
        return Annotation(
            as_regions[inverse.ravel()],
            {entry: name for entry, name in names.items() if entry in known},
            {entry: colour for entry, colour in colours.items() if entry in known},
            int(np.count_nonzero(is_unknown[inverse.ravel()])),
        )


def read_vertices(path: str | PathLike[str], what: str, n_vertices: int) -> np.ndarray:
    """Return the vertices in a ``.label`` file.

    Parameters
    ----------
    path : str or path-like
        The file.

    what : str
        What it was given for, for messages.

    n_vertices : int
        Number of vertices of the mesh.

    Returns
    -------
    is_inside : ndarray of bool of shape (n_vertices,)
        The vertices.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, TypeError
        If there is no such file.
    ValueError
        If it is another file, incomplete, or lists vertices that the mesh does not have.
    """
    path = existing_file(path, what)
    with clear_errors(path, what):
        lines = read_bytes(path, what, _LARGEST_FILE).decode("utf-8").splitlines()
        if lines and lines[0].startswith("#"):
            lines = lines[1:]
        if not lines:
            raise ValueError("it has no line with the number of its vertices")
        n_listed = int(lines[0])
        rows = [line.split() for line in lines[1:] if line.strip()]
        if n_listed < 0 or len(rows) != n_listed or any(len(row) != 5 for row in rows):
            raise ValueError(
                f"it must list {n_listed} vertices in rows of five numbers, as it says. Got "
                f"{len(rows)} rows"
            )
        vertices = np.array([int(row[0]) for row in rows], dtype=np.int64)
        if n_listed and vertices.min() < 0:
            raise ValueError("it lists places without a vertex: sample it on the mesh first")
        if n_listed and vertices.max() >= n_vertices:
            raise ValueError(
                f"it lists vertex {vertices.max():,}, and the mesh has {n_vertices:,} vertices"
            )
    is_inside = np.zeros(n_vertices, dtype=bool)
    is_inside[vertices] = True
    return is_inside


class _Content:
    """The bytes of an annotation, which are taken from the front."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._start = 0

    def take(self, n_bytes: int) -> bytes:
        """Return the next bytes."""
        taken = self.data[self._start : self._start + n_bytes]
        if n_bytes < 0 or len(taken) < n_bytes:
            raise ValueError(f"it ends after {len(self.data):,} bytes, within its content")
        self._start += n_bytes
        return taken

    def number(self, low: int = -(2**31), high: int = 2**31 - 1) -> int:
        """Return the next integer."""
        (value,) = struct.unpack(">i", self.take(4))
        if not low <= value <= high:
            raise ValueError(f"it declares {value:,} where {low:,} to {high:,} are possible")
        return int(value)

    def text(self) -> str:
        """Return the next text, whose length comes before it."""
        written = self.take(self.number(0, len(self.data)))
        return written.split(b"\0")[0].decode("utf-8", "replace")

    @property
    def is_at_end(self) -> bool:
        return self._start == len(self.data)


def _read_table(content: _Content) -> tuple[dict[int, str], dict[int, str], dict[int, int]]:
    """Return names and colours of the regions by entry, and the entry of each label of a vertex.

    A label is the colour of an entry in one number. If entries have the same colour, the first one
    counts, as in FreeSurfer.
    """
    if content.is_at_end or not content.number():
        raise ValueError("it has no colour table, so that its regions have no names")
    # The number of entries, or -2 for the newer of two versions.
    version = content.number(-2, _LARGEST_INDEX)
    is_new = version == -2
    if version == -1:
        raise ValueError("its colour table has an unknown version, 1")
    if is_new:
        content.number(0, _LARGEST_INDEX)
    content.text()  # the file that the table came from
    n_entries = content.number(0, _LARGEST_INDEX) if is_new else version
    names: dict[int, str] = {}
    colours: dict[int, str] = {}
    entry_of: dict[int, int] = {}
    entries: set[int] = set()
    for number in range(n_entries):
        entry = content.number(0, _LARGEST_INDEX) if is_new else number
        if entry in entries:
            raise ValueError(f"its colour table has entry {entry} twice")
        entries.add(entry)
        name = content.text()
        # Some tables have 256, and FreeSurfer makes labels of it as of smaller numbers.
        red, green, blue, _ = (content.number(0, 2**15) for _ in range(4))
        entry_of.setdefault(red + (green << 8) + (blue << 16), entry)
        if not _NO_REGION.fullmatch(name):
            names[entry] = name
            colours[entry] = "#" + "".join(f"{min(c, 255):02x}" for c in (red, green, blue))
    return names, colours, entry_of


def is_regions_file(path: str | PathLike[str]) -> bool:
    """Return whether a name is the name of an annotation or a label of FreeSurfer."""
    return Path(path).name.endswith((".annot", ".label"))
