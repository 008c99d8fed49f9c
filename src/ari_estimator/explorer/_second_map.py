"""A second map in the page, to be seen beside the tested one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ari_estimator.images._kinds import check_kind
from ari_estimator.inference import FittedMap


@dataclass(frozen=True)
class SecondMap:
    """Values of another map where the first one is tested.

    Attributes
    ----------
    name : str
        What the page calls it.

    values : ndarray of shape (n_tested,)
        Its values.
    """

    name: str
    values: np.ndarray


def read_second_map(fitted_map: FittedMap, second_map: Any, name: str) -> SecondMap:
    """Return the values of another map of the same space.

    Parameters
    ----------
    fitted_map : FittedMap
        The tested map.

    second_map : image or path
        It must be of the same kind, on the same grid, mesh or grayordinates.

    name : str
        What the page calls it.

    Returns
    -------
    second : SecondMap
        Its values where the first map is tested.

    Raises
    ------
    TypeError
        If it is of another kind.
    ValueError
        If it lies elsewhere, holds several maps, or has no finite value where the map is tested.
    """
    frame = fitted_map.frame
    check_kind(second_map, type(frame), "second_map")
    img = frame.read(second_map, single=True)
    frame.check(img, "second_map")
    values = np.asarray(next(iter(frame.arrays(img))))[fitted_map.family.is_tested]
    if values.dtype.kind not in "biuf" or not np.isfinite(values).any():
        raise ValueError(
            "second_map must have numbers where the map is tested. "
            f"Got {values.dtype} without a finite value there."
        )
    return SecondMap(name, values.astype(np.float64))
