"""A map of where any subject has data, from which nilearn computes a mask."""

from __future__ import annotations

from typing import Any

import numpy as np
from nilearn.image import get_data, new_img_like
from nilearn.surface import SurfaceImage

from ari_estimator._progress import progress
from ari_estimator.images._unread_images import in_memory


def present_sample(images: list[Any]) -> Any:
    """Return a map with data wherever any subject has data.

    Parameters
    ----------
    images : list of images or paths
        Maps of subjects on one grid or mesh, all volumes or all surfaces.

    Returns
    -------
    sample : Nifti1Image or SurfaceImage
        For volumes the mean of the subjects that have a voxel, 0 if none has it. For surfaces 1
        if a subject has the vertex, and NaN otherwise.
    """
    if isinstance(images[0], SurfaceImage):
        parts = {}
        for name in images[0].data.parts:
            by_subject = [np.isfinite(np.reshape(one.data.parts[name], -1)) for one in images]
            in_any = np.logical_or.reduce(by_subject)
            parts[name] = np.where(in_any, 1.0, np.nan).astype(np.float32)
        return SurfaceImage(images[0].mesh, parts)
    total, count = np.empty(0), np.empty(0)
    first = None
    with progress("Maps of subjects, for the mask", len(images)) as task:
        for img in in_memory(images):
            data = get_data(img)
            data = data[..., 0] if data.ndim == 4 else data
            is_present = np.isfinite(data)
            values = np.where(is_present, data, 0)
            if first is None:
                # In the precision of nilearn's mean, so that the mask is the same without gaps.
                dtype = float if values.dtype.kind in "iub" else values.dtype
                first, total, count = img, values.astype(dtype), is_present.astype(dtype)
            else:
                total += values
                count += is_present
            task.advance()
    return new_img_like(first, total / np.maximum(count, 1))
