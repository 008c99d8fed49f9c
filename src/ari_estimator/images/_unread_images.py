"""Images of a list, which are read one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from nibabel.arrayproxy import ArrayProxy, is_proxy
from nibabel.nifti1 import Nifti1Pair
from nilearn.image import check_niimg

from ari_estimator.images._frame import Frame, as_real
from ari_estimator.images._image_file import check_loaded, checked_by_reader


class UnreadImages(Sequence[Any]):
    """Images of a list, each read when it is asked for, and not held.

    Whoever asks holds an image of its own. Once it is dropped its file is closed, and its data
    are gone.

    Parameters
    ----------
    given : sequence of images or paths
        The images, of one map each. They are held as they are.

    kind : type of Frame
        Their kind, which reads them.

    checks_data : bool, default=True
        Whether compressed data are checked. False leaves that to the process that reads them, see
        :class:`Unread`. It may be changed before the images are read again.
    """

    def __init__(
        self, given: Sequence[Any], kind: type[Frame], *, checks_data: bool = True
    ) -> None:
        self.checks_data = checks_data
        self._given = given
        self._kind = kind

    def __len__(self) -> int:
        return len(self._given)

    def __getitem__(self, index: Any) -> Any:
        with nullcontext() if self.checks_data else checked_by_reader():
            return self._kind.read(unshared(self._given[index]), single=True)


def unshared(img: Any) -> Any:
    """Return an image that keeps no data for the image of a user.

    Parameters
    ----------
    img : image or path
        The image.

    Returns
    -------
    img : image or path
        For an image whose data are in its file, a new image with the same file, because nilearn
        would keep the data in the given image. Anything else is returned unchanged.
    """
    if isinstance(img, Nifti1Pair) and not img.in_memory:
        return type(img)(img.dataobj, img.affine, img.header)
    return img


class Unread:
    """A volume whose data are in its file, for another process, which reads them.

    nibabel would send the data.

    Parameters
    ----------
    img : Nifti1Pair
        The image.
    """

    def __init__(self, img: Nifti1Pair) -> None:
        self._kind = type(img)
        self._content = img.dataobj, img.affine, img.header

    @staticmethod
    def is_possible(img: Any) -> bool:
        """Tell whether another process could read an image."""
        return (
            isinstance(img, Nifti1Pair)
            and not img.in_memory
            and isinstance(img.dataobj, ArrayProxy)
            and isinstance(img.dataobj.file_like, (str, Path))
        )

    def values(self, frame: Frame) -> np.ndarray:
        """Return the masked values of the image, which holds a single map, after a check."""
        img = self._kind(*self._content)
        check_loaded(img, "An image")
        return as_real(next(iter(frame.arrays(img))))


def read_once(img: Any) -> Any:
    """Return an image whose data do not stay in memory twice.

    Parameters
    ----------
    img : image or path
        The image.

    Returns
    -------
    img : image or path
        A new image with the same file, if nibabel keeps the values that ``get_fdata`` gave. nilearn
        would keep the values of the file beside them, as long as the image of the user lives.
        Anything else is returned unchanged.
    """
    is_read = isinstance(img, Nifti1Pair) and img.in_memory and is_proxy(img.dataobj)
    if is_read and getattr(img, "_data_cache", None) is None:  # nothing is kept by nilearn yet
        return type(img)(img.dataobj, img.affine, img.header)
    return img


def in_memory(images: Iterable[Any]) -> Iterator[Nifti1Pair]:
    """Yield images with their data in memory, which go with them.

    nilearn makes a copy of an image whose data are in its file, by writing a file.

    Parameters
    ----------
    images : iterable of images or paths
        The images. They keep no data.

    Yields
    ------
    img : Nifti1Image
        The next image.
    """
    for image in images:
        img = check_niimg(image)
        yield type(img)(np.asanyarray(img.dataobj), img.affine, img.header)
