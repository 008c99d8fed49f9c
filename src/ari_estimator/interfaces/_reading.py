"""Files that other programs have written, read with one clear error where that fails."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.cifti2.cifti2 import Cifti2Image
from nibabel.filebasedimages import ImageFileError
from nibabel.nifti1 import Nifti1Pair
from nibabel.spatialimages import HeaderDataError, ImageDataError, SpatialImage
from nibabel.wrapstruct import WrapStructError
from scipy.io.matlab import MatReadError

from ari_estimator.images._declared import remember_file
from ari_estimator.images._volume_formats import refuse_surface

# How files of one volume end, most usual first.
_EXTENSIONS = (".nii.gz", ".nii", ".hdr", ".hdr.gz")

# What nibabel, scipy and the decompressors below raise of a file that is not what its name says. A
# gzip file that ends too early is an EOFError; bytes may lead to keys that are not there.
_UNREADABLE = (
    EOFError,
    HeaderDataError,
    ImageDataError,
    ImageFileError,
    LookupError,
    MatReadError,
    NotImplementedError,
    OSError,
    OverflowError,
    TypeError,
    ValueError,
    WrapStructError,
    zlib.error,
)


def existing_file(path: str | PathLike[str], what: str) -> Path:
    """Return the path of a file that is there.

    Parameters
    ----------
    path : str or path-like
        Where it should be.

    what : str
        What it should be, for messages: "a cluster table".

    Returns
    -------
    path : Path
        The path.

    Raises
    ------
    FileNotFoundError
        If there is nothing.
    IsADirectoryError
        If it is a folder.
    """
    path = _as_path(path, what)
    if path.is_dir():
        raise IsADirectoryError(f"{what} must be a file. Got a folder: {str(path)!r}.")
    if not path.exists():
        raise FileNotFoundError(f"{what} is not there: {str(path)!r}.")
    return path


def existing_folder(path: str | PathLike[str], what: str) -> Path:
    """Return the path of a folder that is there.

    Parameters
    ----------
    path : str or path-like
        Where it should be.

    what : str
        What it should be, for messages.

    Returns
    -------
    path : Path
        The path.

    Raises
    ------
    FileNotFoundError
        If there is nothing.
    NotADirectoryError
        If it is a file.
    """
    path = _as_path(path, what)
    if path.is_file():
        raise NotADirectoryError(f"{what} must be a folder. Got a file: {str(path)!r}.")
    if not path.exists():
        raise FileNotFoundError(f"{what} is not there: {str(path)!r}.")
    return path


def find_image(folder: Path, stem: str) -> Path | None:
    """Return the image of a name in a folder, whatever its format; None if there is none."""
    paths = (folder / f"{stem}{extension}" for extension in _EXTENSIONS)
    return next((path for path in paths if path.exists()), None)


def stem_of(path: str | PathLike[str]) -> str:
    """Return the name of an image without its extension, ``.nii.gz`` and others of two parts."""
    name = Path(path).name
    others = (".img", ".img.gz", ".mgh", ".mgz", ".HEAD", ".BRIK", ".BRIK.gz")
    for extension in (*_EXTENSIONS, *others):
        if name.endswith(extension):
            return name.removesuffix(extension)
    return name


def read_text(path: str | PathLike[str], what: str) -> str:
    """Return the text of a file, with its line ends as they are.

    Bytes that are no UTF-8 come back as they were when the text is encoded by
    ``("utf-8", "surrogateescape")``.

    Parameters
    ----------
    path : str or path-like
        The file.

    what : str
        What it should be, for messages.

    Returns
    -------
    text : str
        The text.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If there is no such file.
    ValueError
        If it is no text.
    """
    content = existing_file(path, what).read_bytes()
    if b"\0" in content:
        raise ValueError(f"{what} must be a text file. Got binary data: {fspath(path)!r}.")
    return content.decode("utf-8", "surrogateescape")


@contextmanager
def clear_errors(image: Any, what: str) -> Iterator[None]:
    """Turn whatever goes wrong within, while a file is read, into one ValueError that names it."""
    try:
        yield
    except _UNREADABLE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(
            f"{what} cannot be read: {_name(image)} is of another format, damaged or incomplete "
            f"({reason})."
        ) from error


def open_image(image: Any, what: str) -> SpatialImage:
    """Return an image, whose data may still be in its file.

    Parameters
    ----------
    image : str, path-like or nibabel image
        The image.

    what : str
        What it should be, for messages.

    Returns
    -------
    img : nibabel image
        The image.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If there is no such file.
    TypeError
        If it is neither a path nor an image.
    ValueError
        If the file is no image.
    """
    if isinstance(image, SpatialImage):
        return image
    path = existing_file(image, what)
    with clear_errors(path, what):
        img: Any = nib.load(path)
    if not isinstance(img, SpatialImage):
        raise ValueError(
            f"{what} must be a volume. Got {type(img).__name__}: {str(path)!r}. Surfaces and "
            "CIFTI files go to the transformers as they are."
        )
    return img


def read_volume(image: Any, what: str, index: int | None = None) -> Nifti1Pair:
    """Return one volume, in memory, as a NIfTI image.

    Parameters
    ----------
    image : str, path-like or nibabel image
        The image.

    what : str
        What it should be, for messages.

    index : int or None, default=None
        Which volume of a 4D image. None if there must be only one.

    Returns
    -------
    img : nibabel.Nifti1Image
        The volume, with the header where it was NIfTI.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, TypeError
        As for :func:`open_image`.
    ValueError
        If the file is no image, or incomplete, or not of one volume.
    """
    img = open_image(image, what)
    # AFNI writes the volumes of a NIfTI file along the fifth dimension.
    n_volumes = int(np.prod(img.shape[3:]))
    if img.ndim < 3 or (index is None and n_volumes != 1):
        raise ValueError(
            f"{what} must be one volume. Got shape {img.shape}: {_name(image)}. "
            "nilearn.image.index_img takes one volume out of several."
        )
    refuse_surface(img.shape, what)
    with clear_errors(image, what):
        at = np.unravel_index(index or 0, img.shape[3:]) if img.ndim > 3 else ()
        data = np.asanyarray(img.dataobj[(slice(None),) * 3 + tuple(int(k) for k in at)])
    # Of either byte order in files.
    data = data.astype(data.dtype.newbyteorder("="), copy=False)
    volume = _in_memory(img, data)
    if (name := img.get_filename()) is not None:
        remember_file(volume, Path(name))
    return volume


def read_whole(path: str | PathLike[str], what: str) -> Any:
    """Return an image of any kind and number of maps, in memory.

    Parameters
    ----------
    path : str or path-like
        The file.

    what : str
        What it should be, for messages.

    Returns
    -------
    img : nibabel image
        A NIfTI image for all formats of volumes; a CIFTI image.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If there is no such file.
    ValueError
        If the file is no image, or incomplete.
    """
    path = existing_file(path, what)
    with clear_errors(path, what):
        img: Any = nib.load(path)
        data = np.asanyarray(img.dataobj)
    if isinstance(img, Cifti2Image):
        return Cifti2Image(data, img.header, img.nifti_header)
    refuse_surface(img.shape, what)
    volume = _in_memory(img, data)
    # What is made of the image may be named after it; NIfTI images take names of NIfTI only.
    volume.file_map["image"].filename = str(path)
    return volume


def read_mask(image: Any, what: str = "The mask") -> Nifti1Pair:
    """Return a mask as FSL, SPM and AFNI read it: what is above 0 is in it.

    Parameters
    ----------
    image : str, path-like or nibabel image
        The mask.

    what : str, default="The mask"
        What it is, for messages.

    Returns
    -------
    mask_img : nibabel.Nifti1Image
        Of 0 and 1.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, TypeError
        As for :func:`open_image`.
    ValueError
        As for :func:`read_volume`, or if nothing is in the mask.
    """
    img = read_volume(image, what)
    mask = np.asanyarray(img.dataobj) > 0
    if not mask.any():
        raise ValueError(f"{what} must hold at least one voxel. Got none: {_name(image)}.")
    return nib.Nifti1Image(mask.astype(np.uint8), img.affine)


def finite_voxels(img: Nifti1Pair) -> Nifti1Pair | None:
    """Return the mask of a map that is NaN where nothing was tested; None if it is nowhere."""
    data = np.asanyarray(img.dataobj)
    is_finite = ~np.isnan(data)
    if is_finite.all() or not is_finite.any():
        return None
    return nib.Nifti1Image(is_finite.astype(np.uint8), img.affine)


def _in_memory(img: SpatialImage, data: np.ndarray) -> nib.Nifti1Image:
    """Return data of an image as a NIfTI image, with the header where it was NIfTI."""
    header = img.header.copy() if isinstance(img, Nifti1Pair) else None
    volume = nib.Nifti1Image(data, img.affine, header, dtype=data.dtype)
    # Extensions describe all volumes of the file.
    volume.header.extensions.clear()
    # Data that were scaled in the file are not any more.
    volume.header.set_data_dtype(data.dtype)
    return volume


def _as_path(path: Any, what: str) -> Path:
    if not isinstance(path, (str, PathLike)):
        raise TypeError(f"{what} must be a path. Got {type(path).__name__}.")
    return Path(path)


def _name(image: Any) -> str:
    """Return what an image is called in messages: its path, if it has one."""
    path = image.get_filename() if isinstance(image, SpatialImage) else image
    return "an image in memory" if path is None else repr(fspath(path))
