"""What a table of results is made of and means, as the JSON file beside it."""

from __future__ import annotations

import math
import re
from numbers import Integral
from typing import Any

from ari_estimator._software import package_versions
from ari_estimator.closed_testing import CalibratedTest, Hommel
from ari_estimator.estimators import PermutationCalibration
from ari_estimator.estimators._base import BaseTDPTransformer
from ari_estimator.estimators._inference import MapInference
from ari_estimator.interfaces._saved_map import parameters_of

_COLUMNS = {
    "cluster_id": "Label of the cluster in the label image; 0 is the rest, all in no cluster.",
    "region_id": "Label of the region in the atlas; the last row is the rest, all in no region.",
    "region": "Name of the region.",
    "tdp_threshold": "TDP that was asked for.",
    "threshold": "Height that forms the cluster, on the scale of the map.",
    "direction": "Which deviations the cluster is of.",
    "n_voxels": "Number of tested voxels.",
    "n_vertices": "Number of tested vertices.",
    "n_grayordinates": "Number of tested grayordinates.",
    "size_mm3": ("Volume.", "mm^3"),
    "size_mm2": ("Area.", "mm^2"),
    "true_discoveries": "Lower bound on the number of active elements.",
    "tdp": "True discovery proportion, the lower bound as a proportion.",
    "peak_stat": "Strongest value of the map.",
    "peak_x": ("Place of the peak.", "mm"),
    "peak_y": ("Place of the peak.", "mm"),
    "peak_z": ("Place of the peak.", "mm"),
    "peak_hemisphere": "Hemisphere of the peak.",
    "peak_structure": "Structure of the peak.",
    "peak_vertex": "Vertex of the peak, from 0.",
}


def make_sidecar(
    transformer: BaseTDPTransformer,
    inference: MapInference,
    columns: list[str],
    *,
    calibration: PermutationCalibration | None,
    command: str | None,
) -> dict[str, Any]:
    """Return the sidecar of a table.

    Parameters
    ----------
    transformer : transformer
        By what sets were made.

    inference : MapInference
        What was found in the map.

    columns : list of str
        Columns of the table.

    calibration : PermutationCalibration or None
        By what bounds were calibrated, where that is known.

    command : str or None
        The command line.

    Returns
    -------
    sidecar : dict
        For JSON: keys in the notation of BIDS, and a description of each column.
    """
    family = inference.family
    statistic = family.statistic
    sidecar: dict[str, Any] = {
        "Description": (
            "Lower bounds on the true discovery proportion by All-Resolutions Inference. With "
            "probability at least 1 - Alpha, those of all sets hold at once."
        ),
        "Alpha": family.alpha,
        "Statistic": statistic.stat_type,
        "DegreesOfFreedom": list(statistic.df),
        "TwoSided": statistic.two_sided,
        "NumberTested": family.n_tested,
        "TrueDiscoveries": family.true_discoveries,
        "Transformer": type(transformer).__name__,
        "Parameters": {k: _json(value) for k, value in parameters_of(transformer).items()},
        **_test(family.test, family.alpha, calibration),
        "SoftwareVersions": dict(package_versions()),
    }
    if command is not None:
        sidecar["Command"] = command
    return sidecar | {name: _column(name) for name in columns}


def _test(test: Any, alpha: float, calibration: PermutationCalibration | None) -> dict[str, Any]:
    """Return what the bounds rest on."""
    if isinstance(test, Hommel):
        return {"HommelValue": test.value(alpha)}
    if not isinstance(test, CalibratedTest):
        return {}
    made: dict[str, Any] = {
        "Template": test.calibration.template.name,
        "Delta": test.calibration.template.delta,
        "NumberOfRanks": test.calibration.template.n_ranks,
        "NumberOfSteps": test.calibration.n_steps,
        "Lambda": _json(test.calibration.lambda_),
        "NumberOfPermutations": test.calibration.n_permutations,
    }
    if calibration is not None:
        made["Scheme"] = calibration.scheme_
        seed = calibration.random_state
        made["Seed"] = int(seed) if isinstance(seed, Integral) else None
    return made


def _json(value: Any) -> Any:
    """Return numbers that JSON does not know as text."""
    if isinstance(value, list):
        return [_json(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _column(name: str) -> dict[str, str]:
    described = _COLUMNS.get(name) or re.sub("_", " ", name).capitalize() + "."
    if isinstance(described, str):
        return {"Description": described}
    description, units = described
    return {"Description": description, "Units": units}
