"""The atlas regions within each cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from ari_estimator.estimators._as_fitted_map import as_fitted_map
from ari_estimator.images._labels import Regions, read_regions
from ari_estimator.images._region_names import Names
from ari_estimator.inference import FittedMap
from ari_estimator.inference._map_family import MapFamily
from ari_estimator.inference._sets import Sets


def get_region_composition(
    fitted: Any,
    labels_img: Any,
    *,
    labels: Names | None = None,
    lut: pd.DataFrame | str | Path | None = None,
    background_label: int = 0,
    probability_threshold: float | None = None,
    resampling_target: Literal["data"] | None = None,
    map_index: int | None = None,
) -> pd.DataFrame:
    """Return the atlas regions that each cluster overlaps, with the bound of each piece.

    Parameters
    ----------
    fitted : transformer, ARISecondLevelModel or FittedMap
        A transformer fitted to a map, a model after ``compute_contrast(output_type="tdp")``, or a
        fitted map.

    labels_img : image
        Regions, as for :class:`~ari_estimator.RegionTDPTransformer`.

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
    composition : pandas.DataFrame
        One row for each piece, which is the intersection of a cluster and a region. Clusters are in
        the order of the table; pieces are in descending order of ``weight`` and then of size.
        Columns: ``cluster_id`` (``region_id``, if the clusters are regions), ``region``,
        ``n_voxels`` of the piece, ``share`` of the cluster's voxels, ``true_discoveries`` and
        ``tdp`` of the piece, and ``weight``. The weight is ``share * tdp``: a lower bound on the
        share of the cluster's voxels that are active and in this region. Voxels outside all regions
        are in no piece.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the estimator was not fitted to a map.
    TypeError
        If the atlas and the map are images of different kinds.
    ValueError
        If a parameter is out of range, or the atlas is on another grid or is not an image of
        regions.

    Notes
    -----
    The bounds of all pieces and clusters hold at once.

    Examples
    --------
    >>> import numpy as np
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from nilearn.image import load_img, new_img_like
    >>> from ari_estimator import ClusterTDPTransformer
    >>> from ari_estimator.reporting import get_region_composition
    >>> z_img = load_img(load_sample_motor_activation_image())
    >>> halves = np.ones(z_img.shape, dtype=np.int32)
    >>> halves[27:] = 2
    >>> ari = ClusterTDPTransformer(cluster_threshold=100)
    >>> tdp_img = ari.fit_transform(z_img)
    >>> atlas_img = new_img_like(z_img, halves)  # x runs from right to left
    >>> pieces = get_region_composition(ari, atlas_img, labels=["right", "left"])
    >>> pieces[["cluster_id", "region", "n_voxels", "share", "tdp"]].round(2)
       cluster_id region  n_voxels  share   tdp
    0           1  right      2177    1.0  0.80
    1           2   left       356    1.0  0.67
    """
    check_resampling_target(resampling_target)
    fitted_map = as_fitted_map(fitted, map_index)
    regions = read_regions(
        fitted_map.frame,
        labels_img,
        labels=labels,
        lut=lut,
        background_label=background_label,
        probability_threshold=probability_threshold,
        resample=resampling_target == "data",
    )
    pieces = [compose(fitted_map, sets, regions) for sets in fitted_map.partitions]
    return pd.concat(pieces, ignore_index=True)


def check_resampling_target(resampling_target: Any) -> None:
    """Raise a ValueError unless a resampling target is valid."""
    if resampling_target not in (None, "data"):
        raise ValueError(f"resampling_target must be 'data' or None. Got {resampling_target!r}.")


def members_of_regions(regions: Regions, family: MapFamily) -> pd.DataFrame:
    """Return the tested elements of each region.

    Parameters
    ----------
    regions : Regions
        Regions of all elements of the mask.

    family : MapFamily
        The map.

    Returns
    -------
    members : pandas.DataFrame
        One row for each element in a region. Columns: ``element``, its number among the tested
        elements, and ``region``, which starts at 0.
    """
    tested = regions.among(family.is_tested)
    inside = tested.labels > 0
    return pd.DataFrame({"element": tested.members[inside], "region": tested.labels[inside] - 1})


def compose(fitted_map: FittedMap, sets: Sets, regions: Regions) -> pd.DataFrame:
    """Return the pieces of the sets of one partition. See get_region_composition."""
    in_sets = pd.DataFrame({"element": sets.members, "set": sets.labels.astype(np.int64)})
    in_sets = in_sets[in_sets["set"] > 0]
    both = in_sets.merge(members_of_regions(regions, fitted_map.family), on="element")
    keys = both["set"].to_numpy() * len(regions.names) + both["region"].to_numpy()
    found, piece = np.unique(keys, return_inverse=True)
    counts = np.bincount(piece, minlength=found.size)
    bounds = fitted_map.bounds.by_label(piece, found.size, subset=both["element"].to_numpy())
    set_of_piece, region_of_piece = np.divmod(found, len(regions.names))
    sizes = np.bincount(sets.labels, minlength=sets.ids.size + 1)
    composition = pd.DataFrame(
        {
            "region_id" if sets.names is not None else "cluster_id": sets.ids[set_of_piece - 1],
            "region": pd.Series([regions.names[i] for i in region_of_piece], dtype=str),
            f"n_{fitted_map.frame.space.element_name[1]}": counts,
            "share": counts / sizes[set_of_piece],
            "true_discoveries": bounds,
            "tdp": bounds / np.maximum(counts, 1),
            "weight": bounds / sizes[set_of_piece],
        }
    )
    order = np.lexsort((region_of_piece, -counts, -bounds, set_of_piece))
    return composition.iloc[order].reset_index(drop=True)
