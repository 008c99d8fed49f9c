"""A masker of CIFTI images, as nilearn has maskers of volumes and surfaces."""

from __future__ import annotations

from typing import Any

import numpy as np
from nibabel.cifti2.cifti2 import Cifti2Image
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from ari_estimator._progress import progress
from ari_estimator.images._cifti import CiftiFrame, read_mask
from ari_estimator.images._cifti_header import brain_models_of, difference, new_image
from ari_estimator.images._grayordinate_maps import GrayordinateMap, open_maps


class GrayordinateMasker(TransformerMixin, BaseEstimator):
    """Masker of CIFTI images.

    Parameters
    ----------
    mask_img : CIFTI image, path, fitted GrayordinateMasker or None, default=None
        The mask: one map, 0 outside. None takes all grayordinates of the images.

    Attributes
    ----------
    mask_img_ : Cifti2Image
        The mask.

    n_elements_ : int
        Number of grayordinates in the mask.

    mask_called : str
        The mask in a sentence, which says where it is from. Exists after :meth:`fit`.

    Notes
    -----
    Values that are NaN stay NaN.
    """

    # A parameter of nilearn's maskers: how the values are smoothed.
    smoothing_fwhm = None

    # What is tested without a mask.
    without_mask = "all grayordinates of the maps"

    def __init__(self, mask_img: Any = None) -> None:
        self.mask_img = mask_img

    def fit(self, imgs: Any = None, y: None = None) -> GrayordinateMasker:
        """Read the mask, or take all grayordinates of images.

        Parameters
        ----------
        imgs : list of CIFTI images, or one image, or None, default=None
            Images. None if there is a mask.

        y : None
            Ignored; exists for compatibility with scikit-learn.

        Returns
        -------
        self : object
            The masker.

        Raises
        ------
        TypeError
            If the mask or an image is not a CIFTI image.
        ValueError
            If the mask is empty, not binary, or has other grayordinates than the images. If there
            is neither a mask nor an image.
        """
        mask_img = self.mask_img
        maps = None if imgs is None else open_maps(imgs)
        if mask_img is None:
            if not maps:
                raise ValueError("mask_img must be a mask, because there are no images. Got None.")
            models = maps[0].models
            n_grayordinates = np.shape(maps[0].data)[1]
            mask_img = new_image(np.ones((1, n_grayordinates), np.float32), ["mask"], models)
            self.mask_called = f"{self.without_mask}, since there is no mask"
        else:
            # It may be the masker of another model.
            mask_img = CiftiFrame.read(getattr(mask_img, "mask_img_", mask_img), single=True)
            self.mask_called = "the mask of the model, given as mask_img"
        self._is_inside = read_mask(mask_img)
        self._models = brain_models_of(mask_img)
        self.mask_img_ = mask_img
        self.n_elements_ = int(self._is_inside.sum())
        if maps:
            self._check(maps)
        return self

    def transform(self, imgs: Any) -> np.ndarray:
        """Return the masked values of images.

        Parameters
        ----------
        imgs : list of CIFTI images, or one image
            Images with the grayordinates of the mask.

        Returns
        -------
        values : ndarray of float of shape (n_images, n_elements)
            In single precision if all images are, otherwise in double precision.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the masker is not fitted.
        TypeError
            If an image is not a CIFTI image.
        ValueError
            If images have other grayordinates than the mask, or a file has changed since it was
            opened.
        """
        check_is_fitted(self)
        maps = open_maps(imgs)
        self._check(maps)
        is_whole = bool(self._is_inside.all())
        values = np.empty((len(maps), self.n_elements_), dtype=np.float32)
        with progress("Maps of subjects", len(maps)) as task:
            for number, one in enumerate(maps):
                row = one.values()
                if row.dtype != values.dtype:
                    values = values.astype(np.float64, copy=False)
                values[number] = row if is_whole else row[self._is_inside]
                task.advance()
        return values

    def inverse_transform(self, X: Any) -> Cifti2Image:
        """Return masked values as a dscalar image.

        Parameters
        ----------
        X : array-like of shape (n_elements,) or (n_images, n_elements)
            Values.

        Returns
        -------
        img : Cifti2Image
            One map for each row, 0 outside the mask.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the masker is not fitted.
        ValueError
            If there is not one column for each grayordinate in the mask.
        """
        check_is_fitted(self)
        rows = np.atleast_2d(np.asarray(X))
        if rows.ndim != 2 or rows.shape[1] != self.n_elements_:
            raise ValueError(
                f"X must have shape (n_images, {self.n_elements_}), with a column for each "
                f"grayordinate in the mask. Got shape {np.shape(X)}."
            )
        data = np.zeros((len(rows), self._is_inside.size), dtype=rows.dtype)
        data[:, self._is_inside] = rows
        return new_image(data, [""] * len(rows), self._models)

    def _check(self, maps: list[GrayordinateMap]) -> None:
        """Refuse maps with other grayordinates than the mask."""
        differ = difference(maps[0].models, self._models)
        if differ is not None:
            raise ValueError(
                "CIFTI images of subjects and mask_img must have the same grayordinates, in the "
                f"same order. Got {maps[0].called} and {self.mask_called}: {differ}."
            )
