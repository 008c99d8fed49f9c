"""Estimators: nilearn images in, images of the true discovery proportion out."""

from ari_estimator.estimators._adaptive_tdp import AdaptiveTDPTransformer
from ari_estimator.estimators._cluster_level_inference import cluster_level_inference
from ari_estimator.estimators._cluster_tdp import ClusterTDPTransformer
from ari_estimator.estimators._learn_template import learn_template
from ari_estimator.estimators._permutation_calibration import PermutationCalibration
from ari_estimator.estimators._region_tdp import RegionTDPTransformer
from ari_estimator.estimators._set_bound import confidence_curve, element_at, set_bound

__all__ = [
    "AdaptiveTDPTransformer",
    "ClusterTDPTransformer",
    "PermutationCalibration",
    "RegionTDPTransformer",
    "cluster_level_inference",
    "confidence_curve",
    "element_at",
    "learn_template",
    "set_bound",
]
