"""The arrays of an npz file that may be damaged, or made to do harm."""

from __future__ import annotations

import math
import os
import re
import zipfile
from typing import IO, BinaryIO

import numpy as np

# A file may unpack to 16 MiB, whatever its size, and to 8 times its size beyond. The mask of a
# grid of 256 x 256 x 256 voxels with a single region shrinks a thousandfold and is within the 16
# MiB. The values of a map, most of a file, shrink to a half or a third. So a map of 15 million
# voxels is far from the limit. The most that deflate can do is 1032 times: without a limit, 10 MB
# would unpack to 10 GB.
_ALWAYS_UNPACKED = 2**24
_LARGEST_RATIO = 8

_MAGIC = b"\x93NUMPY\x01\x00"

# What numpy writes, and nothing else. numpy itself evaluates what it finds there.
_HEADER = re.compile(
    rb"\{'descr': '(\|b1|\|[iu]1|[<>][iu][248]|[<>]f[248]|[<>]U[1-9]\d{0,7})', "
    rb"'fortran_order': (True|False), 'shape': \(((?:\d{1,18}, )*(?:\d{1,18},?)?)\), \} *\n"
)
_LONGEST_HEADER = 2**12

_NAME = re.compile(r"\w+\.npy", re.ASCII)

# Bytes that are unpacked at once.
_BLOCK = 2**20


def most_unpacked(size: int) -> int:
    """Return how many bytes a file of a size may unpack to.

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
    """The arrays of an npz file, each unpacked when it is asked for, and checked before.

    Parameters
    ----------
    file : file
        An open file of the disk.

    Attributes
    ----------
    names : frozenset of str
        Names of the arrays.

    Raises
    ------
    ValueError
        If a member has no name of an array, the name of another one, is encrypted, or packed in
        another way than numpy does; or if all together are out of proportion to the file.
    zipfile.BadZipFile
        If it is no such file.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(file)
        self._members: dict[str, zipfile.ZipInfo] = {}
        for member in self._zip.infolist():
            if not _NAME.fullmatch(member.orig_filename):
                raise ValueError(f"it holds {member.orig_filename[:100]!r}, no name of an array")
            name = member.filename.removesuffix(".npy")
            if name in self._members:
                raise ValueError(f"it holds the array {name!r} twice")
            if member.flag_bits & 1 or member.compress_type not in (
                zipfile.ZIP_STORED,
                zipfile.ZIP_DEFLATED,
            ):
                raise ValueError(f"its array {name!r} is packed or encrypted in a strange way")
            self._members[name] = member
        unpacked = sum(member.file_size for member in self._members.values())
        most = most_unpacked(os.fstat(file.fileno()).st_size)
        if unpacked > most:
            raise ValueError(f"it would unpack to {unpacked:,} bytes, of {most:,} that are allowed")
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
            Of numbers or text.

        Raises
        ------
        ValueError
            If the member is no array, or of another size than it says.
        zipfile.BadZipFile, zlib.error
            If the member is damaged.
        """
        member = self._members[name]
        with self._zip.open(member) as packed:
            dtype, shape, is_fortran, start = _read_header(packed, name)
            size = math.prod(shape) * dtype.itemsize
            if start + size != member.file_size:
                raise ValueError(
                    f"its array {name!r} says that it has {size:,} bytes, and has "
                    f"{member.file_size - start:,}"
                )
            data = bytearray(size)
            _fill(packed, data, name)
        array = np.frombuffer(data, dtype)
        return array.reshape(shape[::-1]).T if is_fortran else array.reshape(shape)


def _read_header(packed: IO[bytes], name: str) -> tuple[np.dtype, tuple[int, ...], bool, int]:
    """Return type and shape of an array, whether its order is Fortran's, and where it starts."""
    start = packed.read(len(_MAGIC) + 2)
    length = int.from_bytes(start[len(_MAGIC) :], "little")
    header = packed.read(min(length, _LONGEST_HEADER))
    found = _HEADER.fullmatch(header)
    if not start.startswith(_MAGIC) or found is None or len(header) != length:
        raise ValueError(f"its member {name!r} is no array of numbers or text")
    descr, order, lengths = (group.decode() for group in found.groups())
    shape = tuple(int(n) for n in re.findall(r"\d+", lengths))
    return np.dtype(descr), shape, order == "True", len(start) + length


def _fill(packed: IO[bytes], data: bytearray, name: str) -> None:
    """Fill a buffer block by block; at the end, zipfile compares its checksum."""
    view = memoryview(data)
    while view:
        block = packed.read(min(len(view), _BLOCK))
        if not block:
            raise ValueError(f"its array {name!r} ends early")
        view[: len(block)] = block
        view = view[len(block) :]
    packed.read(1)
