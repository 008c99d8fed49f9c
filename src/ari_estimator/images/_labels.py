"""Regions: sets of elements that an image gives, with their names."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ari_estimator.images._frame import Frame
from ari_estimator.images._kinds import check_kind
from ari_estimator.images._region_maskers import region_source
from ari_estimator.images._region_names import Names, names_by_label, names_of_maps

# Label images of results hold 32 bits.
_LARGEST = np.iinfo(np.int32).max


@dataclass(frozen=True)
class Regions:
    """Sets of elements of a space, and the rest.

    Attributes
    ----------
    elements : ndarray of int of shape (n_members,), or None
        The elements, once for each region that they are in, or once where they are in
        none; None where no regions overlap, for each element once, in order.

    labels : ndarray of int of shape (n_members,)
        1, 2, ... for the regions; 0 for the rest.

    ids : ndarray of int of shape (n_regions,)
        What the image calls the regions: labels, or 1, 2, ... for its maps.

    names : list of str
        Their names.

    rest_id : int
        What the image calls the rest.
    """

    elements: np.ndarray | None
    labels: np.ndarray
    ids: np.ndarray
    names: list[str]
    rest_id: int = 0

    @property
    def members(self) -> np.ndarray:
        """The element that each label is of, an array of int of shape (n_members,)."""
        return np.arange(self.labels.size) if self.elements is None else self.elements

    @property
    def overlap(self) -> bool:
        """Whether an element may be in several of them."""
        return self.elements is not None

    def among(self, is_tested: np.ndarray) -> Regions:
        """Return the regions of some of the elements, counted among these.

        Parameters
        ----------
        is_tested : ndarray of bool of shape (n_elements,)
            The elements.

        Returns
        -------
        regions : Regions
            The same regions, possibly without members.
        """
        if is_tested.all():
            return self
        kept = is_tested[self.members]
        elements = (np.cumsum(is_tested) - 1)[self.members[kept]] if self.overlap else self.elements
        return replace(self, elements=elements, labels=self.labels[kept])

    def paint(self, values: np.ndarray, n_elements: int) -> np.ndarray:
        """Return the value that each element shows.

        Parameters
        ----------
        values : ndarray of shape (n_regions,)
            A value for each region.

        n_elements : int
            Number of elements.

        Returns
        -------
        shown : ndarray of shape (n_elements,)
            The value of the region that an element is in, the largest one where regions
            overlap; 0 in no region.
        """
        inside = self.labels > 0
        members = self.members[inside]
        shown = np.zeros(n_elements)
        shown[members] = np.nan
        # fmax takes the number where the other is NaN, as all are at first.
        np.fmax.at(shown, members, values[self.labels[inside] - 1])
        return shown

    def without_members(self) -> np.ndarray:
        """Return which regions have no element, an array of bool of shape (n_regions,)."""
        return self.counts[1:] == 0

    @cached_property
    def counts(self) -> np.ndarray:
        """Number of entries of the rest and of each region, of shape (n_regions + 1,)."""
        return np.bincount(self.labels, minlength=self.ids.size + 1)


def read_regions(
    frame: Frame,
    labels_img: Any,
    *,
    labels: Names | None = None,
    lut: pd.DataFrame | str | Path | None = None,
    background_label: int = 0,
    probability_threshold: float | None = None,
    resample: bool = False,
) -> Regions:
    """Read regions from an image of labels, or from several maps, one for each region.

    Parameters
    ----------
    frame : Frame
        The elements that there are.

    labels_img : image, masker or Regions
        A label for each element; or several maps (a 4D image, for volumes). Each of them has a
        region where it is above ``probability_threshold``. A labels or maps masker of nilearn
        stands for its image. Or regions of the frame that were read before, which are what all
        of the following would make of an image.

    labels : sequence of str, dict, Series or None, default=None
        Names of the regions, by ascending label, with or without the background. Or a mapping of
        each label, or number of a map, to its name: a dictionary, or a Series with this index.

    lut : pandas.DataFrame, str, Path or None, default=None
        Look-up table of regions, with columns ``index`` and ``name``, or a file of one. For
        several maps the index says their order.

    background_label : int, default=0
        Label of what is in no region.

    probability_threshold : float or None, default=None
        For several maps: the value that a region is above; None if they are binary.

    resample : bool, default=False
        Whether volumes on another grid are resampled, by the nearest neighbour.

    Returns
    -------
    regions : Regions
        All regions of the image, those outside of the frame included.

    Raises
    ------
    TypeError
        If the image is of another kind than the frame, or the names are in another form.
    ValueError
        If the image is on another grid, holds negative or non-integer labels or no region,
        or if the names do not fit.
    """
    if isinstance(labels_img, Regions):
        return labels_img
    labels_img, labels, lut, background_label = region_source(
        labels_img, labels, lut, background_label
    )
    if abs(background_label) > _LARGEST:
        raise ValueError(
            f"background_label must be at most {_LARGEST}, as labels are. Got {background_label}."
        )
    if labels is not None and lut is not None:
        raise ValueError("labels and lut both name the regions: give one of them. Got both.")
    check_kind(labels_img, type(frame), "labels_img")
    img = frame.read_labels(labels_img)
    if not frame.is_single(img):
        return _read_maps(
            frame, img, labels, lut, background_label, probability_threshold, resample
        )
    if probability_threshold is not None:
        raise ValueError(
            "probability_threshold is for an image of several maps, one for each region. "
            f"Got {probability_threshold!r} for an image of labels: leave it None."
        )
    ids = _labels_in(frame.all_values(img), background_label)
    lut = frame.lut_of(img) if lut is None and labels is None else lut
    names = names_by_label(ids, labels, lut, background_label)
    img = _on_grid(frame, img, resample, background_label)
    values = next(frame.arrays(img)).astype(np.int64)
    numbers = np.searchsorted(ids, values) + 1
    numbers[values == background_label] = 0
    return Regions(None, numbers, ids, names, rest_id=background_label)


def _read_maps(
    frame: Frame,
    img: Any,
    labels: Names | None,
    lut: pd.DataFrame | str | Path | None,
    background_label: int,
    probability_threshold: float | None,
    resample: bool,
) -> Regions:
    """Read regions, which may overlap, from several maps, one for each."""
    if background_label != 0:
        raise ValueError(
            "background_label is for an image of labels. Got "
            f"{background_label!r} for an image of several maps: leave it 0."
        )
    if frame.lut_of(img) is not None:
        raise ValueError(
            "labels_img must be a single map of labels. Got several, with a label table each. "
            "ari_estimator.interfaces.select_map returns one of them; in the shell, its number or "
            "name is in brackets after the file: 'parcels.dlabel.nii[0]'."
        )
    img = _on_grid(frame, img, resample)
    members = []
    for values in frame.arrays(img):
        if probability_threshold is None and np.unique(values[values != 0]).size > 1:
            raise ValueError(
                "probability_threshold must say from which value on a voxel is in a region, where "
                "labels_img has several maps that are not binary. Got None."
            )
        members.append(np.flatnonzero(values > (probability_threshold or 0)))
    is_rest = np.ones(frame.space.n_elements, dtype=bool)
    is_rest[np.concatenate(members)] = False
    members.insert(0, np.flatnonzero(is_rest))
    ids = np.arange(1, len(members))
    return Regions(
        np.concatenate(members),
        np.repeat(np.arange(len(members)), [m.size for m in members]),
        ids,
        names_of_maps(ids, labels, lut),
    )


def warn_of_regions_outside(regions: Regions, frame: Frame, name: str) -> None:
    """Warn of regions without any tested element: the TDP of nothing is NaN."""
    outside = np.flatnonzero(regions.without_members())
    if outside.size:
        element_names = frame.space.element_name[1]
        ids = ", ".join(str(regions.ids[i]) for i in outside[:10])
        more = ", ..." if outside.size > 10 else ""
        warnings.warn(
            f"{outside.size} of the {regions.ids.size} regions of {name} have no {element_names} "
            f"in the mask (labels {ids}{more}): their true discovery proportion is NaN. "
            f"Tested is {frame.mask_called}, {frame.space.n_elements} {element_names}.",
            UserWarning,
            stacklevel=2,
        )


def _on_grid(frame: Frame, img: Any, resample: bool, fill_value: int = 0) -> Any:
    if resample or frame.matches_labels:
        return frame.resample(img, "labels_img", fill_value)
    frame.check(img, "labels_img")
    return img


def _labels_in(values: np.ndarray, background_label: int) -> np.ndarray:
    """Return the labels of an image in ascending order, without the background."""
    found = np.unique(values)
    if found.dtype.kind not in "iufb" or not np.isfinite(found).all():
        raise ValueError("labels_img must hold integers. Got NaN, infinite or complex values.")
    found = found[found != background_label]
    if (found != np.round(found)).any():
        wrong = found[found != np.round(found)][0]
        raise ValueError(
            f"labels_img must hold integers. Got {wrong}. If it was resampled: labels need "
            "interpolation='nearest'."
        )
    if (found < 0).any():
        raise ValueError(
            f"labels_img must not hold negative labels, but for background_label. Got {found[0]}."
        )
    if (found > _LARGEST).any():
        raise ValueError(f"labels_img must hold labels up to {_LARGEST}. Got {found[-1]}.")
    if found.size == 0:
        raise ValueError(
            "labels_img must hold at least one region. Got nothing but the background, "
            f"{background_label}."
        )
    return found.astype(np.int64)
