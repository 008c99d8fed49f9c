"""All-Resolutions Inference for brain imaging, as scikit-learn and nilearn estimators."""

from typing import Any as _Any

from ari_estimator._version import __version__
from ari_estimator.estimators import (
    AdaptiveTDPTransformer,
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
    RegionTDPTransformer,
    SetBound,
    TDPForest,
    cluster_level_inference,
    confidence_curve,
    element_at,
    learn_template,
    set_bound,
)
from ari_estimator.estimators._report_hook import set_report_maker as _set_report_maker
from ari_estimator.explorer import explore
from ari_estimator.interfaces import load, save

__all__ = [
    "ARISecondLevelModel",
    "AdaptiveTDPTransformer",
    "ClusterTDPTransformer",
    "PermutationCalibration",
    "RegionTDPTransformer",
    "SetBound",
    "TDPForest",
    "__version__",
    "cluster_level_inference",
    "confidence_curve",
    "element_at",
    "explore",
    "learn_template",
    "load",
    "save",
    "set_bound",
]


def _make_report(fitted: _Any, **options: _Any) -> _Any:
    # Imported when it is needed: figures take their time.
    from ari_estimator.reporting import make_report

    return make_report(fitted, **options)


_set_report_maker(_make_report)
