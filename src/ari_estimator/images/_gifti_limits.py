"""GIfTI files: whether the arrays in them are as large as they say."""

from __future__ import annotations

import base64
import gzip
import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from nibabel.gifti.util import gifti_encoding_codes
from nibabel.nifti1 import data_type_codes

from ari_estimator.images._safe_xml import check_xml
from ari_estimator.images._size_limits import check_size, largest_expansion

_CHUNK: Final = 1 << 20
_MOST_AXES: Final = 6

# What arrays are in that do not say it.
_DEFAULT: Final = "GZipBase64Binary"


def check_gifti(path: Path) -> None:
    """Refuse a GIfTI file that holds more than it says, or that points to other files.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    ValueError
        If it is not XML, declares entities, has its values in another file, or an array does not
        expand to its dimensions.
    """
    arrays = _Arrays(path)
    check_xml(_pieces(path), arrays.start, arrays.text, arrays.end)


class _Arrays:
    """The arrays of a file, one after the other."""

    def __init__(self, path: Path) -> None:
        self._most = largest_expansion(path.stat().st_size)
        self._total = 0
        self._n_bytes = 0
        self._is_compressed = False
        self._text: list[str] | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take note of an array."""
        if self._text is not None:
            raise ValueError(f"there is an element {name!r} within the values of an array")
        if name == "DataArray":
            self._start_array(attributes)
        elif name == "Data" and self._is_compressed:
            self._text = []

    def text(self, text: str) -> None:
        """Collect the values of an array."""
        if self._text is not None:
            self._text.append(text)

    def end(self, name: str) -> None:
        """Expand the values of an array, as far as it says that there are some."""
        if self._text is None:
            return
        content, self._text = base64.b64decode("".join(self._text)), None
        # One byte more tells that there are more.
        n_bytes = len(zlib.decompressobj().decompress(content, self._n_bytes + 1))
        if n_bytes != self._n_bytes:
            got = "more" if n_bytes > self._n_bytes else f"{n_bytes:,}"
            raise ValueError(f"an array that should have {self._n_bytes:,} bytes expands to {got}")

    def _start_array(self, attributes: dict[str, str]) -> None:
        encoding = gifti_encoding_codes.label[attributes.get("Encoding", _DEFAULT)]
        if encoding == "External":
            raise ValueError(
                f"its values are in another file, {attributes.get('ExternalFileName', '')!r}, "
                "which is not read; wb_command -gifti-convert puts them into the file"
            )
        n_axes = int(attributes.get("Dimensionality", "0"))
        if not 0 <= n_axes <= _MOST_AXES:
            raise ValueError(f"an array has {n_axes} dimensions")
        dims = [int(attributes[f"Dim{k}"]) for k in range(n_axes)]
        if any(n < 0 for n in dims):
            raise ValueError(f"an array has the shape {tuple(dims)}")
        dtype: Any = data_type_codes.dtype[attributes["DataType"]]
        self._n_bytes = math.prod(dims) * dtype.itemsize
        self._total += self._n_bytes
        if self._total > self._most:
            raise ValueError(
                f"its arrays say that they have {self._total:,} bytes, and of a file of its size "
                f"at most {self._most:,} are read"
            )
        self._is_compressed = encoding == "B64GZ"


def _pieces(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file, without compression."""
    total = 0
    with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        while piece := file.read(_CHUNK):
            total += len(piece)
            check_size(path, total)
            yield piece
