"""The maps of the sample study on the cortical surface."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from nibabel import Nifti1Image
from nibabel.affines import apply_affine
from nilearn.datasets import load_fsaverage, load_fsaverage_data
from nilearn.surface import PolyMesh, SurfaceImage
from scipy.ndimage import map_coordinates

_MESH = "fsaverage5"

# The cortex of the medial wall has no thickness, in mm.
_THINNEST = 0.5


@dataclass(frozen=True)
class SampleSurface:
    """The cortex of fsaverage5, and where its vertices are in a volume.

    Attributes
    ----------
    mesh : PolyMesh
        The pial surface.

    cortex : dict of str to ndarray of bool
        Which vertices of a hemisphere are cortex, not the medial wall.

    places : dict of str to ndarray of shape (3, n_vertices)
        Voxel coordinates half-way between white matter and pial surface.
    """

    mesh: PolyMesh
    cortex: dict[str, np.ndarray]
    places: dict[str, np.ndarray]

    @classmethod
    def in_volume(cls, img: Nifti1Image) -> SampleSurface:
        """Return the surface in the grid of an image."""
        meshes = load_fsaverage(_MESH)
        thickness = load_fsaverage_data(mesh=_MESH, data_type="thickness").data.parts
        pial, white = meshes["pial"].parts, meshes["white_matter"].parts
        to_voxels = np.linalg.inv(img.affine)
        middle = {side: (pial[side].coordinates + white[side].coordinates) / 2 for side in pial}
        return cls(
            meshes["pial"],
            {side: values > _THINNEST for side, values in thickness.items()},
            {side: apply_affine(to_voxels, xyz).T for side, xyz in middle.items()},
        )

    @property
    def mask_img(self) -> SurfaceImage:
        """Which vertices are cortex."""
        return SurfaceImage(self.mesh, {k: v.astype(np.uint8) for k, v in self.cortex.items()})

    def sample(self, volume: np.ndarray) -> dict[str, np.ndarray]:
        """Return the values of a volume at the vertices, 0 where there is no cortex."""
        sampled = {
            side: map_coordinates(volume, places, order=1, mode="grid-wrap")
            for side, places in self.places.items()
        }
        return {side: np.where(self.cortex[side], sampled[side], 0) for side in sampled}

    def image(self, values: dict[str, np.ndarray]) -> SurfaceImage:
        """Return an image of the values of both hemispheres."""
        parts = {side: array.astype(np.float32) for side, array in values.items()}
        return SurfaceImage(self.mesh, parts)
