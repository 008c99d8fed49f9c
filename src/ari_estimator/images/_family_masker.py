"""The masker of a tested family: the mask of a model, without any preprocessing."""

from __future__ import annotations

from typing import Any

from nilearn.maskers import NiftiMasker, SurfaceMasker

from ari_estimator.images._array_masker import ArrayMasker
from ari_estimator.images._grayordinate_masker import GrayordinateMasker


def masker_of_family(masker: Any) -> Any:
    """Return a masker with the mask of a model that leaves maps as they are.

    Parameters
    ----------
    masker : NiftiMasker, SurfaceMasker, GrayordinateMasker or ArrayMasker
        The fitted masker of a model, which may smooth or resample the maps of subjects.

    Returns
    -------
    masker : NiftiMasker, SurfaceMasker, GrayordinateMasker or ArrayMasker
        A fitted masker. It says where its mask is from.
    """
    if isinstance(masker, (GrayordinateMasker, ArrayMasker)):
        return masker
    kind = NiftiMasker if isinstance(masker, NiftiMasker) else SurfaceMasker
    family_masker = kind(mask_img=masker.mask_img_, standardize=None, reports=False).fit()
    origin = "computed from the maps" if masker.mask_img is None else "given as mask_img"
    family_masker._mask_called = f"the mask of the model, {origin}"
    return family_masker
