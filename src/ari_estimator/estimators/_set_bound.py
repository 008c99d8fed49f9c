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

    You may choose the set after looking at the map, and ask for as many sets as you like: the
    bounds of all these sets and of all clusters hold at once.

    Parameters
    ----------
    fitted : transformer, ARISecondLevelModel or FittedMap
        A transformer that was fitted to a map, a model after
        ``compute_contrast(output_type="tdp")``, or what either keeps of a map.

    mask_img : image or None, default=None
        The set as a binary image, of the kind and on the grid of the map. Voxels that are
        not tested are left out.

    seed : sequence of 3 float, or None, default=None
        The set as a sphere: its centre in mm. On surfaces, those vertices that are in the
        sphere in space.

    radius : float or None, default=None
        Radius of the sphere in mm; a voxel is in it if its centre is.

    indices : array-like, dict or None, default=None
        The set as a list: of voxel indices, of shape (n_voxels, 3); for surfaces of vertex
        numbers, as ``{"left": [...], "right": [...]}``; for CIFTI images of columns, of
        shape (n_grayordinates,). All must be in the mask.

    map_index : int or None, default=None
        Which of the maps is meant, if the transformer was fitted to several.

    Returns
    -------
    bound : SetBound
        Size of the set, true discoveries, TDP and adjusted p-value.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If no map was seen yet.
    TypeError
        If ``fitted`` is no such estimator, or the mask is an image of another kind.
    ValueError
        If the set is not given in exactly one way, or is malformed, or if none of its
        voxels is tested.

    See Also
    --------
    confidence_curve : Bounds of the strongest voxels of a set.

    Notes
    -----
    Closed testing [1]_ gives bound and p-value, see
    :class:`~ari_estimator.closed_testing.Hommel`. With a calibration,
    :class:`~ari_estimator.closed_testing.CalibratedTest` gives them.

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
    """Return the bounds of the strongest voxels of a map, or of a set, for every number.

    Parameters
    ----------
    fitted : transformer, ARISecondLevelModel or FittedMap
        A transformer that was fitted to a map, a model after
        ``compute_contrast(output_type="tdp")``, or what either keeps of a map.

    mask_img, seed, radius, indices : optional
        A set, as for :func:`set_bound`; if none is given, all voxels that are tested.

    map_index : int or None, default=None
        Which of the maps is meant, if the transformer was fitted to several.

    Returns
    -------
    curve : pandas.DataFrame
        Row ``k - 1`` is of the k voxels with the smallest p-values: ``n_selected`` (k),
        ``p_value`` (the largest of theirs), ``true_discoveries`` and ``tdp``. All rows hold
        at once.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If no map was seen yet.
    TypeError
        If ``fitted`` is no such estimator, or the mask is an image of another kind.
    ValueError
        If a set is malformed, or none of its voxels is tested.

    See Also
    --------
    set_bound : Of one set.

    Notes
    -----
    By :meth:`~ari_estimator.closed_testing.CriticalVector.confidence_curve`.

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

    A :class:`TDPForest` and the arrays of ``maps_.test`` know voxels by this number.

    Parameters
    ----------
    fitted : transformer, ARISecondLevelModel or FittedMap
        A transformer that was fitted to a map, a model after
        ``compute_contrast(output_type="tdp")``, or what either keeps of a map.

    seed : sequence of 3 float, or None, default=None
        The place as a point in mm, for volumes: the voxel that holds the point. This is the
        ``seed`` of :func:`set_bound`.

    index : sequence of 3 int, dict, int or None, default=None
        The place as one entry of the ``indices`` of :func:`set_bound`: three voxel indices; for
        surfaces a vertex, as ``{"left": 107}``; for CIFTI images a column.

    map_index : int or None, default=None
        Which of the maps is meant, if the transformer was fitted to several.

    Returns
    -------
    element : int
        From 0 to ``n_tested_ - 1``.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If no map was seen yet.
    ValueError
        If the place is not given in exactly one way, or is malformed, or if it is not in the
        mask or not tested. If ``seed`` is given for a surface or a CIFTI image: a point in mm
        does not tell which vertex is meant.

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
