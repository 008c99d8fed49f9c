"""A test that is stored as a part of another one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ari_estimator.closed_testing._calibrated_test import CalibratedTest
from ari_estimator.closed_testing._hommel import Hommel
from ari_estimator.closed_testing._simultaneous_test import SimultaneousTest
from ari_estimator.files._stored_array import stored_array

_OF_CRITICAL_VECTORS: tuple[type[SimultaneousTest], ...] = (Hommel, CalibratedTest)


def arrays_of(test: SimultaneousTest, name: str) -> dict[str, Any]:
    """Return a test and its kind as arrays whose names start with another name.

    Parameters
    ----------
    test : SimultaneousTest
        The test.

    name : str
        How the names start.

    Returns
    -------
    arrays : dict of str to array-like
        The arrays.
    """
    prefixed = {f"{name}_{own}": array for own, array in test.to_arrays().items()}
    return {**prefixed, f"{name}_kind": test.kind}


def restored_test(
    arrays: Mapping[str, np.ndarray],
    name: str,
    p_values: np.ndarray,
    kinds: Iterable[type[SimultaneousTest]] = _OF_CRITICAL_VECTORS,
) -> Any:
    """Restore a test from :func:`arrays_of`.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        The arrays, perhaps of an untrusted file.

    name : str
        How the names start.

    p_values : ndarray of shape (n_elements,)
        P-values of the test.

    kinds : iterable of type of SimultaneousTest, optional
        Classes that the test may have. By default those with a critical vector.

    Returns
    -------
    test : SimultaneousTest
        The test.

    Raises
    ------
    ValueError
        If arrays are missing or malformed, or the kind is unknown.
    """
    kind = stored_array(arrays, f"{name}_kind", "U").item()
    by_kind = {one.kind: one for one in kinds}
    if kind not in by_kind:
        raise ValueError(f"the test {name!r} must be one of {list(by_kind)}. Got {kind!r}")
    prefix = f"{name}_"
    parts = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
    return by_kind[kind].from_arrays(parts, p_values)
