"""The bound of any set of a fitted map, and the confidence curve, as functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from ari_estimator.estimators._as_fitted_map import as_fitted_map
from ari_estimator.inference import SetBound


def set_bound(
    fitted: Any,
    *,
    mask_img: Any = None,
    seed: Sequence[float] | None = None,
    radius: float | None = None,
    indices: Any = None,
    map_index: int | None = None,
) -> SetBound:
    """Return the bound of any set of voxels of a map.

    You may choose sets after looking at the map, and as many as you like: the bounds of all these
    sets and of all clusters hold at once.

    Parameters
    ----------
    fitted : transformer, ARISecondLevelModel or FittedMap
        A transformer fitted to a map, a model after ``compute_contrast(output_type="tdp")``, or
        a fitted map.

    mask_img : image or None, default=None
        The set as a binary image, of the same kind and on the same grid as the map. Untested
        voxels are left out.

    seed : sequence of 3 float, or None, default=None
        Centre of a sphere in mm. On a surface, the set consists of the vertices inside the sphere.

    radius : float or None, default=None
        Radius of the sphere in mm. The set consists of the voxels whose centre is at most this far
        away. Rounding makes no difference: 0.00001 mm, or 0.001 % of the radius, do not count.

    indices : array-like, dict or None, default=None
        The set as a list. For volumes, voxel indices of shape (n_voxels, 3). For surfaces, vertex
        numbers, as ``{"left": [...], "right": [...]}``. For CIFTI images, columns, of shape
        (n_grayordinates,). All must be in the mask.

    map_index : int or None, default=None
        Number of the map, if the transformer was fitted to several.

    Returns
    -------
    bound : SetBound
        Size of the set, true discoveries, TDP and adjusted p-value. With
        ``two_sided="directional"``, a :class:`~ari_estimator.inference.DirectionalSetBound`, which
        also has the bounds of each sign.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If ``fitted`` was not fitted to a map.
    TypeError
        If ``fitted`` is of another type, or the mask is an image of another kind.
    ValueError
        If the set is not given in exactly one way, is malformed, or has no tested voxels.

    See Also
    --------
    confidence_curve : Bounds of the strongest voxels of a set.

    Notes
    -----
    Bound and p-value come from closed testing [1]_, see
    :class:`~ari_estimator.closed_testing.Hommel`. With a calibration, they come from
    :class:`~ari_estimator.closed_testing.CalibratedTest`.

    References
    ----------
    .. [1] Goeman JJ, Meijer RJ, Krebs TJP, Solari A (2019). Simultaneous control of all
       false discovery proportions in large-scale multiple hypothesis testing.
       Biometrika 106, 841-856.

    Examples
    --------
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from ari_estimator import ClusterTDPTransformer, set_bound
    >>> ari = ClusterTDPTransformer()
    >>> tdp_img = ari.fit_transform(load_sample_motor_activation_image())
    >>> bound = set_bound(ari, seed=(39, -22, 58), radius=30)
    >>> bound.n_tested, bound.true_discoveries, round(bound.tdp, 2)
    (1775, 1038, 0.58)
    """
    fitted_map = as_fitted_map(fitted, map_index)
    return fitted_map.bound(mask_img=mask_img, seed=seed, radius=radius, indices=indices)


def confidence_curve(
    fitted: Any,
    *,
    mask_img: Any = None,
    seed: Sequence[float] | None = None,
    radius: float | None = None,
    indices: Any = None,
    map_index: int | None = None,
) -> pd.DataFrame:
    """Return the bounds of the k strongest voxels of a map or a set, for every k.

    Parameters
    ----------
    fitted : transformer, ARISecondLevelModel or FittedMap
        A transformer fitted to a map, a model after ``compute_contrast(output_type="tdp")``, or
        a fitted map.

    mask_img, seed, radius, indices : optional
        A set, as for :func:`set_bound`. The default is all tested voxels.

    map_index : int or None, default=None
        Number of the map, if the transformer was fitted to several.

    Returns
    -------
    curve : pandas.DataFrame
        Row ``k - 1`` describes the k voxels with the smallest p-values: ``n_selected`` (k),
        ``p_value`` (their largest p-value), ``true_discoveries`` and ``tdp``. The bounds of all
        rows hold at once.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If ``fitted`` was not fitted to a map.
    TypeError
        If ``fitted`` is of another type, or the mask is an image of another kind.
    ValueError
        If the set is malformed or has no tested voxels.

    See Also
    --------
    set_bound : Bound of one set.

    Notes
    -----
    The bounds come from
    :meth:`~ari_estimator.closed_testing.CriticalVector.confidence_curve`.

    Examples
    --------
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from ari_estimator import ClusterTDPTransformer, confidence_curve
    >>> ari = ClusterTDPTransformer()
    >>> tdp_img = ari.fit_transform(load_sample_motor_activation_image())
    >>> curve = confidence_curve(ari)
    >>> int(curve.loc[curve["tdp"] >= 0.9, "n_selected"].max())
    2271
    """
    fitted_map = as_fitted_map(fitted, map_index)
    return fitted_map.confidence_curve(mask_img=mask_img, seed=seed, radius=radius, indices=indices)


def element_at(
    fitted: Any,
    *,
    seed: Sequence[float] | None = None,
    index: Any = None,
    map_index: int | None = None,
) -> int:
    """Return the number of a voxel among the tested voxels.

    A :class:`TDPForest` and the arrays of ``maps_.test`` use this number.

    Parameters
    ----------
    fitted : transformer, ARISecondLevelModel or FittedMap
        A transformer fitted to a map, a model after ``compute_contrast(output_type="tdp")``, or
        a fitted map.

    seed : sequence of 3 float, or None, default=None
        For volumes: a point in mm, inside the voxel. This is the ``seed`` of :func:`set_bound`.

    index : sequence of 3 int, dict, int or None, default=None
        One entry of the ``indices`` of :func:`set_bound`: three voxel indices, a vertex of a
        surface, as ``{"left": 107}``, or a column of a CIFTI image.

    map_index : int or None, default=None
        Number of the map, if the transformer was fitted to several.

    Returns
    -------
    element : int
        Number of the voxel, from 0 to ``n_tested_ - 1``.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If ``fitted`` was not fitted to a map.
    ValueError
        If the voxel is not given in exactly one way, is malformed, is outside the mask or is not
        tested. If ``seed`` is given for a surface or a CIFTI image, since a point in mm does not
        identify a vertex.

    Examples
    --------
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from ari_estimator import AdaptiveTDPTransformer, element_at
    >>> ari = AdaptiveTDPTransformer(0.9)
    >>> tdp_img = ari.fit_transform(load_sample_motor_activation_image())
    >>> voxel = element_at(ari, seed=(39, -22, 58))
    >>> cluster = ari.forest_.cluster_of(voxel, tdp=0.9)
    >>> ari.forest_.members(cluster).size
    1542
    """
    return as_fitted_map(fitted, map_index).element_at(seed=seed, index=index)
