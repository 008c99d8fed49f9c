"""Fields of a struct in a MATLAB file, one after the other, without the rest of the file.

scipy reads whole variables: of a file that was made to do harm, cells within cells until the
process dies, or as many bytes as the file says. Here only the fields that are asked for are read.
All else is passed over by the length that its tag says, so that neither depth nor size matters.
The format is MathWorks' "MAT-File Format", version 5.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

from ari_estimator.images._size_limits import largest_expansion

_CHUNK: Final = 1 << 16
_LARGEST_FIELD: Final = 1 << 20
_LARGEST_MATRICES: Final = 1 << 20
_MOST_ELEMENTS: Final = 100_000

_HEADER: Final = 128

# Types of data elements.
_MATRIX, _COMPRESSED = 14, 15
_NUMBERS: Final = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8",
}  # fmt: skip
_TEXTS: Final = {1: "latin-1", 2: "utf-8", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}

# Classes of arrays.
_STRUCT, _CHAR = 2, 4
_NUMERIC: Final = range(6, 16)


def read_mat_struct(path: Path, variable: str, wanted: Mapping[str, Any]) -> Any:
    """Return some fields of a struct in a MATLAB file.

    Parameters
    ----------
    path : Path
        A file of MATLAB's version 5 to 7.2.

    variable : str
        Name of the struct.

    wanted : mapping
        Names of fields. The value is None for numbers or text, and a mapping for a struct.

    Returns
    -------
    elements : list of dict, or None
        The fields of each element of the struct; None if there is no such struct. A field is an
        array of float of shape (n,), a text, a list of dictionaries for a struct, and None if it
        is empty or something else.

    Raises
    ------
    ValueError
        If the file is of another format, damaged, incomplete, or far larger than its fields need.
    """
    with path.open("rb") as file:
        if not _byte_order(head := file.read(_HEADER)):
            raise ValueError("it is not a file of MATLAB version 5 to 7.2")
        most = largest_expansion(path.stat().st_size)
        for reader, n_bytes in _variables(file, _byte_order(head), most):
            found = _matrix(reader, n_bytes, wanted, variable)
            if found is not None:
                return found
    return None


def check_matrices(path: Path) -> None:
    """Refuse a MATLAB file that holds anything but a few matrices of numbers.

    Parameters
    ----------
    path : Path
        A file of any version of MATLAB, such as SPM writes beside an image of two files.

    Raises
    ------
    ValueError
        If it holds cells, structs or other things within each other, or is large.
    """
    size = path.stat().st_size
    if size > _LARGEST_MATRICES:
        raise ValueError(f"{path.name!r} beside it has {size:,} bytes, too many for a matrix")
    with path.open("rb") as file:
        # Those of version 4 hold nothing but matrices.
        if order := _byte_order(file.read(_HEADER)):
            for reader, n_bytes in _variables(file, order, _LARGEST_MATRICES):
                end = reader.position + n_bytes
                kind = int(reader.numbers("u4", reader.element()[1])[0]) & 0xFF
                if kind not in _NUMERIC:
                    raise ValueError(f"{path.name!r} beside it must hold matrices of numbers only")
                reader.skip_to(end)


def _byte_order(head: bytes) -> str:
    """Return the order of bytes of a file; empty for one that is not of version 5."""
    return {b"IM": "<", b"MI": ">"}.get(head[126:128], "")


def _variables(file: IO[bytes], order: str, most: int) -> Iterator[tuple[_Reader, int]]:
    """Yield a reader at each variable of a file, and the length of that variable."""
    outer = _Reader(_pieces(file), order)
    while not outer.is_at_end():
        kind, n_bytes = outer.tag()
        end = outer.position + n_bytes
        inner = outer
        if kind == _COMPRESSED:
            inner = _Reader(_inflated(outer, n_bytes, most), order)
            kind, n_bytes = inner.tag()
        if kind == _MATRIX and n_bytes:
            yield inner, n_bytes
        outer.skip_to(end)


class _Reader:
    """Bytes in their order, from pieces of any length."""

    def __init__(self, pieces: Iterator[bytes], order: str) -> None:
        self.position = 0
        self.order = order
        self._pieces = pieces
        self._piece = b""

    def is_at_end(self) -> bool:
        """Tell whether nothing is left."""
        while not self._piece:
            piece = next(self._pieces, None)
            if piece is None:
                return True
            self._piece = piece
        return False

    def take(self, n_bytes: int) -> Iterator[bytes]:
        """Yield so many bytes, in pieces."""
        while n_bytes:
            if self.is_at_end():
                raise ValueError("it ends too early")
            piece, self._piece = self._piece[:n_bytes], self._piece[n_bytes:]
            self.position += len(piece)
            n_bytes -= len(piece)
            yield piece

    def read(self, n_bytes: int) -> bytes:
        """Return so many bytes."""
        if n_bytes > _LARGEST_FIELD:
            raise ValueError(f"a field of {n_bytes} bytes is where a number or a name should be")
        return b"".join(self.take(n_bytes))

    def skip_to(self, position: int) -> None:
        """Pass over everything up to a position."""
        if position < self.position:
            raise ValueError("its parts overlap")
        for _ in self.take(position - self.position):
            pass

    def numbers(self, dtype: str, content: bytes) -> np.ndarray:
        """Return bytes as numbers."""
        return np.frombuffer(content, np.dtype(self.order + dtype))

    def tag(self) -> tuple[int, int]:
        """Return type and length of what comes next."""
        kind, n_bytes = self.numbers("u4", self.read(8)).tolist()
        return kind, n_bytes

    def element(self) -> tuple[int, bytes]:
        """Return type and bytes of a data element."""
        head = self.read(8)
        kind, n_bytes = self.numbers("u4", head).tolist()
        if kind >> 16:  # up to four bytes are within the tag
            return kind & 0xFFFF, head[4 : 4 + min(kind >> 16, 4)]
        content = self.read(n_bytes)
        self.read(-n_bytes % 8)
        return kind, content


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_CHUNK):
        yield piece


def _inflated(reader: _Reader, n_bytes: int, most: int) -> Iterator[bytes]:
    """Yield what is compressed in the next bytes."""
    inflate = zlib.decompressobj()
    total = 0
    for compressed in reader.take(n_bytes):
        piece = inflate.decompress(compressed, _CHUNK)
        while piece:
            total += len(piece)
            if total > most:
                raise ValueError(f"it expands to more than {most} bytes")
            yield piece
            piece = inflate.decompress(inflate.unconsumed_tail, _CHUNK)


def _matrix(
    reader: _Reader, n_bytes: int, wanted: Mapping[str, Any] | None, name: str | None = None
) -> Any:
    """Return what is wanted of an array, and pass over the rest of it.

    None for an array of another name.
    """
    end = reader.position + n_bytes
    kind = int(reader.numbers("u4", reader.element()[1])[0]) & 0xFF
    dims = reader.numbers("i4", reader.element()[1]).tolist()
    called = reader.element()[1].decode("latin-1")
    n = math.prod(dims)
    found: Any = None
    if name is not None and called != name:
        pass
    elif kind == _STRUCT and wanted is not None:
        found = _elements(reader, n, wanted)
    elif kind == _CHAR and wanted is None:
        found = _text(reader, n)
    elif kind in _NUMERIC and wanted is None and 0 < n <= _LARGEST_FIELD:
        code, content = reader.element()
        found = reader.numbers(_NUMBERS[code], content).astype(float)
    reader.skip_to(end)
    return found


def _elements(reader: _Reader, n: int, wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
    length = int(reader.numbers("i4", reader.element()[1])[0])
    content = reader.element()[1]
    if not 0 <= n <= _MOST_ELEMENTS or length < 1:
        raise ValueError(f"a struct of {n} elements is where a short one should be")
    starts = range(0, len(content), length)
    names = [content[k : k + length].split(b"\0")[0].decode("latin-1") for k in starts]
    elements = []
    for _ in range(n):
        element = {}
        for name in names:
            kind, n_bytes = reader.tag()
            if kind != _MATRIX:
                raise ValueError(f"the field {name!r} holds no array")
            end = reader.position + n_bytes
            if name in wanted and n_bytes:
                element[name] = _matrix(reader, n_bytes, wanted[name])
            elif name in wanted:
                element[name] = None
            reader.skip_to(end)
        elements.append(element)
    return elements


def _text(reader: _Reader, n: int) -> str:
    code, content = reader.element()
    encoding = _TEXTS[code]
    if encoding in ("utf-16", "utf-32"):
        encoding += "-le" if reader.order == "<" else "-be"
    return content.decode(encoding)[: max(n, 0)]
