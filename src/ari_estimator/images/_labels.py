"""Regions: sets of elements that an image gives, with their names."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from nibabel import Nifti1Image
from nilearn.maskers import NiftiLabelsMasker

from ari_estimator.images._frame import Frame
from ari_estimator.images._kinds import kind_of


@dataclass(frozen=True)
class Regions:
    """Sets of elements of a space, and the rest.

    Attributes
    ----------
    elements : ndarray of int of shape (n_members,), or slice
        The elements, once for each region that they are in, or once where they are in
        none; ``slice(None)`` where no regions overlap.

    labels : ndarray of int of shape (n_members,)
        1, 2, ... for the regions; 0 for the rest.

    ids : ndarray of int of shape (n_regions,)
        What the image calls the regions: labels, or 1, 2, ... for its maps.

    names : list of str
        Their names.
    """

    elements: np.ndarray | slice
    labels: np.ndarray
    ids: np.ndarray
    names: list[str]

    def without_members(self) -> np.ndarray:
        """Return which regions have no element, an array of bool of shape (n_regions,)."""
        return np.bincount(self.labels, minlength=self.ids.size + 1)[1:] == 0


def read_regions(
    frame: Frame,
    labels_img: Any,
    *,
    labels: Sequence[str] | None = None,
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

    labels_img : image
        A label for each element; or several maps (a 4D image, for volumes), each of which
        has a region where it is above ``probability_threshold``.

    labels : sequence of str or None, default=None
        Names of the regions, by ascending label, with or without the background.

    lut : pandas.DataFrame, str, Path or None, default=None
        Look-up table of regions, with columns ``index`` and ``name``, or a file of one.

    background_label : int, default=0
        Label of what is in no region.

    probability_threshold : float or None, default=None
        For several maps: the value that a region is above; 0 if None.

    resample : bool, default=False
        Whether volumes on another grid are resampled, by the nearest neighbour.

    Returns
    -------
    regions : Regions
        All regions of the image, those outside of the frame included.

    Raises
    ------
    TypeError
        If the image is of another kind than the frame.
    ValueError
        If the image is on another grid, holds negative or non-integer labels or no region,
        or if the names do not fit.
    """
    if labels is not None and lut is not None:
        raise ValueError("labels and lut both name the regions: give one of them. Got both.")
    kind = kind_of(labels_img)
    if not isinstance(frame, kind):
        raise TypeError(
            f"labels_img must be of the same kind as the maps and the mask. Got a {kind.kind} "
            f"image ({type(labels_img).__name__}), and a {frame.kind} mask."
        )
    img = kind.read(labels_img, single=False)
    if kind.is_single(img):
        if probability_threshold is not None:
            raise ValueError(
                "probability_threshold is for an image of several maps, one for each region. "
                f"Got {probability_threshold!r} for an image of labels: leave it None."
            )
        ids = _labels_in(frame.all_values(img), background_label)
        lut = frame.lut_of(img) if lut is None and labels is None else lut
        names = _names_by_label(ids, labels, lut, background_label)
        img = _on_grid(frame, img, resample)
        values = next(frame.arrays(img)).astype(np.int64)
        numbers = np.searchsorted(ids, values) + 1
        numbers[values == background_label] = 0
        return Regions(slice(None), numbers, ids, names)
    if background_label != 0:
        raise ValueError(
            "background_label is for an image of labels. Got "
            f"{background_label!r} for an image of several maps: leave it 0."
        )
    img = _on_grid(frame, img, resample)
    level = 0.0 if probability_threshold is None else probability_threshold
    members = [np.flatnonzero(values > level) for values in frame.arrays(img)]
    is_rest = np.ones(frame.n_elements, dtype=bool)
    is_rest[np.concatenate(members)] = False
    members.insert(0, np.flatnonzero(is_rest))
    return Regions(
        np.concatenate(members),
        np.repeat(np.arange(len(members)), [m.size for m in members]),
        np.arange(1, len(members)),
        _names_in_order(len(members) - 1, labels, lut),
    )


def warn_of_regions_outside(regions: Regions, element_names: str, name: str) -> None:
    """Warn of regions without any tested element: the TDP of nothing is NaN."""
    outside = np.flatnonzero(regions.without_members())
    if outside.size:
        ids = ", ".join(str(regions.ids[i]) for i in outside[:10])
        more = ", ..." if outside.size > 10 else ""
        warnings.warn(
            f"{outside.size} of the {regions.ids.size} regions of {name} have no {element_names} "
            f"in the mask (labels {ids}{more}): their true discovery proportion is NaN.",
            UserWarning,
            stacklevel=2,
        )


def _on_grid(frame: Frame, img: Any, resample: bool) -> Any:
    if resample:
        img = frame.resample(img, "labels_img")
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
    if found.size == 0:
        raise ValueError(
            "labels_img must hold at least one region. Got nothing but the background, "
            f"{background_label}."
        )
    return found.astype(np.int64)


def _names_by_label(
    ids: np.ndarray,
    labels: Sequence[str] | None,
    lut: pd.DataFrame | str | Path | None,
    background_label: int,
) -> list[str]:
    """Return the name of each label, by the conventions of nilearn's label maskers."""
    if labels is None and lut is None:
        return [str(label) for label in ids]
    if labels is not None:
        labels = [str(name) for name in labels]
        if len(labels) == ids.size + 1 and labels[0].lower() == "background":
            labels = labels[1:]
        if len(labels) != ids.size:
            raise ValueError(
                f"labels must have a name for each of the {ids.size} regions of labels_img. "
                f"Got {len(labels)} names."
            )
    # A masker of an image of nothing but the labels reads names as a masker of the image does.
    present = np.r_[background_label, ids].astype(np.int32)
    masker = NiftiLabelsMasker(
        Nifti1Image(present.reshape(-1, 1, 1), np.eye(4)),
        labels=labels,
        lut=lut,
        background_label=background_label,
        standardize=None,
        reports=False,
    )
    table = masker.fit().lut_.set_index("index")["name"]
    names = [str(table[label]) for label in ids]
    unnamed = [str(label) for label, name in zip(ids, names, strict=True) if name == "unknown"]
    if unnamed and labels is None:
        raise ValueError(f"lut must name all regions of labels_img. Got none for {unnamed}.")
    return _unique(names, ids)


def _names_in_order(
    n_regions: int, labels: Sequence[str] | None, lut: pd.DataFrame | str | Path | None
) -> list[str]:
    """Return the name of each map."""
    if lut is not None:
        is_file = isinstance(lut, (str, Path))
        table: Any = pd.read_table(lut, sep=None, engine="python") if is_file else lut
        labels = table["name"].tolist()
    if labels is None:
        return [str(i + 1) for i in range(n_regions)]
    names = [str(name) for name in labels]
    if len(names) == n_regions + 1 and names[0].lower() == "background":
        names = names[1:]
    if len(names) != n_regions:
        raise ValueError(
            f"labels, or lut, must have a name for each of the {n_regions} maps of labels_img. "
            f"Got {len(names)} names."
        )
    return _unique(names, range(1, n_regions + 1))


def _unique(names: list[str], ids: Iterable[int]) -> list[str]:
    """Return names with the label appended where one is there more than once."""
    counts = Counter(names)
    return [
        f"{name} {label}" if counts[name] > 1 else name
        for name, label in zip(names, ids, strict=True)
    ]
