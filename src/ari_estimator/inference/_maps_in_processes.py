"""Test several maps in several processes, which return only what is asked for."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from ari_estimator.images._frame import Frame
from ari_estimator.images._maps import Maps
from ari_estimator.images._unread_images import Unread
from ari_estimator.inference._fitted_map import FittedMap
from ari_estimator.inference._infer_checked import InferChecked

# Most maps of one task.
_MOST_MAPS = 8


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


def tested_in_processes(
    maps: Maps,
    step: InferChecked,
    asked: Iterable[str],
    run: Callable[..., Iterator[Any]],
    n_processes: int,
    *,
    returns_values: bool,
) -> Iterator[tuple[np.ndarray | None, Any]]:
    """Test maps in several processes. Each reads the files of its maps.

    Parameters
    ----------
    maps : ImageMaps or ArrayMaps
        The maps.

    step : InferChecked
        Checks the values of a map, and tests it.

    asked : iterable of str
        Attributes of the fitted maps to return.

    run : callable
        Yields the results of a function for each part of some work, in order: as
        :meth:`~ari_estimator.calibration.Workers.run`.

    n_processes : int
        Number of processes.

    returns_values : bool
        Whether to return the values of the maps.

    Yields
    ------
    values : ndarray of shape (n_elements,) or None
        The values to keep for the next map, if they are returned.

    found : object
        An object with the attributes.
    """
    sources = list(maps.sources(step.frame))
    size = min(_MOST_MAPS, math.ceil(len(sources) / (2 * n_processes)))
    parts = [sources[start : start + size] for start in range(0, len(sources), size)]
    test = MapsStep(step, step.frame, tuple(sorted(asked)), returns_values=returns_values)
    for results in run("Maps", test, parts):
        for values, found, messages in results:
            for message in messages:
                warnings.warn(message, stacklevel=2)
            yield values, found
