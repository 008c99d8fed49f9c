"""Any set of elements that a user may name: a mask, a sphere, a list."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np

from ari_estimator.images._frame import Frame, check_binary
from ari_estimator.images._kinds import check_kind

# In millimetres. Squares of what is far larger are no floats.
_LARGEST = 1e100


def select_elements(
    frame: Frame,
    *,
    mask_img: Any = None,
    seed: Sequence[float] | None = None,
    radius: float | None = None,
    indices: Any = None,
) -> np.ndarray:
    """Return which elements are in a set that is given in one of three ways.

    Parameters
    ----------
    frame : Frame
        The elements there are.

    mask_img : image or None
        A binary image. What is outside of the mask of the frame is left out.

    seed : sequence of 3 float, or None
        Centre of a sphere, in mm.

    radius : float or None
        Its radius, in mm.

    indices : array-like, dict or None
        Elements, see :meth:`Frame.at`.

    Returns
    -------
    selected : ndarray of bool of shape (n_elements,)
        The set.

    Raises
    ------
    TypeError
        If the mask is an image of another kind.
    ValueError
        If not exactly one set is given, or one that is malformed.
    """
    is_sphere = seed is not None or radius is not None
    n_given = (mask_img is not None) + is_sphere + (indices is not None)
    if n_given != 1:
        raise ValueError(
            "A set must be given in one way: as mask_img, as seed and radius, or as indices. "
            f"Got {n_given} of them."
        )
    if indices is not None:
        return frame.at(indices)
    if is_sphere:
        return _in_sphere(frame.space.coordinates(), seed, radius)
    check_kind(mask_img, type(frame), "mask_img")
    img = frame.read(mask_img, single=True)
    frame.check(img, "mask_img of the set")
    check_binary(frame.all_values(img))
    return np.nan_to_num(next(frame.arrays(img))) != 0


def _in_sphere(
    coordinates: np.ndarray, seed: Sequence[float] | None, radius: float | None
) -> np.ndarray:
    """Return which coordinates are at most a radius away from a seed."""
    if seed is None or radius is None:
        raise ValueError(f"A sphere needs a seed and a radius. Got seed={seed}, radius={radius}.")
    centre = np.asarray(seed, dtype=object)
    if centre.shape != (3,) or not all(map(_is_length, centre)):
        raise ValueError(f"seed must be three coordinates in mm. Got {seed!r}.")
    if not _is_length(radius) or radius < 0:
        raise ValueError(f"radius must be a number of mm, at least 0. Got {radius!r}.")
    return ((coordinates - centre.astype(np.float64)) ** 2).sum(axis=1) <= radius**2


def _is_length(value: Any) -> bool:
    # The type of abs() of a Real is not known to be comparable.
    return isinstance(value, Real) and bool(abs(value) <= _LARGEST)  # type: ignore[operator]
