"""Inference on one map: from its values to the bounds of sets, and all that can be asked then."""

from ari_estimator.inference._fitted_map import FittedMap
from ari_estimator.inference._set_bound import SetBound
from ari_estimator.inference._statistic import Statistic
from ari_estimator.inference._statistics import (
    DEFAULT_STAT_TYPE,
    STATISTICS,
    StatType,
    make_statistic,
    stat_type_called,
)
from ari_estimator.inference._tdp_forest import TDPForest

__all__ = [
    "DEFAULT_STAT_TYPE",
    "STATISTICS",
    "FittedMap",
    "SetBound",
    "StatType",
    "Statistic",
    "TDPForest",
    "make_statistic",
    "stat_type_called",
]
