"""Check the stored arrays of a forest of clusters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ari_estimator.files._stored_array import stored_array

# The arguments of :class:`ari_estimator.TDPForest`, in memory and in a file.
FOREST_ARRAYS = ("elements", "starts", "parents", "is_cluster", "true_discoveries")


def forest_arrays(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the arrays of a forest after checking every number.

    Compiled loops use the numbers as indices without any check.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        The stored arrays.

    Returns
    -------
    arrays : dict of str to ndarray of shape (n_elements,)
        The arrays of :class:`ari_estimator.TDPForest`.

    Raises
    ------
    ValueError
        If they are not a forest.
    """
    n = stored_array(arrays, "elements", "i", (None,)).size
    found = {
        name: stored_array(arrays, name, "b" if name == "is_cluster" else "i", (n,))
        for name in FOREST_ARRAYS
    }
    positions = np.arange(n)
    starts, parents = found["starts"], found["parents"]
    ranges = {
        "elements": (0, n - 1),
        "starts": (0, positions),
        "parents": (-1, n - 1),
        "true_discoveries": (0, positions - starts + 1),
    }
    for name, (lowest, highest) in ranges.items():
        numbers = found[name]
        # Sizes and positions are computed in the data type of the numbers.
        if numbers.itemsize < 4 or ((numbers < lowest) | (numbers > highest)).any():
            raise ValueError(f"the array {name!r} holds numbers out of range")
    children = np.flatnonzero(parents >= 0)
    of_children = parents[children]
    # A cluster lies within its parent. The children of a cluster add up to all its elements except
    # the last one, so they do not overlap.
    sizes = positions - starts + 1
    covered = np.bincount(of_children, weights=sizes[children], minlength=n)
    is_forest = (
        (np.bincount(found["elements"], minlength=n) == 1).all()
        and (of_children > children).all()
        and (starts[of_children] <= starts[children]).all()
        and (covered == sizes - 1).all()
    )
    if not is_forest:
        raise ValueError("the arrays must be a forest of clusters, each within its parent")
    return found
