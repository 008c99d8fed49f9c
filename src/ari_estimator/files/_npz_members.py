"""Read the arrays of an npz file that may be damaged or malicious."""

from __future__ import annotations

import math
import os
import re
import zipfile
from typing import IO, BinaryIO

import numpy as np

# A file may unpack to 16 MiB, for any size, and above that to 8 times its size. The mask of a grid
# of 256 x 256 x 256 voxels with a single region shrinks by a factor of 1000 and stays within 16
# MiB. The values of a map, most of a file, shrink to a half or a third. So a map of 15 million
# voxels is far from the limit. Deflate can shrink data by a factor of 1032: without a limit, 10 MB
# could unpack to 10 GB.
_ALWAYS_UNPACKED = 2**24
_LARGEST_RATIO = 8

_MAGIC = b"\x93NUMPY\x01\x00"

# Exactly the header that numpy writes. numpy itself would evaluate the text of the header.
_HEADER = re.compile(
    rb"\{'descr': '(\|b1|\|[iu]1|[<>][iu][248]|[<>]f[248]|[<>]U[1-9]\d{0,7}|\|S[1-9]\d{0,7})', "
    rb"'fortran_order': (True|False), 'shape': \(((?:\d{1,18}, )*(?:\d{1,18},?)?)\), \} *\n"
)
_LONGEST_HEADER = 2**12

_NAME = re.compile(r"\w+\.npy", re.ASCII)

# Number of bytes to unpack at once.
_BLOCK = 2**20


def most_unpacked(size: int) -> int:
    """Return the number of bytes that a file of a given size may unpack to.

    Parameters
    ----------
    size : int
        Size of the file, in bytes.

    Returns
    -------
    most : int
        Number of bytes.
    """
    return _ALWAYS_UNPACKED + _LARGEST_RATIO * size


class NpzMembers:
    """The arrays of an npz file. Each one is checked and unpacked on request.

    Parameters
    ----------
    file : file
        An open file of the disk.

    most : int, default=0
        Number of bytes that all members together may unpack to, if that is more than
        :func:`most_unpacked` says.

    Attributes
    ----------
    names : frozenset of str
        Names of the arrays.

    Raises
    ------
    ValueError
        If a member does not have the name of an array, or has the name of another member. If it
        is encrypted, or not packed as numpy does it. If all members together would unpack to too
        many bytes.
    zipfile.BadZipFile
        If it is not an npz file.
    """

    def __init__(self, file: BinaryIO, most: int = 0) -> None:
        self._zip = zipfile.ZipFile(file)
        self._members: dict[str, zipfile.ZipInfo] = {}
        for member in self._zip.infolist():
            if not _NAME.fullmatch(member.orig_filename):
                raise ValueError(f"it holds {member.orig_filename[:100]!r}, which is not an array")
            name = member.filename.removesuffix(".npy")
            if name in self._members:
                raise ValueError(f"it holds the array {name!r} twice")
            if member.flag_bits & 1 or member.compress_type not in (
                zipfile.ZIP_STORED,
                zipfile.ZIP_DEFLATED,
            ):
                raise ValueError(f"its array {name!r} is encrypted or not packed as numpy does it")
            self._members[name] = member
        unpacked = sum(member.file_size for member in self._members.values())
        most = max(most, most_unpacked(os.fstat(file.fileno()).st_size))
        if unpacked > most:
            raise ValueError(f"it would unpack to {unpacked:,} bytes; at most {most:,} are allowed")
        self.names = frozenset(self._members)

    def read(self, name: str) -> np.ndarray:
        """Return an array.

        Parameters
        ----------
        name : str
            One of the names.

        Returns
        -------
        array : ndarray
            The array, of numbers or text.

        Raises
        ------
        ValueError
            If the member is not an array, or does not have the size in its header.
        zipfile.BadZipFile, zlib.error
            If the member is damaged.
        """
        member = self._members[name]
        with self._zip.open(member) as packed:
            dtype, shape, is_fortran, start = _read_header(packed, name)
            size = math.prod(shape) * dtype.itemsize
            if start + size != member.file_size:
                raise ValueError(
                    f"its array {name!r} has {member.file_size - start:,} bytes instead of the "
                    f"{size:,} in its header"
                )
            data = bytearray(size)
            _fill(packed, data, name)
        array = np.frombuffer(data, dtype)
        return array.reshape(shape[::-1]).T if is_fortran else array.reshape(shape)


def _read_header(packed: IO[bytes], name: str) -> tuple[np.dtype, tuple[int, ...], bool, int]:
    """Return the type and shape of an array, whether it has Fortran order, and its start."""
    start = packed.read(len(_MAGIC) + 2)
    length = int.from_bytes(start[len(_MAGIC) :], "little")
    header = packed.read(min(length, _LONGEST_HEADER))
    found = _HEADER.fullmatch(header)
    if not start.startswith(_MAGIC) or found is None or len(header) != length:
        raise ValueError(f"its member {name!r} is not an array of numbers or text")
    descr, order, lengths = (group.decode() for group in found.groups())
    shape = tuple(int(n) for n in re.findall(r"\d+", lengths))
    return np.dtype(descr), shape, order == "True", len(start) + length


def _fill(packed: IO[bytes], data: bytearray, name: str) -> None:
    """Fill a buffer block by block. At the end, zipfile compares the checksum."""
    view = memoryview(data)
    while view:
        block = packed.read(min(len(view), _BLOCK))
        if not block:
            raise ValueError(f"its array {name!r} ends early")
        view[: len(block)] = block
        view = view[len(block) :]
    packed.read(1)
