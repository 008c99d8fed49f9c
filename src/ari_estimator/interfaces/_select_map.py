"""Select one map of a file or image that has several."""

from __future__ import annotations

from os import PathLike
from typing import Any

from nibabel.gifti.gifti import GiftiImage

from ari_estimator.images._image_file import load_image
from ari_estimator.images._selected_map import selected_map
from ari_estimator.interfaces._reading import read_later


def select_map(
    img: Any,
    map: int | str | None = None,  # noqa: A002  # the word that users know
) -> Any:
    """Return one map of an image that has several.

    Parameters
    ----------
    img : image, str or path-like
        A CIFTI image (dscalar, dtseries, dlabel), a 4D volume or a surface with several maps.

    map : int, str or None, default=None
        The number of the map, from 0, or its name in a CIFTI image. In names of the HCP pipelines,
        the contrast is enough: ``"LH"`` for ``"100307_tfMRI_MOTOR_level2_LH_hp200_s2"``. None if
        there is only one map.

    Returns
    -------
    img : image
        An image of this map. What the file declares about its values is kept.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If there is no such file.
    TypeError
        If the image is of another kind, or ``map`` of another type.
    ValueError
        If there is no such map, or there are several and ``map`` is None. The error names the maps.
        If the file is damaged.

    See Also
    --------
    describe_map : How many maps an image has, and what they hold.

    Examples
    --------
    >>> import numpy as np
    >>> from nibabel import Nifti1Image
    >>> from ari_estimator.interfaces import select_map
    >>> z_maps = Nifti1Image(np.random.default_rng(0).standard_normal((4, 4, 4, 2)), np.eye(4))
    >>> select_map(z_maps, 1).shape
    (4, 4, 4)
    """
    if isinstance(img, (str, PathLike)):
        if isinstance(load_image(img, "The map"), GiftiImage):
            raise TypeError(
                f"img must be a nilearn SurfaceImage for GIfTI files, which have no mesh. Got "
                f"{str(img)!r}."
            )
        img = read_later(img, "The map")
    return selected_map(img, map)
