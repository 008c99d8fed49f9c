"""A critical extent that is known at one error level, as from another program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ari_estimator.closed_testing._critical_extent import CriticalExtent
from ari_estimator.closed_testing._rational import check_alpha
from ari_estimator.files._stored_array import stored_array


class KnownExtent(CriticalExtent):
    """The smallest size that is known to be significant at one error level.

    Parameters
    ----------
    extent : int
        Clusters of at least this many elements are known to be significant, so the critical extent
        is ``extent - 1``. At least 2.

    alpha : float, default=0.05
        The familywise error level of that statement.

    Raises
    ------
    TypeError
        If the size is not an integer, or the level is not a number.
    ValueError
        If the size is below 2, or the level is not strictly between 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.closed_testing import KnownExtent
    >>> extent = KnownExtent(48)
    >>> extent.at(0.05), extent.p_values(np.array([47, 48]))
    (47, array([1.  , 0.05]))
    """

    kind = "known"
    knows_every_level = False

    def __init__(self, extent: int, alpha: float = 0.05) -> None:
        check_alpha(alpha)
        self.extent = check_extent(extent)
        self.alpha = alpha

    def __repr__(self) -> str:
        return f"KnownExtent(extent={self.extent}, alpha={self.alpha})"

    def at(self, alpha: float) -> int:
        """Return the critical extent, see :meth:`CriticalExtent.at`."""
        if check_alpha(alpha) < check_alpha(self.alpha):
            raise ValueError(
                f"alpha must be at least {self.alpha:g}, the level at which clusters of "
                f"{self.extent} elements are known to be significant. Got {alpha:g}. Take the "
                "size that is significant at the smaller level from the program."
            )
        return self.extent - 1

    def p_values(self, sizes: np.ndarray) -> np.ndarray:
        """Return the adjusted p-values of clusters: the known level, or 1."""
        return np.where(sizes >= self.extent, float(self.alpha), 1.0)

    def describe(self, alpha: float) -> dict[str, Any]:
        """Return where the extent comes from, see :meth:`CriticalExtent.describe`."""
        return {
            "sentence": (
                f"Clusters of at least {self.extent:,} elements were known to be significant at a "
                f"familywise error level of {self.alpha:g}."
            ),
            "assumption": (
                "The bounds assume what the program assumes that found the size of significant "
                "clusters, and that the noise of inactive elements does not depend on which other "
                "elements are active."
            ),
            "references": [],
            "values": {},
        }

    def to_arrays(self) -> dict[str, Any]:
        """Return the extent and its level."""
        return {"extent": self.extent, "alpha": float(self.alpha)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> KnownExtent:
        """Restore the extent, see :meth:`CriticalExtent.from_arrays`."""
        return cls(
            stored_array(arrays, "extent", "iu").item(), stored_array(arrays, "alpha", "f").item()
        )


def check_extent(extent: Any) -> int:
    """Return the smallest significant size, checked.

    Parameters
    ----------
    extent : int
        The size.

    Returns
    -------
    extent : int
        At least 2.

    Raises
    ------
    TypeError
        If it is not an integer.
    ValueError
        If it is below 2.
    """
    if not isinstance(extent, (int, np.integer)) or isinstance(extent, bool):
        raise TypeError(
            "extent must be an integer: the smallest number of voxels or vertices of a "
            f"significant cluster. Got {extent!r} of type {type(extent).__name__}."
        )
    if extent < 2:
        raise ValueError(
            "extent must be at least 2: the smallest number of voxels or vertices of a significant "
            "cluster. If single voxels were significant at this height, their own p-values would "
            f"say so: use local_test='simes' instead. Got {extent}."
        )
    return int(extent)
