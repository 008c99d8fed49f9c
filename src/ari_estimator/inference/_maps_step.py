"""Test several maps in another process, and return only what is asked for."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from ari_estimator.images._frame import Frame
from ari_estimator.images._unread_images import Unread
from ari_estimator.inference._fitted_map import FittedMap


@dataclass(frozen=True)
class MapsStep:
    """Test several maps in another process, and return only what is asked for.

    Attributes
    ----------
    step : callable
        Returns the values to keep for a map, and its fitted map, from its values.

    frame : Frame
        The mask.

    names : tuple of str
        Attributes of the fitted map to return.

    returns_values : bool
        Whether to return the values of the map.
    """

    step: Callable[[np.ndarray], tuple[np.ndarray, FittedMap]]
    frame: Frame
    names: tuple[str, ...]
    returns_values: bool

    def __call__(
        self, sources: Sequence[np.ndarray | Unread]
    ) -> list[tuple[np.ndarray | None, Any, list[Warning | str]]]:
        """Return values, attributes and warnings of each map."""
        return [self._result_of(source) for source in sources]

    def _result_of(
        self, source: np.ndarray | Unread
    ) -> tuple[np.ndarray | None, Any, list[Warning | str]]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            values = source.values(self.frame) if isinstance(source, Unread) else source
            values, fitted_map = self.step(values)
            found = SimpleNamespace(**{name: getattr(fitted_map, name) for name in self.names})
        return values if self.returns_values else None, found, [one.message for one in caught]
