"""A masker of objects of MNE-Python, and the maps of subjects that it reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ari_estimator._unused_options import refuse_unused
from ari_estimator.images._array_masker import ArrayMasker
from ari_estimator.images._mne_frame import MneFrame
from ari_estimator.images._mne_objects import (
    bad_in_all,
    check_map,
    difference,
    form_of,
    is_mne,
    template_of,
    values_of,
    with_bad_channels,
    with_values,
    without_bad_channels,
)
from ari_estimator.images._mne_part import part_of

_WHAT = "second_level_input"


@dataclass(frozen=True, eq=False)
class MneMap:
    """The map of one subject, or of one epoch.

    Attributes
    ----------
    called : str
        Its comment or number, for messages and tables.

    like : Evoked, AverageTFR, Spectrum or SourceEstimate
        An object with its channels, times and so on.

    array : ndarray
        The values.
    """

    called: str
    like: Any
    array: np.ndarray

    def get_filename(self) -> None:
        """Return no name: the object is in memory."""

    def values(self) -> np.ndarray:
        """Return the values; NaN in channels that are bad in this subject."""
        return without_bad_channels(np.asarray(self.array, dtype=np.float64), self.like)


def are_mne(images: Any) -> bool:
    """Return whether maps of subjects are objects of MNE-Python."""
    if isinstance(images, Sequence) and not isinstance(images, str):
        return any(is_mne(one) for one in images)
    return is_mne(images)


def mne_maps(images: Any, map_: Any = None) -> list[MneMap]:
    """Return the map of each subject, or of each epoch.

    Parameters
    ----------
    images : list of Evoked, AverageTFR, Spectrum or SourceEstimate, or Epochs
        The maps.

    map_ : int, str or None, default=None
        Must be None: an object holds one map.

    Returns
    -------
    maps : list of MneMap
        The maps.

    Raises
    ------
    TypeError
        If an item is not an object of MNE-Python with one map.
    ValueError
        If objects differ in their channels, times, frequencies, vertices or subjects.
    """
    refuse_unused("for objects of MNE-Python, which hold one map", {"map": (map_, None)})
    if form_of(images) == "epochs":
        like = template_of(images)
        epochs = values_of(images)
        return [MneMap(f"epoch {number}", like, one) for number, one in enumerate(epochs)]
    if is_mne(images):
        raise TypeError(
            f"{_WHAT} must be a list with an object for each subject, or Epochs. Got one "
            f"{type(images).__name__}."
        )
    maps: list[MneMap] = []
    for number, one in enumerate(images):
        what = f"{_WHAT}[{number}]"
        if not is_mne(one):
            raise TypeError(
                "All maps of subjects must be of one kind. Got objects of MNE-Python and "
                f"{type(one).__name__} as {what}."
            )
        check_map(one, what)
        differ = difference(maps[0].like, one) if maps else None
        if differ is not None:
            raise ValueError(
                f"{what} and {_WHAT}[0] must have the same places. They differ in {differ}."
            )
        comment = getattr(one, "comment", None) or f"subject {number}"
        maps.append(MneMap(str(comment), one, values_of(one)))
    return maps


class MneMasker(ArrayMasker):
    """Masker of objects of MNE-Python.

    Parameters
    ----------
    mask_img : object of MNE-Python or None, default=None
        The mask: an object like the maps, with 0 outside. None takes all elements.

    Attributes
    ----------
    like : object of MNE-Python
        The object that results are copies of. Its bad channels are those that are bad in all maps.
    """

    without_mask = "all elements of the maps, without channels that are bad in all of them"

    def fit(self, imgs: Any = None, y: None = None) -> MneMasker:
        """Read the mask, or take the elements of the maps, see :class:`ArrayMasker`."""
        objects = {id(one.like): one.like for one in imgs}.values()
        # Not the channels that are bad in the first map only.
        bads = bad_in_all(objects)
        self.like = with_bad_channels(imgs[0].like, bads)
        mask_img = getattr(self.mask_img, "like", self.mask_img)
        of_all = part_of(self.like, None).mask
        self.mask_img_ = of_all
        self.mask_called = f"{self.without_mask}, since there is no mask"
        if mask_img is not None:
            frame = MneFrame.fit(self.mask_img, [self.like], geometry={}, verbose=0)
            self.mask_img_ = of_all & frame.mask_img
            self.mask_called = "the mask of the model, given as mask_img"
        self.n_elements_ = int(self.mask_img_.sum())
        return self

    def inverse_transform(self, X: Any) -> Any:
        """Return the values of one map as an object, 0 outside the mask."""
        return with_values(self.like, super().inverse_transform(X).values, "")
