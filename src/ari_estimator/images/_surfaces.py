"""Surfaces: nilearn's SurfaceImage, values on the meshes of the hemispheres."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from nilearn.maskers import SurfaceMasker
from nilearn.surface import FileMesh, PolyMesh, SurfaceImage, SurfaceMesh
from sklearn.base import clone

from ari_estimator.files._stored_array import stored_array
from ari_estimator.images._frame import GIVEN, OF_MASKER, Frame, check_binary, select
from ari_estimator.images._hemispheres import check_mesh, sorted_meshes
from ari_estimator.images._masks import is_fitted
from ari_estimator.images._mesh_file import read_mesh
from ari_estimator.images._mesh_geometry import geometry_of
from ari_estimator.images._mesh_of_file import MeshOfFile
from ari_estimator.images._painted_values import PaintedValues, Values
from ari_estimator.images._space import Space
from ari_estimator.images._stored_mesh import mesh_from_arrays, mesh_to_arrays
from ari_estimator.images._surface_part import SurfacePart

_START, _ALL = slice(1000), slice(None)


class SurfaceFrame(Frame):
    """The family of surfaces: the vertices of a mask, of both hemispheres together."""

    kind = "surface"
    fits_masker_late = True  # nilearn's copies the mesh

    @staticmethod
    def read(img: Any, *, single: bool) -> SurfaceImage:
        """Return a surface image, of a single map or of several."""
        data = img.data.parts
        check_mesh(img.mesh, "a surface image")
        got = {hemi: len(values) for hemi, values in data.items()}
        wanted = {hemi: part.n_vertices for hemi, part in img.mesh.parts.items()}
        if got != wanted:
            raise ValueError(
                "Data and mesh of a surface image must have the same vertices. "
                f"Got data of {_counts(got)} and a mesh of {_counts(wanted)}."
            )
        # Use the shapes of the parts: img.shape has one axis if the parts have three.
        shapes = [values.shape for values in data.values()]
        n_maps = 1 if len(shapes[0]) == 1 else shapes[0][1]
        if len(shapes[0]) > 2 or n_maps < 1 or (single and n_maps != 1):
            form = "1D, a single map, here" if single else "1D, or 2D with a column for each map"
            raise ValueError(
                f"Data for each part of img should be {form}. "
                f"Got shape {' and '.join(map(str, shapes))}."
            )
        return img

    @staticmethod
    def n_maps(img: SurfaceImage) -> int:
        """Return the number of maps in an image."""
        return 1 if len(img.shape) == 1 else int(img.shape[1])

    @classmethod
    def fit(
        cls,
        mask_img: Any,
        imgs: Sequence[SurfaceImage] | None,
        *,
        geometry: Mapping[str, Any],
        verbose: int,
    ) -> SurfaceFrame:
        """Return the frame of a mask or a masker, or of all vertices.

        The meshes come from the maps, or from the mask if there are no maps.

        Raises
        ------
        ValueError
            If the mask is empty or not binary, or there is neither mask nor map.
        """
        called = OF_MASKER if isinstance(mask_img, SurfaceMasker) else GIVEN
        called = getattr(mask_img, "_mask_called", called)
        of_maps = None if imgs is None else imgs[0].mesh
        if isinstance(mask_img, SurfaceMasker) and is_fitted(mask_img):
            masker = mask_img
            # The masker may have made a mask from any image, so check both.
            for given in (masker.mask_img, masker.mask_img_):
                if given is not None:
                    _check_mask_img(given)
        else:
            given = mask_img.mask_img if isinstance(mask_img, SurfaceMasker) else mask_img
            if given is None:
                given = _all_vertices(mask_img, imgs)
                called = "all vertices of the maps, since there is no mask"
            given = _check_mask_img(given, of_maps)
            if isinstance(mask_img, SurfaceMasker):
                masker = clone(mask_img).set_params(mask_img=given).fit()
            else:
                data = {name: v.ravel().astype(bool) for name, v in given.data.parts.items()}
                given = SurfaceImage(given.mesh, data)
                # nilearn copies the mesh to fit a masker, which takes a good part of the time of a
                # small map. Whoever asks for the masker gets it, or who wants its messages.
                masker = _masker_of(given, verbose) if verbose else None
        mask_img_ = given if masker is None else masker.mask_img_
        mesh = mask_img_.mesh if of_maps is None else of_maps
        _check_parts(mesh, mask_img_, called)
        parts = []
        for name, mask in mask_img_.data.parts.items():
            of_map, of_mask = mesh.parts[name], mask_img_.mesh.parts[name]
            found = geometry_of(of_map)
            if not _is_same(of_map, of_mask) and not np.array_equal(found.faces, of_mask.faces):
                raise ValueError(
                    "The map and mask_img must lie on the same meshes. Got other faces in the "
                    f"{name} hemisphere: other vertices are neighbours."
                )
            parts.append(SurfacePart(name, found, mask.ravel().astype(bool)))
        return cls(mask_img_, masker, Space(tuple(parts)), mask_called=called)

    def fitted_masker(self) -> SurfaceMasker:
        """Return the masker that was given, or one that is made and fitted now."""
        if self.masker is None:
            self.masker = _masker_of(self.mask_img, verbose=0)
        return self.masker

    @property
    def _parts(self) -> tuple[SurfacePart, ...]:
        return cast("tuple[SurfacePart, ...]", self.space.parts)

    @property
    def fills_grid(self) -> bool:
        """Whether every vertex is in the mask."""
        return all(part.mask.all() for part in self._parts)

    def check(self, img: SurfaceImage, name: str) -> None:
        """Raise a ValueError unless an image lies on the meshes of the mask."""
        _check_parts(img.mesh, self.mask_img, self.mask_called, name)
        if name == "map":
            _warn_of_same_values(img)
        for part in self._parts:
            mesh = img.mesh.parts[part.name]
            if _is_same_file(mesh, self.mask_img.mesh.parts[part.name]):
                continue
            if not np.array_equal(mesh.faces, part.faces):
                raise ValueError(
                    f"The {name} must lie on the meshes that the transformer is fitted to. Got "
                    f"other faces in the {part.name} hemisphere: other vertices are neighbours."
                )

    def arrays(self, img: SurfaceImage) -> Iterator[np.ndarray]:
        """Yield the masked values of each map, left before right."""
        by_part = [np.atleast_2d(img.data.parts[part.name].T) for part in self._parts]
        is_whole = self.fills_grid
        for rows in zip(*by_part, strict=True):
            pairs = zip(rows, self._parts, strict=True)
            yield np.concatenate([row if is_whole else row[part.mask] for row, part in pairs])

    def image(
        self, rows: Iterable[Values], n_maps: int | None, description: str, like: Any = None
    ) -> SurfaceImage:
        """Return results as a surface image of one map, or of ``n_maps`` maps."""
        stacked, is_kept = self._stacked(rows, n_maps)
        data = {}
        start = 0
        for part in self._parts:
            values = stacked[start : start + part.n_elements]
            start += part.n_elements
            if part.n_elements == part.mask.size:
                data[part.name] = values.copy() if is_kept else values
                continue
            whole = np.zeros((part.mask.size, *values.shape[1:]), dtype=values.dtype)
            whole[part.mask] = values
            data[part.name] = whole
        return SurfaceImage((self.mask_img if like is None else like).mesh, data)

    @staticmethod
    def _stacked(rows: Iterable[Values], n_maps: int | None) -> tuple[np.ndarray, bool]:
        """Return results as one array, and whether a fitted map may keep this array."""
        if n_maps is not None:
            return np.stack(list(map(np.asarray, rows)), axis=1), False
        only = next(iter(rows))
        return np.asarray(only), not isinstance(only, PaintedValues)

    @staticmethod
    def form(img: SurfaceImage) -> SurfaceImage:
        """Return the image with its meshes, and one zero that takes the place of all values."""
        zero = np.zeros((), dtype=np.uint8)
        data = {name: np.broadcast_to(zero, part.shape) for name, part in img.data.parts.items()}
        return SurfaceImage(img.mesh, data)

    def restore(self, form: SurfaceImage, rows: Iterable[Values], description: str) -> SurfaceImage:
        """Return results on the meshes of the maps, with data of their shape."""
        n_maps = None if len(form.shape) == 1 else form.shape[1]
        return self.image(rows, n_maps, description, form)

    def at(self, indices: Any) -> np.ndarray:
        """Return which vertices are named, by a dictionary of hemispheres."""
        names = [part.name for part in self._parts]
        if not isinstance(indices, dict) or not set(indices) <= set(names):
            raise ValueError(
                f"indices of vertices must be a dictionary with keys out of {names}. "
                f"Got {type(indices).__name__}"
                + (f" with keys {list(indices)}." if isinstance(indices, dict) else ".")
            )
        selected = [
            select(
                part.mask.shape,
                part.mask,
                indices.get(part.name, []),
                "vertices",
                self.mask_called,
            )[part.mask]
            for part in self._parts
        ]
        return np.concatenate(selected)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return mask and mesh of each hemisphere."""
        arrays: dict[str, np.ndarray] = {}
        for part in self._parts:
            arrays |= mesh_to_arrays(part, part.name)
            arrays[f"{part.name}_mask"] = part.mask
        return arrays

    @staticmethod
    def mask_from_arrays(arrays: Mapping[str, np.ndarray]) -> tuple[SurfaceImage, dict[str, Any]]:
        """Return the mask, which has the meshes."""
        names = [name for name in ("left", "right") if f"{name}_mask" in arrays]
        if not names:
            raise ValueError("a surface must have a hemisphere")
        mesh = {name: mesh_from_arrays(arrays, name) for name in names}
        masks = {
            name: stored_array(arrays, f"{name}_mask", "b", (mesh[name].n_vertices,))
            for name in names
        }
        return SurfaceImage(PolyMesh(**mesh), masks), {}

    def all_values(self, img: SurfaceImage) -> np.ndarray:
        """Return all vertices of an image."""
        return np.concatenate([img.data.parts[part.name].ravel() for part in self._parts])


def as_poly_mesh(mesh: Any, name: str) -> PolyMesh:
    """Return meshes of the hemispheres.

    Parameters
    ----------
    mesh : PolyMesh or dict
        The meshes, or a dictionary of meshes or their files for "left" and "right".

    name : str
        The argument, for the message.

    Raises
    ------
    TypeError
        If it is something else.
    ValueError
        If a file is of another hemisphere than it is given for. Two files that are
        given for each other's hemisphere are exchanged, with a warning.
    """
    if isinstance(mesh, PolyMesh):
        mesh = mesh.parts
    got = type(mesh).__name__
    if isinstance(mesh, dict):
        are_meshes = all(isinstance(m, (str, Path, SurfaceMesh)) for m in mesh.values())
        if mesh and set(mesh) <= {"left", "right"} and are_meshes:
            sorted_ = sorted_meshes(mesh, name)
            return PolyMesh(**{side: _as_mesh(part, name) for side, part in sorted_.items()})
        got = f"a dictionary of {', '.join(f'{k!r}: {type(m).__name__}' for k, m in mesh.items())}"
    raise TypeError(
        f"{name} must be a nilearn PolyMesh, or a dictionary of meshes or their files for 'left' "
        f"and 'right'. Got {got}."
    )


def _as_mesh(part: Any, name: str) -> SurfaceMesh:
    """Return a mesh, checked and read if it is a file."""
    if isinstance(part, MeshOfFile):
        return part
    file = getattr(part, "file_path", part)
    return read_mesh(file, name) if isinstance(file, (str, Path)) else part


def _all_vertices(mask_img: Any, imgs: Sequence[SurfaceImage] | None) -> SurfaceImage:
    """Return the mask of all vertices. Those that are NaN leave the family map by map."""
    if imgs is None:
        raise ValueError(
            "mask_img must be a mask, a fitted masker, or a masker with a mask_img, where there "
            f"are no images (arrays, for example). Got {mask_img!r}."
        )
    mesh = imgs[0].mesh
    data = {name: np.ones(len(values), dtype=bool) for name, values in imgs[0].data.parts.items()}
    return SurfaceImage(mesh, data)


def _check_mask_img(mask_img: SurfaceImage, of_maps: PolyMesh | None = None) -> SurfaceImage:
    """Return a mask without NaN and infinite values, which are outside like 0."""
    # The mesh of the maps was checked when they were read.
    checked = {} if of_maps is None else of_maps.parts
    if any(part is not checked.get(name) for name, part in mask_img.mesh.parts.items()):
        check_mesh(mask_img.mesh, "mask_img")
    values = np.concatenate([np.ravel(v) for v in mask_img.data.parts.values()])
    shapes = [v.shape for v in mask_img.data.parts.values()]
    if any(shape[1:] not in ((), (1,)) for shape in shapes):
        raise ValueError(
            f"mask_img must hold a single map. Got shape {' and '.join(map(str, shapes))}."
        )
    check_binary(values)
    if not _finite(values).any():
        raise ValueError("mask_img must have vertices. Got a mask that is empty.")
    if values.dtype.kind != "f" or np.isfinite(values).all():
        return mask_img
    parts = {name: _finite(part) for name, part in mask_img.data.parts.items()}
    return SurfaceImage(mask_img.mesh, parts)


def _finite(values: np.ndarray) -> np.ndarray:
    return np.nan_to_num(values, posinf=0, neginf=0)


def _masker_of(mask_img: SurfaceImage, verbose: int) -> SurfaceMasker:
    """Return the fitted masker of a mask."""
    masker = SurfaceMasker(mask_img=mask_img, standardize=None, verbose=verbose, reports=False)
    return masker.fit()


def _check_parts(
    mesh: PolyMesh, mask_img: SurfaceImage, mask_called: str, name: str = "map"
) -> None:
    """Raise a ValueError unless meshes have the hemispheres and sizes of the mask."""
    wanted = {hemi: len(values) for hemi, values in mask_img.data.parts.items()}
    got = {hemi: part.n_vertices for hemi, part in mesh.parts.items()}
    if wanted != got:
        raise ValueError(
            f"The {name} and mask_img must lie on the same meshes. Got {_counts(got)} and a mask "
            f"of {_counts(wanted)}: {mask_called}."
        )


def _warn_of_same_values(img: SurfaceImage) -> None:
    """Warn if both hemispheres hold the same values, as when one file was read twice."""
    first, *others = img.data.parts.values()
    # Maps that differ do so at the start already.
    are_same = bool(others) and all(
        np.array_equal(first[some], others[0][some], equal_nan=True) for some in (_START, _ALL)
    )
    if are_same and np.ptp(first) > 0:
        warnings.warn(
            "The map holds the same values in both hemispheres. If one file was read for both, "
            "the bounds are of a map that there is not.",
            UserWarning,
            stacklevel=2,
        )


def _is_same(mesh: SurfaceMesh, other: SurfaceMesh) -> bool:
    return mesh is other or _is_same_file(mesh, other)


def _is_same_file(mesh: SurfaceMesh, other: SurfaceMesh) -> bool:
    """Tell whether two meshes are one file, which nilearn reads whenever it is asked for faces."""
    are_files = isinstance(mesh, FileMesh) and isinstance(other, FileMesh)
    return are_files and mesh.file_path == other.file_path


def _counts(n_vertices: dict[str, int]) -> str:
    return ", ".join(f"{n} {name} vertices" for name, n in n_vertices.items())
