"""Open image files, after checking the sizes in their headers."""

from __future__ import annotations

import gzip
import math
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import Any, Final

import nibabel
from nibabel.arrayproxy import ArrayProxy
from nibabel.openers import ImageOpener

from ari_estimator.files._regular_file import existing_file
from ari_estimator.images._cifti_header import is_cifti
from ari_estimator.images._cifti_version import refuse_cifti_1
from ari_estimator.images._gifti_limits import check_gifti
from ari_estimator.images._mat_file import check_matrices
from ari_estimator.images._quiet_header import quiet_header
from ari_estimator.images._reading_errors import clear_errors
from ari_estimator.images._safe_xml import check_xml
from ari_estimator.images._size_limits import check_size, most_bytes

# The formats that are read.
_NIFTI: Final = (".nii", ".nii.gz", ".nii.bz2", ".nii.zst")
_PAIRS: Final = (".hdr", ".img", ".hdr.gz", ".img.gz", ".hdr.bz2", ".img.bz2")
_AFNI: Final = (".head", ".brik", ".brik.gz", ".brik.bz2", ".brik.z")
_MGH: Final = (".mgh", ".mgz", ".mgh.gz")
_GIFTI: Final = (".gii", ".gii.gz")
_ALL: Final = (*_NIFTI, *_PAIRS, *_AFNI, *_MGH, *_GIFTI)

# CIFTI files of thousands of maps have tens of megabytes of names, AFNI's histories one.
_LARGEST_HEADER: Final = 256 * 2**20
_LARGEST_HEAD: Final = 64 * 2**20

_CIFTI_EXTENSION: Final = 32

_GZIP: Final = (".gz", ".mgz")
_CHUNK: Final = 1 << 20

# Bytes by FreeSurfer's mri_types: unsigned char, int, float, short.
_MGH_BYTES: Final = {0: 1, 1: 4, 3: 4, 4: 2}

_IS_CHECKED_BY_READER: Final = ContextVar("whether readers check compressed data", default=False)


def load_image(path: str | PathLike[str], what: str) -> Any:
    """Return an image of a file, whose data may still be in the file.

    Parameters
    ----------
    path : str or path-like
        NIfTI, Analyze, MGH, AFNI, GIfTI or CIFTI.

    what : str
        What it should be, for messages.

    Returns
    -------
    img : nibabel image
        The image.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, TypeError
        If there is no such file.
    ValueError
        If it is not a file on a disk. If it has another format, is damaged or incomplete. If its
        header declares more data than the file can hold. If its XML declares entities.
    """
    path = existing_file(path, what)
    with clear_errors(path, what):
        _check_before(path, what)
        with quiet_header() if is_cifti(path) else nullcontext():
            img: Any = nibabel.load(path)
        _check_after(img)
    return img


def check_image_file(path: str | PathLike[str], what: str) -> None:
    """Raise what :func:`load_image` raises, for whoever reads the file with another function."""
    load_image(path, what)


def check_loaded(img: Any, what: str) -> None:
    """Raise an error unless an image can hold what it says, where its data are still in a file.

    Parameters
    ----------
    img : nibabel image
        The image, which someone else has opened.

    what : str
        What it should be, for messages.

    Raises
    ------
    ValueError
        If its file is damaged, incomplete or gone, or it says that it holds more than it can.
    """
    if not img.in_memory:
        with clear_errors(img, what):
            _check_after(img)


def _check_before(path: Path, what: str) -> None:
    """Check what nibabel reads when it opens a file."""
    name = path.name.lower()
    if not name.endswith(_ALL):
        raise ValueError(
            "its name is not the name of a NIfTI, Analyze, MGH, AFNI, GIfTI or CIFTI image"
        )
    if name.endswith(_GIFTI):
        check_gifti(path)
    elif name.endswith(_MGH):
        _check_mgh(path)
    elif name.endswith(_NIFTI):
        _check_nifti_header(path, what)
    else:
        for part in _parts(path):
            _check_part(existing_file(part, "A file beside it"), what)


def _parts(path: Path) -> Iterator[Path]:
    """Yield the files that belong to a file, itself included."""
    end = next(end for end in _ALL if path.name.lower().endswith(end))
    stem = path.name[: -len(end)]
    others = _AFNI if end in _AFNI else (*_PAIRS, ".mat")
    names = dict.fromkeys(stem + form(other) for other in others for form in (str, str.upper))
    if end in _AFNI:
        names |= dict.fromkeys(f"{stem}.BRIK{other}" for other in (".gz", ".bz2"))
    for name in (path.name, *names):
        if os.path.lexists(part := path.with_name(name)):
            yield part


def _check_part(path: Path, what: str) -> None:
    name = path.name.lower()
    if name.endswith(".mat"):
        check_matrices(path)
    elif name.endswith(".head") and path.stat().st_size > _LARGEST_HEAD:
        raise ValueError(f"{path.name!r} has {path.stat().st_size:,} bytes, too many for a header")
    elif ".hdr" in name:
        _check_nifti_header(path, what)


def _check_mgh(path: Path) -> None:
    # What comes after the data is read with the header.
    with ImageOpener(str(path), "rb") as file:
        version, *dims, kind = struct.unpack(">6i", file.read(24))
    if version != 1 or min(dims) < 1 or kind not in _MGH_BYTES:
        raise ValueError(f"its header has version {version}, dimensions {dims} and type {kind}")
    check_size(path, 284 + math.prod(dims) * _MGH_BYTES[kind])


def _check_nifti_header(path: Path, what: str) -> None:
    """Check the extensions of a header, which are read with it."""
    with ImageOpener(str(path), "rb") as file:
        head = file.read(544)
        for order in "<>":
            (size,) = struct.unpack(f"{order}i", head[:4])
            if size == 348:
                offset, magic = struct.unpack(f"{order}f", head[108:112])[0], head[344:348]
                break
            if size == 540:
                offset, magic = struct.unpack(f"{order}q", head[168:176])[0], head[4:8]
                break
        else:
            raise ValueError("it does not begin with the header of NIfTI or Analyze")
        is_single, has_extensions = magic[:2] == b"n+", head[size : size + 1] not in (b"", b"\0")
        if not (is_single or magic[:2] == b"ni"):
            return  # Analyze, which has none
        if is_single:
            # 0 is right after the header, if nothing is in between.
            if not (size <= offset < math.inf or (offset == 0 and not has_extensions)):
                raise ValueError(f"its data start at byte {offset:g}, within the header")
            check_size(path, int(offset))
        if has_extensions:
            end = int(offset) if is_single else most_bytes(path)
            for xml in _xml_of_cifti(file, order, size + 4, end):
                refuse_cifti_1(xml, path, what)
                check_xml([xml])


def _xml_of_cifti(file: ImageOpener, order: str, start: int, end: int) -> Iterator[bytes]:
    """Check the extensions of a header, and yield the XML of CIFTI."""
    file.seek(start)
    while end - start >= 16:
        if start > _LARGEST_HEADER:
            raise ValueError(f"its header has more than {_LARGEST_HEADER:,} bytes")
        head = file.read(8)
        if not head:
            return  # of a file of its own
        size, code = struct.unpack(f"{order}2i", head)
        if not 8 <= size <= end - start:
            raise ValueError(f"an extension of its header has {size} bytes")
        start += size
        if code == _CIFTI_EXTENSION:
            yield file.read(size - 8).rstrip(b"\0")
        else:
            file.seek(start)


def _check_after(img: Any) -> None:
    """Check the declared size of the data of an image."""
    data = getattr(img, "dataobj", None)
    if data is None:
        return  # GIfTI, which is read already
    shape = tuple(int(n) for n in data.shape)
    if not shape or min(shape) < 1:
        raise ValueError(f"it has the shape {shape}, without a value")
    if isinstance(data, ArrayProxy) and isinstance(data.file_like, (str, os.PathLike)):
        path = existing_file(data.file_like, "A file beside it")
        if data.offset < 0:
            raise ValueError(f"its data start at byte {data.offset}")
        declared = int(data.offset) + math.prod(shape) * data.dtype.itemsize
        check_size(path, declared)
        if path.suffix.lower() in _GZIP and not _IS_CHECKED_BY_READER.get():
            status = path.stat()
            _check_stream(str(path), declared, (status.st_ino, status.st_size, status.st_mtime_ns))


@contextmanager
def checked_by_reader() -> Iterator[None]:
    """Leave the check of compressed data to whoever reads them, with :func:`check_loaded`.

    The check takes as long as reading the data, and the processes that read them can share it.
    """
    token = _IS_CHECKED_BY_READER.set(True)
    try:
        yield
    finally:
        _IS_CHECKED_BY_READER.reset(token)


@lru_cache(maxsize=10_000)
def _check_stream(path: str, declared: int, _identity: tuple[int, ...]) -> None:
    """Go through a file of gzip once: nibabel looks neither at its checksum nor at its end."""
    total = 0
    with gzip.open(path) as file:
        while piece := file.read(_CHUNK):
            total += len(piece)
            if total > declared + _CHUNK:
                return  # what comes after the data is not read by anyone
    if total < declared:
        raise ValueError(f"its header says that it holds {declared:,} bytes. Got {total:,}")
