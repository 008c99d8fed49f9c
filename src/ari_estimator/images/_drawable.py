"""Values of a space as images that nilearn can draw, whatever kind of image they come from."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from nibabel import Nifti1Image
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage

from ari_estimator.images._array_part import ArrayPart
from ari_estimator.images._mask_array import put
from ari_estimator.images._space import Space
from ari_estimator.images._vertices_part import VerticesPart
from ari_estimator.images._volume_part import VolumePart


class Drawable(NamedTuple):
    """Values as images.

    Attributes
    ----------
    volume : Nifti1Image or None
        Those of voxels; None where there are none.

    surface : SurfaceImage or None
        Those of vertices; None where there are none.
    """

    volume: Any
    surface: Any


def drawable(space: Space, values: np.ndarray) -> Drawable:
    """Return values as images that nilearn can draw.

    A CIFTI image, which it cannot, comes apart into the cortex and the voxels below.

    Parameters
    ----------
    space : Space
        Where the elements lie.

    values : ndarray of shape (n_elements,)
        A number for each.

    Returns
    -------
    drawable : Drawable
        The images, 0 where there is no element. Arrays have none.
    """
    volume = None
    meshes, data = {}, {}
    start = 0
    for part in space.parts:
        if isinstance(part, ArrayPart):
            return Drawable(None, None)
        if isinstance(part, VerticesPart):  # without a mesh, there is nothing to draw
            start += part.n_elements
            continue
        put_in_place = put(values[start : start + part.n_elements], part.mask)
        start += part.n_elements
        if isinstance(part, VolumePart):
            volume = Nifti1Image(put_in_place, part.affine)
            continue
        # By the end of "CORTEX_LEFT" too. What is neither, nilearn has no surface for.
        hemisphere = part.name.lower().rpartition("_")[2]
        if hemisphere in ("left", "right"):
            # Copies, since nilearn moves the vertices of what it draws, in place.
            meshes[hemisphere] = InMemoryMesh(part.points.copy(), part.faces.copy())
            data[hemisphere] = put_in_place
    surface = SurfaceImage(PolyMesh(**meshes), data) if meshes else None
    return Drawable(volume, surface)
