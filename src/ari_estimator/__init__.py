"""All-Resolutions Inference for brain imaging, as scikit-learn and nilearn estimators."""

from ari_estimator.estimators import (
    ARISecondLevelModel,
    ClusterTDPTransformer,
    cluster_level_inference,
)

__version__ = "0.1.0"

__all__ = [
    "ARISecondLevelModel",
    "ClusterTDPTransformer",
    "__version__",
    "cluster_level_inference",
]
