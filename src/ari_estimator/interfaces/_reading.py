"""Read files of other programs, with one clear error if that fails."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.cifti2.cifti2 import Cifti2Image
from nibabel.nifti1 import Nifti1Pair
from nibabel.spatialimages import SpatialImage

from ari_estimator.files._absent_content import is_named
from ari_estimator.files._given_path import given_path
from ari_estimator.files._near_names import near_name
from ari_estimator.files._regular_file import read_bytes
from ari_estimator.images._declared import file_of, remember_file
from ari_estimator.images._grid import check_affine
from ari_estimator.images._image_file import load_image
from ari_estimator.images._reading_errors import clear_errors, name_of_image
from ari_estimator.images._unread_data import UnreadData
from ari_estimator.images._volume_formats import refuse_surface

# Extensions of files of one volume, most common first.
_EXTENSIONS = (".nii.gz", ".nii", ".hdr", ".hdr.gz")

# Tables and text files of programs have a few kilobytes.
_LARGEST_TEXT = 16 * 2**20


def existing_folder(path: str | PathLike[str], what: str) -> Path:
    """Return the path of an existing folder.

    Parameters
    ----------
    path : str or path-like
        Path of the folder.

    what : str
        Name of the file in messages.

    Returns
    -------
    path : Path
        The path.

    Raises
    ------
    FileNotFoundError
        If the path does not exist.
    NotADirectoryError
        If the path is a file.
    """
    path = given_path(path, what)
    if not path.exists():
        raise FileNotFoundError(f"{what} does not exist: {str(path)!r}.{near_name(path)}")
    if not path.is_dir():
        raise NotADirectoryError(f"{what} must be a folder. Got a file: {str(path)!r}.")
    return path


def find_image(folder: Path, stem: str) -> Path | None:
    """Return the image with a given name in a folder, in any format; None if there is none."""
    paths = (folder / f"{stem}{extension}" for extension in _EXTENSIONS)
    return next((path for path in paths if path.exists() or is_named(path)), None)


def stem_of(path: str | PathLike[str]) -> str:
    """Return the name of an image without its extension, ``.nii.gz`` and others of two parts."""
    name = Path(path).name
    arrays = ("-ave.fif", "-ave.fif.gz", ".fif", ".fif.gz", "-lh.stc", "-rh.stc", "-vl.stc", ".stc")
    others = (
        *arrays,
        ".npy",
        ".csv",
        ".tsv",
        ".img",
        ".img.gz",
        ".mgh",
        ".mgz",
        ".HEAD",
        ".BRIK",
        ".BRIK.gz",
    )
    for extension in (*_EXTENSIONS, *others):
        if name.endswith(extension):
            return name.removesuffix(extension)
    return name


def read_text(path: str | PathLike[str], what: str) -> str:
    """Return the text of a file with unchanged line ends.

    Bytes that are not UTF-8 are restored if the text is encoded with ``("utf-8",
    "surrogateescape")``.

    Parameters
    ----------
    path : str or path-like
        The file.

    what : str
        Name of the file in messages.

    Returns
    -------
    text : str
        The text.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If the file does not exist.
    ValueError
        If the file is not text, is larger than 16 MiB, or is not a regular file.
    """
    content = read_bytes(path, what, _LARGEST_TEXT)
    if b"\0" in content:
        raise ValueError(f"{what} must be a text file. Got binary data: {fspath(path)!r}.")
    return content.decode("utf-8", "surrogateescape")


def open_image(image: Any, what: str) -> SpatialImage:
    """Return an image. Its data may still be in its file.

    Parameters
    ----------
    image : str, path-like or nibabel image
        The image.

    what : str
        Name of the file in messages.

    Returns
    -------
    img : nibabel image
        The image.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If the file does not exist.
    TypeError
        If the argument is neither a path nor an image.
    ValueError
        If the file is not an image.
    """
    if isinstance(image, SpatialImage):
        return image
    img = load_image(image, what)
    if not isinstance(img, SpatialImage):
        raise ValueError(
            f"{what} must be a volume. Got {type(img).__name__}: {str(image)!r}. Pass surfaces and "
            "CIFTI files directly to the transformers."
        )
    return img


def read_volume(image: Any, what: str, index: int | None = None) -> Nifti1Pair:
    """Return one volume, in memory, as a NIfTI image.

    Parameters
    ----------
    image : str, path-like or nibabel image
        The image.

    what : str
        Name of the file in messages.

    index : int or None, default=None
        Index of the volume in a 4D image. None if there must be only one volume.

    Returns
    -------
    img : nibabel.Nifti1Image
        The volume, with its header if it was NIfTI.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, TypeError
        As for :func:`open_image`.
    ValueError
        If the file is not an image, is incomplete, or does not hold one volume.
    """
    img = open_image(image, what)
    # AFNI writes the volumes of a NIfTI file along the fifth dimension.
    n_volumes = int(np.prod(img.shape[3:]))
    if img.ndim < 3 or (index is None and n_volumes != 1):
        raise ValueError(
            f"{what} must be one volume. Got shape {img.shape}: {name_of_image(image)}. "
            "Select one volume with nilearn.image.index_img."
        )
    refuse_surface(img.shape, what)
    check_affine(img.affine, img)
    with clear_errors(image, what):
        at = np.unravel_index(index or 0, img.shape[3:]) if img.ndim > 3 else ()
        data = np.asanyarray(img.dataobj[(slice(None),) * 3 + tuple(int(k) for k in at)])
    if data.dtype.kind not in "biufc":
        raise ValueError(f"{what} must hold numbers. Got {data.dtype}: {name_of_image(image)}.")
    # Files have either byte order.
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
        Name of the file in messages.

    Returns
    -------
    img : nibabel image
        A NIfTI image for volumes of any format, or a CIFTI image.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If the file does not exist.
    ValueError
        If the file is not an image, or is incomplete.
    """
    return _with_data(load_image(path, what), path, what, is_read=True)


def read_later(path: str | PathLike[str], what: str) -> Any:
    """Return an image of any kind. Its data are read on access.

    Parameters
    ----------
    path : str or path-like
        The file.

    what : str
        Name of the file in messages.

    Returns
    -------
    img : nibabel image
        The image, as from :func:`read_whole`. If the data are damaged, access to them raises an
        error.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If the file does not exist.
    ValueError
        If the file is not an image.
    """
    return _with_data(load_image(path, what), path, what, is_read=False)


def _with_data(img: Any, path: str | PathLike[str], what: str, *, is_read: bool) -> Any:
    """Return the image of a file, with its data or with an object that reads them."""
    with clear_errors(path, what):
        data: Any = np.asanyarray(img.dataobj) if is_read else UnreadData(img.dataobj, path, what)
    if isinstance(img, Cifti2Image):
        grayordinates = Cifti2Image(data, img.header, img.nifti_header)
        grayordinates.file_map["image"].filename = str(path)
        return grayordinates
    refuse_surface(img.shape, what)
    volume = _in_memory(img, data)
    # Derived images may be named after the image, and NIfTI images accept only NIfTI names.
    volume.file_map["image"].filename = str(path)
    return volume


def read_mask(image: Any, what: str = "The mask") -> Nifti1Pair:
    """Return a mask as FSL, SPM and AFNI read it, with all voxels above 0.

    Parameters
    ----------
    image : str, path-like or nibabel image
        The mask.

    what : str, default="The mask"
        Name of the mask in messages.

    Returns
    -------
    mask_img : nibabel.Nifti1Image
        A mask of 0 and 1.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, TypeError
        As for :func:`open_image`.
    ValueError
        As for :func:`read_volume`, or if the mask is empty.
    """
    img = read_volume(image, what)
    mask = np.asanyarray(img.dataobj) > 0
    if not mask.any():
        raise ValueError(f"{what} must hold at least one voxel. Got none: {name_of_image(image)}.")
    mask_img = nib.Nifti1Image(mask.astype(np.uint8), img.affine)
    if (file := file_of(img)) is not None:
        remember_file(mask_img, file)
    return mask_img


def finite_voxels(img: Nifti1Pair) -> Nifti1Pair | None:
    """Return the mask of a map that is NaN outside it; None if the map has no NaN."""
    data = np.asanyarray(img.dataobj)
    is_finite = ~np.isnan(data)
    if is_finite.all() or not is_finite.any():
        return None
    return nib.Nifti1Image(is_finite.astype(np.uint8), img.affine)


def _in_memory(img: SpatialImage, data: np.ndarray) -> nib.Nifti1Image:
    """Return data as a NIfTI image, with the header of the original image if that was NIfTI."""
    header = img.header.copy() if isinstance(img, Nifti1Pair) else None
    volume = nib.Nifti1Image(data, img.affine, header, dtype=data.dtype)
    # Header extensions describe all volumes of the file, so drop them.
    volume.header.extensions.clear()
    # The data are no longer scaled as in the file.
    volume.header.set_data_dtype(data.dtype)
    return volume
