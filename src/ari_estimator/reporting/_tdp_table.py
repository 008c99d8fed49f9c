"""The table of clusters for a paper."""

from __future__ import annotations

from numbers import Integral, Real
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from scipy.sparse import coo_array

from ari_estimator._unused_options import refuse_unused
from ari_estimator.closed_testing._rounding import proportion_text, rounded_proportion
from ari_estimator.estimators._as_fitted_map import as_fitted_map
from ari_estimator.graphs import AdjacencyGraph, Graph
from ari_estimator.images._labels import Regions, read_regions
from ari_estimator.images._region_names import Names
from ari_estimator.inference import FittedMap, Statistic
from ari_estimator.inference._map_family import MapFamily
from ari_estimator.reporting._peaks import find_peaks
from ari_estimator.reporting._region_composition import (
    check_resampling_target,
    compose,
    members_of_regions,
)

# A peak is the maximum among the 26 neighbours of a voxel, as in nilearn, for clusters of any
# connectivity.
_PEAK_CONNECTIVITY: Final = 26

# As in nilearn's get_clusters_table, in mm.
_MIN_DISTANCE = 8.0

# Decimals of each column. mm3 and mm2 have none, and other numbers are counts.
_DECIMALS = {"threshold": 2, "size": 0, "tdp": 3, "peak_stat": 2, "center": 1, "peak": 1}


def get_tdp_table(
    fitted: Any,
    *,
    min_distance: float = _MIN_DISTANCE,
    max_peaks: int = 4,
    labels_img: Any = None,
    labels: Names | None = None,
    lut: pd.DataFrame | str | Path | None = None,
    background_label: int = 0,
    probability_threshold: float | None = None,
    resampling_target: Literal["data"] | None = None,
    map_index: int | None = None,
) -> pd.DataFrame:
    """Return a table of clusters for a paper, with p-values, sub-peaks and atlas regions.

    Numbers are rounded for reading. Use ``table_`` of the transformer for computations.

    Parameters
    ----------
    fitted : transformer, ARISecondLevelModel or FittedMap
        A transformer fitted to a map, a model after ``compute_contrast(output_type="tdp")``, or a
        fitted map.

    min_distance : float, default=8.0
        Minimum distance of the peaks of a cluster, in mm, as in nilearn's ``get_clusters_table``.
        On surfaces, this is the distance in space.

    max_peaks : int, default=4
        Maximum number of peaks of a cluster; 1 for no sub-peaks.

    labels_img : image or None, default=None
        Atlas regions, as for :class:`~ari_estimator.RegionTDPTransformer`.

    labels : sequence of str, dict, Series or None, default=None
        Names of the regions, by ascending label. Or a dictionary, or the index of a Series, with
        the name of each label.

    lut : pandas.DataFrame, str, Path or None, default=None
        Look-up table of regions with columns ``index`` and ``name``.

    background_label : int, default=0
        Label of voxels outside all regions.

    probability_threshold : float or None, default=None
        For an atlas of several maps: voxels whose value exceeds this threshold belong to the
        region.

    resampling_target : {"data"} or None, default=None
        With "data", an atlas on another grid is resampled to the grid of the map.

    map_index : int or None, default=None
        Number of the map, if the transformer was fitted to several.

    Returns
    -------
    table : pandas.DataFrame
        The rows of ``table_`` in the same order, with the rest of the brain last. Below each
        cluster, there is one row for each further peak, from the strongest to the weakest, in which
        only the columns of peaks are filled. Columns:

        - ``cluster_id``, or ``region_id`` and ``region``;
        - ``peak``: 1 for the main peak, 2, 3, ... for sub-peaks;
        - ``threshold`` and ``direction``, for clusters. The threshold has 2 decimals, or for maps
          of p-values and 1 - p, 2 significant digits of the p-value;
        - ``n_voxels`` (``n_vertices``, ``n_grayordinates``), ``size_mm3`` (``size_mm2``; no
          decimals);
        - ``true_discoveries`` and ``tdp`` (3 decimals, or as many as a small bound needs; rounded
          down because it is a lower bound);
        - ``true_discoveries_positive`` and ``true_discoveries_negative``, with
          ``two_sided="directional"``;
        - ``p_value`` of the hypothesis that no voxel of the cluster is active, adjusted for all
          sets at once (text, 2 significant digits). With a calibration, it is a multiple of one
          divided by the number of permutations;
        - ``p_fwe_cluster`` and ``p_fwe_peak``, with cluster extents that are calibrated by
          permutations: familywise p-values, as SPM and FSL report them (text, 2 significant
          digits);
        - ``bound_by``, with :class:`~ari_estimator.JointCalibration`: which bound is the larger
          one;
        - ``center_x``, ``center_y``, ``center_z``: centre of mass, with equal weights for voxels
          and area weights for vertices (mm, 1 decimal); empty for the rest;
        - ``peak_stat`` (as ``threshold``), ``peak_hemisphere`` or ``peak_structure`` and
          ``peak_vertex`` if there are meshes, ``peak_x``, ``peak_y``, ``peak_z`` (mm, 1 decimal);
        - with an atlas, ``peak_region``, the region at the peak, or several if regions overlap
          there; and ``composition``, the regions that the cluster overlaps. Each region is listed
          with its share of the cluster and the TDP of the piece, in descending order of the
          product of the two. Both are empty for the rest. See :func:`get_region_composition`.

        Empty cells are None. ``to_csv`` and ``to_markdown`` (which needs the package tabulate)
        leave them empty. For BIDS, call ``to_csv`` with ``na_rep="n/a"``.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the estimator was not fitted to a map.
    TypeError
        If the atlas and the map are images of different kinds.
    ValueError
        If a parameter is out of range, if the atlas is on another grid, or if there is no atlas
        although its parameters are given.

    Notes
    -----
    A peak is a voxel that is not exceeded by any neighbour in its cluster. Neighbours are the 26
    nearest voxels or, on meshes, the vertices that share an edge. Equally strong neighbours form
    one peak. Its position is the first of them along x, then y, then z (on meshes, the lowest
    number), regardless of how the file stores the axes. nilearn takes the middle one.

    Examples
    --------
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from ari_estimator import ClusterTDPTransformer
    >>> from ari_estimator.reporting import get_tdp_table
    >>> ari = ClusterTDPTransformer(cluster_threshold=100)
    >>> tdp_img = ari.fit_transform(load_sample_motor_activation_image())
    >>> table = get_tdp_table(ari, max_peaks=3)
    >>> table[["cluster_id", "peak", "n_voxels", "tdp", "p_value", "peak_stat"]]
      cluster_id peak n_voxels    tdp  p_value peak_stat
    0          1    1     2177    0.8  7.2e-14      7.94
    1          1    2     None   None     None      7.94
    2          1    3     None   None     None      7.94
    3          2    1      356  0.674  7.2e-13      7.94
    4          0    1    42915    0.0     0.36      4.26
    """
    if not isinstance(min_distance, Real) or not min_distance >= 0:
        raise ValueError(f"min_distance must be a number of mm, at least 0. Got {min_distance!r}.")
    if not isinstance(max_peaks, Integral) or max_peaks < 1:
        raise ValueError(f"max_peaks must be an integer, at least 1. Got {max_peaks!r}.")
    check_resampling_target(resampling_target)
    if labels_img is None:
        refuse_unused(
            "without a labels_img",
            {
                "labels": (labels, None),
                "lut": (lut, None),
                "background_label": (background_label, 0),
                "probability_threshold": (probability_threshold, None),
                "resampling_target": (resampling_target, None),
            },
        )
    if max_peaks == 1:
        refuse_unused(
            "with max_peaks=1, which leaves no sub-peaks",
            {"min_distance": (min_distance, _MIN_DISTANCE)},
        )
    fitted_map = as_fitted_map(fitted, map_index)
    family = fitted_map.family
    regions = None
    if labels_img is not None:
        regions = read_regions(
            fitted_map.frame,
            labels_img,
            labels=labels,
            lut=lut,
            background_label=background_label,
            probability_threshold=probability_threshold,
            resample=resampling_target == "data",
        )
    if not family.space.has_millimetres:
        refuse_unused(
            "for arrays, whose elements have no distances",
            {"min_distance": (min_distance, _MIN_DISTANCE)},
        )
    table = _with_p_values_and_centres(fitted_map)
    id_column = table.columns[0]
    table.insert(2 if id_column == "region_id" else 1, "peak", 1)
    if regions is not None:
        table["composition"] = _compositions(table[id_column], fitted_map, regions)
    # Without neighbours, nobody knows which elements are local maxima.
    max_peaks = max_peaks if family.space.has_neighbours else 1
    table = _with_sub_peaks(table, fitted_map, min_distance, max_peaks)
    if regions is not None:
        names = _region_names_at(table.pop("element"), regions, family)
        table.insert(len(table.columns) - 1, "peak_region", names)
    else:
        table = table.drop(columns="element")
    return _rounded(table, family.statistic)


def _stacked(of_partitions: list[np.ndarray]) -> np.ndarray:
    """Join values by label, the rest first, in the order of the rows of the table."""
    return np.concatenate([*(values[1:] for values in of_partitions), of_partitions[0][:1]])


def _with_p_values_and_centres(fitted_map: FittedMap) -> pd.DataFrame:
    """Return the table with more columns after the TDP."""
    family = fitted_map.family
    p_values, centres = [], []
    for sets in fitted_map.partitions:
        n_labels = sets.ids.size + 1
        of_sets = fitted_map.test.set_p_values_by_label(sets.labels, n_labels, subset=sets.members)
        p_values.append(of_sets)
        if family.space.has_millimetres:
            centres.append(family.space.centres(sets.labels, n_labels, sets.elements))
    more = pd.DataFrame({"p_value": _stacked(p_values)})
    if centres:
        # The rest surrounds the clusters, so its centre is meaningless.
        of_sets = _stacked(centres)
        of_sets[-1] = np.nan
        more[["center_x", "center_y", "center_z"]] = of_sets
    table = fitted_map.table.copy()
    at = table.columns.get_loc("tdp") + 1
    return pd.concat([table.iloc[:, :at], more, table.iloc[:, at:]], axis=1)


def _with_sub_peaks(
    table: pd.DataFrame, fitted_map: FittedMap, min_distance: float, max_peaks: int
) -> pd.DataFrame:
    """Return the table with rows for sub-peaks and a column with the elements of all peaks."""
    family = fitted_map.family
    graph: Graph = AdjacencyGraph(coo_array((family.n_tested,) * 2))
    if family.space.has_neighbours:
        graph = family.space.graph(_PEAK_CONNECTIVITY)
    rows, elements = [], []
    n_before = 0
    for sets in fitted_map.partitions:
        labels, peaks = find_peaks(
            family, sets, graph, min_distance=min_distance, max_peaks=max_peaks
        )
        rows.append(n_before + labels - 1)
        elements.append(peaks)
        n_before += sets.ids.size
    row, element = np.concatenate(rows), np.concatenate(elements)
    # Position of a peak in its set, from the number of peaks in all earlier sets.
    rank = np.arange(row.size) - np.searchsorted(row, row) + 1
    sub = rank > 1
    sub_peaks = pd.DataFrame(
        {table.columns[0]: table.iloc[row[sub], 0].to_numpy(), "peak": rank[sub]}
    )
    if "region" in table:
        sub_peaks["region"] = table["region"].to_numpy()[row[sub]]
    sub_peaks["peak_stat"] = family.stat[element[sub]]
    places = family.space.locate(element[sub]).add_prefix("peak_")
    sub_peaks = pd.concat([sub_peaks, places.reset_index(drop=True)], axis=1)
    sub_peaks["element"] = element[sub]
    main = np.full(len(table), -1)
    main[row[~sub]] = element[~sub]
    table = table.assign(element=main)
    position = np.concatenate([np.arange(len(table)), row[sub]])
    peak = np.concatenate([np.ones(len(table), dtype=np.intp), rank[sub]])
    joined = pd.concat([table.astype(object), sub_peaks.astype(object)], ignore_index=True)
    return joined.iloc[np.lexsort((peak, position))].reset_index(drop=True)


def _compositions(ids: pd.Series, fitted_map: FittedMap, regions: Regions) -> list[str]:
    """Return the composition of each set in words."""
    pieces = pd.concat([compose(fitted_map, sets, regions) for sets in fitted_map.partitions])
    texts = [
        f"{region} {share:.0%} (TDP {proportion_text(tdp, 2)})"
        for region, share, tdp in zip(pieces["region"], pieces["share"], pieces["tdp"], strict=True)
    ]
    of_sets = pd.Series(texts, dtype=object).groupby(pieces.iloc[:, 0].to_numpy()).agg("; ".join)
    return ids.map(of_sets).tolist()


def _region_names_at(elements: pd.Series, regions: Regions, family: MapFamily) -> list[str | None]:
    """Return the regions at each peak; None if there are none."""
    members = members_of_regions(regions, family)
    members = members[members["element"].isin(elements)]
    names = members["region"].map(dict(enumerate(regions.names)))
    of_elements = names.groupby(members["element"]).agg("; ".join)
    return elements.map(of_elements).tolist()


def _rounded(table: pd.DataFrame, statistic: Statistic) -> pd.DataFrame:
    """Return the table with rounded numbers, whole numbers as integers, and None for NaN."""
    table = table.copy()
    for column in table.columns:
        if column == "peak" or column.startswith(("n_", "size_", "true_discoveries")):
            cells = [None if pd.isna(cell) else round(cell) for cell in table[column]]
        elif column == "tdp":
            cells = [None if pd.isna(cell) else rounded_proportion(cell) for cell in table[column]]
        elif column in ("p_value", "p_fwe_cluster", "p_fwe_peak"):
            cells = [None if pd.isna(cell) else f"{cell:.2g}" for cell in table[column]]
        else:
            digits = next((d for name, d in _DECIMALS.items() if column.startswith(name)), None)
            if column in ("threshold", "peak_stat"):
                cells = [
                    None if pd.isna(cell) else statistic.rounded(cell) for cell in table[column]
                ]
            else:
                cells = [_rounded_cell(cell, digits) for cell in table[column]]
        table[column] = pd.Series(cells, dtype=object)
    return table


def _rounded_cell(cell: Any, digits: int | None) -> Any:
    if pd.isna(cell):
        return None
    if not isinstance(cell, float) or digits is None:
        return cell
    # Rounded twice, so that rounding errors of the affine do not decide ties.
    return round(round(float(cell), 6), digits) + 0.0  # which turns -0 into 0
