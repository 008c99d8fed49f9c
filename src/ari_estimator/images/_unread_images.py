"""Images of a list, which are read one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from nibabel.nifti1 import Nifti1Pair

from ari_estimator.images._frame import Frame


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
    """

    def __init__(self, given: Sequence[Any], kind: type[Frame]) -> None:
        self._given = given
        self._kind = kind

    def __len__(self) -> int:
        return len(self._given)

    def __getitem__(self, index: Any) -> Any:
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


def in_memory(img: Nifti1Pair) -> Nifti1Pair:
    """Return an image with its data in memory, which go with it.

    Parameters
    ----------
    img : Nifti1Image
        The image.

    Returns
    -------
    img : Nifti1Image
        nilearn makes a copy of an image whose data are in its file, by writing a file.
    """
    return type(img)(np.asanyarray(img.dataobj), img.affine, img.header)
