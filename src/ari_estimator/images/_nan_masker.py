"""A masker that tells when subjects' maps are not defined everywhere."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from nilearn.image import check_niimg, get_data, resample_img
from nilearn.maskers import NiftiMasker

from ari_estimator.images._masks import mixes_rows
from ari_estimator.images._unread_images import in_memory
from ari_estimator.images._volume_formats import refuse_surface


class NaNWarningMasker(NiftiMasker):
    """A NiftiMasker that warns of voxels in the mask that are NaN in some of the images.

    nilearn's masker replaces NaN by zero without a warning. In a group study a zero is a
    measurement, which pulls the effect of the voxel to zero.
    """

    # Whether missing voxels stay missing.
    _keeps_gaps = False

    @classmethod
    def take_over(cls, masker: NiftiMasker) -> NaNWarningMasker:
        """Return a masker with the parameters and the fit of another one."""
        taken = cls(**masker.get_params(deep=False))
        taken.__dict__.update(masker.__dict__)
        return taken

    def transform_single_imgs(
        self, imgs: Any, confounds: Any = None, sample_mask: Any = None, copy: bool = True
    ) -> np.ndarray:
        """Mask images as a NiftiMasker does, after a look for NaN.

        Parameters
        ----------
        imgs : Niimg-like object, or list of these
            Images.

        confounds, sample_mask, copy
            As for :meth:`nilearn.maskers.NiftiMasker.transform_single_imgs`.

        Returns
        -------
        values : ndarray of shape (n_images, n_voxels)
            As from a NiftiMasker.
        """
        if confounds is None and sample_mask is None and self._takes_one_by_one(imgs):
            return self._one_by_one(imgs, copy)
        # Images in files are read here, once. The images passed on are in memory.
        imgs = check_niimg(imgs, atleast_4d=True)
        refuse_surface(imgs.shape, "The map of a subject")
        self._warn_of_missing(~np.isfinite(get_data(imgs)).all(axis=-1), imgs.affine)
        return super().transform_single_imgs(
            imgs, confounds=confounds, sample_mask=sample_mask, copy=copy
        )

    def _takes_one_by_one(self, imgs: Any) -> bool:
        """Return whether images are a list of volumes that are processed independently."""
        if not isinstance(imgs, list) or mixes_rows(self):
            return False
        return all(check_niimg(img).shape[3:] in ((), (1,)) for img in imgs)

    def _one_by_one(self, imgs: list[Any], copy: bool) -> np.ndarray:
        """Mask images, with one image at a time in memory."""
        shape, affine, is_missing = None, np.empty(0), np.empty(0, dtype=bool)
        values = np.empty((0, 0))
        for number, img in enumerate(in_memory(imgs)):
            data = get_data(img)
            data = data[..., 0] if data.ndim == 4 else data
            if shape is None:
                refuse_surface(img.shape, "The map of a subject")
                shape, affine = data.shape, img.affine
                is_missing = np.zeros(shape, dtype=bool)
            elif data.shape != shape or not np.allclose(img.affine, affine):
                raise ValueError(
                    f"Maps of subjects must be on one grid. Field of view of image #{number} is "
                    f"different from reference FOV. Got shape {data.shape} with affine\n"
                    f"{img.affine}\nand shape {shape} of the first map, with affine\n{affine}"
                )
            lacks = ~np.isfinite(data)
            is_missing |= lacks
            if self._keeps_gaps and lacks.any():
                row = self._row_with_gaps(img, lacks, copy)
            else:
                row = np.ravel(super().transform_single_imgs(img, copy=copy))
            if number == 0:
                values = np.empty((len(imgs), row.size), dtype=row.dtype)
            values[number] = row
        self._warn_of_missing(is_missing, affine)
        return values

    def _row_with_gaps(self, img: Any, is_missing: np.ndarray, copy: bool) -> np.ndarray:
        """Return the masked values of an image with gaps: here as nilearn reads them."""
        return np.ravel(super().transform_single_imgs(img, copy=copy))

    def _warn_of_missing(self, is_missing: np.ndarray, affine: np.ndarray) -> None:
        """Warn if some of the voxels that are missing are in the mask."""
        if is_missing.any():
            mask_img = resample_img(
                self.mask_img_,
                target_affine=affine,
                target_shape=is_missing.shape,
                interpolation="nearest",
                copy_header=True,
                force_resample=False,
            )
            is_missing = is_missing & get_data(mask_img).astype(bool)
        if is_missing.any():
            origin = "computed from the maps" if self.mask_img is None else "given as mask_img"
            warnings.warn(
                f"{int(is_missing.sum())} voxels of the mask are NaN (or infinite) in at least "
                "one of the maps. nilearn takes them for 0 there, which pulls the group effect "
                "towards 0. A mask of the voxels that all subjects have, as mask_img, leaves "
                f"them out. The mask was {origin}, and has {self.n_elements_} voxels.",
                UserWarning,
                stacklevel=3,
            )
