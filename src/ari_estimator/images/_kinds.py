"""Which kind of image something is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nilearn.maskers import SurfaceMasker
from nilearn.surface import SurfaceImage

from ari_estimator.images._cifti import CiftiFrame
from ari_estimator.images._cifti_header import is_cifti
from ari_estimator.images._frame import Frame
from ari_estimator.images._grayordinate_masker import GrayordinateMasker
from ari_estimator.images._surfaces import SurfaceFrame
from ari_estimator.images._volumes import VolumeFrame

KINDS: dict[str, type[Frame]] = {
    frame.kind: frame for frame in (VolumeFrame, SurfaceFrame, CiftiFrame)
}


def kind_of(image: Any) -> type[Frame]:
    """Return the kind of an image or masker: volumes, if it is no other."""
    if isinstance(image, (SurfaceImage, SurfaceMasker)):
        return SurfaceFrame
    if isinstance(image, GrayordinateMasker) or is_cifti(image):
        return CiftiFrame
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
    mesh: Any,
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

    mesh : PolyMesh, dict or None
        Meshes of a CIFTI image.

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
        If a mesh is given where the image brings its own or needs none; if the mask is
        empty, not binary, or missing.
    """
    if mask_img is None and imgs is None:
        raise ValueError(
            "mask_img must be a mask or a masker, where there are no images to compute a mask "
            "from (arrays, for example). Got None."
        )
    if kind is None:
        kind = kind_of(mask_img if imgs is None else imgs[0])
    if mask_img is not None:
        check_kind(mask_img, kind, "mask_img")
    if mesh is not None and kind is not CiftiFrame:
        raise ValueError(
            f"mesh is for CIFTI images only. Got one for a {kind.kind} image: leave it None."
        )
    return kind.fit(mask_img, imgs, mesh=mesh, verbose=verbose)
