"""Which kind of image something is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from nibabel.spatialimages import SpatialImage
from nilearn.maskers import NiftiMasker, SurfaceMasker
from nilearn.surface import SurfaceImage

from ari_estimator.images._array_frame import ArrayFrame
from ari_estimator.images._array_masker import ArrayMasker
from ari_estimator.images._cifti import CiftiFrame
from ari_estimator.images._cifti_header import is_cifti
from ari_estimator.images._frame import Frame
from ari_estimator.images._grayordinate_masker import GrayordinateMasker
from ari_estimator.images._mne_frame import MneFrame
from ari_estimator.images._mne_masker import MneMasker
from ari_estimator.images._mne_objects import is_mne
from ari_estimator.images._single_array import SingleArray
from ari_estimator.images._surfaces import SurfaceFrame
from ari_estimator.images._volumes import VolumeFrame

KINDS: dict[str, type[Frame]] = {
    frame.kind: frame for frame in (VolumeFrame, SurfaceFrame, CiftiFrame, ArrayFrame, MneFrame)
}

# The parameters that say where elements lie, of all kinds.
GEOMETRY: tuple[str, ...] = tuple(
    dict.fromkeys(name for frame in KINDS.values() for name in frame.geometry_names)
)


def kind_of(image: Any) -> type[Frame]:
    """Return the kind of an image or masker: volumes, if it is no other."""
    if isinstance(image, (SurfaceImage, SurfaceMasker)):
        return SurfaceFrame
    if isinstance(image, GrayordinateMasker) or is_cifti(image):
        return CiftiFrame
    if isinstance(image, (SpatialImage, NiftiMasker)):
        return VolumeFrame
    if isinstance(image, MneMasker) or is_mne(image):
        return MneFrame
    if isinstance(image, (np.ndarray, SingleArray, ArrayMasker)):
        return ArrayFrame
    return VolumeFrame


def check_kind(image: Any, kind: type[Frame], name: str) -> None:
    """Raise a TypeError unless an image or masker is of a kind.

    Parameters
    ----------
    image : image or masker
        What was given.

    kind : type of Frame
        The kind of the maps.

    name : str
        The argument, for the message.
    """
    if kind_of(image) is not kind:
        raise TypeError(
            f"{name} must be of the same kind as the maps, a {kind.kind}. "
            f"Got {type(image).__name__}."
        )


def fit_frame(
    mask_img: Any,
    imgs: Sequence[Any] | None,
    kind: type[Frame] | None = None,
    *,
    geometry: Mapping[str, Any],
    verbose: int,
) -> Frame:
    """Return the frame of what a user gives as mask, or of maps.

    Parameters
    ----------
    mask_img : image, masker or None
        The mask. None for one that is computed from the maps.

    imgs : sequence of images, or None
        Maps, all of one kind.

    kind : type of Frame or None, default=None
        The kind of the maps, where it is known.

    geometry : mapping of str to object
        Parameters by name. Those that say where elements lie are read: ``mesh``, ``adjacency``
        and ``coordinates``. None and a missing name are the same.

    verbose : int
        Verbosity of the masker.

    Returns
    -------
    frame : Frame
        Fitted.

    Raises
    ------
    TypeError
        If mask and maps are of different kinds.
    ValueError
        If one of these parameters would do nothing for the kind. If the mask is empty, not binary,
        or missing.
    """
    geometry = {name: geometry[name] for name in GEOMETRY if geometry.get(name) is not None}
    if kind is None and mask_img is None and "adjacency" in geometry:
        kind = ArrayFrame
    if mask_img is None and imgs is None and kind is not ArrayFrame:
        raise ValueError(
            "mask_img must be a mask or a masker, where there are no images to compute a mask "
            "from (arrays, for example). Got None. Arrays that need no mask are those with an "
            "adjacency."
        )
    if kind is None:
        kind = kind_of(mask_img if imgs is None else imgs[0])
    if mask_img is not None:
        check_kind(mask_img, kind, "mask_img")
    for name in geometry:
        if name not in kind.geometry_names:
            users = [f"{k.kind}s" for k in KINDS.values() if name in k.geometry_names]
            raise ValueError(
                f"{name} is for {' and '.join(users)} only. Got one for a {kind.kind}: "
                "leave it None."
            )
    return kind.fit(mask_img, imgs, geometry=geometry, verbose=verbose)
