"""The cortex and the cerebellum of the sample study as grayordinates of CIFTI."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from nibabel import Nifti1Image
from nibabel.cifti2.cifti2_axes import BrainModelAxis
from nilearn.surface import SurfaceImage
from sklearn.utils import Bunch

_SIDES = ("left", "right")


@dataclass(frozen=True)
class SampleGrayordinates:
    """Vertices of the cortex and voxels of the cerebellum.

    Attributes
    ----------
    cortex : dict of str to ndarray of bool
        Which vertices of a hemisphere are cortex.

    cerebellum : dict of str to ndarray of bool
        Which voxels of the grid are in a half of the cerebellum.

    axis : BrainModelAxis
        The grayordinates: left and right cortex, left and right cerebellum.
    """

    cortex: dict[str, np.ndarray]
    cerebellum: dict[str, np.ndarray]
    axis: BrainModelAxis

    @classmethod
    def of(cls, study: Bunch) -> SampleGrayordinates:
        """Return the grayordinates of the sample study."""
        cortex = {side: study.surface_mask_img.data.parts[side].ravel() == 1 for side in _SIDES}
        labels = study.atlas_lut.set_index("name")["index"]
        atlas, affine = np.asarray(study.atlas_img.dataobj), study.atlas_img.affine
        cerebellum = {side: atlas == labels[f"{side} cerebellum"] for side in _SIDES}
        models = [BrainModelAxis.from_mask(cortex[side], name=f"cortex_{side}") for side in _SIDES]
        models += [
            BrainModelAxis.from_mask(cerebellum[side], affine=affine, name=f"cerebellum_{side}")
            for side in _SIDES
        ]
        return cls(cortex, cerebellum, sum(models[1:], models[0]))

    def row(self, surface: SurfaceImage, volume: Nifti1Image) -> np.ndarray:
        """Return the values of a map, an array of shape (n_grayordinates,)."""
        data = np.asarray(volume.dataobj)
        values = [surface.data.parts[side].ravel()[self.cortex[side]] for side in _SIDES]
        return np.concatenate([*values, *(data[self.cerebellum[side]] for side in _SIDES)])
