"""CIFTI files: cortical vertices and subcortical voxels in one image."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from nibabel.affines import apply_affine
from nibabel.cifti2.cifti2 import Cifti2Image
from nibabel.cifti2.cifti2_axes import Axis, BrainModelAxis, LabelAxis, ScalarAxis
from nilearn.datasets import load_fsaverage
from nilearn.surface import InMemoryMesh, PolyMesh

from ari_estimator.files._stored_array import stored_array
from ari_estimator.images._cifti_header import (
    are_same_models,
    axis_of,
    brain_models_of,
    counts_of,
    new_image,
    short_name,
)
from ari_estimator.images._frame import GIVEN, Frame, check_binary, select
from ari_estimator.images._grid import check_affine
from ari_estimator.images._image_file import check_loaded, load_image
from ari_estimator.images._painted_values import Values
from ari_estimator.images._space import Space, SurfacePart, VolumePart
from ari_estimator.images._stored_grayordinates import axis_from_arrays, axis_to_arrays
from ari_estimator.images._stored_mesh import mesh_from_arrays, mesh_to_arrays
from ari_estimator.images._surfaces import as_poly_mesh

_HEMISPHERES = {"CIFTI_STRUCTURE_CORTEX_LEFT": "left", "CIFTI_STRUCTURE_CORTEX_RIGHT": "right"}

# What a header calls the axis of maps, and the axis of grayordinates.
_OF_MAPS = tuple(f"CIFTI_INDEX_TYPE_{kind}" for kind in ("SCALARS", "SERIES", "LABELS"))
_OF_GRAYORDINATES = "CIFTI_INDEX_TYPE_BRAIN_MODELS"

# A third of a millimetre, and some room around the head.
_LARGEST_GRID = 1024**3

# fsaverage5, the one mesh that nilearn brings along.
_N_BUNDLED = 10242

# Voxels of two files are the same if they are no further apart, in voxels.
_CLOSE = 0.1


class CiftiFrame(Frame):
    """The family of CIFTI files: the grayordinates of a mask.

    Those of a mesh come one after the other in the space, then all voxels, while a file
    has them in an order of its own.
    """

    kind = "CIFTI image"
    has_lut = True

    def __init__(self, mask_img: Cifti2Image, space: Space, columns: np.ndarray) -> None:
        super().__init__(mask_img, None, space)
        self._models = brain_models_of(mask_img)
        self._axis = axis_of(self._models)
        # The column of each element in a file, and its rank among the columns in the mask.
        self._columns = columns
        self._ranks = np.argsort(np.argsort(columns))

    @staticmethod
    def read(img: Any, *, single: bool) -> Cifti2Image:
        """Return an image of grayordinates, of a single map or of several."""
        if isinstance(img, (str, Path)):
            img = load_image(img, "A CIFTI image")
        elif isinstance(img, Cifti2Image):
            check_loaded(img, "A CIFTI image")
        if not isinstance(img, Cifti2Image):
            raise TypeError(f"A CIFTI file must hold a Cifti2Image. Got {type(img).__name__}.")
        kinds = [
            img.header.matrix.get_index_map(i).indices_map_to_data_type for i in range(img.ndim)
        ]
        if len(kinds) != 2 or kinds[0] not in _OF_MAPS or kinds[1] != _OF_GRAYORDINATES:
            axes = [type(img.header.get_axis(i)).__name__ for i in range(img.ndim)]
            raise TypeError(
                "A CIFTI image must be dense (dscalar, dtseries or dlabel), maps by "
                f"grayordinates. Got shape {img.shape}, of {axes}."
            )
        if single and img.shape[0] != 1:
            raise ValueError(f"A CIFTI image must hold one map here. Got {img.shape[0]}.")
        return img

    @staticmethod
    def n_maps(img: Cifti2Image) -> int:
        """Return the number of maps in an image."""
        return int(img.shape[0])

    @classmethod
    def fit(
        cls,
        mask_img: Any,
        imgs: Sequence[Cifti2Image] | None,
        *,
        mesh: Any,
        verbose: int,
    ) -> CiftiFrame:
        """Return the frame of a mask, or of all grayordinates of the maps.

        Raises
        ------
        ValueError
            If the mask is empty or not binary, if there is neither mask nor map, or if a
            structure has vertices and there is no mesh for them.
        """
        called = GIVEN
        if mask_img is None and imgs is not None:
            called = "all grayordinates of the maps, since there is no mask"
            ones = np.ones((1, imgs[0].shape[1]), dtype=np.float32)
            mask_img = new_image(ones, ["mask"], brain_models_of(imgs[0]))
        else:
            # A model passes the masker that it has fitted.
            called = getattr(mask_img, "mask_called", called)
            mask_img = cls.read(getattr(mask_img, "mask_img_", mask_img), single=True)
        mask = read_mask(mask_img)
        mesh = None if mesh is None else as_poly_mesh(mesh, "mesh")
        space, columns = _space_of(axis_of(brain_models_of(mask_img)), mesh)
        kept = mask[columns]
        frame = cls(mask_img, space.restrict(kept), columns[kept])
        frame.mask_called = called
        return frame

    @property
    def fills_grid(self) -> bool:
        """Whether every grayordinate is in the mask."""
        return self._columns.size == len(self._axis)

    def check(self, img: Cifti2Image, name: str) -> None:
        """Raise a ValueError unless an image has the grayordinates of the mask."""
        if are_same_models(brain_models_of(img), self._models):
            return
        axis = img.header.get_axis(1)
        if axis != self._axis:
            raise ValueError(
                f"The {name} and mask_img must have the same grayordinates, in the same order. "
                f"Got {counts_of(axis)} and a mask of {counts_of(self._axis)}: "
                f"{self.mask_called}."
                + (" resampling_target='data' matches them." if name == "labels_img" else "")
            )

    def arrays(self, img: Cifti2Image) -> Iterator[np.ndarray]:
        """Yield the masked values of each map."""
        for row in np.asarray(img.dataobj):
            yield row[self._columns]

    def image(
        self, rows: Iterable[Values], n_maps: int | None, description: str, like: Any = None
    ) -> Cifti2Image:
        """Return results as a dscalar image."""
        stacked = np.stack([np.asarray(row) for row in rows])
        data = np.zeros((len(stacked), len(self._axis)), dtype=stacked.dtype)
        data[:, self._columns] = stacked
        return new_image(data, [description] * len(data), self._models)

    @staticmethod
    def form(img: Cifti2Image) -> Axis:
        """Return the axis of the maps. The grayordinates are the same as in the mask."""
        return img.header.get_axis(0)

    def restore(
        self, form: Cifti2Image | Axis, rows: Iterable[Values], description: str
    ) -> Cifti2Image:
        """Return results as a dscalar image, of as many maps."""
        of_maps = form if isinstance(form, Axis) else self.form(form)
        result = self.image(rows, len(of_maps), description)
        if isinstance(of_maps, ScalarAxis):
            names = [f"{name} {description}".strip() for name in of_maps.name]
            result = new_image(np.asarray(result.dataobj), names, self._models)
        return result

    def at(self, indices: Any) -> np.ndarray:
        """Return which grayordinates are named, by their columns in the file."""
        mask = np.zeros(len(self._axis), dtype=bool)
        mask[self._columns] = True
        selected = select(mask.shape, mask, indices, "grayordinates", self.mask_called)
        return selected[self._columns]

    def resample(self, img: Cifti2Image, name: str, fill_value: int) -> Cifti2Image:
        """Return an image with the grayordinates of the mask, found by structure and place.

        There is nothing to interpolate. Grayordinates that the image does not have, those
        below the cortex for an atlas of the cortex, get the fill value.
        """
        axes = (img.header.get_axis(1), self._axis)
        theirs, ours = (_places(axis, self._axis) for axis in axes)
        columns = pd.Index(theirs, tupleize_cols=False).get_indexer(
            pd.Index(ours, tupleize_cols=False)
        )
        data = np.asarray(img.dataobj)[:, columns]
        data[:, columns < 0] = fill_value
        return Cifti2Image(data, (img.header.get_axis(0), self._axis))

    def all_values(self, img: Cifti2Image) -> np.ndarray:
        """Return all grayordinates of an image."""
        return np.asarray(img.dataobj)[0]

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the mask, what its grayordinates are, and the meshes."""
        mask = np.zeros(len(self._axis), dtype=bool)
        mask[self._columns] = True
        arrays = {"mask": mask, **axis_to_arrays(self._axis)}
        for name, hemisphere in _HEMISPHERES.items():
            for part in self.space.parts:
                if isinstance(part, SurfacePart) and part.name == short_name(name):
                    arrays |= mesh_to_arrays(part, hemisphere)
        return arrays

    @staticmethod
    def mask_from_arrays(
        arrays: Mapping[str, np.ndarray],
    ) -> tuple[Cifti2Image, dict[str, InMemoryMesh] | None]:
        """Return mask and meshes."""
        meshes = {
            name: mesh_from_arrays(arrays, hemisphere)
            for name, hemisphere in _HEMISPHERES.items()
            if f"{hemisphere}_points" in arrays
        }
        axis = axis_from_arrays(arrays, {name: mesh.n_vertices for name, mesh in meshes.items()})
        mask = stored_array(arrays, "mask", "b", (len(axis),))
        models = axis.to_mapping(1)
        mask_img = new_image(mask[np.newaxis].astype(np.float32), ["mask"], models)
        return mask_img, {_HEMISPHERES[name]: mesh for name, mesh in meshes.items()} or None

    @staticmethod
    def lut_of(img: Cifti2Image) -> pd.DataFrame | None:
        """Return the names of labels that a dlabel image brings along."""
        axis = img.header.get_axis(0)
        if not isinstance(axis, LabelAxis):
            return None
        names = {key: name for key, (name, _) in axis.label[0].items()}
        return pd.DataFrame({"index": list(names), "name": list(names.values())})

    def from_columns(self, row: np.ndarray) -> np.ndarray:
        """Return values in the order of the space, from the order of the file."""
        return row[self._ranks]

    def to_columns(self, row: np.ndarray) -> np.ndarray:
        """Return values in the order of the file, from the order of the space."""
        result = np.empty_like(row)
        result[self._ranks] = row
        return result


def read_mask(mask_img: Cifti2Image) -> np.ndarray:
    """Return which grayordinates of an image are in a mask.

    Parameters
    ----------
    mask_img : Cifti2Image
        A mask of one map.

    Returns
    -------
    mask : ndarray of bool of shape (n_grayordinates,)
        Whether each is.

    Raises
    ------
    ValueError
        If the mask is empty or not binary.
    """
    values = np.asarray(mask_img.dataobj)[0]
    check_binary(values)
    mask = np.nan_to_num(values) != 0
    if not mask.any():
        raise ValueError("mask_img must have grayordinates. Got a mask that is empty.")
    return mask


def _space_of(axis: BrainModelAxis, mesh: PolyMesh | None) -> tuple[Space, np.ndarray]:
    """Return the space of a file, and the column of each of its elements."""
    parts: list[SurfacePart | VolumePart] = []
    columns = []
    for name, selection, _ in axis.iter_structures():
        if name not in axis.nvertices:
            continue
        of_structure = np.arange(len(axis))[selection]
        vertices = axis.vertex[of_structure]
        order = np.argsort(vertices)
        # Read the mesh first, since the size in the file is not trusted.
        points, faces = _mesh_of(name, axis.nvertices[name], mesh)
        mask = _filled((len(points),), vertices[:, np.newaxis], f"vertices of {short_name(name)}")
        parts.append(SurfacePart(short_name(name), points, faces, mask, "structure"))
        columns.append(of_structure[order])
    is_voxel = axis.volume_mask
    if is_voxel.any():
        of_voxels = np.flatnonzero(is_voxel)
        ijk = axis.voxel[of_voxels]
        mask = _filled(axis.volume_shape, ijk, "voxels")
        check_affine(axis.affine)
        order = np.argsort(np.ravel_multi_index(tuple(ijk.T), axis.volume_shape))
        structures = np.array([short_name(name) for name in axis.name[of_voxels]], dtype=object)
        parts.append(VolumePart(mask, axis.affine, structures[order]))
        columns.append(of_voxels[order])
    return Space(tuple(parts)), np.concatenate(columns)


def _filled(shape: tuple[int, ...], places: np.ndarray, what: str) -> np.ndarray:
    """Return a mask of places that are all there, each of them once."""
    if not 0 < math.prod(shape) <= _LARGEST_GRID or min(shape) < 1:
        raise ValueError(f"A CIFTI image must have a grid of a size in use. Got shape {shape}.")
    if (places < 0).any() or (places >= shape).any():
        raise ValueError(f"The {what} of a CIFTI image must lie in its grid, of shape {shape}.")
    mask = np.zeros(shape, dtype=bool)
    mask[tuple(places.T)] = True
    if mask.sum() < len(places):
        raise ValueError(
            f"The {what} of a CIFTI image must be in it once. Got {len(places) - int(mask.sum())} "
            "of them more than once."
        )
    return mask


def _mesh_of(name: str, n_vertices: int, mesh: PolyMesh | None) -> tuple[np.ndarray, np.ndarray]:
    """Return points and faces of the mesh of a cortical structure."""
    hemisphere = _HEMISPHERES.get(name)
    if mesh is None and n_vertices == _N_BUNDLED and hemisphere:
        mesh = load_fsaverage("fsaverage5")["white_matter"]
    if hemisphere is None or mesh is None or hemisphere not in mesh.parts:
        raise ValueError(
            f"mesh must have the mesh of {short_name(name)}, {n_vertices} vertices: a CIFTI file "
            "does not bring it along. Give a nilearn PolyMesh, or files (*.surf.gii) as "
            f"{{'left': ..., 'right': ...}}. Got {None if mesh is None else list(mesh.parts)}."
        )
    part = mesh.parts[hemisphere]
    if part.n_vertices != n_vertices:
        raise ValueError(
            f"mesh must have {n_vertices} vertices in the {hemisphere} hemisphere, as the CIFTI "
            f"image has. Got {part.n_vertices}."
        )
    # A copy, since nilearn moves the vertices of what it draws, in place.
    return np.array(part.coordinates), np.asarray(part.faces)


def _places(axis: BrainModelAxis, grid: BrainModelAxis) -> list[tuple[object, ...]]:
    """Return what tells each grayordinate from all others, on whatever file it is.

    The structure and vertex; or the voxel of a grid, as far as voxels lie on that grid.
    """
    places: list[tuple[object, ...]] = list(zip(axis.name, axis.vertex.tolist(), strict=True))
    is_voxel = np.flatnonzero(axis.volume_mask)
    for i in is_voxel.tolist():
        places[i] = ("elsewhere", i)
    if is_voxel.size and grid.affine is not None:
        to_grid = np.linalg.solve(grid.affine, axis.affine)
        voxels = apply_affine(to_grid, axis.voxel[is_voxel])
        nearest = np.rint(voxels)
        is_on_grid = np.abs(voxels - nearest).max(axis=1) < _CLOSE
        for i, voxel in zip(is_voxel[is_on_grid], nearest[is_on_grid].astype(int), strict=True):
            places[i] = ("voxel", *voxel.tolist())
    return places
