"""What a report or a text is on: a fitted map, or a fitted calibration."""

from __future__ import annotations

from numbers import Integral
from typing import Any, Final

from sklearn.utils.validation import check_is_fitted

from ari_estimator._unused_options import refuse_unused
from ari_estimator.estimators import PermutationCalibration
from ari_estimator.estimators._as_fitted_map import as_fitted_map
from ari_estimator.inference import FittedMap

MAX_SETS: Final = 50


def reported(
    fitted: Any, map_index: int | None, max_sets: int
) -> FittedMap | PermutationCalibration:
    """Return the map or the calibration to report, after a check of the options.

    Parameters
    ----------
    fitted : transformer, ARISecondLevelModel, FittedMap or PermutationCalibration
        Fitted.

    map_index : int or None
        Number of the map, if there are several.

    max_sets : int
        Maximum number of clusters or regions.

    Returns
    -------
    reported : FittedMap or PermutationCalibration
        The map, or the calibration itself.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    TypeError
        If ``fitted`` has another type.
    ValueError
        If ``map_index`` is not the number of a map, or ``max_sets`` is not an integer of at least
        1, or one of them is given for a calibration.
    """
    if not isinstance(max_sets, Integral) or max_sets < 1:
        raise ValueError(f"max_sets must be an integer, at least 1. Got {max_sets!r}.")
    if not isinstance(fitted, PermutationCalibration):
        return as_fitted_map(fitted, map_index)
    check_is_fitted(fitted)
    refuse_unused(
        "for a calibration, which has no maps and no clusters",
        {"map_index": (map_index, None), "max_sets": (max_sets, MAX_SETS)},
    )
    if fitted.sides_ is not None:
        raise ValueError(
            "fitted must be one calibration. Got a calibration with two_sided='directional', which "
            "has one for each sign: pass its sides_['positive'] or sides_['negative'], or the map."
        )
    return fitted
