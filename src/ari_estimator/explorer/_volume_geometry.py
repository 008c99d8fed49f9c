"""Volumes in the page: the grid of the map, and an anatomical image in 256 shades of grey on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from nibabel.affines import apply_affine
from nibabel.nifti1 import Nifti1Header
from nilearn.image import check_niimg_3d, get_data, resample_img
from nilearn.image.resampling import BoundingBoxError

from ari_estimator.explorer._page_geometry import PageGeometry
from ari_estimator.images._frame import Frame
from ari_estimator.images._volume_formats import as_nifti
from ari_estimator.images._volume_part import VolumePart

# Codes of the NIfTI standard: coordinates of the scanner, and of the MNI space.
_SCANNER, _MNI = 1, 4

# So much of a brain in MNI space lies in the template: masks are somewhat larger at times.
_LEAST_OVERLAP = 0.85


@dataclass(frozen=True)
class VolumeGeometry(PageGeometry):
    """The grid of a volume.

    Attributes
    ----------
    part : VolumePart
        The tested voxels.

    space_code : int
        What the header of the map says about its space, a code of NIfTI; 0 if nothing.

    background : ndarray of uint8 of shape (nx, ny, nz), or None
        Anatomical image.
    """

    kind = "volume"

    part: VolumePart
    space_code: int
    background: np.ndarray | None

    @classmethod
    def of(
        cls, frame: Frame, parts: tuple[Any, ...], *, bg_img: Any, surf_mesh: Any, like: Any
    ) -> VolumeGeometry:
        """Return the geometry of a volume."""
        if surf_mesh is not None:
            raise ValueError(
                f"surf_mesh is for surfaces. Got {type(surf_mesh).__name__} for a volume."
            )
        (part,) = parts
        space_code = _space_code_of(frame.mask_img if like is None else like)
        return cls(part, space_code, _background_of(bg_img, part, space_code))

    def info(self) -> dict[str, Any]:
        """Return shape, affine and space, and for x, y and z which axis runs along, and how."""
        along = np.argsort(self.part.orientation[:, 0])
        signs = self.part.orientation[along, 1]
        return {
            "kind": self.kind,
            "shape": list(self.part.mask.shape),
            "affine": [[float(value) for value in row] for row in self.part.affine[:3]],
            "space_code": self.space_code or 2,
            "axes": [[int(axis), int(sign)] for axis, sign in zip(along, signs, strict=True)],
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """Return mask and background."""
        arrays = {"mask": self.part.mask.ravel()}
        if self.background is not None:
            arrays["background"] = self.background.ravel(order="F")
        return arrays

    def neighbours(self, connectivity: int) -> str:
        """Return who is whose neighbour, in words."""
        return f"{connectivity} neighbours"


def _space_code_of(img: Any) -> int:
    """Return what a header says about the space of an image, a code of NIfTI; 0 if nothing."""
    header = getattr(img, "header", None)
    if not isinstance(header, Nifti1Header):
        return 0
    return int(header["sform_code"]) or int(header["qform_code"])


def _background_of(bg_img: Any, part: VolumePart, space_code: int) -> np.ndarray | None:
    """Return an anatomical image on the grid of a map.

    Parameters
    ----------
    bg_img : "auto", 3D Niimg-like object or None
        The image; "auto" for nilearn's template, if the map is in its space. None for none.

    part : VolumePart
        The tested voxels.

    space_code : int
        What the header of the map says about its space.

    Returns
    -------
    background : ndarray of uint8 of shape (nx, ny, nz), or None
        None if there is none.

    Raises
    ------
    ValueError
        If the image is not a 3D image, or nothing of it is on the grid.
    """
    if bg_img is None:
        return None
    is_template = isinstance(bg_img, str) and bg_img in ("auto", "MNI152")
    if is_template:
        if space_code == _SCANNER:
            return None
        # Imported here: it takes its time, and importing the package should not wait for it.
        from nilearn.datasets import load_mni152_template

        bg_img = load_mni152_template(resolution=1)
        if space_code != _MNI and not _lies_in(part, bg_img):
            return None
    bg_img = check_niimg_3d(as_nifti(bg_img))
    values = _on_grid(bg_img, part)
    seen = values[values > 0]
    if seen.size == 0:
        if is_template:
            return None
        raise ValueError("bg_img must cover the grid of the map. Got an image that is 0 on it.")
    # A few bright voxels, of fat or of vessels, must not leave the rest in the dark.
    brightest = np.percentile(seen, 99.5)
    return np.round(np.clip(values / brightest, 0, 1) * 255).astype(np.uint8)


def _on_grid(img: Any, part: VolumePart) -> np.ndarray:
    """Return the values of an image on the grid of a map, 0 where there are none."""
    try:
        resampled = resample_img(
            img,
            target_affine=part.affine,
            target_shape=part.mask.shape,
            interpolation="linear",
            copy_header=True,
            force_resample=True,
        )
    except BoundingBoxError:
        return np.zeros(part.mask.shape)
    return np.nan_to_num(get_data(resampled).astype(np.float64))


def _lies_in(part: VolumePart, img: Any) -> bool:
    """Tell whether the voxels of a brain lie within the brain of another image."""
    values = get_data(img)
    voxels = apply_affine(np.linalg.inv(img.affine), part.coordinates())
    voxels = np.round(voxels).astype(np.intp)
    is_on_grid = ((voxels >= 0) & (voxels < values.shape)).all(axis=1)
    inside = values[tuple(voxels[is_on_grid].T)] > 0
    return bool(inside.sum() >= _LEAST_OVERLAP * part.n_elements)
