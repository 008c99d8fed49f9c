"""Which kind of image something is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nibabel.cifti2.cifti2 import Cifti2Image
from nilearn.maskers import SurfaceMasker
from nilearn.surface import SurfaceImage

from ari_estimator.images._cifti import CiftiFrame
from ari_estimator.images._frame import Frame
from ari_estimator.images._surfaces import SurfaceFrame
from ari_estimator.images._volumes import VolumeFrame

KINDS: dict[str, type[Frame]] = {
    frame.kind: frame for frame in (VolumeFrame, SurfaceFrame, CiftiFrame)
}


def is_cifti(img: Any) -> bool:
    """Tell whether something is a CIFTI image, or by its name a file of one."""
    if isinstance(img, (str, Path)):
        # dscalar.nii, dtseries.nii, dlabel.nii, ptseries.nii and so on.
        inner = Path(Path(img).stem).suffix if str(img).endswith(".nii") else ""
        return inner[1:2] in ("d", "p") and inner.endswith(("scalar", "series", "label", "conn"))
    return isinstance(img, Cifti2Image)


def kind_of(image: Any) -> type[Frame]:
    """Return the kind of an image or masker: volumes, if it is no other."""
    if isinstance(image, (SurfaceImage, SurfaceMasker)):
        return SurfaceFrame
    if is_cifti(image):
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
