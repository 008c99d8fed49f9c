"""All-Resolutions Inference for brain imaging, as scikit-learn and nilearn estimators."""

import os as _os
import typing as _typing
from importlib import import_module as _import_module

from ari_estimator._version import __version__

if _typing.TYPE_CHECKING:
    from ari_estimator.estimators import (
        AdaptiveTDPTransformer,
        ClusterTDPTransformer,
        PermutationCalibration,
        RegionTDPTransformer,
        cluster_level_inference,
        confidence_curve,
        element_at,
        learn_template,
        set_bound,
    )
    from ari_estimator.explorer import explore
    from ari_estimator.inference import (
        ClusterExtent,
        FittedMap,
        RandomFieldExtent,
        SetBound,
        TDPForest,
    )
    from ari_estimator.interfaces import load, save
    from ari_estimator.second_level import (
        ARISecondLevelModel,
        ClusterExtentCalibration,
        FixedEffects,
        JointCalibration,
        all_resolutions_inference,
        combine_runs,
        combine_runs_by_subject,
        estimate_smoothness,
        expected_tdp,
        non_parametric_inference,
        spatio_temporal_cluster_1samp_test,
    )

__all__ = [
    "ARISecondLevelModel",
    "AdaptiveTDPTransformer",
    "ClusterExtent",
    "ClusterExtentCalibration",
    "ClusterTDPTransformer",
    "FittedMap",
    "FixedEffects",
    "JointCalibration",
    "PermutationCalibration",
    "RandomFieldExtent",
    "RegionTDPTransformer",
    "SetBound",
    "TDPForest",
    "__version__",
    "all_resolutions_inference",
    "cluster_level_inference",
    "combine_runs",
    "combine_runs_by_subject",
    "confidence_curve",
    "element_at",
    "estimate_smoothness",
    "expected_tdp",
    "explore",
    "learn_template",
    "load",
    "non_parametric_inference",
    "save",
    "set_bound",
    "spatio_temporal_cluster_1samp_test",
]

# Where public names are that are not of the estimators.
_ELSEWHERE = {
    "ARISecondLevelModel": "second_level",
    "ClusterExtent": "inference",
    "ClusterExtentCalibration": "second_level",
    "JointCalibration": "second_level",
    "FixedEffects": "second_level",
    "FittedMap": "inference",
    "RandomFieldExtent": "inference",
    "SetBound": "inference",
    "TDPForest": "inference",
    "all_resolutions_inference": "second_level",
    "combine_runs": "second_level",
    "combine_runs_by_subject": "second_level",
    "estimate_smoothness": "second_level",
    "expected_tdp": "second_level",
    "explore": "explorer",
    "load": "interfaces",
    "non_parametric_inference": "second_level",
    "save": "interfaces",
    "spatio_temporal_cluster_1samp_test": "second_level",
}

_PACKAGES = (
    "calibration", "cli", "closed_testing", "datasets", "estimators", "explorer", "graphs",
    "images", "inference", "interfaces", "plotting", "reporting", "resampling", "second_level",
)  # fmt: skip


def __getattr__(name: str) -> _typing.Any:
    """Import a public name, or a package, when it is first asked for.

    nilearn takes more than a second to import: who asks the shell for help need not wait for it,
    and who interrupts a command meets the command.
    """
    if name in _PACKAGES:
        return _import_module(f"ari_estimator.{name}")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    package = _import_module(f"ari_estimator.{_ELSEWHERE.get(name, 'estimators')}")
    value = getattr(package, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_PACKAGES})


if _os.environ.get("EAGER_IMPORT"):  # SPEC 1 of Scientific Python: find missing imports early
    for _name in sorted({*_PACKAGES, *__all__} - {"__version__"}):
        __getattr__(_name)
