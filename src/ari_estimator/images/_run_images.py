"""The maps of one subject's runs: values in, one map out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from nilearn.image import new_img_like

from ari_estimator.images._cifti import CiftiFrame
from ari_estimator.images._declared import declarations_of
from ari_estimator.images._described import described
from ari_estimator.images._frame import Frame
from ari_estimator.images._grayordinate_maps import GrayordinateMap, are_grayordinates
from ari_estimator.images._grayordinate_masker import GrayordinateMasker
from ari_estimator.images._kinds import check_kind, fit_frame, kind_of
from ari_estimator.images._maps import as_map
from ari_estimator.images._volumes import VolumeFrame

# What files declare that are neither effects nor variances.
_STATISTICS = {"z", "z of F", "t", "F", "t or F", "chi2", "p", "1 - p", "-log10 p"}

_FILES = {
    "effect": "a cope (FSL), con (SPM) or effect_size map (nilearn)",
    "variance": "a varcope (FSL) or effect_variance map (nilearn)",
}


class RunImages:
    """The elements of one subject's runs.

    Parameters
    ----------
    first : image or path
        The map of the first run.

    mask_img : image, masker or None
        The mask. None takes the whole grid, the whole mesh or all grayordinates.

    Attributes
    ----------
    element_names : str
        What the elements are, in a sentence.

    is_masked : bool
        Whether there is a mask.

    outside : float
        What stands for no value: 0 in volumes without a mask, as in nilearn's maps; NaN otherwise.
    """

    def __init__(self, first: Any, mask_img: Any) -> None:
        self.is_masked = mask_img is not None
        self.outside = np.nan
        is_cifti = are_grayordinates(first)
        self._kind: type[Frame] = CiftiFrame if is_cifti else kind_of(first)
        if is_cifti:
            masker = GrayordinateMasker(mask_img).fit([first])
            self.element_names = "grayordinates"
            self._read = lambda img, name: masker.transform([img])[0]
            self._made = lambda values, text: described(masker.inverse_transform(values), text)
            return
        like = as_map(first)
        if mask_img is None and self._kind is VolumeFrame:
            self.outside = 0.0
            mask_img = new_img_like(like, np.ones(like.shape[:3], dtype=np.uint8))
        frame = fit_frame(mask_img, [like], self._kind, geometry={}, verbose=0)
        self.element_names = frame.space.element_name[1]

        def read(img: Any, name: str) -> np.ndarray:
            frame.check(img, name)
            return next(iter(frame.arrays(img)))

        self._read = read
        self._made = lambda values, text: frame.image([values], None, text, like)

    def values(self, given: Any, name: str, holds: str) -> np.ndarray:
        """Return the values of one run.

        Parameters
        ----------
        given : image or path
            The map.

        name : str
            The argument, for messages.

        holds : {"effect", "variance"}
            What it must hold.

        Returns
        -------
        values : ndarray of float of shape (n_elements,)
            The values in double precision.

        Raises
        ------
        TypeError
            If it is of another kind than the first map.
        ValueError
            If it lies on another grid or mesh, or its file says that it holds something else.
        """
        if isinstance(given, GrayordinateMap) and self._kind is CiftiFrame:
            return self._read(given, name).astype(np.float64)
        check_kind(given, self._kind, name)
        img = as_map(given)
        wrong = _STATISTICS | ({"effect", "variance"} - {holds})
        for one in declarations_of(img, given):
            if one.holds in wrong and not one.is_weak:
                raise ValueError(
                    f"{name} must hold the {holds} of a contrast: {_FILES[holds]}. It holds "
                    f"{one.holds}, according to {one.said_by}."
                )
        return self._read(img, name).astype(np.float64)

    def all_values(self, images: Sequence[Any], argument: str, holds: str) -> np.ndarray:
        """Return the values of all runs.

        Parameters
        ----------
        images : sequence of images or paths
            The maps.

        argument : str
            The argument that has them, for messages.

        holds : {"effect", "variance"}
            What they must hold.

        Returns
        -------
        values : ndarray of float of shape (n_runs, n_elements)
            The values.

        Raises
        ------
        TypeError
            If the maps are of different kinds.
        ValueError
            If maps lie on different grids or meshes, a file says that it holds something else, or
            two runs have the same effects.
        """
        rows = [self.values(img, f"{argument}[{i}]", holds) for i, img in enumerate(images)]
        for i, row in enumerate(rows if holds == "effect" else []):
            for earlier in range(i):
                if np.array_equal(row, rows[earlier], equal_nan=True):
                    raise ValueError(
                        f"Runs must be different. {argument}[{earlier}] and {argument}[{i}] hold "
                        "the same values, so they are not independent."
                    )
        return np.stack(rows)

    def image(self, values: np.ndarray, description: str) -> Any:
        """Return values as an image of the same kind as the maps.

        Parameters
        ----------
        values : ndarray of shape (n_elements,)
            The values.

        description : str
            What they are.

        Returns
        -------
        img : Nifti1Image, SurfaceImage or Cifti2Image
            The image, 0 outside of the mask.
        """
        return self._made(values, description)
