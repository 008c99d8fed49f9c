"""CIFTI files: cortical vertices and subcortical voxels in one image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from nibabel.cifti2.cifti2 import Cifti2Image
from nibabel.cifti2.cifti2_axes import Axis, BrainModelAxis, LabelAxis, ScalarAxis

from ari_estimator.files._stored_array import stored_array
from ari_estimator.images._cifti_header import (
    are_same_models,
    axis_of,
    brain_models_of,
    count_grayordinates,
    counts_of,
    new_image,
    short_name,
)
from ari_estimator.images._cifti_matching import columns_by_place
from ari_estimator.images._cifti_parcels import labels_of_parcels, parcels_of
from ari_estimator.images._cifti_space import HEMISPHERES, space_of
from ari_estimator.images._frame import GIVEN, Frame, check_binary, select
from ari_estimator.images._image_file import check_loaded, load_image
from ari_estimator.images._painted_values import Values
from ari_estimator.images._space import Space
from ari_estimator.images._stored_grayordinates import axis_from_arrays, axis_to_arrays
from ari_estimator.images._stored_mesh import mesh_from_arrays, mesh_to_arrays
from ari_estimator.images._surface_part import SurfacePart
from ari_estimator.images._surfaces import as_poly_mesh
from ari_estimator.images._vertices_part import VerticesPart

# What a header calls the axis of maps, and the axis of grayordinates.
_OF_MAPS = tuple(f"CIFTI_INDEX_TYPE_{kind}" for kind in ("SCALARS", "SERIES", "LABELS"))
_OF_GRAYORDINATES = "CIFTI_INDEX_TYPE_BRAIN_MODELS"


class CiftiFrame(Frame):
    """The family of CIFTI files: the grayordinates of a mask.

    Those of a mesh come one after the other in the space, then all voxels, while a file
    has them in an order of its own.
    """

    kind = "CIFTI image"
    has_lut = True
    matches_labels = True
    geometry_names = ("mesh",)

    def __init__(self, mask_img: Cifti2Image, space: Space, columns: np.ndarray) -> None:
        super().__init__(mask_img, None, space)
        self._models = brain_models_of(mask_img)
        self._n_columns = count_grayordinates(self._models)
        # The column of each element in a file.
        self._columns = columns

    @property
    def _axis(self) -> BrainModelAxis:
        return axis_of(self._models)

    @cached_property
    def _ranks(self) -> np.ndarray:
        """The rank of the column of each element among the columns in the mask."""
        return np.argsort(np.argsort(self._columns))

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
            if (parcels := parcels_of(img)) is not None:
                raise TypeError(
                    f"A CIFTI map must be dense (dscalar or dtseries). Got one of {len(parcels)} "
                    "parcels: pass such a file as labels_img of a dense map, to bound its parcels. "
                    "To test the parcels themselves, pass their values as an array, with labels "
                    "of sets of parcels: RegionTDPTransformer(labels_img=array)."
                )
            axes = [type(img.header.get_axis(i)).__name__ for i in range(img.ndim)]
            raise TypeError(
                "A CIFTI image must be dense (dscalar, dtseries or dlabel), maps by "
                f"grayordinates. Got shape {img.shape}, of {axes}."
            )
        if single and img.shape[0] != 1:
            raise ValueError(f"A CIFTI image must hold one map here. Got {img.shape[0]}.")
        return img

    def read_labels(self, img: Any) -> Cifti2Image:
        """Return an image of labels, or of several maps. Parcels are labels of grayordinates."""
        if isinstance(img, (str, Path)):
            img = load_image(img, "labels_img")
        if isinstance(img, Cifti2Image) and (parcels := parcels_of(img)) is not None:
            return labels_of_parcels(parcels)
        return self.read(img, single=False)

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
        geometry: Mapping[str, Any],
        verbose: int,
    ) -> CiftiFrame:
        """Return the frame of a mask, or of all grayordinates of the maps.

        Raises
        ------
        ValueError
            If the mask is empty or not binary, if there is neither mask nor map, or if the mesh
            does not fit the structures.
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
        given = geometry.get("mesh")
        mesh = None if given is None else as_poly_mesh(given, "mesh")
        space, columns = space_of(brain_models_of(mask_img), mesh)
        kept = mask[columns]
        frame = cls(mask_img, space.restrict(kept), columns[kept])
        frame.mask_called = called
        return frame

    @property
    def fills_grid(self) -> bool:
        """Whether every grayordinate is in the mask."""
        return self._columns.size == self._n_columns

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
            )

    def arrays(self, img: Cifti2Image) -> Iterator[np.ndarray]:
        """Yield the masked values of each map."""
        for row in np.asarray(img.dataobj):
            yield row[self._columns]

    def image(
        self, rows: Iterable[Values], n_maps: int | None, description: str, like: Any = None
    ) -> Cifti2Image:
        """Return results as a dscalar image."""
        data = self._in_columns(rows)
        return new_image(data, [description] * len(data), self._models)

    def _in_columns(self, rows: Iterable[Values]) -> np.ndarray:
        """Return results in the columns of a file, an array of shape (n_maps, n_columns)."""
        stacked = np.stack([np.asarray(row) for row in rows])
        data = np.zeros((len(stacked), self._n_columns), dtype=stacked.dtype)
        data[:, self._columns] = stacked
        return data

    @staticmethod
    def form(img: Cifti2Image) -> Axis:
        """Return the axis of the maps. The grayordinates are the same as in the mask."""
        return img.header.get_axis(0)

    def restore(
        self, form: Cifti2Image | Axis, rows: Iterable[Values], description: str
    ) -> Cifti2Image:
        """Return results as a dscalar image, of as many maps."""
        of_maps = form if isinstance(form, Axis) else self.form(form)
        if not isinstance(of_maps, ScalarAxis):
            return self.image(rows, len(of_maps), description)
        names = [f"{name} {description}".strip() for name in of_maps.name]
        return new_image(self._in_columns(rows), names, self._models)

    def at(self, indices: Any) -> np.ndarray:
        """Return which grayordinates are named, by their columns in the file."""
        mask = np.zeros(self._n_columns, dtype=bool)
        mask[self._columns] = True
        selected = select(mask.shape, mask, indices, "grayordinates", self.mask_called)
        return selected[self._columns]

    def resample(self, img: Cifti2Image, name: str, fill_value: int) -> Cifti2Image:
        """Return an image with the grayordinates of the mask, found by structure and place.

        There is nothing to interpolate. Grayordinates that the image does not have, those
        below the cortex for an atlas of the cortex, get the fill value.
        """
        if are_same_models(brain_models_of(img), self._models):
            return img
        columns = columns_by_place(img.header.get_axis(1), self._axis, name)
        data = np.asarray(img.dataobj)[:, columns]
        data[:, columns < 0] = fill_value
        return Cifti2Image(data, (img.header.get_axis(0), self._axis))

    def all_values(self, img: Cifti2Image) -> np.ndarray:
        """Return all grayordinates of an image."""
        return np.asarray(img.dataobj)[0]

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the mask, what its grayordinates are, and the meshes."""
        mask = np.zeros(self._n_columns, dtype=bool)
        mask[self._columns] = True
        unmeshed = {p.name for p in self.space.parts if isinstance(p, VerticesPart)}
        arrays = {"mask": mask, **axis_to_arrays(self._axis, unmeshed)}
        for name, hemisphere in HEMISPHERES.items():
            for part in self.space.parts:
                if isinstance(part, SurfacePart) and part.name == short_name(name):
                    arrays |= mesh_to_arrays(part, hemisphere)
        return arrays

    @staticmethod
    def mask_from_arrays(
        arrays: Mapping[str, np.ndarray],
    ) -> tuple[Cifti2Image, dict[str, Any]]:
        """Return mask and meshes."""
        meshes = {
            name: mesh_from_arrays(arrays, hemisphere)
            for name, hemisphere in HEMISPHERES.items()
            if f"{hemisphere}_points" in arrays
        }
        axis = axis_from_arrays(arrays, {name: mesh.n_vertices for name, mesh in meshes.items()})
        mask = stored_array(arrays, "mask", "b", (len(axis),))
        models = axis.to_mapping(1)
        mask_img = new_image(mask[np.newaxis].astype(np.float32), ["mask"], models)
        mesh = {HEMISPHERES[name]: mesh for name, mesh in meshes.items()}
        return mask_img, {"mesh": mesh or None}

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
