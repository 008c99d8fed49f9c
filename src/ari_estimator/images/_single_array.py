"""An array that is one map."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class SingleArray(NamedTuple):
    """An array that is one map, without an axis of maps.

    The first axis of an array of a user is always the maps. So a map of a model, which has no such
    axis, comes in this form.

    Attributes
    ----------
    values : ndarray
        The values, in the shape of a map.
    """

    values: np.ndarray


def without_wrapping(images: Any) -> Any:
    """Return images as a user takes them: the values of arrays, and all else as it is.

    Parameters
    ----------
    images : image, SingleArray or dict of these
        The images.

    Returns
    -------
    images : image, ndarray or dict of these
        The same images.
    """
    if isinstance(images, dict):
        return {name: without_wrapping(image) for name, image in images.items()}
    return images.values if isinstance(images, SingleArray) else images
