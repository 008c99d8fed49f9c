"""Degrees of freedom of each voxel, as in FSL's ``tdof_t1``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ari_estimator.images._frame import Frame
from ari_estimator.images._kinds import check_kind


def varying_df(df: Any, frame: Frame) -> np.ndarray:
    """Return the degrees of freedom of each element of a mask.

    Parameters
    ----------
    df : image, path or ndarray of shape (n_elements,)
        The degrees of freedom.

    frame : Frame
        The mask.

    Returns
    -------
    df : ndarray of float of shape (n_elements,)
        Positive numbers; NaN or 0 where nothing was tested.

    Raises
    ------
    TypeError
        If the kind of the image differs from the kind of the mask.
    ValueError
        If it is not on the grid or mesh of the mask, has the wrong length, or is negative.
    """
    if isinstance(df, np.ndarray):
        of_elements = frame.of_array(df.astype(np.float64))
        if of_elements is None:
            raise ValueError(
                f"df must have shape ({frame.space.n_elements},), a number for each "
                f"{frame.space.element_name[0]} of the mask. Got shape {df.shape}."
            )
        values = of_elements
    else:
        check_kind(df, type(frame), "df")
        img = frame.read(df, single=True)
        frame.check(img, "df")
        values = next(frame.arrays(img)).astype(np.float64)
    if (values < 0).any():
        raise ValueError(f"df must not be negative. Got {values.min()}.")
    if not (values > 0).any():
        raise ValueError("df must be positive somewhere in the mask. Got nothing but 0 and NaN.")
    return values
