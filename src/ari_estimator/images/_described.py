"""The description in an image: what its values are."""

from __future__ import annotations

from typing import Any

from nibabel import Nifti1Image
from nibabel.cifti2.cifti2 import Cifti2Image

from ari_estimator.images._mne_objects import form_of

# Characters in a header of NIfTI.
_LONGEST = 80


def described(img: Any, text: str) -> Any:
    """Write a description to the header of an image.

    Parameters
    ----------
    img : object
        The image. Volumes, CIFTI images and objects of MNE-Python with a comment get a
        description; all else stays as it is.

    text : str
        What its values are, such as ``"z_score of contrast age"``. It is also the name of the maps
        of a CIFTI image.

    Returns
    -------
    img : image
        The same image.
    """
    written = text.encode("latin-1", "replace")[:_LONGEST]
    if isinstance(img, Nifti1Image):
        img.header["descrip"] = written
    elif isinstance(img, Cifti2Image):
        img.nifti_header["descrip"] = written
        for one in img.header.matrix.get_index_map(0).named_maps:
            one.map_name = text
    elif form_of(img) in ("evoked", "tfr"):
        img.comment = text
    return img


def description_of(img: Any) -> str:
    """Return the description of an image.

    Parameters
    ----------
    img : image
        The image.

    Returns
    -------
    text : str
        What :func:`described` wrote; empty for images without a header.
    """
    if isinstance(img, Cifti2Image):
        names = [str(one.map_name) for one in img.header.matrix.get_index_map(0).named_maps]
        return names[0] if names else ""
    if isinstance(img, Nifti1Image):
        return img.header["descrip"].item().decode("latin-1")
    return str(img.comment or "") if form_of(img) in ("evoked", "tfr") else ""
