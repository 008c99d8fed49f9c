"""CIFTI images in the page: the meshes of the cortex, and the voxels below it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from nilearn.surface import SurfaceImage

from ari_estimator.explorer._page_geometry import PageGeometry
from ari_estimator.explorer._surface_geometry import SurfaceGeometry
from ari_estimator.explorer._volume_geometry import VolumeGeometry
from ari_estimator.images._frame import Frame
from ari_estimator.images._surface_part import SurfacePart
from ari_estimator.images._volume_part import VolumePart

# What nilearn calls the meshes of the cortex.
_HEMISPHERES = {"CORTEX_LEFT": "left", "CORTEX_RIGHT": "right"}


@dataclass(frozen=True)
class CiftiGeometry(PageGeometry):
    """Vertices of the cortex, and voxels: one family.

    Attributes
    ----------
    cortex : SurfaceGeometry or None
        The meshes; None if the image has none.

    structures : list of str
        What the image calls each of the meshes.

    volume : VolumeGeometry or None
        The grid; None if the image has no voxels.

    columns : ndarray of int of shape (n_tested,)
        Place of each tested element in files.

    models : bytes
        XML of the grayordinates of the map, as its files have it.
    """

    kind = "cifti"

    cortex: SurfaceGeometry | None
    structures: list[str]
    volume: VolumeGeometry | None
    columns: np.ndarray
    models: bytes

    @classmethod
    def of(
        cls, frame: Frame, parts: tuple[Any, ...], *, bg_img: Any, surf_mesh: Any, like: Any
    ) -> CiftiGeometry:
        """Return the geometry of a CIFTI image."""
        meshes = [part for part in parts if isinstance(part, SurfacePart)]
        grids = tuple(part for part in parts if isinstance(part, VolumePart))
        if surf_mesh is not None and not meshes:
            raise ValueError(
                "surf_mesh is for surfaces. "
                f"Got {type(surf_mesh).__name__} for a CIFTI image without vertices."
            )
        cortex = volume = None
        # One background is given, of the surface or of the voxels; the other one is found.
        is_of_surface = isinstance(bg_img, SurfaceImage) or bg_img is None
        if meshes:
            named = tuple(replace(part, name=_HEMISPHERES[part.name]) for part in meshes)
            background = bg_img if is_of_surface else "auto"
            cortex = SurfaceGeometry.of(
                frame, named, bg_img=background, surf_mesh=surf_mesh, like=None
            )
        if grids:
            background = "auto" if isinstance(bg_img, SurfaceImage) else bg_img
            volume = VolumeGeometry.of(
                frame, grids, bg_img=background, surf_mesh=None, like=frame.mask_img
            )
        kept = np.concatenate(
            [part.mask[all_.mask] for all_, part in zip(frame.space.parts, parts, strict=True)]
        )
        columns = frame.from_columns(np.flatnonzero(frame.to_arrays()["mask"]))[kept]
        return cls(
            cortex=cortex,
            structures=[part.name for part in meshes],
            volume=volume,
            columns=columns,
            models=frame.mask_img.header.matrix.get_index_map(1).to_xml(),
        )

    def info(self) -> dict[str, Any]:
        """Return the facts about meshes and grid, and the names of structures."""
        info: dict[str, Any] = {"kind": self.kind, "structures": self.structures}
        if self.cortex is not None:
            info["cortex"] = self.cortex.info()
        if self.volume is not None:
            info["volume"] = self.volume.info()
            info["voxel_structures"] = self._voxel_structures()[0].tolist()
        return info

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays of both, with the structure of each voxel, and what files need."""
        arrays: dict[str, np.ndarray] = {
            "columns": self.columns.astype(np.int32),
            "models": np.frombuffer(self.models, dtype=np.uint8),
        }
        for name, geometry in (("cortex", self.cortex), ("volume", self.volume)):
            of_part = {} if geometry is None else geometry.arrays()
            arrays |= {f"{name}_{key}": array for key, array in of_part.items()}
        if self.volume is not None:
            arrays["voxel_structures"] = self._voxel_structures()[1].astype(np.int32)
        return arrays

    def _voxel_structures(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the names of structures, and the number of the structure of each voxel."""
        assert self.volume is not None
        structures = self.volume.part.structures
        assert structures is not None
        names, numbers = np.unique(structures.astype(str), return_inverse=True)
        return names, numbers

    def neighbours(self, connectivity: int) -> str:
        """Return who is whose neighbour, in words."""
        if self.volume is None:
            return "neighbours along edges"
        if self.cortex is None:
            return self.volume.neighbours(connectivity)
        return f"neighbours along edges, {connectivity} for voxels"
