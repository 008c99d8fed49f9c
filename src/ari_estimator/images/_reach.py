"""Which distances in mm are at most a given one, in spite of rounding."""

from __future__ import annotations

# Affines and meshes of files are often in single precision. Within 100 mm of the origin, it places
# an element to 0.00001 mm. The page of the explorer has the same number, in geometry.js.
_ROUNDING = 1e-5


def reach_of(radius: float) -> float:
    """Return the largest distance that counts as at most a radius.

    Parameters
    ----------
    radius : float
        The radius, in mm.

    Returns
    -------
    reach : float
        A distance that is larger by no more than rounding, in mm: elements that lie at the radius
        are all within reach, or rounding would choose among them.
    """
    return radius + _ROUNDING * max(radius, 1.0)
