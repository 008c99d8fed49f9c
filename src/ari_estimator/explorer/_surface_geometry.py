"""Surfaces in the page: the meshes of the map, others to draw it on, and their folds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from nilearn.surface import PolyMesh, SurfaceImage

from ari_estimator.explorer._packing import as_exact_float
from ari_estimator.explorer._page_geometry import PageGeometry
from ari_estimator.images._frame import Frame
from ari_estimator.images._mesh_curvature import shades_of_folds
from ari_estimator.images._surface_part import SurfacePart
from ari_estimator.images._surfaces import as_poly_mesh

# Percentiles between which the shades of a given background run.
_DARKEST, _BRIGHTEST = 2, 98


@dataclass(frozen=True)
class SurfaceGeometry(PageGeometry):
    """The meshes of the hemispheres.

    Attributes
    ----------
    parts : tuple of SurfacePart
        The tested vertices.

    shown : list of ndarray of shape (n_vertices, 3), or None
        Where the vertices of each part are drawn; None for where they lie.

    background : list of ndarray of uint8 of shape (n_vertices,)
        Grey of the vertices of each part.
    """

    kind = "surface"

    parts: tuple[SurfacePart, ...]
    shown: list[np.ndarray] | None
    background: list[np.ndarray]

    @classmethod
    def of(
        cls, frame: Frame, parts: tuple[Any, ...], *, bg_img: Any, surf_mesh: Any, like: Any
    ) -> SurfaceGeometry:
        """Return the geometry of a surface."""
        shown = (
            None if surf_mesh is None else _points_of(as_poly_mesh(surf_mesh, "surf_mesh"), parts)
        )
        return cls(parts, shown, _background_of(bg_img, parts))

    def info(self) -> dict[str, Any]:
        """Return hemispheres, and where in the arrays their vertices and faces are."""
        of_faces, _ = self._faces()
        return {
            "kind": self.kind,
            "parts": [
                {"name": part.name, "n_vertices": part.mask.size, "faces": faces}
                for part, faces in zip(self.parts, of_faces, strict=True)
            ],
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """Return meshes, all x before all y, mask and background, of one part after the other.

        Areas of vertices come along if files gave them.
        """
        arrays = {
            "mask": np.concatenate([part.mask for part in self.parts]),
            "points": _axes([part.points for part in self.parts]),
            "faces": self._faces()[1],
            "background": np.concatenate(self.background),
        }
        if any(part.mesh.given_areas is not None for part in self.parts):
            arrays["areas"] = np.concatenate([part.mesh.areas for part in self.parts])
        if self.shown is not None:
            arrays["shown"] = _axes(self.shown).astype(np.float32)
        return arrays

    def _faces(self) -> tuple[list[list[int]], np.ndarray]:
        """Return where the corners of each part begin and end in an array, and the array.

        Both hemispheres mostly have the same faces, which are in it once.
        """
        kept: list[np.ndarray] = []
        ranges: list[list[int]] = []
        for part in self.parts:
            same = [i for i, faces in enumerate(kept) if np.array_equal(faces, part.faces)]
            if same:
                ranges.append(ranges[same[0]])
                continue
            start = sum(faces.size for faces in kept)
            ranges.append([start, start + part.faces.size])
            kept.append(part.faces)
        return ranges, np.concatenate([faces.ravel() for faces in kept]).astype(np.int32)

    def neighbours(self, connectivity: int) -> str:
        """Return who is whose neighbour, in words."""
        return "neighbours along edges"


def _axes(points: list[np.ndarray]) -> np.ndarray:
    """Return all x, then all y, then all z, of one part after the other."""
    return as_exact_float(np.concatenate(points).T.astype(np.float64).ravel())


def _points_of(mesh: PolyMesh, parts: tuple[SurfacePart, ...]) -> list[np.ndarray]:
    """Return the vertices of meshes that surfaces are to be drawn on."""
    wanted = {part.name: part.mask.size for part in parts}
    got = {name: mesh.parts[name].n_vertices for name in wanted if name in mesh.parts}
    if got != wanted:
        raise ValueError(
            "surf_mesh must have the hemispheres and vertices of the map. "
            f"Got vertices {got}, for a map of {wanted}."
        )
    return [np.asarray(mesh.parts[part.name].coordinates) for part in parts]


def _background_of(bg_img: Any, parts: tuple[SurfacePart, ...]) -> list[np.ndarray]:
    """Return the grey of each vertex: sulci are dark."""
    if bg_img is None:
        return [np.full(part.mask.size, 190, dtype=np.uint8) for part in parts]
    if isinstance(bg_img, str) and bg_img == "auto":
        shades = [shades_of_folds(part.points, part.faces) for part in parts]
    else:
        shades = _shades_of(bg_img, parts)
    return [np.round(255 * (1 - shade)).astype(np.uint8) for shade in shades]


def _shades_of(bg_img: Any, parts: tuple[SurfacePart, ...]) -> list[np.ndarray]:
    """Return an image, such as the depth of sulci, as shades: 1 is black."""
    if not isinstance(bg_img, SurfaceImage):
        raise TypeError(
            'bg_img must be a SurfaceImage, "auto" or None, for a surface. '
            f"Got {type(bg_img).__name__}."
        )
    wanted = {part.name: (part.mask.size,) for part in parts}
    data = bg_img.data.parts
    got = {name: np.squeeze(data[name]).shape for name in wanted if name in data}
    if got != wanted:
        raise ValueError(
            f"bg_img must hold one map on the vertices of the map, {wanted}. Got {got}."
        )
    values = [np.nan_to_num(np.squeeze(data[part.name]).astype(np.float64)) for part in parts]
    low, high = np.percentile(np.concatenate(values), [_DARKEST, _BRIGHTEST])
    # Neither white nor black: colours stand out against both.
    return [0.2 + 0.4 * np.clip((v - low) / ((high - low) or 1.0), 0, 1) for v in values]
