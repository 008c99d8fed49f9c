"""One map of a volume or surface that has several."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from nibabel.spatialimages import SpatialImage
from nilearn.surface import PolyData, SurfaceImage

from ari_estimator.images._file_volumes import one_volume
from ari_estimator.images._reading_errors import name_of_image


def check_number(map_: Any) -> int | None:
    """Refuse what is not the number of a map.

    Parameters
    ----------
    map_ : object
        The number of a map; None for no choice.

    Returns
    -------
    map_ : int or None
        The same.

    Raises
    ------
    TypeError
        If it is neither.
    """
    if isinstance(map_, str):
        raise TypeError(
            f"map must be a number for volumes and surfaces, whose maps have no names. Got {map_!r}"
            ". Count from 0."
        )
    if isinstance(map_, bool) or not isinstance(map_, (Integral, type(None))):
        raise TypeError(f"map must be a name, a number or None. Got {type(map_).__name__}.")
    return None if map_ is None else int(map_)


def chosen_map(
    given: Any, img: Any, map_: int | None, what: str, *, ways: str, called: str | None = None
) -> Any:
    """Return the map of a subject, in a volume or surface that may have several.

    Parameters
    ----------
    given : image, path, or anything else
        The map of a subject, as it was given.

    img : image or anything else
        The image, whose data may still be in its file.

    map_ : int or None
        The number of the map, from 0. None if there must be only one.

    what : str
        What has the images, for messages.

    ways : str
        How to choose a map, for messages.

    called : str or None, default=None
        The name of the image, for messages; None for the name of its file.

    Returns
    -------
    image : image, path, or anything else
        The same without a choice; otherwise an image of the chosen map.

    Raises
    ------
    TypeError
        If a surface has several maps and there is no choice.
    ValueError
        If a volume has several maps and there is no choice, or there is no map of this number.
    """
    n_maps = _n_maps(img)
    if n_maps is None or (map_ is None and n_maps == 1):
        return given
    called = name_of_image(given) if called is None else called
    if map_ is None:
        got = f"Got {n_maps} maps in {called}. {ways}"
        # In the words of nilearn, and with its errors, which users may test for.
        if isinstance(img, SurfaceImage):
            raise TypeError(
                f"{what} must have one map for each subject: it needs all images to be 3D "
                f"SurfaceImage, with one map each. {got}"
            )
        raise ValueError(
            f"{what} must have one map for each subject: each image must be 3D, or 4D with single "
            f"volume. {got}"
        )
    if not 0 <= map_ < n_maps:
        raise ValueError(
            f"map must be the number of a map in each image of {what}, counted from 0. Got {map_}: "
            f"there {'are' if n_maps > 1 else 'is'} {n_maps} map{'s' if n_maps > 1 else ''} in "
            f"{called}."
        )
    if isinstance(img, SurfaceImage):
        parts = {side: data[:, [map_]] for side, data in img.data.parts.items()}
        return SurfaceImage(img.mesh, PolyData(**parts)) if n_maps > 1 else given
    return one_volume(img, int(map_), what) if n_maps > 1 else given


def _n_maps(img: Any) -> int | None:
    """Return the number of maps; None for anything but a 3D or 4D volume or a surface."""
    if isinstance(img, SurfaceImage):
        return 1 if len(img.shape) == 1 else int(img.shape[1])
    if isinstance(img, SpatialImage) and len(img.shape) in (3, 4):
        return 1 if len(img.shape) == 3 else int(img.shape[3])
    return None
