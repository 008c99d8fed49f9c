"""What figures of a map show: its values, its TDPs, the threshold and the side of the test."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator

from ari_estimator._unused_options import refuse_unused
from ari_estimator.estimators._as_fitted_map import as_fitted_map
from ari_estimator.images._drawable import drawable
from ari_estimator.images._mask_array import put
from ari_estimator.inference import FittedMap

# The TDP image is zero outside clusters. Zeros are not drawn.
NOT_ZERO = 1e-6


class ShownMap(NamedTuple):
    """What figures of a map show.

    Attributes
    ----------
    volumes : (Nifti1Image, Nifti1Image) or None
        The statistic and the TDP of voxels; None if there are no voxels.

    surfaces : (SurfaceImage, SurfaceImage) or None
        The statistic and the TDP of vertices; None if there are no meshes.

    threshold : float or None
        The statistic is drawn above this value; everywhere if None.

    two_sided : bool
        Whether to draw negative values.

    symbol : str
        Name of the values.
    """

    volumes: Any
    surfaces: Any
    threshold: float | None
    two_sided: bool
    symbol: str


def shown_map(fitted_map: FittedMap) -> ShownMap:
    """Return what figures of a map show.

    Parameters
    ----------
    fitted_map : FittedMap
        The map.

    Returns
    -------
    shown : ShownMap
        Images on the grid or mesh of the map. Infinite values are as far from 0 as the largest
        finite one, and p-values are ``-log10 p``.
    """
    family, space = fitted_map.family, fitted_map.frame.space
    statistic = family.statistic
    heights = np.concatenate([np.ravel(one.threshold) for one in fitted_map.partitions])
    heights = statistic.drawn(heights[np.isfinite(heights)])
    if statistic.two_sided:
        heights = np.abs(heights)
    lowest = float(heights.min(initial=np.inf))
    values = statistic.drawn(family.stat)
    finite = values[np.isfinite(values)]
    values = np.clip(values, finite.min(initial=0), finite.max(initial=0))
    # If no value exceeds the threshold, draw the whole map rather than nothing. A cluster may reach
    # below 0, and then all values that are drawn are above its threshold.
    is_shown = fitted_map.n_sets and 0 < lowest < np.inf
    stat = drawable(space, put(values, family.is_tested))
    tdp = drawable(space, np.nan_to_num(fitted_map.tdp))
    return ShownMap(
        None if stat.volume is None else (stat.volume, tdp.volume),
        None if stat.surface is None else (stat.surface, tdp.surface),
        lowest if is_shown else None,
        bool(statistic.two_sided),
        statistic.symbol_as_drawn,
    )


def shown_or_given(
    stat_img: Any,
    tdp_img: Any,
    *,
    kind: str,
    threshold: float | None,
    two_sided: bool | None,
    map_index: int | None,
) -> tuple[Any, Any, float | None, bool]:
    """Return the images, the threshold and the side to draw, from the arguments of a figure.

    Parameters
    ----------
    stat_img : image, or fitted estimator or FittedMap
        A statistical map, or what holds all the rest.

    tdp_img : image or None
        TDPs; None if a fitted estimator is given.

    kind : {"volumes", "surfaces"}
        Which images are wanted.

    threshold : float or None
        The threshold as given.

    two_sided : bool or None
        The side as given.

    map_index : int or None
        The number of the map as given.

    Returns
    -------
    stat_img, tdp_img, threshold, two_sided : object
        What to draw.

    Raises
    ------
    TypeError
        If the arguments are neither two images nor a fitted estimator.
    ValueError
        If the estimator has no such images, or arguments would have no effect.
    """
    if not isinstance(stat_img, (BaseEstimator, FittedMap)):
        if tdp_img is None:
            raise TypeError(
                "tdp_img must be an image if stat_img is one. Got None. To draw both from one "
                "argument, give a fitted transformer."
            )
        refuse_unused("with images, which are one map", {"map_index": (map_index, None)})
        # Nothing says on which side the test was.
        return stat_img, tdp_img, threshold, two_sided is not False
    refuse_unused(
        "with a fitted estimator, which has them",
        {"tdp_img": (tdp_img, None), "two_sided": (two_sided, None)},
    )
    shown = shown_map(as_fitted_map(stat_img, map_index))
    images = getattr(shown, kind)
    if images is None:
        other = "plot_tdp" if kind == "surfaces" else "plot_tdp_surface"
        if shown.volumes is shown.surfaces:
            other = "plot_tdp_array"
        raise ValueError(f"The map must have {kind} to draw. Got one without: use {other} instead.")
    return *images, shown.threshold if threshold is None else threshold, shown.two_sided
