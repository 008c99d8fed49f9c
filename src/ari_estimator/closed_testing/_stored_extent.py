"""A critical extent that is stored as a part of a test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ari_estimator.closed_testing._calibrated_extent import CalibratedExtent
from ari_estimator.closed_testing._critical_extent import CriticalExtent
from ari_estimator.closed_testing._gaussian_field_extent import GaussianFieldExtent
from ari_estimator.closed_testing._known_extent import KnownExtent
from ari_estimator.files._stored_array import stored_array

# By the kind of the extent in an archive.
EXTENTS: dict[str, type[CriticalExtent]] = {
    extent.kind: extent for extent in (KnownExtent, GaussianFieldExtent, CalibratedExtent)
}

_PREFIX = "extent_"


def extent_to_arrays(extent: CriticalExtent) -> dict[str, Any]:
    """Return a critical extent and its kind as arrays.

    Parameters
    ----------
    extent : CriticalExtent
        The extent.

    Returns
    -------
    arrays : dict of str to array-like
        The arrays, whose names start with ``extent_``.
    """
    own = {f"{_PREFIX}{name}": array for name, array in extent.to_arrays().items()}
    return {**own, f"{_PREFIX}kind": extent.kind}


def extent_from_arrays(arrays: Mapping[str, np.ndarray]) -> CriticalExtent:
    """Restore a critical extent from :func:`extent_to_arrays`.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        The arrays, perhaps of an untrusted file.

    Returns
    -------
    extent : CriticalExtent
        The extent.

    Raises
    ------
    ValueError
        If arrays are missing or malformed, or the kind is unknown.
    """
    kind = stored_array(arrays, f"{_PREFIX}kind", "U").item()
    if kind not in EXTENTS:
        raise ValueError(f"the critical extent must be one of {list(EXTENTS)}. Got {kind!r}")
    parts = {k.removeprefix(_PREFIX): v for k, v in arrays.items() if k.startswith(_PREFIX)}
    return EXTENTS[kind].from_arrays(parts)
