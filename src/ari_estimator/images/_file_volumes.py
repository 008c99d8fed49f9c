"""The volumes of a 4D file, read one at a time."""

from __future__ import annotations

from os import PathLike
from typing import Any

import nibabel
import numpy as np
from nibabel import Nifti1Image
from nibabel.nifti1 import Nifti1Pair

from ari_estimator.images._image_file import load_image
from ari_estimator.images._unread_data import UnreadData


class _OneVolume:
    """Data of one volume, which nibabel accepts in place of an array."""

    def __init__(self, dataobj: Any, number: int) -> None:
        self._dataobj = dataobj
        self._number = number
        self.shape: tuple[int, ...] = dataobj.shape[:3]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        data = np.asanyarray(self._dataobj[..., self._number])
        return data if dtype is None else data.astype(dtype, copy=False)

    def __getitem__(self, index: Any) -> Any:
        return np.asanyarray(self)[index] if index is Ellipsis else self._part(index)

    def _part(self, index: Any) -> Any:
        index = index if isinstance(index, tuple) else (index,)
        filled = (*index, *[slice(None)] * (3 - len(index)), self._number)
        return self._dataobj[filled]


def n_volumes(path: str | PathLike[str], what: str) -> int:
    """Return the number of volumes in a file; 1 for an image of another kind.

    Parameters
    ----------
    path : str or path-like
        The file.

    what : str
        What it should be, for messages.

    Returns
    -------
    n_volumes : int
        The number, from the header.
    """
    img = load_image(path, what)
    is_series = isinstance(img, Nifti1Pair) and len(img.shape) == 4
    return int(img.shape[3]) if is_series else 1


def as_volumes(maps: Any, what: str) -> Any:
    """Return the volumes of a file if maps are one 4D file; other maps unchanged.

    Parameters
    ----------
    maps : object
        Maps of subjects in any form.

    what : str
        What they should be, for messages.

    Returns
    -------
    maps : list of Nifti1Image or of path, or the same object
        The maps. nilearn's model takes a 4D image, but not the name of its file. The name of
        another image becomes a list of one.
    """
    if not isinstance(maps, (str, PathLike)):
        return maps
    return volumes_of_file(maps, what) if n_volumes(maps, what) > 1 else [maps]


def volumes_of_file(path: str | PathLike[str], what: str) -> list[Nifti1Image]:
    """Return the volumes of a 4D file, whose data stay in the file.

    Parameters
    ----------
    path : str or path-like
        A NIfTI file.

    what : str
        What it should be, for messages.

    Returns
    -------
    volumes : list of Nifti1Image
        The volumes. Reading them in their order reads a compressed file once.

    Raises
    ------
    ValueError
        If it is not a 4D file, or is damaged.
    """
    checked = load_image(path, what)
    if not isinstance(checked, Nifti1Pair) or len(checked.shape) != 4:
        raise ValueError(f"{what} must be a 4D NIfTI file. Got {str(path)!r}.")
    # An open file need not be decompressed from its start for each volume.
    img: Any = nibabel.load(path, keep_file_open=True)
    return [_volume_of(img, number, path, what) for number in range(img.shape[3])]


def one_volume(img: Any, number: int, what: str) -> Nifti1Image:
    """Return one volume of a 4D image, whose data stay where they are.

    Parameters
    ----------
    img : nibabel image
        The 4D image.

    number : int
        The number of the volume, from 0.

    what : str
        What it should be, for messages.

    Returns
    -------
    volume : Nifti1Image
        The volume.
    """
    return _volume_of(img, number, img.get_filename(), what)


def _volume_of(img: Any, number: int, path: str | PathLike[str] | None, what: str) -> Nifti1Image:
    data: Any = UnreadData(_OneVolume(img.dataobj, number), path, what)
    volume = Nifti1Image(data, img.affine, None)
    volume.header.set_xyzt_units(*img.header.get_xyzt_units())
    volume.header.set_sform(*img.header.get_sform(coded=True))
    volume.header.set_qform(*img.header.get_qform(coded=True))
    return volume
