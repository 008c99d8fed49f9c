"""Group models: from the maps of subjects or runs to contrasts and their TDPs."""

from ari_estimator.second_level._all_resolutions_inference import all_resolutions_inference
from ari_estimator.second_level._ari_second_level_model import ARISecondLevelModel
from ari_estimator.second_level._cluster_extent_calibration import ClusterExtentCalibration
from ari_estimator.second_level._combine_runs import FixedEffects, combine_runs
from ari_estimator.second_level._combine_runs_by_subject import combine_runs_by_subject
from ari_estimator.second_level._estimate_smoothness import estimate_smoothness
from ari_estimator.second_level._expected_tdp import expected_tdp
from ari_estimator.second_level._joint_calibration import JointCalibration
from ari_estimator.second_level._non_parametric_inference import non_parametric_inference
from ari_estimator.second_level._spatio_temporal_cluster_1samp_test import (
    ClusterTest,
    spatio_temporal_cluster_1samp_test,
)

__all__ = [
    "ARISecondLevelModel",
    "ClusterExtentCalibration",
    "ClusterTest",
    "FixedEffects",
    "JointCalibration",
    "all_resolutions_inference",
    "combine_runs",
    "combine_runs_by_subject",
    "estimate_smoothness",
    "expected_tdp",
    "non_parametric_inference",
    "spatio_temporal_cluster_1samp_test",
]
