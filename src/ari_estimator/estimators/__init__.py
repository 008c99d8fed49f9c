"""Estimators: nilearn images in, images of the true discovery proportion out."""

from ari_estimator.estimators._cluster_level_inference import cluster_level_inference
from ari_estimator.estimators._cluster_tdp import ClusterTDPTransformer
from ari_estimator.estimators._second_level import ARISecondLevelModel

__all__ = ["ARISecondLevelModel", "ClusterTDPTransformer", "cluster_level_inference"]
