"""The JSON sidecar of a table: how the table was made, and what its columns mean."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from ari_estimator._software import package_versions

_COLUMNS = {
    "cluster_id": "Label of the cluster in the label image; 0 is the rest, outside all clusters.",
    "region_id": "Label of the region in the atlas; the last row is the rest, outside all regions.",
    "region": "Name of the region; behind an apostrophe, if a spreadsheet would compute it.",
    "tdp_threshold": "Requested TDP.",
    "threshold": "Cluster-forming threshold, on the scale of the map.",
    "direction": "Direction of the effect in the cluster: positive, negative, both or unsigned.",
    "n_voxels": "Number of tested voxels.",
    "n_vertices": "Number of tested vertices.",
    "n_grayordinates": "Number of tested grayordinates.",
    "size_mm3": ("Volume.", "mm^3"),
    "size_mm2": ("Area.", "mm^2"),
    "true_discoveries": "Lower bound on the number of active elements.",
    "true_discoveries_low": "The bound at the lower end of the 95 % Monte Carlo interval.",
    "true_discoveries_high": "The bound at the upper end of the 95 % Monte Carlo interval.",
    "true_discoveries_positive": "Lower bound on the number of elements with a positive effect.",
    "true_discoveries_negative": "Lower bound on the number of elements with a negative effect.",
    "bound_by": "Which of the bounds is the largest one of the set; none if it is 0.",
    "p_fwe_cluster": "Familywise p-value of the largest supra-threshold cluster, by its size.",
    "p_fwe_peak": "Familywise p-value of the strongest element.",
    "tdp": "True discovery proportion: the lower bound as a proportion.",
    "peak_stat": "Strongest value of the map.",
    "peak_x": ("Coordinate of the peak.", "mm"),
    "peak_y": ("Coordinate of the peak.", "mm"),
    "peak_z": ("Coordinate of the peak.", "mm"),
    "peak_hemisphere": "Hemisphere of the peak.",
    "peak_structure": "Structure of the peak.",
    "peak_vertex": "Vertex of the peak, from 0.",
}


def make_sidecar(
    description: Mapping[str, Any],
    columns: list[str],
    command: str | None,
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the sidecar of a table.

    Parameters
    ----------
    description : mapping
        The result of :meth:`~ari_estimator.FittedMap.describe`.

    columns : list of str
        Columns of the table.

    command : str or None
        The command line.

    extra : mapping or None, default=None
        Further entries.

    Returns
    -------
    sidecar : dict
        Content of the JSON file: keys in BIDS notation, and a description of each column.
    """
    statistic, family = description["statistic"], description["family"]
    sidecar: dict[str, Any] = {
        "Description": (
            "Lower bounds on the true discovery proportion by All-Resolutions Inference. The "
            "bounds of all sets hold at once, with probability at least 1 - Alpha."
        ),
        "Alpha": family["alpha"],
        "Statistic": statistic["stat_type"],
        "DegreesOfFreedom": statistic["df"],
        "StatisticSource": statistic["said_by"],
        "TwoSided": statistic["two_sided"],
        "NumberTested": family["n_tested"],
        "TrueDiscoveries": family["true_discoveries"],
        "Test": description["test"]["name"],
        **described_test(description["test"]),
        "Sets": description["sets"]["kind"],
        "Transformer": description["estimator"],
        "Parameters": {k: _json(value) for k, value in description["parameters"].items()},
        "SoftwareVersions": dict(package_versions()),
    }
    if description["contrast"] is not None:
        sidecar["Contrast"] = description["contrast"]
    if command is not None:
        sidecar["Command"] = command
    return sidecar | dict(extra or {}) | {name: _column(name) for name in columns}


def described_test(test: Mapping[str, Any]) -> dict[str, Any]:
    """Return the known basis of the bounds of a test, for JSON."""
    return {name: _json(value) for name, value in test["values"].items() if value is not None}


def _json(value: Any) -> Any:
    """Return numbers that JSON cannot represent as text."""
    if isinstance(value, list):
        return [_json(item) for item in value]
    if isinstance(value, dict):
        return {name: _json(item) for name, item in value.items()}
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _column(name: str) -> dict[str, str]:
    described = _COLUMNS.get(name) or re.sub("_", " ", name).capitalize() + "."
    if isinstance(described, str):
        return {"Description": described}
    description, units = described
    return {"Description": description, "Units": units}
