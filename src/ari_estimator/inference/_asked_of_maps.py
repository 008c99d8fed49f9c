"""An attribute of several fitted maps, computed on request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ari_estimator.inference._fitted_maps import FittedMaps


class AskedOfMaps(Sequence[Any]):
    """An attribute of several fitted maps, computed when an item is requested.

    Parameters
    ----------
    fitted_maps : FittedMaps
        The maps.

    name : str
        Name of the attribute of the fitted maps.
    """

    def __init__(self, fitted_maps: FittedMaps, name: str) -> None:
        self._fitted_maps = fitted_maps
        self._name = name

    def __len__(self) -> int:
        return len(self._fitted_maps)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[number] for number in range(len(self))[index]]
        return getattr(self._fitted_maps[index], self._name)
