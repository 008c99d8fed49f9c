"""The images of an analysis of FreeSurfer's mri_glmfit: a map, its mask and its clusters."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from nilearn.surface import PolyMesh, SurfaceImage

from ari_estimator.images._declared import file_of, remember_file
from ari_estimator.images._surface_files import surface_of_files
from ari_estimator.interfaces._glm_folder import GlmContrast
from ari_estimator.interfaces._reading import read_mask, read_volume

_MAP: Final = "The statistical map"
_MASK: Final = "The mask"
_CLUSTERS: Final = "The map of clusters"


class GlmImages(NamedTuple):
    """The images of an analysis, None where there are none.

    Attributes
    ----------
    stat_img : Nifti1Image or SurfaceImage
        The map.

    mask_img : Nifti1Image, SurfaceImage or None
        The tested elements.

    labels_img : Nifti1Image, SurfaceImage or None
        The clusters.
    """

    stat_img: Any
    mask_img: Any
    labels_img: Any


def images_of_volume(found: Sequence[GlmContrast], ocns: Mapping[str, Path]) -> GlmImages:
    """Return the images of an analysis of volumes.

    Parameters
    ----------
    found : sequence of GlmContrast
        The contrast.

    ocns : dict of str to Path
        Its map of clusters; empty if there is none.

    Raises
    ------
    ValueError
        If there are several analyses, or a file is damaged.
    """
    if len(found) > 1:
        raise ValueError("lh and rh must be analyses of surfaces. Got volumes.")
    (one,) = found
    mask_img = None if one.mask is None else read_mask(one.mask)
    labels = [read_volume(ocn, _CLUSTERS) for ocn in ocns.values()]
    return GlmImages(read_volume(one.sig, _MAP), mask_img, labels[0] if labels else None)


def images_of_surfaces(
    by_side: Mapping[str, tuple[GlmContrast, Path | None]], meshes: Any
) -> GlmImages:
    """Return the images of an analysis of one hemisphere or of both.

    Parameters
    ----------
    by_side : dict of str to (GlmContrast, Path or None)
        The contrast and its map of clusters, by "left" and "right".

    meshes : PolyMesh or dict
        The meshes, or meshes or their files by "left" and "right".

    Raises
    ------
    ValueError
        If a file is damaged, or does not fit its mesh.

    Warns
    -----
    UserWarning
        If one of two hemispheres has a mask.
    """
    stat_img = surface_of_files({side: one.sig for side, (one, _) in by_side.items()}, meshes, _MAP)
    masks = {side: one.mask for side, (one, _) in by_side.items() if one.mask is not None}
    if masks and len(masks) < len(by_side):
        (without,) = (one.folder.parent for one, _ in by_side.values() if one.mask is None)
        warnings.warn(
            f"There is no mask.mgh in {str(without)!r}, and the other hemisphere has one. All "
            "vertices of the hemisphere without a mask are tested.",
            UserWarning,
            stacklevel=2,
        )
    ocns = {side: ocn for side, (_, ocn) in by_side.items() if ocn is not None}
    return GlmImages(
        stat_img,
        _mask_of(masks, meshes, stat_img.mesh) if masks else None,
        _clusters_of(ocns, meshes) if ocns else None,
    )


def _mask_of(files: Mapping[str, Path], meshes: Any, mesh: PolyMesh) -> SurfaceImage:
    """Return the mask of a family. A hemisphere without a file has all of its vertices."""
    read = surface_of_files(files, meshes, _MASK)
    parts = {side: np.ones(part.n_vertices, np.uint8) for side, part in mesh.parts.items()}
    parts |= {side: (part > 0).astype(np.uint8) for side, part in read.data.parts.items()}
    mask_img, file = SurfaceImage(mesh, parts), file_of(read)
    if file is not None:
        remember_file(mask_img, file)
    return mask_img


def _clusters_of(files: Mapping[str, Path], meshes: Any) -> SurfaceImage:
    """Return clusters with a number for each, since both hemispheres are numbered from 1."""
    img = surface_of_files(files, meshes, _CLUSTERS)
    parts = dict(img.data.parts)
    for side, part in parts.items():
        # No hemisphere has more clusters than vertices.
        is_number = np.isin(part, np.arange(part.size + 1))
        if not is_number.all():
            raise ValueError(
                f"{_CLUSTERS} must hold the numbers of clusters: 0, 1, 2 and so on. Got "
                f"{part[~is_number][0]:g} in {str(files[side])!r}."
            )
        parts[side] = part.astype(np.int32)
    if len(parts) > 1:
        parts["right"] = np.where(parts["right"] > 0, parts["right"] + parts["left"].max(), 0)
    return SurfaceImage(img.mesh, parts)
