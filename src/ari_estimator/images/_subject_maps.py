"""The maps of subjects, read one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from nilearn.maskers import NiftiMasker

from ari_estimator.images._nan_masker import NaNWarningMasker


def masked_subjects(images: Any, masker: Any) -> Iterator[np.ndarray]:
    """Yield the masked values of each subject's map.

    Parameters
    ----------
    images : iterable of images or paths
        A map for each subject.

    masker : masker
        A fitted masker of nilearn.

    Yields
    ------
    values : ndarray of shape (n_elements,) or (1, n_elements)
        The values of one subject.

    Raises
    ------
    TypeError
        If ``images`` is no iterable of images, or ``masker`` is no masker.
    """
    if not hasattr(masker, "transform"):
        raise TypeError(
            f"masker must be a fitted masker of nilearn or None. Got {type(masker).__name__}."
        )
    if isinstance(images, (str, bytes)) or not isinstance(images, Iterable):
        raise TypeError(
            f"data must be a list or an iterator of images. Got {type(images).__name__}."
        )
    if type(masker) is NiftiMasker:
        # Which takes NaN for 0 all the same, but says so.
        masker = NaNWarningMasker.take_over(masker)
    return map(masker.transform, images)
