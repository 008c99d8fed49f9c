"""Inference on one map: from its values to the bounds of sets."""

from ari_estimator.inference._cluster_extent import ClusterExtent
from ari_estimator.inference._fitted_map import FittedMap
from ari_estimator.inference._random_field_extent import RandomFieldExtent
from ari_estimator.inference._set_bound import DirectionalSetBound, SetBound
from ari_estimator.inference._statistic import (
    DEFAULT_STAT_TYPE,
    STATISTICS,
    Statistic,
    StatType,
)
from ari_estimator.inference._statistics import make_statistic, stat_type_called
from ari_estimator.inference._tdp_forest import TDPForest

# Each module adds its statistics to the table. Add a line here for a new module.
from ari_estimator.inference import _z_and_t as _z_and_t  # isort: skip
from ari_estimator.inference import _f_and_chi2 as _f_and_chi2  # isort: skip
from ari_estimator.inference import _p_value_maps as _p_value_maps  # isort: skip

__all__ = [
    "DEFAULT_STAT_TYPE",
    "STATISTICS",
    "ClusterExtent",
    "DirectionalSetBound",
    "FittedMap",
    "RandomFieldExtent",
    "SetBound",
    "StatType",
    "Statistic",
    "TDPForest",
    "make_statistic",
    "stat_type_called",
]
