"""Estimate the smoothness of the residuals of a group model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator._blocks import blocks
from ari_estimator._nesting import refuse_nested
from ari_estimator.images._kinds import fit_frame
from ari_estimator.images._maps import as_maps
from ari_estimator.images._volume_part import VolumePart

# Fewer degrees of freedom say next to nothing.
_FEWEST_DF = 3

# The FWHM of a Gaussian with a standard deviation of 1.
_FWHM = np.sqrt(8 * np.log(2))


def estimate_smoothness(
    imgs: Any, mask_img: Any = None, *, design_matrix: ArrayLike | None = None
) -> np.ndarray:
    """Estimate the smoothness of the residuals of a group model.

    :class:`RandomFieldExtent` needs it. It is not the width of the smoothing kernel.

    Parameters
    ----------
    imgs : list of 3D images, or 4D image
        A map of each subject or run: the maps that go into the group model.

    mask_img : image, masker or None, default=None
        The mask. None computes one from the maps.

    design_matrix : array-like of shape (n_maps, n_columns) or None, default=None
        The design of the group model, with a row for each map. None is a one-sample model.

    Returns
    -------
    fwhm : ndarray of shape (3,)
        Full width at half maximum along each axis of the image, in mm.

    Raises
    ------
    TypeError
        If the maps are not volumes.
    ValueError
        If the design does not fit the maps or leaves fewer than 3 degrees of freedom, or if the
        residuals are not smooth along an axis.

    See Also
    --------
    RandomFieldExtent : Cluster extents from the smoothness.

    Notes
    -----
    Residuals are scaled to the same sum of squares at each voxel. The mean correlation r of
    neighbours along an axis gives the width of a Gaussian autocorrelation, as in FSL's
    ``smoothest``: ``FWHM = sqrt(-2 ln 2 / ln r)`` voxels. With n degrees of freedom, r is first
    multiplied by ``1 + (1 - r^2) / (2 n)``, which removes the bias of a correlation to first order.
    For smooth maps, this is the factor ``(n - 2) / (n - 1)`` of Kiebel et al. [1]_ for the variance
    of derivatives. Voxels that are missing in a map or do not vary are left out.

    References
    ----------
    .. [1] Kiebel SJ, Poline JB, Friston KJ, Holmes AP, Worsley KJ (1999). Robust smoothness
       estimation in statistical parametric maps using standardized residuals from the general
       linear model. NeuroImage 10, 756-766.

    Examples
    --------
    >>> from ari_estimator import estimate_smoothness
    >>> from ari_estimator.datasets import load_sample_study
    >>> study = load_sample_study()
    >>> estimate_smoothness(study.maps, study.mask_img).round(1)
    array([8., 8., 8.])
    """
    refuse_nested(imgs=imgs)
    maps: Any = as_maps(imgs)
    frame = fit_frame(
        mask_img,
        getattr(maps, "images", None),
        getattr(maps, "kind", None),
        geometry={},
        verbose=0,
    )
    part = frame.space.parts[0]
    if len(frame.space.parts) > 1 or not isinstance(part, VolumePart):
        raise TypeError(
            "imgs must be volumes: smoothness is estimated along the axes of a grid. Got "
            f"{frame.space.element_name[1]}."
        )
    maps.check(frame)
    values = np.stack([np.asarray(one, dtype=np.float64) for one in maps.values(frame)])
    return smoothness_of(values, part, design_matrix)


def smoothness_of(
    values: np.ndarray, part: VolumePart, design_matrix: ArrayLike | None
) -> np.ndarray:
    """Estimate the smoothness of residuals from the values of maps.

    Parameters
    ----------
    values : ndarray of shape (n_maps, n_voxels)
        Values in the mask, which may have NaN.

    part : VolumePart
        The voxels.

    design_matrix : array-like of shape (n_maps, n_columns) or None
        The design. None is a one-sample model.

    Returns
    -------
    fwhm : ndarray of shape (3,)
        Full width at half maximum along each axis of the image, in mm.

    Raises
    ------
    ValueError
        As for :func:`estimate_smoothness`.
    """
    residuals, n_df = _residuals(values, design_matrix)
    lengths = np.linalg.norm(part.affine[:3, :3], axis=0)
    is_used = (np.square(residuals).sum(axis=0) > 0) & np.isfinite(values).all(axis=0)
    numbers = np.full(part.mask.shape, -1, dtype=np.intp)
    numbers[part.mask] = np.where(is_used, np.arange(is_used.size), -1)
    return np.array([_fwhm(residuals, numbers, n_df, axis) for axis in range(3)]) * lengths


def _residuals(values: np.ndarray, design_matrix: ArrayLike | None) -> tuple[np.ndarray, int]:
    """Return residuals with a sum of squares of 1, or 0 without any, and degrees of freedom."""
    n_maps = len(values)
    design = np.ones((n_maps, 1)) if design_matrix is None else np.asarray(design_matrix)
    if design.ndim != 2 or len(design) != n_maps or design.dtype.kind not in "fiub":
        raise ValueError(
            f"design_matrix must have {n_maps} rows of numbers, one for each map. "
            f"Got shape {design.shape} of {design.dtype}."
        )
    design = design.astype(np.float64)
    if not np.isfinite(design).all():
        raise ValueError("design_matrix must be finite. Got NaN or infinite values.")
    basis, sizes, _ = np.linalg.svd(design, full_matrices=False)
    basis = basis[:, sizes > sizes.max(initial=0) * max(design.shape) * np.finfo(float).eps]
    n_df = n_maps - basis.shape[1]
    if n_df < _FEWEST_DF:
        raise ValueError(
            f"imgs must leave at least {_FEWEST_DF} degrees of freedom for the residuals. Got "
            f"{n_maps} maps and a design of rank {basis.shape[1]}."
        )
    residuals = np.zeros_like(values)
    for block in blocks(values.shape[1]):
        y = values[:, block]
        y = np.where(np.isfinite(y).all(axis=0), y, 0.0)
        e = y - basis @ (basis.T @ y)
        norms = np.sqrt(np.square(e).sum(axis=0))
        # Residuals of a constant are rounding errors.
        is_left = norms > 1e-10 * np.sqrt(np.square(y).sum(axis=0))
        residuals[:, block] = np.where(is_left, e / np.where(is_left, norms, 1.0), 0.0)
    return residuals, n_df


def _fwhm(residuals: np.ndarray, numbers: np.ndarray, n_df: int, axis: int) -> float:
    """Return the FWHM along an axis, in voxels."""
    near = np.moveaxis(numbers, axis, 0)
    first, second = near[:-1].ravel(), near[1:].ravel()
    is_pair = (first >= 0) & (second >= 0)
    first, second = first[is_pair], second[is_pair]
    total = sum(
        float(np.einsum("ij,ij->", residuals[:, first[block]], residuals[:, second[block]]))
        for block in blocks(first.size)
    )
    r = total / max(first.size, 1)
    r *= 1 + (1 - r**2) / (2 * n_df)
    if not 0 < r < 1:
        raise ValueError(
            "The residuals must be smooth to estimate their smoothness, with a correlation of "
            f"neighbours between 0 and 1. Got {r:.3g} on axis {axis}, from {first.size:,} pairs."
        )
    return float(_FWHM * np.sqrt(-1 / (4 * np.log(r))))
