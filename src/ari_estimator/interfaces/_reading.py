"""Files that other programs have written, read with one clear error where that fails."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.cifti2.cifti2 import Cifti2Image
from nibabel.nifti1 import Nifti1Pair
from nibabel.spatialimages import SpatialImage

from ari_estimator.files._given_path import given_path
from ari_estimator.files._regular_file import read_bytes
from ari_estimator.images._declared import remember_file
from ari_estimator.images._grid import check_affine
from ari_estimator.images._image_file import load_image
from ari_estimator.images._reading_errors import clear_errors, name_of_image
from ari_estimator.images._unread_data import UnreadData
from ari_estimator.images._volume_formats import refuse_surface

# How files of one volume end, most usual first.
_EXTENSIONS = (".nii.gz", ".nii", ".hdr", ".hdr.gz")

# Tables and texts of programs have some kilobytes.
_LARGEST_TEXT = 16 * 2**20


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
    path = given_path(path, what)
    if not path.exists():
        raise FileNotFoundError(f"{what} is not there: {str(path)!r}.")
    if not path.is_dir():
        raise NotADirectoryError(f"{what} must be a folder. Got a file: {str(path)!r}.")
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
        If it is no text, larger than 16 MiB, or no file on a disk.
    """
    content = read_bytes(path, what, _LARGEST_TEXT)
    if b"\0" in content:
        raise ValueError(f"{what} must be a text file. Got binary data: {fspath(path)!r}.")
    return content.decode("utf-8", "surrogateescape")


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
    img = load_image(image, what)
    if not isinstance(img, SpatialImage):
        raise ValueError(
            f"{what} must be a volume. Got {type(img).__name__}: {str(image)!r}. Surfaces and "
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
            f"{what} must be one volume. Got shape {img.shape}: {name_of_image(image)}. "
            "nilearn.image.index_img takes one volume out of several."
        )
    refuse_surface(img.shape, what)
    check_affine(img.affine, img)
    with clear_errors(image, what):
        at = np.unravel_index(index or 0, img.shape[3:]) if img.ndim > 3 else ()
        data = np.asanyarray(img.dataobj[(slice(None),) * 3 + tuple(int(k) for k in at)])
    if data.dtype.kind not in "biufc":
        raise ValueError(f"{what} must hold numbers. Got {data.dtype}: {name_of_image(image)}.")
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
    return _with_data(load_image(path, what), path, what, is_read=True)


def read_later(path: str | PathLike[str], what: str) -> Any:
    """Return an image of any kind, whose data are read whenever they are asked for.

    Parameters
    ----------
    path : str or path-like
        The file.

    what : str
        What it should be, for messages.

    Returns
    -------
    img : nibabel image
        As from :func:`read_whole`. If the data are damaged, whoever reads them gets its errors.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If there is no such file.
    ValueError
        If the file is no image.
    """
    return _with_data(load_image(path, what), path, what, is_read=False)


def _with_data(img: Any, path: str | PathLike[str], what: str, *, is_read: bool) -> Any:
    """Return an image of a file with its data, or with what reads them."""
    with clear_errors(path, what):
        data: Any = np.asanyarray(img.dataobj) if is_read else UnreadData(img.dataobj, path, what)
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
        raise ValueError(f"{what} must hold at least one voxel. Got none: {name_of_image(image)}.")
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
