"""Regions that a masker of nilearn brings along."""

from __future__ import annotations

from typing import Any, NamedTuple

from nilearn.maskers import (
    NiftiLabelsMasker,
    NiftiMapsMasker,
    SurfaceLabelsMasker,
    SurfaceMapsMasker,
)

from ari_estimator._unused_options import refuse_unused

_LABELS = (NiftiLabelsMasker, SurfaceLabelsMasker)
_MAPS = (NiftiMapsMasker, SurfaceMapsMasker)


class RegionSource(NamedTuple):
    """An image of regions, and what names them.

    Attributes
    ----------
    image : image
        Labels, or several maps.

    labels : sequence of str or None
        Names of the regions.

    lut : pandas.DataFrame, str, Path or None
        Look-up table of the names.

    background_label : int
        Label of what is in no region.
    """

    image: Any
    labels: Any
    lut: Any
    background_label: int


def region_source(labels_img: Any, labels: Any, lut: Any, background_label: int) -> RegionSource:
    """Return an image of regions from what a user gives, which may be a masker of nilearn.

    Parameters
    ----------
    labels_img : image, or labels or maps masker
        The regions.

    labels, lut, background_label
        What names the regions of an image. A masker brings its own.

    Returns
    -------
    source : RegionSource
        The image, and what names its regions.

    Raises
    ------
    ValueError
        If names are given beside a masker.
    """
    if not isinstance(labels_img, (*_LABELS, *_MAPS)):
        return RegionSource(labels_img, labels, lut, background_label)
    refuse_unused(
        f"with labels_img={type(labels_img).__name__}, which names its regions",
        {"labels": (labels, None), "lut": (lut, None), "background_label": (background_label, 0)},
    )
    if isinstance(labels_img, _MAPS):
        return RegionSource(labels_img.maps_img, None, None, 0)
    names = labels_img.labels
    lut = labels_img.lut
    return RegionSource(
        labels_img.labels_img,
        None if names is None or lut is not None else list(names),
        lut,
        int(labels_img.background_label),
    )
