"""A masker that tells when subjects' maps are not defined everywhere."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from nilearn.image import check_niimg, get_data, resample_img
from nilearn.maskers import NiftiMasker

from ari_estimator.images._volume_formats import refuse_surface


class NaNWarningMasker(NiftiMasker):
    """A NiftiMasker that warns of voxels in the mask that are NaN in some of the images.

    nilearn's masker replaces NaN by zero, without a word. In a group study a zero is a
    measurement, and the effect of such a voxel is pulled to zero.
    """

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
        # Images in files are read here, once; what is passed on is in memory.
        imgs = check_niimg(imgs, atleast_4d=True)
        refuse_surface(imgs.shape, "The map of a subject")
        is_missing = ~np.isfinite(get_data(imgs)).all(axis=-1)
        if is_missing.any():
            mask_img = resample_img(
                self.mask_img_,
                target_affine=imgs.affine,
                target_shape=imgs.shape[:3],
                interpolation="nearest",
                copy_header=True,
                force_resample=False,
            )
            is_missing &= get_data(mask_img).astype(bool)
        if is_missing.any():
            origin = "computed from the maps" if self.mask_img is None else "given as mask_img"
            warnings.warn(
                f"{int(is_missing.sum())} voxels of the mask are NaN (or infinite) in at least "
                "one of the maps. nilearn takes them for 0 there, which pulls the group effect "
                "towards 0. A mask of the voxels that all subjects have, as mask_img, leaves "
                f"them out. The mask was {origin}, and has {self.n_elements_} voxels.",
                UserWarning,
                stacklevel=2,
            )
        return super().transform_single_imgs(
            imgs, confounds=confounds, sample_mask=sample_mask, copy=copy
        )
