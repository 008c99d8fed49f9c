"""The tables of a report, as text for the template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ari_estimator.closed_testing._rounding import proportion_text
from ari_estimator.inference import FittedMap
from ari_estimator.inference._provenance import in_short
from ari_estimator.reporting._tdp_table import get_tdp_table

_MAX_PEAKS = 3

_HEADINGS = {
    "cluster_id": "Cluster",
    "region_id": "Label",
    "region": "Region",
    "peak": "Peak",
    "tdp_threshold": "Asked TDP",
    "threshold": "Threshold",
    "direction": "Direction",
    "size_mm3": "mm³",
    "size_mm2": "mm²",
    "true_discoveries": "Active, at least",
    "true_discoveries_low": "By seed, from",
    "true_discoveries_high": "to",
    "true_discoveries_positive": "Positive, at least",
    "true_discoveries_negative": "Negative, at least",
    "bound_by": "Bound by",
    "tdp": "TDP",
    "p_fwe_cluster": "p (FWE) of cluster",
    "p_fwe_peak": "p (FWE) of peak",
    "p_value": "p, adjusted",
    "peak_stat": "Peak value",
    "peak_x": "x", "peak_y": "y", "peak_z": "z",
    "peak_hemisphere": "Hemisphere", "peak_structure": "Structure", "peak_vertex": "Vertex",
}  # fmt: skip


# What matters most comes first, because narrow screens show few columns.
_FIRST = ("cluster_id", "region_id", "region", "direction", "n_", "tdp", "true_discoveries")
_LAST = ("p_value", "size_", "threshold", "tdp_threshold")


def _priority(column: str) -> int:
    """Return the place of a column: bounds first, then peaks, then all the rest."""
    if column in _LAST:
        return 30 + _LAST.index(column)
    if column.startswith("size_"):
        return 30 + _LAST.index("size_")
    for place, start in enumerate(_FIRST):
        if column.startswith(start):
            return place
    return 20


class SetRows(NamedTuple):
    """The table of clusters or regions.

    Attributes
    ----------
    headings : list of str
        The column headings.

    rows : list of (bool, list of str)
        The rows. Each has a flag (whether it is a further peak of a set) and its cells.

    n_sets : int
        Number of clusters or regions.

    n_shown : int
        Number of clusters or regions in the rows.

    what : str
        Name of the sets: clusters or regions.

    misses_mesh : bool, default=False
        Whether there are vertices whose mesh was not given.
    """

    headings: list[str]
    rows: list[tuple[bool, list[str]]]
    n_sets: int
    n_shown: int
    what: str
    misses_mesh: bool = False


class PlainTable(NamedTuple):
    """A table of texts.

    Attributes
    ----------
    headings : list of str
        The column headings.

    rows : list of list of str
        The cells of each row.
    """

    headings: list[str]
    rows: list[list[str]]


def set_rows(fitted_map: FittedMap, max_sets: int) -> SetRows:
    """Return the table of the first clusters or regions and the rest.

    Parameters
    ----------
    fitted_map : FittedMap
        The map.

    max_sets : int
        Maximum number of sets to show.

    Returns
    -------
    rows : SetRows
        The table.
    """
    table = get_tdp_table(fitted_map, max_peaks=_MAX_PEAKS)
    table = table.drop(columns=[c for c in table if str(c).startswith("center_")])
    # Rows of further peaks carry the number of their set. The last row is the rest.
    number = (table["peak"] == 1).cumsum() - 1
    n_sets = int(number.iloc[-1])
    table = table[sorted(table.columns, key=_priority)]
    what = "regions" if "region" in table else "clusters"
    table.iloc[:, 0] = table.iloc[:, 0].astype(object).where(number < n_sets, "rest")
    rows = [
        (row["peak"] > 1, [_cell(name, row[name]) for name in table.columns])
        for row in table[(number < max_sets) | (number == n_sets)].to_dict("records")
    ]
    headings = [_HEADINGS.get(name, name.removeprefix("n_").capitalize()) for name in table.columns]
    misses_mesh = fitted_map.frame.space.misses_mesh
    return SetRows(headings, rows, n_sets, min(n_sets, max_sets), what, misses_mesh)


def _cell(name: Any, value: Any) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if name == "direction" and value == "rest":
        return ""
    if name == "tdp":
        return proportion_text(value)
    if name == "peak_stat" and abs(value) >= 0.01:
        return f"{value:.2f}"
    if name in ("peak_x", "peak_y", "peak_z"):
        return f"{value:.0f}"
    if isinstance(value, (int, np.integer)) and name.startswith(("n_", "size_", "true_")):
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def shown_rows(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return names with their values as short texts.

    Parameters
    ----------
    values : mapping of str to object
        Plain data, such as the parameters of an estimator.

    Returns
    -------
    rows : list of (str, str)
        In the same order.
    """
    return [(name, in_short(value)) for name, value in values.items()]
