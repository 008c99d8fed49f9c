"""Volumes: NIfTI images and what nilearn reads like them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from nibabel import Nifti1Header, Nifti1Image, Nifti1Pair
from nibabel.spatialimages import SpatialImage
from nilearn.image import check_niimg, check_niimg_3d, get_data, new_img_like, resample_to_img
from nilearn.maskers import NiftiMasker
from sklearn.base import clone

from ari_estimator._nesting import refuse_nested
from ari_estimator.files._stored_array import stored_array
from ari_estimator.images._frame import COMPUTED, GIVEN, OF_MASKER, Frame, check_binary, select
from ari_estimator.images._grid import check_grid, same_grid
from ari_estimator.images._image_file import check_loaded
from ari_estimator.images._later_volume import LaterVolume
from ari_estimator.images._mask_array import put
from ari_estimator.images._masks import is_fitted
from ari_estimator.images._mean_volume import mean_volume
from ari_estimator.images._painted_values import Values
from ari_estimator.images._space import Space
from ari_estimator.images._volume_formats import as_nifti, refuse_surface, warn_of_other_side
from ari_estimator.images._volume_part import VolumePart


class VolumeFrame(Frame):
    """The family of volumes: the voxels of a mask."""

    kind = "volume"

    @staticmethod
    def read(img: Any, *, single: bool) -> SpatialImage:
        """Return a 3D image, or a 4D one where several maps may be, as NIfTI."""
        refuse_nested(**{"An image": img})
        if isinstance(img, SpatialImage):
            check_loaded(img, "A volume")
        if not isinstance(img, Nifti1Pair):
            img = as_nifti(img)
        img = check_niimg_3d(img) if single else check_niimg(img)
        if 1 in img.shape[:3]:
            refuse_surface(img.shape)
        check_grid(img)
        if img.header["sform_code"] > 0 and img.header["qform_code"] > 0:
            warn_of_other_side(img)
        return img if img.ndim == 4 else check_niimg_3d(img)

    @staticmethod
    def n_maps(img: SpatialImage) -> int:
        """Return the number of volumes in an image."""
        return 1 if img.ndim == 3 else int(img.shape[3])

    @classmethod
    def fit(
        cls,
        mask_img: Any,
        imgs: Sequence[Any] | None,
        *,
        geometry: Mapping[str, Any],
        verbose: int,
    ) -> VolumeFrame:
        """Return the frame of a mask or a masker, or of nilearn's background mask.

        Raises
        ------
        nilearn.exceptions.DimensionError
            If the mask is not 3D.
        ValueError
            If the mask is empty or not binary, or must be computed and there is no image.
        """
        if isinstance(mask_img, NiftiMasker):
            given = mask_img.mask_img
            if given is not None:
                given = _check_mask_img(given)
            masker = mask_img if is_fitted(mask_img) else clone(mask_img).set_params(mask_img=given)
        else:
            masker = NiftiMasker(
                mask_img=None if mask_img is None else _check_mask_img(mask_img),
                mask_strategy="background",
                standardize=None,
                verbose=verbose,
                reports=False,
            )
        is_computed = masker is not mask_img and masker.mask_img is None
        if is_computed:
            masker = _compute_mask(masker, mask_img, imgs)
        elif masker is not mask_img:
            masker = masker.fit()
        mask, given = get_data(masker.mask_img_), masker.mask_img
        # Nobody else changes a mask that nilearn has made here. It needs no copy.
        is_own = masker is not mask_img and (
            given is None or not np.may_share_memory(mask, get_data(given))
        )
        if is_own and mask.dtype == np.uint8 and mask.max() == 1:
            mask = mask.view(bool)
        # The data of files are in Fortran order, in which planes of a mask are not contiguous.
        mask = mask.astype(bool, order="C", copy=not is_own)
        space = Space((VolumePart(mask, masker.mask_img_.affine),))
        called = OF_MASKER if isinstance(mask_img, NiftiMasker) else GIVEN
        called = COMPUTED if is_computed else getattr(mask_img, "_mask_called", called)
        return cls(masker.mask_img_, masker, space, is_computed, called)

    @property
    def fills_grid(self) -> bool:
        """Whether every voxel of the grid is in the mask."""
        return bool(self.space.parts[0].mask.all())

    def check(self, img: SpatialImage, name: str) -> None:
        """Raise a ValueError unless an image lies on the grid of the mask."""
        mask_img = self.mask_img
        is_same = img.shape[:3] == mask_img.shape and np.array_equal(img.affine, mask_img.affine)
        if is_same or same_grid(img.shape, img.affine, mask_img.shape, mask_img.affine):
            return
        if name == "map" and self.is_computed:
            raise ValueError(
                "Maps must be on one grid. Got a map of shape "
                f"{img.shape[:3]} with affine\n{img.affine}\nand {self.mask_called}, of "
                f"{self.space.n_elements} voxels, of shape {mask_img.shape} with affine\n"
                f"{mask_img.affine}\nnilearn.image.resample_to_img puts one map on the grid of "
                "another."
            )
        if name == "map":
            raise ValueError(
                "mask_img must be on the grid of the map. Got "
                f"{self.mask_called}, of {self.space.n_elements} voxels, of shape "
                f"{mask_img.shape} with affine\n{mask_img.affine}\nand a map of shape "
                f"{img.shape[:3]} with affine\n{img.affine}\n"
                "nilearn.image.resample_to_img(mask_img, map, interpolation='nearest') "
                "puts the mask on the grid of the map."
            )
        raise ValueError(
            f"{name} must be on the grid of the mask and the map, of shape {mask_img.shape} with "
            f"affine\n{mask_img.affine}\nGot shape {img.shape[:3]} with affine\n{img.affine}\n"
            "nilearn.image.resample_to_img(..., interpolation='nearest') puts it there."
        )

    def arrays(self, img: SpatialImage) -> Iterator[np.ndarray]:
        """Yield the masked values of each volume."""
        data, mask = get_data(img), self.space.parts[0].mask
        if data.ndim == 4:
            yield from (volume[mask] for volume in np.moveaxis(data, -1, 0))
            return
        values = data[mask]
        del data  # which nobody else may hold
        yield values

    def image(
        self, rows: Iterable[Values], n_maps: int | None, description: str, like: Any = None
    ) -> Nifti1Image:
        """Return results as a 3D image, or as a 4D image of ``n_maps`` maps."""
        like = self.mask_img if like is None else like
        rows = iter(rows)
        first, mask = next(rows), self.space.parts[0].mask
        data: Any = LaterVolume(first, mask, mask.shape, first.dtype)
        if n_maps is not None:
            data = np.empty((*mask.shape, n_maps), dtype=first.dtype)
            for k, row in enumerate(chain([first], rows)):
                data[..., k] = put(np.asarray(row), mask)
        # The header keeps the units and the codes of the affine, where there are any. Its
        # description of the values does not hold for the new ones.
        header = like.header if isinstance(like, Nifti1Pair) else None
        result = Nifti1Image(data, like.affine, header)
        result.set_data_dtype(data.dtype)
        result.header.set_intent("none")
        result.header["cal_min"] = result.header["cal_max"] = 0
        result.header["descrip"] = description
        return result

    @staticmethod
    def form(img: SpatialImage) -> SpatialImage:
        """Return the image with its header, and one zero that takes the place of all values."""
        zero = np.broadcast_to(np.zeros((), dtype=np.uint8), img.shape)
        return type(img)(zero, img.affine, img.header)

    def restore(self, form: SpatialImage, rows: Iterable[Values], description: str) -> Any:
        """Return results as a 3D or 4D image, as the maps are."""
        return self.image(rows, None if form.ndim == 3 else form.shape[3], description, form)

    def all_values(self, img: SpatialImage) -> np.ndarray:
        """Return all voxels of an image."""
        return get_data(img).ravel()

    def at(self, indices: Any) -> np.ndarray:
        """Return which voxels are named by indices of shape (n, 3)."""
        mask = self.space.parts[0].mask
        return select(mask.shape, mask, indices, "voxels", self.mask_called)[mask]

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the mask, and the bytes of the header that says what space it is in."""
        mask_img = self.image([np.ones(self.space.n_elements, dtype=np.uint8)], None, "mask")
        header = np.frombuffer(mask_img.header.binaryblock, dtype=np.uint8)
        return {"mask": self.space.parts[0].mask, "header": header}

    @staticmethod
    def mask_from_arrays(arrays: Mapping[str, np.ndarray]) -> tuple[Nifti1Image, dict[str, Any]]:
        """Return the mask."""
        mask = stored_array(arrays, "mask", "b", (None, None, None))
        stored = stored_array(arrays, "header", "u", (Nifti1Header.sizeof_hdr,))
        header = Nifti1Header(stored.tobytes())
        # The header has a shape, too, but the shape of the mask counts.
        mask_img = Nifti1Image(mask.view(np.uint8), header.get_best_affine(), header)
        if not np.isfinite(mask_img.affine).all():
            raise ValueError("the affine of the mask must be finite")
        return mask_img, {}

    def resample(self, img: SpatialImage, name: str, fill_value: int) -> SpatialImage:
        """Return an image on the grid of the mask, by the nearest neighbour."""
        return resample_to_img(
            img,
            self.mask_img,
            interpolation="nearest",
            fill_value=fill_value,
            copy_header=True,
            force_resample=False,
        )


def _compute_mask(masker: NiftiMasker, mask_img: Any, imgs: Sequence[Any] | None) -> NiftiMasker:
    """Fit a masker to maps."""
    if masker.mask_strategy == "epi":
        raise ValueError(
            "The masker given as mask_img has mask_strategy='epi', which takes strong values "
            "for brain: of a statistical map, those to be tested would be chosen by their "
            "statistic. Use mask_strategy='background', or a mask."
        )
    if imgs is None:
        raise ValueError(
            "mask_img must be a mask, a fitted masker, or a masker with a mask_img, where there "
            f"are no images to compute a mask from (arrays, for example). Got {mask_img!r}; in "
            "a pipeline that was cloned, a masker is not fitted."
        )
    is_one = len(imgs) == 1 and imgs[0].ndim == 3
    img = imgs[0] if is_one else mean_volume(imgs)
    get_data(img)  # what is in memory, nilearn does not copy
    try:
        return masker.fit(img)
    except ValueError as error:
        raise ValueError(
            f"No mask could be computed from the map ({error}). Pass one as mask_img."
        ) from error


def _check_mask_img(mask_img: Any) -> Nifti1Image:
    """Return a mask as a 3D image, after a look at its values."""
    mask_img = VolumeFrame.read(mask_img, single=True)
    values = get_data(mask_img)
    check_binary(values)
    has_nan = values.dtype.kind in "fc" and np.isnan(values).any()
    filled = np.nan_to_num(values) if has_nan else values
    if not filled.any():
        # The second sentence is nilearn's, which users may test for.
        raise ValueError(
            "mask_img must have voxels. The mask is invalid as it is empty: it masks all data."
        )
    return new_img_like(mask_img, (filled != 0).astype(np.uint8)) if has_nan else mask_img
