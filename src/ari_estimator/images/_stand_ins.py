"""Small volumes that stand for maps of subjects that nilearn's model does not know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from nibabel import Nifti1Image
from nilearn.image import get_data

_SHAPE = (2, 2, 2)


def stand_ins(maps: Sequence[Any], given: Any) -> Any:
    """Return the input of nilearn's model with small volumes in place of maps.

    nilearn checks and sorts its input and chooses maps from it, without a need for their values.

    Parameters
    ----------
    maps : sequence of GrayordinateMap or ArrayMap
        The maps.

    given : object
        What the user gave. The maps of a DataFrame are in its column ``effects_map_path``.

    Returns
    -------
    input : list of Nifti1Image or DataFrame
        A volume for each map. It holds the number of the map.
    """
    volumes = [_volume(number) for number in range(len(maps))]
    return given.assign(effects_map_path=volumes) if isinstance(given, pd.DataFrame) else volumes


def restored_input(stand_ins: Any, given: Any) -> Any:
    """Return the input of a model as the user gave it, in nilearn's order.

    Parameters
    ----------
    stand_ins : list of Nifti1Image or DataFrame
        From :func:`stand_ins`. nilearn has sorted a DataFrame by its subjects.

    given : object
        What the user gave.

    Returns
    -------
    input : object
        The same with the maps of the user.
    """
    if not isinstance(stand_ins, pd.DataFrame):
        return given
    images = given["effects_map_path"].tolist()
    sorted_images = [images[_number_of(volume)] for volume in stand_ins["effects_map_path"]]
    return stand_ins.assign(effects_map_path=sorted_images)


def stand_in_mask() -> Nifti1Image:
    """Return the mask of the volumes."""
    return _volume(1)


class StandInMasker:
    """A masker that exchanges the small volumes for the values of the maps they stand for.

    Parameters
    ----------
    masker : GrayordinateMasker or ArrayMasker
        The masker of the maps.

    maps : sequence of GrayordinateMap or ArrayMap
        The maps.
    """

    def __init__(self, masker: Any, maps: Sequence[Any]) -> None:
        self._masker = masker
        self._maps = maps

    def transform(self, imgs: Sequence[Nifti1Image]) -> np.ndarray:
        """Return the masked values of the maps, of shape (n_images, n_elements)."""
        numbers = [_number_of(img) for img in imgs]
        return self._masker.transform([self._maps[number] for number in numbers])

    def inverse_transform(self, values: np.ndarray) -> UnmadeImage:
        """Return values as something that nilearn can write a description to."""
        return UnmadeImage(self._masker, values)


class UnmadeImage:
    """Values from which an image is made later, because nilearn writes to the header of volumes.

    Parameters
    ----------
    masker : GrayordinateMasker or ArrayMasker
        Makes the image.

    values : ndarray of shape (n_elements,) or (n_maps, n_elements)
        The values.

    Attributes
    ----------
    header : dict
        What nilearn takes for the header.
    """

    def __init__(self, masker: Any, values: np.ndarray) -> None:
        self._masker = masker
        self._values = values
        self.header: dict[str, str] = {}

    def made(self) -> Any:
        """Return the image."""
        return self._masker.inverse_transform(self._values)


def _volume(number: int) -> Nifti1Image:
    return Nifti1Image(np.full(_SHAPE, number, dtype=np.float32), np.eye(4))


def _number_of(volume: Nifti1Image) -> int:
    return int(get_data(volume).flat[0])
