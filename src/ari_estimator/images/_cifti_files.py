"""Open CIFTI files of many subjects. The grayordinates that they share are parsed once."""

from __future__ import annotations

import math
import re
import struct
from pathlib import Path
from typing import Any, NamedTuple

from nibabel.arrayproxy import ArrayProxy
from nibabel.cifti2.cifti2 import Cifti2Matrix, Cifti2MatrixIndicesMap
from nibabel.cifti2.cifti2_axes import Axis, LabelAxis, ScalarAxis, SeriesAxis
from nibabel.cifti2.parse_cifti2 import Cifti2Parser
from nibabel.nifti2 import Nifti2Header

from ari_estimator.files._regular_file import existing_file
from ari_estimator.images._cifti import CiftiFrame
from ari_estimator.images._cifti_header import brain_models_of, count_grayordinates
from ari_estimator.images._cifti_version import refuse_cifti_1
from ari_estimator.images._image_file import load_image
from ari_estimator.images._quiet_header import quiet_header
from ari_estimator.images._reading_errors import clear_errors
from ari_estimator.images._safe_xml import check_xml
from ari_estimator.images._size_limits import check_size
from ari_estimator.images._unread_data import UnreadData

_SIZE, _CIFTI_EXTENSION = 540, 32
_GRAYORDINATES = re.compile(
    rb"<MatrixIndicesMap\b[^<>]*CIFTI_INDEX_TYPE_BRAIN_MODELS[^<>]*>.*?</MatrixIndicesMap>",
    re.DOTALL,
)


class CiftiContent(NamedTuple):
    """What a CIFTI file holds.

    Attributes
    ----------
    axis : Axis
        The axis of its maps.

    models : Cifti2MatrixIndicesMap
        Its grayordinates.

    data : array-like of shape (n_maps, n_grayordinates)
        Its values, which are read on access.
    """

    axis: Axis
    models: Cifti2MatrixIndicesMap
    data: Any


class CiftiFiles:
    """Opens CIFTI files. Grayordinates that are the same as in the file before are not parsed.

    nibabel takes about 0.3 s for the header of a file with 91,282 grayordinates.
    """

    def __init__(self) -> None:
        self._grayordinates = b""
        self._models: Any = None

    def open(self, path: Any, what: str) -> CiftiContent:
        """Return the content of a file, whose data are read on access.

        Parameters
        ----------
        path : str or Path
            A dense CIFTI file.

        what : str
            What it should be, for messages.

        Returns
        -------
        content : CiftiContent
            The content.

        Raises
        ------
        FileNotFoundError, IsADirectoryError
            If there is no such file.
        TypeError
            If the file is another kind of image.
        ValueError
            If it is not an image, or is damaged.
        """
        path = existing_file(path, what)
        with clear_errors(path, what):
            content = self._content(path, what)
        if content is not None:
            return content
        img = CiftiFrame.read(load_image(path, what), single=False)
        data = UnreadData(img.dataobj, path, what)
        return CiftiContent(img.header.get_axis(0), brain_models_of(img), data)

    def _content(self, path: Path, what: str) -> CiftiContent | None:
        """Return the content of a file that is laid out as programs write dense CIFTI files."""
        header, xml = _header_of(path)
        refuse_cifti_1(xml, path, what)
        start = xml.find(self._grayordinates) if self._grayordinates else -1
        if start < 0:
            found = list(_GRAYORDINATES.finditer(xml))
            if len(found) != 1:
                return None
            start, self._grayordinates = found[0].start(), found[0][0]
            self._models = _parsed(self._grayordinates).get_index_map(1)
        rest = _parsed(xml[:start] + xml[start + len(self._grayordinates) :])
        if list(rest.mapped_indices) != [0]:
            return None
        axis = rest.get_axis(0)
        if not isinstance(axis, (ScalarAxis, SeriesAxis, LabelAxis)):
            return None
        shape = tuple(int(n) for n in header.get_data_shape())
        wanted = (1, 1, 1, 1, len(axis), count_grayordinates(self._models))
        if shape != wanted:
            raise ValueError(f"its data have shape {shape}, and its XML describes {wanted}")
        proxy = ArrayProxy(str(path), header)
        check_size(path, int(proxy.offset) + math.prod(wanted) * proxy.dtype.itemsize)
        return CiftiContent(axis, self._models, UnreadData(proxy.reshape(wanted[4:]), path, what))


def _header_of(path: Path) -> tuple[Any, bytes]:
    """Return the header of a file and its XML, which is empty if it is not a usual CIFTI file."""
    nothing = None, b""
    with path.open("rb") as file:
        head = file.read(_SIZE + 12)
        order = next((o for o in "<>" if head[:4] == struct.pack(f"{o}i", _SIZE)), None)
        if order is None or len(head) < _SIZE + 12 or head[4:7] != b"n+2":
            return nothing
        size, code = struct.unpack(f"{order}2i", head[_SIZE + 4 :])
        # The extension ends where the data start.
        (offset,) = struct.unpack(f"{order}q", head[168:176])
        if code != _CIFTI_EXTENSION or not 8 <= size <= offset - _SIZE - 4:
            return nothing
        with quiet_header():
            of_nifti = Nifti2Header(head[:_SIZE])
        return of_nifti, file.read(size - 8).rstrip(b"\0")


def _parsed(xml: bytes) -> Cifti2Matrix:
    """Return the content of XML that may be a part of the matrix of a file."""
    if xml.startswith(b"<MatrixIndicesMap"):
        xml = b'<CIFTI Version="2"><Matrix>' + xml + b"</Matrix></CIFTI>"
    check_xml([xml])
    parser = Cifti2Parser()
    parser.parse(string=xml)
    header: Any = parser.header
    return header.matrix
