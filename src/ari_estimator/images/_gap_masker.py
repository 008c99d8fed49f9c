"""A masker that keeps NaN where the map of a subject is not defined."""

from __future__ import annotations

from typing import Any

import numpy as np
from nilearn.image import check_niimg, get_data, iter_img, new_img_like
from nilearn.maskers import NiftiMasker

from ari_estimator.images._grid import same_grid
from ari_estimator.images._nan_masker import NaNWarningMasker
from ari_estimator.images._unread_images import unshared

# A smaller share of the weights of a smoothing kernel tells nothing.
_LEAST_SHARE = 1e-6


class GapMasker(NaNWarningMasker):
    """A NiftiMasker that returns NaN where an image is NaN or infinite.

    Smoothing uses the voxels that an image has: it divides the smoothed image, 0 where it is
    missing, by the share of the kernel that is present. Voxels that are missing stay missing.
    """

    _keeps_gaps = True

    def transform_single_imgs(
        self, imgs: Any, confounds: Any = None, sample_mask: Any = None, copy: bool = True
    ) -> np.ndarray:
        """Mask images as a NiftiMasker does, with NaN where they are missing.

        Parameters
        ----------
        imgs : Niimg-like object, or list of these
            Images.

        confounds, sample_mask, copy
            As for :meth:`nilearn.maskers.NiftiMasker.transform_single_imgs`. The first two must
            be None.

        Returns
        -------
        values : ndarray of shape (n_images, n_voxels)
            The values.

        Raises
        ------
        ValueError
            If an image with missing voxels would be resampled.
        """
        images = imgs if isinstance(imgs, list) else [imgs]
        if not self._takes_one_by_one(images):
            images = [
                one
                for img in images
                for one in iter_img(check_niimg(unshared(img), atleast_4d=True))
            ]
        return self._one_by_one(images, copy)

    def _row_with_gaps(self, img: Any, is_missing: np.ndarray, copy: bool) -> np.ndarray:
        mask_img = self.mask_img_
        if not same_grid(is_missing.shape, img.affine, mask_img.shape, mask_img.affine):
            raise ValueError(
                "missing must be None for maps on another grid than the mask, because resampling "
                f"would mix missing voxels with others. Got 'omit', a map of shape "
                f"{is_missing.shape} and a mask of shape {mask_img.shape}. Resample the maps "
                "first, for example with nilearn.image.resample_to_img."
            )
        data = get_data(img).reshape(is_missing.shape)
        filled = new_img_like(img, np.where(is_missing, 0, data))
        row = NiftiMasker.transform_single_imgs(self, filled, copy=copy)
        if self.smoothing_fwhm is not None:
            present = new_img_like(img, (~is_missing).astype(row.dtype))
            share = NiftiMasker.transform_single_imgs(self, present, copy=copy)
            row = np.divide(row, share, out=np.full_like(row, np.nan), where=share > _LEAST_SHARE)
        is_in_mask = get_data(mask_img).reshape(is_missing.shape).astype(bool)
        row = np.ravel(row)
        row[is_missing[is_in_mask]] = np.nan
        return row

    def _warn_of_missing(self, is_missing: np.ndarray, affine: np.ndarray) -> None:
        """Do not warn: missing voxels stay missing."""
