"""Kinds of maps that nilearn's group model does not know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ari_estimator.images._array_frame import ArrayFrame
from ari_estimator.images._array_masker import ArrayMasker, are_arrays, array_maps
from ari_estimator.images._cifti import CiftiFrame
from ari_estimator.images._frame import Frame
from ari_estimator.images._grayordinate_maps import are_grayordinates, open_maps
from ari_estimator.images._grayordinate_masker import GrayordinateMasker
from ari_estimator.images._mne_frame import MneFrame
from ari_estimator.images._mne_masker import MneMasker, are_mne, mne_maps


class OwnKind(NamedTuple):
    """A kind of maps that nilearn's group model does not know.

    Attributes
    ----------
    frame : type of Frame
        The frame of its maps.

    are : callable
        Tells whether maps of subjects are of the kind.

    open : callable
        Returns the map of each subject, from what a user gives and the argument ``map``.

    masker : callable
        Returns a masker of these maps, from a mask.

    not_resampled, not_smoothed : str
        Why parameters for these steps would do nothing.

    has_mean_design : bool
        Whether a model without a design tests the mean.
    """

    frame: type[Frame]
    are: Callable[[Any], bool]
    open: Callable[[Any, Any], list[Any]]
    masker: Callable[[Any], Any]
    not_resampled: str
    not_smoothed: str
    has_mean_design: bool


_OWN_KINDS = (
    OwnKind(
        MneFrame,
        are_mne,
        mne_maps,
        MneMasker,
        "for objects of MNE-Python, which nilearn does not resample",
        "for objects of MNE-Python: smooth them before",
        has_mean_design=True,
    ),
    OwnKind(
        CiftiFrame,
        are_grayordinates,
        open_maps,
        GrayordinateMasker,
        "for CIFTI images, whose grayordinates have no common grid",
        "for CIFTI images: smooth them before, as wb_command -cifti-smoothing does",
        has_mean_design=False,
    ),
    OwnKind(
        ArrayFrame,
        are_arrays,
        array_maps,
        ArrayMasker,
        "for arrays, which have no grid in space",
        "for arrays, whose elements have no distances: smooth them before",
        has_mean_design=True,
    ),
)


def own_kind_of(images: Any) -> OwnKind | None:
    """Return the kind of maps of subjects that nilearn does not know; None if it knows them.

    Parameters
    ----------
    images : object
        The maps of all subjects.

    Returns
    -------
    kind : OwnKind or None
        The kind.
    """
    return next((kind for kind in _OWN_KINDS if kind.are(images)), None)
