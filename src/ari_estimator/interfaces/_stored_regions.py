"""Store regions, which are sets of elements with names, in a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ari_estimator.files._stored_array import stored_array
from ari_estimator.images._labels import Regions

# Label images have 32 bits.
_LARGEST = np.iinfo(np.int32).max


def regions_to_arrays(regions: Regions) -> dict[str, Any]:
    """Return arrays from which regions can be restored.

    Parameters
    ----------
    regions : Regions
        The regions.

    Returns
    -------
    arrays : dict
        Arrays and numbers, by name.
    """
    arrays = {
        "labels": regions.labels,
        "ids": regions.ids,
        "names": np.array(regions.names, dtype=np.str_),
        "rest_id": int(regions.rest_id),
    }
    return arrays | ({"elements": regions.elements} if regions.overlap else {})


def regions_from_arrays(arrays: Mapping[str, np.ndarray], n_elements: int) -> Regions:
    """Return the regions that :func:`regions_to_arrays` described.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        The stored arrays.

    n_elements : int
        Number of elements of the mask.

    Returns
    -------
    regions : Regions
        The regions.

    Raises
    ------
    ValueError
        If the arrays are not regions of this number of elements.
    """
    overlap = "elements" in arrays
    labels = stored_array(arrays, "labels", "i", (None if overlap else n_elements,))
    ids = stored_array(arrays, "ids", "i", (None,))
    names = stored_array(arrays, "names", "U", ids.shape).tolist()
    rest_id = stored_array(arrays, "rest_id", "i").item()
    _check_range("labels", labels, ids.size)
    _check_range("ids", ids, _LARGEST)
    if ids.size == 0 or (np.diff(ids) <= 0).any() or rest_id in ids:
        raise ValueError("the ids of regions must ascend and must not include the id of the rest")
    if len(set(names)) < len(names):
        raise ValueError("the names of regions must differ")
    if not -_LARGEST <= rest_id <= _LARGEST:
        raise ValueError(f"the id of the rest must have 32 bits. Got {rest_id}.")
    if not overlap:
        return Regions(None, labels, ids, names, rest_id)
    elements = stored_array(arrays, "elements", "i", labels.shape)
    _check_range("elements", elements, n_elements - 1)
    # The rest is all elements outside the regions.
    counts = np.bincount(elements, minlength=n_elements)
    in_order = np.lexsort((labels, elements))
    is_twice = (np.diff(elements[in_order]) == 0) & (np.diff(labels[in_order]) == 0)
    if not counts.all() or (counts[elements[labels == 0]] > 1).any() or is_twice.any():
        raise ValueError("each element must occur once in each of its regions, or once in the rest")
    return Regions(elements, labels, ids, names, rest_id)


def _check_range(name: str, numbers: np.ndarray, highest: int) -> None:
    if numbers.size and (numbers.min() < 0 or numbers.max() > highest):
        raise ValueError(
            f"{name} of regions must be numbers from 0 to {highest}. "
            f"Got {numbers.min()} to {numbers.max()}."
        )
