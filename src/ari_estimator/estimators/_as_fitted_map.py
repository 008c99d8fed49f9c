"""Turn an estimator or a fitted map into a fitted map."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from ari_estimator._unused_options import refuse_unused
from ari_estimator.estimators._subject_calibration import SubjectCalibration
from ari_estimator.inference import FittedMap, TDPForest


def as_fitted_map(fitted: Any, map_index: int | None = None) -> FittedMap:
    """Return the fitted map of an estimator, or the fitted map that was given.

    Every public function that asks about a map calls this first. The functions behind it only need
    to know fitted maps.

    Parameters
    ----------
    fitted : transformer, ARISecondLevelModel or FittedMap
        Fitted to a map.

    map_index : int or None, default=None
        Number of the map; None if there is only one.

    Returns
    -------
    fitted_map : FittedMap
        The fitted map.

    Raises
    ------
    TypeError
        If ``fitted`` is none of these.
    sklearn.exceptions.NotFittedError
        If it was not fitted to a map.
    ValueError
        If ``map_index`` is not the number of a map.
    """
    if isinstance(fitted, FittedMap):
        refuse_unused("with a FittedMap, which is one map", {"map_index": (map_index, None)})
        return fitted
    if isinstance(fitted, TDPForest):
        raise TypeError(
            "fitted must know where its elements are. Got a TDPForest, which does not: give "
            "maps_.with_tdp(tdp) or maps_.with_clusters(clusters) of the transformer instead."
        )
    if isinstance(fitted, SubjectCalibration):
        raise TypeError(
            f"fitted must be a map here. Got a {type(fitted).__name__}, which has none: pass the "
            "model, or the transformer that was fitted with it. Its map keeps the calibrated test."
        )
    if not isinstance(fitted, BaseEstimator) or not hasattr(type(fitted), "_seen_no_map"):
        raise TypeError(
            "fitted must be a fitted transformer, an ARISecondLevelModel or a FittedMap. "
            f"Got {type(fitted).__name__}."
        )
    maps = getattr(fitted, "maps_", None)
    if maps is None:
        raise NotFittedError(fitted._seen_no_map)
    if isinstance(maps, FittedMap):
        maps = [maps]
    if map_index is None and len(maps) > 1:
        raise ValueError(
            f"map_index must be the number of one of the {len(maps)} maps, from 0 to "
            f"{len(maps) - 1}. Got None."
        )
    index = 0 if map_index is None else map_index
    if not isinstance(index, Integral) or not 0 <= index < len(maps):
        raise ValueError(
            f"map_index must be an integer from 0 to {len(maps) - 1}. Got {map_index!r}."
        )
    return maps[int(index)]
